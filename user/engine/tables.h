/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side's unwind tables and mappings of processes (leat_space.h), for an engine that was
 * opened with cfg.unwind. One thread, but for leat_engine_table_*, of which one more may call them.
 */
#ifndef LEAT_ENGINE_TABLES_H
#define LEAT_ENGINE_TABLES_H

#include "engine/engine.h"
#include "leat_space.h"
#include "leat_unwind.h"

/* Mapped arrays; they live as long as the engine. */
struct leat_kernel_tables {
	struct leat_range *ranges;
	uint32_t range_cnt;
	struct leat_exe *exes;
	uint32_t exe_cnt;
	struct leat_unwind_rule *rules; /* LEAT_UNWIND_RULES_MAX */
};

/* -ENOENT: the engine walks by frame pointers. */
int leat_engine_tables(const struct leat_engine *e, struct leat_kernel_tables *out) LEAT_MUST_USE;

/* From here on @tgid's samples use these ranges. -EOVERFLOW: too many processes. */
int leat_engine_space_set(struct leat_engine *e, uint32_t tgid,
			  const struct leat_space *space) LEAT_MUST_USE;
int leat_engine_space_clear(struct leat_engine *e, uint32_t tgid) LEAT_MUST_USE;
/* Whether the kernel side has any for @tgid: not after its end or an exec. */
bool leat_engine_space_has(const struct leat_engine *e, uint32_t tgid);

/* An empty table of @block_cnt blocks, to be filled in place: *mem of *bytes (munmap), *fd (close). */
int leat_engine_table_new(const struct leat_engine *e, uint32_t block_cnt, void **mem,
			  size_t *bytes, int *fd) LEAT_MUST_USE;
/*
 * The tables @fds of @cnt binaries. Waits for a grace period of RCU, some 20 ms: for one (before
 * 6.8: one for each table). Samples use a table once leat_exe.state is READY. *@put: how many there
 * are after an error, which is the next one's.
 */
int leat_engine_tables_put(const struct leat_engine *e, const uint32_t *exes, const int *fds,
			   uint32_t cnt, uint32_t *put) LEAT_MUST_USE;
int leat_engine_table_drop(const struct leat_engine *e, uint32_t exe) LEAT_MUST_USE;

#endif
