/* SPDX-License-Identifier: GPL-2.0 */
/* Counters. Frames and bytes are those on the wire: a super frame counts as its segments. */
#ifndef SOFTNIC_STATS_H
#define SOFTNIC_STATS_H

#include <linux/u64_stats_sync.h>
#include <net/netdev_queues.h>

struct softnic_port;

/**
 * struct softnic_rx_stats - counters of a receive queue, written by its NAPI
 * @sync: for readers on 32 bit machines
 * @frames: frames handed to the stack
 * @bytes: their bytes, link headers included
 * @user_bytes: payload placed into memory of a memory provider
 * @user_buffers: pieces of it
 * @kernel_bytes: placed into ordinary pages
 * @linear_bytes: left in the linear part: headers, and any payload
 * @linear_payload_bytes: TCP and UDP payload that was left there
 * @no_descriptor_drops: frames that found too few posted buffers
 * @wire_drops: frames that got lost on the wire
 * @oversize_drops: frames that are longer than the MTU
 * @allocation_drops: frames for which the kernel had no socket buffer
 * @refill_failures: times when the page pool was empty before the ring was full
 */
struct softnic_rx_stats {
	struct u64_stats_sync sync;
	u64_stats_t frames;
	u64_stats_t bytes;
	u64_stats_t user_bytes;
	u64_stats_t user_buffers;
	u64_stats_t kernel_bytes;
	u64_stats_t linear_bytes;
	u64_stats_t linear_payload_bytes;
	u64_stats_t no_descriptor_drops;
	u64_stats_t wire_drops;
	u64_stats_t oversize_drops;
	u64_stats_t allocation_drops;
	u64_stats_t refill_failures;
};

/**
 * struct softnic_tx_stats - counters of a transmit queue, written under its lock
 * @sync: for readers on 32 bit machines
 * @frames: frames put on the wire
 * @bytes: their bytes, link headers included
 * @user_bytes: payload read out of device memory
 * @stops: times when the queue was full
 */
struct softnic_tx_stats {
	struct u64_stats_sync sync;
	u64_stats_t frames;
	u64_stats_t bytes;
	u64_stats_t user_bytes;
	u64_stats_t stops;
};

extern const struct netdev_stat_ops softnic_stat_ops;

int softnic_stats_count(const struct softnic_port *port);
void softnic_stats_names(const struct softnic_port *port, u8 *names);
void softnic_stats_values(const struct softnic_port *port, u64 *values);

void softnic_count_received(struct net_device *device, unsigned int frames, unsigned int bytes);
void softnic_count_sent(struct net_device *device, unsigned int frames, unsigned int bytes);

#endif
