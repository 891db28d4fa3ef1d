/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The expressions that occur, recognised by content, and the rule that a state amounts to. In 60
 * libraries and programs of a distribution all expressions have one of these forms, but for one of
 * libcrypto's that adds an index register.
 */
#include "unwind/cfi.h"

#define DWARF_FP 6
#define DWARF_SP 7
#define DWARF_RA 16

enum {
	OP_DEREF = 0x06,
	OP_AND = 0x1a,
	OP_PLUS = 0x22,
	OP_PLUS_UCONST = 0x23,
	OP_SHL = 0x24,
	OP_GE = 0x2a,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
};

/* Where x86-64's kernel saves what a signal has interrupted, from the ucontext on. */
#define UC_FP 120
#define UC_SP 160
#define UC_RA 168

static bool take_op(struct leat_reader *r, uint8_t want)
{
	uint8_t op = 0;

	return !leat_reader_u8(r, &op) && op == want;
}

static bool take_lit(struct leat_reader *r, uint32_t *value)
{
	uint8_t op;

	if (leat_reader_u8(r, &op) || op < OP_LIT0 || op > OP_LIT31)
		return false;
	*value = op - OP_LIT0;
	return true;
}

static bool take_breg(struct leat_reader *r, uint32_t *reg, int64_t *off)
{
	uint8_t op;

	if (leat_reader_u8(r, &op) || op < OP_BREG0 || op > OP_BREG31)
		return false;
	*reg = op - OP_BREG0;
	return !leat_reader_sleb128(r, off);
}

/* rip; 15; and; N; ge; 3; shl; plus: entries of 16 bytes that push a word before byte N. */
static bool take_plt(struct leat_reader *r, uint32_t *from)
{
	uint32_t reg, mask, shift;
	int64_t off;

	return take_breg(r, &reg, &off) && reg == DWARF_RA && off == 0 && take_lit(r, &mask) &&
	       mask == 15 && take_op(r, OP_AND) && take_lit(r, from) && take_op(r, OP_GE) &&
	       take_lit(r, &shift) && shift == 3 && take_op(r, OP_SHL) && take_op(r, OP_PLUS) &&
	       leat_reader_left(r) == 0;
}

/* deref, and perhaps a constant that is added. */
static bool take_mem(struct leat_reader *r, uint32_t *add)
{
	uint64_t value = 0;

	if (!take_op(r, OP_DEREF))
		return false;
	if (leat_reader_left(r) && (!take_op(r, OP_PLUS_UCONST) || leat_reader_uleb128(r, &value)))
		return false;
	if (leat_reader_left(r) || value > 15 * 8 || value % 8)
		return false;
	*add = (uint32_t)value;
	return true;
}

void leat_cfi_expr_cfa(struct leat_reader r, struct leat_cfi_state *s)
{
	struct leat_reader rest;
	uint32_t reg, arg = 0;
	int64_t off;

	s->cfa_kind = LEAT_CFA_INVALID;
	if (!take_breg(&r, &reg, &off) || reg >= DWARF_RA)
		return;
	s->cfa_off = off;
	rest = r;
	if (!leat_reader_left(&rest)) {
		s->cfa_kind = (uint8_t)(LEAT_CFA_REG + reg);
	} else if (reg == DWARF_SP && take_plt(&rest, &arg)) {
		s->cfa_kind = LEAT_CFA_PLT;
	} else if ((reg == DWARF_SP || reg == DWARF_FP) && take_mem(&r, &arg)) {
		s->cfa_kind = reg == DWARF_SP ? LEAT_CFA_SP_MEM : LEAT_CFA_FP_MEM;
	}
	s->cfa_arg = arg;
}

/* A place: a register and an offset. */
static bool is_place(struct leat_reader r, uint32_t *reg, int64_t *off)
{
	return take_breg(&r, reg, off) && leat_reader_left(&r) == 0;
}

void leat_cfi_expr_fp(struct leat_reader r, struct leat_cfi_state *s)
{
	uint32_t reg;

	s->fp_kind = LEAT_FP_LOST;
	if (!is_place(r, &reg, &s->fp_off))
		return;
	if (reg == DWARF_FP)
		s->fp_kind = LEAT_FP_FP;
	if (reg == DWARF_SP)
		s->fp_kind = LEAT_FP_SP;
}

void leat_cfi_expr_sp(struct leat_reader r, struct leat_cfi_state *s)
{
	uint32_t reg;
	int64_t off;

	s->sp_kind = LEAT_CFI_SP_OTHER;
	if (is_place(r, &reg, &off) && reg == DWARF_SP && off == UC_SP)
		s->sp_kind = LEAT_CFI_SP_SIGNAL;
}

void leat_cfi_expr_ra(struct leat_reader r, struct leat_cfi_state *s)
{
	uint32_t reg;
	int64_t off;

	s->ra_kind = LEAT_CFI_RA_NONE;
	if (is_place(r, &reg, &off) && reg == DWARF_SP && off == UC_RA)
		s->ra_kind = LEAT_CFI_RA_SIGNAL;
}

static bool is_signal(const struct leat_cfi_state *s)
{
	return s->ra_kind == LEAT_CFI_RA_SIGNAL && s->cfa_kind == LEAT_CFA_SP_MEM &&
	       s->cfa_off == UC_SP && s->cfa_arg == 0 && s->fp_kind == LEAT_FP_SP &&
	       s->fp_off == UC_FP && s->sp_kind != LEAT_CFI_SP_OTHER;
}

/* False when it does not fit. */
static bool pack_cfa(const struct leat_cfi_state *s, struct leat_unwind_rule *r)
{
	int64_t off = s->cfa_off;

	r->cfa = s->cfa_kind;
	if (r->cfa == LEAT_CFA_REG + DWARF_SP)
		r->cfa = LEAT_CFA_SP;
	if (r->cfa == LEAT_CFA_REG + DWARF_FP)
		r->cfa = LEAT_CFA_FP;
	if (r->cfa == LEAT_CFA_SP_MEM || r->cfa == LEAT_CFA_FP_MEM) {
		if (off < -LEAT_CFA_OFF_MAX || off > LEAT_CFA_OFF_MAX)
			return false;
		off = off * 16 + s->cfa_arg / 8;
	}
	if (off < -LEAT_CFA_OFF_MAX || off > LEAT_CFA_OFF_MAX)
		return false;
	r->cfa_bx = (int32_t)off * 256 + s->bx;
	return true;
}

/* What does not fit is lost: the frame can be left, but not by what needs fp. */
static void pack_fp(const struct leat_cfi_state *s, struct leat_unwind_rule *r)
{
	int64_t words = s->fp_off / 8;

	r->fp = s->fp_kind;
	if (r->fp == LEAT_FP_SAME || r->fp == LEAT_FP_LOST)
		return;
	if (s->fp_off % 8 || words < INT16_MIN || words > INT16_MAX)
		r->fp = LEAT_FP_LOST;
	else
		r->fp_off = (int16_t)words;
}

struct leat_unwind_rule leat_cfi_rule(const struct leat_cfi_state *s, bool signal_frame)
{
	static const struct leat_unwind_rule invalid = { .cfa = LEAT_CFA_INVALID };
	struct leat_unwind_rule r = { 0 };

	if (s->ra_kind == LEAT_CFI_RA_UNDEFINED)
		return (struct leat_unwind_rule){ .cfa = LEAT_CFA_STOP };
	if (is_signal(s))
		return (struct leat_unwind_rule){ .cfa = LEAT_CFA_SIGNAL };
	if (s->ra_kind != LEAT_CFI_RA_CFA8 || s->sp_kind != LEAT_CFI_SP_CFA ||
	    s->cfa_kind == LEAT_CFA_INVALID || !pack_cfa(s, &r))
		return invalid;
	pack_fp(s, &r);
	if (r.cfa == LEAT_CFA_PLT) {
		/* The same word holds from where on 8 is added. */
		if (r.fp != LEAT_FP_SAME)
			return invalid;
		r.fp_off = (int16_t)s->cfa_arg;
	}
	if (signal_frame)
		r.fp |= LEAT_FP_EXACT;
	return r;
}
