/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>

#include "cli/io.h"

#define STR(s) ((char *)(s))

struct text {
	struct leat_buf b;
};

static struct leat_buf new_buf(void)
{
	struct leat_buf b;

	leat_buf_init(&b, 1 << 16);
	return b;
}

static void expect_buf(struct leat_buf *b, const char *want)
{
	cr_expect(eq(str, b->data ? b->data : STR(""), STR(want)));
	leat_buf_fini(b);
}

Test(io, count)
{
	static const struct {
		uint64_t v;
		const char *want;
	} rows[] = { { 0, "0" },
		     { 999, "999" },
		     { 1000, "1,000" },
		     { 6930, "6,930" },
		     { 1234567, "1,234,567" },
		     { UINT64_MAX, "18,446,744,073,709,551,615" } };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_buf b = new_buf();

		leat_cli_count(&b, rows[i].v);
		expect_buf(&b, rows[i].want);
	}
}

Test(io, bytes)
{
	static const struct {
		uint64_t v;
		const char *want;
	} rows[] = { { 0, "0 B" },
		     { 999, "999 B" },
		     { 1000, "1 KB" },
		     { 184200, "184 KB" },
		     { 999499, "999 KB" },
		     { 999500, "1.0 MB" },
		     { 1234567, "1.2 MB" },
		     { 12345678, "12 MB" },
		     { 3000000000u, "3.0 GB" },
		     { 5000000000000u, "5000 GB" } };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_buf b = new_buf();

		leat_cli_bytes(&b, rows[i].v);
		expect_buf(&b, rows[i].want);
	}
}

Test(io, seconds)
{
	struct leat_buf b = new_buf();

	leat_cli_seconds(&b, 10000000000);
	leat_buf_str(&b, ", ");
	leat_cli_seconds(&b, 250000000);
	leat_buf_str(&b, ", ");
	leat_cli_seconds(&b, 125000000000);
	expect_buf(&b, "10.0 s, 0.2 s, 2 min 5 s");
}

Test(io, wrap)
{
	struct leat_buf b = new_buf();

	leat_cli_wrap(&b, "one two three four", 2, 12);
	expect_buf(&b, "  one two\n  three four\n");
	b = new_buf();
	leat_cli_wrap(&b, "", 2, 12);
	expect_buf(&b, "\n");
	b = new_buf();
	leat_cli_wrap(&b, "averyveryverylongword x", 0, 10);
	expect_buf(&b, "averyveryverylongword\nx\n");
}

Test(io, clean_cuts_between_characters)
{
	struct leat_buf b = new_buf();

	leat_cli_clean(&b, "plain", 10);
	expect_buf(&b, "plain");
	b = new_buf();
	leat_cli_clean(&b, "abcdef", 3);
	expect_buf(&b, "abc...");
	b = new_buf();
	leat_cli_clean(&b, "ab\xc3\xa4z", 3);
	expect_buf(&b, "ab...");
	b = new_buf();
	leat_cli_clean(&b, "a\033[31m\n", 20);
	cr_expect(eq(ptr, strpbrk(b.data, "\033\n"), NULL));
	leat_buf_fini(&b);
}

Test(io, diag_has_all_its_lines)
{
	struct leat_diag d = { 0 };
	struct leat_buf b = new_buf();

	leat_diag_set(&d, -EPERM, LEAT_EXIT_PRIVILEGE, "cannot sample (EPERM)");
	leat_diag_why(&d, "first\nsecond");
	leat_diag_fix(&d, "sudo leat");
	leat_diag_alt(&d, "setcap");
	leat_cli_diag_text(&b, &d, -EPERM, false);
	expect_buf(&b, "leat: error: cannot sample (EPERM)\n"
		       "  why: first\n"
		       "       second\n"
		       "  fix: sudo leat\n"
		       "  or:  setcap\n");
}

Test(io, diag_without_details_is_one_line)
{
	struct leat_diag d = { 0 };
	struct leat_buf b = new_buf();

	leat_diag_set(&d, -ESRCH, LEAT_EXIT_TARGET, "gone");
	leat_cli_diag_text(&b, &d, -ESRCH, false);
	expect_buf(&b, "leat: error: gone\n");
}

Test(io, control_characters_reach_no_terminal)
{
	struct leat_diag d = { 0 };
	struct leat_buf b = new_buf();

	leat_diag_set(&d, -ESRCH, LEAT_EXIT_TARGET, "no \033[2J\a");
	leat_diag_why(&d, "\r\033]0;x\007\nsecond\x9b");
	leat_cli_diag_text(&b, &d, -ESRCH, false);
	cr_expect(eq(ptr, strpbrk(b.data, "\033\007\r\x9b"), NULL), "%s", b.data);
	leat_buf_fini(&b);
}

Test(io, failure_without_words_is_explained)
{
	struct leat_diag none = { 0 };
	struct leat_buf b = new_buf();

	leat_cli_diag_text(&b, &none, -EIO, false);
	cr_expect(ne(ptr, strstr(b.data, "Input/output error (EIO)"), NULL), "%s", b.data);
	cr_expect(ne(ptr, strstr(b.data, "  fix: "), NULL));
	leat_buf_fini(&b);
	b = new_buf();
	leat_cli_diag_text(&b, &none, -99999, false);
	cr_expect(ne(ptr, strstr(b.data, "(unknown)"), NULL), "%s", b.data);
	leat_buf_fini(&b);
}

Test(io, color_only_when_asked)
{
	struct leat_diag d = { 0 };
	struct leat_buf b = new_buf();

	leat_diag_set(&d, -ESRCH, LEAT_EXIT_TARGET, "gone");
	leat_cli_diag_text(&b, &d, -ESRCH, true);
	cr_expect(ne(ptr, strstr(b.data, "\033["), NULL));
	leat_buf_fini(&b);
}
