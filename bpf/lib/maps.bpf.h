/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Configuration, maps and per-CPU state of the sampler. Sizes that are 1 here are set at load. */
#ifndef LEAT_BPF_MAPS_H
#define LEAT_BPF_MAPS_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "leat_glob.h"
#include "leat_cfg.h"
#include "leat_stat.h"
#include "leat_table.h"
#include "leat_wire.h"

const volatile struct leat_cfg cfg = {};
const volatile struct leat_glob globs[LEAT_CFG_MAX_NAMES] = {}; /* cfg.names, compiled */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_slot);
} leat_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_ctl);
} leat_ctl SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_used);
} leat_used SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} leat_tgids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} leat_tids SEC(".maps");

/* The only ring where one is enough: to fill a map of maps waits for a grace period (26 ms). */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} leat_ring SEC(".maps");

struct leat_ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct leat_ring_map);
} leat_rings SEC(".maps");

/* CPU -> index in leat_rings. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} leat_cpu_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} leat_control SEC(".maps");

struct leat_stats {
	__u64 v[32];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_stats);
} leat_stats SEC(".maps");

_Static_assert(LEAT_STAT__MAX <= 32, "struct leat_rec_stat holds 32");

/* Only its CPU writes it, and perf_event programs do not nest on a CPU. */
#define LEAT_STAT_INC(st, id)	 ((st)->v[LEAT_STAT_##id]++)
#define LEAT_STAT_ADD(st, id, n) ((st)->v[LEAT_STAT_##id] += (n))

static __always_inline struct leat_stats *leat_stats_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&leat_stats, &zero);
}

#endif
