// SPDX-License-Identifier: GPL-2.0
/*
 * The wire to a receive queue: a list of frames in order of arrival, with delay and loss, and the
 * interrupt that says that there is one.
 *
 * The interrupt is masked from the moment it fires until NAPI has found nothing more to do, as on
 * hardware. This is what lets busy polling and interrupt suspension work here.
 */
#include <linux/netdevice.h>

#include "frame.h"
#include "port.h"
#include "wire.h"

static void softnic_fire(struct softnic_rx *rx)
{
	int cpu = READ_ONCE(rx->cpu);

	if (cpu >= 0 && cpu != raw_smp_processor_id() && cpu_online(cpu)) {
		/* A call that is under way has yet to schedule NAPI, and does it for us too. */
		if (test_and_set_bit(SOFTNIC_RX_CALLING, &rx->flags))
			return;
		if (!smp_call_function_single_async(cpu, &rx->call))
			return;
		clear_bit(SOFTNIC_RX_CALLING, &rx->flags);
	}
	napi_schedule(&rx->napi);
}

static void softnic_called(void *data)
{
	struct softnic_rx *rx = data;

	clear_bit(SOFTNIC_RX_CALLING, &rx->flags);
	/* Whoever still saw the bit set has put its frame on the wire before. */
	smp_mb__after_atomic();
	napi_schedule(&rx->napi);
}

static enum hrtimer_restart softnic_arrived(struct hrtimer *timer)
{
	softnic_fire(container_of(timer, struct softnic_rx, timer));
	return HRTIMER_NORESTART;
}

void softnic_wire_init(struct softnic_rx *rx)
{
	skb_queue_head_init(&rx->wire);
	hrtimer_setup(&rx->timer, softnic_arrived, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	INIT_CSD(&rx->call, softnic_called, rx);
}

/* Called inside RCU, by the other end's transmitter. */
void softnic_wire_put(struct softnic_rx *rx, struct sk_buff *skb)
{
	skb_queue_tail(&rx->wire, skb);
	/* Orders the frame before the bit; pairs with softnic_wire_idle(). */
	if (test_and_clear_bit(SOFTNIC_RX_INTERRUPT, &rx->flags))
		softnic_fire(rx);
}

/* The first frame, if it has arrived; frames do not overtake each other when delays change. */
struct sk_buff *softnic_wire_take(struct softnic_rx *rx)
{
	unsigned long flags;
	struct sk_buff *skb;

	if (skb_queue_empty_lockless(&rx->wire))
		return NULL;
	spin_lock_irqsave(&rx->wire.lock, flags);
	skb = skb_peek(&rx->wire);
	if (skb && ktime_after(softnic_frame(skb)->due, ktime_get()))
		skb = NULL;
	if (skb)
		__skb_unlink(skb, &rx->wire);
	spin_unlock_irqrestore(&rx->wire.lock, flags);
	return skb;
}

/*
 * NAPI is done for now. If a frame is under way its timer is the next interrupt, and those behind
 * it need none.
 */
void softnic_wire_idle(struct softnic_rx *rx)
{
	unsigned long flags;
	struct sk_buff *skb;
	ktime_t due = 0;

	spin_lock_irqsave(&rx->wire.lock, flags);
	skb = skb_peek(&rx->wire);
	if (skb)
		due = softnic_frame(skb)->due;
	spin_unlock_irqrestore(&rx->wire.lock, flags);
	if (skb) {
		if (ktime_after(due, ktime_get()))
			hrtimer_start(&rx->timer, due, HRTIMER_MODE_ABS);
		else
			softnic_fire(rx);
		return;
	}

	set_bit(SOFTNIC_RX_INTERRUPT, &rx->flags);
	/* Orders the bit before the look at the list; pairs with softnic_wire_put(). */
	smp_mb__after_atomic();
	if (!skb_queue_empty_lockless(&rx->wire) &&
	    test_and_clear_bit(SOFTNIC_RX_INTERRUPT, &rx->flags))
		softnic_fire(rx);
}

/**
 * softnic_wire_complete() - the transmission of a frame is complete
 * @skb: the frame, which was read or lost
 *
 * The sender must not be gone: softnic_uninit() of its port takes its frames off all wires.
 */
void softnic_wire_complete(struct sk_buff *skb)
{
	struct softnic_frame *frame = softnic_frame(skb);
	struct softnic_port *port = netdev_priv(skb->dev);
	struct softnic_tx *tx = &port->tx[frame->tx_queue];
	struct netdev_queue *queue = netdev_get_tx_queue(skb->dev, frame->tx_queue);

	atomic_sub(frame->descriptors, &tx->used);
	/* Pairs with the barrier in netif_txq_maybe_stop(). */
	smp_mb__after_atomic();
	if (unlikely(netif_tx_queue_stopped(queue)) && netif_running(skb->dev) &&
	    (int)READ_ONCE(port->tx_entries) - atomic_read(&tx->used) >= SOFTNIC_TX_WAKE)
		netif_tx_wake_queue(queue);
}

/* Throws away what is under way. More may come unless the caller has seen to that. */
void softnic_wire_empty(struct softnic_rx *rx)
{
	unsigned int dropped = 0;
	struct sk_buff *skb;

	local_bh_disable();
	while ((skb = skb_dequeue(&rx->wire))) {
		dropped += softnic_frame(skb)->segments;
		softnic_wire_complete(skb);
		dev_kfree_skb_any(skb);
	}
	dev_dstats_rx_dropped_add(rx->port->device, dropped);
	local_bh_enable();
}

/* NAPI is disabled and its last poll has returned: nothing starts the timer again. */
void softnic_wire_silence(struct softnic_rx *rx)
{
	clear_bit(SOFTNIC_RX_INTERRUPT, &rx->flags);
	hrtimer_cancel(&rx->timer);
}

/* Before the queue's memory goes, also a call that is on its way to another CPU must have come. */
void softnic_wire_settle(struct softnic_rx *rx)
{
	softnic_wire_silence(rx);
	while (test_bit(SOFTNIC_RX_CALLING, &rx->flags))
		cpu_relax();
}

/* Decided by NAPI, frame by frame on the wire, so that a queue's losses repeat with the seed. */
bool softnic_wire_loses(struct softnic_rx *rx)
{
	u32 loss = READ_ONCE(rx->port->loss_ppm);
	u32 generation;

	if (likely(!loss))
		return false;
	/* Pairs with softnic_seed_set(): the seed is that of this generation, or newer. */
	generation = smp_load_acquire(&rx->port->seed_generation);
	if (unlikely(generation != rx->random_generation)) {
		/* Queues of one port must not lose the same frames. */
		prandom_seed_state(&rx->random, READ_ONCE(rx->port->seed) +
				   rx->index * 0x9e3779b9ULL);
		rx->random_generation = generation;
	}
	return ((u64)prandom_u32_state(&rx->random) * SOFTNIC_MILLION) >> 32 < loss;
}
