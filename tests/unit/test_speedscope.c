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
static const struct leat_export_opts by_process = { .tree.by_process = true };

static void setup(void)
{
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
}

static void teardown(void)
{
	leat_buf_fini(&out);
}

TestSuite(speedscope, .init = setup, .fini = teardown);

static void export(struct leat_profile *p)
{
	cr_assert(zero(int, leat_export_speedscope(p, &by_process, &out)));
	leat_profile_free(&p);
}

static size_t count(const char *needle)
{
	size_t n = 0;

	for (const char *s = out.data; (s = strstr(s, needle)); s++)
		n++;
	return n;
}

Test(speedscope, golden)
{
	struct leat_profile *p = NULL;

	cr_assert(zero(int, leat_sample_profile_hostile(&p)));
	export(p);
	leat_golden_check("export/hostile.json", out.data, out.len);
}

/* A profile for each thread, with pauses; unit and weights are nanoseconds. */
Test(speedscope, golden_streamed)
{
	struct leat_profile *p = NULL;

	cr_assert(zero(int, leat_sample_profile_streamed(&p)));
	export(p);
	cr_expect(eq(sz, count("\"type\":\"sampled\""), 2));
	cr_expect(eq(sz, count("\"unit\":\"nanoseconds\""), 2));
	cr_expect(count("[],") > 0);
	leat_golden_check("export/streamed.json", out.data, out.len);
}

Test(speedscope, weights_are_samples_without_a_time_base)
{
	struct leat_profile *p = NULL;

	cr_assert(zero(int, leat_sample_profile_hostile(&p)));
	p->meta.time_based = false;
	export(p);
	cr_expect(eq(sz, count("\"unit\":\"none\",\"startValue\":0,\"endValue\":100,"), 1));
}

Test(speedscope, empty_profile)
{
	struct leat_profile *p = NULL;

	cr_assert(zero(int, leat_profile_new(&p)));
	export(p);
	cr_expect(eq(sz, count("\"samples\":[],\"weights\":[]"), 1));
}

Test(speedscope, allocation_fails)
{
	struct leat_profile *p = NULL;

	cr_assert(zero(int, leat_sample_profile_streamed(&p)));
	LEAT_ALLOC_EACH_FAILS {
		struct leat_buf b;
		int err;

		leat_buf_init(&b, LEAT_EXPORT_MAX_BYTES);
		err = leat_export_speedscope(p, &by_process, &b);
		leat_alloc_disarm();
		cr_expect(err == 0 || err == -ENOMEM, "%d", err);
		leat_buf_fini(&b);
	}
	leat_profile_free(&p);
}
