/* SPDX-License-Identifier: MIT */
/* An io_uring, entered through its registered file descriptor. */
#ifndef REFERENCE_RING_H
#define REFERENCE_RING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ring {
	int fd;
	int registered;
	unsigned int flags;	/* IORING_SETUP_* */
	unsigned int entries;

	unsigned char *memory;
	size_t memory_size;
	struct io_uring_sqe *sqes;
	size_t sqes_size;

	unsigned int *sq_head;
	unsigned int *sq_tail;
	unsigned int *sq_flags;
	unsigned int sq_mask;

	unsigned int *cq_head;
	unsigned int *cq_tail;
	unsigned int cq_mask;
	struct io_uring_cqe *cqes;
};

/* A ring that is not open yet; ring_close() takes it, too. */
#define RING_CLOSED	((struct ring){ .fd = -1, .registered = -1 })

struct ring_options {
	unsigned int entries;
	unsigned int completions;	/* 0: twice the entries */
	bool wide;			/* completions of 32 bytes */
};

/*
 * SINGLE_ISSUER | DEFER_TASKRUN | NO_SQARRAY | TASKRUN_FLAG | SUBMIT_ALL.
 * Returns 0 or a negative errno; ring_close() is needed in either case.
 */
int ring_open(struct ring *ring, const struct ring_options *options);
void ring_close(struct ring *ring);

/* Returns a negative errno where io_uring_register(2) fails. */
int ring_register(const struct ring *ring, unsigned int opcode,
		  const void *argument, unsigned int count);

/* Here, as it belongs to every loop that is timed. */
static inline int ring_enter(const struct ring *ring, unsigned int to_submit,
			     unsigned int min_complete)
{
	long result = syscall(__NR_io_uring_enter, ring->registered, to_submit,
			      min_complete,
			      IORING_ENTER_GETEVENTS |
			      IORING_ENTER_REGISTERED_RING, NULL, 0);

	return result < 0 ? -errno : (int)result;
}

#endif
