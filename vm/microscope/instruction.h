/* SPDX-License-Identifier: MIT */
/* What an instruction does with memory, from its bytes. */
#ifndef MICROSCOPE_INSTRUCTION_H
#define MICROSCOPE_INSTRUCTION_H

#include <stddef.h>
#include <stdint.h>

/* Not one register that is loaded or stored as it is. */
#define NO_REGISTER	(-1)
/* Vector registers are numbered behind the general ones. */
#define VECTORS		16

enum instruction_kind {
	INSTRUCTION_OTHER,
	INSTRUCTION_CALL,
	INSTRUCTION_RETURN,
	INSTRUCTION_INTERRUPT_RETURN,
	/* MOVS: it loads, and stores the same. */
	INSTRUCTION_MOVE,
};

/**
 * struct instruction - what is known of an instruction
 * @kind: what it is
 * @reg: the register that it loads from memory or stores there, or NO_REGISTER
 */
struct instruction {
	enum instruction_kind kind;
	int reg;
};

struct instruction instruction_decode(const uint8_t *bytes, size_t length);

#endif
