/* SPDX-License-Identifier: BSD-2-Clause */
/* Growth of a typed array {T *p; size_t n, cap}: doubled, bounded, overflow-checked. */
#ifndef LEAT_BASE_ARRAY_H
#define LEAT_BASE_ARRAY_H

#include <stddef.h>

#include "base/cleanup.h"

/*
 * Makes room for @need elements of @elem bytes in *@p. 0, -ENOMEM, or -EOVERFLOW when @need is
 * over @max. New memory is not initialised; on failure nothing has changed.
 */
int leat_array_reserve(void **p, size_t *cap, size_t need, size_t elem, size_t max) LEAT_MUST_USE;

/*
 * Asks for large pages behind memory that is about to be filled; nothing below some megabytes. A
 * table that is read at random costs a miss of the TLB at each look-up without, and 256 to 512
 * times as many page faults while it is filled.
 */
void leat_array_advise(void *p, size_t bytes);

/* if (LEAT_ARRAY_ROOM(a->items, a->cap, a->n + 1, MAX)) return -ENOMEM; */
#define LEAT_ARRAY_ROOM(ptr, cap, need, max)                                                       \
	((need) <= (cap)                                                                           \
		 ? 0                                                                               \
		 : leat_array_reserve((void **)&(ptr), &(cap), (need), sizeof(*(ptr)), (max)))

#endif
