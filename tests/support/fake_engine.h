/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side's unwind tables without a kernel: what leat_engine_tables and its like would map
 * lies in plain memory, and each call can be told to fail. One at a time: the functions find it by
 * themselves, whatever engine they are asked with.
 */
#ifndef LEAT_TESTS_SUPPORT_FAKE_ENGINE_H
#define LEAT_TESTS_SUPPORT_FAKE_ENGINE_H

#include "engine/tables.h"

#define LEAT_FAKE_EXES	 64
#define LEAT_FAKE_RANGES 1024
#define LEAT_FAKE_SPACES 64

struct leat_fake_engine {
	struct leat_kernel_tables kernel;
	struct {
		uint32_t tgid; /* 0: free */
		struct leat_space space;
	} spaces[LEAT_FAKE_SPACES];
	bool put[LEAT_FAKE_EXES]; /* in leat_tables */
	unsigned int puts, drops, news;
	int new_err, put_err, set_err; /* what these calls answer from now on; 0: they work */
	unsigned int new_us;	       /* so long it takes to make an empty table */
	uint32_t put_err_exe;	       /* put_err is about this one alone; 0: all */
};

/* A fresh one, in use until _fini. */
struct leat_fake_engine *leat_fake_engine_init(void);
void leat_fake_engine_fini(void);
/* What the kernel side has of @tgid; NULL nothing. */
const struct leat_space *leat_fake_engine_space(uint32_t tgid);

#endif
