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

#define LEAT_LOWEST_CODE 4096ull /* nothing is mapped executable below */

/* A part of a walk that did not come to an end. */
#define LEAT_WALK_ON LEAT_STACK__MAX

/*
 * One frame by frame pointers: [fp] is the caller's fp, [fp + 8] the return address. On success the
 * frame's place in the window is in *@at; else how the stack ends.
 */
static __always_inline __u32 leat_fp_frame(struct leat_scratch *s, __u64 fp, __u64 floor, __u64 *at)
{
	__u64 off;

	if (!fp)
		return LEAT_STACK_COMPLETE;
	if ((fp & 7) || fp < floor || fp >= s->task.top)
		return LEAT_STACK_NO_UNWIND;
	off = fp - s->win.base;
	if (off >= s->win.limit) {
		if (leat_window_fill(s->slot, fp))
			return LEAT_STACK_BAD_MEMORY;
		off = 0;
	}
	*at = (off & (LEAT_WINDOW_MAX - 1)) / 8;
	return LEAT_WALK_ON;
}

/*
 * The next LEAT_WALK_PART frames. A global function: verified once, however deep a stack may be
 * (127 frames in one loop took 60 ms to load); it takes a number, because 5.10 refuses pointers.
 */
__attribute__((noinline)) int leat_walk_fp_part(__u32 slot)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	__u32 begin, cnt, i, result = LEAT_WALK_ON;
	__u64 fp, hash, floor, *out;

	if (!s)
		return LEAT_STACK_BROKEN;
	cnt = s->ucnt;
	begin = s->kcnt + cnt;
	if (begin > LEAT_MAX_FRAMES)
		return LEAT_STACK_BROKEN;
	out = &s->out.frames[begin];
	fp = s->walk_fp;
	floor = s->walk_floor;
	hash = s->hash;
	for (i = 0; i < LEAT_WALK_PART; i++) {
		__u64 at = 0, ret;

		result = leat_fp_frame(s, fp, floor, &at);
		if (result != LEAT_WALK_ON)
			break;
		ret = s->win.buf[at + 1];
		if (ret < LEAT_LOWEST_CODE || ret >= s->task.top) {
			result = ret ? LEAT_STACK_NO_UNWIND : LEAT_STACK_COMPLETE;
			break;
		}
		if (cnt + i >= cfg.max_uframes) {
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
	s->ucnt = cnt + i;
	return result;
}

static __always_inline __u32 leat_walk_fp(struct leat_scratch *s)
{
	__u32 result = LEAT_WALK_ON;

	s->walk_fp = s->regs.fp;
	s->walk_floor = s->regs.sp;
	for (int i = 0; i < LEAT_MAX_UFRAMES / LEAT_WALK_PART + 1; i++) {
		result = leat_walk_fp_part(s->slot);
		if (result != LEAT_WALK_ON)
			break;
	}
	if (s->ucnt > 1)
		leat_window_end(s, s->walk_floor - s->regs.fp, s->ucnt);
	return result < LEAT_STACK__MAX ? result : LEAT_STACK_BROKEN;
}

/* Frames go behind the kernel's. The next walker takes its place beside leat_walk_fp. */
static __always_inline __u32 leat_walk_user(struct leat_scratch *s, struct leat_stats *st)
{
	__u32 kcnt = s->kcnt;

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
	return cfg.unwind ? leat_walk_table(s, st) : leat_walk_fp(s);
}

#endif
