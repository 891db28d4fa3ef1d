/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/formats.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/golden.h"
#include "../support/sample_profile.h"
#include "viewer_svg.h"

static struct leat_profile *profile;
static struct leat_buf out;

static void setup(void)
{
	cr_assert(zero(int, leat_sample_profile_hostile(&profile)));
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
}

static void teardown(void)
{
	leat_profile_free(&profile);
	leat_buf_fini(&out);
}

TestSuite(svg, .init = setup, .fini = teardown);

static void export(struct leat_export_opts o)
{
	leat_buf_reset(&out);
	cr_assert(zero(int, leat_export_svg(profile, &o, &out)));
}

static size_t count(const char *needle)
{
	size_t n = 0;

	for (const char *s = out.data; (s = strstr(s, needle)); s++)
		n++;
	return n;
}

Test(svg, golden)
{
	char *script;

	export((struct leat_export_opts){ .tree.by_process = true });
	script = memmem(out.data, out.len, leat_viewer_svg, leat_viewer_svg_size);
	cr_assert(script != NULL);
	leat_golden_check("export/hostile.svg", out.data, (size_t)(script - out.data));
}

Test(svg, names_open_no_element)
{
	export((struct leat_export_opts){ 0 });
	cr_expect(eq(sz, count("<script>"), 1));
	cr_expect(eq(sz, count("]]>"), 1));
	cr_expect(zero(sz, count("<img")));
	cr_expect(zero(sz, count("\x1b")));
	cr_expect(eq(sz, count("<title"), count("</title>")));
}

Test(svg, boxes_and_their_titles)
{
	export((struct leat_export_opts){ .min_width_percent = -1 });
	cr_expect(eq(sz, count("<g class=\"f\"><title>"), count("</title><rect class=\"k")));
	cr_expect(zero(sz, count("are not drawn")));
	cr_expect(eq(sz, count("trust"), 1));
}

/* Narrow boxes are left out, and how many is written. */
Test(svg, least_width)
{
	size_t all;

	export((struct leat_export_opts){ .min_width_percent = -1 });
	all = count("<g class=\"f\">");
	export((struct leat_export_opts){ .min_width_percent = 5 });
	cr_expect(lt(sz, count("<g class=\"f\">"), all));
	cr_expect(
		eq(sz, count("boxes below 5 samples, and what stands on them, are not drawn"), 1));
}

Test(svg, inverted_has_the_root_on_top)
{
	const char *all = ">all\n";

	export((struct leat_export_opts){ .inverted = true });
	cr_expect(strstr(strstr(out.data, all), "y=\"74\"") != NULL);
	cr_expect(strstr(strstr(out.data, all), "y=\"74\"") < strstr(out.data, "</g>"));
}

Test(svg, empty_profile)
{
	leat_profile_free(&profile);
	cr_assert(zero(int, leat_profile_new(&profile)));
	export((struct leat_export_opts){ 0 });
	cr_expect(zero(sz, count("nan")));
	cr_expect(zero(sz, count("inf\"")));
}

Test(svg, allocation_fails)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_export_opts o = { 0 };
		struct leat_buf b;
		int err;

		leat_buf_init(&b, LEAT_EXPORT_MAX_BYTES);
		err = leat_export_svg(profile, &o, &b);
		leat_alloc_disarm();
		cr_expect(err == 0 || err == -ENOMEM, "%d", err);
		leat_buf_fini(&b);
	}
}
