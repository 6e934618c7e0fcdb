// SPDX-License-Identifier: GPL-2.0
/* The network device: made, raised, wired, transmitting, taken away. */
#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <net/netdev_lock.h>

#include "control.h"
#include "frame.h"
#include "port.h"
#include "steering.h"
#include "wire.h"

/* Never reused, so that a number found in a log means one port only. */
static atomic_t softnic_last_number = ATOMIC_INIT(0);

/* Both ends have a carrier when both are up. */
static void softnic_update_carrier(struct softnic_port *port)
{
	struct softnic_port *peer = rtnl_dereference(port->peer);

	if (peer && netif_running(port->device) && netif_running(peer->device)) {
		netif_carrier_on(port->device);
		netif_carrier_on(peer->device);
		return;
	}
	netif_carrier_off(port->device);
	if (peer)
		netif_carrier_off(peer->device);
}

static int softnic_open(struct net_device *device)
{
	struct softnic_port *port = netdev_priv(device);
	int error;

	error = softnic_queues_open(port);
	if (error)
		return error;
	/* A queue that was full when the port went down may have been left stopped. */
	netif_tx_start_all_queues(device);
	softnic_update_carrier(port);
	return 0;
}

static int softnic_stop(struct net_device *device)
{
	struct softnic_port *port = netdev_priv(device);

	softnic_update_carrier(port);
	softnic_queues_close(port);
	return 0;
}

/* Copies nothing: the frame stays the sender's until the receiver has read it. */
static netdev_tx_t softnic_xmit(struct sk_buff *skb, struct net_device *device)
{
	unsigned int index = skb_get_queue_mapping(skb);
	struct softnic_port *port = netdev_priv(device);
	struct softnic_frame *frame = softnic_frame(skb);
	struct softnic_tx *tx = &port->tx[index];
	u32 bytes, user_bytes = 0;
	struct softnic_port *peer;
	struct softnic_flow flow;
	unsigned int queue;
	u32 delay_us;
	int i, room;

	rcu_read_lock();
	peer = rcu_dereference(port->peer);
	if (unlikely(!peer || !netif_running(peer->device)))
		goto drop;
	if (unlikely(!softnic_frame_parse(skb, &flow)))
		goto drop;

	queue = softnic_steer(peer, &flow, &frame->hash);
	delay_us = READ_ONCE(peer->delay_us);
	frame->due = ktime_add_us(ktime_get(), delay_us);
	frame->tx_queue = index;
	frame->descriptors = 1 + skb_shinfo(skb)->nr_frags;
	bytes = softnic_frame_bytes(frame);
	if (unlikely(!skb_frags_readable(skb))) {
		for (i = 0; i < skb_shinfo(skb)->nr_frags; i++)
			user_bytes += skb_frag_size(&skb_shinfo(skb)->frags[i]);
	}
	u64_stats_update_begin(&tx->stats.sync);
	u64_stats_add(&tx->stats.frames, frame->segments);
	u64_stats_add(&tx->stats.bytes, bytes);
	u64_stats_add(&tx->stats.user_bytes, user_bytes);
	u64_stats_update_end(&tx->stats.sync);
	softnic_count_sent(device, frame->segments, bytes);

	skb_tx_timestamp(skb);
	/*
	 * A card is done with a frame that is on the wire. TCP keeps little in a card, so a sender
	 * that had to wait for the arrival could not fill a long wire. Zero-copy senders do wait:
	 * the frame keeps their pages until it is read.
	 */
	if (delay_us)
		skb_orphan(skb);
	atomic_add(frame->descriptors, &tx->used);
	/* From here on the frame may be read and freed at any time. */
	softnic_wire_put(&peer->rx[queue], skb);

	room = netif_txq_maybe_stop(netdev_get_tx_queue(device, index),
				    (int)READ_ONCE(port->tx_entries) - atomic_read(&tx->used),
				    SOFTNIC_TX_NEED, SOFTNIC_TX_WAKE);
	if (room <= 0) {
		u64_stats_update_begin(&tx->stats.sync);
		u64_stats_inc(&tx->stats.stops);
		u64_stats_update_end(&tx->stats.sync);
	}
	rcu_read_unlock();
	return NETDEV_TX_OK;

drop:
	rcu_read_unlock();
	dev_dstats_tx_dropped(device);
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

static int softnic_set_features(struct net_device *device, netdev_features_t features)
{
	/* Cards forget their rules when the filter is switched off; tools rely on that. */
	if ((device->features & ~features) & NETIF_F_NTUPLE)
		softnic_rules_flush(netdev_priv(device));
	return 0;
}

static int softnic_get_iflink(const struct net_device *device)
{
	const struct softnic_port *port = netdev_priv(device), *peer;
	int index;

	rcu_read_lock();
	peer = rcu_dereference(port->peer);
	/* The own number means that there is no link. */
	index = READ_ONCE((peer ? peer->device : device)->ifindex);
	rcu_read_unlock();
	return index;
}

struct net *softnic_port_link_net(const struct net_device *device)
{
	const struct softnic_port *port = netdev_priv(device);
	const struct softnic_port *peer = rtnl_dereference(port->peer);

	return dev_net(peer ? peer->device : device);
}

static int softnic_init_queues(struct softnic_port *port)
{
	unsigned int i;

	port->rx = kvcalloc(port->queues, sizeof(*port->rx), GFP_KERNEL_ACCOUNT);
	port->tx = kvcalloc(port->queues, sizeof(*port->tx), GFP_KERNEL_ACCOUNT);
	if (!port->rx || !port->tx)
		return -ENOMEM;
	for (i = 0; i < port->queues; i++) {
		port->rx[i].port = port;
		port->rx[i].index = i;
		port->rx[i].cpu = -1;
		u64_stats_init(&port->rx[i].stats.sync);
		u64_stats_init(&port->tx[i].stats.sync);
		softnic_wire_init(&port->rx[i]);
	}
	return 0;
}

static void softnic_free(struct net_device *device)
{
	struct softnic_port *port = netdev_priv(device);

	softnic_steering_free(port);
	softnic_placements_free(&port->placements);
	kvfree(port->rx);
	kvfree(port->tx);
	port->rx = NULL;
	port->tx = NULL;
}

static int softnic_init(struct net_device *device)
{
	struct softnic_port *port = netdev_priv(device);
	int error;

	netdev_lockdep_set_classes(device);
	error = softnic_init_queues(port);
	if (!error)
		error = softnic_steering_init(port);
	if (!error)
		error = softnic_placements_init(&port->placements);
	if (error) {
		softnic_free(device);
		return error;
	}
	port->number = atomic_inc_return(&softnic_last_number);
	softnic_control_add(port);
	return 0;
}

/*
 * The port is down and no longer listed, and nobody transmits on it. Frames of ours may still be on
 * the wire to the other end; what the other end sent us was thrown away when we went down.
 */
static void softnic_uninit(struct net_device *device)
{
	struct softnic_port *port = netdev_priv(device);
	struct softnic_port *peer = rtnl_dereference(port->peer);
	unsigned int i;

	softnic_control_remove(port);
	RCU_INIT_POINTER(port->peer, NULL);
	if (peer) {
		RCU_INIT_POINTER(peer->peer, NULL);
		netif_carrier_off(peer->device);
		for (i = 0; i < peer->queues; i++)
			softnic_wire_empty(&peer->rx[i]);
	}
	for (i = 0; i < port->queues; i++)
		softnic_wire_settle(&port->rx[i]);
}

static const struct net_device_ops softnic_device_ops = {
	.ndo_init		= softnic_init,
	.ndo_uninit		= softnic_uninit,
	.ndo_open		= softnic_open,
	.ndo_stop		= softnic_stop,
	.ndo_start_xmit		= softnic_xmit,
	.ndo_set_features	= softnic_set_features,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_get_iflink		= softnic_get_iflink,
};

bool softnic_is_port(const struct net_device *device)
{
	return device->netdev_ops == &softnic_device_ops;
}

void softnic_port_setup(struct net_device *device)
{
	struct softnic_port *port = netdev_priv(device);

	ether_setup(device);
	device->netdev_ops = &softnic_device_ops;
	device->ethtool_ops = &softnic_ethtool_ops;
	device->queue_mgmt_ops = &softnic_queue_ops;
	device->stat_ops = &softnic_stat_ops;
	device->pcpu_stat_type = NETDEV_PCPU_STAT_DSTATS;
	device->needs_free_netdev = true;
	device->priv_destructor = softnic_free;
	device->netmem_tx = NETMEM_TX_DMA;
	device->min_mtu = ETH_MIN_MTU;
	device->max_mtu = ETH_MAX_MTU;
	/* We keep frames in lists, which a shared one cannot be in twice. */
	device->priv_flags &= ~IFF_TX_SKB_SHARING;
	device->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	device->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6 |
			      NETIF_F_TSO_ECN | NETIF_F_GRO_HW | NETIF_F_RXHASH | NETIF_F_NTUPLE;
	device->features = device->hw_features | NETIF_F_RXCSUM | NETIF_F_HIGHDMA;

	port->device = device;
	port->rx_entries = SOFTNIC_DEFAULT_ENTRIES;
	port->tx_entries = SOFTNIC_DEFAULT_ENTRIES;
	port->seed = 1;
	port->seed_generation = 1;
}

int softnic_port_register(struct net_device *device, struct softnic_port *other,
			  struct netlink_ext_ack *extack)
{
	struct softnic_port *port = netdev_priv(device);
	int error;

	port->queues = min(device->num_rx_queues, device->num_tx_queues);
	port->active = port->queues;
	error = netif_set_real_num_queues(device, port->queues, port->queues);
	if (error)
		return error;
	error = register_netdevice(device);
	if (error)
		return error;
	if (other) {
		rcu_assign_pointer(port->peer, other);
		rcu_assign_pointer(other->peer, port);
	}
	/* The new end is down: the carrier comes with softnic_open(). */
	netif_carrier_off(device);
	return 0;
}
