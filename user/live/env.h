/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment source: what happens to processes (names, mappings, forks, exits) from the
 * kernel's side band, and what was there before from /proc. One thread.
 */
#ifndef LEAT_LIVE_ENV_H
#define LEAT_LIVE_ENV_H

#include <leat/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "live/files.h"

struct leat_env;

struct leat_env_opts {
	bool all;      /* follow every process; else those of leat_env_add alone */
	bool children; /* a followed process's children are followed */
	bool threads;  /* names of threads too */
	uint32_t self_tgid;
	const uint32_t *cpus; /* online ones; borrowed until start has returned */
	size_t cpu_cnt;
	struct leat_files *files; /* borrowed; NULL: mappings are not identified */
	/* @tgid's mappings are known from now on. */
	void (*on_known)(void *ctx, uint32_t tgid);
	/* @tgid runs another program now; may be NULL. */
	void (*on_exec)(void *ctx, uint32_t tgid);
	void *ctx;
};

struct leat_env_stats {
	uint64_t records; /* delivered */
	uint64_t foreign; /* side-band records of processes that nobody asked for */
	uint64_t lost;	  /* side-band records lost in the kernel */
	uint64_t malformed;
	uint64_t reads;	  /* of a process's /proc */
	uint64_t read_ns; /* time spent on them */
	uint64_t rereads; /* of reads: after a loss */
	uint64_t unreadable;
	uint64_t truncated; /* processes with more mappings than the stated maximum */
};

int leat_env_new(struct leat_env **out, const struct leat_env_opts *o) LEAT_MUST_USE;
void leat_env_free(struct leat_env **e);

/* Ops: start opens the side band, then reads /proc of the processes that were added. */
struct leat_source leat_env_source(struct leat_env *e);
/* What made start fail. */
const struct leat_diag *leat_env_diag(const struct leat_env *e);

/* Follows a process; before start, or at any time after. -EINVAL pid out of range. */
int leat_env_add(struct leat_env *e, uint32_t tgid) LEAT_MUST_USE;
/* Registers on "leat/newproc", after the sources are opened. -ENOENT no such event. */
int leat_env_attach(struct leat_env *e, struct leat_bus *bus) LEAT_MUST_USE;
/*
 * @tgid has mappings that nobody told of (mremap moves code silently): its /proc is read again, soon
 * and with a back-off. Nothing when it is not followed.
 */
void leat_env_look_again(struct leat_env *e, uint32_t tgid);
/* Followed processes that have not ended, as far as is known. */
size_t leat_env_alive(const struct leat_env *e);
bool leat_env_follows(const struct leat_env *e, uint32_t tgid);
/* Whether the last poll brought anything of a followed process; for the reader's back-off. */
bool leat_env_was_useful(const struct leat_env *e);
void leat_env_stats(const struct leat_env *e, struct leat_env_stats *out);

#endif
