/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Maps of walks by tables; created only for those, and sized at load. */
#ifndef LEAT_BPF_TABLE_MAPS_H
#define LEAT_BPF_TABLE_MAPS_H

#include "maps.bpf.h"

#include "leat_space.h"
#include "leat_unwind.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_range);
} leat_ranges SEC(".maps");

/* Preallocated, as programs of perf events may use no other before 6.1. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_space);
} leat_spaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_exe);
} leat_exes SEC(".maps");

/* Pattern of the tables: they are of any length, BPF_F_INNER_MAP (5.10) allows that. */
struct leat_table_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 64); /* union leat_unwind_block, of which BTF holds a declaration only */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct leat_table_map);
} leat_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LEAT_UNWIND_RULES_MAX);
	__type(key, __u32);
	__type(value, struct leat_unwind_rule);
} leat_rules SEC(".maps");

/* A record under construction, one value a CPU. Its words[] is ours. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgnu-variable-sized-type-not-at-end"
struct leat_raw_buf {
	struct leat_rec_raw rec;
	__u64 words[(LEAT_RAW_BYTES + 4096) / 8];
};
#pragma clang diagnostic pop

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_raw_buf);
} leat_raw_bufs SEC(".maps");

#endif
