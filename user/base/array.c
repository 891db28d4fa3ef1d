/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/array.h"

#include <errno.h>

#define FIRST_CAP 16

int leat_array_reserve(void **p, size_t *cap, size_t need, size_t elem, size_t max)
{
	size_t want = *cap ? *cap : FIRST_CAP;
	size_t bytes;
	void *grown;

	if (need > max)
		return -EOVERFLOW;
	if (need <= *cap)
		return 0;
	if (__builtin_mul_overflow(want, 2, &want) || want < need)
		want = need;
	if (want > max)
		want = max;
	if (__builtin_mul_overflow(want, elem, &bytes))
		return -ENOMEM;
	grown = realloc(*p, bytes);
	if (!grown)
		return -ENOMEM;
	*p = grown;
	*cap = want;
	return 0;
}
