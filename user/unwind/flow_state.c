/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/flow_state.h"

#include <string.h>

#include "unwind/cfi.h"

#define ENTRY_OFF   (-8) /* sp at the return address */
#define FRAME_MAX   (64 << 20)
#define CALL_WRITES 0x0fc7 /* rax, rcx, rdx, rsi, rdi, r8 to r11: a callee may change them */

void leat_flow_enter(struct leat_flow_state *s)
{
	memset(s, 0, sizeof(*s));
	s->from[LEAT_X86_SP] = LEAT_FROM_CFA;
	s->off[LEAT_X86_SP] = ENTRY_OFF;
}

bool leat_flow_is_level(const struct leat_flow_state *s)
{
	return s->from[LEAT_X86_SP] == LEAT_FROM_CFA && s->off[LEAT_X86_SP] == ENTRY_OFF;
}

static void forget(struct leat_flow_state *s, uint32_t reg)
{
	s->from[reg] = LEAT_FROM_NOTHING;
	s->off[reg] = 0;
}

/* A register gets another value: the caller's is gone when it was nowhere else. */
static void write_reg(struct leat_flow_state *s, uint32_t reg)
{
	forget(s, reg);
	if (reg == LEAT_X86_BP && !s->bp)
		s->bp = LEAT_FLOW_LOST;
	if (reg == LEAT_X86_BX && !s->bx)
		s->bx = LEAT_FLOW_LOST;
}

static void write_all(struct leat_flow_state *s, uint16_t regs)
{
	for (uint32_t r = 0; r < LEAT_X86_REGS; r++)
		if (regs >> r & 1)
			write_reg(s, r);
}

/* sp above the return address: nobody pops that, but what is never left. */
static bool is_above(const struct leat_flow_state *s)
{
	const int32_t off = s->off[LEAT_X86_SP];

	return s->from[LEAT_X86_SP] == LEAT_FROM_CFA && !s->outermost &&
	       (off > ENTRY_OFF || off < -FRAME_MAX);
}

static bool set(struct leat_flow_state *s, uint32_t reg, uint8_t from, int64_t off)
{
	write_reg(s, reg);
	if (from == LEAT_FROM_NOTHING || off < -FRAME_MAX || off > FRAME_MAX)
		return true;
	s->from[reg] = from;
	s->off[reg] = (int32_t)off;
	return reg != LEAT_X86_SP || !is_above(s);
}

static uint16_t words_below(int64_t off)
{
	return off < 0 && off % 8 == 0 && -off / 8 < LEAT_FLOW_LOST ? (uint16_t)(-off / 8) : 0;
}

/* @reg is written to memory. */
static void save(struct leat_flow_state *s, uint32_t reg, uint8_t from, int64_t at)
{
	const bool leads = reg < LEAT_X86_REGS && s->from[reg] == LEAT_FROM_CFA;

	if (from == LEAT_FROM_CFA && reg == LEAT_X86_BP && !s->bp)
		s->bp = words_below(at);
	if (from == LEAT_FROM_CFA && reg == LEAT_X86_BX && !s->bx)
		s->bx = words_below(at);
	if (from != LEAT_FROM_ALIGNED || (!leads && (!s->has_slot || at != s->slot)))
		return;
	s->has_slot = leads;
	s->slot = leads ? (int32_t)at : 0;
	s->slot_off = leads ? s->off[reg] : 0;
}

/* And read. */
static bool load(struct leat_flow_state *s, uint32_t reg, uint8_t from, int64_t at)
{
	if (from == LEAT_FROM_CFA && reg == LEAT_X86_BP && s->bp && s->bp == words_below(at)) {
		forget(s, reg);
		s->bp = 0;
		return true;
	}
	if (from == LEAT_FROM_CFA && reg == LEAT_X86_BX && s->bx && s->bx == words_below(at)) {
		forget(s, reg);
		s->bx = 0;
		return true;
	}
	if (from == LEAT_FROM_ALIGNED && s->has_slot && at == s->slot)
		return set(s, reg, LEAT_FROM_CFA, s->slot_off);
	write_reg(s, reg);
	return true;
}

static bool push(struct leat_flow_state *s, uint32_t reg)
{
	const uint8_t from = s->from[LEAT_X86_SP];

	if (from == LEAT_FROM_NOTHING)
		return true;
	s->off[LEAT_X86_SP] -= 8;
	save(s, reg, from, s->off[LEAT_X86_SP]);
	return !is_above(s);
}

static bool pop(struct leat_flow_state *s, uint32_t reg)
{
	const uint8_t from = s->from[LEAT_X86_SP];
	const int32_t at = s->off[LEAT_X86_SP];

	if (from != LEAT_FROM_NOTHING)
		s->off[LEAT_X86_SP] += 8;
	if (is_above(s))
		return false;
	return reg >= LEAT_X86_REGS || load(s, reg, from, at);
}

static bool add(struct leat_flow_state *s, uint32_t reg, int64_t n)
{
	if (s->from[reg] != LEAT_FROM_NOTHING)
		return set(s, reg, s->from[reg], s->off[reg] + n);
	write_reg(s, reg);
	return true;
}

static void align(struct leat_flow_state *s, uint32_t reg)
{
	write_reg(s, reg);
	if (reg != LEAT_X86_SP)
		return;
	for (uint32_t r = 0; r < LEAT_X86_REGS; r++)
		if (s->from[r] == LEAT_FROM_ALIGNED)
			forget(s, r);
	s->from[reg] = LEAT_FROM_ALIGNED;
	s->has_slot = false;
	s->slot = s->slot_off = 0;
}

static bool leave(struct leat_flow_state *s)
{
	if (!set(s, LEAT_X86_SP, s->from[LEAT_X86_BP], s->off[LEAT_X86_BP]))
		return false;
	return pop(s, LEAT_X86_BP);
}

/*
 * rbp belongs to the caller, so who sets it to 0 without having saved it has none: thus the ABI has
 * the outermost frame marked.
 */
static void zero(struct leat_flow_state *s, uint32_t reg)
{
	if (reg == LEAT_X86_BP && !s->bp)
		s->outermost = true;
	write_reg(s, reg);
}

bool leat_flow_step(struct leat_flow_state *s, const struct leat_x86_insn *i)
{
	write_all(s, i->writes);
	switch (i->op) {
	case LEAT_X86_PUSH:
		return push(s, i->reg);
	case LEAT_X86_POP:
		return pop(s, i->reg);
	case LEAT_X86_ADD:
		return add(s, i->reg, i->imm);
	case LEAT_X86_ALIGN:
		align(s, i->reg);
		return true;
	case LEAT_X86_LEA:
		return set(s, i->reg, s->from[i->base], s->off[i->base] + i->imm);
	case LEAT_X86_LOAD:
		return load(s, i->reg, s->from[i->base], s->off[i->base] + i->imm);
	case LEAT_X86_STORE:
		save(s, i->reg, s->from[i->base], s->off[i->base] + i->imm);
		return true;
	case LEAT_X86_ZERO:
		zero(s, i->reg);
		return true;
	case LEAT_X86_ADDRESS:
		write_reg(s, i->reg);
		return true;
	case LEAT_X86_LEAVE:
		return leave(s);
	case LEAT_X86_CALL:
		for (uint32_t r = 0; r < LEAT_X86_REGS; r++)
			if (CALL_WRITES >> r & 1)
				forget(s, r);
		return true;
	case LEAT_X86_RET:
		return leat_flow_is_level(s) && !s->outermost;
	default:
		return true;
	}
}

bool leat_flow_meet(struct leat_flow_state *a, const struct leat_flow_state *b)
{
	if (a->from[LEAT_X86_SP] != b->from[LEAT_X86_SP] ||
	    a->off[LEAT_X86_SP] != b->off[LEAT_X86_SP] || a->outermost != b->outermost)
		return false;
	for (uint32_t r = 0; r < LEAT_X86_REGS; r++)
		if (a->from[r] != b->from[r] || a->off[r] != b->off[r])
			forget(a, r);
	if (a->bp != b->bp)
		a->bp = LEAT_FLOW_LOST;
	if (a->bx != b->bx)
		a->bx = LEAT_FLOW_LOST;
	if (a->has_slot != b->has_slot || a->slot != b->slot || a->slot_off != b->slot_off) {
		a->has_slot = false;
		a->slot = a->slot_off = 0;
	}
	return true;
}

static const uint8_t dwarf_of[LEAT_X86_REGS] = { 0, 2, 1,  3,  7,  6,  4,  5,
						 8, 9, 10, 11, 12, 13, 14, 15 };

/* By what the CFA is found; false: by nothing. */
static bool find_cfa(const struct leat_flow_state *s, struct leat_cfi_state *c)
{
	static const uint8_t order[] = { LEAT_X86_SP, LEAT_X86_BP, 10,		LEAT_X86_AX,
					 14,	      13,	   15,		12,
					 LEAT_X86_BX, 11,	   LEAT_X86_DX, LEAT_X86_CX,
					 LEAT_X86_SI, LEAT_X86_DI, 8,		9 };

	for (uint32_t k = 0; k < 2 && s->has_slot; k++) {
		const uint32_t r = order[k];

		if (s->from[LEAT_X86_SP] == LEAT_FROM_CFA || s->from[r] != LEAT_FROM_ALIGNED ||
		    s->slot_off > 0 || s->slot_off < -15 * 8 || s->slot_off % 8)
			continue;
		c->cfa_kind = k ? LEAT_CFA_FP_MEM : LEAT_CFA_SP_MEM;
		c->cfa_off = s->slot - s->off[r];
		c->cfa_arg = (uint32_t)-s->slot_off;
		return true;
	}
	for (uint32_t k = 0; k < sizeof(order); k++) {
		const uint32_t r = order[k];

		if (s->from[r] != LEAT_FROM_CFA)
			continue;
		c->cfa_kind = (uint8_t)(LEAT_CFA_REG + dwarf_of[r]);
		c->cfa_off = -(int64_t)s->off[r];
		return true;
	}
	return false;
}

struct leat_unwind_rule leat_flow_rule(const struct leat_flow_state *s)
{
	struct leat_cfi_state c = { .ra_kind = LEAT_CFI_RA_CFA8 };

	if (s->signal)
		return (struct leat_unwind_rule){ .cfa = LEAT_CFA_SIGNAL };
	if (s->outermost)
		c.ra_kind = LEAT_CFI_RA_UNDEFINED;
	else if (!find_cfa(s, &c))
		c.cfa_kind = LEAT_CFA_INVALID;
	if (s->bp == LEAT_FLOW_LOST)
		c.fp_kind = LEAT_FP_LOST;
	else if (s->bp)
		c.fp_kind = LEAT_FP_CFA;
	c.fp_off = s->bp == LEAT_FLOW_LOST ? 0 : -8 * (int64_t)s->bp;
	c.bx = s->bx < LEAT_BX_LOST ? (uint8_t)s->bx : LEAT_BX_LOST;
	return leat_cfi_rule(&c, false);
}
