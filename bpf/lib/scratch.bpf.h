/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * All state of a sample between begin and finish: a per-CPU map value, one slot per context.
 * The BPF stack would be too small, and state in registers makes the verifier fork at each frame.
 */
#ifndef LEAT_BPF_SCRATCH_H
#define LEAT_BPF_SCRATCH_H

#include "core_compat.bpf.h"
#include "maps.bpf.h"
#include "regs.bpf.h"
#include "table_state.bpf.h"

/* Slots by context. perf_event programs do not nest on a CPU, so samples need one. */
#define LEAT_CTX_SAMPLE 0u
#define LEAT_CTX__MAX	1u

#define LEAT_PAGE	4096ull
#define LEAT_WINDOW_MAX 16384 /* a power of two: offsets are masked with it */
#define LEAT_WORDS	16    /* bytes read at once: two words */
#define LEAT_WALK_PART	32    /* frames walked in one call */
#define LEAT_HINTS	64    /* a power of two */

/* A part of a walk that did not come to an end. */
#define LEAT_WALK_ON LEAT_STACK__MAX

/* The part of the user stack that was read last. */
struct leat_window {
	__u64 base;  /* user address of buf[0] */
	__u64 limit; /* last offset at which LEAT_WORDS bytes are valid, plus 1; 0: nothing is */
	__u64 words; /* the same for 8 bytes */
	__u64 want;  /* bytes that were asked for, before they were cut to what is there */
	__u64 end;   /* where this thread's last stack ended; 0 unknown */
	__u32 ucnt;  /* frames before this window */
	__u32 reads; /* of this stack */
	__u64 buf[(LEAT_WINDOW_MAX + LEAT_WORDS) / 8];
};

/* Where a walk of the kernel stack stands (orc.bpf.h). */
struct leat_orc_state {
	__u64 pc;
	__u64 sp;
	__u64 bp;
	__u64 row;     /* struct orc_entry of the frame that is left, as one word */
	__u64 top;     /* end of the task's kernel stack */
	__u32 exact;   /* pc is the next instruction, not a return address */
	__u32 tag;     /* struct leat_orc's when the walk began */
	__u32 checked; /* stacks that the kernel has walked too, to compare */
	__u32 pad;
};

/* The page after this one could not be read, in this epoch. */
struct leat_hole {
	__u64 page;
	__u32 tgid;
	__u32 epoch;
};

/* Where a thread's last stack ended: the outermost frame stays where it is from sample to sample. */
struct leat_span {
	__u64 end;
	__u32 tid;
	__u32 pad;
};

/* A process whose notice was sent in this epoch. */
struct leat_noticed {
	__u64 start_ns;
	__u32 tgid;
	__u32 epoch;
};

/* Header and frames lie together: either record is sent as one piece. Its frames[] is ours. */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgnu-variable-sized-type-not-at-end"
struct leat_out {
	union {
		struct leat_rec_sample sample;
		struct {
			__u64 skip[3];
			struct leat_rec_stack stack;
		} s;
	} u;
	__u64 frames[LEAT_MAX_FRAMES + LEAT_WALK_PART + 1];
};

struct leat_scratch {
	__u32 busy;
	__u32 slot; /* its own index, for functions that take numbers only */
	__u32 cpu;
	__u32 tgid; /* in leat's pid namespace */
	__u32 tid;
	__u32 itgid; /* in the initial one */
	__u32 in_ns; /* 0: leat does not see this process */
	__u32 epoch;
	__u32 resend_gen;
	__u32 set_gen; /* of the set of processes when set_bits were looked up */
	__u32 set_tgid;
	__u32 set_bits;
	__u32 ctl_gen; /* set_gen as it is now */
	__u64 now_ns;
	__u64 beat_ns;
	__u64 hash;
	__u32 kcnt;
	__u32 ucnt;
	__u32 kresult;
	__u32 uresult;
	__u64 walk_fp;	  /* where the walk stands */
	__u64 walk_floor; /* the next frame is not below */
	__u64 wake_ns;	  /* when this CPU last woke user space */
	struct leat_task task;
	struct leat_regs regs;
	struct leat_table_state tab;
	struct leat_orc_state orc;
	char comm[16];
	union {
		struct leat_rec_count count; /* here for its BTF: formats are made from it */
		struct leat_rec_newproc newproc;
	} rec;
	struct leat_hole holes[LEAT_HINTS];
	struct leat_span spans[LEAT_HINTS];
	struct leat_noticed noticed[LEAT_HINTS];
	struct leat_out out;
	struct leat_window win;
};
#pragma clang diagnostic pop

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LEAT_CTX__MAX);
	__type(key, __u32);
	__type(value, struct leat_scratch);
} leat_scratch SEC(".maps");

_Static_assert(sizeof(struct leat_scratch) <= 32768, "a per-CPU value is limited to 32 KB");
_Static_assert(sizeof(struct leat_rec_sample) == sizeof(struct leat_rec_stack) + 24, "overlay");

static __always_inline struct leat_scratch *leat_scratch_get(__u32 slot)
{
	return bpf_map_lookup_elem(&leat_scratch, &slot);
}

/* The word at @addr; not 0 when it does not lie in what was read last. */
static __always_inline int leat_window_word(const struct leat_scratch *s, __u64 addr, __u64 *out)
{
	const __u64 off = addr - s->win.base;

	if (off >= s->win.words)
		return -1;
	*out = *(const __u64 *)((const char *)s->win.buf + (off & (LEAT_WINDOW_MAX - 1)));
	return 0;
}

#endif
