/* SPDX-License-Identifier: MIT */
/* The functions of the guest's kernel, from the guest's own /proc/kallsyms and /proc/modules. */
#ifndef MICROSCOPE_SYMBOLS_H
#define MICROSCOPE_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of struct function.traits. */
enum {
	/* An interrupt begins here: at its first instruction. */
	FUNCTION_INTERRUPT = 1 << 0,
	/* An interrupt begins here: at any of a row of entries. */
	FUNCTION_INTERRUPTS = 1 << 1,
	/* It calls others on the stack for interrupts, for whoever runs. */
	FUNCTION_BRIDGE = 1 << 2,
};

/**
 * struct function - a function, with all parts that the compiler has made of it
 * @name: its name
 * @traits: what is special about it
 * @number: its place in a report, from 1; 0 if it has none yet
 * @next: another one with the same hash
 */
struct function {
	const char *name;
	unsigned int traits;
	uint32_t number;
	struct function *next;
};

/* What is not a function of the kernel. */
extern struct function function_user;
extern struct function function_interrupt;
extern struct function function_unknown;

static inline bool is_kernel(uint64_t address)
{
	return address >> 63;
}

/*
 * Reads the two files of a folder, in place of what was read before. Returns why that failed, or
 * NULL. Those that were known before stay valid until symbols_forget_old().
 */
const char *symbols_read(const char *folder);
void symbols_forget_old(void);

/* The function at an address, and where the part of it begins that is there. */
struct function *symbols_find(uint64_t address, uint64_t *start);

#endif
