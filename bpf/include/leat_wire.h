/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Records as they cross from a source to the session. Fixed-width integers only; every record
 * begins with struct leat_rec. Times are CLOCK_MONOTONIC nanoseconds. Values of enums are
 * explicit and append-only: capture files hold them.
 * User space never uses these offsets for decoding: it reads by field, with formats made from
 * the BTF of the BPF object (kernel records) or from LEAT_WIRE_* below (environment, mocks).
 */
#ifndef LEAT_BPF_WIRE_H
#define LEAT_BPF_WIRE_H

#include "leat_types.h"

#define LEAT_MAX_KFRAMES  127 /* kernel.perf_event_max_stack's default, which leat does not change */
#define LEAT_MAX_UFRAMES  512
#define LEAT_MAX_FRAMES	  (LEAT_MAX_KFRAMES + LEAT_MAX_UFRAMES)
#define LEAT_RAW_REGS	  17  /* DWARF numbers of x86-64: 6 rbp, 7 rsp, 16 rip */
#define LEAT_RAW_BELOW	  128 /* bytes below sp: what an epilogue has popped is still there */
#define LEAT_RAW_PAGES	  7   /* of a stack that are copied, the first one in part */
#define LEAT_RAW_BYTES	  (LEAT_MAX_KFRAMES * 8 + LEAT_RAW_PAGES * 4096)
#define LEAT_COMM_LEN	  16
#define LEAT_BUILD_ID_MAX 20
#define LEAT_PATH_MAX	  4096

/* Also the event id: the dispatcher indexes a dense array with it. */
enum leat_rec_kind {
	LEAT_REC_NONE = 0,
	/* kernel, main rings */
	LEAT_REC_COUNT = 1,  /* struct leat_rec_count: a drained slot */
	LEAT_REC_STACK = 2,  /* struct leat_rec_stack: frames of a hash */
	LEAT_REC_SAMPLE = 3, /* struct leat_rec_sample: one sample with its frames */
	LEAT_REC_RAW = 5,    /* struct leat_rec_raw: one sample that user space has yet to unwind */
	/* kernel, control ring */
	LEAT_REC_NEWPROC = 4, /* struct leat_rec_newproc: sampled, and not known to user space */
	/* environment */
	LEAT_REC_PROCESS =
		8, /* struct leat_rec_process: a process that exists (start or first sight) */
	LEAT_REC_THREAD = 9,	/* struct leat_rec_comm: a thread that exists, with its name */
	LEAT_REC_COMM = 10,	/* struct leat_rec_comm: name changed; flag LEAT_COMM_EXEC */
	LEAT_REC_MMAP = 11,	/* struct leat_rec_mmap: executable mapping */
	LEAT_REC_FORK = 12,	/* struct leat_rec_task */
	LEAT_REC_EXIT = 13,	/* struct leat_rec_task */
	LEAT_REC_ENV_LOST = 14, /* struct leat_rec_lost: side-band records lost */
	/* accounting */
	LEAT_REC_STAT = 16, /* struct leat_rec_stat: counters of the kernel side, per CPU */
	LEAT_REC__MAX
};

/* How the walk of a user stack ended. The session may turn one into another (never silently). */
enum leat_stack_result {
	LEAT_STACK_NONE = 0,	   /* no user stack: kernel thread, idle, or not asked for */
	LEAT_STACK_COMPLETE = 1,   /* the outermost frame is proven to be a root */
	LEAT_STACK_TRUNCATED = 2,  /* more frames than asked for */
	LEAT_STACK_BAD_MEMORY = 3, /* the stack could not be read */
	LEAT_STACK_NO_UNWIND = 4,  /* no unwind information (frame pointer leads nowhere) */
	LEAT_STACK_COMPAT = 5,	   /* 32-bit task: not walked */
	LEAT_STACK_BAD_CALL = 6,   /* cut in user space: no call stands before a return address */
	LEAT_STACK_UNSENT = 7,	   /* its frames never arrived */
	LEAT_STACK_BROKEN = 8,	   /* the record was malformed */
	LEAT_STACK_NO_TABLE = 9,   /* the unwind table was not ready, and too many asked for it */
	LEAT_STACK__MAX
};

struct leat_rec {
	__u16 kind; /* enum leat_rec_kind */
	__u16 cpu;
	__u32 size;  /* bytes of the whole record, this header included */
	__u64 ts_ns; /* CLOCK_MONOTONIC; of the last sample for a count */
	__u32 tgid;  /* in leat's own pid namespace where that is known, else the initial one */
	__u32 tid;
};

/*
 * Or-ed to a user frame that is not the first one and no return address: what a signal has
 * interrupted. User addresses have no such bit.
 */
#define LEAT_PC_EXACT (1ull << 63)

/* What identifies the process a sample fell into. */
struct leat_proc_key {
	__u64 start_ns; /* start time of the thread group's leader, CLOCK_MONOTONIC or 0 */
	__u32 exec_cnt; /* exec count of the task, as the kernel keeps it */
	__u32 map_gen;	/* changes with the executable mappings: pages mapped executable */
};

struct leat_rec_count {
	struct leat_rec h; /* tid is 0 unless counted per thread */
	struct leat_proc_key proc;
	__u64 stack_hash;
	__u64 first_ns; /* first and last sample in this slot */
	__u64 last_ns;
	__u64 count;
};

struct leat_rec_stack {
	struct leat_rec h;
	__u64 stack_hash;
	__u16 kframe_cnt;
	__u16 uframe_cnt;
	__u8 uresult;	/* enum leat_stack_result, of the user part */
	__u8 kresult;	/* LEAT_STACK_NONE, _COMPLETE, _TRUNCATED, _BAD_MEMORY */
	__u8 user_mode; /* 1: the sample fell in user mode, so the first user frame is exact */
	__u8 pad[1];
	__u64 frames[]; /* kernel frames, then user frames, innermost first */
};

struct leat_rec_sample {
	struct leat_rec h;
	struct leat_proc_key proc;
	__u64 stack_hash;
	__u64 count; /* 1, or a weight */
	__u16 kframe_cnt;
	__u16 uframe_cnt;
	__u8 uresult;
	__u8 kresult;
	__u8 user_mode;
	__u8 pad[1];
	__u64 frames[];
};

/* A proxy: what unwinds it forwards a leat_rec_sample. */
struct leat_rec_raw {
	struct leat_rec h;
	struct leat_proc_key proc;
	__u64 regs[LEAT_RAW_REGS]; /* user registers */
	__u32 stack_bytes;
	__u16 kframe_cnt;
	__u8 kresult;
	__u8 user_mode;
	__u64 stack_addr; /* of the copy's first byte: below regs[7] where that could be read */
	__u64 words[];	  /* kernel frames, innermost first; then the stack */
};

struct leat_rec_newproc {
	struct leat_rec h;
	struct leat_proc_key proc;
};

struct leat_rec_process {
	struct leat_rec h; /* ts_ns: from when on this is known to be true */
	__u64 start_ns;	   /* leader's start, CLOCK_MONOTONIC; 0 unknown */
	__u32 ppid;	   /* tgid of the parent, 0 unknown */
	__u32 ns_tgid;	   /* its pid in its own pid namespace, 0 unknown */
	__u32 uid;
	__u32 flags; /* enum leat_process_flag */
	char comm[LEAT_COMM_LEN];
	char exe[]; /* path of the executable as the process sees it, NUL-terminated */
};

enum leat_process_flag {
	LEAT_PROCESS_KTHREAD = 1,
	LEAT_PROCESS_OTHER_MNT_NS = 2,
	LEAT_PROCESS_OTHER_PID_NS = 4,
	LEAT_PROCESS_MAPS_UNREADABLE = 16, /* not permitted, or gone */
	LEAT_PROCESS_MAPS_TRUNCATED = 32,  /* more mappings than the stated maximum */
};

#define LEAT_COMM_EXEC 1u
struct leat_rec_comm {
	struct leat_rec h;
	__u32 flags; /* LEAT_COMM_EXEC: this name came with an exec, all mappings are gone */
	__u32 pad;
	char comm[LEAT_COMM_LEN];
};

enum leat_mmap_kind {
	LEAT_MMAP_FILE = 0,
	LEAT_MMAP_ANON = 1, /* JIT code, //anon, memfd: without a readable file */
	LEAT_MMAP_VDSO = 2,
	LEAT_MMAP_VSYSCALL = 3,
};

struct leat_rec_mmap {
	struct leat_rec h; /* ts_ns: when it was mapped, or first seen */
	__u64 start;
	__u64 end;   /* exclusive */
	__u64 pgoff; /* bytes */
	__u64 dev;   /* makedev(major, minor) */
	__u64 ino;
	__u64 ino_gen;	   /* 0 unknown */
	__u8 mmap_kind;	   /* enum leat_mmap_kind */
	__u8 build_id_len; /* 0 unknown */
	__u8 from_proc;	   /* 1: read from /proc (was there before), 0: happened at ts_ns */
	__u8 pad[1];
	__u8 build_id[LEAT_BUILD_ID_MAX];
	char path[]; /* as the process sees it, NUL-terminated, without " (deleted)" */
};

struct leat_rec_task {
	struct leat_rec h; /* fork: the child's tgid and tid; exit: whose it is */
	__u32 ptgid;
	__u32 ptid;
};

struct leat_rec_lost {
	struct leat_rec h;
	__u64 lost_cnt;
};

struct leat_rec_stat {
	struct leat_rec h; /* cpu: whose counters; cumulative since the start */
	__u64 wanted;	   /* samples that this CPU's perf event should have given; 0 unknown */
	__u64 enabled_ns;
	__u64 stat[32]; /* by enum leat_stat; unused ones are 0 */
};

_Static_assert(sizeof(struct leat_rec) == 24, "wire size");
_Static_assert(sizeof(struct leat_proc_key) == 16, "wire size");
_Static_assert(sizeof(struct leat_rec_count) == 72, "wire size");
_Static_assert(sizeof(struct leat_rec_stack) == 40, "wire size");
_Static_assert(sizeof(struct leat_rec_sample) == 64, "wire size");
_Static_assert(sizeof(struct leat_rec_raw) == 192, "wire size");

#endif
