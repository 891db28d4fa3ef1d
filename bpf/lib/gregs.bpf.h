/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* All general user registers of a sample, by DWARF number: a rule may need any of them. */
#ifndef LEAT_BPF_GREGS_H
#define LEAT_BPF_GREGS_H

#include "scratch.bpf.h"

#ifdef __TARGET_ARCH_x86

#define LEAT_GREGS_COPY(to, from)                                                                  \
	do {                                                                                       \
		(to)[0] = (from)->ax;                                                              \
		(to)[1] = (from)->dx;                                                              \
		(to)[2] = (from)->cx;                                                              \
		(to)[3] = (from)->bx;                                                              \
		(to)[4] = (from)->si;                                                              \
		(to)[5] = (from)->di;                                                              \
		(to)[6] = (from)->bp;                                                              \
		(to)[7] = (from)->sp;                                                              \
		(to)[8] = (from)->r8;                                                              \
		(to)[9] = (from)->r9;                                                              \
		(to)[10] = (from)->r10;                                                            \
		(to)[11] = (from)->r11;                                                            \
		(to)[12] = (from)->r12;                                                            \
		(to)[13] = (from)->r13;                                                            \
		(to)[14] = (from)->r14;                                                            \
		(to)[15] = (from)->r15;                                                            \
	} while (0)

static __always_inline void leat_gregs_saved_btf(__u64 *to)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	LEAT_GREGS_COPY(to, regs);
}

/*
 * As leat_regs_saved_probe; 21 words, of which the first 15 are general registers. They lie where the
 * stack's first window will be: the BPF stack is short.
 */
static __always_inline void leat_gregs_saved_probe(struct leat_scratch *s)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 top = (__u64)BPF_CORE_READ(task, stack) + cfg.thread_size;
	struct leat_ctx_regs *regs = (void *)s->win.buf;

	bpf_probe_read_kernel(regs, sizeof(*regs), (void *)(top - sizeof(*regs))); /* or zeros */
	LEAT_GREGS_COPY(s->tab.regs, regs);
	barrier(); /* what was copied from elsewhere is not copied by the same instructions */
}

/* After leat_regs: those of the same moment. */
static __always_inline void leat_gregs_read(struct leat_scratch *s, const struct leat_ctx_regs *ctx)
{
	if (s->regs.user)
		LEAT_GREGS_COPY(s->tab.regs, ctx);
	else if (LEAT_HAS_TASK_PT_REGS)
		leat_gregs_saved_btf(s->tab.regs);
	else
		leat_gregs_saved_probe(s);
}

#else
#error "user registers are not known for this architecture"
#endif

#endif
