/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the kernel keeps the unwind tables of its own code and of its modules' (x86: ORC). In one map
 * value; found by leat_orc_find(), sorted by user space.
 */
#ifndef LEAT_BPF_ORC_H
#define LEAT_BPF_ORC_H

#include "leat_types.h"

/* Of searches. Two million rows: large kernels have a third of that. */
#define LEAT_ORC_STEPS	    21
#define LEAT_ORC_PART_STEPS 8
#define LEAT_ORC_PARTS	    (1u << LEAT_ORC_PART_STEPS)

/*
 * The parts of a row (struct orc_entry): two offsets of 16 bits, then these of 4, 4, 3 and 1 bits. The
 * registers by the numbers that they had up to 6.18; 7.x has others.
 */
enum leat_orc_reg {
	LEAT_ORC_UNDEFINED = 0,
	LEAT_ORC_PREV_SP = 1,
	LEAT_ORC_BP = 4,
	LEAT_ORC_SP = 5,
	LEAT_ORC_BP_INDIRECT = 8,
	LEAT_ORC_SP_INDIRECT = 9,
};

enum leat_orc_type {
	LEAT_ORC_NOTHING = 0,
	LEAT_ORC_END = 1,
	LEAT_ORC_CALL = 2,
	LEAT_ORC_REGS = 3, /* a struct pt_regs */
	LEAT_ORC_IRET = 4, /* its last five words */
};

/* Code that a table of its own describes: the kernel's, a module's. */
struct leat_orc_part {
	__u64 start;
	__u64 end; /* exclusive */
	__u64 ips; /* kernel address of the rows' addresses: 4 bytes each, relative to their own place */
	__u64 rows; /* of the rows: 6 bytes each */
	__u32 cnt;
	__u32 pad;
};

struct leat_orc {
	__u64 rethook; /* return addresses that stand for another one: a traced function's */
	__u64 graph;
	__u32 part_cnt; /* 0: the kernel walks its stacks itself */
	__u32 tag;	/* of what is remembered: counts modules that went */
	__u32 found;	/* parts so far, by leat_orc_find */
	__u32 pad;
	__u64 regs; /* the kernel's number of a register -> enum leat_orc_reg, four bits each; 0 unknown */
	struct leat_orc_part parts[LEAT_ORC_PARTS]; /* sorted */
};

_Static_assert(sizeof(struct leat_orc_part) == 40, "shared size");
_Static_assert(sizeof(struct leat_orc) == 40 + 40 * LEAT_ORC_PARTS, "shared size");

#endif
