/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The user stack of a sample: one function, one result code (enum leat_stack_result), frames and
 * hash in the scratch slot. Walkers read the stack through window.bpf.h only.
 */
#ifndef LEAT_BPF_WALK_H
#define LEAT_BPF_WALK_H

#include "leat_hash.h"
#include "table.bpf.h"
#include "window.bpf.h"

#define LEAT_FP_PARTS	 12
#define LEAT_LOWEST_CODE 4096ull /* nothing is mapped executable below */

/*
 * Frames by frame pointers as long as they lie in the window: [fp] is the caller's fp, [fp + 8] the
 * return address. No call in here, and what a window implies is not checked again: a walk spends
 * its time in these lines.
 */
static __always_inline __u32 leat_fp_in_window(struct leat_scratch *s, __u64 *out)
{
	const __u64 base = s->win.base, limit = s->win.limit,
		    codes = s->task.top - LEAT_LOWEST_CODE;
	const __u32 room = cfg.max_uframes - s->ucnt;
	__u64 fp = s->walk_fp, floor = s->walk_floor, hash = s->hash;
	__u32 i, result = LEAT_WALK_ON;

	for (i = 0; i < LEAT_WALK_PART; i++) {
		__u64 off = fp - base, at = (off & (LEAT_WINDOW_MAX - 1)) / 8, ret;

		if (off >= limit)
			break;
		if ((fp & 7) || fp < floor) {
			result = LEAT_STACK_NO_UNWIND;
			break;
		}
		ret = s->win.buf[at + 1];
		if (ret - LEAT_LOWEST_CODE >= codes) {
			result = ret ? LEAT_STACK_NO_UNWIND : LEAT_STACK_COMPLETE;
			break;
		}
		if (i >= room) {
			result = LEAT_STACK_TRUNCATED;
			break;
		}
		out[i] = ret;
		hash = leat_stack_hash_add(hash, ret);
		floor = fp + LEAT_WORDS;
		fp = s->win.buf[at];
	}
	s->walk_fp = fp;
	s->walk_floor = floor;
	s->hash = hash;
	s->ucnt += i;
	return result;
}

/* Makes sure that the next frame lies in the window, if there is one. */
static __always_inline __u32 leat_fp_next(struct leat_scratch *s)
{
	const __u64 fp = s->walk_fp;

	if (fp - s->win.base < s->win.limit)
		return LEAT_WALK_ON;
	if (!fp)
		return LEAT_STACK_COMPLETE;
	if ((fp & 7) || fp < s->walk_floor || fp >= s->task.top)
		return LEAT_STACK_NO_UNWIND;
	return leat_window_fill(s->slot, fp) ? LEAT_STACK_BAD_MEMORY : LEAT_WALK_ON;
}

/*
 * One frame to LEAT_WALK_PART frames further. A global function: verified once, however deep a stack
 * may be (127 frames in one loop took 60 ms to load); it takes a number, because 5.10 refuses pointers.
 */
__attribute__((noinline)) int leat_walk_fp_part(__u32 slot)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	__u32 at, result;

	if (!s)
		return LEAT_STACK_BROKEN;
	result = leat_fp_next(s);
	if (result != LEAT_WALK_ON)
		return (int)result;
	/* What is in registers differs by how the window came about: the verifier would follow each. */
	barrier();
	at = s->kcnt + s->ucnt;
	if (at > LEAT_MAX_FRAMES)
		return LEAT_STACK_BROKEN;
	return (int)leat_fp_in_window(s, &s->out.frames[at]);
}

/* Several parts: so that the loop over all of a stack, which is verified on each way to it, is short. */
__attribute__((noinline)) int leat_walk_fp_parts(__u32 slot)
{
	int result = LEAT_WALK_ON;

	for (int i = 0; i < LEAT_FP_PARTS && result == LEAT_WALK_ON; i++)
		result = leat_walk_fp_part(slot);
	return result;
}

static __always_inline __u32 leat_walk_fp(struct leat_scratch *s)
{
	__u32 result = LEAT_WALK_ON;

	s->walk_fp = s->regs.fp;
	s->walk_floor = s->regs.sp;
	for (int i = 0; i < LEAT_MAX_UFRAMES / LEAT_FP_PARTS + 1; i++) {
		result = leat_walk_fp_parts(s->slot);
		if (result != LEAT_WALK_ON)
			break;
	}
	if (s->ucnt > 1)
		leat_window_end(s, s->walk_floor);
	return result < LEAT_STACK__MAX ? result : LEAT_STACK_BROKEN;
}

/* Frames go behind the kernel's. The next walker takes its place beside leat_walk_fp. */
static __always_inline __u32 leat_walk_user(struct leat_scratch *s, struct leat_stats *st)
{
	__u32 kcnt = s->kcnt, result;

	if (!s->task.top || !s->regs.ip)
		return LEAT_STACK_NONE;
	if (kcnt > LEAT_MAX_KFRAMES)
		return LEAT_STACK_NONE;
	s->out.frames[kcnt] = s->regs.ip;
	s->ucnt = 1;
	s->hash = leat_stack_hash_add(s->hash, s->regs.ip);
	if (s->regs.compat) {
		LEAT_STAT_INC(st, N_COMPAT_TASK);
		return LEAT_STACK_COMPAT;
	}
	leat_window_begin(s);
	result = cfg.unwind ? leat_walk_table(s, st) : leat_walk_fp(s);
	LEAT_STAT_ADD(st, N_WINDOW_READ, s->win.reads);
	return result;
}

#endif
