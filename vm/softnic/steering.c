// SPDX-License-Identifier: GPL-2.0
/*
 * Receive side scaling and ntuple rules. Both are read by the other end's transmitter under RCU and
 * replaced as a whole by ethtool, under the device lock.
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <net/netdev_lock.h>

#include "frame.h"
#include "port.h"
#include "steering.h"

/**
 * struct softnic_rss - how flows are spread over queues
 * @rcu: to free it
 * @key: of the hash
 * @queues: the queue for each remainder of the hash
 */
struct softnic_rss {
	struct rcu_head rcu;
	u8 key[SOFTNIC_KEY_BYTES];
	u8 queues[SOFTNIC_INDIRECTIONS];
};

/**
 * struct softnic_rule - a flow that has a queue of its own
 * @used: whether there is such a rule
 * @queue: where its frames go
 * @flow: which bits they have
 * @mask: which bits matter
 * @spec: as it was asked for
 */
struct softnic_rule {
	bool used;
	unsigned int queue;
	struct softnic_flow flow;
	struct softnic_flow mask;
	struct ethtool_rx_flow_spec spec;
};

struct softnic_rules {
	struct rcu_head rcu;
	u32 count;
	struct softnic_rule rules[SOFTNIC_RULES];
};

#define softnic_locked(port, pointer)	netdev_lock_dereference((port)->pointer, (port)->device)

/*
 * The Toeplitz hash of the RSS specification: for every bit of the flow that is set, the 32 bits of
 * the key that begin at the same place.
 */
static u32 softnic_hash(const struct softnic_rss *rss, const struct softnic_flow *flow)
{
	u64 window = get_unaligned_be64(rss->key);
	u32 hash = 0;
	int i, bit;

	for (i = 0; i < flow->length; i++) {
		for (bit = 7; bit >= 0; bit--) {
			if (flow->bytes[i] & BIT(bit))
				hash ^= window >> 32;
			window <<= 1;
		}
		/* The window has 64 bits, of which the byte used eight. */
		if (i + 8 < SOFTNIC_KEY_BYTES)
			window |= rss->key[i + 8];
	}
	return hash;
}

static bool softnic_rule_matches(const struct softnic_rule *rule, const struct softnic_flow *flow)
{
	int i;

	if (!rule->used || rule->flow.family != flow->family ||
	    rule->flow.protocol != flow->protocol)
		return false;
	for (i = 0; i < flow->length; i++) {
		if ((flow->bytes[i] & rule->mask.bytes[i]) != rule->flow.bytes[i])
			return false;
	}
	return true;
}

/**
 * softnic_steer() - chooses a receive queue
 * @port: where the frame arrives
 * @flow: the frame's
 * @hash: receives the hash of the flow
 *
 * Called inside RCU. The first rule that matches wins, then the hash decides.
 */
unsigned int softnic_steer(const struct softnic_port *port, const struct softnic_flow *flow,
			   u32 *hash)
{
	const struct softnic_rss *rss = rcu_dereference(port->rss);
	const struct softnic_rules *rules = rcu_dereference(port->rules);
	/* Pairs with softnic_queues_set_active(): these queues run. */
	unsigned int active = smp_load_acquire(&port->active);
	unsigned int queue;
	int i;

	*hash = softnic_hash(rss, flow);
	if (rules && flow->protocol) {
		for (i = 0; i < SOFTNIC_RULES; i++) {
			if (softnic_rule_matches(&rules->rules[i], flow) &&
			    rules->rules[i].queue < active)
				return rules->rules[i].queue;
		}
	}
	queue = rss->queues[*hash % SOFTNIC_INDIRECTIONS];
	/* While the number of queues changes the table may be a step behind. */
	return queue < active ? queue : queue % active;
}

int softnic_steering_init(struct softnic_port *port)
{
	struct softnic_rss *rss = kzalloc(sizeof(*rss), GFP_KERNEL_ACCOUNT);
	int i;

	if (!rss)
		return -ENOMEM;
	netdev_rss_key_fill(rss->key, sizeof(rss->key));
	for (i = 0; i < SOFTNIC_INDIRECTIONS; i++)
		rss->queues[i] = ethtool_rxfh_indir_default(i, port->active);
	RCU_INIT_POINTER(port->rss, rss);
	return 0;
}

/* Nobody uses the port any more. */
void softnic_steering_free(struct softnic_port *port)
{
	kfree(rcu_dereference_protected(port->rss, true));
	kvfree(rcu_dereference_protected(port->rules, true));
	RCU_INIT_POINTER(port->rss, NULL);
	RCU_INIT_POINTER(port->rules, NULL);
}

static struct softnic_rss *softnic_rss_copy(struct softnic_port *port)
{
	return kmemdup(softnic_locked(port, rss), sizeof(struct softnic_rss), GFP_KERNEL_ACCOUNT);
}

static void softnic_rss_replace(struct softnic_port *port, struct softnic_rss *rss)
{
	struct softnic_rss *old = softnic_locked(port, rss);

	rcu_assign_pointer(port->rss, rss);
	kfree_rcu(old, rcu);
}

/* The default table for a number of queues. */
int softnic_steering_spread(struct softnic_port *port, unsigned int queues)
{
	struct softnic_rss *rss = softnic_rss_copy(port);
	int i;

	if (!rss)
		return -ENOMEM;
	for (i = 0; i < SOFTNIC_INDIRECTIONS; i++)
		rss->queues[i] = ethtool_rxfh_indir_default(i, queues);
	softnic_rss_replace(port, rss);
	return 0;
}

int softnic_rss_get(struct softnic_port *port, struct ethtool_rxfh_param *param)
{
	const struct softnic_rss *rss = softnic_locked(port, rss);
	int i;

	param->hfunc = ETH_RSS_HASH_TOP;
	if (param->key)
		memcpy(param->key, rss->key, sizeof(rss->key));
	if (param->indir) {
		for (i = 0; i < SOFTNIC_INDIRECTIONS; i++)
			param->indir[i] = rss->queues[i];
	}
	return 0;
}

int softnic_rss_set(struct softnic_port *port, const struct ethtool_rxfh_param *param,
		    struct netlink_ext_ack *extack)
{
	struct softnic_rss *rss;
	int i;

	if (param->hfunc != ETH_RSS_HASH_NO_CHANGE && param->hfunc != ETH_RSS_HASH_TOP) {
		NL_SET_ERR_MSG(extack, "the only hash function is Toeplitz");
		return -EOPNOTSUPP;
	}
	rss = softnic_rss_copy(port);
	if (!rss)
		return -ENOMEM;
	if (param->key)
		memcpy(rss->key, param->key, sizeof(rss->key));
	if (param->indir) {
		for (i = 0; i < SOFTNIC_INDIRECTIONS; i++)
			rss->queues[i] = param->indir[i];
	}
	softnic_rss_replace(port, rss);
	return 0;
}

static void softnic_rules_replace(struct softnic_port *port, struct softnic_rules *rules)
{
	struct softnic_rules *old = softnic_locked(port, rules);

	rcu_assign_pointer(port->rules, rules);
	if (old)
		kvfree_rcu(old, rcu);
}

/* A copy to change, or an empty set if there were no rules. */
static struct softnic_rules *softnic_rules_copy(struct softnic_port *port)
{
	struct softnic_rules *old = softnic_locked(port, rules);
	struct softnic_rules *rules = kvzalloc(sizeof(*rules), GFP_KERNEL_ACCOUNT);

	if (rules && old) {
		rules->count = old->count;
		memcpy(rules->rules, old->rules, sizeof(rules->rules));
	}
	return rules;
}

void softnic_rules_flush(struct softnic_port *port)
{
	softnic_rules_replace(port, NULL);
}

static int softnic_rule_parse_v4(struct softnic_rule *rule, const struct ethtool_tcpip4_spec *spec,
				 const struct ethtool_tcpip4_spec *mask)
{
	if (mask->tos)
		return -EOPNOTSUPP;
	rule->flow.family = 4;
	rule->flow.length = sizeof(rule->flow.v4);
	rule->flow.v4.source = spec->ip4src;
	rule->flow.v4.destination = spec->ip4dst;
	rule->flow.v4.source_port = spec->psrc;
	rule->flow.v4.destination_port = spec->pdst;
	rule->mask.v4.source = mask->ip4src;
	rule->mask.v4.destination = mask->ip4dst;
	rule->mask.v4.source_port = mask->psrc;
	rule->mask.v4.destination_port = mask->pdst;
	return 0;
}

static int softnic_rule_parse_v6(struct softnic_rule *rule, const struct ethtool_tcpip6_spec *spec,
				 const struct ethtool_tcpip6_spec *mask)
{
	if (mask->tclass)
		return -EOPNOTSUPP;
	rule->flow.family = 6;
	rule->flow.length = sizeof(rule->flow.v6);
	memcpy(&rule->flow.v6.source, spec->ip6src, sizeof(spec->ip6src));
	memcpy(&rule->flow.v6.destination, spec->ip6dst, sizeof(spec->ip6dst));
	rule->flow.v6.source_port = spec->psrc;
	rule->flow.v6.destination_port = spec->pdst;
	memcpy(&rule->mask.v6.source, mask->ip6src, sizeof(mask->ip6src));
	memcpy(&rule->mask.v6.destination, mask->ip6dst, sizeof(mask->ip6dst));
	rule->mask.v6.source_port = mask->psrc;
	rule->mask.v6.destination_port = mask->pdst;
	return 0;
}

static int softnic_rule_parse(struct softnic_rule *rule, const struct ethtool_rx_flow_spec *spec)
{
	int i, error;

	switch (spec->flow_type) {
	case TCP_V4_FLOW:
		rule->flow.protocol = IPPROTO_TCP;
		error = softnic_rule_parse_v4(rule, &spec->h_u.tcp_ip4_spec,
					      &spec->m_u.tcp_ip4_spec);
		break;
	case UDP_V4_FLOW:
		rule->flow.protocol = IPPROTO_UDP;
		error = softnic_rule_parse_v4(rule, &spec->h_u.udp_ip4_spec,
					      &spec->m_u.udp_ip4_spec);
		break;
	case TCP_V6_FLOW:
		rule->flow.protocol = IPPROTO_TCP;
		error = softnic_rule_parse_v6(rule, &spec->h_u.tcp_ip6_spec,
					      &spec->m_u.tcp_ip6_spec);
		break;
	case UDP_V6_FLOW:
		rule->flow.protocol = IPPROTO_UDP;
		error = softnic_rule_parse_v6(rule, &spec->h_u.udp_ip6_spec,
					      &spec->m_u.udp_ip6_spec);
		break;
	default:
		/* Also what has more to match than addresses and ports. */
		return -EOPNOTSUPP;
	}
	for (i = 0; i < rule->flow.length; i++)
		rule->flow.bytes[i] &= rule->mask.bytes[i];
	return error;
}

/* Later places are for those who do not ask for one, so that a rule that does can go first. */
static int softnic_rules_find_place(const struct softnic_rules *rules)
{
	int i;

	for (i = SOFTNIC_RULES - 1; i >= 0; i--) {
		if (!rules->rules[i].used)
			return i;
	}
	return -ENOSPC;
}

int softnic_rules_add(struct softnic_port *port, struct ethtool_rx_flow_spec *spec)
{
	struct softnic_rule rule = { .used = true };
	struct softnic_rules *rules;
	int place, error;

	if (!(port->device->features & NETIF_F_NTUPLE))
		return -EOPNOTSUPP;
	if (spec->ring_cookie == RX_CLS_FLOW_DISC || spec->ring_cookie == RX_CLS_FLOW_WAKE ||
	    ethtool_get_flow_spec_ring_vf(spec->ring_cookie))
		return -EOPNOTSUPP;
	if (ethtool_get_flow_spec_ring(spec->ring_cookie) >= port->active)
		return -EINVAL;
	if (spec->location >= SOFTNIC_RULES && spec->location != RX_CLS_LOC_ANY)
		return -EINVAL;
	error = softnic_rule_parse(&rule, spec);
	if (error)
		return error;
	rules = softnic_rules_copy(port);
	if (!rules)
		return -ENOMEM;
	place = spec->location;
	if (spec->location == RX_CLS_LOC_ANY)
		place = softnic_rules_find_place(rules);
	if (place < 0) {
		kvfree(rules);
		return place;
	}

	spec->location = place;
	rule.queue = ethtool_get_flow_spec_ring(spec->ring_cookie);
	rule.spec = *spec;
	if (!rules->rules[place].used)
		rules->count++;
	rules->rules[place] = rule;
	softnic_rules_replace(port, rules);
	return 0;
}

int softnic_rules_remove(struct softnic_port *port, u32 location)
{
	const struct softnic_rules *old = softnic_locked(port, rules);
	struct softnic_rules *rules;

	if (!old || location >= SOFTNIC_RULES || !old->rules[location].used)
		return -ENOENT;
	if (old->count == 1) {
		softnic_rules_flush(port);
		return 0;
	}
	rules = softnic_rules_copy(port);
	if (!rules)
		return -ENOMEM;
	memset(&rules->rules[location], 0, sizeof(rules->rules[location]));
	rules->count--;
	softnic_rules_replace(port, rules);
	return 0;
}

int softnic_rules_get(struct softnic_port *port, struct ethtool_rx_flow_spec *spec)
{
	const struct softnic_rules *rules = softnic_locked(port, rules);
	u32 location = spec->location;

	if (!rules || location >= SOFTNIC_RULES || !rules->rules[location].used)
		return -ENOENT;
	*spec = rules->rules[location].spec;
	return 0;
}

/**
 * softnic_rules_list() - lists the rules
 * @port: the port, whose device lock is held
 * @locations: receives where they are, or NULL to count only
 * @room: how many fit there
 *
 * Return: how many there are.
 */
int softnic_rules_list(struct softnic_port *port, u32 *locations, u32 room)
{
	const struct softnic_rules *rules = softnic_locked(port, rules);
	u32 found = 0;
	int i;

	if (!rules)
		return 0;
	if (!locations)
		return rules->count;
	if (room < rules->count)
		return -EMSGSIZE;
	for (i = 0; i < SOFTNIC_RULES; i++) {
		if (rules->rules[i].used)
			locations[found++] = i;
	}
	return found;
}
