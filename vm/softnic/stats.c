// SPDX-License-Identifier: GPL-2.0
/* Counters of queues for ethtool and for netdev netlink, and those of the device. */
#include <linux/ethtool.h>
#include <linux/netdevice.h>

#include "port.h"
#include "stats.h"

struct softnic_counter {
	const char *name;
	size_t offset;
};

#define SOFTNIC_RX_COUNTER(field)	{ #field, offsetof(struct softnic_rx_stats, field) }
#define SOFTNIC_TX_COUNTER(field)	{ #field, offsetof(struct softnic_tx_stats, field) }

static const struct softnic_counter softnic_rx_counters[] = {
	SOFTNIC_RX_COUNTER(frames),
	SOFTNIC_RX_COUNTER(bytes),
	SOFTNIC_RX_COUNTER(user_bytes),
	SOFTNIC_RX_COUNTER(user_buffers),
	SOFTNIC_RX_COUNTER(kernel_bytes),
	SOFTNIC_RX_COUNTER(linear_bytes),
	SOFTNIC_RX_COUNTER(linear_payload_bytes),
	SOFTNIC_RX_COUNTER(no_descriptor_drops),
	SOFTNIC_RX_COUNTER(wire_drops),
	SOFTNIC_RX_COUNTER(oversize_drops),
	SOFTNIC_RX_COUNTER(allocation_drops),
	SOFTNIC_RX_COUNTER(refill_failures),
};

static const struct softnic_counter softnic_tx_counters[] = {
	SOFTNIC_TX_COUNTER(frames),
	SOFTNIC_TX_COUNTER(bytes),
	SOFTNIC_TX_COUNTER(user_bytes),
	SOFTNIC_TX_COUNTER(stops),
};

int softnic_stats_count(const struct softnic_port *port)
{
	return port->queues * (ARRAY_SIZE(softnic_rx_counters) + ARRAY_SIZE(softnic_tx_counters));
}

static void softnic_names(u8 **names, const char *direction, unsigned int queue,
			  const struct softnic_counter *counters, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		ethtool_sprintf(names, "%s%u_%s", direction, queue, counters[i].name);
}

void softnic_stats_names(const struct softnic_port *port, u8 *names)
{
	unsigned int i;

	for (i = 0; i < port->queues; i++)
		softnic_names(&names, "rx", i, softnic_rx_counters,
			      ARRAY_SIZE(softnic_rx_counters));
	for (i = 0; i < port->queues; i++)
		softnic_names(&names, "tx", i, softnic_tx_counters,
			      ARRAY_SIZE(softnic_tx_counters));
}

/* All counters of a queue as they were at one moment. */
static void softnic_values(u64 *values, const struct u64_stats_sync *sync, const void *stats,
			   const struct softnic_counter *counters, size_t count)
{
	unsigned int start;
	size_t i;

	do {
		start = u64_stats_fetch_begin(sync);
		for (i = 0; i < count; i++)
			values[i] = u64_stats_read(stats + counters[i].offset);
	} while (u64_stats_fetch_retry(sync, start));
}

void softnic_stats_values(const struct softnic_port *port, u64 *values)
{
	unsigned int i;

	for (i = 0; i < port->queues; i++) {
		const struct softnic_rx_stats *stats = &port->rx[i].stats;

		softnic_values(values, &stats->sync, stats, softnic_rx_counters,
			       ARRAY_SIZE(softnic_rx_counters));
		values += ARRAY_SIZE(softnic_rx_counters);
	}
	for (i = 0; i < port->queues; i++) {
		const struct softnic_tx_stats *stats = &port->tx[i].stats;

		softnic_values(values, &stats->sync, stats, softnic_tx_counters,
			       ARRAY_SIZE(softnic_tx_counters));
		values += ARRAY_SIZE(softnic_tx_counters);
	}
}

static void softnic_queue_stats_rx(struct net_device *device, int index,
				   struct netdev_queue_stats_rx *to)
{
	struct softnic_port *port = netdev_priv(device);
	const struct softnic_rx_stats *from = &port->rx[index].stats;
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&from->sync);
		to->packets = u64_stats_read(&from->frames);
		to->bytes = u64_stats_read(&from->bytes);
		to->alloc_fail = u64_stats_read(&from->refill_failures) +
				 u64_stats_read(&from->allocation_drops);
		to->hw_drop_overruns = u64_stats_read(&from->no_descriptor_drops);
		to->hw_drops = to->hw_drop_overruns + u64_stats_read(&from->oversize_drops);
	} while (u64_stats_fetch_retry(&from->sync, start));
}

static void softnic_queue_stats_tx(struct net_device *device, int index,
				   struct netdev_queue_stats_tx *to)
{
	struct softnic_port *port = netdev_priv(device);
	const struct softnic_tx_stats *from = &port->tx[index].stats;
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&from->sync);
		to->packets = u64_stats_read(&from->frames);
		to->bytes = u64_stats_read(&from->bytes);
		to->stop = u64_stats_read(&from->stops);
	} while (u64_stats_fetch_retry(&from->sync, start));
}

/* What queues that are not in use now have counted when they were. */
static void softnic_base_stats(struct net_device *device, struct netdev_queue_stats_rx *rx,
			       struct netdev_queue_stats_tx *tx)
{
	struct softnic_port *port = netdev_priv(device);
	unsigned int i;

	*rx = (struct netdev_queue_stats_rx){
		.packets = 0, .bytes = 0, .alloc_fail = 0, .hw_drops = 0, .hw_drop_overruns = 0,
	};
	tx->packets = 0;
	tx->bytes = 0;
	tx->stop = 0;
	for (i = port->active; i < port->queues; i++) {
		struct netdev_queue_stats_rx received;
		struct netdev_queue_stats_tx sent;

		softnic_queue_stats_rx(device, i, &received);
		rx->packets += received.packets;
		rx->bytes += received.bytes;
		rx->alloc_fail += received.alloc_fail;
		rx->hw_drops += received.hw_drops;
		rx->hw_drop_overruns += received.hw_drop_overruns;
		softnic_queue_stats_tx(device, i, &sent);
		tx->packets += sent.packets;
		tx->bytes += sent.bytes;
		tx->stop += sent.stop;
	}
}

const struct netdev_stat_ops softnic_stat_ops = {
	.get_queue_stats_rx	= softnic_queue_stats_rx,
	.get_queue_stats_tx	= softnic_queue_stats_tx,
	.get_base_stats		= softnic_base_stats,
};

void softnic_count_received(struct net_device *device, unsigned int frames, unsigned int bytes)
{
	struct pcpu_dstats *stats = this_cpu_ptr(device->dstats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->rx_packets, frames);
	u64_stats_add(&stats->rx_bytes, bytes);
	u64_stats_update_end(&stats->syncp);
}

void softnic_count_sent(struct net_device *device, unsigned int frames, unsigned int bytes)
{
	struct pcpu_dstats *stats = this_cpu_ptr(device->dstats);

	u64_stats_update_begin(&stats->syncp);
	u64_stats_add(&stats->tx_packets, frames);
	u64_stats_add(&stats->tx_bytes, bytes);
	u64_stats_update_end(&stats->syncp);
}
