/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Each sample in kernel mode is walked by leat and by the kernel's own unwinder. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "orc_test.h"
#include "sample.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_orc_stack);
} leat_theirs SEC(".maps");

/* Counters of each CPU, and the first stack that differs. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_orc_sums);
} leat_sums SEC(".maps");

static __always_inline void keep_first(struct leat_orc_sums *sums, struct leat_scratch *s,
				       const struct leat_orc_stack *theirs)
{
	if (sums->different++)
		return;
	sums->ours.cnt = s->kcnt;
	bpf_probe_read_kernel(sums->ours.frames, sizeof(sums->ours.frames), s->out.frames);
	bpf_probe_read_kernel(&sums->theirs, sizeof(sums->theirs), theirs);
}

static __always_inline void compare(struct leat_scratch *s, struct leat_orc_sums *sums,
				    struct leat_orc_stack *theirs, long n)
{
	__u64 hash = cfg.seed;

	theirs->cnt = (__u64)n / 8;
	for (__u32 i = 0; i < LEAT_MAX_KFRAMES && i < theirs->cnt; i++)
		hash = leat_stack_hash_add(hash, theirs->frames[i]);
	if (hash != s->hash || theirs->cnt != s->kcnt) {
		keep_first(sums, s, theirs);
		return;
	}
	sums->equal++;
	sums->frames += s->kcnt;
}

SEC("perf_event")
int leat_k_compare(struct bpf_perf_event_data *ctx)
{
	const struct leat_ctx_regs *regs = (void *)ctx;
	struct leat_scratch *s = leat_scratch_get(0);
	__u32 zero = 0;
	struct leat_orc_sums *sums = bpf_map_lookup_elem(&leat_sums, &zero);
	struct leat_orc_stack *theirs = bpf_map_lookup_elem(&leat_theirs, &zero);
	long n;

	if (!s || !sums || !theirs || (regs->cs & 3) == 3)
		return 0;
	s->cpu = bpf_get_smp_processor_id();
	s->slot = 0;
	s->hash = cfg.seed;
	s->kcnt = 0;
	n = bpf_get_stack(ctx, theirs->frames, sizeof(theirs->frames), 0);
	if (n <= 0)
		return 0;
	if (leat_walk_orc(s, regs)) {
		compare(s, sums, theirs, n);
		return 0;
	}
	sums->asked++;
	sums->last_asked = s->orc.pc;
	return 0;
}

SEC("syscall")
int leat_k_find(void *ctx)
{
	return (int)leat_orc_find_handle();
}
