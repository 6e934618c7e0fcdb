/* SPDX-License-Identifier: GPL-2.0 */
/* Receive and transmit queues, and the memory that a receive queue fills. */
#ifndef SOFTNIC_QUEUE_H
#define SOFTNIC_QUEUE_H

#include <linux/hrtimer.h>
#include <linux/netdevice.h>
#include <linux/prandom.h>
#include <linux/skbuff.h>
#include <linux/smp.h>
#include <net/netdev_queues.h>
#include <net/netmem.h>

#include "stats.h"

struct page_pool;
struct softnic_port;

/* A frame occupies one descriptor for its linear part and one for each fragment. */
#define SOFTNIC_TX_NEED		((int)(MAX_SKB_FRAGS + 1))
/* A stopped queue starts again when two of the largest frames fit. */
#define SOFTNIC_TX_WAKE		(2 * SOFTNIC_TX_NEED)
/* Payloads that share a buffer start at cache lines. */
#define SOFTNIC_PACK_ALIGN	64

/**
 * struct softnic_memory - what a receive queue has to write into
 * @pool: where buffers come from
 * @ring: buffers that were posted to the "hardware", oldest at @head
 * @entries: room in @ring
 * @head: index of the oldest buffer
 * @count: number of buffers
 * @buffer_size: size of each, a power of two of at least a page
 * @provider: whether they are a memory provider's: only TCP payload may go there
 * @open: the buffer that is being filled, or 0; we hold one reference
 * @open_offset: where the next payload in it goes
 *
 * This is all that a change of memory provider or of ring size exchanges; NAPI, wire and
 * statistics stay.
 */
struct softnic_memory {
	struct page_pool *pool;
	netmem_ref *ring;
	u32 entries;
	u32 head;
	u32 count;
	u32 buffer_size;
	bool provider;
	netmem_ref open;
	u32 open_offset;
};

/* Bits of struct softnic_rx.flags. */
enum {
	/* The next frame raises an interrupt; NAPI clears and sets it as on hardware. */
	SOFTNIC_RX_INTERRUPT,
	/* An inter-processor call is under way. */
	SOFTNIC_RX_CALLING,
};

/**
 * struct softnic_rx - a receive queue
 * @port: whose it is
 * @index: its number
 * @napi: polls it
 * @memory: what it fills
 * @wire: frames that are on their way here, in order of arrival
 * @flags: see above
 * @timer: fires when the first frame on the wire arrives
 * @call: carries the interrupt to @cpu
 * @cpu: where the interrupt fires, or -1 for the CPU on which the frame arrives
 * @random: decides which frames get lost
 * @random_generation: the seed that @random was made from
 * @stats: counters
 */
struct softnic_rx {
	struct softnic_port *port;
	unsigned int index;
	struct napi_struct napi;
	struct softnic_memory memory;
	struct sk_buff_head wire;
	unsigned long flags;
	struct hrtimer timer;
	call_single_data_t call;
	int cpu;
	struct rnd_state random;
	u32 random_generation;
	struct softnic_rx_stats stats;
} ____cacheline_aligned_in_smp;

/**
 * struct softnic_tx - a transmit queue
 * @used: descriptors of frames that the other end has not read yet
 * @stats: counters
 */
struct softnic_tx {
	atomic_t used;
	struct softnic_tx_stats stats;
} ____cacheline_aligned_in_smp;

extern const struct netdev_queue_mgmt_ops softnic_queue_ops;

int softnic_queues_open(struct softnic_port *port);
void softnic_queues_close(struct softnic_port *port);
int softnic_queues_resize(struct softnic_port *port, u32 entries);
int softnic_queues_set_active(struct softnic_port *port, unsigned int active);

bool softnic_memory_refill(struct softnic_memory *memory, gfp_t gfp);
void softnic_memory_close(struct softnic_memory *memory, bool in_napi);

#endif
