/* SPDX-License-Identifier: BSD-2-Clause */
/* What it costs to read a user stack, and nothing else: the ways take turns from sample to sample. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "read_cost.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct read_buf {
	__u64 words[READ_COST_MAX / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct read_buf);
} read_bufs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, READ_COST_WAYS);
	__type(key, __u32);
	__type(value, struct read_way);
} read_ways SEC(".maps");

__u32 read_turn = 0;

/* The registers as in asm/ptrace.h: r15 r14 r13 r12 bp. */
struct read_regs {
	__u64 saved[4];
	__u64 fp;
};

SEC("perf_event")
int read_sample(struct bpf_perf_event_data *ctx)
{
	__u64 addr = ((struct read_regs *)(void *)ctx)->fp, begin, size, step, cnt;
	__u32 turn = read_turn++ % READ_COST_WAYS, zero = 0;
	struct read_buf *buf = bpf_map_lookup_elem(&read_bufs, &zero);
	struct read_way *way = bpf_map_lookup_elem(&read_ways, &turn);
	long err = 0;

	if (!buf || !way)
		return 0;
	size = way->size;
	step = way->step;
	cnt = way->cnt;
	if (size > READ_COST_MAX)
		return 0;
	begin = bpf_ktime_get_ns();
	for (__u32 i = 0; i < READ_COST_READS && i < cnt; i++) {
		err |= bpf_probe_read_user(buf, (__u32)size, (void *)addr);
		addr += step;
	}
	begin = bpf_ktime_get_ns() - begin;
	/* A sample beside the frames (the kernel, the C library) is none of this. */
	if (err)
		return 0;
	way->ns += begin;
	way->runs++;
	return 0;
}
