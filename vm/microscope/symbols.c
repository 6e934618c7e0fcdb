// SPDX-License-Identifier: MIT
#include "symbols.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define BUCKETS 65536
#define NAME_BYTES 512

struct symbol {
	uint64_t start;
	uint64_t end;
	size_t place;
	struct function *function;
};

struct module {
	char name[64];
	uint64_t end;
};

struct table {
	struct symbol *symbols;
	size_t count;
	struct function **buckets;
	struct arena functions;
};

struct function function_user = { .name = "user space" };
struct function function_interrupt = { .name = "interrupt" };
struct function function_unknown = { .name = "unknown" };

static struct table now, before;

static unsigned int traits_of(const char *name)
{
	static const char *const bridges[] = { "do_softirq", "__irq_exit_rcu", "common_interrupt" };
	size_t i;

	if (!strcmp(name, "irq_entries_start"))
		return FUNCTION_INTERRUPTS;
	if (!strcmp(name, "asm_common_interrupt") || !strncmp(name, "asm_sysvec_", 11))
		return FUNCTION_INTERRUPT;
	if (!strncmp(name, "sysvec_", 7))
		return FUNCTION_BRIDGE;
	for (i = 0; i < sizeof(bridges) / sizeof(*bridges); i++) {
		if (!strcmp(name, bridges[i]))
			return FUNCTION_BRIDGE;
	}
	return 0;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	while (*name)
		hash = (hash ^ (unsigned char)*name++) * 16777619u;
	return hash % BUCKETS;
}

static struct function *function_of(struct table *table, const char *name)
{
	struct function **bucket = &table->buckets[hash_of(name)];
	struct function *function;
	char *copy;

	for (function = *bucket; function; function = function->next) {
		if (!strcmp(function->name, name))
			return function;
	}
	copy = arena_make(&table->functions, strlen(name) + 1);
	strcpy(copy, name);
	function = arena_make(&table->functions, sizeof(*function));
	function->name = copy;
	function->traits = traits_of(name);
	function->next = *bucket;
	*bucket = function;
	return function;
}

/* The compiler adds .isra.0, .part.0, .constprop.0 and .cold to the names of parts of a function. */
static void cut_suffix(char *name)
{
	char *dot = strchr(name + 1, '.');

	if (dot)
		*dot = '\0';
}

static struct module *read_modules(FILE *file, size_t *count)
{
	struct module *modules = NULL;
	char line[4096], name[64];
	uint64_t size, start;

	for (*count = 0; fgets(line, sizeof(line), file);) {
		if (sscanf(line, "%63s %" SCNu64 " %*s %*s %*s %" SCNx64, name, &size, &start) != 3)
			continue;
		modules = remake(modules, *count + 1, sizeof(*modules));
		strcpy(modules[*count].name, name);
		modules[(*count)++].end = start + size;
	}
	return modules;
}

/* Until the next symbol, if nothing is known to end before. */
static uint64_t end_in(const struct module *modules, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!strcmp(modules[i].name, name))
			return modules[i].end;
	}
	return UINT64_MAX;
}

static void add_symbol(struct table *table, const char *line, const struct module *modules,
		       size_t module_count)
{
	char name[NAME_BYTES], module[64], type;
	uint64_t address;
	int fields;

	fields = sscanf(line, "%" SCNx64 " %c %511s [%63[^]]", &address, &type, name, module);
	if (fields < 3 || !strchr("tTwW", type) || !is_kernel(address))
		return;
	cut_suffix(name);
	/* Twice as much room each time. */
	if (!(table->count & (table->count - 1)))
		table->symbols = remake(table->symbols, table->count ? 2 * table->count : 1,
					sizeof(*table->symbols));
	table->symbols[table->count] = (struct symbol){
		.start = address,
		.place = table->count,
		.end = fields == 4 ? end_in(modules, module_count, module) : UINT64_MAX,
		.function = function_of(table, name),
	};
	table->count++;
}

static int by_start(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->place > b->place) - (a->place < b->place);
}

/* One symbol for each address, the first in the list, that ends where the next one begins. */
static void settle(struct table *table)
{
	size_t from, to = 0;

	qsort(table->symbols, table->count, sizeof(*table->symbols), by_start);
	for (from = 0; from < table->count; from++) {
		struct symbol symbol = table->symbols[from];

		if (to && table->symbols[to - 1].start == symbol.start)
			continue;
		if (to && table->symbols[to - 1].end > symbol.start)
			table->symbols[to - 1].end = symbol.start;
		table->symbols[to++] = symbol;
	}
	table->count = to;
}

static FILE *open_in(const char *folder, const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return fopen(path, "r");
}

static void forget(struct table *table)
{
	free(table->symbols);
	free(table->buckets);
	arena_forget(&table->functions);
	memset(table, 0, sizeof(*table));
}

static void read_symbols(struct table *table, FILE *file, const struct module *modules,
			 size_t module_count)
{
	char line[1024];

	table->buckets = make(BUCKETS, sizeof(*table->buckets));
	while (fgets(line, sizeof(line), file))
		add_symbol(table, line, modules, module_count);
	settle(table);
}

const char *symbols_read(const char *folder)
{
	FILE *symbols = open_in(folder, "kallsyms"), *modules = open_in(folder, "modules");
	struct module *list;
	size_t count;

	if (!symbols || !modules) {
		if (symbols)
			fclose(symbols);
		if (modules)
			fclose(modules);
		return "the copies of /proc/kallsyms and /proc/modules cannot be read";
	}
	symbols_forget_old();
	before = now;
	memset(&now, 0, sizeof(now));
	list = read_modules(modules, &count);
	read_symbols(&now, symbols, list, count);
	free(list);
	fclose(symbols);
	fclose(modules);
	return now.count ? NULL : "there is no address in the copy of /proc/kallsyms";
}

void symbols_forget_old(void)
{
	forget(&before);
}

struct function *symbols_find(uint64_t address, uint64_t *start)
{
	size_t low = 0, high = now.count;

	*start = address;
	if (!is_kernel(address))
		return &function_user;
	/* The last one that does not begin behind the address is at low - 1. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (now.symbols[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || now.symbols[low - 1].end <= address)
		return &function_unknown;
	*start = now.symbols[low - 1].start;
	return now.symbols[low - 1].function;
}
