/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A sample: begin -> walk -> finish, all state in the scratch slot. Each ends in exactly one of
 * the counters of classes FILTERED, DELIVERED and LOST.
 */
#ifndef LEAT_BPF_SAMPLE_H
#define LEAT_BPF_SAMPLE_H

#include "count.bpf.h"
#include "filter.bpf.h"
#include "orc.bpf.h"
#include "raw.bpf.h"
#include "walk.bpf.h"

#define LEAT_TIMED_MASK	 63u /* one sample in 64 is timed */
#define LEAT_ORC_CHECKED 16u /* stacks of each CPU */
#define LEAT_HASH_PART	 16u /* frames hashed in one call */

/* The words of user space, once a sample. 0 when they are missing, which cannot be. */
static __always_inline int leat_ctl_read(struct leat_scratch *s)
{
	__u32 zero = 0;
	const volatile struct leat_ctl *ctl = bpf_map_lookup_elem(&leat_ctl, &zero);

	if (!ctl)
		return 0;
	s->beat_ns = ctl->beat_ns;
	s->epoch = ctl->epoch;
	s->resend_gen = ctl->resend_gen;
	s->ctl_gen = ctl->set_gen;
	return 1;
}

static __always_inline int leat_is_stalled(const struct leat_scratch *s)
{
	if (!cfg.heartbeat_ms)
		return 0;
	return (__s64)(s->now_ns - s->beat_ns) > (__s64)cfg.heartbeat_ms * 1000000;
}

/* Identity of the process, and zero in all that a walk fills. */
static __always_inline void leat_begin(struct leat_scratch *s, const struct leat_ctx_regs *regs)
{
	s->cpu = bpf_get_smp_processor_id();
	s->hash = cfg.seed;
	s->kcnt = 0;
	s->ucnt = 0;
	s->kresult = LEAT_STACK_NONE;
	s->uresult = LEAT_STACK_NONE;
	leat_task_read(&s->task);
	if (!leat_regs_of_ctx(regs, &s->regs)) {
		s->regs.user = 0;
		s->regs.ip = 0;
		s->regs.compat = 0;
		if (cfg.user_stack && s->task.top)
			leat_regs_saved(&s->regs);
	}
	if (cfg.unwind) {
		leat_table_begin(s);
		if (s->regs.ip)
			leat_gregs_read(s, regs);
	}
}

/*
 * A sample of the target in a mode that was not asked for. Kernel stacks alone: only what fell in
 * the kernel. User stacks alone: whatever has a user part, so that time in the kernel belongs to the
 * user code that called it; kernel threads and the idle task have none.
 */
static __always_inline int leat_is_other_mode(const struct leat_scratch *s)
{
	if (cfg.kernel_stack && !cfg.user_stack)
		return s->regs.user;
	if (cfg.user_stack && !cfg.kernel_stack)
		return !s->task.top || !s->regs.ip;
	return 0;
}

/* Adds the next frames of the kernel to the hash; a global function, verified once (walk.bpf.h). */
__attribute__((noinline)) int leat_hash_part(__u32 slot, __u32 from)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	const __u64 *frames;
	__u64 hash;

	if (!cfg.kernel_stack || !s || from >= LEAT_MAX_KFRAMES)
		return -1;
	frames = &s->out.frames[from];
	hash = s->hash;
	for (__u32 i = 0; i < LEAT_HASH_PART && from + i < s->kcnt; i++)
		hash = leat_stack_hash_add(hash, frames[i]);
	s->hash = hash;
	return 0;
}

/* Frames of the kernel, by its own unwinder. @ctx is the program's own. */
static __always_inline void leat_ask_kernel(struct leat_scratch *s, void *ctx)
{
	long n = bpf_get_stack(ctx, s->out.frames, LEAT_MAX_KFRAMES * 8, 0);

	if (n <= 0) {
		s->kresult = LEAT_STACK_BAD_MEMORY;
		return;
	}
	s->kcnt = (__u32)n / 8;
	s->kresult = s->kcnt >= LEAT_MAX_KFRAMES ? LEAT_STACK_TRUNCATED : LEAT_STACK_COMPLETE;
	for (__u32 at = 0; at < LEAT_MAX_KFRAMES && at < s->kcnt; at += LEAT_HASH_PART)
		leat_hash_part(s->slot, at);
}

/*
 * The first stacks are walked by both: whatever a kernel to come does otherwise, no stack is wrong for
 * long, and those are the kernel's.
 */
static __always_inline void leat_orc_check(struct leat_scratch *s, struct leat_stats *st, void *ctx)
{
	const __u64 hash = s->hash;
	const __u32 cnt = s->kcnt;

	s->hash = cfg.seed;
	s->kcnt = 0;
	leat_ask_kernel(s, ctx);
	if (s->hash != hash || s->kcnt != cnt) {
		LEAT_STAT_INC(st, N_KSTACK_DIFFERED);
		leat_orc_forget();
	}
	s->orc.checked++;
}

static __always_inline void leat_walk_kernel(struct leat_scratch *s, struct leat_stats *st,
					     void *ctx, const struct leat_ctx_regs *regs)
{
	if (cfg.orc && leat_walk_orc(s, regs)) {
		if (s->orc.checked < LEAT_ORC_CHECKED)
			leat_orc_check(s, st, ctx);
		return;
	}
	LEAT_STAT_INC(st, N_KSTACK_ASKED);
	leat_ask_kernel(s, ctx);
}

static __always_inline void leat_walk(struct leat_scratch *s, struct leat_stats *st, void *ctx,
				      const struct leat_ctx_regs *regs)
{
	if (cfg.kernel_stack && !s->regs.user)
		leat_walk_kernel(s, st, ctx, regs);
	if (cfg.user_stack)
		s->uresult = leat_walk_user(s, st);
	s->hash = leat_stack_hash_end(s->hash,
				      s->kcnt | (__u64)s->ucnt << 16 | (__u64)s->uresult << 32 |
					      (__u64)s->kresult << 40 | (__u64)s->regs.user << 48);
}

/* Counts or sends what the slot holds; the counter that it belongs to. */
static __always_inline __u32 leat_finish(struct leat_scratch *s, struct leat_stats *st)
{
	if (cfg.unwind && leat_raw(s, st))
		return LEAT_STAT_RAW;
	if (!cfg.stream)
		return leat_count(s, st);
	if (cfg.notify_procs)
		leat_notice(s, st);
	return leat_send(s, LEAT_STAT_STREAMED);
}

static __always_inline __u32 leat_take(struct leat_stats *st, void *ctx,
				       const struct leat_ctx_regs *regs, __u32 slot)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	__u32 why;

	if (!s)
		return LEAT_STAT_L_NO_SCRATCH;
	if (s->busy)
		return LEAT_STAT_L_BUSY;
	if (!leat_ctl_read(s))
		return LEAT_STAT_L_NO_SCRATCH;
	why = leat_filter(s);
	if (why != LEAT_STAT_SEEN)
		return why;
	leat_begin(s, regs);
	if (leat_is_other_mode(s))
		return LEAT_STAT_F_MODE;
	s->now_ns = bpf_ktime_get_ns();
	if (leat_is_stalled(s))
		return LEAT_STAT_L_STALLED;
	s->busy = 1;
	s->slot = slot;
	leat_walk(s, st, ctx, regs);
	why = leat_finish(s, st);
	s->busy = 0;
	return why;
}

/* What a program of a perf event returns: whether the kernel goes on and writes the event's record. */
static __always_inline int leat_keeps_event(__u32 what)
{
	return cfg.keep_events && (what == LEAT_STAT_STREAMED || what == LEAT_STAT_RAW);
}

/*
 * @ctx is the program's own, @regs the registers of the interrupted code (in a perf_event program
 * the context begins with them), @slot a LEAT_CTX_*.
 */
static __always_inline int leat_sample_handle(void *ctx, const struct leat_ctx_regs *regs,
					      __u32 slot)
{
	struct leat_stats *st = leat_stats_get();
	__u64 begin_ns = 0;
	__u32 what;

	if (!st)
		return 0;
	if (!(st->v[LEAT_STAT_SEEN]++ & LEAT_TIMED_MASK))
		begin_ns = bpf_ktime_get_ns();
	what = leat_take(st, ctx, regs, slot);
	st->v[what & 31]++;
	if (begin_ns) {
		LEAT_STAT_ADD(st, N_BPF_NS, bpf_ktime_get_ns() - begin_ns);
		LEAT_STAT_INC(st, N_BPF_TIMED);
	}
	return leat_keeps_event(what);
}

#endif
