/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/diag.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

Test(diag, first_error_sticks_with_its_texts)
{
	static struct leat_diag d;

	cr_assert(eq(int, leat_diag_set(&d, -EPERM, LEAT_EXIT_PRIVILEGE, "open %s", "x"), -EPERM));
	leat_diag_why(&d, "why %d", 1);
	leat_diag_why(&d, "why %d", 2);
	leat_diag_fix(&d, "fix");
	cr_assert(eq(int, leat_diag_set(&d, -EIO, LEAT_EXIT_FAILURE, "other"), -EIO));
	leat_diag_alt(&d, "of the other");
	cr_assert(eq(int, d.err, -EPERM));
	cr_assert(eq(int, (int)d.exit, (int)LEAT_EXIT_PRIVILEGE));
	cr_assert(eq(str, d.what, (char *)"open x"));
	cr_assert(eq(str, d.why, (char *)"why 1"));
	cr_assert(eq(str, d.fix, (char *)"fix"));
	cr_assert(eq(str, d.alt, (char *)""));
}

Test(diag, texts_without_error_are_ignored)
{
	static struct leat_diag d;

	leat_diag_why(&d, "x");
	leat_diag_fix(&d, "x");
	leat_diag_alt(&d, "x");
	cr_assert(eq(str, d.why, (char *)""));
	cr_assert(eq(str, d.fix, (char *)""));
	cr_assert(eq(str, d.alt, (char *)""));
}

Test(diag, null_is_accepted)
{
	cr_assert(eq(int, leat_diag_set(NULL, -EIO, LEAT_EXIT_FAILURE, "x"), -EIO));
	leat_diag_why(NULL, "x");
	leat_diag_fix(NULL, "x");
	leat_diag_alt(NULL, "x");
}

Test(diag, long_text_is_cut)
{
	static struct leat_diag d;

	leat_diag_set(&d, -EIO, LEAT_EXIT_FAILURE, "%*s", 5000, "");
	leat_diag_alt(&d, "%*s", 5000, "");
	cr_assert(eq(sz, strlen(d.what), sizeof(d.what) - 1));
	cr_assert(eq(sz, strlen(d.alt), sizeof(d.alt) - 1));
}
