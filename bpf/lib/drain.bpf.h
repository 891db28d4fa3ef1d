/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Moves the counts of one closed table into its CPU's ring, so that user space sees one stream. */
#ifndef LEAT_BPF_DRAIN_H
#define LEAT_BPF_DRAIN_H

#include "emit.bpf.h"

static __always_inline int leat_drain_send(const struct leat_slot *e, __u32 cpu)
{
	void *ring = leat_ring_of(cpu);
	struct leat_rec_count *r = ring ? bpf_ringbuf_reserve(ring, sizeof(*r), 0) : NULL;

	if (!r)
		return -1;
	r->h.kind = LEAT_REC_COUNT;
	r->h.cpu = (__u16)cpu;
	r->h.size = sizeof(*r);
	r->h.ts_ns = e->last_ns;
	r->h.tgid = e->tgid;
	r->h.tid = e->tid;
	r->proc.start_ns = e->start_ns;
	r->proc.exec_cnt = e->exec_cnt;
	r->proc.map_gen = e->map_gen;
	r->stack_hash = e->stack_hash;
	r->first_ns = e->first_ns;
	r->last_ns = e->last_ns;
	r->count = e->count;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return 0;
}

/*
 * Sends slot @at and clears it, in this order. 1: the table is empty now, 0: go on, -1: ring full.
 * Global, so that it is verified once and not in each turn of a loop.
 */
__attribute__((noinline)) int leat_drain_slot(__u32 at, __u32 cpu)
{
	struct leat_slot *e = bpf_map_lookup_elem(&leat_slots, &at);
	struct leat_used *used = bpf_map_lookup_elem(&leat_used, &cpu);
	struct leat_stats *st = leat_stats_get();

	if (!e || !used || !st)
		return 1;
	if (leat_drain_send(e, cpu)) {
		LEAT_STAT_INC(st, N_DRAIN_FULL);
		return -1;
	}
	e->count = 0;
	return --used->slots[at >> cfg.slot_bits & 1] == 0;
}

/*
 * LEAT_DRAIN_PART slots of a table. How many were done, or that number with LEAT_DRAIN_FULL or
 * LEAT_DRAIN_EMPTY or-ed in.
 */
__attribute__((noinline)) int leat_drain_part(__u32 idx, __u32 cpu)
{
	for (__u32 i = 0; i < LEAT_DRAIN_PART; i++) {
		__u32 at = idx + i;
		struct leat_slot *e = bpf_map_lookup_elem(&leat_slots, &at);
		int rc;

		/* The next table is another epoch's, or another CPU's. */
		if (!e || (at ^ idx) >> cfg.slot_bits)
			return i | LEAT_DRAIN_EMPTY;
		if (!e->count)
			continue;
		rc = leat_drain_slot(at, cpu);
		if (rc)
			return i | (rc < 0 ? LEAT_DRAIN_FULL : LEAT_DRAIN_EMPTY);
	}
	return LEAT_DRAIN_PART;
}

/* The slot to go on with; LEAT_DRAIN_FULL is or-ed in when the ring had no room for that one. */
static __always_inline __u32 leat_drain_handle(const struct leat_drain_args *args)
{
	const __u32 cpu = args->cpu, end = 1u << cfg.slot_bits;
	const __u32 base = leat_table_base(cpu, args->epoch, cfg.slot_bits);
	__u32 at = args->start;

	for (__u32 i = 0; i < LEAT_DRAIN_PARTS && at < end; i++) {
		__u32 rc = leat_drain_part(base + at, cpu);

		if (rc & LEAT_DRAIN_EMPTY)
			return end;
		if (rc & LEAT_DRAIN_FULL)
			return at + rc; /* the flag is the highest bit: it stays */
		at += rc;
	}
	return at;
}

#endif
