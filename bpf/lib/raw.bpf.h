/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A sample for user space to unwind: its registers and a piece of its stack, of which a page that
 * cannot be read is the end. They are large, so a CPU sends no more than cfg.raw_bytes in an epoch,
 * and none while its ring is half full.
 */
#ifndef LEAT_BPF_RAW_H
#define LEAT_BPF_RAW_H

#include "emit.bpf.h"
#include "table_maps.bpf.h"
#include "window.bpf.h"

/* Fills this CPU's record, but for its header; its size, 0 when it has none. */
__attribute__((noinline)) int leat_raw_fill(__u32 slot)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	struct leat_raw_buf *b;
	__u32 cpu, kcnt, begin, at;
	__u64 addr, word;

	if (!cfg.unwind || !s)
		return 0;
	cpu = s->cpu;
	b = bpf_map_lookup_elem(&leat_raw_bufs, &cpu);
	kcnt = s->kcnt;
	if (!b || kcnt > LEAT_MAX_KFRAMES)
		return 0;
	bpf_probe_read_kernel(b->rec.regs, sizeof(s->tab.regs), s->tab.regs);
	b->rec.regs[LEAT_RAW_REGS - 1] = s->regs.ip;
	begin = kcnt * 8;
	if (begin)
		bpf_probe_read_kernel(b->words, begin, s->out.frames);
	addr = s->regs.sp - LEAT_RAW_BELOW;
	if (bpf_probe_read_user(&word, sizeof(word), (void *)addr))
		addr = s->regs.sp;
	b->rec.stack_addr = addr;
	at = begin;
	for (int i = 0; i < LEAT_RAW_PAGES; i++) {
		__u32 room = LEAT_PAGE - (addr & (LEAT_PAGE - 1));

		if (at > LEAT_RAW_BYTES ||
		    bpf_probe_read_user((char *)b->words + at, room, (void *)addr))
			break;
		at += room;
		addr += room;
	}
	b->rec.kframe_cnt = (__u16)kcnt;
	b->rec.kresult = (__u8)s->kresult;
	b->rec.user_mode = (__u8)s->regs.user;
	b->rec.stack_bytes = at - begin;
	return (int)(sizeof(b->rec) + at);
}

static __always_inline int leat_raw_allowed(struct leat_table_state *t, __u32 epoch)
{
	if (t->raw_epoch != epoch + 1) {
		t->raw_epoch = epoch + 1;
		t->raw_bytes = 0;
	}
	return t->raw_bytes < cfg.raw_bytes;
}

/* 0 when it is in the ring. User space is woken when it can do something about it. */
static __always_inline int leat_raw_send(struct leat_scratch *s)
{
	struct leat_raw_buf *b;
	void *ring = leat_ring_of(s->cpu);
	__u32 cpu = s->cpu, size;
	__u64 queued;

	if (!ring || !leat_raw_allowed(&s->tab, s->epoch))
		return -1;
	queued = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	if (queued > cfg.ring_wake_bytes)
		return -1;
	size = leat_raw_fill(s->slot);
	b = bpf_map_lookup_elem(&leat_raw_bufs, &cpu);
	if (!b || size < sizeof(b->rec) || size > sizeof(*b))
		return -1;
	leat_rec_head(&b->rec.h, s, LEAT_REC_RAW, size);
	leat_rec_proc(&b->rec.proc, s);
	if (bpf_ringbuf_output(ring, &b->rec, size,
			       s->tab.wake || !s->tab.raw_bytes || queued > cfg.ring_wake_bytes / 2
				       ? BPF_RB_FORCE_WAKEUP
				       : BPF_RB_NO_WAKEUP))
		return -1;
	s->tab.raw_bytes += size;
	return 0;
}

/* Whether the sample was sent that way; else it is counted with what was walked of it. */
static __always_inline int leat_raw(struct leat_scratch *s, struct leat_stats *st)
{
	if (!s->tab.missing)
		return 0;
	if (cfg.notify_procs)
		leat_notice(s, st);
	if (!leat_raw_send(s))
		return 1;
	LEAT_STAT_INC(st, N_RAW_UNSENT);
	return 0;
}

#endif
