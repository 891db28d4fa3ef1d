/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/array.h"

#include <errno.h>
#include <stdint.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#define FIRST_CAP 16
#define HUGE_PAGE ((size_t)2 << 20)

/* Advice: whether it is followed changes the time alone. */
void leat_array_advise(void *p, size_t bytes)
{
#ifdef MADV_HUGEPAGE
	uintptr_t from = ((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	uintptr_t to = ((uintptr_t)p + bytes) & ~(HUGE_PAGE - 1);

	if (bytes >= 2 * HUGE_PAGE && to > from)
		(void)madvise((void *)from, to - from, MADV_HUGEPAGE);
#else
	(void)p;
	(void)bytes;
#endif
}

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
