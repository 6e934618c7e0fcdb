/* SPDX-License-Identifier: MIT */
/* Time in seconds. */
#ifndef REFERENCE_CLOCK_H
#define REFERENCE_CLOCK_H

#include <time.h>

static inline double clock_seconds(clockid_t clock)
{
	struct timespec now;

	/* Cannot fail for the two clocks that are read here. */
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
