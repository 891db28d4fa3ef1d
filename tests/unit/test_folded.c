/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "export/formats.h"

static struct leat_profile *p;
static struct leat_buf out;
static uint64_t next_start;

static uint32_t string(const char *s)
{
	uint32_t id;

	cr_assert(eq(int, leat_profile_string(p, s, strlen(s), &id), 0));
	return id;
}

static void init(void)
{
	struct leat_process proc = { .tgid = 1 };
	uint32_t id;

	cr_assert(eq(int, leat_profile_new(&p), 0));
	proc.comm = string("my;proc\n");
	cr_assert(eq(int, leat_profile_process(p, &proc, &id), 0));
	leat_buf_init(&out, 1 << 20);
	next_start = 1;
}

static void fini(void)
{
	leat_profile_free(&p);
	leat_buf_fini(&out);
}

TestSuite(folded, .init = init, .fini = fini);

static uint32_t frame(const char *name, enum leat_function_kind kind)
{
	struct leat_function f = {
		.name = string(name), .kind = kind, .start = next_start, .file = LEAT_ID_NONE
	};
	uint32_t id;

	cr_assert(eq(int, leat_profile_frame(p, 0, next_start++, 0, &id), 0));
	cr_assert(eq(int, leat_profile_function(p, &f, &p->frames[id].function), 0));
	return id;
}

static void sample(uint32_t inner, uint32_t outer, uint64_t value)
{
	uint32_t ids[] = { inner, outer };
	struct leat_stack s = { .uframe_cnt = 2, .uresult = LEAT_STACK_COMPLETE };
	struct leat_sample smp = { .thread = LEAT_ID_NONE, .value = value };

	cr_assert(eq(int, leat_profile_stack(p, &s, ids, &smp.stack), 0));
	cr_assert(eq(int, leat_profile_sample(p, &smp), 0));
}

static char *folded(void)
{
	leat_buf_reset(&out);
	cr_assert(eq(int, leat_export_folded(p, NULL, &out), 0));
	return out.data;
}

Test(folded, names_hold_no_separator)
{
	sample(frame("a b;c\td\x1b[31m", LEAT_FUNCTION_NATIVE), frame("main", LEAT_FUNCTION_NATIVE),
	       3);
	cr_assert(eq(str, folded(), (char *)"my:proc\\x0a;main;a b:c\\x09d\\x1b[31m 3\n"));
}

Test(folded, kernel_functions_are_marked)
{
	uint32_t m = frame("main", LEAT_FUNCTION_NATIVE);

	sample(frame("k", LEAT_FUNCTION_KERNEL), m, 1);
	sample(frame("m", LEAT_FUNCTION_MODULE), m, 1);
	sample(frame("bpf", LEAT_FUNCTION_BPF), m, 1);
	sample(frame("jit", LEAT_FUNCTION_JIT), m, 1);
	cr_assert(eq(str, folded(),
		     (char *)"my:proc\\x0a;main;bpf_[k] 1\n"
			     "my:proc\\x0a;main;jit 1\n"
			     "my:proc\\x0a;main;k_[k] 1\n"
			     "my:proc\\x0a;main;m_[k] 1\n"));
}

Test(folded, functions_that_look_alike_share_a_line)
{
	uint32_t m = frame("main", LEAT_FUNCTION_NATIVE);

	sample(frame("f", LEAT_FUNCTION_NATIVE), m, 1);
	sample(frame("f", LEAT_FUNCTION_NATIVE), m, 2);
	sample(frame("f;", LEAT_FUNCTION_NATIVE), m, 4);
	sample(frame("f:", LEAT_FUNCTION_NATIVE), m, 8);
	cr_assert(eq(str, folded(), (char *)"my:proc\\x0a;main;f 3\nmy:proc\\x0a;main;f: 12\n"));
}

Test(folded, lines_are_sorted_by_bytes)
{
	uint32_t a = frame("a", LEAT_FUNCTION_NATIVE), ab = frame("a.b", LEAT_FUNCTION_NATIVE);

	sample(frame("z", LEAT_FUNCTION_NATIVE), a, 1);
	sample(frame("y", LEAT_FUNCTION_NATIVE), ab, 1);
	cr_assert(eq(str, folded(), (char *)"my:proc\\x0a;a.b;y 1\nmy:proc\\x0a;a;z 1\n"));
}

Test(folded, an_empty_profile_has_no_line)
{
	cr_assert(eq(int, leat_export_folded(p, NULL, &out), 0));
	cr_assert(eq(sz, out.len, 0));
}

Test(folded, a_full_buffer_is_an_error)
{
	sample(frame("f", LEAT_FUNCTION_NATIVE), frame("main", LEAT_FUNCTION_NATIVE), 1);
	leat_buf_fini(&out);
	leat_buf_init(&out, 10);
	cr_assert(eq(int, leat_export_folded(p, NULL, &out), -EOVERFLOW));
}

Test(folded, survives_each_failing_allocation)
{
	sample(frame("f", LEAT_FUNCTION_NATIVE), frame("main", LEAT_FUNCTION_NATIVE), 1);
	LEAT_ALLOC_EACH_FAILS {
		struct leat_buf b;
		int err;

		leat_buf_init(&b, 4096);
		err = leat_export_folded(p, NULL, &b);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		leat_buf_fini(&b);
	}
}

/* ---- the table of exporters ---- */

Test(registry, formats_and_extensions)
{
	static const struct {
		const char *path, *format;
	} rows[] = {
		{ "a.html", "html" },
		{ "/tmp/x.y/a.svg", "svg" },
		{ "a.folded", "folded" },
		{ "a.pb.gz", "pprof" },
		{ "a.json", "speedscope" },
		{ "a.txt", "script" },
		{ "a.gz", NULL },
		{ "a", NULL },
		{ "", NULL },
		{ ".html", NULL },
		{ "dir.html/", NULL },
		{ "/tmp/.html", NULL },
		{ "a.html.zip", NULL },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		const struct leat_exporter *e = leat_exporter_for_path(rows[i].path);

		cr_assert(eq(int, !e, !rows[i].format), "%s", rows[i].path);
		if (e)
			cr_assert(eq(str, (char *)e->format, (char *)rows[i].format));
	}
	cr_assert(eq(ptr, (void *)leat_exporter_find("none"), NULL));
	for (size_t i = 0; leat_exporter_at(i); i++) {
		const struct leat_exporter *e = leat_exporter_at(i);

		cr_assert(eq(ptr, (void *)leat_exporter_find(e->format), (void *)e));
		cr_assert(eq(int, !e->write, e->capture));
		cr_assert(ne(str, (char *)e->help, (char *)""));
		cr_assert(eq(chr, e->extension[0], '.'));
	}
}
