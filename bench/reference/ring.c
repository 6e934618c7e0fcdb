// SPDX-License-Identifier: MIT
/* Sets rings up. */
#define _GNU_SOURCE
#include "ring.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* The kernel headers of Debian 12 (6.1) are too old for it. */
#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY		(1U << 16)	/* Linux 6.6 */
#endif

static int ring_setup(const struct ring_options *options, unsigned int flags,
		      struct io_uring_params *params)
{
	long fd;

	memset(params, 0, sizeof(*params));
	params->flags = flags;
	if (options->wide)
		params->flags |= IORING_SETUP_CQE32;
	if (options->completions > 0) {
		params->flags |= IORING_SETUP_CQSIZE;
		params->cq_entries = options->completions;
	}
	fd = syscall(__NR_io_uring_setup, options->entries, params);
	return fd < 0 ? -errno : (int)fd;
}

static int ring_setup_best(const struct ring_options *options,
			   struct io_uring_params *params)
{
	unsigned int flags = IORING_SETUP_SINGLE_ISSUER |
			     IORING_SETUP_DEFER_TASKRUN |
			     IORING_SETUP_TASKRUN_FLAG |
			     IORING_SETUP_SUBMIT_ALL;
	int fd = ring_setup(options, flags | IORING_SETUP_NO_SQARRAY, params);

	/* Linux 6.1 to 6.5: all but NO_SQARRAY. */
	return fd == -EINVAL ? ring_setup(options, flags, params) : fd;
}

int ring_register(const struct ring *ring, unsigned int opcode,
		  const void *argument, unsigned int count)
{
	long result = syscall(__NR_io_uring_register, ring->fd, opcode,
			      argument, count);

	return result < 0 ? -errno : (int)result;
}

static void ring_find_queues(struct ring *ring,
			     const struct io_uring_params *params)
{
	unsigned char *memory = ring->memory;

	ring->sq_head = (unsigned int *)(memory + params->sq_off.head);
	ring->sq_tail = (unsigned int *)(memory + params->sq_off.tail);
	ring->sq_flags = (unsigned int *)(memory + params->sq_off.flags);
	ring->sq_mask = *(unsigned int *)(memory + params->sq_off.ring_mask);
	ring->cq_head = (unsigned int *)(memory + params->cq_off.head);
	ring->cq_tail = (unsigned int *)(memory + params->cq_off.tail);
	ring->cq_mask = *(unsigned int *)(memory + params->cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(memory + params->cq_off.cqes);
}

static void ring_fill_array(struct ring *ring,
			    const struct io_uring_params *params)
{
	unsigned int *array;

	if (params->flags & IORING_SETUP_NO_SQARRAY)
		return;
	array = (unsigned int *)(ring->memory + params->sq_off.array);
	for (unsigned int i = 0; i < params->sq_entries; i++)
		array[i] = i;
}

static size_t queues_size(const struct io_uring_params *params)
{
	size_t wide = params->flags & IORING_SETUP_CQE32 ? 2 : 1;
	size_t queues = params->cq_off.cqes +
			params->cq_entries * wide * sizeof(struct io_uring_cqe);
	size_t array = params->sq_off.array +
		       params->sq_entries * sizeof(unsigned int);

	return queues > array ? queues : array;
}

static void *ring_map_region(int fd, size_t size, off_t offset)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, fd, offset);

	return memory == MAP_FAILED ? NULL : memory;
}

static int ring_map(struct ring *ring, const struct io_uring_params *params)
{
	ring->memory_size = queues_size(params);
	ring->memory = ring_map_region(ring->fd, ring->memory_size,
				       IORING_OFF_SQ_RING);
	if (!ring->memory)
		return -errno;
	ring->sqes_size = params->sq_entries * sizeof(struct io_uring_sqe);
	ring->sqes = ring_map_region(ring->fd, ring->sqes_size,
				     IORING_OFF_SQES);
	return ring->sqes ? 0 : -errno;
}

static int ring_register_itself(struct ring *ring)
{
	struct io_uring_rsrc_update update = {
		.offset = -1U,
		.data = (uint64_t)ring->fd,
	};
	int result = ring_register(ring, IORING_REGISTER_RING_FDS, &update, 1);

	if (result < 0)
		return result;
	ring->registered = (int)update.offset;
	return 0;
}

int ring_open(struct ring *ring, const struct ring_options *options)
{
	struct io_uring_params params;
	int result = ring_setup_best(options, &params);

	*ring = RING_CLOSED;
	if (result < 0)
		return result;
	ring->fd = result;
	ring->flags = params.flags;
	ring->entries = params.sq_entries;
	result = ring_map(ring, &params);
	if (result < 0)
		return result;
	ring_find_queues(ring, &params);
	ring_fill_array(ring, &params);
	return ring_register_itself(ring);
}

void ring_close(struct ring *ring)
{
	struct io_uring_rsrc_update update = {
		.offset = (unsigned int)ring->registered,
	};

	/* The registration holds the ring: without this, it would outlive us. */
	if (ring->registered >= 0)
		ring_register(ring, IORING_UNREGISTER_RING_FDS, &update, 1);
	if (ring->sqes)
		munmap(ring->sqes, ring->sqes_size);
	if (ring->memory)
		munmap(ring->memory, ring->memory_size);
	if (ring->fd >= 0)
		close(ring->fd);
	*ring = RING_CLOSED;
}
