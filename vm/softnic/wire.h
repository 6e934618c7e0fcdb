/* SPDX-License-Identifier: GPL-2.0 */
/* The way of a frame from a transmit queue to a receive queue. */
#ifndef SOFTNIC_WIRE_H
#define SOFTNIC_WIRE_H

#include <linux/skbuff.h>
#include <linux/types.h>

struct softnic_rx;

#define SOFTNIC_MAX_DELAY_US	(10 * USEC_PER_SEC)
#define SOFTNIC_MILLION		1000000

void softnic_wire_init(struct softnic_rx *rx);
void softnic_wire_put(struct softnic_rx *rx, struct sk_buff *skb);
struct sk_buff *softnic_wire_take(struct softnic_rx *rx);
void softnic_wire_idle(struct softnic_rx *rx);
void softnic_wire_empty(struct softnic_rx *rx);
void softnic_wire_silence(struct softnic_rx *rx);
void softnic_wire_settle(struct softnic_rx *rx);
bool softnic_wire_loses(struct softnic_rx *rx);
void softnic_wire_complete(struct sk_buff *skb);

#endif
