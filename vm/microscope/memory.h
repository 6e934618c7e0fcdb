/* SPDX-License-Identifier: MIT */
/* Memory of the emulator's process. There is nothing to be done without it, so it is not refused. */
#ifndef MICROSCOPE_MEMORY_H
#define MICROSCOPE_MEMORY_H

#include <stddef.h>

/* Zeroed. */
void *make(size_t count, size_t size);
/* As realloc(), for so many elements. */
void *remake(void *memory, size_t count, size_t size);

/**
 * struct arena - many small things that are forgotten together
 * @chunk: the newest chunk, whose first word is the one before
 * @used: bytes used of it
 */
struct arena {
	char *chunk;
	size_t used;
};

/* Zeroed, and aligned for anything; at most a few hundred bytes. */
void *arena_make(struct arena *arena, size_t size);
void arena_forget(struct arena *arena);

#endif
