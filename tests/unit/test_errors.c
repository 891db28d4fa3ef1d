/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/errors.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

Test(errors, first_are_kept_all_are_counted)
{
	struct leat_errors e = { 0 };

	for (uint32_t i = 0; i < 100; i++)
		leat_errors_add(&e, -EBADMSG, i);
	cr_assert(eq(u64, e.cnt, 100));
	for (uint32_t i = 0; i < LEAT_ERRORS_KEPT; i++) {
		cr_assert(eq(u32, e.kept[i].source, i));
		cr_assert(eq(int, e.kept[i].err, -EBADMSG));
	}
	leat_errors_reset(&e);
	cr_assert(eq(u64, e.cnt, 0));
	cr_assert(eq(int, e.kept[0].err, 0));
}
