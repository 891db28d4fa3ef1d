/* SPDX-License-Identifier: BSD-2-Clause */
/* The instructions of CIEs and FDEs. Only the CFA, rbx, fp, sp and the return address are followed. */
#include "unwind/cfi.h"

#include "unwind/cfi_impl.h"

#define DWARF_BX  3
#define DWARF_FP  6
#define DWARF_SP  7
#define DWARF_RA  16
#define DWARF_MAX 16 /* registers above have nothing to do with frames */

enum {
	CFA_ADVANCE_LOC = 0x40, /* these three with an operand in the low six bits */
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
	CFA_NOP = 0x00,
	CFA_SET_LOC = 0x01,
	CFA_ADVANCE_LOC1 = 0x02,
	CFA_ADVANCE_LOC2 = 0x03,
	CFA_ADVANCE_LOC4 = 0x04,
	CFA_OFFSET_EXTENDED = 0x05,
	CFA_RESTORE_EXTENDED = 0x06,
	CFA_UNDEFINED = 0x07,
	CFA_SAME_VALUE = 0x08,
	CFA_REGISTER = 0x09,
	CFA_REMEMBER_STATE = 0x0a,
	CFA_RESTORE_STATE = 0x0b,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_REGISTER = 0x0d,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	CFA_EXPRESSION = 0x10,
	CFA_OFFSET_EXTENDED_SF = 0x11,
	CFA_DEF_CFA_SF = 0x12,
	CFA_DEF_CFA_OFFSET_SF = 0x13,
	CFA_VAL_OFFSET = 0x14,
	CFA_VAL_OFFSET_SF = 0x15,
	CFA_VAL_EXPRESSION = 0x16,
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
};

/* A run through instructions. */
struct run {
	const struct leat_cfi *cfi;
	const struct leat_cie *cie;
	struct leat_reader r;
	struct leat_cfi_state s;
	struct leat_cfi_state kept[LEAT_CFI_STATES_MAX];
	uint32_t kept_cnt;
	bool is_cie;  /* no location, no rows */
	bool changed; /* since the last row */
	uint64_t loc;
	uint64_t end;
	struct leat_unwind_rules *rules;
	struct leat_rows *out;
	struct leat_cfi_state last; /* what the last row said, and its rule */
	uint32_t last_rule;
	bool has_last;
};

/* Nearly all are one byte long. */
static inline bool uleb(struct leat_reader *r, uint64_t *out)
{
	if (r->off < r->len && r->base[r->off] < 0x80) {
		*out = r->base[r->off++];
		return true;
	}
	return !leat_reader_uleb128(r, out);
}

static bool same_state(const struct leat_cfi_state *a, const struct leat_cfi_state *b)
{
	return a->cfa_off == b->cfa_off && a->cfa_kind == b->cfa_kind && a->fp_off == b->fp_off &&
	       a->fp_kind == b->fp_kind && a->ra_kind == b->ra_kind && a->sp_kind == b->sp_kind &&
	       a->cfa_arg == b->cfa_arg && a->bx == b->bx;
}

static void put_row(struct run *x)
{
	if (!x->changed || x->is_cie)
		return;
	x->changed = false;
	if (!x->has_last || !same_state(&x->s, &x->last)) {
		x->last_rule = leat_unwind_rules_intern(x->rules,
							leat_cfi_rule(&x->s, x->cie->signal_frame));
		x->last = x->s;
		x->has_last = true;
	}
	leat_rows_add(x->out, x->loc, x->last_rule);
}

/* False at the end of the function: what follows is about nothing. */
static bool advance_to(struct run *x, uint64_t loc)
{
	put_row(x);
	if (loc >= x->end)
		return false;
	x->loc = loc;
	return true;
}

static bool advance(struct run *x, uint64_t delta)
{
	uint64_t loc;

	if (__builtin_mul_overflow(delta, x->cie->code_align, &delta) ||
	    __builtin_add_overflow(x->loc, delta, &loc))
		loc = UINT64_MAX;
	return advance_to(x, loc);
}

static bool is_followed(uint64_t reg)
{
	return reg == DWARF_FP || reg == DWARF_RA || reg == DWARF_SP || reg == DWARF_BX;
}

/* Words below the CFA, if that can be said. */
static uint8_t bx_at(int64_t off)
{
	int64_t words = -off / 8;

	return off % 8 == 0 && words > 0 && words < LEAT_BX_LOST ? (uint8_t)words : LEAT_BX_LOST;
}

/* A register's rule becomes "at CFA + @off", and so on. Others than these three are not followed. */
static void set_offset(struct run *x, uint64_t reg, int64_t off)
{
	struct leat_cfi_state *s = &x->s;

	if (reg == DWARF_FP) {
		s->fp_kind = LEAT_FP_CFA;
		s->fp_off = off;
	} else if (reg == DWARF_RA) {
		s->ra_kind = off == -8 ? LEAT_CFI_RA_CFA8 : LEAT_CFI_RA_NONE;
	} else if (reg == DWARF_SP) {
		s->sp_kind = LEAT_CFI_SP_OTHER;
	} else if (reg == DWARF_BX) {
		s->bx = bx_at(off);
	}
	x->changed |= is_followed(reg);
}

static void set_same(struct run *x, uint64_t reg)
{
	struct leat_cfi_state *s = &x->s;

	if (reg == DWARF_FP)
		s->fp_kind = LEAT_FP_SAME;
	else if (reg == DWARF_RA)
		s->ra_kind = LEAT_CFI_RA_NONE;
	else if (reg == DWARF_SP)
		s->sp_kind = LEAT_CFI_SP_OTHER;
	else if (reg == DWARF_BX)
		s->bx = 0;
	x->changed |= is_followed(reg);
}

/* A value that is nowhere, or where a row cannot say. */
static void set_lost(struct run *x, uint64_t reg, bool undefined)
{
	struct leat_cfi_state *s = &x->s;

	if (reg == DWARF_FP)
		s->fp_kind = LEAT_FP_LOST;
	else if (reg == DWARF_RA)
		s->ra_kind = undefined ? LEAT_CFI_RA_UNDEFINED : LEAT_CFI_RA_NONE;
	else if (reg == DWARF_SP)
		s->sp_kind = LEAT_CFI_SP_OTHER;
	else if (reg == DWARF_BX)
		s->bx = LEAT_BX_LOST;
	x->changed |= is_followed(reg);
}

static void set_initial(struct run *x, uint64_t reg)
{
	const struct leat_cfi_state *from = &x->cie->initial;
	struct leat_cfi_state *s = &x->s;

	if (reg == DWARF_FP) {
		s->fp_kind = from->fp_kind;
		s->fp_off = from->fp_off;
	} else if (reg == DWARF_RA) {
		s->ra_kind = from->ra_kind;
	} else if (reg == DWARF_SP) {
		s->sp_kind = from->sp_kind;
	} else if (reg == DWARF_BX) {
		s->bx = from->bx;
	}
	x->changed |= is_followed(reg);
}

static bool set_cfa(struct run *x, uint64_t reg, int64_t off)
{
	/* A register that is not there makes no rule, and the instructions still are well-formed. */
	x->s.cfa_kind = reg < DWARF_MAX ? (uint8_t)(LEAT_CFA_REG + reg) : LEAT_CFA_INVALID;
	x->s.cfa_off = off;
	x->s.cfa_arg = 0;
	x->changed = true;
	return true;
}

static bool set_cfa_offset(struct run *x, int64_t off)
{
	/* Only of a register: after an expression this means nothing. */
	if (x->s.cfa_kind < LEAT_CFA_REG)
		x->s.cfa_kind = LEAT_CFA_INVALID;
	x->s.cfa_off = off;
	x->changed = true;
	return true;
}

static bool set_cfa_register(struct run *x, uint64_t reg)
{
	if (x->s.cfa_kind < LEAT_CFA_REG)
		reg = DWARF_MAX;
	return set_cfa(x, reg, x->s.cfa_off);
}

/* @n times the CIE's factor. */
static bool scaled(const struct run *x, int64_t n, int64_t *out)
{
	return !__builtin_mul_overflow(n, x->cie->data_align, out);
}

static bool take_block(struct run *x, struct leat_reader *out)
{
	const void *p;
	uint64_t n;

	if (!uleb(&x->r, &n) || leat_reader_bytes(&x->r, n, &p))
		return false;
	*out = leat_reader_of(p, n);
	return true;
}

static bool op_cfa_expression(struct run *x)
{
	struct leat_reader block;

	if (!take_block(x, &block))
		return false;
	leat_cfi_expr_cfa(block, &x->s);
	x->changed = true;
	return true;
}

static bool op_expression(struct run *x, bool is_value)
{
	struct leat_reader block;
	uint64_t reg;

	if (!uleb(&x->r, &reg) || !take_block(x, &block))
		return false;
	if (is_value)
		set_lost(x, reg, false);
	else if (reg == DWARF_FP)
		leat_cfi_expr_fp(block, &x->s);
	else if (reg == DWARF_RA)
		leat_cfi_expr_ra(block, &x->s);
	else if (reg == DWARF_SP)
		leat_cfi_expr_sp(block, &x->s);
	else if (reg == DWARF_BX)
		x->s.bx = LEAT_BX_LOST;
	x->changed |= is_followed(reg);
	return true;
}

enum offset_form { UNSIGNED, SIGNED, NEGATED };

static bool op_offset(struct run *x, enum offset_form form)
{
	uint64_t reg, n;
	int64_t off;

	if (!uleb(&x->r, &reg))
		return false;
	if (form == SIGNED) {
		if (leat_reader_sleb128(&x->r, &off))
			return false;
	} else {
		if (!uleb(&x->r, &n) || n > INT64_MAX)
			return false;
		off = form == NEGATED ? -(int64_t)n : (int64_t)n;
	}
	if (!scaled(x, off, &off))
		return false;
	set_offset(x, reg, off);
	return true;
}

/* The register's value is CFA + n: sp's is the CFA itself, and others are nowhere in memory. */
static bool op_val_offset(struct run *x, bool is_signed)
{
	uint64_t reg, n = 0;
	int64_t off = 0;

	if (!uleb(&x->r, &reg))
		return false;
	if (is_signed ? leat_reader_sleb128(&x->r, &off) != 0 : !uleb(&x->r, &n))
		return false;
	if (reg == DWARF_SP && off == 0 && n == 0) {
		x->s.sp_kind = LEAT_CFI_SP_CFA;
		x->changed = true;
	} else {
		set_lost(x, reg, false);
	}
	return true;
}

static bool op_def_cfa(struct run *x, bool is_signed)
{
	uint64_t reg, n;
	int64_t off;

	if (!uleb(&x->r, &reg))
		return false;
	if (is_signed)
		return !leat_reader_sleb128(&x->r, &off) && scaled(x, off, &off) &&
		       set_cfa(x, reg, off);
	return uleb(&x->r, &n) && n <= INT64_MAX && set_cfa(x, reg, (int64_t)n);
}

static bool op_def_cfa_offset_sf(struct run *x)
{
	int64_t off;

	return !leat_reader_sleb128(&x->r, &off) && scaled(x, off, &off) && set_cfa_offset(x, off);
}

static bool op_remember(struct run *x)
{
	if (x->kept_cnt == LEAT_CFI_STATES_MAX)
		return false;
	x->kept[x->kept_cnt++] = x->s;
	return true;
}

static bool op_restore_state(struct run *x)
{
	if (!x->kept_cnt)
		return false;
	x->s = x->kept[--x->kept_cnt];
	x->changed = true;
	return true;
}

/* A rule for one register, by a register's number alone. */
static bool op_register_rule(struct run *x, uint8_t op)
{
	uint64_t reg, other;

	if (!uleb(&x->r, &reg))
		return false;
	switch (op) {
	case CFA_RESTORE_EXTENDED:
		set_initial(x, reg);
		return true;
	case CFA_UNDEFINED:
		set_lost(x, reg, true);
		return true;
	case CFA_SAME_VALUE:
		set_same(x, reg);
		return true;
	default: /* CFA_REGISTER */
		if (!uleb(&x->r, &other))
			return false;
		if (other == reg)
			set_same(x, reg);
		else
			set_lost(x, reg, false);
		return true;
	}
}

/* One that says something of the frame. False: malformed. */
static bool run_rule(struct run *x, uint8_t op)
{
	uint64_t n;

	switch (op) {
	case CFA_OFFSET_EXTENDED:
		return op_offset(x, UNSIGNED);
	case CFA_OFFSET_EXTENDED_SF:
		return op_offset(x, SIGNED);
	case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
		return op_offset(x, NEGATED);
	case CFA_RESTORE_EXTENDED:
	case CFA_UNDEFINED:
	case CFA_SAME_VALUE:
	case CFA_REGISTER:
		return op_register_rule(x, op);
	case CFA_REMEMBER_STATE:
		return op_remember(x);
	case CFA_RESTORE_STATE:
		return op_restore_state(x);
	case CFA_DEF_CFA:
	case CFA_DEF_CFA_SF:
		return op_def_cfa(x, op == CFA_DEF_CFA_SF);
	case CFA_DEF_CFA_REGISTER:
		return uleb(&x->r, &n) && set_cfa_register(x, n);
	case CFA_DEF_CFA_OFFSET:
		return uleb(&x->r, &n) && n <= INT64_MAX && set_cfa_offset(x, (int64_t)n);
	case CFA_DEF_CFA_OFFSET_SF:
		return op_def_cfa_offset_sf(x);
	case CFA_DEF_CFA_EXPRESSION:
		return op_cfa_expression(x);
	case CFA_EXPRESSION:
	case CFA_VAL_EXPRESSION:
		return op_expression(x, op == CFA_VAL_EXPRESSION);
	case CFA_VAL_OFFSET:
	case CFA_VAL_OFFSET_SF:
		return op_val_offset(x, op == CFA_VAL_OFFSET_SF);
	case CFA_GNU_ARGS_SIZE: /* about arguments: sp is where the CFA says */
		return uleb(&x->r, &n);
	default:
		return false;
	}
}

enum run_next { GO_ON, ENDED, MALFORMED };

static enum run_next of(bool read, bool inside)
{
	if (!read)
		return MALFORMED;
	return inside ? GO_ON : ENDED;
}

static enum run_next run_advance(struct run *x, uint8_t op)
{
	uint64_t loc;
	uint32_t d4;
	uint16_t d2;
	uint8_t d1;

	switch (op) {
	case CFA_ADVANCE_LOC1:
		return leat_reader_u8(&x->r, &d1) ? MALFORMED : of(true, advance(x, d1));
	case CFA_ADVANCE_LOC2:
		return leat_reader_u16(&x->r, &d2) ? MALFORMED : of(true, advance(x, d2));
	case CFA_ADVANCE_LOC4:
		return leat_reader_u32(&x->r, &d4) ? MALFORMED : of(true, advance(x, d4));
	default: /* CFA_SET_LOC: never backwards */
		if (leat_cfi_address(x->cfi, x->cie->enc, &x->r, &loc) || loc < x->loc)
			return MALFORMED;
		return of(true, advance_to(x, loc));
	}
}

static bool run_offset(struct run *x, uint64_t reg)
{
	int64_t off;
	uint64_t n;

	if (!uleb(&x->r, &n))
		return false;
	if (!is_followed(reg))
		return true;
	if (n > INT64_MAX || !scaled(x, (int64_t)n, &off))
		return false;
	set_offset(x, reg, off);
	return true;
}

static enum run_next run_one(struct run *x)
{
	uint8_t op = x->r.base[x->r.off++];

	switch (op & 0xc0) {
	case CFA_ADVANCE_LOC:
		return of(true, advance(x, op & 0x3f));
	case CFA_OFFSET:
		return of(run_offset(x, op & 0x3f), true);
	case CFA_RESTORE:
		set_initial(x, op & 0x3f);
		return GO_ON;
	default:
		break;
	}
	if (op == CFA_NOP)
		return GO_ON;
	if (op >= CFA_SET_LOC && op <= CFA_ADVANCE_LOC4)
		return x->is_cie ? MALFORMED : run_advance(x, op);
	return of(run_rule(x, op), true);
}

static bool run_all(struct run *x)
{
	enum run_next next = GO_ON;

	while (next == GO_ON && leat_reader_left(&x->r))
		next = run_one(x);
	if (next == GO_ON)
		put_row(x);
	return next != MALFORMED;
}

bool leat_cfi_initial(struct leat_cie *cie, struct leat_reader r)
{
	struct run x = { .cie = cie, .r = r, .is_cie = true, .end = UINT64_MAX };

	/* Nothing said: fp is as the ABI has it, the rest is unknown. */
	cie->initial = (struct leat_cfi_state){ .cfa_kind = LEAT_CFA_INVALID };
	if (!run_all(&x))
		return false;
	cie->initial = x.s;
	return true;
}

bool leat_cfi_rows(const struct leat_cfi *c, const struct leat_fde *f, uint64_t end,
		   struct leat_unwind_rules *rules, struct leat_rows *out)
{
	const struct leat_cie *cie = &c->cies[f->cie];
	struct run x;

	/* Not kept[], which is large and only read where written. */
	memset(&x, 0, offsetof(struct run, kept));
	memset((char *)&x + offsetof(struct run, kept_cnt), 0,
	       sizeof(x) - offsetof(struct run, kept_cnt));
	x.cfi = c;
	x.cie = cie;
	x.r = leat_reader_of(c->data + f->ins, f->ins_len);
	x.s = cie->initial;
	x.changed = true;
	x.loc = f->start;
	x.end = end;
	x.rules = rules;
	x.out = out;
	if (!run_all(&x)) {
		leat_rows_add(out, x.loc, LEAT_RULE_INVALID);
		return false;
	}
	return true;
}
