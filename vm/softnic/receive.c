// SPDX-License-Identifier: GPL-2.0
/*
 * What a card does when a frame arrives: splits it, places it, hands it over.
 *
 * With header/data split, headers of TCP stay in the linear part and all payload goes into posted
 * buffers, also a single byte. Everything else (and TCP without split) keeps its first bytes
 * linear, as many as a driver likes to copy. The rest goes into posted buffers, unless those belong
 * to a memory provider: only TCP may go there, so other frames get pages of their own.
 *
 * A super frame of TCP is received as its segments are on the wire: each may get lost or find no
 * descriptor. With rx-gro-hw on, segments that follow each other are handed over as one; without
 * it each is placed by itself, and the payloads of several share a buffer.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/gro.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/page_pool/helpers.h>
#include <net/tcp.h>

#include "frame.h"
#include "port.h"
#include "receive.h"
#include "wire.h"

/* Of a frame that is not split, this much is linear. */
#define SOFTNIC_COPY_BREAK	256

/* What one frame adds to the counters. */
struct softnic_tally {
	u32 frames;
	u32 bytes;
	u32 user_bytes;
	u32 user_buffers;
	u32 kernel_bytes;
	u32 linear_bytes;
	u32 linear_payload_bytes;
	u32 no_descriptor_drops;
	u32 wire_drops;
	u32 oversize_drops;
	u32 allocation_drops;
	u32 refill_failures;
};

/**
 * struct softnic_run - segments of a frame that are handed over as one skb
 * @first: number of the first segment
 * @count: number of segments
 * @length: their payload
 * @linear: bytes of headers and payload that stay linear
 * @in_pool: whether the rest goes into posted buffers, and not into pages of its own
 */
struct softnic_run {
	u32 first;
	u32 count;
	u32 length;
	u32 linear;
	bool in_pool;
};

static void softnic_count(struct softnic_rx *rx, const struct softnic_tally *tally)
{
	struct softnic_rx_stats *stats = &rx->stats;
	struct net_device *device = rx->port->device;

	u64_stats_update_begin(&stats->sync);
	u64_stats_add(&stats->frames, tally->frames);
	u64_stats_add(&stats->bytes, tally->bytes);
	u64_stats_add(&stats->user_bytes, tally->user_bytes);
	u64_stats_add(&stats->user_buffers, tally->user_buffers);
	u64_stats_add(&stats->kernel_bytes, tally->kernel_bytes);
	u64_stats_add(&stats->linear_bytes, tally->linear_bytes);
	u64_stats_add(&stats->linear_payload_bytes, tally->linear_payload_bytes);
	u64_stats_add(&stats->no_descriptor_drops, tally->no_descriptor_drops);
	u64_stats_add(&stats->wire_drops, tally->wire_drops);
	u64_stats_add(&stats->oversize_drops, tally->oversize_drops);
	u64_stats_add(&stats->allocation_drops, tally->allocation_drops);
	u64_stats_add(&stats->refill_failures, tally->refill_failures);
	u64_stats_update_end(&stats->sync);

	softnic_count_received(device, tally->frames, tally->bytes);
	/* What the wire lost never came to the card. */
	dev_dstats_rx_dropped_add(device, tally->no_descriptor_drops + tally->oversize_drops +
				  tally->allocation_drops);
}

static void softnic_refill(struct softnic_rx *rx, struct softnic_tally *tally)
{
	if (!softnic_memory_refill(&rx->memory, GFP_ATOMIC | __GFP_NOWARN))
		tally->refill_failures++;
}

/*
 * Makes sure that there is room for @bytes: in the open buffer, if all of them fit there, or in
 * posted ones. Returns how many bytes do have room.
 */
static u32 softnic_reserve(struct softnic_rx *rx, struct softnic_tally *tally, u32 bytes)
{
	struct softnic_memory *memory = &rx->memory;
	u32 needed, available;

	if (memory->open && bytes <= memory->buffer_size - memory->open_offset)
		return bytes;
	softnic_memory_close(memory, true);
	needed = min_t(u32, DIV_ROUND_UP(bytes, memory->buffer_size), MAX_SKB_FRAGS);
	if (needed > memory->count)
		softnic_refill(rx, tally);
	available = min(needed, memory->count);
	return min(bytes, available * memory->buffer_size);
}

static void softnic_open_buffer(struct softnic_memory *memory)
{
	memory->open = memory->ring[memory->head];
	memory->open_offset = 0;
	if (++memory->head == memory->entries)
		memory->head = 0;
	memory->count--;
}

/* Writes the next @bytes of the frame into posted buffers: softnic_reserve() saw to there being any. */
static void softnic_place(struct softnic_rx *rx, struct softnic_tally *tally,
			  struct softnic_reader *reader, struct sk_buff *skb, u32 bytes)
{
	struct softnic_memory *memory = &rx->memory;

	while (bytes) {
		u32 offset, part, end, truesize;
		dma_addr_t address;
		netmem_ref netmem;

		if (!memory->open)
			softnic_open_buffer(memory);
		netmem = memory->open;
		offset = memory->open_offset;
		part = min(bytes, memory->buffer_size - offset);
		address = page_pool_get_dma_addr_netmem(netmem) + offset;
		softnic_read(reader, softnic_dma_to_virt(address), part);
		bytes -= part;

		/*
		 * The fragment needs a reference to the buffer. If nothing like it fits behind it,
		 * it gets ours, together with the rest of the buffer.
		 */
		end = ALIGN(offset + part, SOFTNIC_PACK_ALIGN);
		if (memory->buffer_size - end < part) {
			truesize = memory->buffer_size - offset;
			memory->open = 0;
		} else {
			truesize = end - offset;
			memory->open_offset = end;
			page_pool_ref_netmem(netmem);
		}
		skb_add_rx_frag_netmem(skb, skb_shinfo(skb)->nr_frags, netmem, offset, part,
				       truesize);
		if (memory->provider) {
			tally->user_bytes += part;
			tally->user_buffers++;
			softnic_placements_add(&rx->port->placements, rx->index, address, part);
		} else {
			tally->kernel_bytes += part;
		}
	}
}

/* The same into pages that belong to nobody yet. */
static bool softnic_place_apart(struct softnic_tally *tally, struct softnic_reader *reader,
				struct sk_buff *skb, u32 bytes)
{
	while (bytes) {
		u32 part = min_t(u32, bytes, PAGE_SIZE);
		struct page *page = dev_alloc_page();

		if (!page)
			return false;
		softnic_read(reader, page_address(page), part);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, part, PAGE_SIZE);
		tally->kernel_bytes += part;
		bytes -= part;
	}
	return true;
}

/* Makes the headers of a super frame those of some of its segments, as they were on the wire. */
static void softnic_rewrite_headers(const struct softnic_frame *frame,
				    const struct softnic_run *run, void *data)
{
	u32 transport_bytes = frame->header - frame->transport + run->length;
	struct tcphdr *tcp = data + frame->transport;

	if (frame->family == 4) {
		struct iphdr *ip = data + ETH_HLEN;

		ip->tot_len = htons(frame->header - ETH_HLEN + run->length);
		ip->id = htons(ntohs(ip->id) + run->first);
		ip_send_check(ip);
		tcp->check = ~tcp_v4_check(transport_bytes, ip->saddr, ip->daddr, 0);
	} else {
		struct ipv6hdr *ip = data + ETH_HLEN;

		ip->payload_len = htons(frame->header - ETH_HLEN - sizeof(*ip) + run->length);
		tcp->check = ~tcp_v6_check(transport_bytes, &ip->saddr, &ip->daddr, 0);
	}
	tcp->seq = htonl(ntohl(tcp->seq) + run->first * frame->segment);
	if (run->first)
		tcp->cwr = 0;
	if (run->first + run->count < frame->segments) {
		tcp->fin = 0;
		tcp->psh = 0;
	}
}

/* The receiver gets the checksum in the state in which the sender's kernel left it. */
static void softnic_set_checksum(const struct sk_buff *sent, struct sk_buff *skb, bool verified)
{
	switch (sent->ip_summed) {
	case CHECKSUM_PARTIAL:
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + skb_checksum_start_offset(sent);
		skb->csum_offset = sent->csum_offset;
		break;
	case CHECKSUM_UNNECESSARY:
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		break;
	default:
		skb->ip_summed = verified ? CHECKSUM_UNNECESSARY : CHECKSUM_NONE;
	}
}

static void softnic_hand_over(struct softnic_rx *rx, const struct sk_buff *sent,
			      const struct softnic_run *run, struct sk_buff *skb, bool verified)
{
	const struct softnic_frame *frame = softnic_frame(sent);

	softnic_set_checksum(sent, skb, verified);
	if (run->count < frame->segments)
		softnic_rewrite_headers(frame, run, skb->data);
	if (run->count > 1) {
		const struct tcphdr *tcp = (void *)skb->data + frame->transport;
		struct skb_shared_info *info = skb_shinfo(skb);

		info->gso_size = frame->segment;
		info->gso_segs = run->count;
		info->gso_type = frame->family == 4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
		if (tcp->cwr)
			info->gso_type |= SKB_GSO_TCP_ECN;
	}
	if (frame->family && (rx->port->device->features & NETIF_F_RXHASH))
		skb_set_hash(skb, frame->hash,
			     frame->protocol ? PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_L3);
	skb_record_rx_queue(skb, rx->index);
	skb->protocol = eth_type_trans(skb, rx->port->device);
	napi_gro_receive(&rx->napi, skb);
}

/* How much payload the run has, and where its bytes go. */
static void softnic_plan(const struct softnic_rx *rx, const struct softnic_frame *frame,
			 bool split, struct softnic_run *run)
{
	u32 start = run->first * frame->segment;

	run->length = min(frame->payload - start, run->count * frame->segment);
	if (!split)
		run->linear = min_t(u32, frame->header + run->length,
				    max_t(u32, frame->header, SOFTNIC_COPY_BREAK));
	else if (run->length < READ_ONCE(rx->port->split_threshold))
		run->linear = frame->header + run->length;
	else
		run->linear = frame->header;
	run->in_pool = split || !rx->memory.provider;
}

/**
 * softnic_receive_run() - hands segments over, as many of them as fit
 * @rx: the queue
 * @sent: the frame
 * @run: which segments
 * @split: whether payload goes into buffers of its own
 * @tally: what to count
 *
 * Return: how many segments were dealt with, be it by dropping one; at least 1.
 */
static u32 softnic_receive_run(struct softnic_rx *rx, const struct sk_buff *sent,
			       struct softnic_run *run, bool split, struct softnic_tally *tally)
{
	const struct softnic_frame *frame = softnic_frame(sent);
	struct softnic_reader reader;
	struct sk_buff *skb;
	u32 rest, room;

	softnic_plan(rx, frame, split, run);
	rest = frame->header + run->length - run->linear;
	if (run->in_pool && rest) {
		room = softnic_reserve(rx, tally, rest);
		if (room < rest) {
			/* The linear part holds payload too if it is not split off. */
			run->count = (room + run->linear - frame->header) / frame->segment;
			if (!run->count) {
				tally->no_descriptor_drops++;
				return 1;
			}
			softnic_plan(rx, frame, split, run);
			rest = frame->header + run->length - run->linear;
		}
	}

	skb = napi_alloc_skb(&rx->napi, run->linear);
	if (unlikely(!skb)) {
		tally->allocation_drops++;
		return 1;
	}
	softnic_reader_start(&reader, sent, 0);
	softnic_read(&reader, skb_put(skb, frame->header), frame->header);
	softnic_reader_start(&reader, sent, frame->header + run->first * frame->segment);
	if (run->linear > frame->header)
		softnic_read(&reader, skb_put(skb, run->linear - frame->header),
			     run->linear - frame->header);
	if (rest && run->in_pool) {
		/* Before the first fragment, so that whoever frees the skb returns them all. */
		skb_mark_for_recycle(skb);
		softnic_place(rx, tally, &reader, skb, rest);
	} else if (rest && unlikely(!softnic_place_apart(tally, &reader, skb, rest))) {
		tally->kernel_bytes -= skb->data_len;
		tally->allocation_drops++;
		dev_kfree_skb_any(skb);
		return 1;
	}

	tally->frames += run->count;
	tally->bytes += run->length + run->count * frame->header;
	tally->linear_bytes += run->linear;
	if (frame->protocol)
		tally->linear_payload_bytes += run->linear - frame->header;
	softnic_hand_over(rx, sent, run, skb, split && rx->memory.provider);
	return run->count;
}

/*
 * Whether payload may be split from the headers of this frame. In memory that the kernel cannot read
 * nobody can check a sum later, so there a wrong one decides against it.
 */
static bool softnic_splits(const struct softnic_rx *rx, const struct sk_buff *sent)
{
	const struct softnic_frame *frame = softnic_frame(sent);

	if (frame->protocol != IPPROTO_TCP || !READ_ONCE(rx->port->split))
		return false;
	if (!rx->memory.provider || sent->ip_summed == CHECKSUM_PARTIAL ||
	    sent->ip_summed == CHECKSUM_UNNECESSARY)
		return true;
	return softnic_frame_checksum_is_right(sent);
}

static void softnic_receive(struct softnic_rx *rx, const struct sk_buff *sent)
{
	const struct softnic_frame *frame = softnic_frame(sent);
	struct net_device *device = rx->port->device;
	bool merge = device->features & NETIF_F_GRO_HW;
	struct softnic_tally tally = {};
	bool split = softnic_splits(rx, sent);
	u32 segment = 0;

	if (frame->header - ETH_HLEN + frame->segment > READ_ONCE(device->mtu) + VLAN_HLEN) {
		tally.oversize_drops = frame->segments;
		segment = frame->segments;
	}
	while (segment < frame->segments) {
		struct softnic_run run = { .first = segment };
		bool lost;

		/* Segments up to the next one that gets lost, or one alone. */
		do {
			lost = softnic_wire_loses(rx);
			if (lost)
				tally.wire_drops++;
			else
				run.count++;
			segment++;
		} while (merge && !lost && segment < frame->segments);

		while (run.count) {
			u32 count = run.count;
			u32 done = softnic_receive_run(rx, sent, &run, split, &tally);

			run.first += done;
			run.count = count - done;
		}
	}
	softnic_count(rx, &tally);
}

int softnic_poll(struct napi_struct *napi, int budget)
{
	struct softnic_rx *rx = container_of(napi, struct softnic_rx, napi);
	struct softnic_tally tally = {};
	int done = 0;

	if (budget)
		softnic_refill(rx, &tally);
	while (done < budget) {
		struct sk_buff *skb = softnic_wire_take(rx);

		if (!skb)
			break;
		softnic_receive(rx, skb);
		softnic_wire_complete(skb);
		napi_consume_skb(skb, budget);
		done++;
	}
	if (unlikely(tally.refill_failures))
		softnic_count(rx, &tally);
	if (done < budget && napi_complete_done(napi, done))
		softnic_wire_idle(rx);
	return done;
}
