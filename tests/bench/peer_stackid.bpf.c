/* SPDX-License-Identifier: BSD-2-Clause */
/* What leat is measured against: bpf_get_stackid and a count in a hash, nothing else. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 kernel_too = 0;

struct peer_key {
	__u32 tgid;
	__s32 ustack;
	__s32 kstack;
};

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16384);
	__uint(key_size, 4);
	__uint(value_size, 127 * 8);
} peer_stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct peer_key);
	__type(value, __u64);
} peer_counts SEC(".maps");

SEC("perf_event")
int peer_sample(struct bpf_perf_event_data *ctx)
{
	struct peer_key key = { .tgid = bpf_get_current_pid_tgid() >> 32, .kstack = -1 };
	__u64 one = 1, *count;

	key.ustack = (__s32)bpf_get_stackid(ctx, &peer_stacks, BPF_F_USER_STACK);
	if (kernel_too)
		key.kstack = (__s32)bpf_get_stackid(ctx, &peer_stacks, 0);
	count = bpf_map_lookup_elem(&peer_counts, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&peer_counts, &key, &one, BPF_NOEXIST);
	return 0;
}
