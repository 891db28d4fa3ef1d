/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/symbols.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "profile/profile.h"

struct table {
	const struct leat_symbol *symbols;
	size_t n, at;
	int fail_at; /* -1: never */
	int resets;
};

static int reset(void *self)
{
	struct table *t = self;

	t->at = 0;
	t->resets++;
	return 0;
}

static int next(void *self, struct leat_symbol *out)
{
	struct table *t = self;

	if ((int)t->at == t->fail_at)
		return -EBADMSG;
	if (t->at == t->n)
		return 0;
	*out = t->symbols[t->at++];
	out->name_len = strlen(out->name);
	return 1;
}

static const struct leat_symbol_reader_ops ops = { "test", reset, next };
static struct leat_profile *p;
static uint32_t object, other;

static uint32_t add_object(const char *path)
{
	struct leat_object o = { .kind = LEAT_OBJECT_FILE, .process = LEAT_ID_NONE };
	uint32_t id;

	cr_assert(eq(int, leat_profile_string(p, path, strlen(path), &o.path), 0));
	cr_assert(eq(int, leat_profile_object(p, &o, &id), 0));
	return id;
}

static void add_frame(uint32_t of, uint64_t offset, uint32_t flags)
{
	uint32_t id;

	cr_assert(eq(int, leat_profile_frame(p, of, offset, flags, &id), 0));
}

static void init(void)
{
	cr_assert(eq(int, leat_profile_new(&p), 0));
	object = add_object("/opt/app");
	other = add_object("/opt/other");
	add_frame(object, 0x1000, 0);
	add_frame(object, 0x1020, LEAT_FRAME_RETURN); /* the last call of the function before */
	add_frame(object, 0x1020, 0);
	add_frame(object, 0x3000, 0);
	add_frame(other, 0x1000, 0);
	add_frame(object, 0x1010, 0);
}

static void fini(void)
{
	leat_profile_free(&p);
}

TestSuite(symbol_reader, .init = init, .fini = fini);

static const char *name_of(size_t frame)
{
	struct leat_frame_info f;
	struct leat_function_info fn;

	cr_assert(eq(int, leat_profile_frame_at(p, frame, &f), 0));
	if (f.function == LEAT_NONE)
		return "-";
	cr_assert(eq(int, leat_profile_function_at(p, f.function, &fn), 0));
	return fn.name;
}

static const struct leat_symbol symbols[] = {
	{ .start = 0x1020, .end = 0x1040, .name = "_ZN3foo3barEi", .is_mangled = true },
	{ .start = 0x0, .end = 0x2000, .name = "whole" },
	{ .start = 0x1000, .end = 0x1020, .name = "main", .file = "main.c", .line = 7 },
	{ .start = 0x1000, .end = 0x1020, .name = "alias" },
	{ .start = 0x3000, .end = 0x3000, .name = "empty" },
	{ .start = 0x4000, .end = 0x3000, .name = "backwards" },
	{ .start = 0x2fff, .end = 0x3001, .name = "" },
};

Test(symbol_reader, the_shortest_that_covers_a_place)
{
	struct table t = { symbols, LEAT_ARRAY_SIZE(symbols), 3, -1, 0 };
	struct leat_function_info fn;
	struct leat_frame_info f;
	size_t named = 0;

	cr_assert(eq(int,
		     leat_symbols_read(p, object, &(struct leat_symbol_reader){ &ops, &t }, &named),
		     0));
	cr_expect(eq(int, t.resets, 1));
	cr_expect(eq(sz, named, 4));
	cr_expect(eq(str, (char *)name_of(0), (char *)"main"));
	cr_expect(eq(str, (char *)name_of(1), (char *)"main"));
	cr_expect(eq(str, (char *)name_of(2), (char *)"foo::bar(int)"));
	cr_expect(eq(str, (char *)name_of(3), (char *)"-"));
	cr_expect(eq(str, (char *)name_of(4), (char *)"-"), "another object");
	cr_expect(eq(str, (char *)name_of(5), (char *)"main"));
	cr_assert(eq(int, leat_profile_frame_at(p, 0, &f), 0));
	cr_assert(eq(int, leat_profile_function_at(p, f.function, &fn), 0));
	cr_expect(eq(str, (char *)fn.file, (char *)"main.c"));
	cr_expect(eq(u32, fn.line, 7));
	cr_expect(eq(u32, fn.object, object));
	/* What has a name keeps it. */
	cr_assert(eq(int,
		     leat_symbols_read(p, object, &(struct leat_symbol_reader){ &ops, &t }, &named),
		     0));
	cr_expect(eq(sz, named, 0));
	cr_assert(eq(int, leat_symbols_finish(p), 0));
	cr_expect(eq(str, (char *)name_of(3), (char *)"[app]"));
	cr_expect(eq(str, (char *)name_of(4), (char *)"[other]"));
	cr_expect(eq(str, (char *)name_of(0), (char *)"main"));
}

Test(symbol_reader, a_reader_that_fails_names_nothing)
{
	struct table t = { symbols, LEAT_ARRAY_SIZE(symbols), 0, 3, 0 };
	struct leat_symbol_reader r = { &ops, &t };

	cr_expect(eq(int, leat_symbols_read(p, object, &r, NULL), -EBADMSG));
	cr_expect(eq(str, (char *)name_of(0), (char *)"-"));
	cr_expect(eq(int, leat_symbols_read(p, 99, &r, NULL), -ENOENT));
}

Test(symbol_reader, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct table t = { symbols, LEAT_ARRAY_SIZE(symbols), 0, -1, 0 };
		struct leat_symbol_reader r = { &ops, &t };
		int err = leat_symbols_read(p, object, &r, NULL);

		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
	}
}
