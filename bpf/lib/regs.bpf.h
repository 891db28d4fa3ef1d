/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* User registers of a sample: from the context when it fell in user mode, else as the kernel saved them. */
#ifndef LEAT_BPF_REGS_H
#define LEAT_BPF_REGS_H

#include "core_compat.bpf.h"
#include "maps.bpf.h"

struct leat_regs {
	__u64 ip;
	__u64 sp;
	__u64 fp;
	__u32 user;   /* 1: the sample fell in user mode, so ip is exact */
	__u32 compat; /* 1: 32-bit code */
};

#ifdef __TARGET_ARCH_x86

#define LEAT_X86_USER32_CS   0x23
#define LEAT_X86_FLAGS_FIXED 2 /* always set in flags of hardware */

/*
 * The context as the kernel's ABI (asm/ptrace.h) has it. Not by vmlinux.h: pt_regs.cs is u16
 * there since FRED (6.9), and the verifier lets a context be read by 8 bytes only.
 */
struct leat_ctx_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
	__u64 ip, cs, flags, sp, ss;
};

/* 1: the sample fell in user mode, and @r is filled. */
static __always_inline int leat_regs_of_ctx(const struct leat_ctx_regs *ctx, struct leat_regs *r)
{
	__u64 cs = ctx->cs;

	if ((cs & 3) != 3)
		return 0;
	r->ip = ctx->ip;
	r->sp = ctx->sp;
	r->fp = ctx->bp;
	r->user = 1;
	r->compat = (cs & 0xffff) == LEAT_X86_USER32_CS;
	return 1;
}

/* bpf_task_pt_regs: dd6e10fbd9fb, "bpf: Add bpf_task_pt_regs() helper", 5.15. */
static __always_inline void leat_regs_saved_btf(struct leat_regs *r)
{
	struct pt_regs *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	r->ip = regs->ip;
	r->sp = regs->sp;
	r->fp = regs->bp;
	r->compat = (regs->cs & 0xffff) == LEAT_X86_USER32_CS;
}

/* Before 5.15 the registers end where the stack ends: no padding (FRED) that early. */
static __always_inline void leat_regs_saved_probe(struct leat_regs *r)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u64 top = (__u64)BPF_CORE_READ(task, stack) + cfg.thread_size;
	const struct leat_ctx_regs *regs = (void *)(top - sizeof(*regs));
	__u64 cs = 0;

	bpf_probe_read_kernel(&r->ip, sizeof(r->ip), &regs->ip);
	bpf_probe_read_kernel(&r->sp, sizeof(r->sp), &regs->sp);
	bpf_probe_read_kernel(&r->fp, sizeof(r->fp), &regs->bp);
	bpf_probe_read_kernel(&cs, sizeof(cs), &regs->cs);
	r->compat = (cs & 0xffff) == LEAT_X86_USER32_CS;
}

#else
#error "user registers are not known for this architecture"
#endif

/* As saved on entry to the kernel; @r is in a map and zero. A thread that never was in user mode leaves 0. */
static __always_inline void leat_regs_saved(struct leat_regs *r)
{
	r->user = 0;
	if (LEAT_HAS_TASK_PT_REGS)
		leat_regs_saved_btf(r);
	else
		leat_regs_saved_probe(r);
}

#endif
