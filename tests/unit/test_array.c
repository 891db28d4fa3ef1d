/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/array.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdint.h>

#include "../support/alloc.h"

struct ints {
	int *p;
	size_t n, cap;
};

Test(array, append_keeps_items)
{
	struct ints a = { 0 };

	for (int i = 0; i < 1000; i++) {
		cr_assert(eq(int, LEAT_ARRAY_ROOM(a.p, a.cap, a.n + 1, 1000), 0));
		a.p[a.n++] = i;
	}
	for (int i = 0; i < 1000; i++)
		cr_assert(eq(int, a.p[i], i));
	cr_assert(le(sz, a.cap, 1000));
	free(a.p);
}

Test(array, over_maximum_overflows_and_changes_nothing)
{
	struct ints a = { 0 };

	cr_assert(eq(int, LEAT_ARRAY_ROOM(a.p, a.cap, 5, 4), -EOVERFLOW));
	cr_assert(eq(ptr, a.p, NULL));
	cr_assert(eq(sz, a.cap, 0));
	cr_assert(eq(int, LEAT_ARRAY_ROOM(a.p, a.cap, 4, 4), 0));
	cr_assert(eq(sz, a.cap, 4));
	cr_assert(eq(int, LEAT_ARRAY_ROOM(a.p, a.cap, 5, 4), -EOVERFLOW));
	cr_assert(eq(sz, a.cap, 4));
	free(a.p);
}

Test(array, byte_count_over_size_t_is_refused)
{
	void *p = NULL;
	size_t cap = 0;

	cr_assert(eq(int, leat_array_reserve(&p, &cap, SIZE_MAX / 2, 8, SIZE_MAX), -ENOMEM));
	cr_assert(eq(ptr, p, NULL));
}

Test(array, doubling_over_size_t_takes_what_is_needed)
{
	char *p = malloc(1);
	size_t cap = SIZE_MAX - 4; /* a lie, so that doubling overflows */

	cr_assert(ne(int, LEAT_ARRAY_ROOM(p, cap, SIZE_MAX - 3, SIZE_MAX), 0));
	free(p);
}

Test(array, allocation_failure_changes_nothing)
{
	struct ints a = { 0 };
	int err;

	cr_assert(eq(int, LEAT_ARRAY_ROOM(a.p, a.cap, 3, 100), 0));
	a.p[0] = 7;
	leat_alloc_arm(1);
	err = LEAT_ARRAY_ROOM(a.p, a.cap, a.cap + 1, 100);
	leat_alloc_disarm();
	cr_assert(eq(int, err, -ENOMEM));
	cr_assert(eq(int, a.p[0], 7));
	free(a.p);
}
