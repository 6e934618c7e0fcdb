/* SPDX-License-Identifier: MIT */
/*
 * What a stream consists of: its 32-bit word K (little endian) is
 * (K + 1) * 2654435769 modulo 2^32, so that no two words of a stream of less
 * than 16 GiB are the same.  Of every piece a receiver compares the first and
 * the last 8 bytes (of a shorter one, all).
 */
#ifndef REFERENCE_PATTERN_H
#define REFERENCE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PATTERN_MULTIPLIER	2654435769U

static inline uint32_t pattern_word(uint64_t index)
{
	return ((uint32_t)index + 1) * PATTERN_MULTIPLIER;
}

/* The 8 bytes of the stream from @offset on. */
static inline uint64_t pattern_at(uint64_t offset)
{
	uint64_t index = offset >> 2;
	unsigned int shift = (offset & 3) * 8;
	uint64_t bytes = pattern_word(index) |
			 (uint64_t)pattern_word(index + 1) << 32;

	if (shift == 0)
		return bytes;
	return bytes >> shift |
	       (uint64_t)pattern_word(index + 2) << (64 - shift);
}

static inline bool pattern_matches(const unsigned char *piece, uint64_t offset,
				   size_t length)
{
	uint64_t bytes = pattern_at(offset);

	return memcmp(piece, &bytes, length) == 0;
}

static inline bool piece_matches(const unsigned char *piece, uint64_t offset,
				 size_t length)
{
	if (length < 8)
		return pattern_matches(piece, offset, length);
	return pattern_matches(piece, offset, 8) &&
	       pattern_matches(piece + length - 8, offset + length - 8, 8);
}

#endif
