/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* CPU samples: one perf_event program, the drain of its count tables, and the life of processes. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "lib/drain.bpf.h"
#include "lib/life.bpf.h"
#include "lib/sample.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("perf_event")
int leat_sample(struct bpf_perf_event_data *ctx)
{
	return leat_sample_handle(ctx, (void *)ctx, LEAT_CTX_SAMPLE);
}

/* Never attached: run by BPF_PROG_TEST_RUN with struct leat_drain_args. */
SEC("raw_tp")
int leat_drain(const struct leat_drain_args *args)
{
	return leat_drain_handle(args);
}

/* Never attached: run by BPF_PROG_TEST_RUN, after the load. */
SEC("syscall")
int leat_orc_find(void *ctx)
{
	return (int)leat_orc_find_handle();
}

SEC("raw_tp/module_free")
int leat_module_free(const struct bpf_raw_tracepoint_args *ctx)
{
	leat_orc_forget_modules();
	return 0;
}

SEC("raw_tp/sched_process_fork")
int leat_fork(const struct bpf_raw_tracepoint_args *ctx)
{
	return leat_fork_handle((void *)ctx->args[0], (void *)ctx->args[1]);
}

SEC("raw_tp/sched_process_exit")
int leat_exit(const struct bpf_raw_tracepoint_args *ctx)
{
	return leat_exit_handle((void *)ctx->args[0]);
}

SEC("raw_tp/sched_process_exec")
int leat_exec(const struct bpf_raw_tracepoint_args *ctx)
{
	return leat_exec_handle((void *)ctx->args[0]);
}
