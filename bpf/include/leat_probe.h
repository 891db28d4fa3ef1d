/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What both sides agree on about the program behind a tracepoint. One copy of the program is loaded
 * for each tracepoint, with this as its read-only data: sizes and offsets are then constants to the
 * verifier, and no look-up tells which tracepoint has fired (cookies do, but from 5.15 on only).
 */
#ifndef LEAT_BPF_PROBE_H
#define LEAT_BPF_PROBE_H

#include "leat_types.h"

/* The kernel's own limit of a record, PERF_MAX_TRACE_SIZE: a larger one is never cut, for there is none. */
#define LEAT_PROBE_MAX_BYTES 8192
#define LEAT_PROBE_MAX_DYN   16
/* common_type, common_flags, common_preempt_count, common_pid. */
#define LEAT_PROBE_COMMON 8

struct leat_probe_cfg {
	__u32 kind;	       /* event id, into struct leat_rec */
	__u32 common_type;     /* the tracepoint's id in tracefs */
	__u32 fixed_bytes;     /* end of the last field of fixed size; at least LEAT_PROBE_COMMON */
	__u32 dyn_cnt;	       /* descriptors of dynamic data: at most LEAT_PROBE_MAX_DYN */
	__u32 self_tgid;       /* leat itself, in its own pid namespace: filtered; 0 off */
	__u32 only_tgid;       /* the one process that is wanted, in leat's pid namespace; 0: all */
	__u64 pidns_dev;       /* leat's own pid namespace */
	__u64 pidns_ino;       /* 0: the initial one, no translation */
	__u64 ring_wake_bytes; /* force a wake-up when more is queued */
	__u32 dyn_offset[LEAT_PROBE_MAX_DYN];
	__u32 dyn_base
		[LEAT_PROBE_MAX_DYN]; /* what a descriptor's offset is counted from; 0: the start */
};

/* A record as it crosses: struct leat_rec, then the tracepoint's bytes as tracefs describes them. */

#endif
