/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Places in the array of ranges that the kernel side reads. A slice is named by what it holds
 * (its tag), so processes with the same mappings share one; one that nobody has any more is used
 * again only when no sample that began before can still read it.
 */
#ifndef LEAT_LIVE_SLICES_H
#define LEAT_LIVE_SLICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define LEAT_SLICE_NONE	   UINT32_MAX
#define LEAT_SLICE_CLASSES 15 /* places are powers of two of ranges, 2^14 at most */
/* Longer than any sample takes, a virtual CPU that is not scheduled for a while included. */
#define LEAT_SLICE_REST_NS 500000000ull

struct leat_slice_place {
	uint64_t tag;
	uint64_t freed_ns;
	uint32_t first;
	uint32_t cnt; /* in use */
	uint32_t refs;
	uint32_t next; /* of those that are free, of its class, the oldest first */
	uint8_t class;
};

struct leat_slices {
	struct leat_slice_place *v;
	size_t n, cap;
	uint32_t used; /* ranges given to places so far */
	uint32_t max;
	uint32_t head[LEAT_SLICE_CLASSES], tail[LEAT_SLICE_CLASSES]; /* free ones; + 1 */
};

void leat_slices_init(struct leat_slices *s, uint32_t max);
void leat_slices_fini(struct leat_slices *s);
/*
 * One more user of a place for @cnt ranges under @tag, at @now_ns. *fresh: the ranges have to be
 * written. -ENOSPC: all is in use, or not yet at rest.
 */
int leat_slices_get(struct leat_slices *s, uint64_t tag, uint32_t cnt, uint64_t now_ns,
		    uint32_t *slice, bool *fresh) LEAT_MUST_USE;
void leat_slices_put(struct leat_slices *s, uint32_t slice, uint64_t now_ns);

#endif
