// SPDX-License-Identifier: MIT
#include "memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES	(256 * 1024)
#define ALIGNMENT	16

static void *checked(void *memory)
{
	if (memory)
		return memory;
	fprintf(stderr, "microscope: there is no more memory on the host\n");
	exit(1);
}

void *make(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size));
}

void *remake(void *memory, size_t count, size_t size)
{
	if (count > SIZE_MAX / size)
		return checked(NULL);
	return checked(realloc(memory, count * size));
}

void *arena_make(struct arena *arena, size_t size)
{
	void *memory;

	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!arena->chunk || arena->used + size > CHUNK_BYTES) {
		char *chunk = make(1, CHUNK_BYTES);

		*(char **)chunk = arena->chunk;
		arena->chunk = chunk;
		arena->used = ALIGNMENT;
	}
	memory = arena->chunk + arena->used;
	arena->used += size;
	return memory;
}

void arena_forget(struct arena *arena)
{
	while (arena->chunk) {
		char *before = *(char **)arena->chunk;

		free(arena->chunk);
		arena->chunk = before;
	}
	arena->used = 0;
}
