/* SPDX-License-Identifier: GPL-2.0 */
/* What is known about a frame on the wire, and how its bytes are read. */
#ifndef SOFTNIC_FRAME_H
#define SOFTNIC_FRAME_H

#include <linux/in6.h>
#include <linux/ktime.h>
#include <linux/skbuff.h>
#include <linux/types.h>

/**
 * struct softnic_flow - whose frame it is; addresses and ports as they are on the wire
 * @family: 4, 6, or 0 if it is not IP
 * @protocol: IPPROTO_TCP or IPPROTO_UDP, or 0 if the frame has no ports to look at
 * @length: how many of @bytes say something
 * @bytes: what the hash is made of
 */
struct softnic_flow {
	u8 family;
	u8 protocol;
	u8 length;
	union {
		struct {
			__be32 source;
			__be32 destination;
			__be16 source_port;
			__be16 destination_port;
		} v4;
		struct {
			struct in6_addr source;
			struct in6_addr destination;
			__be16 source_port;
			__be16 destination_port;
		} v6;
		u8 bytes[36];
	};
};

/**
 * struct softnic_frame - lives in the cb of an skb that is on the wire
 * @due: when it arrives
 * @hash: its flow's hash
 * @payload: bytes after the headers
 * @segment: payload of each frame on the wire but the last
 * @transport: offset of the TCP or UDP header
 * @header: bytes of all headers; of a frame that is neither TCP nor UDP, those of Ethernet
 * @segments: number of frames on the wire
 * @descriptors: what it occupies in its transmit queue
 * @tx_queue: number of that queue
 * @family: as in struct softnic_flow
 * @protocol: as in struct softnic_flow
 *
 * A frame is the super frame that TCP hands over; what is on the wire are its segments.
 */
struct softnic_frame {
	ktime_t due;
	u32 hash;
	u32 payload;
	u32 segment;
	u16 transport;
	u16 header;
	u16 segments;
	u16 descriptors;
	u8 tx_queue;
	u8 family;
	u8 protocol;
};

static inline struct softnic_frame *softnic_frame(const struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct softnic_frame) > sizeof_field(struct sk_buff, cb));
	return (struct softnic_frame *)skb->cb;
}

/* Bytes on the wire: every segment carries the headers. */
static inline u32 softnic_frame_bytes(const struct softnic_frame *frame)
{
	return frame->payload + frame->segments * frame->header;
}

/**
 * struct softnic_reader - a place in a frame, from which bytes are copied one after the other
 * @skb: the frame
 * @piece: -1 in the linear part, otherwise the number of the fragment
 * @offset: in that piece
 */
struct softnic_reader {
	const struct sk_buff *skb;
	int piece;
	u32 offset;
};

bool softnic_frame_parse(struct sk_buff *skb, struct softnic_flow *flow);
bool softnic_frame_checksum_is_right(const struct sk_buff *skb);
void softnic_reader_start(struct softnic_reader *reader, const struct sk_buff *skb, u32 offset);
void softnic_read(struct softnic_reader *reader, void *to, u32 length);
void *softnic_dma_to_virt(dma_addr_t address);

#endif
