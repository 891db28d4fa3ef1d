/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/filter.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/filter_format.h"
#include "base/cleanup.h"

static struct leat_format *format;
static struct filter_record rec;

static void init(void)
{
	format = filter_format();
	filter_record(&rec);
}

static void fini(void)
{
	leat_format_free(&format);
}

TestSuite(filter, .init = init, .fini = fini);

static bool passes(const char *text)
{
	LEAT_AUTO(leat_filter_free) struct leat_filter *f = NULL;
	struct leat_filter_error e;
	int err = leat_filter_new(&f, format, text, &e);
	bool yes;

	cr_assert(err == 0, "%s: %s", text, e.text);
	yes = leat_filter_matches(f, &rec.r);
	cr_expect(leat_filter_missing_cnt(f) == 0, "%s", text);
	return yes;
}

struct row {
	const char *text;
	bool want;
};

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cr_expect(passes(rows[i].text) == rows[i].want, "%s: not %d", rows[i].text,
			  rows[i].want);
}

Test(filter, text_of_every_place)
{
	static const struct row rows[] = {
		{ "comm == \"redis-server\"", 1 },
		{ "comm == \"redis-serve\"", 0 },
		{ "comm == \"redis-server2\"", 0 },
		{ "comm == \"redis-server-redis\"", 0 },
		{ "comm == \"\"", 0 },
		{ "comm != \"\"", 1 },
		{ "comm != \"redis-server\"", 0 },
		{ "comm contains \"s-s\"", 1 },
		{ "comm contains \"r\"", 1 },
		{ "comm contains \"server\"", 1 },
		{ "comm contains \"redis-server\"", 1 },
		{ "comm contains \"Redis\"", 0 },
		{ "comm contains \"redis-server-that-is-longer\"", 0 },
		{ "comm starts_with \"redis\"", 1 },
		{ "comm starts_with \"edis\"", 0 },
		{ "comm starts_with \"redis-server\"", 1 },
		{ "comm starts_with \"redis-serverx\"", 0 },
		{ "comm ends_with \"server\"", 1 },
		{ "comm ends_with \"serve\"", 0 },
		{ "comm ~ \"redis-*\"", 1 },
		{ "comm ~ \"*-server\"", 1 },
		{ "comm ~ \"*is-s*\"", 1 },
		{ "comm ~ \"*\"", 1 },
		{ "comm ~ \"redis-server\"", 1 },
		{ "comm ~ \"redis\"", 0 },
		{ "comm ~ \"r?dis-[a-t]*[!a-q]\"", 1 },
		{ "comm ~ \"*\\\\**\"", 0 },
		{ "comm in {\"nginx\", \"redis-server\", \"x\"}", 1 },
		{ "comm in {\"nginx\", \"x\"}", 0 },
		{ "comm == \"redis\\x2dserver\"", 1 },
		{ "name4 == \"full\"", 1 },
		{ "name4 == \"ful\"", 0 },
		{ "name4 == \"fuller\"", 0 },
		{ "name4 ends_with \"ll\"", 1 },
		{ "name4 contains \"ull\"", 1 },
		{ "name4 ~ \"f*l\"", 1 },
		{ "dl == \"/etc/passwd\"", 1 },
		{ "dl == \"/etc/passw\"", 0 },
		{ "dl contains \"/etc\"", 1 },
		{ "dl starts_with \"/etc/\"", 1 },
		{ "dl ends_with \"passwd\"", 1 },
		{ "dl ~ \"/*/pass??\"", 1 },
		{ "dl ~ \"/*/pass?\"", 0 },
		{ "rl == \"/usr/lib\"", 1 },
		{ "rl contains \"etc\"", 0 },
		{ "str == \"tail text\"", 1 },
		{ "str == \"tail\"", 0 },
		{ "str ends_with \"text\"", 1 },
		{ "str contains \"l t\"", 1 },
		{ "str contains \"passwd\"", 0 },
		{ "tail == \"tail text\"", 1 },
		{ "tail contains \"passwd\"", 0 },
	};

	check(rows, LEAT_ARRAY_SIZE(rows));
}

Test(filter, utf16_is_text)
{
	static const struct row rows[] = {
		{ "wide == \"w\xc3\xb6rld\"", 1 },
		{ "wide == \"w\xc3\xb6rl\"", 0 },
		{ "wide != \"world\"", 1 },
		{ "wide contains \"\xc3\xb6r\"", 1 },
		{ "wide starts_with \"w\xc3\xb6\"", 1 },
		{ "wide ends_with \"ld\"", 1 },
		{ "wide ends_with \"l\"", 0 },
		{ "wide ~ \"w?r*\"", 1 },
		{ "wide ~ \"*[\xc3\xb5-\xc3\xb7]*[!l]\"", 1 },
		{ "wide ~ \"w??r*\"", 0 },
		{ "wide in {\"a\", \"w\xc3\xb6rld\"}", 1 },
		{ "dlw == \"a\xe2\x82\xac"
		  "b\"",
		  1 },
		{ "dlw contains \"\xe2\x82\xac\"", 1 },
		/* a 00 ac 20 62 00: these stand at odd offsets alone */
		{ "dlw contains \"\xea\xb0\x80\"", 0 },
		{ "dlw contains \"\xe6\x88\xa0\"", 0 },
		{ "wstr contains \"t\"", 1 }, /* "tail text": its last byte and NUL */
		{ "wstr contains \"z\"", 0 },
	};

	check(rows, LEAT_ARRAY_SIZE(rows));
}

Test(filter, conditions_and_numbers)
{
	static const struct row rows[] = {
		{ "comm == \"redis-server\" && (u32 > 1000 || !(flags & 4)) && dl contains \"/etc\"",
		  1 },
		{ "comm == \"redis-server\" && (u32 < 1000 || !(flags & 4)) && dl contains \"/etc\"",
		  0 },
		{ "u8 == 1 || u8 == 200 && u16 == 1", 0 },
		{ "(u8 == 200 || u8 == 1) && u16 == 60000", 1 },
		{ "u8 == 200 || u8 == 1 && u16 == 1", 1 },
		{ "!u8 == 1", 1 },
		{ "!!(u8 == 200)", 1 },
		{ "!(u8 == 200 && u16 == 60000)", 0 },
		{ "!(u8 == 200 || u16 == 1)", 0 },
		{ "flags & 4", 1 },
		{ "flags & 8", 0 },
		{ "flags & 0x1f", 1 },
		{ "flags & 0", 0 },
		{ "(flags & 0x11) == 0x11", 1 },
		{ "flags & 0x13 == 0x11", 1 },
		{ "(flags & 6) != 4", 0 },
		{ "(flags & 0xf) in {1, 4..6}", 1 },
		{ "(i32 & 0xff) >= 0", 1 },
		{ "i8 & 0x8000000000000000", 1 },
		{ "(i8 & 0xff) == 156", 1 },
		{ "u8 in {1, 2, 5..9}", 0 },
		{ "u8 in {1, 2, 199..201}", 1 },
		{ "u8 in 100..200", 1 },
		{ "u8 in 201..300", 0 },
		{ "i8 in {-101..-99}", 1 },
		{ "i8 in {-5, 3, -100, 70}", 1 },
		{ "i8 in {-5, 3, 156, 70}", 0 },
		{ "u64 in {1, 9223372036854775808, 3}", 1 },
		{ "i64 in {1, -9223372036854775808, 3}", 1 },
		{ "u8 == 0310", 1 },
		{ "u8 == 0xC8", 1 },
		{ "ptr >= 0xffff800000000000", 1 },
		{ "inner.pid == 4000000000", 1 },
		{ "`odd name` == 200", 1 },
		{ "f32 == 1.5", 1 },
		{ "f32 > 1", 1 },
		{ "f32 < 1.5", 0 },
		{ "f32 <= 1.5", 1 },
		{ "f32 != 1.5", 0 },
		{ "f64 == -2.25", 1 },
		{ "f64 >= -3", 1 },
		{ "f64 in {1, -2.5..-2.0}", 1 },
		{ "f64 in -2..3", 0 },
		{ "f64 < 1e300", 1 },
	};

	check(rows, LEAT_ARRAY_SIZE(rows));
}

/* ---- every integer, every operator, against arithmetic that is wide enough ---- */

typedef __int128 wide;

static const struct {
	const char *name;
	size_t at, size;
	bool is_signed;
} numbers[] = {
	{ "u8", offsetof(struct filter_fixed, u8), 1, false },
	{ "u16", offsetof(struct filter_fixed, u16), 2, false },
	{ "u32", offsetof(struct filter_fixed, u32), 4, false },
	{ "u64", offsetof(struct filter_fixed, u64), 8, false },
	{ "i8", offsetof(struct filter_fixed, i8), 1, true },
	{ "i16", offsetof(struct filter_fixed, i16), 2, true },
	{ "i32", offsetof(struct filter_fixed, i32), 4, true },
	{ "i64", offsetof(struct filter_fixed, i64), 8, true },
};

static const wide edges[] = {
	0,
	1,
	2,
	127,
	128,
	129,
	255,
	256,
	32767,
	32768,
	65535,
	65536,
	INT32_MAX,
	2147483648u,
	UINT32_MAX,
	INT64_MAX,
	(wide)1 << 63,
	UINT64_MAX,
	-1,
	-2,
	-128,
	-129,
	-32768,
	-32769,
	INT32_MIN,
	-(wide)2147483649,
	INT64_MIN,
};

static bool holds(wide v, size_t op, wide c)
{
	switch (op) {
	case 0:
		return v == c;
	case 1:
		return v != c;
	case 2:
		return v < c;
	case 3:
		return v <= c;
	case 4:
		return v > c;
	case 5:
		return v >= c;
	default:
		return v == c || (v >= 5 && v <= 7);
	}
}

static void put_wide(char *out, size_t size, wide v)
{
	if (v < 0)
		snprintf(out, size, "-%llu", (unsigned long long)-v);
	else
		snprintf(out, size, "%llu", (unsigned long long)v);
}

/* What the field holds when an edge is stored in it. */
static wide stored(size_t field, wide v)
{
	uint64_t bits = (uint64_t)v;
	unsigned int shift = 64 - 8 * (unsigned int)numbers[field].size;

	memcpy(rec.bytes + numbers[field].at, &bits, numbers[field].size);
	return numbers[field].is_signed ? (wide)((int64_t)(bits << shift) >> shift)
					: (wide)(bits << shift >> shift);
}

Test(filter, integers_compare_mathematically)
{
	static const char *const ops[] = { "==", "!=", "<", "<=", ">", ">=", "in" };
	char c[48], text[128];

	for (size_t f = 0; f < LEAT_ARRAY_SIZE(numbers); f++) {
		for (size_t i = 0; i < LEAT_ARRAY_SIZE(edges) * LEAT_ARRAY_SIZE(ops); i++) {
			LEAT_AUTO(leat_filter_free) struct leat_filter *filter = NULL;
			size_t op = i % LEAT_ARRAY_SIZE(ops);
			wide edge = edges[i / LEAT_ARRAY_SIZE(ops)];

			put_wide(c, sizeof(c), edge);
			snprintf(text, sizeof(text), "%s %s %s%s%s", numbers[f].name, ops[op],
				 op == 6 ? "{" : "", c, op == 6 ? ", 5..7}" : "");
			cr_assert(leat_filter_new(&filter, format, text, NULL) == 0, "%s", text);
			for (size_t j = 0; j < LEAT_ARRAY_SIZE(edges); j++) {
				wide v = stored(f, edges[j]);

				cr_assert(leat_filter_matches(filter, &rec.r) == holds(v, op, edge),
					  "%s of %lld", text, (long long)v);
			}
		}
	}
}

Test(filter, floats_compare_mathematically)
{
	static const struct {
		const char *text;
		double v;
		bool want;
	} rows[] = {
		/* 2^53 + 1 is no double: it lies between two of them */
		{ "f64 == 9007199254740993", 9007199254740992.0, 0 },
		{ "f64 < 9007199254740993", 9007199254740992.0, 1 },
		{ "f64 >= 9007199254740993", 9007199254740992.0, 0 },
		{ "f64 > 9007199254740993", 9007199254740994.0, 1 },
		{ "f64 <= 9007199254740993", 9007199254740994.0, 0 },
		{ "f64 < 18446744073709551615", 18446744073709551616.0, 0 },
		{ "f64 > 18446744073709551615", 18446744073709551616.0, 1 },
		{ "f64 >= -9223372036854775808", -9223372036854775808.0, 1 },
		{ "f64 == 1", NAN, 0 },
		{ "f64 != 1", NAN, 1 },
		{ "f64 < 1", NAN, 0 },
		{ "f64 >= 1", NAN, 0 },
		{ "f64 > 1e308", INFINITY, 1 },
		{ "f64 < -1e308", -INFINITY, 1 },
		{ "f64 == 0", -0.0, 1 },
	};
	float tenth = 0.1f;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		memcpy(rec.bytes + offsetof(struct filter_fixed, f64), &rows[i].v, 8);
		cr_expect(passes(rows[i].text) == rows[i].want, "%s of %g", rows[i].text,
			  rows[i].v);
	}
	memcpy(rec.bytes + offsetof(struct filter_fixed, f32), &tenth, 4);
	cr_expect(passes("f32 == 0.1"));
	cr_expect(eq(int, passes("f32 > 0.1"), 0));
}

/* ---- records that lack something ---- */

/* A test of the field that holds as the record is, and how many bytes it needs. */
static const struct {
	const char *text;
	size_t bytes;
} reaches[] = {
	{ "u8 == 200", 1 },
	{ "u8 == 300 || u8 == 200", 1 },
	{ "u64 > 3", offsetof(struct filter_fixed, u64) + 8 },
	{ "u64 > 3 || u8 == 200", offsetof(struct filter_fixed, u64) + 8 },
	{ "u8 == 200 || u64 > 3", offsetof(struct filter_fixed, u64) + 8 },
	{ "!(u64 == 3)", offsetof(struct filter_fixed, u64) + 8 },
	{ "u8 < 300 && !(u64 < 0)", offsetof(struct filter_fixed, u64) + 8 },
	{ "f64 < 0", offsetof(struct filter_fixed, f64) + 8 },
	{ "comm == \"redis-server\"", offsetof(struct filter_fixed, comm) + 16 },
	{ "!(comm contains \"nginx\")", offsetof(struct filter_fixed, comm) + 16 },
	{ "wide != \"x\"", offsetof(struct filter_fixed, wide) + 16 },
	{ "str != \"x\"", sizeof(struct filter_fixed) + 1 },
	{ "!(wstr == \"x\")", sizeof(struct filter_fixed) + 2 },
	{ "tail != \"x\"", sizeof(struct filter_fixed) },
	{ "dl starts_with \"/etc\"", sizeof(struct filter_fixed) + 10 + 12 },
	{ "!(dl ~ \"x*\")", sizeof(struct filter_fixed) + 10 + 12 },
	{ "u8 == 200 || dl == \"x\"", sizeof(struct filter_fixed) + 10 + 12 },
	{ "dlw contains \"b\"", sizeof(struct filter_fixed) + 10 + 12 + 8 },
	{ "rl == \"/usr/lib\" && dl != \"x\"", sizeof(struct filter_fixed) + 10 + 12 + 8 + 9 },
};

Test(filter, a_field_that_is_cut_makes_all_of_it_false)
{
	size_t whole = rec.r.size;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(reaches); i++) {
		LEAT_AUTO(leat_filter_free) struct leat_filter *f = NULL;

		cr_assert(eq(int, leat_filter_new(&f, format, reaches[i].text, NULL), 0));
		for (size_t n = 0; n <= whole; n++) {
			/* A copy of that length: nothing behind it may be read. */
			LEAT_FREE uint8_t *copy = malloc(n ? n : 1);
			struct leat_record r = rec.r;

			memcpy(copy, rec.bytes, n);
			r.data = copy;
			r.size = (uint32_t)n;
			cr_assert(leat_filter_matches(f, &r) == (n >= reaches[i].bytes),
				  "%s at %zu", reaches[i].text, n);
		}
		cr_expect(eq(u64, leat_filter_missing_cnt(f), reaches[i].bytes), "%s",
			  reaches[i].text);
	}
}

Test(filter, a_descriptor_that_points_outside_is_missing)
{
	static const char *const texts[] = { "dl == \"x\"", "!(dl == \"x\")", "rl != \"x\"" };
	static const uint32_t words[] = { 0xffffffff, 0x0001ffff, 0xffff0000, 0x01f00020 };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(texts) * LEAT_ARRAY_SIZE(words); i++) {
		LEAT_AUTO(leat_filter_free) struct leat_filter *f = NULL;
		const char *text = texts[i % LEAT_ARRAY_SIZE(texts)];
		size_t at = strstr(text, "rl") ? offsetof(struct filter_fixed, rl)
					       : offsetof(struct filter_fixed, dl);

		memcpy(rec.bytes + at, &words[i / LEAT_ARRAY_SIZE(texts)], 4);
		cr_assert(eq(int, leat_filter_new(&f, format, text, NULL), 0));
		cr_expect(eq(int, leat_filter_matches(f, &rec.r), 0));
		cr_expect(eq(u64, leat_filter_missing_cnt(f), 1));
	}
	/* One that is empty is there. */
	memset(rec.bytes + offsetof(struct filter_fixed, dl), 0, 4);
	cr_expect(passes("dl == \"\""));
	cr_expect(passes("!(dl contains \"a\")"));
	cr_expect(passes("dl ~ \"*\""));
	cr_expect(passes("!(dl ~ \"?*[a]\")"));
}

/* ---- back ends ---- */

static int run_nothing(const void *self, const struct leat_record *r)
{
	return ((const struct leat_filter_value *)self)->lo.bits == r->size;
}

static int freed;

static void free_nothing(void *self)
{
	(void)self;
	freed++;
}

static int compile_nothing(const struct leat_filter_tree *t, struct leat_filter_program *out,
			   struct leat_filter_error *e)
{
	const struct leat_filter_node *n = leat_filter_tree_node(t, leat_filter_tree_root(t));

	if (n->op != LEAT_FILTER_EQ) {
		snprintf(e->text, sizeof(e->text), "only == here");
		e->column = n->column;
		return -ENOTSUP;
	}
	out->self = (void *)leat_filter_tree_value(t, n->value);
	out->run = run_nothing;
	return 0;
}

static int compile_elsewhere(const struct leat_filter_tree *t, struct leat_filter_program *out,
			     struct leat_filter_error *e)
{
	(void)t;
	(void)e;
	out->free = free_nothing;
	return 0;
}

Test(filter, another_back_end)
{
	static const struct leat_filter_backend size_is = { "size", compile_nothing };
	static const struct leat_filter_backend kernel = { "kernel", compile_elsewhere };
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *t = NULL;
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *u = NULL;
	LEAT_AUTO(leat_filter_free) struct leat_filter *f = NULL;
	struct leat_filter_error e;

	cr_assert(eq(int, leat_filter_parse(&t, format, "u8 == 7", NULL, NULL), 0));
	cr_assert(eq(int, leat_filter_parse(&u, format, " u8 > 7", NULL, NULL), 0));
	cr_assert(eq(int, leat_filter_from_tree(&f, u, &size_is, &e), -ENOTSUP));
	cr_assert(eq(str, e.text, (char *)"only == here"));
	cr_assert(eq(sz, e.column, 2));
	cr_assert(eq(int, leat_filter_from_tree(&f, t, &kernel, &e), -EINVAL), "runs elsewhere");
	cr_assert(eq(int, freed, 1));
	cr_assert(eq(int, leat_filter_from_tree(&f, t, &size_is, NULL), 0));
	rec.r.size = 7;
	cr_assert(leat_filter_matches(f, &rec.r));
	rec.r.size = 8;
	cr_assert(eq(int, leat_filter_matches(f, &rec.r), 0));
}

Test(filter, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_filter *f = NULL;
		struct leat_filter_error e;
		int err = leat_filter_new(
			&f, format,
			"u8 in {1, 3, 5} && (comm ~ \"r[a-z]*\" || wide contains \"x\") && f64 > 2 && "
			"dl ~ \"*a*\"",
			&e);

		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		cr_assert(eq(int, !f, err != 0));
		leat_filter_free(&f);
	}
}

/* ---- fields that are not simply somewhere ---- */

static const struct leat_value_name states[] = { { (uint64_t)-1, "LOST" }, { 2, "RUNNING" } };

/* {u32 of 4 bits each, u8 bool; string; i32 behind it; string behind that}. */
static struct leat_format *following_format(void)
{
	static const struct leat_field fields[] = {
		{ .name = "low",
		  .type = LEAT_TYPE_UINT,
		  .location = LEAT_LOCATION_BITS,
		  .size = 4,
		  .bit_offset = 4,
		  .bit_width = 4 },
		{ .name = "yes", .type = LEAT_TYPE_BOOL, .offset = 4, .size = 1 },
		{ .name = "name",
		  .type = LEAT_TYPE_CHAR,
		  .location = LEAT_LOCATION_STRING,
		  .offset = 5 },
		{ .name = "state",
		  .type = LEAT_TYPE_INT,
		  .size = 4,
		  .follows = true,
		  .names = states,
		  .name_cnt = 2 },
		{ .name = "path",
		  .type = LEAT_TYPE_CHAR,
		  .location = LEAT_LOCATION_STRING,
		  .offset = 4,
		  .follows = true },
	};
	struct leat_format *f = NULL;

	cr_assert(leat_format_new(&f, "following") == 0);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		cr_assert(leat_format_add(f, &fields[i]) == 0, "%s", fields[i].name);
	return f;
}

Test(filter, bits_names_of_values_and_fields_that_follow)
{
	static const char bytes[] = "\xa5\0\0\0\1abc\0\xff\xff\xff\xff/etc/passwd";
	static const struct row rows[] = {
		{ "low == 10", 1 },
		{ "low == 5", 0 },
		{ "yes == 1 && low in {9..10}", 1 },
		{ "state == LOST", 1 },
		{ "state == RUNNING", 0 },
		{ "state < RUNNING", 1 },
		{ "state == -1 && name == \"abc\"", 1 },
		{ "path starts_with \"/etc\"", 1 },
		{ "path == \"/etc/passwd\" && state in {RUNNING, LOST}", 1 },
		{ "!(path contains \"shadow\")", 1 },
	};
	LEAT_AUTO(leat_filter_free) struct leat_filter *f = NULL;
	struct leat_filter_error e;

	leat_format_free(&format);
	format = following_format();
	rec.r = (struct leat_record){ .data = bytes, .size = sizeof(bytes) };
	check(rows, sizeof(rows) / sizeof(rows[0]));
	/* A name that the field does not have, and a record that ends before the field. */
	cr_expect(eq(int, leat_filter_new(&f, format, "state == GONE", &e), -ENOENT), "%s", e.text);
	cr_expect(ne(ptr, strstr(e.text, "GONE"), NULL), "%s", e.text);
	cr_assert(leat_filter_new(&f, format, "!(state == 7)", &e) == 0);
	for (uint32_t n = 0; n < 13; n++) {
		rec.r.size = n;
		cr_expect(eq(int, leat_filter_matches(f, &rec.r), 0), "%u", n);
	}
	cr_expect(eq(u64, leat_filter_missing_cnt(f), 13));
	rec.r.size = 13;
	cr_expect(leat_filter_matches(f, &rec.r));
}
