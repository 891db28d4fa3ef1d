/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a collection is asked to do, filled in between open and load. The verifier sees constants,
 * so a filter that is off leaves no instruction behind.
 */
#ifndef LEAT_BPF_CFG_H
#define LEAT_BPF_CFG_H

#include "leat_types.h"

#define LEAT_CFG_MAX_UIDS     8
#define LEAT_CFG_MAX_CGROUPS  8
#define LEAT_CFG_MAX_NAMES    8
#define LEAT_CFG_NAME_LEN     32
#define LEAT_CFG_CGROUP_DEPTH 32

/* Value bits of the process set (map leat_tgids): which kinds of target a process satisfies. */
#define LEAT_SET_PROCESS 1u /* named by -p, or a child of one */
#define LEAT_SET_NAME	 2u /* its executable matches -n */
#define LEAT_SET_KNOWN	 4u /* user space has its mappings: no notice needed */

struct leat_cfg {
	__u32 by_process;      /* 1: only tgids with LEAT_SET_PROCESS in leat_tgids */
	__u32 by_thread;       /* 1: only tids in leat_tids */
	__u32 by_name;	       /* number of globs in names[]; also LEAT_SET_NAME */
	__u32 by_cgroup;       /* number of ids in cgroups[]; descendants included */
	__u32 by_uid;	       /* number of ids in uids[] */
	__u32 children;	       /* 1: a child joins leat_tgids at fork with its parent's bits */
	__u32 skip_kthreads;   /* 1: kernel threads are filtered */
	__u32 keep_idle;       /* 1: the idle task is kept */
	__u32 self_tgid;       /* leat itself, in its own pid namespace; filtered; 0 off */
	__u32 kernel_stack;    /* 1: take kernel frames; alone: of samples in kernel mode */
	__u32 user_stack;      /* 1: take user frames; alone: of what has a user part */
	__u32 max_uframes;     /* 1..LEAT_MAX_UFRAMES */
	__u32 per_thread;      /* 1: tid is part of the key */
	__u32 stream;	       /* 1: one record a sample instead of counting */
	__u32 notify_procs;    /* 1: a process without LEAT_SET_KNOWN raises LEAT_REC_NEWPROC */
	__u32 slot_bits;       /* log2 of the slots of a count table (one CPU, one epoch) */
	__u32 ring_cnt;	       /* rings in leat_rings; cpu_ring[] says which CPU uses which */
	__u32 heartbeat_ms;    /* stalled when the last beat is older; 0 off */
	__u32 thread_size;     /* bytes of a kernel stack, for kernels without bpf_task_pt_regs */
	__u32 unwind;	       /* 1: user stacks by unwind tables, 0: by frame pointers */
	__u32 raw_bytes;       /* of LEAT_REC_RAW, for a CPU in an epoch */
	__u32 keep_events;     /* 1: the kernel too records the event of each sample that is sent */
	__u32 orc;	       /* 1: kernel stacks by the kernel's own unwind tables */
	__u32 pad;	       /* to 8 bytes */
	__u64 ring_wake_bytes; /* force a wake-up when more is queued in a ring */
	__u64 seed;	       /* of the stack hash */
	__u32 uids[LEAT_CFG_MAX_UIDS];
	__u64 cgroups[LEAT_CFG_MAX_CGROUPS];
	char names[LEAT_CFG_MAX_NAMES][LEAT_CFG_NAME_LEN]; /* globs on the leader's comm */
	__u64 pidns_dev; /* leat's own pid namespace: dev and inode of /proc/self/ns/pid */
	__u64 pidns_ino; /* 0: leat is in the initial one, no translation */
};

#endif
