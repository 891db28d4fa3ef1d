/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls that were made, while a process is single-stepped. A call adds its return address; what
 * lies below sp has returned, or was jumped over (longjmp, an exception). A signal adds two: the
 * return address that the kernel has pushed, and what was interrupted. A signal's own stack lies
 * below the main one, so the order of addresses holds there too.
 */
#include <stdio.h>
#include <stdlib.h>

#include "judge.h"

#define UC_SP 160

static void add(struct truth *x, uint64_t slot, uint64_t ret)
{
	if (x->n == FRAMES_MAX) {
		fprintf(stderr, "too many calls\n");
		exit(2);
	}
	x->calls[x->n++] = (struct call){ .slot = slot, .ret = ret };
}

void truth_begin(struct truth *x, const struct stack *s)
{
	x->n = 0;
	for (size_t i = s->n - 1; i > 0; i--)
		add(x, s->frames[i].sp - 8, s->frames[i].pc);
}

/* e8, or ff with 2 in the middle of the byte after it; prefixes before. */
static bool is_call(const uint8_t *code, size_t n)
{
	size_t i = 0;

	while (i + 1 < n && (code[i] == 0x66 || code[i] == 0xf2 || code[i] == 0xf3 ||
			     code[i] == 0x2e || code[i] == 0x3e || (code[i] & 0xf0) == 0x40))
		i++;
	return code[i] == 0xe8 || (code[i] == 0xff && (code[i + 1] & 0x38) == 0x10);
}

void truth_before(struct truth *x, const struct target *t)
{
	uint8_t code[8] = { 0 };

	x->old_pc = t->regs.rip;
	x->old_sp = t->regs.rsp;
	x->was_call = target_bytes(t, x->old_pc, code, sizeof(code)) && is_call(code, sizeof(code));
}

void truth_after(struct truth *x, const struct target *t, bool signal)
{
	const uint64_t sp = t->regs.rsp;
	uint64_t ret, old_sp;

	if (signal && target_word(t, sp, &ret) && target_word(t, sp + 8 + UC_SP, &old_sp)) {
		add(x, old_sp - 1, x->old_pc);
		add(x, sp, ret);
		return;
	}
	while (x->n && x->calls[x->n - 1].slot < sp)
		x->n--;
	if (x->was_call && sp == x->old_sp - 8 && target_word(t, sp, &ret))
		add(x, sp, ret);
}

bool truth_stack(const struct truth *x, const struct target *t, struct stack *out)
{
	bool kept = true;

	out->n = 1;
	out->frames[0] = (struct leat_unwind_frame){ .pc = t->regs.rip, .sp = t->regs.rsp };
	for (size_t i = x->n; i > 0 && out->n < FRAMES_MAX; i--) {
		const struct call *c = &x->calls[i - 1];
		uint64_t word;

		out->frames[out->n++] =
			(struct leat_unwind_frame){ .pc = c->ret, .sp = c->slot + 8 };
		if (c->slot % 8 == 0 && (!target_word(t, c->slot, &word) || word != c->ret))
			kept = false;
	}
	return kept;
}
