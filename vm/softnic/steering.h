/* SPDX-License-Identifier: GPL-2.0 */
/* Which receive queue a frame goes to: ntuple rules first, then a hash over its flow. */
#ifndef SOFTNIC_STEERING_H
#define SOFTNIC_STEERING_H

#include <linux/ethtool.h>
#include <linux/types.h>

struct sk_buff;
struct softnic_flow;
struct softnic_port;

#define SOFTNIC_KEY_BYTES	40
#define SOFTNIC_INDIRECTIONS	128
#define SOFTNIC_RULES		64

int softnic_steering_init(struct softnic_port *port);
void softnic_steering_free(struct softnic_port *port);
unsigned int softnic_steer(const struct softnic_port *port, const struct softnic_flow *flow,
			   u32 *hash);
int softnic_steering_spread(struct softnic_port *port, unsigned int queues);

int softnic_rss_get(struct softnic_port *port, struct ethtool_rxfh_param *rss);
int softnic_rss_set(struct softnic_port *port, const struct ethtool_rxfh_param *rss,
		    struct netlink_ext_ack *extack);

void softnic_rules_flush(struct softnic_port *port);
int softnic_rules_add(struct softnic_port *port, struct ethtool_rx_flow_spec *spec);
int softnic_rules_remove(struct softnic_port *port, u32 location);
int softnic_rules_get(struct softnic_port *port, struct ethtool_rx_flow_spec *spec);
int softnic_rules_list(struct softnic_port *port, u32 *locations, u32 room);

#endif
