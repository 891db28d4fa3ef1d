/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the kernel keeps the unwind tables of its own code (x86: ORC), as leat_orc_find() found it. In
 * one map value; user space reads the count to tell whether kernel stacks are walked by leat.
 */
#ifndef LEAT_BPF_ORC_H
#define LEAT_BPF_ORC_H

#include "leat_types.h"

#define LEAT_ORC_STEPS                                                                             \
	21 /* of a binary search: two million rows; large kernels have a third of that */
#define LEAT_ORC_ROWMAX (1u << LEAT_ORC_STEPS)

struct leat_orc {
	__u64 ips; /* kernel address of the rows' addresses: 4 bytes each, relative to their own place */
	__u64 rows;    /* of the rows: 6 bytes each */
	__u64 rethook; /* return addresses that stand for another one: a traced function's */
	__u64 graph;
	__u32 cnt; /* rows; 0: the kernel walks its stacks itself */
	__u32 pad;
};

_Static_assert(sizeof(struct leat_orc) == 40, "shared size");

#endif
