/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The program behind any tracepoint: copies the record into the ring, behind struct leat_rec.
 *
 * Its context is the record but for the first eight bytes, where the common_* fields should be: there
 * the kernel keeps a pointer to registers (perf_trace_run_bpf_submit). They are made anew, so that no
 * kernel address leaves. common_flags and common_preempt_count are 0 in the record, and no fields of
 * the event's format (leat_probe_known_fields): the kernel works them out after it has run us, from
 * whether interrupts are off, which no helper tells and the registers do not hold (their flags are
 * 0), and from a count of the CPU that lies elsewhere in each kernel. No field is better than a wrong
 * one.
 * No CO-RE: a copy of this is loaded for each tracepoint, and reading the kernel's BTF costs more
 * than all else.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "leat_probe.h"
#include "leat_stat.h"
#include "leat_wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define WAKE_GAP_NS 1000000ull

const volatile struct leat_probe_cfg cfg = { .fixed_bytes = LEAT_PROBE_COMMON };

/* Shared by the copies, as all maps but the configuration. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} leat_p_ring SEC(".maps");

struct leat_stats {
	__u64 v[32];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_stats);
} leat_p_stats SEC(".maps");

/*
 * One for a CPU is enough: programs of tracepoints run with preemption off, and never within another
 * one (bpf_prog_active; the kernel skips them then, and counts that in recursion_misses).
 */
struct leat_probe_scratch {
	__u64 wake_ns;
	struct leat_rec h;
	__u8 data[LEAT_PROBE_MAX_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_probe_scratch);
} leat_p_scratch SEC(".maps");

struct common {
	__u16 type;
	__u8 flags;
	__u8 preempt_count;
	__s32 pid;
};

#define INC(st, id) ((st)->v[LEAT_STAT_##id]++)

/* In leat's own pid namespace. Zeros: it does not see this process. */
static __always_inline void pids_read(__u64 pid_tgid, struct leat_rec *h)
{
	struct bpf_pidns_info ns = {};

	if (!cfg.pidns_ino) {
		h->tgid = pid_tgid >> 32;
		h->tid = (__u32)pid_tgid;
		return;
	}
	if (bpf_get_ns_current_pid_tgid(cfg.pidns_dev, cfg.pidns_ino, &ns, sizeof(ns)))
		ns = (struct bpf_pidns_info){};
	h->tgid = ns.tgid;
	h->tid = ns.pid;
}

static __always_inline void head_fill(struct leat_rec *h, __u32 bytes)
{
	h->kind = (__u16)cfg.kind;
	h->cpu = (__u16)bpf_get_smp_processor_id();
	h->size = sizeof(*h) + bytes;
	h->ts_ns = bpf_ktime_get_ns();
	pids_read(bpf_get_current_pid_tgid(), h);
}

static __always_inline void common_fill(void *data)
{
	struct common *c = data;

	c->type = (__u16)cfg.common_type;
	c->flags = 0;
	c->preempt_count = 0;
	c->pid = (__s32)bpf_get_current_pid_tgid();
}

/* The reader comes on a timer; it is woken when the ring fills, at most once a millisecond and CPU. */
static __always_inline __u64 wake_flags(struct leat_probe_scratch *s, __u64 now_ns)
{
	if (bpf_ringbuf_query(&leat_p_ring, BPF_RB_AVAIL_DATA) <= cfg.ring_wake_bytes)
		return BPF_RB_NO_WAKEUP;
	if (now_ns - s->wake_ns < WAKE_GAP_NS)
		return BPF_RB_NO_WAKEUP;
	s->wake_ns = now_ns;
	return BPF_RB_FORCE_WAKEUP;
}

/* A record without dynamic data is copied once, straight into the ring. */
static __always_inline __u32 send_fixed(const void *ctx, struct leat_probe_scratch *s)
{
	const __u32 bytes = cfg.fixed_bytes;
	struct leat_rec *r = bpf_ringbuf_reserve(&leat_p_ring, sizeof(*r) + cfg.fixed_bytes, 0);
	__u8 *data;

	if (!r)
		return LEAT_STAT_L_RING_FULL;
	*r = s->h;
	data = (void *)(r + 1);
	if (bpf_probe_read_kernel(data + LEAT_PROBE_COMMON, bytes - LEAT_PROBE_COMMON,
				  ctx + LEAT_PROBE_COMMON)) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return LEAT_STAT_L_NO_SCRATCH;
	}
	common_fill(data);
	bpf_ringbuf_submit(r, wake_flags(s, s->h.ts_ns));
	return LEAT_STAT_STREAMED;
}

/* Where the farthest dynamic data ends. */
static __always_inline __u32 dyn_end(const struct leat_probe_scratch *s)
{
	__u32 end = cfg.fixed_bytes;

	for (__u32 i = 0; i < LEAT_PROBE_MAX_DYN; i++) {
		__u32 at = cfg.dyn_offset[i], word, e;

		if (i >= cfg.dyn_cnt || at > LEAT_PROBE_MAX_BYTES - sizeof(word))
			break;
		word = *(const __u32 *)(s->data + at);
		e = cfg.dyn_base[i] + (word & 0xffff) + (word >> 16);
		if (e > end)
			end = e;
	}
	return end;
}

static __always_inline __u32 send_dynamic(const void *ctx, struct leat_probe_scratch *s)
{
	const __u32 fixed = cfg.fixed_bytes;
	__u32 end, more;

	if (bpf_probe_read_kernel(s->data, fixed & (LEAT_PROBE_MAX_BYTES - 1), ctx))
		return LEAT_STAT_L_NO_SCRATCH;
	end = dyn_end(s);
	/* Not more than a record of the kernel can have: the descriptor then reads as out of range. */
	if (end > LEAT_PROBE_MAX_BYTES)
		end = LEAT_PROBE_MAX_BYTES;
	more = end - fixed;
	barrier_var(more);
	if (more > LEAT_PROBE_MAX_BYTES - fixed)
		return LEAT_STAT_L_NO_SCRATCH;
	if (bpf_probe_read_kernel(s->data + fixed, more, ctx + fixed))
		return LEAT_STAT_L_NO_SCRATCH;
	common_fill(s->data);
	s->h.size = sizeof(s->h) + end;
	barrier_var(end);
	if (end > LEAT_PROBE_MAX_BYTES)
		return LEAT_STAT_L_NO_SCRATCH;
	if (bpf_ringbuf_output(&leat_p_ring, &s->h, sizeof(s->h) + end, wake_flags(s, s->h.ts_ns)))
		return LEAT_STAT_L_RING_FULL;
	return LEAT_STAT_STREAMED;
}

static __always_inline __u32 handle(const void *ctx, struct leat_probe_scratch *s)
{
	head_fill(&s->h, cfg.fixed_bytes);
	if (cfg.self_tgid && s->h.tgid == cfg.self_tgid)
		return LEAT_STAT_F_SELF;
	if (cfg.only_tgid && s->h.tgid != cfg.only_tgid)
		return LEAT_STAT_F_TARGET;
	return cfg.dyn_cnt ? send_dynamic(ctx, s) : send_fixed(ctx, s);
}

SEC("tp")
int leat_probe(const void *ctx)
{
	__u32 zero = 0, how;
	struct leat_stats *st = bpf_map_lookup_elem(&leat_p_stats, &zero);
	struct leat_probe_scratch *s = bpf_map_lookup_elem(&leat_p_scratch, &zero);

	if (!st)
		return 0;
	INC(st, SEEN);
	how = s ? handle(ctx, s) : LEAT_STAT_L_NO_SCRATCH;
	if (how < 32)
		st->v[how]++;
	return 0;
}
