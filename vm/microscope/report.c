// SPDX-License-Identifier: MIT
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include "paths.h"
#include "payload.h"

#define PATH_BYTES 4096

/**
 * struct list - an array that is being written
 * @file: where to
 * @count: elements so far
 */
struct list {
	FILE *file;
	uint32_t count;
};

static FILE *begin(const char *folder, uint64_t number)
{
	char path[PATH_BYTES];
	FILE *file;

	snprintf(path, sizeof(path), "%s/answer-%" PRIu64 ".partial", folder, number);
	file = fopen(path, "w");
	if (!file)
		perror("microscope: an answer cannot be written");
	return file;
}

static void finish(FILE *file, const char *folder, uint64_t number)
{
	char partial[PATH_BYTES], path[PATH_BYTES];
	int failed = ferror(file);

	snprintf(partial, sizeof(partial), "%s/answer-%" PRIu64 ".partial", folder, number);
	snprintf(path, sizeof(path), "%s/answer-%" PRIu64 ".json", folder, number);
	if (fclose(file) || failed || rename(partial, path))
		perror("microscope: an answer cannot be written");
}

void report_done(const char *folder, uint64_t number, const char *problem)
{
	FILE *file = begin(folder, number);

	if (!file)
		return;
	/* The sentences are ours, and have nothing in them to be escaped. */
	if (problem)
		fprintf(file, "{\"problem\":\"%s\"}\n", problem);
	else
		fprintf(file, "{}\n");
	finish(file, folder, number);
}

static void begin_element(struct list *list)
{
	if (list->count++)
		fputs(",\n", list->file);
}

/* Names are the kernel's, of letters, digits and some marks; a module could have others. */
static void write_name(FILE *file, const char *name)
{
	fputc('"', file);
	for (; *name; name++)
		fputc(*name < ' ' || *name == '"' || *name == '\\' ? '?' : *name, file);
	fputc('"', file);
}

static void unnumber(struct node *node, void *data)
{
	(void)data;
	if (node->function)
		node->function->number = 0;
}

static void write_function(struct node *node, void *data)
{
	struct list *list = data;

	if (!node->function || node->function->number)
		return;
	begin_element(list);
	node->function->number = list->count;
	write_name(list->file, node->function->name);
}

/* [parent, function, instructions], the first two as places in the lists, from 1. */
static void write_node(struct node *node, void *data)
{
	struct list *list = data;

	begin_element(list);
	node->number = list->count;
	fprintf(list->file, "[%" PRIu32 ",%" PRIu32 ",%" PRIu64 "]",
		node->parent ? node->parent->number : 0,
		node->function ? node->function->number : 0, node->instructions);
}

/* [node, generation, read, moved, copied, overwritten] */
static void write_touches(struct node *node, void *data)
{
	struct list *list = data;
	const struct touch *touch;

	for (touch = node->touches; touch; touch = touch->next) {
		begin_element(list);
		fprintf(list->file,
			"[%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]",
			node->number, touch->generation, touch->read, touch->moved, touch->copied,
			touch->overwritten);
	}
}

static void write_own(struct node *node, void *data)
{
	if (!node->parent && node->own)
		*(uint32_t *)data = node->number;
}

static void write_list(FILE *file, const char *name, void (*write)(struct node *node, void *data))
{
	struct list list = { file, 0 };

	fprintf(file, ",\n\"%s\":[", name);
	paths_each(write, &list);
	fputs("]", file);
}

static void write_extent(FILE *file, const char *name, struct extent extent)
{
	fprintf(file, ",\n\"%s\":[%" PRIu32 ",%" PRIu32 "]", name, extent.least, extent.most);
}

void report_view(const char *folder, uint64_t number)
{
	FILE *file = begin(folder, number);
	uint32_t own = 0;

	if (!file)
		return;
	paths_each(unnumber, NULL);
	fprintf(file, "{\"payloadBytes\":%" PRIu64, payload_length());
	write_extent(file, "reads", payload_reads());
	write_extent(file, "copies", payload_copies());
	write_list(file, "functions", write_function);
	write_list(file, "nodes", write_node);
	write_list(file, "touches", write_touches);
	paths_each(write_own, &own);
	fprintf(file, ",\n\"own\":%" PRIu32 "}\n", own);
	finish(file, folder, number);
}
