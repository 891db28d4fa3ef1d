/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Records into rings. No record wakes its reader by itself (a self-IPI of 1.4 us each): the
 * reader comes on a timer, and is woken when a ring is fuller than cfg.ring_wake_bytes, at most
 * once a millisecond and CPU. The control ring wakes always: a new process may live for
 * milliseconds.
 */
#ifndef LEAT_BPF_EMIT_H
#define LEAT_BPF_EMIT_H

#include "pids.bpf.h"

#define LEAT_WAKE_GAP_NS 1000000ull

static __always_inline void *leat_ring_of(__u32 cpu)
{
	__u32 *ring;

	if (cfg.ring_cnt == 1)
		return &leat_ring;
	ring = bpf_map_lookup_elem(&leat_cpu_ring, &cpu);
	return ring ? bpf_map_lookup_elem(&leat_rings, ring) : NULL;
}

static __always_inline __u64 leat_wake_flags(struct leat_scratch *s, void *ring)
{
	if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) <= cfg.ring_wake_bytes)
		return BPF_RB_NO_WAKEUP;
	if (s->now_ns - s->wake_ns < LEAT_WAKE_GAP_NS)
		return BPF_RB_NO_WAKEUP;
	s->wake_ns = s->now_ns;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void leat_rec_head(struct leat_rec *h, const struct leat_scratch *s,
					  __u16 kind, __u32 size)
{
	h->kind = kind;
	h->cpu = (__u16)s->cpu;
	h->size = size;
	h->ts_ns = s->now_ns;
	h->tgid = s->tgid;
	h->tid = s->tid;
}

static __always_inline void leat_rec_proc(struct leat_proc_key *p, const struct leat_scratch *s)
{
	p->start_ns = s->task.start_ns;
	p->exec_cnt = s->task.exec_cnt;
	p->map_gen = s->task.map_gen;
}

/* @head: bytes before the frames. */
static __always_inline __u32 leat_out_size(const struct leat_scratch *s, __u32 head)
{
	__u32 cnt = s->kcnt + s->ucnt;

	if (cnt > LEAT_MAX_FRAMES)
		cnt = LEAT_MAX_FRAMES;
	return head + cnt * 8;
}

/* Frames of a stack that user space has not seen in this epoch. 0 when they are in the ring. */
static __always_inline int leat_emit_stack(struct leat_scratch *s)
{
	struct leat_rec_stack *r = &s->out.u.s.stack;
	__u32 size = leat_out_size(s, sizeof(*r));
	void *ring = leat_ring_of(s->cpu);

	if (!ring)
		return -1;
	leat_rec_head(&r->h, s, LEAT_REC_STACK, size);
	r->stack_hash = s->hash;
	r->kframe_cnt = (__u16)s->kcnt;
	r->uframe_cnt = (__u16)s->ucnt;
	r->uresult = (__u8)s->uresult;
	r->kresult = (__u8)s->kresult;
	r->user_mode = (__u8)s->regs.user;
	r->pad[0] = 0;
	return (int)bpf_ringbuf_output(ring, r, size, leat_wake_flags(s, ring));
}

/* A sample as a record of its own. 0 when it is in the ring. */
static __always_inline int leat_emit_sample(struct leat_scratch *s)
{
	struct leat_rec_sample *r = &s->out.u.sample;
	__u32 size = leat_out_size(s, sizeof(*r));
	void *ring = leat_ring_of(s->cpu);

	if (!ring)
		return -1;
	leat_rec_head(&r->h, s, LEAT_REC_SAMPLE, size);
	leat_rec_proc(&r->proc, s);
	r->stack_hash = s->hash;
	r->count = 1;
	r->kframe_cnt = (__u16)s->kcnt;
	r->uframe_cnt = (__u16)s->ucnt;
	r->uresult = (__u8)s->uresult;
	r->kresult = (__u8)s->kresult;
	r->user_mode = (__u8)s->regs.user;
	r->pad[0] = 0;
	return (int)bpf_ringbuf_output(ring, r, size, leat_wake_flags(s, ring));
}

/* Tells user space of a process that it does not know, once an epoch. */
static __always_inline void leat_notice(struct leat_scratch *s, struct leat_stats *st)
{
	struct leat_noticed *n = &s->noticed[s->itgid & (LEAT_HINTS - 1)];
	struct leat_rec_newproc *r = &s->rec.newproc;

	if (!s->in_ns || !s->itgid || (leat_set_bits(s) & LEAT_SET_KNOWN))
		return;
	if (n->tgid == s->itgid && n->start_ns == s->task.start_ns && n->epoch == s->epoch + 1)
		return;
	leat_rec_head(&r->h, s, LEAT_REC_NEWPROC, sizeof(*r));
	leat_rec_proc(&r->proc, s);
	if (bpf_ringbuf_output(&leat_control, r, sizeof(*r), BPF_RB_FORCE_WAKEUP)) {
		LEAT_STAT_INC(st, N_PROC_UNSENT);
		return;
	}
	n->tgid = s->itgid;
	n->start_ns = s->task.start_ns;
	n->epoch = s->epoch + 1;
}

#endif
