/* SPDX-License-Identifier: MIT */
/*
 * Where each byte of the payload is, by physical address: followed through every load and store.
 *
 * A store is a copy if the same call of the same function has loaded the same value from the payload
 * into the same register, in the same length, shortly before. So a payload that is all zeros is followed,
 * too. MOVS needs no such rule.
 */
#ifndef MICROSCOPE_PAYLOAD_H
#define MICROSCOPE_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "emulator.h"
#include "paths.h"

/**
 * struct touch - what a node did with bytes of one generation
 * @next: those of another generation
 * @generation: 0 for the payload, 1 for a copy of it, 2 for a copy of that
 * @read: bytes loaded
 * @moved: bytes stored elsewhere
 * @copied: the same, where a call that moves a byte twice to the same place counts once
 * @overwritten: bytes that became something else
 */
struct touch {
	struct touch *next;
	uint32_t generation;
	uint64_t read;
	uint64_t moved;
	uint64_t copied;
	uint64_t overwritten;
};

/* The least and the most, of all bytes of the payload. */
struct extent {
	uint32_t least;
	uint32_t most;
};

/**
 * struct piece - payload that lies in a row
 * @address: its physical address
 * @length: its length in bytes
 * @offset: where it is in the payload
 */
struct piece {
	uint64_t address;
	uint64_t length;
	uint64_t offset;
};

/* Forgets where everything was, and begins with the payload in these places. Why not, or NULL. */
const char *payload_open(const struct piece *pieces, size_t count);
void payload_close(void);

/* An access to memory. */
void payload_access(const struct site *site, qemu_plugin_meminfo_t info, uint64_t address);

/* How often each byte was loaded, and how often it was copied. */
uint64_t payload_length(void);
struct extent payload_reads(void);
struct extent payload_copies(void);

#endif
