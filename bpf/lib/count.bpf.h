/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Counting in a table of our own: per CPU and epoch, open addressing, plain stores by one writer.
 * No BPF hash is updated in a sample: before 6.15 that is refused, or deadlocks, in NMI.
 */
#ifndef LEAT_BPF_COUNT_H
#define LEAT_BPF_COUNT_H

#include "emit.bpf.h"
#include "leat_hash.h"

#define LEAT_PROBES 8

/* Which counter a sample that was finished belongs to. */
static __always_inline __u32 leat_send(struct leat_scratch *s, __u32 delivered)
{
	return leat_emit_sample(s) ? LEAT_STAT_L_RING_FULL : delivered;
}

static __always_inline int leat_slot_is(const struct leat_slot *e, const struct leat_scratch *s,
					__u32 tid)
{
	return e->stack_hash == s->hash && e->start_ns == s->task.start_ns && e->tgid == s->tgid &&
	       e->tid == tid && e->exec_cnt == s->task.exec_cnt && e->map_gen == s->task.map_gen;
}

static __always_inline void leat_slot_init(struct leat_slot *e, const struct leat_scratch *s,
					   __u32 tid)
{
	e->stack_hash = s->hash;
	e->start_ns = s->task.start_ns;
	e->first_ns = s->now_ns;
	e->tgid = s->tgid;
	e->tid = tid;
	e->exec_cnt = s->task.exec_cnt;
	e->map_gen = s->task.map_gen;
	e->sent = 0;
}

static __always_inline void leat_slot_new(struct leat_scratch *s, struct leat_stats *st)
{
	__u32 cpu = s->cpu;
	struct leat_used *used = bpf_map_lookup_elem(&leat_used, &cpu);

	if (used)
		used->slots[s->epoch & 1]++;
	if (cfg.notify_procs)
		leat_notice(s, st);
}

/* Frames follow once an epoch; only a record that is in the ring counts as sent. */
static __always_inline void leat_slot_send(struct leat_slot *e, struct leat_scratch *s,
					   struct leat_stats *st)
{
	if (e->sent == s->resend_gen)
		return;
	if (leat_emit_stack(s)) {
		LEAT_STAT_INC(st, N_STACK_UNSENT);
		return;
	}
	e->sent = s->resend_gen;
	LEAT_STAT_INC(st, N_STACK_SENT);
}

static __always_inline __u32 leat_count(struct leat_scratch *s, struct leat_stats *st)
{
	const __u32 mask = (1u << cfg.slot_bits) - 1;
	const __u32 tid = cfg.per_thread ? s->tid : 0;
	__u32 base = leat_table_base(s->cpu, s->epoch, cfg.slot_bits);
	__u64 at = leat_stack_hash_add(s->hash, s->task.start_ns + tid);

	for (int i = 0; i < LEAT_PROBES; i++) {
		__u32 idx = base + (((__u32)at + i) & mask);
		struct leat_slot *e = bpf_map_lookup_elem(&leat_slots, &idx);

		if (!e)
			return LEAT_STAT_L_NO_SCRATCH;
		if (e->count && !leat_slot_is(e, s, tid))
			continue;
		if (!e->count) {
			leat_slot_init(e, s, tid);
			leat_slot_new(s, st);
		}
		e->last_ns = s->now_ns;
		__sync_fetch_and_add(&e->count, 1);
		leat_slot_send(e, s, st);
		return LEAT_STAT_COUNTED;
	}
	return leat_send(s, LEAT_STAT_OVERFLOWED);
}

#endif
