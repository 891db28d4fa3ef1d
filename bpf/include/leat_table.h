/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The count table and the words that both sides share while a collection runs. Never in a file.
 *
 * Table: one ARRAY map for all; the table of {cpu, epoch} begins at leat_table_base(). A slot is
 * in use while count is not 0. Its writer is its CPU; user space has it drained by a BPF program
 * only after the epoch was closed, and that clears the count alone: a program that was held up
 * between look-up and add (a virtual CPU that was not scheduled) then still adds to the right key.
 */
#ifndef LEAT_BPF_TABLE_H
#define LEAT_BPF_TABLE_H

#include "leat_types.h"

#define LEAT_SLOT_BITS_MIN 2
#define LEAT_SLOT_BITS_MAX 16

struct leat_slot {
	__u64 stack_hash;
	__u64 start_ns;
	__u64 first_ns;
	__u64 last_ns;
	__u64 count;
	__u32 tgid;
	__u32 tid;
	__u32 exec_cnt;
	__u32 map_gen;
	__u32 sent; /* leat_ctl.resend_gen when the frames were sent; 0: not yet */
	__u32 pad;
};

/* Written by user space (mapped); read by every sample. */
struct leat_ctl {
	__u64 beat_ns;	  /* CLOCK_MONOTONIC */
	__u32 epoch;	  /* counts up; the lowest bit says to which table samples go */
	__u32 resend_gen; /* 1, 2, ...: frames sent under another number are sent again */
	__u32 set_gen;	  /* changes with every change of leat_tgids, by whomever */
	__u32 pad32;
	__u64 pad[5];
};

/* Of each CPU: slots in use by epoch (mapped; user space skips empty tables by it). */
struct leat_used {
	__u32 slots[2];
	__u32 pad[14];
};

/* Context of leat_drain: what a raw tracepoint's arguments are. */
struct leat_drain_args {
	__u64 cpu;
	__u64 epoch;
	__u64 start; /* first slot to look at */
};

/*
 * What leat_drain returns: the slot to go on with, and whether the ring was full there. One run
 * looks at no more than LEAT_DRAIN_PART * LEAT_DRAIN_PARTS slots.
 */
#define LEAT_DRAIN_PART	 16u
#define LEAT_DRAIN_PARTS 32u
#define LEAT_DRAIN_FULL	 (1u << 31)
#define LEAT_DRAIN_EMPTY (1u << 30) /* between the parts only */

static inline __u32 leat_table_base(__u32 cpu, __u32 epoch, __u32 slot_bits)
{
	return (cpu * 2 + (epoch & 1)) << slot_bits;
}

_Static_assert(sizeof(struct leat_slot) == 64, "one cache line");
_Static_assert(sizeof(struct leat_ctl) == 64, "one cache line");
_Static_assert(sizeof(struct leat_used) == 64, "one cache line");

#endif
