/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind tables for the processes of a recording: follows their executable mappings by the
 * environment's events, tells the kernel side of them, has a thread of its own build the table of
 * each binary that was sampled, and unwinds here the samples that came before it was ready
 * ("leat/raw"): they go on as "leat/sample". One thread, besides its own.
 */
#ifndef LEAT_LIVE_TABLES_H
#define LEAT_LIVE_TABLES_H

#include <leat/event.h>

#include "engine/tables.h"
#include "live/files.h"
#include "live/table_cache.h"
#include "profile/verdict.h"

struct leat_tables;

struct leat_tables_opts {
	struct leat_engine *engine;	/* opened with cfg.unwind; borrowed */
	struct leat_files *files;	/* borrowed */
	uint64_t memory_bytes;		/* of all tables in the kernel; 0: 64 MB */
	uint32_t max_frames;		/* of a stack that is unwound here */
	struct leat_table_cache *cache; /* lent to its thread; NULL: none */
	/*
	 * A sample came to a place of @tgid where no code is known: mremap tells nobody. Called at
	 * most every 10 ms for a process. May be NULL.
	 */
	void (*on_unknown)(void *ctx, uint32_t tgid);
	void *ctx;
};

struct leat_tables_stats {
	uint64_t tables;	  /* built */
	uint64_t bytes;		  /* of those that are in the kernel now */
	uint64_t rows;		  /* of all that were built */
	uint64_t build_ns;	  /* time of the thread */
	uint64_t framed;	  /* binaries without a table that have frame pointers */
	uint64_t failed;	  /* binaries without either, or that could not be read */
	uint64_t cached;	  /* taken from the cache instead */
	uint64_t cached_ns;	  /* and the time of that */
	uint64_t cache_damaged;	  /* files of the cache that could not be used */
	uint64_t cache_unwritten; /* tables that could not be put there */
	uint64_t retried;	  /* binaries that were tried again */
	uint64_t evicted;	  /* tables that had to go for want of memory */
	uint64_t again;		  /* of those that were built: had gone, and came again */
	uint64_t again_cpu_ns;	  /* and the CPU time of that */
	uint64_t need_bytes;	  /* of all tables together, if none had to go */
	uint64_t refused;	  /* mappings and processes that did not fit into the kernel side */
	uint64_t unwound;	  /* samples unwound here */
	uint64_t raw_lost;	  /* samples that waited, and for which there was no room */
};

/* A binary without a whole table. */
struct leat_tables_missing {
	enum leat_no_table why;
	uint8_t build_id_len; /* 0: by inode */
	uint8_t build_id[LEAT_BUILD_ID_MAX];
	uint64_t dev, ino;
	bool vdso;
};

/* Begins its thread. */
int leat_tables_new(struct leat_tables **out, const struct leat_tables_opts *o) LEAT_MUST_USE;
void leat_tables_free(struct leat_tables **t);
/* Registers on the environment's events and "leat/raw", after those who name samples. */
int leat_tables_attach(struct leat_tables *t, struct leat_bus *bus) LEAT_MUST_USE;
/*
 * After the environment and the rings were read: tells the kernel side what has changed, takes
 * what the thread has built, gives it what is wanted, and unwinds what can be.
 */
int leat_tables_round(struct leat_tables *t) LEAT_MUST_USE;
/* Readable when the thread has built something. */
int leat_tables_fd(const struct leat_tables *t);
/* After the last sample: unwinds all that waits, and waits for the tables that this takes. */
int leat_tables_finish(struct leat_tables *t) LEAT_MUST_USE;
void leat_tables_stats(const struct leat_tables *t, struct leat_tables_stats *out);
/* What an error of opening or building means; @framed: the code keeps frame pointers. */
enum leat_no_table leat_tables_why(int err, bool framed);
/* The next one from *@at on, which begins at 0; false: there is none. */
bool leat_tables_missing(const struct leat_tables *t, uint32_t *at,
			 struct leat_tables_missing *out);

#endif
