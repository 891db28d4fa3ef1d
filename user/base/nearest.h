/* SPDX-License-Identifier: BSD-2-Clause */
/* How far a word is from what it may have been meant to be. */
#ifndef LEAT_BASE_NEAREST_H
#define LEAT_BASE_NEAREST_H

#include <stddef.h>

#define LEAT_NEAREST_MAX 63 /* bytes; longer words are near to nothing */

/*
 * Changes, insertions, deletions and swaps of neighbours between two words, upper and lower case
 * alike; UINT_MAX when one is too long.
 */
unsigned int leat_distance(const char *a, const char *b);
/* The largest distance at which a word of @len bytes is taken for a misspelt one. */
unsigned int leat_distance_limit(size_t len);

#endif
