/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/formats.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/golden.h"
#include "../support/sample_profile.h"

static struct leat_buf out;

static void export(int (*make)(struct leat_profile **))
{
	struct leat_profile *p = NULL;

	cr_assert(zero(int, make(&p)));
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
	cr_assert(zero(int, leat_export_script(p, &(struct leat_export_opts){ 0 }, &out)));
	leat_profile_free(&p);
}

static void teardown(void)
{
	leat_buf_fini(&out);
}

TestSuite(script, .fini = teardown);

Test(script, golden)
{
	export(leat_sample_profile_streamed);
	leat_golden_check("export/streamed.txt", out.data, out.len);
}

/* Every line is a head, a frame or empty: no name can make one of its own. */
Test(script, lines_have_their_form)
{
	export(leat_sample_profile_hostile);
	for (char *line = out.data, *next; *line; line = next) {
		next = strchr(line, '\n');
		cr_assert(next != NULL);
		*next++ = '\0';
		if (!*line)
			continue;
		cr_expect(line[strlen(line) - 1] == (*line == '\t' ? ')' : ':'), "%s", line);
		cr_expect(line[0] != ' ', "%s", line);
	}
}

Test(script, samples_are_in_order_of_time)
{
	double last = 0;

	export(leat_sample_profile_streamed);
	for (const char *s = out.data; (s = strstr(s, "] 5.")); s += 3) {
		double now = strtod(s + 2, NULL);

		cr_expect(now >= last);
		last = now;
	}
	cr_expect(last > 5);
}

Test(script, allocation_fails)
{
	struct leat_profile *p = NULL;

	cr_assert(zero(int, leat_sample_profile_streamed(&p)));
	LEAT_ALLOC_EACH_FAILS {
		struct leat_buf b;
		int err;

		leat_buf_init(&b, LEAT_EXPORT_MAX_BYTES);
		err = leat_export_script(p, &(struct leat_export_opts){ 0 }, &b);
		leat_alloc_disarm();
		cr_expect(err == 0 || err == -ENOMEM, "%d", err);
		leat_buf_fini(&b);
	}
	leat_profile_free(&p);
}
