/* SPDX-License-Identifier: MIT */
/*
 * Which function runs, and by what path of calls: the shadow of every kernel stack.
 *
 * The address at which a call stores its return address, and a return loads it, says where in which
 * stack the processor is. So nothing is lost by switches between threads, by calls that are jumps, or
 * by whatever unwinds several calls at once.
 */
#ifndef MICROSCOPE_PATHS_H
#define MICROSCOPE_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "symbols.h"

struct touch;

/**
 * struct node - a function as it is called by one path
 * @parent: whose call it is; NULL for a thread
 * @children: what it calls, the last one that was looked for first
 * @sibling: the next of its parent's
 * @function: the function; NULL for a thread
 * @instructions: how many it has executed itself
 * @touches: what it did with the payload
 * @number: its place in a report, from 1
 * @own: of a thread, whether it is the one that looks
 */
struct node {
	struct node *parent;
	struct node *children;
	struct node *sibling;
	struct function *function;
	uint64_t instructions;
	struct touch *touches;
	uint32_t number;
	bool own;
};

/**
 * struct site - an instruction that accesses memory, or several that cannot copy
 * @run: what it belongs to
 * @reg: the register that it loads or stores, or NO_REGISTER
 * @is_move: whether it loads and stores the same
 */
struct site {
	const struct run *run;
	int8_t reg;
	bool is_move;
};

/**
 * struct run - instructions in a row, of one function
 * @function: whose they are
 * @start: address of the first one
 * @begins: whether that is the function's first one
 * @count: how many
 * @site: those of them that cannot copy
 */
struct run {
	struct function *function;
	uint64_t start;
	bool begins;
	uint32_t count;
	struct site site;
};

/* Begins anew, in user space of the thread that looks. */
void paths_open(void);
/* Forgets all nodes. */
void paths_close(void);

/* A run begins; it is counted. */
void paths_run(const struct run *run);
/* A call stored its return address in this slot of its stack. */
void paths_call(struct function *caller, uint64_t slot);
/* A return loaded it. */
void paths_return(uint64_t slot);
/* The return from an interrupt loaded something: from the stack, or from elsewhere. */
void paths_interrupt_return(uint64_t address);

/* What runs, and in which of its calls; 0 for user space, whose calls are not followed. */
struct node *paths_node(void);
uint64_t paths_call_number(void);

/* Each node, parents first. */
void paths_each(void (*visit)(struct node *node, void *data), void *data);

#endif
