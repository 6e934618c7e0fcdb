// SPDX-License-Identifier: GPL-2.0
/*
 * The file "placements": where the last pieces of payload were put that went into a memory
 * provider's buffers, oldest first. A line has the queue, the DMA address (with which the page
 * tables of whoever owns the memory can be compared) and the length. Writing clears it.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "placements.h"

/* What a reader sees is as it was when the file was opened. */
struct softnic_snapshot {
	u32 count;
	struct softnic_placement records[];
};

int softnic_placements_init(struct softnic_placements *placements)
{
	spin_lock_init(&placements->lock);
	placements->total = 0;
	placements->records = kvcalloc(SOFTNIC_PLACEMENTS, sizeof(*placements->records),
				       GFP_KERNEL_ACCOUNT);
	return placements->records ? 0 : -ENOMEM;
}

void softnic_placements_free(struct softnic_placements *placements)
{
	kvfree(placements->records);
	placements->records = NULL;
}

/* In NAPI; several queues may do it at once. */
void softnic_placements_add(struct softnic_placements *placements, u32 queue, u64 address,
			    u32 length)
{
	struct softnic_placement *record;

	spin_lock(&placements->lock);
	record = &placements->records[placements->total++ % SOFTNIC_PLACEMENTS];
	record->address = address;
	record->queue = queue;
	record->length = length;
	spin_unlock(&placements->lock);
}

static struct softnic_snapshot *softnic_snapshot_take(struct softnic_placements *placements)
{
	struct softnic_snapshot *snapshot;
	u32 first, until_end;

	/* For as many as there can be: they come while we allocate. */
	snapshot = kvmalloc(struct_size(snapshot, records, SOFTNIC_PLACEMENTS), GFP_KERNEL);
	if (!snapshot)
		return NULL;
	spin_lock_bh(&placements->lock);
	snapshot->count = min_t(u64, placements->total, SOFTNIC_PLACEMENTS);
	first = (placements->total - snapshot->count) % SOFTNIC_PLACEMENTS;
	until_end = min_t(u32, snapshot->count, SOFTNIC_PLACEMENTS - first);
	memcpy(snapshot->records, placements->records + first,
	       until_end * sizeof(*snapshot->records));
	memcpy(snapshot->records + until_end, placements->records,
	       (snapshot->count - until_end) * sizeof(*snapshot->records));
	spin_unlock_bh(&placements->lock);
	return snapshot;
}

static void *softnic_placements_start(struct seq_file *file, loff_t *position)
{
	struct softnic_snapshot *snapshot = file->private;

	return *position < snapshot->count ? &snapshot->records[*position] : NULL;
}

static void *softnic_placements_next(struct seq_file *file, void *record, loff_t *position)
{
	++*position;
	return softnic_placements_start(file, position);
}

static void softnic_placements_stop(struct seq_file *file, void *record)
{
}

static int softnic_placements_show(struct seq_file *file, void *data)
{
	const struct softnic_placement *record = data;

	seq_printf(file, "%u %llx %u\n", record->queue, record->address, record->length);
	return 0;
}

static const struct seq_operations softnic_placements_sequence = {
	.start	= softnic_placements_start,
	.next	= softnic_placements_next,
	.stop	= softnic_placements_stop,
	.show	= softnic_placements_show,
};

static int softnic_placements_open(struct inode *inode, struct file *file)
{
	struct softnic_snapshot *snapshot;
	int error;

	/* For a writer an empty one will do, but whoever opens for both may read. */
	snapshot = softnic_snapshot_take(inode->i_private);
	if (!snapshot)
		return -ENOMEM;
	error = seq_open(file, &softnic_placements_sequence);
	if (error) {
		kvfree(snapshot);
		return error;
	}
	((struct seq_file *)file->private_data)->private = snapshot;
	return 0;
}

static ssize_t softnic_placements_write(struct file *file, const char __user *data, size_t length,
					loff_t *position)
{
	struct softnic_placements *placements = file_inode(file)->i_private;

	spin_lock_bh(&placements->lock);
	placements->total = 0;
	spin_unlock_bh(&placements->lock);
	return length;
}

static int softnic_placements_release(struct inode *inode, struct file *file)
{
	struct seq_file *sequence = file->private_data;

	kvfree(sequence->private);
	return seq_release(inode, file);
}

const struct file_operations softnic_placements_operations = {
	.owner		= THIS_MODULE,
	.open		= softnic_placements_open,
	.read		= seq_read,
	.write		= softnic_placements_write,
	.llseek		= seq_lseek,
	.release	= softnic_placements_release,
};
