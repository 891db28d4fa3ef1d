/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The sampler's walk in the other contexts that can ask for a stack: a tracepoint, where the task is
 * in the kernel and its user registers are those that were saved at entry, and a uprobe, whose
 * context holds them.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "sample.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("perf_event")
int leat_c_perf(struct bpf_perf_event_data *ctx)
{
	return leat_sample_handle(ctx, (void *)ctx, LEAT_CTX_SAMPLE);
}

/* The context of a tracepoint holds no registers; these say that the task is in the kernel. */
SEC("tp/raw_syscalls/sys_enter")
int leat_c_tracepoint(void *ctx)
{
	struct leat_ctx_regs regs = {};

	return leat_sample_handle(ctx, &regs, LEAT_CTX_SAMPLE);
}

SEC("uprobe")
int leat_c_uprobe(struct pt_regs *ctx)
{
	return leat_sample_handle(ctx, (void *)ctx, LEAT_CTX_SAMPLE);
}
