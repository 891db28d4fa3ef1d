/* SPDX-License-Identifier: BSD-2-Clause */
/* What orc_test.bpf.c tells test_orc.c. */
#ifndef LEAT_TEST_ORC_H
#define LEAT_TEST_ORC_H

#include "leat_types.h"
#include "leat_wire.h"

struct leat_orc_stack {
	__u64 cnt;
	__u64 frames[LEAT_MAX_KFRAMES];
};

struct leat_orc_sums {
	__u64 equal;
	__u64 different;
	__u64 asked;			    /* left to the kernel */
	__u64 frames;			    /* of the equal ones */
	__u64 last_asked;		    /* where the last of these walks ended */
	struct leat_orc_stack ours, theirs; /* the first that differ */
};

#endif
