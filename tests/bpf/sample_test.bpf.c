/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The sampler as a raw tracepoint program: BPF_PROG_TEST_RUN runs those, but no perf_event ones.
 * Registers come from the caller, so the stack that is walked may be any memory of the test.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "drain.bpf.h"
#include "life.bpf.h"
#include "sample.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct leat_test_args {
	__u64 ip;
	__u64 sp;
	__u64 fp;
	__u64 cs; /* 0x33 user, 0x23 32-bit, 0x10 kernel */
};

SEC("raw_tp")
int leat_t_sample(const struct leat_test_args *args)
{
	struct leat_ctx_regs regs = {};

	regs.ip = args->ip;
	regs.sp = args->sp;
	regs.bp = args->fp;
	regs.cs = args->cs;
	return leat_sample_handle((void *)args, &regs, LEAT_CTX_SAMPLE);
}

SEC("raw_tp")
int leat_t_drain(const struct leat_drain_args *args)
{
	return leat_drain_handle(args);
}
