// SPDX-License-Identifier: GPL-2.0
/* What ethtool shows and sets. All of it runs with the device lock held. */
#include <linux/ethtool.h>
#include <linux/netdevice.h>

#include "port.h"
#include "steering.h"

static void softnic_get_drvinfo(struct net_device *device, struct ethtool_drvinfo *info)
{
	struct softnic_port *port = netdev_priv(device);

	strscpy(info->driver, SOFTNIC_NAME, sizeof(info->driver));
	snprintf(info->bus_info, sizeof(info->bus_info), SOFTNIC_NAME ":%u", port->number);
}

/* ethtool_op_get_link() wants rtnl, only to be a little more up to date. */
static u32 softnic_get_link(struct net_device *device)
{
	return netif_carrier_ok(device);
}

static void softnic_get_channels(struct net_device *device, struct ethtool_channels *channels)
{
	struct softnic_port *port = netdev_priv(device);

	channels->max_combined = port->queues;
	channels->combined_count = port->active;
}

static int softnic_set_channels(struct net_device *device, struct ethtool_channels *channels)
{
	struct softnic_port *port = netdev_priv(device);
	int error;

	error = softnic_queues_set_active(port, channels->combined_count);
	if (error || netif_is_rxfh_configured(device))
		return error;
	/* A table that nobody has set follows the number of queues. */
	return softnic_steering_spread(port, port->active);
}

static void softnic_get_ringparam(struct net_device *device, struct ethtool_ringparam *ring,
				  struct kernel_ethtool_ringparam *kernel_ring,
				  struct netlink_ext_ack *extack)
{
	struct softnic_port *port = netdev_priv(device);

	ring->rx_max_pending = SOFTNIC_MAX_ENTRIES;
	ring->tx_max_pending = SOFTNIC_MAX_ENTRIES;
	ring->rx_pending = port->rx_entries;
	ring->tx_pending = port->tx_entries;
	kernel_ring->hds_thresh_max = SOFTNIC_MAX_SPLIT_THRESHOLD;
	kernel_ring->tcp_data_split = port->split ? ETHTOOL_TCP_DATA_SPLIT_ENABLED :
						    ETHTOOL_TCP_DATA_SPLIT_DISABLED;
}

static int softnic_set_ringparam(struct net_device *device, struct ethtool_ringparam *ring,
				 struct kernel_ethtool_ringparam *kernel_ring,
				 struct netlink_ext_ack *extack)
{
	struct softnic_port *port = netdev_priv(device);
	int error;

	if (ring->rx_pending < SOFTNIC_MIN_ENTRIES || ring->tx_pending < SOFTNIC_MIN_ENTRIES) {
		NL_SET_ERR_MSG(extack, "a ring has at least 64 descriptors");
		return -EINVAL;
	}
	if (ring->rx_pending != port->rx_entries) {
		error = softnic_queues_resize(port, ring->rx_pending);
		if (error)
			return error;
	}
	if (ring->tx_pending != port->tx_entries) {
		WRITE_ONCE(port->tx_entries, ring->tx_pending);
		/* A queue that was full may have room now. */
		if (netif_running(device))
			netif_tx_wake_all_queues(device);
	}
	WRITE_ONCE(port->split, kernel_ring->tcp_data_split == ETHTOOL_TCP_DATA_SPLIT_ENABLED);
	WRITE_ONCE(port->split_threshold, kernel_ring->hds_thresh);
	return 0;
}

static int softnic_get_sset_count(struct net_device *device, int set)
{
	return set == ETH_SS_STATS ? softnic_stats_count(netdev_priv(device)) : -EOPNOTSUPP;
}

static void softnic_get_strings(struct net_device *device, u32 set, u8 *names)
{
	if (set == ETH_SS_STATS)
		softnic_stats_names(netdev_priv(device), names);
}

static void softnic_get_stats(struct net_device *device, struct ethtool_stats *stats, u64 *values)
{
	softnic_stats_values(netdev_priv(device), values);
}

static u32 softnic_get_key_size(struct net_device *device)
{
	return SOFTNIC_KEY_BYTES;
}

static u32 softnic_get_indirections(struct net_device *device)
{
	return SOFTNIC_INDIRECTIONS;
}

static int softnic_get_rxfh(struct net_device *device, struct ethtool_rxfh_param *rss)
{
	return softnic_rss_get(netdev_priv(device), rss);
}

static int softnic_set_rxfh(struct net_device *device, struct ethtool_rxfh_param *rss,
			    struct netlink_ext_ack *extack)
{
	return softnic_rss_set(netdev_priv(device), rss, extack);
}

static int softnic_get_rxfh_fields(struct net_device *device, struct ethtool_rxfh_fields *fields)
{
	switch (fields->flow_type) {
	case TCP_V4_FLOW:
	case UDP_V4_FLOW:
	case TCP_V6_FLOW:
	case UDP_V6_FLOW:
		fields->data = RXH_IP_SRC | RXH_IP_DST | RXH_L4_B_0_1 | RXH_L4_B_2_3;
		return 0;
	case IPV4_FLOW:
	case IPV6_FLOW:
		fields->data = RXH_IP_SRC | RXH_IP_DST;
		return 0;
	default:
		fields->data = 0;
		return 0;
	}
}

static u32 softnic_get_rx_ring_count(struct net_device *device)
{
	struct softnic_port *port = netdev_priv(device);

	return port->active;
}

static int softnic_get_rxnfc(struct net_device *device, struct ethtool_rxnfc *command,
			     u32 *locations)
{
	struct softnic_port *port = netdev_priv(device);
	int count;

	switch (command->cmd) {
	case ETHTOOL_GRXCLSRLCNT:
		command->rule_cnt = softnic_rules_list(port, NULL, 0);
		command->data = SOFTNIC_RULES | RX_CLS_LOC_SPECIAL;
		return 0;
	case ETHTOOL_GRXCLSRULE:
		return softnic_rules_get(port, &command->fs);
	case ETHTOOL_GRXCLSRLALL:
		count = softnic_rules_list(port, locations, command->rule_cnt);
		if (count < 0)
			return count;
		/* Without room for any there is no list either. */
		if (!locations && count)
			return -EMSGSIZE;
		command->rule_cnt = count;
		command->data = SOFTNIC_RULES;
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int softnic_set_rxnfc(struct net_device *device, struct ethtool_rxnfc *command)
{
	struct softnic_port *port = netdev_priv(device);

	switch (command->cmd) {
	case ETHTOOL_SRXCLSRLINS:
		return softnic_rules_add(port, &command->fs);
	case ETHTOOL_SRXCLSRLDEL:
		return softnic_rules_remove(port, command->fs.location);
	default:
		return -EOPNOTSUPP;
	}
}

const struct ethtool_ops softnic_ethtool_ops = {
	.supported_ring_params	= ETHTOOL_RING_USE_TCP_DATA_SPLIT | ETHTOOL_RING_USE_HDS_THRS,
	/* Both wake or renumber transmit queues, which rtnl protects. */
	.op_needs_rtnl		= ETHTOOL_OP_NEEDS_RTNL_SCHANNELS |
				  ETHTOOL_OP_NEEDS_RTNL_SRINGPARAM,
	.get_drvinfo		= softnic_get_drvinfo,
	.get_link		= softnic_get_link,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_channels		= softnic_get_channels,
	.set_channels		= softnic_set_channels,
	.get_ringparam		= softnic_get_ringparam,
	.set_ringparam		= softnic_set_ringparam,
	.get_sset_count		= softnic_get_sset_count,
	.get_strings		= softnic_get_strings,
	.get_ethtool_stats	= softnic_get_stats,
	.get_rxfh_key_size	= softnic_get_key_size,
	.get_rxfh_indir_size	= softnic_get_indirections,
	.get_rxfh		= softnic_get_rxfh,
	.set_rxfh		= softnic_set_rxfh,
	.get_rxfh_fields	= softnic_get_rxfh_fields,
	.get_rx_ring_count	= softnic_get_rx_ring_count,
	.get_rxnfc		= softnic_get_rxnfc,
	.set_rxnfc		= softnic_set_rxnfc,
};
