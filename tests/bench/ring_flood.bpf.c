/* SPDX-License-Identifier: BSD-2-Clause */
/* Fills a ring as fast as a program can: 64-byte records, numbered, made by a syscall program. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "leat_wire.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define RUN 4096 /* records of a run */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

struct flood_counts {
	__u64 seen;
	__u64 lost;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flood_counts);
} counts SEC(".maps");

struct flood_rec {
	struct leat_rec h;
	__u64 payload[5];
};

SEC("syscall")
int flood(void *ctx)
{
	__u32 zero = 0;
	struct flood_counts *c = bpf_map_lookup_elem(&counts, &zero);

	if (!c)
		return 1;
	for (int i = 0; i < RUN; i++) {
		struct flood_rec *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

		c->seen++;
		if (!r) {
			c->lost++;
			continue;
		}
		r->h.kind = 1;
		r->h.cpu = 0;
		r->h.size = sizeof(*r);
		r->h.ts_ns = c->seen;
		r->h.tgid = 1;
		r->h.tid = 1;
		for (int k = 0; k < 5; k++)
			r->payload[k] = c->seen + k;
		bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	}
	return 0;
}
