/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of a frame at one instruction, and what an instruction makes of it. */
#ifndef LEAT_UNWIND_FLOW_STATE_H
#define LEAT_UNWIND_FLOW_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "leat_unwind.h"
#include "unwind/x86.h"

/* A value of a register: how far it is from what. */
enum leat_flow_from {
	LEAT_FROM_NOTHING = 0,
	LEAT_FROM_CFA = 1, /* the canonical frame address */
	LEAT_FROM_ALIGNED =
		2, /* what sp was when it was aligned: itself an unknown way from the CFA */
};

#define LEAT_FLOW_LOST 0xffff

struct leat_flow_state {
	int32_t off[LEAT_X86_REGS];
	uint8_t from[LEAT_X86_REGS]; /* enum leat_flow_from */
	/* The word at ALIGNED + slot holds CFA + slot_off. */
	int32_t slot, slot_off;
	bool has_slot;
	bool outermost; /* nothing is returned to */
	bool signal;	/* where the kernel has a signal's handler return to */
	uint8_t pad;
	/* Where the caller's are: words below the CFA; 0 still in the register, LEAT_FLOW_LOST. */
	uint16_t bp, bx;
};

_Static_assert(sizeof(struct leat_flow_state) == 96, "compared as bytes");

/* At a function's first instruction. */
void leat_flow_enter(struct leat_flow_state *s);
/* False: no function does this, so it is none, or was followed wrongly. */
bool leat_flow_step(struct leat_flow_state *s, const struct leat_x86_insn *i);
/* Two ways lead to one place: @a becomes what both say. False: they contradict. */
bool leat_flow_meet(struct leat_flow_state *a, const struct leat_flow_state *b);
/* sp is where it was at the begin. */
bool leat_flow_is_level(const struct leat_flow_state *s);
struct leat_unwind_rule leat_flow_rule(const struct leat_flow_state *s);

#endif
