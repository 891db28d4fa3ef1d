/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The reader of a user stack that every walker shares. A call of bpf_probe_read_user costs 78 ns
 * for 16 bytes, 124 ns for 4,096 and 293 ns for 16,384 (Zen 4 guest, 6.18, stack in the cache; two
 * to three times that when it is not: tests/bench/bench_read.c); so the stack is copied by windows
 * and walked inside the copy.
 *
 * A fault costs 0.9-1.7 us and fails the whole window: the page where it happened is remembered
 * for the epoch, and what lies before the page's end is read at once next time.
 */
#ifndef LEAT_BPF_WINDOW_H
#define LEAT_BPF_WINDOW_H

#include "scratch.bpf.h"

#define LEAT_WINDOW_MIN	   64
#define LEAT_WINDOW_FIRST  4096
#define LEAT_WINDOW_BEYOND 1024
#define LEAT_FRAME_LARGE   3072

static __always_inline struct leat_hole *leat_hole_of(struct leat_scratch *s, __u64 page)
{
	return &s->holes[(page ^ s->itgid) & (LEAT_HINTS - 1)];
}

static __always_inline struct leat_span *leat_span_of(struct leat_scratch *s)
{
	return &s->spans[s->tid & (LEAT_HINTS - 1)];
}

/* Begins a stack. */
static __always_inline void leat_window_begin(struct leat_scratch *s)
{
	const struct leat_span *span = leat_span_of(s);

	s->win.end = span->tid == s->tid ? span->end : 0;
	s->win.want = 0;
	s->win.reads = 0;
	s->win.limit = 0;
	s->win.words = 0;
	s->win.base = 0;
}

/* Ends a stack whose outermost frame ended at @end. */
static __always_inline void leat_window_end(struct leat_scratch *s, __u64 end)
{
	struct leat_span *span = leat_span_of(s);

	span->tid = s->tid;
	span->end = end;
}

/*
 * How much to read next, before it is cut to where the last stack ended. The first window: all of a
 * known stack, little behind its end (registers that are no frame pointers lead there), else
 * something between. From then on by how far apart the frames of the last window lay: a read of
 * one frame costs what LEAT_FRAME_LARGE bytes cost to copy.
 */
static __always_inline __u64 leat_window_want(const struct leat_scratch *s, __u64 addr)
{
	const __u64 want = s->win.want;

	if (!want)
		return s->win.end > addr ? LEAT_WINDOW_MAX
		       : s->win.end	 ? LEAT_WINDOW_BEYOND
					 : LEAT_WINDOW_FIRST;
	if (addr > s->win.base &&
	    addr - s->win.base > (__u64)(s->ucnt - s->win.ucnt) * LEAT_FRAME_LARGE)
		return LEAT_WINDOW_MIN;
	return want < LEAT_WINDOW_FIRST ? LEAT_WINDOW_FIRST : LEAT_WINDOW_MAX;
}

/* One read of @bytes; the mask keeps the size provable, whatever was in the map. */
static __always_inline int leat_window_read(struct leat_scratch *s, __u64 addr, __u64 bytes)
{
	if (bytes > LEAT_WINDOW_MAX)
		bytes = LEAT_WINDOW_MAX;
	if (bytes < LEAT_WORDS)
		bytes = LEAT_WORDS;
	s->win.reads++;
	if (bpf_probe_read_user(s->win.buf, (__u32)bytes, (void *)addr))
		return -1;
	s->win.base = addr;
	s->win.limit = bytes - LEAT_WORDS + 1;
	s->win.words = bytes - 8 + 1;
	return 0;
}

/*
 * Makes LEAT_WORDS bytes at @addr readable, with as many after it as is sensible. A word that lies
 * across two pages, or two windows, is read whole because a window begins where it is asked for.
 */
__attribute__((noinline)) int leat_window_fill(__u32 slot, __u64 addr)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	const __u64 page = addr / LEAT_PAGE;
	__u64 room = LEAT_PAGE - (addr & (LEAT_PAGE - 1)), want;
	struct leat_hole *hole;
	struct leat_stats *st;

	if (!s)
		return -1;
	want = leat_window_want(s, addr);
	hole = leat_hole_of(s, page);
	s->win.want = want;
	s->win.ucnt = s->ucnt;
	s->win.limit = 0;
	s->win.words = 0;
	if (s->win.end > addr && want > s->win.end - addr)
		want = s->win.end - addr;
	if (room < LEAT_WORDS)
		room = LEAT_WORDS;
	if (want > room && hole->page == page && hole->tgid == s->itgid && hole->epoch == s->epoch)
		want = room;
	if (!leat_window_read(s, addr, want))
		return 0;
	if (want <= room)
		return -1;
	st = leat_stats_get();
	if (st)
		LEAT_STAT_INC(st, N_WINDOW_RETRY);
	hole->page = page;
	hole->tgid = s->itgid;
	hole->epoch = s->epoch;
	return leat_window_read(s, addr, room);
}

#endif
