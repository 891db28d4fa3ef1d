/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEAT_BENCH_READ_COST_H
#define LEAT_BENCH_READ_COST_H

#include "leat_types.h"

#define READ_COST_MAX	16384u
#define READ_COST_READS 128u
#define READ_COST_WAYS	2u

/* @cnt reads of @size bytes, @step apart; what they took. */
struct read_way {
	__u64 size, step, cnt;
	__u64 ns, runs;
};

#endif
