/* SPDX-License-Identifier: GPL-2.0 */
/* A record of the last pieces of payload that were placed into a memory provider's buffers. */
#ifndef SOFTNIC_PLACEMENTS_H
#define SOFTNIC_PLACEMENTS_H

#include <linux/fs.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define SOFTNIC_PLACEMENTS	16384

struct softnic_placement {
	u64 address;
	u32 queue;
	u32 length;
};

/**
 * struct softnic_placements - a ring of records
 * @lock: for all of it
 * @total: how many were ever written since the last clear
 * @records: the last of them
 */
struct softnic_placements {
	spinlock_t lock;
	u64 total;
	struct softnic_placement *records;
};

extern const struct file_operations softnic_placements_operations;

int softnic_placements_init(struct softnic_placements *placements);
void softnic_placements_free(struct softnic_placements *placements);
void softnic_placements_add(struct softnic_placements *placements, u32 queue, u64 address,
			    u32 length);

#endif
