// SPDX-License-Identifier: MIT
#include "instruction.h"

#include <stdbool.h>
#include <string.h>

#define REX_R 0x04

static bool is_prefix(uint8_t byte)
{
	/* Segments, operand and address size, LOCK, and what stands before branches and strings. */
	return (byte & 0xe7) == 0x26 || (byte >= 0x64 && byte <= 0x67) || byte == 0xf0 ||
	       byte == 0xf2 || byte == 0xf3;
}

static bool is_rex(uint8_t byte)
{
	return (byte & 0xf0) == 0x40;
}

/* The register of a ModRM byte whose other operand is in memory. */
static int register_of(uint8_t modrm, bool high)
{
	if (modrm >> 6 == 3)
		return NO_REGISTER;
	return (modrm >> 3 & 7) | (high ? 8 : 0);
}

static int vector_of(uint8_t modrm, bool high)
{
	int reg = register_of(modrm, high);

	return reg == NO_REGISTER ? NO_REGISTER : VECTORS + reg;
}

/* Opcodes after 0F that move a vector register, or a part of it, as it is. */
static bool moves_vector(uint8_t opcode)
{
	static const uint8_t opcodes[] = {
		0x10, 0x11, 0x12, 0x13, 0x16, 0x17, 0x28, 0x29, 0x2b, 0x6e, 0x6f, 0x7e, 0x7f, 0xd6,
		0xe7, 0xf0,
	};

	return memchr(opcodes, opcode, sizeof(opcodes));
}

/* Opcodes after 0F: CMOV, MOVZX, MOVSX, MOVNTI. */
static bool moves_general(uint8_t opcode)
{
	return (opcode & 0xf0) == 0x40 || (opcode & 0xf6) == 0xb6 || opcode == 0xc3;
}

static int register_after_0f(const uint8_t *bytes, size_t length, bool high)
{
	if (length < 2)
		return NO_REGISTER;
	if (moves_general(bytes[0]))
		return register_of(bytes[1], high);
	return moves_vector(bytes[0]) ? vector_of(bytes[1], high) : NO_REGISTER;
}

/* Of the opcodes of one byte: MOV and MOVSXD. */
static int register_of_move(uint8_t opcode, uint8_t modrm, uint8_t rex)
{
	int reg = register_of(modrm, rex & REX_R);

	if (opcode != 0x63 && (opcode & 0xfc) != 0x88)
		return NO_REGISTER;
	/* AH, CH, DH, BH: a part of another register. */
	if (!(opcode & 1) && !rex && reg >= 4)
		return NO_REGISTER;
	return reg;
}

/* VEX, in its short and its long form. */
static int register_of_vex(const uint8_t *bytes, size_t length)
{
	size_t opcode = bytes[0] == 0xc5 ? 2 : 3;

	if (length < opcode + 2 || (opcode == 3 && (bytes[1] & 0x1f) != 1) ||
	    !moves_vector(bytes[opcode]))
		return NO_REGISTER;
	return vector_of(bytes[opcode + 1], !(bytes[1] & 0x80));
}

static struct instruction of_kind(enum instruction_kind kind)
{
	return (struct instruction){ kind, NO_REGISTER };
}

static struct instruction of_register(int reg)
{
	return (struct instruction){ INSTRUCTION_OTHER, reg };
}

struct instruction instruction_decode(const uint8_t *bytes, size_t length)
{
	uint8_t rex = 0, modrm;
	size_t i = 0;

	while (i < length && is_prefix(bytes[i]))
		i++;
	if (i < length && is_rex(bytes[i]))
		rex = bytes[i++];
	if (i == length)
		return of_kind(INSTRUCTION_OTHER);
	modrm = i + 1 < length ? bytes[i + 1] : 0;
	switch (bytes[i]) {
	case 0x0f:
		return of_register(register_after_0f(bytes + i + 1, length - i - 1, rex & REX_R));
	case 0xa4:
	case 0xa5:
		return of_kind(INSTRUCTION_MOVE);
	case 0xaa:
	case 0xab:
	case 0xac:
	case 0xad:
		/* STOS and LODS: the accumulator. */
		return of_register(0);
	case 0xc2:
	case 0xc3:
		return of_kind(INSTRUCTION_RETURN);
	case 0xc4:
	case 0xc5:
		return of_register(register_of_vex(bytes + i, length - i));
	case 0xcf:
		return of_kind(INSTRUCTION_INTERRUPT_RETURN);
	case 0xe8:
		return of_kind(INSTRUCTION_CALL);
	case 0xff:
		return of_kind((modrm >> 3 & 7) == 2 ? INSTRUCTION_CALL : INSTRUCTION_OTHER);
	default:
		return i + 1 < length ? of_register(register_of_move(bytes[i], modrm, rex))
				      : of_kind(INSTRUCTION_OTHER);
	}
}
