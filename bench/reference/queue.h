/* SPDX-License-Identifier: MIT */
/*
 * A receive queue that a ring has registered: the area that the NIC receives
 * into, and the refill ring that gives pieces of it back to the kernel.
 */
#ifndef REFERENCE_QUEUE_H
#define REFERENCE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"
#include "zcrx_uapi.h"

#define PAGE	4096U

struct queue {
	const struct ring *ring;
	unsigned int id;
	bool device;

	unsigned char *area;
	size_t area_size;

	unsigned char *memory;	/* of the refill ring, and the statistics */
	size_t memory_size;
	unsigned int *head;
	unsigned int *tail;
	struct refill_entry *entries;
	unsigned int count;
	unsigned int next;	/* runs ahead of *tail */
	unsigned int limit;	/* next may run up to here */
	uint64_t flushes;

	const struct copy_counts *stats;
};

struct queue_options {
	const char *interface;	/* NULL: no device */
	unsigned int index;
	uint64_t area;		/* bytes, whole pages */
	unsigned int refill;	/* entries */
};

/*
 * Registers a queue; @doing names the step that an error belongs to.  Returns 0
 * or a negative errno; queue_close() is needed in either case.
 */
int queue_open(struct queue *queue, const struct ring *ring,
	       const struct queue_options *options, const char **doing);

/* Only once the ring is closed: until then the kernel may write there. */
void queue_close(struct queue *queue);

/* Finds room in a refill ring that is full.  Returns 0 or a negative errno. */
int queue_make_room(struct queue *queue);

/*
 * Lets the kernel see what was given back.  Returns 0 or a negative errno.
 */
int queue_publish(struct queue *queue);

/* Gives a piece back.  Here, as it belongs to the loop that is timed. */
static inline int queue_return(struct queue *queue, uint64_t off, uint32_t len)
{
	struct refill_entry *entry;

	if (queue->next == queue->limit) {
		int result = queue_make_room(queue);

		if (result < 0)
			return result;
	}
	entry = &queue->entries[queue->next++ & (queue->count - 1)];
	entry->off = off;
	entry->len = len;
	entry->pad = 0;
	return 0;
}

#endif
