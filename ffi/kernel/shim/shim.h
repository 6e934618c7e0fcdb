// SPDX-License-Identifier: MIT
/*
 * What JavaScript cannot do well: socket calls, control messages, namespaces, address parsing.
 *
 * Every function returns a result that is not negative, or -errno. No policy, no global state, no
 * memory that is not handed out. The table in symbols.ts is the contract. This is what the files
 * have in common.
 */
#ifndef ZCLAB_SHIM_H
#define ZCLAB_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdint.h>

/* Shared between the files of the library, and not exported. */
#define INTERNAL __attribute__((visibility("hidden")))

_Static_assert(sizeof(void *) == 8, "zclab needs a 64-bit machine");

static inline int checked(long result)
{
	return result < 0 ? -errno : (int)result;
}

static inline void *pointer(uint32_t low, uint32_t high)
{
	return (void *)((uintptr_t)high << 32 | low);
}

#endif
