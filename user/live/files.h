/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that targets have mapped: opened when a mapping is first seen, identified, and held
 * open, so that they can be read when the process has gone or the file was deleted. Identity is
 * the build id where there is one, else device, inode and generation. Not thread-safe, but for
 * the provider, which several threads may call.
 */
#ifndef LEAT_LIVE_FILES_H
#define LEAT_LIVE_FILES_H

#include "base/cleanup.h"
#include "leat_wire.h"
#include "symbols/symbols.h"

struct leat_files;

struct leat_files_stats {
	uint64_t known;	     /* distinct files */
	uint64_t held;	     /* of them held open */
	uint64_t over_limit; /* not held: too many open files */
	uint64_t refused;    /* not permitted */
	uint64_t gone;	     /* could not be found any more */
	uint64_t stale;	     /* another file stood in its place */
};

/* Raises the soft limit of open files to the hard one, and uses at most half of it. */
int leat_files_new(struct leat_files **out) LEAT_MUST_USE;
void leat_files_free(struct leat_files **f);

/*
 * leat_files_identify - fill in what a mapping's record leaves open: build id, device, inode,
 * generation; one file gets one identity, however it was learned. The file is opened when it is
 * new. A memfd that holds a program becomes LEAT_MMAP_FILE.
 */
void leat_files_identify(struct leat_files *f, struct leat_rec_mmap *m);
/* @tgid has code that no file backs: hold its root directory, where its perf map will be looked for. */
void leat_files_keep_root(struct leat_files *f, uint32_t tgid);
/*
 * Once a second: opens the perf maps of processes with a root of their own. A directory that is
 * held does not hold what is mounted below it when its namespace ends; an open file stays.
 */
void leat_files_tick(struct leat_files *f);
void leat_files_stats(const struct leat_files *f, struct leat_files_stats *out);

/* Borrows @f. */
struct leat_file_provider leat_files_provider(struct leat_files *f);

/* The soft limit of open files as it was before leat_files_new, for programs that leat starts. */
uint64_t leat_files_old_limit(const struct leat_files *f);

#endif
