// SPDX-License-Identifier: MIT
/* Time, threads and their processors, and the end of the process. */
#include "shim.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* From any thread, at once: nothing is run or waited for first. It does not return. */
int zclab_exit(int status)
{
	_exit(status);
}

double zclab_milliseconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		return -errno;
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int zclab_thread_id(void)
{
	return checked(syscall(SYS_gettid));
}

double zclab_thread_cpu_seconds(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used) < 0)
		return -errno;
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

int zclab_affinity_get(void *mask, uint32_t bytes)
{
	return checked(syscall(SYS_sched_getaffinity, 0, (size_t)bytes, mask));
}

int zclab_affinity_set(const void *mask, uint32_t bytes)
{
	return checked(syscall(SYS_sched_setaffinity, 0, (size_t)bytes, mask));
}
