/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses of one object that want a name: sorted, distinct, and found fast from anything
 * that has a start. Names are found by one pass over a symbol table in its own order, however
 * large, instead of sorting the table for the sake of a few addresses.
 */
#ifndef LEAT_SYMBOLS_SPOTS_H
#define LEAT_SYMBOLS_SPOTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct leat_spots {
	uint64_t *addr;	 /* ascending, distinct; owned */
	size_t n;	 /* below UINT32_MAX */
	uint32_t *first; /* by bucket of 1 << shift addresses: the first spot in it or behind it */
	size_t bucket_cnt;
	unsigned int shift;
};

/* @addr (ascending, distinct, @n > 0) is taken over, on failure too. 0, -ENOMEM, -EOVERFLOW. */
int leat_spots_init(struct leat_spots *s, uint64_t *addr, size_t n) LEAT_MUST_USE;
void leat_spots_fini(struct leat_spots *s);

/* The first spot at or above @addr; s->n when there is none. */
static inline size_t leat_spots_from(const struct leat_spots *s, uint64_t addr)
{
	size_t bucket, low, high;

	if (addr <= s->addr[0])
		return 0;
	bucket = (addr - s->addr[0]) >> s->shift;
	if (bucket >= s->bucket_cnt)
		return s->n;
	low = s->first[bucket];
	high = s->first[bucket + 1];
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->addr[mid] < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

#endif
