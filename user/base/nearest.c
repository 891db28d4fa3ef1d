/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nearest.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment: three rows of the table are enough. */
unsigned int leat_distance(const char *a, const char *b)
{
	unsigned int rows[3][LEAT_NEAREST_MAX + 1];
	unsigned int *old = rows[0], *prev = rows[1], *cur = rows[2];
	size_t n = strlen(a), m = strlen(b);

	if (n > LEAT_NEAREST_MAX || m > LEAT_NEAREST_MAX)
		return UINT_MAX;
	for (size_t j = 0; j <= m; j++)
		prev[j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *spare = old;

		cur[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);

			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				cur[j] = min3(cur[j], old[j - 2] + 1, UINT_MAX);
		}
		old = prev;
		prev = cur;
		cur = spare;
	}
	return prev[m];
}

unsigned int leat_distance_limit(size_t len)
{
	return len <= 3 ? 1 : len <= 6 ? 2 : 3;
}
