/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The executable mappings of one process, with their history: each has the time from which it is
 * valid, and hides older ones that it overlaps from then on. Nothing is ever forgotten, so a
 * sample can be placed after the process has changed or gone.
 *
 * What was read from /proc (from_proc) was there before it was seen: it is valid since ever, unless
 * something else is known to have been in its place before it was seen; then from when it was seen.
 */
#ifndef LEAT_PROFILE_MAPPINGS_H
#define LEAT_PROFILE_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define LEAT_MAPPINGS_MAX (4u << 20) /* per process; beyond: -EOVERFLOW, counted by the caller */

struct leat_mapping {
	uint64_t start;
	uint64_t end; /* exclusive */
	uint64_t pgoff;
	uint64_t from_ns; /* valid from here on; 0: since before the recording */
	uint64_t seen_ns; /* when it happened, or was seen in /proc; set by _add from from_ns */
	uint32_t object;
	uint32_t from_proc : 1; /* 1: seen in /proc, 0: it happened at seen_ns */
	uint32_t seq : 31;	/* set by _add: of equal times the last one counts */
};

struct leat_mappings {
	struct leat_mapping *items; /* the first @sorted by start, then age; the others by age */
	size_t n;
	size_t cap;
	size_t sorted;
	uint64_t *block_end; /* highest end in each block of sorted items */
	size_t block_cap;
	uint64_t max_end;    /* of all */
	uint64_t max_span;   /* longest mapping: bounds the backward search */
	uint64_t changed_ns; /* latest from_ns */
	uint64_t version;    /* changes with every change */
	uint64_t added;	     /* how many ever */
};

void leat_mappings_fini(struct leat_mappings *m);
/*
 * from_ns of @item: when it happened or was seen. One that is known already (seen in /proc again)
 * adds nothing. 0, -EINVAL (empty range), -EOVERFLOW, -ENOMEM.
 */
int leat_mappings_add(struct leat_mappings *m, const struct leat_mapping *item) LEAT_MUST_USE;
/* Copies into empty @m what @from has up to @ns (fork). */
int leat_mappings_inherit(struct leat_mappings *m, const struct leat_mappings *from,
			  uint64_t ns) LEAT_MUST_USE;
/* Moves what came or was seen at @ns or later from @from to empty @m (exec, known late). */
int leat_mappings_split(struct leat_mappings *m, struct leat_mappings *from,
			uint64_t ns) LEAT_MUST_USE;
/* The newest mapping that covers @addr and was valid at @ns; NULL when none. Borrowed until _add. */
const struct leat_mapping *leat_mappings_find(struct leat_mappings *m, uint64_t addr, uint64_t ns);
/* Whether what covers @addr changed in (@first_ns, @last_ns]: a count in between is ambiguous. */
bool leat_mappings_changed(struct leat_mappings *m, uint64_t addr, uint64_t first_ns,
			   uint64_t last_ns);

#endif
