// SPDX-License-Identifier: GPL-2.0
/* Looks into frames and copies out of them. */
#include <linux/dma-direct.h>
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/page_pool/helpers.h>

#include "frame.h"
#include "port.h"

/* Fills the addresses in; returns the offset of what IP carries, or 0 if that has no ports. */
static u16 softnic_parse_ipv4(struct sk_buff *skb, struct softnic_flow *flow, u8 *protocol,
			      u32 *end)
{
	const struct iphdr *ip;
	u32 header;

	if (!pskb_may_pull(skb, ETH_HLEN + sizeof(*ip)))
		return 0;
	ip = (const struct iphdr *)(skb->data + ETH_HLEN);
	header = ip->ihl * 4;
	if (ip->version != 4 || header < sizeof(*ip))
		return 0;
	flow->family = 4;
	flow->length = 2 * sizeof(__be32);
	flow->v4.source = ip->saddr;
	flow->v4.destination = ip->daddr;
	if (ip_is_fragment(ip))
		return 0;
	*protocol = ip->protocol;
	*end = ETH_HLEN + ntohs(ip->tot_len);
	return ETH_HLEN + header;
}

static u16 softnic_parse_ipv6(struct sk_buff *skb, struct softnic_flow *flow, u8 *protocol,
			      u32 *end)
{
	const struct ipv6hdr *ip;
	__be16 fragment = 0;
	int offset;

	if (!pskb_may_pull(skb, ETH_HLEN + sizeof(*ip)))
		return 0;
	ip = (const struct ipv6hdr *)(skb->data + ETH_HLEN);
	if (ip->version != 6)
		return 0;
	flow->family = 6;
	flow->length = 2 * sizeof(struct in6_addr);
	flow->v6.source = ip->saddr;
	flow->v6.destination = ip->daddr;
	*protocol = ip->nexthdr;
	*end = ETH_HLEN + sizeof(*ip) + ntohs(ip->payload_len);
	offset = ipv6_skip_exthdr(skb, ETH_HLEN + sizeof(*ip), protocol, &fragment);
	if (offset < 0 || fragment)
		return 0;
	return offset;
}

static void softnic_set_ports(struct softnic_flow *flow, __be16 source, __be16 destination)
{
	flow->length += 2 * sizeof(__be16);
	if (flow->family == 4) {
		flow->v4.source_port = source;
		flow->v4.destination_port = destination;
	} else {
		flow->v6.source_port = source;
		flow->v6.destination_port = destination;
	}
}

/* Returns the length of all headers, or 0 if they are not those of TCP or UDP. */
static u16 softnic_parse_transport(struct sk_buff *skb, struct softnic_flow *flow, u8 protocol,
				   u16 offset)
{
	const struct tcphdr *tcp;
	const struct udphdr *udp;
	u32 header;

	switch (protocol) {
	case IPPROTO_TCP:
		if (!pskb_may_pull(skb, offset + sizeof(*tcp)))
			return 0;
		tcp = (const struct tcphdr *)(skb->data + offset);
		header = tcp->doff * 4;
		if (header < sizeof(*tcp) || !pskb_may_pull(skb, offset + header))
			return 0;
		tcp = (const struct tcphdr *)(skb->data + offset);
		softnic_set_ports(flow, tcp->source, tcp->dest);
		break;
	case IPPROTO_UDP:
		header = sizeof(*udp);
		if (!pskb_may_pull(skb, offset + header))
			return 0;
		udp = (const struct udphdr *)(skb->data + offset);
		softnic_set_ports(flow, udp->source, udp->dest);
		break;
	default:
		return 0;
	}
	flow->protocol = protocol;
	return offset + header;
}

/**
 * softnic_frame_parse() - finds out what is to be known about a frame
 * @skb: the frame; what is found goes into its struct softnic_frame
 * @flow: whose frame it is
 *
 * Return: false if it is a super frame that no card could send.
 */
bool softnic_frame_parse(struct sk_buff *skb, struct softnic_flow *flow)
{
	struct softnic_frame *frame = softnic_frame(skb);
	u16 transport = 0, header = 0;
	u8 protocol = 0;
	u32 end = 0;

	memset(frame, 0, sizeof(*frame));
	memset(flow, 0, sizeof(*flow));
	switch (((const struct ethhdr *)skb->data)->h_proto) {
	case htons(ETH_P_IP):
		transport = softnic_parse_ipv4(skb, flow, &protocol, &end);
		break;
	case htons(ETH_P_IPV6):
		transport = softnic_parse_ipv6(skb, flow, &protocol, &end);
		break;
	}
	if (transport)
		header = softnic_parse_transport(skb, flow, protocol, transport);

	frame->family = flow->family;
	frame->header = ETH_HLEN;
	/* Bytes behind the packet (padding) would be taken for payload: leave such frames alone. */
	if (header && end == skb->len) {
		frame->protocol = protocol;
		frame->transport = transport;
		frame->header = header;
	}
	frame->payload = skb->len - frame->header;
	frame->segment = frame->payload;
	frame->segments = 1;
	if (skb_is_gso(skb)) {
		if (frame->protocol != IPPROTO_TCP || skb->ip_summed != CHECKSUM_PARTIAL ||
		    !frame->payload)
			return false;
		frame->segment = skb_shinfo(skb)->gso_size;
		frame->segments = DIV_ROUND_UP(frame->payload, frame->segment);
	}
	return true;
}

/*
 * Nobody can check a checksum over memory that the kernel cannot read, so the card has to do it
 * before it puts payload there. Only for TCP, and only for frames whose sender summed them up.
 */
bool softnic_frame_checksum_is_right(const struct sk_buff *skb)
{
	const struct softnic_frame *frame = softnic_frame(skb);
	const void *network = skb->data + ETH_HLEN;
	u32 length = skb->len - frame->transport;
	__wsum sum = skb_checksum(skb, frame->transport, length, 0);

	if (frame->family == 4) {
		const struct iphdr *ip = network;

		sum = (__force __wsum)csum_tcpudp_magic(ip->saddr, ip->daddr, length, IPPROTO_TCP,
							sum);
	} else {
		const struct ipv6hdr *ip = network;

		sum = (__force __wsum)csum_ipv6_magic(&ip->saddr, &ip->daddr, length, IPPROTO_TCP,
						      sum);
	}
	return !sum;
}

/**
 * softnic_dma_to_virt() - where the "DMA" to an address writes to
 * @address: as a page pool or a memory provider gave it to the card
 *
 * softnic_check_dma() made sure that it is a physical address, and there is no high memory.
 */
void *softnic_dma_to_virt(dma_addr_t address)
{
	return phys_to_virt(dma_to_phys(softnic_dma_device, address));
}

void softnic_reader_start(struct softnic_reader *reader, const struct sk_buff *skb, u32 offset)
{
	reader->skb = skb;
	reader->piece = -1;
	reader->offset = offset;
}

static u32 softnic_piece_size(const struct softnic_reader *reader)
{
	if (reader->piece < 0)
		return skb_headlen(reader->skb);
	return skb_frag_size(&skb_shinfo(reader->skb)->frags[reader->piece]);
}

static const void *softnic_piece_address(const struct softnic_reader *reader)
{
	const skb_frag_t *frag;
	dma_addr_t address;

	if (reader->piece < 0)
		return reader->skb->data;
	frag = &skb_shinfo(reader->skb)->frags[reader->piece];
	if (!skb_frag_is_net_iov(frag))
		return skb_frag_address(frag);
	/* The kernel cannot read it, but a card can. */
	address = page_pool_get_dma_addr_netmem(skb_frag_netmem(frag));
	return softnic_dma_to_virt(address + skb_frag_off(frag));
}

/* Copies the next bytes of the frame; there must be as many. */
void softnic_read(struct softnic_reader *reader, void *to, u32 length)
{
	while (length) {
		u32 size = softnic_piece_size(reader);
		u32 part;

		if (reader->offset >= size) {
			reader->offset -= size;
			reader->piece++;
			continue;
		}
		part = min(length, size - reader->offset);
		memcpy(to, softnic_piece_address(reader) + reader->offset, part);
		reader->offset += part;
		to += part;
		length -= part;
	}
}
