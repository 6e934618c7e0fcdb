// SPDX-License-Identifier: MIT
/*
 * The microscope: a plugin for QEMU's software emulation that looks at the guest from below. It counts
 * every instruction by function and path of calls (paths.c), and follows every byte of a payload
 * through every load and store (payload.c).
 *
 *	-plugin PATH,folder=FOLDER
 *
 * A program in the guest speaks to it with an instruction that does nothing, the no-op of eight bytes
 * whose last four are a word that nobody else has there: rdi is what to do, rsi, rdx and rcx say more.
 * It answers with files in FOLDER, which the guest shares. On real hardware and without the plugin
 * the instruction does nothing at all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator.h"
#include "instruction.h"
#include "memory.h"
#include "paths.h"
#include "payload.h"
#include "report.h"
#include "symbols.h"

/* What rdi says. The shim and ffi/microscope have the same numbers. */
enum {
	/* Reads the symbols, and looks at every instruction from then on; rcx: number of the answer. */
	COMMAND_ARM = 1,
	/* Begins to count; rsi, rdx: address and number of the pieces of the payload. */
	COMMAND_OPEN = 2,
	/* Ends that; rcx: number of the answer, which is there when the instruction is over. */
	COMMAND_CLOSE = 3,
};

static const uint8_t command_bytes[8] = { 0x0f, 0x1f, 0x84, 0x00, 'z', 'c', 'l', 'b' };

/* More pieces than a payload of 4 GiB has pages would have. */
#define MOST_PIECES (1u << 20)

enum { RDI, RSI, RDX, RCX, REGISTERS };

int qemu_plugin_version = MICROSCOPE_INTERFACE;

static struct {
	qemu_plugin_id_t id;
	char *folder;
	struct qemu_plugin_register *registers[REGISTERS];
	GByteArray *bytes;
	struct arena runs;
	/* Not 0 while a window is open. */
	qemu_plugin_u64 open;
	bool is_open;
	bool armed;
	uint64_t answer;
	const char *problem;
} microscope;

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block);

/* === Commands === */

static void set_open(bool open)
{
	microscope.is_open = open;
	qemu_plugin_u64_set(microscope.open, 0, open);
}

static void close_window(void)
{
	set_open(false);
	payload_close();
	paths_close();
}

/* All translations are gone, and the callbacks with them. */
static void on_reset(qemu_plugin_id_t id)
{
	arena_forget(&microscope.runs);
	symbols_forget_old();
	microscope.armed = true;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	report_done(microscope.folder, microscope.answer, NULL);
}

static void arm(uint64_t answer)
{
	const char *problem;

	if (microscope.is_open)
		close_window();
	problem = symbols_read(microscope.folder);
	if (problem) {
		report_done(microscope.folder, answer, problem);
		return;
	}
	microscope.answer = answer;
	qemu_plugin_reset(microscope.id, on_reset);
}

static const char *open_payload(uint64_t address, uint64_t count)
{
	size_t length;

	if (!count)
		return NULL;
	if (count > MOST_PIECES)
		return "the payload has too many pieces";
	length = count * sizeof(struct piece);
	if (!qemu_plugin_read_memory_vaddr(address, microscope.bytes, length) ||
	    microscope.bytes->len < length)
		return "the list of the payload's pieces cannot be read";
	return payload_open(microscope.bytes->data, count);
}

static void open_window(uint64_t address, uint64_t count)
{
	if (microscope.is_open)
		close_window();
	microscope.problem = microscope.armed ? open_payload(address, count)
					      : "it was not told to look before";
	if (microscope.problem) {
		payload_close();
		return;
	}
	paths_open();
	set_open(true);
}

static void end_window(uint64_t answer)
{
	if (!microscope.is_open) {
		report_done(microscope.folder, answer,
			    microscope.problem ? microscope.problem : "no window is open");
		return;
	}
	report_view(microscope.folder, answer);
	close_window();
}

static uint64_t register_value(int index)
{
	uint64_t value = 0;

	g_byte_array_set_size(microscope.bytes, 0);
	if (qemu_plugin_read_register(microscope.registers[index], microscope.bytes) <= 0)
		return 0;
	memcpy(&value, microscope.bytes->data,
	       microscope.bytes->len < sizeof(value) ? microscope.bytes->len : sizeof(value));
	return value;
}

static void on_command(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	switch (register_value(RDI)) {
	case COMMAND_ARM:
		arm(register_value(RCX));
		break;
	case COMMAND_OPEN: {
		uint64_t address = register_value(RSI), count = register_value(RDX);

		open_window(address, count);
		break;
	}
	case COMMAND_CLOSE:
		end_window(register_value(RCX));
		break;
	}
}

/* === What every instruction is given === */

static void on_run(unsigned int vcpu, void *data)
{
	(void)vcpu;
	paths_run(data);
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	(void)vcpu;
	if (microscope.is_open)
		payload_access(data, info, address);
}

static void on_call(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	const struct site *site = data;

	(void)vcpu;
	if (!microscope.is_open)
		return;
	payload_access(site, info, address);
	if (qemu_plugin_mem_is_store(info))
		paths_call(site->run->function, address);
}

static void on_return(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	(void)vcpu;
	if (!microscope.is_open)
		return;
	payload_access(data, info, address);
	paths_return(address);
}

static void on_interrupt_return(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address,
				void *data)
{
	(void)vcpu;
	if (!microscope.is_open)
		return;
	payload_access(data, info, address);
	paths_interrupt_return(address);
}

static qemu_plugin_vcpu_mem_cb_t callback_for(const struct run *run, enum instruction_kind kind)
{
	if (run->function == &function_user)
		return on_access;
	switch (kind) {
	case INSTRUCTION_CALL:
		return on_call;
	case INSTRUCTION_RETURN:
		return on_return;
	case INSTRUCTION_INTERRUPT_RETURN:
		return on_interrupt_return;
	default:
		return on_access;
	}
}

/* Those that can copy have a site of their own; all others of a run have one together. */
static struct site *site_of(struct run *run, const struct instruction *known)
{
	struct site *site = &run->site;

	if (known->reg == NO_REGISTER && known->kind != INSTRUCTION_MOVE)
		return site;
	site = arena_make(&microscope.runs, sizeof(*site));
	site->run = run;
	site->reg = known->reg;
	site->is_move = known->kind == INSTRUCTION_MOVE;
	return site;
}

static void watch_accesses(struct qemu_plugin_insn *instruction, struct run *run)
{
	uint8_t bytes[16];
	size_t length = qemu_plugin_insn_data(instruction, bytes, sizeof(bytes));
	struct instruction known = instruction_decode(bytes, length);

	qemu_plugin_register_vcpu_mem_cb(instruction, callback_for(run, known.kind),
					 QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
					 site_of(run, &known));
}

/* The run that an instruction is in: the last one, or a new one. */
static struct run *run_of(struct qemu_plugin_insn *instruction, struct run *last)
{
	uint64_t address = qemu_plugin_insn_vaddr(instruction), start;
	struct function *function = symbols_find(address, &start);
	struct run *run;

	if (last && last->function == function)
		return last;
	run = arena_make(&microscope.runs, sizeof(*run));
	run->function = function;
	run->start = address;
	run->begins = address == start;
	run->site = (struct site){ .run = run, .reg = NO_REGISTER };
	qemu_plugin_register_vcpu_insn_exec_cond_cb(instruction, on_run, QEMU_PLUGIN_CB_NO_REGS,
						    QEMU_PLUGIN_COND_NE, microscope.open, 0, run);
	return run;
}

static void watch_command(struct qemu_plugin_insn *instruction)
{
	uint8_t bytes[sizeof(command_bytes)];

	if (is_kernel(qemu_plugin_insn_vaddr(instruction)) ||
	    qemu_plugin_insn_size(instruction) != sizeof(command_bytes) ||
	    qemu_plugin_insn_data(instruction, bytes, sizeof(bytes)) != sizeof(bytes) ||
	    memcmp(bytes, command_bytes, sizeof(bytes)))
		return;
	qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_command, QEMU_PLUGIN_CB_R_REGS,
					       NULL);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	size_t count = qemu_plugin_tb_n_insns(block), i;
	struct run *run = NULL;

	(void)id;
	for (i = 0; i < count; i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);

		if (microscope.armed) {
			run = run_of(instruction, run);
			run->count++;
			watch_accesses(instruction, run);
		}
		watch_command(instruction);
	}
}

/* === Beginning === */

static void find_registers(qemu_plugin_id_t id, unsigned int vcpu)
{
	static const char *const names[REGISTERS] = { "rdi", "rsi", "rdx", "rcx" };
	GArray *known = qemu_plugin_get_registers();
	const qemu_plugin_reg_descriptor *descriptors = known->data;
	unsigned int i, j;

	(void)id;
	(void)vcpu;
	for (i = 0; i < known->len; i++) {
		for (j = 0; j < REGISTERS; j++) {
			if (!strcmp(descriptors[i].name, names[j]))
				microscope.registers[j] = descriptors[i].handle;
		}
	}
	for (j = 0; j < REGISTERS; j++) {
		if (microscope.registers[j])
			continue;
		fprintf(stderr, "microscope: QEMU does not show the register %s\n", names[j]);
		exit(1);
	}
}

static const char *refusal(const qemu_info_t *info)
{
	if (!info->system_emulation || strcmp(info->target_name, "x86_64"))
		return "it looks at a whole machine of 64-bit x86 only";
	if (info->version.min > MICROSCOPE_INTERFACE || info->version.cur < MICROSCOPE_INTERFACE)
		return "it needs version 4 of QEMU's plugin interface, which came with QEMU 9.2";
	/*
	 * In one thread QEMU makes the number of the processor a constant of a translation that
	 * all of them share.
	 */
	if (info->system.max_vcpus != 1)
		return "it needs a machine of one processor: -smp 1";
	if (!microscope.folder)
		return "it needs a folder to answer in: -plugin PATH,folder=FOLDER";
	return NULL;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	const char *problem;
	int i;

	microscope.id = id;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "folder=", 7))
			microscope.folder = strdup(argv[i] + 7);
	}
	problem = refusal(info);
	if (problem) {
		fprintf(stderr, "microscope: %s\n", problem);
		return -1;
	}
	microscope.bytes = g_byte_array_new();
	microscope.open.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	qemu_plugin_register_vcpu_init_cb(id, find_registers);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
