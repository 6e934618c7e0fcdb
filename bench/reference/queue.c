// SPDX-License-Identifier: MIT
/* Registers a receive queue, and refills it. */
#define _GNU_SOURCE
#include "queue.h"

#include <net/if.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define TAKEN_TRIES		500	/* while the queue is another's */
#define TAKEN_NANOSECONDS	10000000

static void *map_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int queue_map(struct queue *queue, const struct queue_options *options)
{
	size_t entries = options->refill * sizeof(struct refill_entry);

	queue->area_size = options->area;
	queue->area = map_memory(queue->area_size);
	if (!queue->area)
		return -errno;
	/* A page for head and tail, the entries, a page for the statistics. */
	entries = (entries + PAGE - 1) / PAGE * PAGE;
	queue->memory_size = entries + 2 * PAGE;
	queue->memory = map_memory(queue->memory_size);
	return queue->memory ? 0 : -errno;
}

static void queue_look(struct queue *queue)
{
	queue->limit = __atomic_load_n(queue->head, __ATOMIC_ACQUIRE) +
		       queue->count;
}

static int queue_find(struct queue *queue, const struct queue_request *ifq,
		      uint64_t stats_offset)
{
	const struct refill_offsets *offsets = &ifq->offsets;

	if (offsets->rqes > PAGE ||
	    (ifq->rq_entries & (ifq->rq_entries - 1)) != 0)
		return -EBADMSG;
	queue->id = ifq->zcrx_id;
	queue->head = (unsigned int *)(queue->memory + offsets->head);
	queue->tail = (unsigned int *)(queue->memory + offsets->tail);
	queue->entries = (void *)(queue->memory + offsets->rqes);
	queue->stats = (const void *)(queue->memory + stats_offset);
	queue->count = ifq->rq_entries;
	queue->next = *queue->tail;
	queue_look(queue);
	return 0;
}

/* A ring that was closed lets go of its queue a moment later. */
static int queue_request(const struct ring *ring, struct queue_request *ifq)
{
	const struct timespec moment = { .tv_nsec = TAKEN_NANOSECONDS };
	int result = -EEXIST;

	for (int i = 0; result == -EEXIST && i < TAKEN_TRIES; i++) {
		if (i > 0)
			/* Interrupted, it only tries sooner. */
			nanosleep(&moment, NULL);
		result = ring_register(ring, REGISTER_ZCRX_IFQ, ifq, 1);
	}
	return result;
}

static int queue_register(struct queue *queue, unsigned int interface,
			  const struct queue_options *options)
{
	struct region_request region = {
		.user_addr = (uint64_t)(uintptr_t)queue->memory,
		.size = queue->memory_size,
		.flags = REGION_TYPE_USER,
	};
	struct area_request area = {
		.addr = (uint64_t)(uintptr_t)queue->area,
		.len = queue->area_size,
	};
	struct event_request event = {
		.flags = EVENT_DESC_FLAG_STATS,
		.stats_offset = queue->memory_size - PAGE,
	};
	struct queue_request ifq = {
		.rq_entries = options->refill,
		.flags = queue->device ? 0 : REG_NODEV,
		.if_idx = interface,
		.if_rxq = options->index,
		.area_ptr = (uint64_t)(uintptr_t)&area,
		.region_ptr = (uint64_t)(uintptr_t)&region,
		.event_desc = (uint64_t)(uintptr_t)&event,
	};
	int result = queue_request(queue->ring, &ifq);

	return result < 0 ? result : queue_find(queue, &ifq, event.stats_offset);
}

int queue_open(struct queue *queue, const struct ring *ring,
	       const struct queue_options *options, const char **doing)
{
	unsigned int interface = 0;
	int result;

	memset(queue, 0, sizeof(*queue));
	queue->ring = ring;
	queue->device = options->interface;
	*doing = "mmap";
	result = queue_map(queue, options);
	if (result < 0)
		return result;
	*doing = "the interface";
	if (queue->device) {
		interface = if_nametoindex(options->interface);
		if (interface == 0)
			return -errno;
	}
	*doing = "IORING_REGISTER_ZCRX_IFQ";
	return queue_register(queue, interface, options);
}

void queue_close(struct queue *queue)
{
	if (queue->memory)
		munmap(queue->memory, queue->memory_size);
	if (queue->area)
		munmap(queue->area, queue->area_size);
}

static int queue_flush(struct queue *queue)
{
	struct control_request control = {
		.zcrx_id = queue->id,
		.op = CTRL_FLUSH_RQ,
	};

	queue->flushes++;
	return ring_register(queue->ring, REGISTER_ZCRX_CTRL, &control, 0);
}

static void queue_store_tail(struct queue *queue)
{
	__atomic_store_n(queue->tail, queue->next, __ATOMIC_RELEASE);
}

int queue_make_room(struct queue *queue)
{
	int result;

	queue_look(queue);
	if (queue->next != queue->limit)
		return 0;
	queue_store_tail(queue);
	result = queue_flush(queue);
	if (result < 0)
		return result;
	queue_look(queue);
	return queue->next == queue->limit ? -EBUSY : 0;
}

int queue_publish(struct queue *queue)
{
	unsigned int before = *queue->tail;

	queue_store_tail(queue);
	/* Without a device nobody looks at the refill ring by himself. */
	if (queue->device || before == queue->next)
		return 0;
	return queue_flush(queue);
}
