// SPDX-License-Identifier: MIT
#include "payload.h"

#include <stdlib.h>
#include <string.h>

#include "instruction.h"
#include "memory.h"

#define PAGE_BYTES	4096u
#define PAGE_SHIFT	12
/* Frame numbers of pages have two halves: 2^28 pages are 1 TiB. */
#define HALF		14
#define HALF_ENTRIES	(1u << HALF)
/* The longest access that is told at once. */
#define MOST_BYTES	16
/* More than an unrolled loop loads before it stores. */
#define LOADS		64
/* An interrupt may come between the loads and the stores of a loop. */
#define KERNEL_PATIENCE	20000
/* The C library's memmove() stores last what it has loaded first. */
#define USER_PATIENCE	(1 << 20)
/* Values of less than a word are the same by chance. */
#define WORD		8
#define NARROW_PATIENCE	64
/* Calls in user space are not followed, so it is nearness that tells what belongs together. */
#define USER_DISTANCE	2048
#define MOST_GENERATION	255

/**
 * struct mark - what a byte of memory is
 * @offset: its place in the payload
 * @generation: 1 for the payload, 2 for a copy, and so on; 0 for anything else
 */
struct mark {
	uint32_t offset;
	uint8_t generation;
};

/**
 * struct page - the marks of a page
 * @call: the call that was the last one to copy something into it
 * @offsets: of each byte
 * @generations: of each byte
 */
struct page {
	uint64_t call;
	uint32_t offsets[PAGE_BYTES];
	uint8_t generations[PAGE_BYTES];
};

/**
 * struct load - payload in a register
 * @node: who has loaded it; NULL if it was stored already
 * @call: in which call
 * @number: its number among all loads
 * @site: by which instruction
 * @time: when, in accesses
 * @address: where from
 * @bytes: how many
 * @value: what was loaded
 * @marks: what it was
 */
struct load {
	const struct node *node;
	uint64_t call;
	uint64_t number;
	const struct site *site;
	uint64_t time;
	uint64_t address;
	unsigned int bytes;
	uint64_t value[2];
	struct mark marks[MOST_BYTES];
};

/**
 * struct place - where an access is
 * @pages: its page, and the next one if it crosses into that
 * @frames: their numbers
 * @offset: where it begins in its page
 * @first: how many bytes are in the first page
 */
struct place {
	struct page *pages[2];
	uint64_t frames[2];
	unsigned int offset;
	unsigned int first;
};

/**
 * struct access - an access to memory
 * @site: whose it is
 * @info: what QEMU knows of it
 * @address: where, as the program sees it
 * @bytes: how many
 * @time: when, in accesses
 * @place: where in physical memory
 */
struct access {
	const struct site *site;
	qemu_plugin_meminfo_t info;
	uint64_t address;
	unsigned int bytes;
	uint64_t time;
	struct place place;
};

static struct {
	struct page **halves[HALF_ENTRIES];
	struct arena touches;
	uint64_t length;
	uint32_t *reads;
	uint32_t *copies;
	struct load loads[LOADS];
	uint64_t number;
	/* Loads that may be stored yet. */
	unsigned int waiting;
	uint64_t kernel_time;
	uint64_t user_time;
} payload;

static struct page *page_at(uint64_t frame)
{
	struct page **half;

	if (frame >> HALF >= HALF_ENTRIES)
		return NULL;
	half = payload.halves[frame >> HALF];
	return half ? half[frame % HALF_ENTRIES] : NULL;
}

static struct page *make_page(uint64_t frame)
{
	struct page ***half, **page;

	if (frame >> HALF >= HALF_ENTRIES)
		return NULL;
	half = &payload.halves[frame >> HALF];
	if (!*half)
		*half = make(HALF_ENTRIES, sizeof(**half));
	page = &(*half)[frame % HALF_ENTRIES];
	if (!*page)
		*page = make(1, sizeof(**page));
	return *page;
}

static void mark_piece(const struct piece *piece)
{
	uint64_t done;

	for (done = 0; done < piece->length; done++) {
		uint64_t address = piece->address + done;
		struct page *page = make_page(address >> PAGE_SHIFT);
		unsigned int byte = address % PAGE_BYTES;

		page->offsets[byte] = piece->offset + done;
		page->generations[byte] = 1;
	}
}

static const char *check_piece(const struct piece *piece)
{
	uint64_t end = piece->address + piece->length;

	if (end < piece->address || end >> PAGE_SHIFT >> HALF >= HALF_ENTRIES)
		return "the payload lies above the first tebibyte of the guest's memory";
	if (piece->offset + piece->length > UINT32_MAX)
		return "the payload is longer than 4 GiB";
	return NULL;
}

const char *payload_open(const struct piece *pieces, size_t count)
{
	const char *problem;
	size_t i;

	for (i = 0; i < count; i++) {
		problem = check_piece(&pieces[i]);
		if (problem)
			return problem;
	}
	for (i = 0; i < count; i++) {
		uint64_t end = pieces[i].offset + pieces[i].length;

		if (end > payload.length)
			payload.length = end;
		mark_piece(&pieces[i]);
	}
	payload.reads = make(payload.length, sizeof(*payload.reads));
	payload.copies = make(payload.length, sizeof(*payload.copies));
	return NULL;
}

void payload_close(void)
{
	size_t i, j;

	for (i = 0; i < HALF_ENTRIES; i++) {
		if (!payload.halves[i])
			continue;
		for (j = 0; j < HALF_ENTRIES; j++)
			free(payload.halves[i][j]);
		free(payload.halves[i]);
	}
	free(payload.reads);
	free(payload.copies);
	arena_forget(&payload.touches);
	memset(&payload, 0, sizeof(payload));
}

static struct touch *touch_of(uint8_t mark_generation)
{
	struct node *node = paths_node();
	uint32_t generation = mark_generation - 1;
	struct touch *touch;

	for (touch = node->touches; touch; touch = touch->next) {
		if (touch->generation == generation)
			return touch;
	}
	touch = arena_make(&payload.touches, sizeof(*touch));
	touch->generation = generation;
	touch->next = node->touches;
	node->touches = touch;
	return touch;
}

/* The frame of a byte of the access that is being told, unless it is a device's. */
static bool frame_of(qemu_plugin_meminfo_t info, uint64_t address, uint64_t *frame)
{
	struct qemu_plugin_hwaddr *where = qemu_plugin_get_hwaddr(info, address);

	if (!where || qemu_plugin_hwaddr_is_io(where))
		return false;
	*frame = qemu_plugin_hwaddr_phys_addr(where) >> PAGE_SHIFT;
	return true;
}

static bool find_place(qemu_plugin_meminfo_t info, uint64_t address, unsigned int bytes,
		       struct place *place)
{
	unsigned int room;

	place->offset = address % PAGE_BYTES;
	room = PAGE_BYTES - place->offset;
	place->first = bytes < room ? bytes : room;
	place->pages[1] = NULL;
	place->frames[1] = 0;
	if (!frame_of(info, address, &place->frames[0]))
		return false;
	place->pages[0] = page_at(place->frames[0]);
	if (place->first == bytes)
		return true;
	/* The second page may lie anywhere. */
	if (!frame_of(info, address + place->first, &place->frames[1]))
		return false;
	place->pages[1] = page_at(place->frames[1]);
	return true;
}

static bool has_marks(const struct place *place)
{
	return place->pages[0] || place->pages[1];
}

/* The page of a byte of the access, and its place there. */
static struct page *byte_of(const struct place *place, unsigned int index, unsigned int *byte)
{
	if (index < place->first) {
		*byte = place->offset + index;
		return place->pages[0];
	}
	*byte = index - place->first;
	return place->pages[1];
}

static void value_of(qemu_plugin_meminfo_t info, uint64_t value[2])
{
	qemu_plugin_mem_value told = qemu_plugin_mem_get_value(info);

	value[1] = 0;
	switch (told.type) {
	case QEMU_PLUGIN_MEM_VALUE_U8:
		value[0] = told.data.u8;
		break;
	case QEMU_PLUGIN_MEM_VALUE_U16:
		value[0] = told.data.u16;
		break;
	case QEMU_PLUGIN_MEM_VALUE_U32:
		value[0] = told.data.u32;
		break;
	case QEMU_PLUGIN_MEM_VALUE_U64:
		value[0] = told.data.u64;
		break;
	case QEMU_PLUGIN_MEM_VALUE_U128:
		value[0] = told.data.u128.low;
		value[1] = told.data.u128.high;
		break;
	}
}

static void drop(struct load *load)
{
	if (!load->node)
		return;
	load->node = NULL;
	payload.waiting--;
}

/* One that is not used, or the oldest. */
static struct load *next_load(void)
{
	struct load *oldest = payload.loads;
	unsigned int i;

	for (i = 0; i < LOADS; i++) {
		struct load *load = &payload.loads[i];

		if (!load->node)
			return load;
		if (load->number < oldest->number)
			oldest = load;
	}
	drop(oldest);
	return oldest;
}

static void remember(const struct access *access, const struct mark *marks)
{
	struct load *load = next_load();

	load->node = paths_node();
	load->call = paths_call_number();
	load->number = ++payload.number;
	load->site = access->site;
	load->address = access->address;
	load->time = access->time;
	load->bytes = access->bytes;
	value_of(access->info, load->value);
	memcpy(load->marks, marks, sizeof(load->marks));
	payload.waiting++;
}

/* A load whose store failed is made again when the page is there: the first one did not happen. */
static void undo_move(const struct access *access)
{
	unsigned int i, j;

	for (i = 0; i < LOADS && payload.waiting; i++) {
		struct load *load = &payload.loads[i];

		if (!load->node || !load->site->is_move || load->node != paths_node() ||
		    load->call != paths_call_number() || load->address != access->address)
			continue;
		for (j = 0; j < load->bytes; j++) {
			if (!load->marks[j].generation)
				continue;
			touch_of(load->marks[j].generation)->read--;
			payload.reads[load->marks[j].offset]--;
		}
		drop(load);
	}
}

/* What a register held is gone, unless this is the other half of it. */
static void forget_register(const struct access *access)
{
	unsigned int i;

	for (i = 0; i < LOADS && payload.waiting; i++) {
		struct load *load = &payload.loads[i];

		if (!load->node || load->site->reg != access->site->reg ||
		    load->node != paths_node() || load->call != paths_call_number())
			continue;
		if (load->site != access->site || load->time + 1 != access->time)
			drop(load);
	}
}

static bool can_copy(const struct site *site)
{
	return site->is_move || site->reg != NO_REGISTER;
}

static void on_load(const struct access *access)
{
	struct mark marks[MOST_BYTES] = { 0 };
	bool found = false;
	unsigned int i;

	if (access->site->is_move)
		undo_move(access);
	else if (access->site->reg != NO_REGISTER)
		forget_register(access);
	if (!has_marks(&access->place))
		return;
	for (i = 0; i < access->bytes; i++) {
		unsigned int byte;
		struct page *page = byte_of(&access->place, i, &byte);

		if (!page || !page->generations[byte])
			continue;
		marks[i] = (struct mark){ page->offsets[byte], page->generations[byte] };
		touch_of(marks[i].generation)->read++;
		payload.reads[marks[i].offset]++;
		found = true;
	}
	if (found && can_copy(access->site))
		remember(access, marks);
}

static bool is_over(const struct load *load)
{
	if (load->call)
		return payload.kernel_time - load->time > KERNEL_PATIENCE;
	return payload.user_time - load->time >
	       (load->bytes < WORD ? NARROW_PATIENCE : USER_PATIENCE);
}

static bool belongs(const struct load *load, const struct access *access)
{
	uint64_t from = load->site->run->start, to = access->site->run->start;

	if (load->bytes != access->bytes || load->site->is_move != access->site->is_move ||
	    load->site->reg != access->site->reg || load->node != paths_node() || load->call != paths_call_number())
		return false;
	if (load->call || load->site->is_move)
		return true;
	return (from > to ? from - to : to - from) <= USER_DISTANCE;
}

/* The load of what is stored now: of a register the oldest half, of a move the one just made. */
static struct load *load_behind(const struct access *access)
{
	struct load *found = NULL;
	uint64_t value[2];
	unsigned int i;

	if (!payload.waiting || !can_copy(access->site))
		return NULL;
	value_of(access->info, value);
	for (i = 0; i < LOADS; i++) {
		struct load *load = &payload.loads[i];

		if (!load->node)
			continue;
		if (is_over(load)) {
			drop(load);
			continue;
		}
		if (!belongs(load, access) || load->value[0] != value[0] ||
		    load->value[1] != value[1])
			continue;
		if (!found || (load->number < found->number) != access->site->is_move)
			found = load;
	}
	return found;
}

static void overwrite(struct page *page, unsigned int byte)
{
	if (!page->generations[byte])
		return;
	touch_of(page->generations[byte])->overwritten++;
	page->generations[byte] = 0;
}

/* A byte of the payload is stored. */
static void copy_byte(struct page *page, unsigned int byte, struct mark from)
{
	uint64_t call = paths_call_number();
	uint8_t generation = from.generation < MOST_GENERATION ? from.generation + 1
							       : MOST_GENERATION;
	bool is_same = page->generations[byte] == generation &&
		       page->offsets[byte] == from.offset;
	struct touch *touch = touch_of(from.generation);

	touch->moved++;
	if (!is_same || !call || page->call != call) {
		touch->copied++;
		payload.copies[from.offset]++;
	}
	if (!is_same)
		overwrite(page, byte);
	page->offsets[byte] = from.offset;
	page->generations[byte] = generation;
}

static void store(struct place *place, unsigned int bytes, const struct mark *marks)
{
	unsigned int i;

	for (i = 0; i < bytes; i++) {
		unsigned int byte;
		struct page *page = byte_of(place, i, &byte);

		if (!page)
			continue;
		if (marks && marks[i].generation)
			copy_byte(page, byte, marks[i]);
		else
			overwrite(page, byte);
	}
}

static void on_store(struct access *access)
{
	struct load *load = load_behind(access);
	struct place *place = &access->place;

	if (!load) {
		if (has_marks(place))
			store(place, access->bytes, NULL);
		return;
	}
	place->pages[0] = make_page(place->frames[0]);
	if (place->first < access->bytes)
		place->pages[1] = make_page(place->frames[1]);
	store(place, access->bytes, load->marks);
	if (place->pages[0])
		place->pages[0]->call = load->call;
	if (place->pages[1])
		place->pages[1]->call = load->call;
	drop(load);
}

void payload_access(const struct site *site, qemu_plugin_meminfo_t info, uint64_t address)
{
	struct access access = {
		.site = site,
		.info = info,
		.address = address,
		.bytes = 1u << qemu_plugin_mem_size_shift(info),
	};

	if (!payload.length || access.bytes > MOST_BYTES)
		return;
	access.time = site->run->function == &function_user ? ++payload.user_time
							    : ++payload.kernel_time;
	if (!find_place(info, address, access.bytes, &access.place))
		return;
	if (qemu_plugin_mem_is_store(info))
		on_store(&access);
	else
		on_load(&access);
}

uint64_t payload_length(void)
{
	return payload.length;
}

static struct extent extent_of(const uint32_t *counts)
{
	struct extent extent = { 0, 0 };
	uint64_t i;

	if (!payload.length)
		return extent;
	extent.least = UINT32_MAX;
	for (i = 0; i < payload.length; i++) {
		if (counts[i] < extent.least)
			extent.least = counts[i];
		if (counts[i] > extent.most)
			extent.most = counts[i];
	}
	return extent;
}

struct extent payload_reads(void)
{
	return extent_of(payload.reads);
}

struct extent payload_copies(void)
{
	return extent_of(payload.copies);
}
