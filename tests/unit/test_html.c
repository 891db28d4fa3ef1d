/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/formats.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/golden.h"
#include "../support/sample_profile.h"
#include "viewer_css.h"
#include "viewer_hash.h"
#include "viewer_html.h"
#include "viewer_js.h"

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

TestSuite(html, .init = setup, .fini = teardown);

static const struct leat_export_opts by_process = { .tree.by_process = true };

static void export(const struct leat_export_opts *o)
{
	leat_buf_reset(&out);
	cr_assert(zero(int, leat_export_html(profile, o, &out)));
}

static size_t count(const char *needle)
{
	size_t n = 0;

	for (const char *s = out.data; (s = strstr(s, needle)); s++)
		n++;
	return n;
}

/* Cuts a part out of the output: the viewer has tests of its own. */
static void cut(const void *part, size_t n)
{
	char *at = memmem(out.data, out.len, part, n);

	cr_assert(at != NULL, "the part is not in the output");
	memmove(at, at + n, out.len - (size_t)(at - out.data) - n + 1);
	out.len -= n;
}

Test(html, golden)
{
	export(&by_process);
	cut(leat_viewer_js, leat_viewer_js_size);
	cut(leat_viewer_css, leat_viewer_css_size);
	cut(LEAT_VIEWER_SCRIPT_HASH, strlen(LEAT_VIEWER_SCRIPT_HASH));
	cut(LEAT_VIEWER_STYLE_HASH, strlen(LEAT_VIEWER_STYLE_HASH));
	leat_golden_check("export/hostile.html", out.data, out.len);
}

Test(html, same_bytes_each_time)
{
	LEAT_FREE char *first = NULL;
	size_t n;

	export(&by_process);
	first = leat_buf_take(&out, &n);
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
	export(&by_process);
	cr_assert(eq(sz, out.len, n));
	cr_assert(zero(int, memcmp(first, out.data, n)));
}

Test(html, viewer_is_small)
{
	cr_expect(leat_viewer_js_size + leat_viewer_css_size + leat_viewer_html_size <= 30000,
		  "the viewer has %zu bytes",
		  leat_viewer_js_size + leat_viewer_css_size + leat_viewer_html_size);
}

Test(html, names_open_no_element)
{
	export(&by_process);
	cr_expect(eq(sz, count("<script"), 2));
	cr_expect(eq(sz, count("</script"), 2));
	cr_expect(zero(sz, count("<img")));
	cr_expect(zero(sz, count("\xe2\x80\xa8")));
	cr_expect(zero(sz, count("\xe2\x80\xae")));
	cr_expect(zero(sz, count("\x1b")));
	cr_expect(zero(sz, count("http://")));
	cr_expect(zero(sz, count("https://")));
	cr_expect(zero(sz, count("@TITLE@")));
}

Test(html, policy_names_what_may_run)
{
	export(&by_process);
	cr_expect(eq(sz, count("default-src 'none'"), 1));
	cr_expect(eq(sz, count("script-src 'sha256-" LEAT_VIEWER_SCRIPT_HASH "'"), 1));
	cr_expect(eq(sz, count("style-src 'sha256-" LEAT_VIEWER_STYLE_HASH "'"), 1));
	cr_expect(eq(sz, strlen(LEAT_VIEWER_SCRIPT_HASH), 44));
}

Test(html, title_is_text)
{
	const struct leat_export_opts o = { .title = "</title><b>given</b>" };

	export(&o);
	cr_expect(zero(sz, count("<b>given")));
	cr_expect(eq(sz, count("&lt;/title&gt;&lt;b&gt;given"), 2));
}

Test(html, says_whether_to_trust)
{
	profile->verdict.kernel_skipped = 50;
	profile->verdict.wanted += 50;
	export(&by_process);
	cr_expect(eq(sz, count("class=\"no\"><summary><b>do not trust</b>"), 1));
	export(&(struct leat_export_opts){ .no_verdict = true });
	cr_expect(eq(sz, count("About this profile"), 1));
	cr_expect(zero(sz, count("do not trust")));
}

Test(html, empty_profile)
{
	leat_profile_free(&profile);
	cr_assert(zero(int, leat_profile_new(&profile)));
	export(&(struct leat_export_opts){ 0 });
	cr_expect(eq(sz, count("\"nodeCnt\":1"), 1));
}

Test(html, many_names_are_packed)
{
	leat_profile_free(&profile);
	cr_assert(zero(int, leat_sample_profile_wide(&profile, 10000)));
	export(&by_process);
	cr_expect(eq(sz, count("\"packed\":true"), 1));
	cr_expect(lt(sz, out.len, 400000));
}

Test(html, buffer_too_small)
{
	struct leat_buf tiny;

	leat_buf_init(&tiny, 1000);
	cr_expect(eq(int, leat_export_html(profile, &by_process, &tiny), -EOVERFLOW));
	leat_buf_fini(&tiny);
}

Test(html, allocation_fails)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_buf b;
		int err;

		leat_buf_init(&b, LEAT_EXPORT_MAX_BYTES);
		err = leat_export_html(profile, &by_process, &b);
		leat_alloc_disarm();
		cr_expect(err == 0 || err == -ENOMEM, "%d", err);
		leat_buf_fini(&b);
	}
}

/* What stands on narrow boxes is one box, and that is said; a small profile is whole. */
Test(html, narrow_boxes)
{
	struct leat_export_opts o = { .min_width_percent = 5 };

	export(&by_process);
	cr_expect(zero(sz, count("of them are in [too narrow]")));
	leat_profile_free(&profile);
	cr_assert(zero(int, leat_sample_profile_wide(&profile, 20000)));
	export(&by_process);
	cr_expect(zero(sz, count("of them are in [too narrow]")));
	export(&o);
	cr_expect(eq(sz,
		     count("of them are in [too narrow], which stands for all on a box of "
			   "fewer than"),
		     1));
	cr_expect(lt(sz, out.len, 200000));
}

/* So many boxes that a browser would take long: the narrowest are left out without being asked. */
Test(html, a_million_boxes_are_enough)
{
	struct leat_stack stack = { .uframe_cnt = 200, .uresult = LEAT_STACK_COMPLETE };
	uint32_t ids[200];
	size_t len;

	leat_profile_free(&profile);
	cr_assert(zero(int, leat_sample_profile_wide(&profile, 6000)));
	for (uint32_t i = 0; i < 6000; i++) {
		struct leat_sample s = { .thread = LEAT_ID_NONE, .cpu = UINT16_MAX, .value = 1 };

		for (uint32_t k = 0; k < 200; k++)
			ids[k] = (i * 7 + k * k) % 6000;
		cr_assert(zero(int, leat_profile_stack(profile, &stack, ids, &s.stack)));
		cr_assert(zero(int, leat_profile_sample(profile, &s)));
	}
	profile->samples[0].value += 100000;
	export(&by_process);
	len = out.len;
	cr_expect(eq(sz, count("of them are in [too narrow]"), 1));
	export(&(struct leat_export_opts){ .min_width_percent = -1 });
	cr_expect(zero(sz, count("of them are in [too narrow]")));
	cr_expect(gt(sz, out.len, 10 * len));
}
