/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Kernel stacks by the kernel's own unwind tables (x86: ORC, as laid out since 6.4). Its unwinder
 * searches them for each frame, 0.2 us; here a frame's row is remembered by its address, as the rules
 * of user code are, and the stack is read once.
 *
 * The frames are those that bpf_get_stack() has, or none: whatever is not plain (BPF programs, tracing,
 * modules that came later) is left to the kernel's unwinder.
 */
#ifndef LEAT_BPF_ORC_WALK_H
#define LEAT_BPF_ORC_WALK_H

#include "leat_hash.h"
#include "orc_find.bpf.h"
#include "remember.bpf.h"
#include "scratch.bpf.h"

#define LEAT_ORC_PART	4    /* frames in one call */
#define LEAT_ORC_WINDOW 4096 /* bytes of a stack that are read at once */

#ifdef __TARGET_ARCH_x86

#define LEAT_ORC_IS_KERNEL(addr) ((__s64)(addr) < 0)

/* Bytes that can be read at @addr: what is left of the task's stack, or of a page of another one. */
static __always_inline __u64 leat_orc_room(const struct leat_scratch *s, __u64 addr)
{
	__u64 room = s->orc.top - addr;

	if (room > cfg.thread_size)
		room = LEAT_PAGE - (addr & (LEAT_PAGE - 1));
	return room < LEAT_ORC_WINDOW ? room : LEAT_ORC_WINDOW;
}

/* Makes the word at @addr readable, with what lies between it and sp where that is not far. */
__attribute__((noinline)) int leat_orc_fill(__u32 slot, __u64 addr)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	__u64 from, room;

	if (!cfg.orc || !s)
		return -1;
	from = s->orc.sp;
	room = leat_orc_room(s, from);
	if (addr - from >= room) {
		from = addr;
		room = leat_orc_room(s, from);
	}
	s->win.words = 0;
	if ((from & 7) || !LEAT_ORC_IS_KERNEL(from) || room < 8 || room > LEAT_ORC_WINDOW ||
	    bpf_probe_read_kernel(s->win.buf, (__u32)room, (void *)from))
		return -1;
	s->win.base = from;
	s->win.words = room - 8 + 1;
	return 0;
}

static __always_inline int leat_orc_word(struct leat_scratch *s, __u64 addr, __u64 *out)
{
	if (!leat_window_word(s, addr, out))
		return 0;
	return leat_orc_fill(s->slot, addr) ? -1 : leat_window_word(s, addr, out);
}

/*
 * The part that @pc lies in, if any. No branch in these searches: the verifier would follow each, and all
 * of them together are thirty.
 */
static __always_inline const struct leat_orc_part *leat_orc_part_of(const struct leat_orc *o,
								    __u64 pc)
{
	const struct leat_orc_part *p;
	__u64 low = 0, high = o->part_cnt;

	for (int i = 0; i < LEAT_ORC_PART_STEPS; i++) {
		const __u64 mid = (low + high) / 2 & (LEAT_ORC_PARTS - 1);
		__u64 above = (__u64)((__s64)(pc - o->parts[mid].start) >> 63);

		barrier_var(above);
		low += (mid - low) & ~above;
		high += (mid - high) & above;
	}
	p = &o->parts[low & (LEAT_ORC_PARTS - 1)];
	return o->part_cnt && pc >= p->start && pc < p->end ? p : NULL;
}

/* The row that holds at @pc into orc.row. */
static __always_inline int leat_orc_search(struct leat_scratch *s, const struct leat_orc *o,
					   const struct leat_orc_part *p, __u64 pc)
{
	__u64 low = 0, high = p->cnt;
	long err = 0;
	__s32 rel;

	for (int i = 0; i < LEAT_ORC_STEPS; i++) {
		const __u64 mid = (low + high) / 2, at = p->ips + 4 * mid;
		__u64 above;

		err |= bpf_probe_read_kernel(&rel, sizeof(rel), (void *)at);
		above = (__u64)((__s64)(pc - (at + (__u64)(__s64)rel)) >> 63);
		barrier_var(above);
		low += (mid - low) & ~above;
		high += (mid - high) & above;
	}
	return err ? -1 : leat_orc_row(o, p->rows, low, &s->orc.row);
}

/*
 * The same, and remembered; so is that nothing is known of code. The place that a traced function
 * returns to says nothing of its caller, and is not remembered.
 */
__attribute__((noinline)) int leat_orc_lookup(__u32 slot, __u64 pc)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	const struct leat_orc_part *p;
	struct leat_rule_cache *cache;
	const struct leat_orc *o;

	if (!cfg.orc || !s)
		return -1;
	cache = leat_cache_of(s->cpu);
	o = leat_orc_get();
	if (!o || !cache || s->orc.pc == o->rethook || s->orc.pc == o->graph)
		return -1;
	p = leat_orc_part_of(o, pc);
	if (!p)
		s->orc.row = LEAT_ORC_NOTHING;
	else if (leat_orc_search(s, o, p, pc))
		return -1;
	leat_remember(cache, leat_remembered_key(s->orc.tag, pc), s->orc.row);
	return 0;
}

/* Where sp was before the call, or where the registers lie. */
static __always_inline __u32 leat_orc_cfa(struct leat_scratch *s, __u64 row, __u64 *cfa)
{
	const __u64 off = (__u64)(__s64)(__s16)row;
	const __u32 reg = row >> 32 & 15;

	switch (reg) {
	case LEAT_ORC_SP:
		*cfa = s->orc.sp + off;
		break;
	case LEAT_ORC_BP:
		*cfa = s->orc.bp + off;
		break;
	case LEAT_ORC_SP_INDIRECT:
		/* The way back from the stack of interrupts. */
		if (leat_orc_word(s, s->orc.sp, cfa))
			return LEAT_STACK_BAD_MEMORY;
		*cfa += off;
		return LEAT_WALK_ON;
	case LEAT_ORC_BP_INDIRECT:
		return leat_orc_word(s, s->orc.bp + off, cfa) ? LEAT_STACK_BAD_MEMORY
							      : LEAT_WALK_ON;
	default: /* r10, r13, rdi, rdx: in a handful of places */
		return LEAT_STACK_NO_UNWIND;
	}
	return *cfa > s->orc.sp || (row >> 40 & 7) != LEAT_ORC_CALL ? LEAT_WALK_ON
								    : LEAT_STACK_NO_UNWIND;
}

/* What an interrupt or a system call has interrupted; in user mode the kernel's stack ends. */
static __always_inline __u32 leat_orc_regs(struct leat_scratch *s, __u64 row, __u64 cfa)
{
	const struct leat_ctx_regs *r = (void *)cfa;
	__u64 pc, sp, bp = s->orc.bp;

	if ((row >> 40 & 7) == LEAT_ORC_IRET)
		r = (void *)(cfa - offsetof(struct leat_ctx_regs, ip));
	else if (leat_orc_word(s, (__u64)&r->bp, &bp))
		return LEAT_STACK_BAD_MEMORY;
	if (leat_orc_word(s, (__u64)&r->ip, &pc) || leat_orc_word(s, (__u64)&r->sp, &sp))
		return LEAT_STACK_BAD_MEMORY;
	if (!LEAT_ORC_IS_KERNEL(pc))
		return LEAT_STACK_COMPLETE;
	s->orc.pc = pc;
	s->orc.sp = sp;
	s->orc.bp = bp;
	return LEAT_WALK_ON;
}

static __always_inline __u32 leat_orc_bp(struct leat_scratch *s, __u64 row, __u64 cfa)
{
	const __u64 off = (__u64)(__s64)(__s16)(row >> 16);
	const __u32 reg = row >> 36 & 15;

	if (reg == LEAT_ORC_UNDEFINED)
		return LEAT_WALK_ON;
	if (reg != LEAT_ORC_PREV_SP && reg != LEAT_ORC_BP)
		return LEAT_STACK_NO_UNWIND;
	if (reg == LEAT_ORC_PREV_SP)
		cfa += off;
	else
		cfa = s->orc.bp + off;
	return leat_orc_word(s, cfa, &s->orc.bp) ? LEAT_STACK_BAD_MEMORY : LEAT_WALK_ON;
}

/* From orc.pc, which orc.row describes, to its caller. LEAT_WALK_ON or how the stack ends. */
static __always_inline __u32 leat_orc_step(struct leat_scratch *s)
{
	const __u64 row = s->orc.row;
	const __u32 type = row >> 40 & 7;
	__u64 cfa = 0, ret;
	__u32 result;

	if (type == LEAT_ORC_END)
		return LEAT_STACK_COMPLETE;
	if (type == LEAT_ORC_NOTHING || type > LEAT_ORC_IRET)
		return LEAT_STACK_NO_UNWIND;
	result = leat_orc_cfa(s, row, &cfa);
	if (result != LEAT_WALK_ON)
		return result;
	s->orc.exact = row >> 43 & 1;
	if (type != LEAT_ORC_CALL)
		return leat_orc_regs(s, row, cfa);
	if (leat_orc_word(s, cfa - 8, &ret))
		return LEAT_STACK_BAD_MEMORY;
	if (!LEAT_ORC_IS_KERNEL(ret))
		return LEAT_STACK_NO_UNWIND;
	result = leat_orc_bp(s, row, cfa);
	s->orc.pc = ret;
	s->orc.sp = cfa;
	return result;
}

/* A function of its own: what few frames need is verified once. */
__attribute__((noinline)) int leat_orc_step_any(__u32 slot)
{
	struct leat_scratch *s = leat_scratch_get(slot);

	return cfg.orc && s ? (int)leat_orc_step(s) : LEAT_STACK_BROKEN;
}

/* The row of a call, its frame found by sp. */
#define LEAT_ORC_PLAIN_MASK (0xf0full << 32)
#define LEAT_ORC_PLAIN	    ((LEAT_ORC_CALL << 8 | LEAT_ORC_SP) * 1ull << 32)

/* Most frames: leat_orc_step() where nothing is to be read. 0: it is another one. */
static __always_inline int leat_orc_step_plain(struct leat_scratch *s)
{
	const __u64 row = s->orc.row, cfa = s->orc.sp + (__u64)(__s64)(__s16)row;
	const __u32 bp_reg = row >> 36 & 15;
	__u64 ret, bp;

	if ((row & LEAT_ORC_PLAIN_MASK) != LEAT_ORC_PLAIN || cfa <= s->orc.sp ||
	    leat_window_word(s, cfa - 8, &ret) || !LEAT_ORC_IS_KERNEL(ret))
		return 0;
	if (bp_reg != LEAT_ORC_UNDEFINED) {
		if (bp_reg != LEAT_ORC_PREV_SP ||
		    leat_window_word(s, cfa + (__u64)(__s64)(__s16)(row >> 16), &bp))
			return 0;
		s->orc.bp = bp;
	}
	s->orc.pc = ret;
	s->orc.sp = cfa;
	s->orc.exact = 0;
	return 1;
}

/* The next LEAT_ORC_PART frames; a global function, verified once (walk.bpf.h). */
__attribute__((noinline)) int leat_walk_orc_part(__u32 slot)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	__u32 cnt, i, result = LEAT_WALK_ON;
	struct leat_rule_cache *cache;
	__u64 hash, *out;

	if (!cfg.orc || !s)
		return LEAT_STACK_BROKEN;
	cache = leat_cache_of(s->cpu);
	cnt = s->kcnt;
	if (!cache || cnt > LEAT_MAX_KFRAMES)
		return LEAT_STACK_BROKEN;
	out = &s->out.frames[cnt];
	hash = s->hash;
	for (i = 0; i < LEAT_ORC_PART; i++) {
		const __u64 pc = s->orc.exact ? s->orc.pc : s->orc.pc - 1;

		if (!leat_recall(cache, leat_remembered_key(s->orc.tag, pc), &s->orc.row) &&
		    leat_orc_lookup(s->slot, pc)) {
			result = LEAT_STACK_NO_UNWIND;
			break;
		}
		if (!leat_orc_step_plain(s)) {
			result = leat_orc_step_any(s->slot);
			if (result != LEAT_WALK_ON)
				break;
		}
		if (cnt + i >= LEAT_MAX_KFRAMES) {
			result = LEAT_STACK_TRUNCATED;
			break;
		}
		out[i] = s->orc.pc;
		hash = leat_stack_hash_add(hash, s->orc.pc);
	}
	s->hash = hash;
	s->kcnt = cnt + i;
	return (int)result;
}

/*
 * Frames of a sample in kernel mode, whose registers are @regs; 0 when it is left to the kernel: its
 * unwinder begins elsewhere, too, when the registers are not those of an interrupt (perf_hw_regs).
 */
static __always_inline int leat_walk_orc(struct leat_scratch *s, const struct leat_ctx_regs *regs)
{
	const struct leat_orc *o = leat_orc_get();
	const __u64 hash = s->hash;
	__u32 result = LEAT_WALK_ON;

	if (!o || !o->part_cnt || !(regs->flags & LEAT_X86_FLAGS_FIXED))
		return 0;
	s->orc.tag = o->tag;
	s->orc.pc = regs->ip;
	s->orc.sp = regs->sp;
	s->orc.bp = regs->bp;
	s->orc.exact = 1;
	s->orc.top = (__u64)bpf_get_current_task_btf()->stack + cfg.thread_size;
	s->win.words = 0;
	s->out.frames[0] = regs->ip;
	s->hash = leat_stack_hash_add(hash, regs->ip);
	s->kcnt = 1;
	for (int i = 0; i < LEAT_MAX_KFRAMES / LEAT_ORC_PART + 1; i++) {
		result = leat_walk_orc_part(s->slot);
		if (result != LEAT_WALK_ON)
			break;
	}
	s->kresult = result;
	if (result == LEAT_STACK_COMPLETE || result == LEAT_STACK_TRUNCATED)
		return 1;
	s->kcnt = 0;
	s->hash = hash;
	return 0;
}

#else

static __always_inline int leat_walk_orc(struct leat_scratch *s, const struct leat_ctx_regs *regs)
{
	return 0;
}

#endif
#endif
