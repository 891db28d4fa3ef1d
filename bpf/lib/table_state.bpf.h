/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a walk by tables keeps in the scratch slot. */
#ifndef LEAT_BPF_TABLE_STATE_H
#define LEAT_BPF_TABLE_STATE_H

#include "leat_space.h"
#include "leat_unwind.h"

#define LEAT_GREGS 16 /* DWARF numbers of x86-64: 6 rbp, 7 rsp */

/* Why a walk could not go on that user space can finish. */
#define LEAT_MISSING_TABLE 1u
#define LEAT_MISSING_RANGE 2u

/* A rule is copied as one word. */
union leat_rule_word {
	struct leat_unwind_rule rule;
	__u64 word;
};

struct leat_table_state {
	struct leat_unwind_walk walk;
	union leat_rule_word of; /* the frame that is left */
	struct leat_space space; /* of @tgid as of @gen; tag 0: it has none */
	__u32 tgid;
	__u32 gen;
	__u32 missing; /* LEAT_MISSING_*, 0 nothing */
	__u32 guessed; /* the last step was by frame pointer for want of a table */
	__u32 range;   /* of the process, where the last address was found */
	__u32 low;     /* of a search among ranges */
	__u32 high;
	__u32 wake; /* the first sample that asks for a table */
	__u32 misses;
	__u32 raw_epoch;
	__u32 raw_bytes;
	__u64 regs[LEAT_GREGS]; /* the user registers that a sample began with */
};

#endif
