/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files for a stored recording that ended before it had names, looked for on the host where it is
 * read. What another time, another boot or another host has put in their place is never taken for
 * them: binaries count by their build id, or by an inode that has not changed since; the kernel's
 * symbols and the vDSO within the same boot; a perf map when nothing was added to it since.
 */
#ifndef LEAT_LIVE_STORED_H
#define LEAT_LIVE_STORED_H

#include "base/cleanup.h"
#include "symbols/symbols.h"

struct leat_stored;

/* By @p's header: when and in which boot it was recorded. -ENOMEM, -errno. */
int leat_stored_new(struct leat_stored **out, const struct leat_profile *p) LEAT_MUST_USE;
void leat_stored_free(struct leat_stored **s);
/* Borrows @s. */
struct leat_file_provider leat_stored_provider(struct leat_stored *s);

#endif
