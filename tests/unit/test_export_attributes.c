/* SPDX-License-Identifier: BSD-2-Clause */
/* An attribute as the outermost level of what is written. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "export/formats.h"

#define STR(s) ((char *)(s))

static struct leat_profile *p;
static struct leat_buf out;

static uint32_t string(const char *s)
{
	uint32_t id = 0;

	cr_assert(zero(int, leat_profile_string(p, s, strlen(s), &id)));
	return id;
}

static uint32_t attributes(const char *key, const char *value)
{
	const struct leat_attribute pairs[] = {
		{ string(key), string(value) },
		{ string("zone"), string("b") },
	};
	uint32_t set = 0;

	cr_assert(zero(int, leat_profile_attributes(p, pairs, 2, &set)));
	return set;
}

static void sample(uint32_t process, uint32_t stack, uint32_t attrs, uint64_t value)
{
	const struct leat_sample s = { .process = process,
				       .thread = LEAT_ID_NONE,
				       .stack = stack,
				       .attrs = attrs,
				       .cpu = UINT16_MAX,
				       .value = value };

	cr_assert(zero(int, leat_profile_sample(p, &s)));
}

/* One stack, of two processes of one name: in pod a (twice), in pod b<;, and where nothing is known. */
static void begin(void)
{
	struct leat_function f = { .raw = LEAT_ID_NONE, .file = LEAT_ID_NONE, .start = 1 };
	struct leat_process proc = { .tgid = 1, .exe = LEAT_ID_NONE };
	struct leat_stack s = { .uframe_cnt = 1, .uresult = LEAT_STACK_COMPLETE };
	struct leat_object o = { .kind = LEAT_OBJECT_FILE };
	uint32_t object, frame, stack, one, two;

	cr_assert(zero(int, leat_profile_new(&p)));
	o.path = string("/app");
	f.name = string("work");
	proc.comm = string("app");
	cr_assert(zero(int, leat_profile_object(p, &o, &object)));
	cr_assert(zero(int, leat_profile_frame(p, object, 16, 0, &frame)));
	cr_assert(zero(int, leat_profile_function(p, &f, &p->frames[frame].function)));
	cr_assert(zero(int, leat_profile_stack(p, &s, &frame, &stack)));
	cr_assert(zero(int, leat_profile_process(p, &proc, &one)));
	proc.tgid = 2;
	cr_assert(zero(int, leat_profile_process(p, &proc, &two)));
	sample(one, stack, attributes("pod", "a"), 1);
	sample(two, stack, attributes("pod", "a"), 2);
	sample(two, stack, attributes("pod", "b<;"), 4);
	sample(two, stack, 0, 8);
	leat_buf_init(&out, LEAT_EXPORT_MAX_BYTES);
}

static void end(void)
{
	leat_profile_free(&p);
	leat_buf_fini(&out);
}

TestSuite(export_attributes, .init = begin, .fini = end);

static const struct leat_export_opts by_pod = { .tree.by_attribute = "pod" };

Test(export_attributes, folded)
{
	cr_assert(zero(int, leat_export_folded(p, &by_pod, &out)));
	cr_expect(eq(str, out.data,
		     STR("[no pod];app;work 8\npod=a;app;work 3\npod=b<:;app;work 4\n")));
}

Test(export_attributes, not_asked_for)
{
	cr_assert(zero(int, leat_export_folded(p, NULL, &out)));
	cr_expect(eq(str, out.data, STR("app;work 15\n")));
}

Test(export_attributes, of_no_sample)
{
	const struct leat_export_opts o = { .tree.by_attribute = "node" };

	cr_assert(zero(int, leat_export_folded(p, &o, &out)));
	cr_expect(eq(str, out.data, STR("[no node];app;work 15\n")));
}

static bool has(const char *text)
{
	return strstr(out.data, text) != NULL;
}

Test(export_attributes, pictures)
{
	cr_assert(zero(int, leat_export_svg(p, &by_pod, &out)));
	cr_expect(has("pod=a") && has("pod=b&lt;;") && has("[no pod]"));
	cr_expect(not(has("zone")));
	leat_buf_reset(&out);
	cr_assert(zero(int, leat_export_html(p, &by_pod, &out)));
	cr_expect(has("pod=a") && has("[no pod]"));
	cr_expect(not(has("pod=b<")), "it is escaped");
	leat_buf_reset(&out);
	cr_assert(zero(int, leat_export_speedscope(p, &by_pod, &out)));
	cr_expect(has("\"pod=a\"") && has("\"[no pod]\""));
}

Test(export_attributes, speedscope_with_times)
{
	for (size_t i = 0; i < p->sample_cnt; i++)
		p->samples[i].ts_ns = i + 1;
	cr_assert(zero(int, leat_export_speedscope(p, &by_pod, &out)));
	cr_expect(has("\"pod=a\"") && has("\"[no pod]\""));
}

Test(export_attributes, allocation_fails)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_buf b;
		int err;

		leat_buf_init(&b, LEAT_EXPORT_MAX_BYTES);
		err = leat_export_folded(p, &by_pod, &b);
		leat_alloc_disarm();
		cr_expect(err == 0 || err == -ENOMEM, "%d", err);
		leat_buf_fini(&b);
	}
}
