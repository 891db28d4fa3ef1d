/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one instruction of x86-64 does to the stack and to the registers that lead to it. All else is
 * "writes these registers"; a register that is only perhaps written counts as written.
 */
#ifndef LEAT_UNWIND_X86_H
#define LEAT_UNWIND_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers of registers as instructions have them. */
enum leat_x86_reg {
	LEAT_X86_AX = 0,
	LEAT_X86_CX = 1,
	LEAT_X86_DX = 2,
	LEAT_X86_BX = 3,
	LEAT_X86_SP = 4,
	LEAT_X86_BP = 5,
	LEAT_X86_SI = 6,
	LEAT_X86_DI = 7,
	LEAT_X86_REGS = 16,
	LEAT_X86_NONE = 16,
	LEAT_X86_IP = 17,
};

enum leat_x86_op {
	LEAT_X86_OTHER = 0,
	LEAT_X86_NOP,	/* padding, if nothing comes there */
	LEAT_X86_PUSH,	/* @reg; NONE: something else */
	LEAT_X86_POP,	/* into @reg; NONE: elsewhere */
	LEAT_X86_ADD,	/* @reg += @imm */
	LEAT_X86_ALIGN, /* @reg &= a mask */
	LEAT_X86_LEA,	/* @reg = @base + @imm */
	LEAT_X86_LOAD,	/* @reg = the word at @base + @imm */
	LEAT_X86_STORE, /* the word at @base + @imm = @reg */
	LEAT_X86_ZERO,	/* @reg = 0 */
	LEAT_X86_ADDRESS, /* @reg = an address: @imm from the end of the instruction, or itself (@base NONE) */
	LEAT_X86_LEAVE,
	LEAT_X86_RET,
	LEAT_X86_CALL,	 /* to @imm from the end of the instruction (@base IP), or anywhere */
	LEAT_X86_JUMP,	 /* the same */
	LEAT_X86_BRANCH, /* perhaps */
	LEAT_X86_END,	 /* nothing comes after it */
};

struct leat_x86_insn {
	uint8_t len;
	uint8_t op; /* enum leat_x86_op */
	uint8_t reg;
	uint8_t base;
	uint16_t writes; /* registers, besides what @op says; bit n: register n */
	int64_t imm;
};

/* False: no whole instruction that 64-bit code in user space would hold. At most 15 bytes are read. */
bool leat_x86_decode(const uint8_t *code, size_t n, struct leat_x86_insn *out);

#endif
