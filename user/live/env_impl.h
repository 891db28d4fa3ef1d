/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by env*.c. */
#ifndef LEAT_LIVE_ENV_IMPL_H
#define LEAT_LIVE_ENV_IMPL_H

#include "base/buf.h"
#include "live/env.h"
#include "live/rings.h"
#include "live/sideband.h"

/* pid_max is at most this on 64-bit kernels: a byte for each, of which few pages are touched. */
#define LEAT_ENV_PIDS (4u << 20)
/* Executable mappings of one process. */
#define LEAT_ENV_MAPS_MAX (1u << 20)
/* Processes whose /proc is read again after a loss. */
#define LEAT_ENV_KEPT_MAX 4096

#define LEAT_ENV_FOLLOWED 1u  /* asked for */
#define LEAT_ENV_KNOWN	  2u  /* its mappings are known: read, inherited or born under our eyes */
#define LEAT_ENV_TRIED	  4u  /* /proc was read, with whatever result */
#define LEAT_ENV_JIT	  8u  /* has code without a file: its root is held */
#define LEAT_ENV_COUNTED  16u /* is among .alive */

/* A process whose /proc may have to be read again. */
struct leat_env_kept {
	uint32_t tgid;
	bool dirty;
	uint64_t next_ns; /* not before */
	uint64_t wait_ns; /* grows while losses go on */
};

struct leat_env_pending {
	uint64_t ts_ns;
	size_t at; /* in .arena */
};

struct leat_env {
	struct leat_env_opts o;
	struct leat_bus *bus; /* borrowed from open on */
	struct leat_rings rings;
	bool started;
	uint8_t *bits;	       /* LEAT_ENV_* by tgid */
	struct leat_buf arena; /* records read from the rings, not yet delivered */
	struct leat_env_pending *pending;
	size_t pending_cnt, pending_cap;
	struct leat_env_kept *kept;
	size_t kept_cnt, kept_cap;
	uint32_t *leaving; /* their leader has ended, perhaps other threads have not */
	size_t leaving_cnt, leaving_cap;
	uint64_t leaving_next_ns;
	uint64_t lost_next_ns;
	uint32_t *added; /* before the start: read then */
	size_t added_cnt, added_cap;
	leat_field_ref newproc_start;
	size_t alive;
	uint64_t reread_after_ns; /* all re-reads: at most 1/64 of the time */
	bool any_dirty;
	bool useful;
	uint64_t mnt_ns; /* leat's own */
	char *text;	 /* for reading /proc, LEAT_ENV_TEXT bytes */
	struct leat_env_stats stats;
	struct leat_diag diag;
};

#define LEAT_ENV_TEXT 32768u

/* Delivers one wire record (h.size set) to the session. */
void leat_env_emit(struct leat_env *e, const union leat_env_record *r);
/* A mapping on its way: identified, its root held when it is code without a file. */
void leat_env_emit_mmap(struct leat_env *e, union leat_env_record *r);
/*
 * Reads a process from /proc and delivers it. @start_ns: exact start, 0 unknown. -ESRCH gone;
 * mappings that cannot be read are flagged and no error.
 */
int leat_env_read(struct leat_env *e, uint32_t tgid, uint64_t start_ns) LEAT_MUST_USE;
/* After a loss: reads again what is due, within the budget of time. */
void leat_env_reread(struct leat_env *e);
/* Marks everything that is known as perhaps out of date. */
void leat_env_mark_lost(struct leat_env *e);
void leat_env_keep(struct leat_env *e, uint32_t tgid);

#endif
