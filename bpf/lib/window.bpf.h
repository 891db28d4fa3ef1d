/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The reader of a user stack that every walker shares. A call of bpf_probe_read_user costs 78 ns
 * whatever its size up to some hundred bytes, 250 ns for 4,096 and 340 ns for 8,192 (Zen 3 guest,
 * 6.18); so the stack is copied by windows and walked inside the copy.
 *
 * A fault costs 0.9-1.7 us and fails the whole window: the page where it happened is remembered
 * for the epoch, and what lies before the page's end is read at once next time.
 */
#ifndef LEAT_BPF_WINDOW_H
#define LEAT_BPF_WINDOW_H

#include "scratch.bpf.h"

#define LEAT_PAGE 4096ull

static __always_inline struct leat_hole *leat_hole_of(struct leat_scratch *s, __u64 page)
{
	return &s->holes[(page ^ s->itgid) & (LEAT_HINTS - 1)];
}

/* Begins a stack: the size of the window is what this thread's last stack needed. */
static __always_inline void leat_window_begin(struct leat_scratch *s)
{
	const struct leat_depth *d = &s->depths[s->tid & (LEAT_HINTS - 1)];
	__u64 want = d->bytes;

	if (d->tid != s->tid || want < LEAT_WINDOW_MIN || want > LEAT_WINDOW_MAX)
		want = 4096;
	s->win.want = want;
	s->win.limit = 0;
	s->win.base = 0;
}

/*
 * Ends a stack of @frames frames over @bytes bytes. Frames of more than 2 KB each are read one by
 * one: 512 bytes cost a quarter of 8,192.
 */
static __always_inline void leat_window_end(struct leat_scratch *s, __u64 bytes, __u64 frames)
{
	struct leat_depth *d = &s->depths[s->tid & (LEAT_HINTS - 1)];
	__u64 want = (bytes + 127) & ~63ull;

	if (bytes > frames << 11)
		want = LEAT_WINDOW_MIN;
	if (want < LEAT_WINDOW_MIN)
		want = LEAT_WINDOW_MIN;
	if (want > LEAT_WINDOW_MAX)
		want = LEAT_WINDOW_MAX;
	d->tid = s->tid;
	d->bytes = (__u32)want;
}

/* One read of @bytes; the mask keeps the size provable, whatever was in the map. */
static __always_inline int leat_window_read(struct leat_scratch *s, __u64 addr, __u64 bytes)
{
	if (bytes > LEAT_WINDOW_MAX)
		bytes = LEAT_WINDOW_MAX;
	if (bytes < LEAT_WORDS)
		bytes = LEAT_WORDS;
	if (bpf_probe_read_user(s->win.buf, (__u32)bytes, (void *)addr))
		return -1;
	s->win.base = addr;
	s->win.limit = bytes - LEAT_WORDS + 1;
	return 0;
}

/* As leat_window_fill, with the slots looked up. */
static __always_inline int leat_window_fill_in(struct leat_scratch *s, struct leat_stats *st,
					       __u64 addr)
{
	__u64 room = LEAT_PAGE - (addr & (LEAT_PAGE - 1));
	__u64 want = s->win.want;
	struct leat_hole *hole = leat_hole_of(s, addr / LEAT_PAGE);

	s->win.limit = 0;
	if (room < LEAT_WORDS)
		room = LEAT_WORDS;
	if (want > room && hole->page == addr / LEAT_PAGE && hole->tgid == s->itgid &&
	    hole->epoch == s->epoch)
		want = room;
	if (!leat_window_read(s, addr, want))
		return 0;
	if (want <= room)
		return -1;
	LEAT_STAT_INC(st, N_WINDOW_RETRY);
	hole->page = addr / LEAT_PAGE;
	hole->tgid = s->itgid;
	hole->epoch = s->epoch;
	return leat_window_read(s, addr, room);
}

/*
 * Makes LEAT_WORDS bytes at @addr readable, with as many after it as is sensible. A word that lies
 * across two pages, or two windows, is read whole because a window begins where it is asked for.
 * A global function: verified once, not once for each frame of a walk (a tenth of the load time).
 * It takes numbers, for 5.10 refuses pointers as arguments of a global function.
 */
__attribute__((noinline)) int leat_window_fill(__u32 slot, __u64 addr)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	struct leat_stats *st = leat_stats_get();

	if (!s || !st)
		return -1;
	return leat_window_fill_in(s, st, addr);
}

#endif
