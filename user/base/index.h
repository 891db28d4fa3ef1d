/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open-addressing index from a caller's 64-bit hash to a caller's u32 (an index into an array the
 * caller owns). It stores hash and value only: equality is the caller's. Grows; never shrinks.
 * One writer; not thread-safe. At most 2^31 values.
 */
#ifndef LEAT_BASE_INDEX_H
#define LEAT_BASE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define LEAT_INDEX_NONE UINT32_MAX

struct leat_index_slot {
	uint32_t tag;	/* the hash, folded; its lower bits say where the search starts */
	uint32_t value; /* + 1; 0: empty */
};

struct leat_index {
	struct leat_index_slot *slots;
	size_t mask; /* slots - 1 */
	size_t n;
};

typedef bool (*leat_index_eq)(const void *ctx, uint32_t value, const void *key);

void leat_index_init(struct leat_index *ix);
void leat_index_fini(struct leat_index *ix);
/* Forgets the values, keeps the memory. */
void leat_index_reset(struct leat_index *ix);
/* Room for @n values in all, so that leat_index_add cannot fail up to there. 0, -ENOMEM, -EOVERFLOW. */
int leat_index_reserve(struct leat_index *ix, size_t n) LEAT_MUST_USE;
/* Adds @value (dense: values are 0, 1, 2, ... in order of insertion). 0, -ENOMEM or -EOVERFLOW. */
int leat_index_add(struct leat_index *ix, uint64_t hash, uint32_t value) LEAT_MUST_USE;

static inline uint32_t leat_index_tag(uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32);
}

/*
 * LEAT_INDEX_NONE when absent. Inline, so that a static @eq is compiled into the search: an
 * indirect call would cost a third of a look-up.
 */
static inline uint32_t leat_index_find(const struct leat_index *ix, uint64_t hash, leat_index_eq eq,
				       const void *ctx, const void *key)
{
	uint32_t tag = leat_index_tag(hash);
	size_t i = tag & ix->mask;

	if (!ix->slots)
		return LEAT_INDEX_NONE;
	/* Ends: at most half of the slots are taken. */
	for (; ix->slots[i].value; i = (i + 1) & ix->mask) {
		if (ix->slots[i].tag == tag && eq(ctx, ix->slots[i].value - 1, key))
			return ix->slots[i].value - 1;
	}
	return LEAT_INDEX_NONE;
}

#endif
