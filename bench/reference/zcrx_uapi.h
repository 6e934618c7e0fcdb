/* SPDX-License-Identifier: MIT */
/*
 * What of zero-copy receive headers older than Linux 7.3 lack, under names of
 * our own, so that newer ones do no harm.
 */
#ifndef REFERENCE_ZCRX_UAPI_H
#define REFERENCE_ZCRX_UAPI_H

#include <stdint.h>

#define OP_RECV_ZC			58		/* 6.15 */
#define REGISTER_ZCRX_IFQ		32		/* 6.15 */
#define REGISTER_ZCRX_CTRL		36		/* 6.19 */
#define REGION_TYPE_USER		1		/* 6.13 */
#define REG_NODEV			2		/* 7.1 */
#define CTRL_FLUSH_RQ			0		/* 6.19 */
#define EVENT_DESC_FLAG_STATS		1		/* 7.2 */
#define AREA_OFFSET_MASK		((1ULL << 48) - 1)

struct refill_entry {
	uint64_t off;
	uint32_t len;
	uint32_t pad;
};

struct refill_offsets {
	uint32_t head;
	uint32_t tail;
	uint32_t rqes;
	uint32_t resv[5];
};

struct area_request {
	uint64_t addr;
	uint64_t len;
	uint64_t token;
	uint32_t flags;
	uint32_t dmabuf_fd;
	uint64_t resv[2];
};

struct region_request {
	uint64_t user_addr;
	uint64_t size;
	uint32_t flags;
	uint32_t id;
	uint64_t mmap_offset;
	uint64_t resv[4];
};

struct copy_counts {
	uint64_t copy_count;
	uint64_t copy_bytes;
};

struct event_request {
	uint64_t user_data;
	uint32_t type_mask;
	uint32_t flags;
	uint64_t stats_offset;
	uint64_t resv[9];
};

struct queue_request {
	uint32_t if_idx;
	uint32_t if_rxq;
	uint32_t rq_entries;
	uint32_t flags;
	uint64_t area_ptr;
	uint64_t region_ptr;
	struct refill_offsets offsets;
	uint32_t zcrx_id;
	uint32_t rx_buf_len;
	uint64_t event_desc;
	uint64_t resv[2];
};

struct control_request {
	uint32_t zcrx_id;
	uint32_t op;
	uint64_t resv[2];
	uint64_t arguments[6];
};

/* The completion of a piece: the 16 bytes after the ordinary ones. */
struct piece_place {
	uint64_t off;
	uint64_t pad;
};

_Static_assert(sizeof(struct area_request) == 64 - 16, "area_request");
_Static_assert(sizeof(struct region_request) == 64, "region_request");
_Static_assert(sizeof(struct event_request) == 96, "event_request");
_Static_assert(sizeof(struct queue_request) == 96, "queue_request");
_Static_assert(sizeof(struct control_request) == 72, "control_request");

#endif
