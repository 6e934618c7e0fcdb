/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A port: one network device, at one end of a wire.
 *
 * Locking
 * -------
 * The device has queue management operations and is therefore "ops locked": the core calls
 * ndo_open, ndo_stop, ndo_set_features, the queue management operations and the ethtool
 * operations with the device's own lock (netdev_lock) held. rtnl is held as well for everything
 * that looks at the other end of the wire: newlink, ndo_open, ndo_stop, ndo_uninit, and those
 * ethtool operations that ask for it (set_channels, set_ringparam).
 *
 *  rtnl		peer pointers and carrier of both ends. Nobody takes the device lock of
 *			the other end: its memory is only looked at under RCU, see below.
 *  device lock		which queues run, their page pools, ring sizes; writers of rss and rules.
 *  RCU			readers of peer, rss and rules. A transmitter runs inside RCU from the
 *			moment it reads the peer pointer until the frame is on the wire. So after
 *			a queue or a port was marked as not running, synchronize_net() makes sure
 *			that no frame comes any more, and the wire can be emptied for good.
 *  NAPI		everything of a receive queue that has no other owner: page pool memory,
 *			the open buffer, random state, receive statistics. Others may touch
 *			them only while NAPI is disabled. It also holds a frame that was taken
 *			off the wire: the core's synchronize_net() after ndo_uninit waits for it
 *			before the frame's sender is freed.
 *  tx queue lock	transmit statistics.
 *
 * Two spin locks, both innermost: nothing else is taken under them.
 *  wire.lock		of each receive queue's list of frames; with interrupts off, because
 *			netconsole transmits with interrupts off.
 *  placements.lock	in BH context only.
 *
 * The interrupt of a queue (a timer or an inter-processor call, both with interrupts off) takes no
 * lock at all: it schedules NAPI.
 */
#ifndef SOFTNIC_PORT_H
#define SOFTNIC_PORT_H

#include <linux/ethtool.h>
#include <linux/netdevice.h>
#include <net/rtnetlink.h>

#include "placements.h"
#include "queue.h"

#define SOFTNIC_NAME			"softnic"
#define SOFTNIC_DEFAULT_QUEUES		4
#define SOFTNIC_MAX_QUEUES		16
#define SOFTNIC_DEFAULT_ENTRIES		1024
#define SOFTNIC_MIN_ENTRIES		64
#define SOFTNIC_MAX_ENTRIES		8192
/* The largest payload that ethtool's hds-thresh may keep out of the buffers. */
#define SOFTNIC_MAX_SPLIT_THRESHOLD	1024

struct dentry;
struct softnic_rss;
struct softnic_rules;

/**
 * struct softnic_port - private data of a network device
 * @device: the network device
 * @peer: the port at the other end of the wire, or NULL
 * @number: unique as long as the module is loaded
 * @queues: how many receive and transmit queues there are
 * @active: how many of each are in use: the combined channels of ethtool
 * @rx: the receive queues
 * @tx: the transmit queues
 * @rx_entries: descriptors of a receive queue
 * @tx_entries: descriptors of a transmit queue
 * @split: whether headers and data are split
 * @split_threshold: payloads shorter than this stay with their headers
 * @rss: hash key and indirection table
 * @rules: ntuple rules by location, or NULL if there are none
 * @delay_us: how long a frame that arrives here was under way
 * @loss_ppm: how many frames of a million get lost on their way here
 * @seed: where the queues' random numbers start
 * @seed_generation: counts writes of @seed
 * @placements: where the payload of memory providers was put
 * @control: directory in debugfs
 */
struct softnic_port {
	struct net_device *device;
	struct softnic_port __rcu *peer;
	u32 number;
	unsigned int queues;
	unsigned int active;
	struct softnic_rx *rx;
	struct softnic_tx *tx;
	u32 rx_entries;
	u32 tx_entries;
	bool split;
	u32 split_threshold;
	struct softnic_rss __rcu *rss;
	struct softnic_rules __rcu *rules;
	u32 delay_us;
	u32 loss_ppm;
	u64 seed;
	u32 seed_generation;
	struct softnic_placements placements;
	struct dentry *control;
};

/* The one device that does the "DMA" of all ports; see main.c. */
extern struct device *softnic_dma_device;
extern const struct ethtool_ops softnic_ethtool_ops;

bool softnic_is_port(const struct net_device *device);
void softnic_port_setup(struct net_device *device);
int softnic_port_register(struct net_device *device, struct softnic_port *other,
			  struct netlink_ext_ack *extack);
struct net *softnic_port_link_net(const struct net_device *device);

#endif
