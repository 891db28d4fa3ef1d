/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwind tables in a directory, one file for each build id (unwind/store.h). It is read and written
 * by its owner alone: a directory or a file that somebody else owns or may write to is refused. A
 * file appears whole or not at all, so that any number of leats may share the directory. At most
 * LEAT_CACHE_BYTES lie there: beyond, the file goes that was not used for the longest time.
 * One thread.
 */
#ifndef LEAT_LIVE_TABLE_CACHE_H
#define LEAT_LIVE_TABLE_CACHE_H

#include "unwind/store.h"

#define LEAT_CACHE_BYTES (256ull << 20)

struct leat_table_cache;

/*
 * leat_table_cache_open - a cache in @dir, which is made when only it is missing.
 * @max_bytes: 0: LEAT_CACHE_BYTES.
 *
 * Errors: -EPERM somebody else owns it, -EACCES others may write to it, -ENOTDIR, -ENOENT, -ENOMEM,
 * -errno.
 */
int leat_table_cache_open(struct leat_table_cache **out, const char *dir,
			  uint64_t max_bytes) LEAT_MUST_USE;
void leat_table_cache_close(struct leat_table_cache **c);
/*
 * The table with @key. -ENOENT there is none; -ESTALE, -EBADMSG it cannot be used, -EPERM, -EACCES
 * as above; -ENOMEM, -errno.
 */
int leat_table_cache_load(struct leat_table_cache *c, const struct leat_store_key *key,
			  struct leat_unwind_rules *rules,
			  struct leat_unwind_table **out) LEAT_MUST_USE;
/* Keeps a table, in place of one that may be there. -ENOSPC larger than the cache, -errno. */
int leat_table_cache_save(struct leat_table_cache *c, const struct leat_store_key *key,
			  const struct leat_unwind_table *t,
			  const struct leat_unwind_rules *rules) LEAT_MUST_USE;

#endif
