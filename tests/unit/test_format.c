/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/format.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"

/* A format of one field, "f"; NULL when it is refused. */
static struct leat_format *one(enum leat_type type, enum leat_location loc, uint32_t offset,
			       uint32_t size, uint32_t elem)
{
	struct leat_format *f = NULL;
	struct leat_field field = { .name = "f",
				    .type_name = "t",
				    .type = type,
				    .location = loc,
				    .offset = offset,
				    .size = size,
				    .elem_size = elem };

	cr_assert(eq(int, leat_format_new(&f, "one"), 0));
	if (leat_format_add(f, &field))
		leat_format_free(&f);
	return f;
}

static const leat_field_ref first = { .index = 0 };

static struct leat_record record(const void *data, uint32_t size)
{
	return (struct leat_record){ .data = data, .size = size };
}

Test(format, integers_of_each_width_and_sign)
{
	static const uint8_t bytes[9] = { 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const struct {
		enum leat_type type;
		uint32_t size;
		uint64_t want;
	} rows[] = {
		{ LEAT_TYPE_UINT, 1, 0xfe },	      { LEAT_TYPE_UINT, 2, 0xfffe },
		{ LEAT_TYPE_UINT, 4, 0xfffffffe },    { LEAT_TYPE_UINT, 8, 0xfffffffffffffffe },
		{ LEAT_TYPE_INT, 1, (uint64_t)-2 },   { LEAT_TYPE_INT, 2, (uint64_t)-2 },
		{ LEAT_TYPE_INT, 4, (uint64_t)-2 },   { LEAT_TYPE_INT, 8, (uint64_t)-2 },
		{ LEAT_TYPE_POINTER, 4, 0xfffffffe }, { LEAT_TYPE_POINTER, 8, 0xfffffffffffffffe },
	};
	struct leat_record r = record(bytes, sizeof(bytes));

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_format *f =
			one(rows[i].type, LEAT_LOCATION_STATIC, 1, rows[i].size, rows[i].size);
		uint64_t v = 0;

		cr_assert(ne(ptr, f, NULL));
		cr_assert(eq(int, leat_get_u64(f, first, &r, &v), 0));
		cr_assert(eq(u64, v, rows[i].want), "row %zu", i);
		for (uint32_t n = 0; n <= rows[i].size; n++) { /* truncated at every length */
			struct leat_record cut = record(bytes, n);

			v = 77;
			cr_assert(eq(int, leat_get_u64(f, first, &cut, &v), -ENODATA));
			cr_assert(eq(u64, v, 77));
		}
		cr_assert(eq(u64, leat_format_short_cnt(f), rows[i].size + 1));
		leat_format_free(&f);
	}
}

Test(format, narrow_readers_check_the_range)
{
	static const uint8_t minus[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct leat_record r = record(minus, sizeof(minus));
	struct leat_format *u = one(LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 0, 8, 8);
	struct leat_format *s = one(LEAT_TYPE_INT, LEAT_LOCATION_STATIC, 0, 4, 4);
	uint32_t v32 = 0;
	int64_t v = 0;

	cr_assert(eq(int, leat_get_u32(u, first, &r, &v32), -EOVERFLOW));
	cr_assert(eq(int, leat_get_u32(s, first, &r, &v32), -EOVERFLOW));
	cr_assert(eq(int, leat_get_i64(u, first, &r, &v), -EOVERFLOW));
	cr_assert(eq(int, leat_get_i64(s, first, &r, &v), 0));
	cr_assert(eq(i64, v, -1));
	leat_format_free(&u);
	leat_format_free(&s);
}

Test(format, what_is_no_integer_is_not_read_as_one)
{
	static const uint8_t bytes[32] = { 0 };
	struct leat_record r = record(bytes, sizeof(bytes));
	struct leat_format *rows[] = {
		one(LEAT_TYPE_CHAR, LEAT_LOCATION_STATIC, 0, 8, 1),
		one(LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 0, 16, 8),
		one(LEAT_TYPE_UINT, LEAT_LOCATION_TAIL, 0, 0, 8),
		one(LEAT_TYPE_FLOAT, LEAT_LOCATION_STATIC, 0, 8, 8),
		one(LEAT_TYPE_GUID, LEAT_LOCATION_STATIC, 0, 16, 16),
	};
	leat_field_ref none = { .index = LEAT_FIELD_REF_NONE };
	uint64_t v;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		cr_assert(ne(ptr, rows[i], NULL), "row %zu", i);
		cr_assert(eq(int, leat_get_u64(rows[i], first, &r, &v), -EINVAL));
		cr_assert(eq(int, leat_get_u64(rows[i], none, &r, &v), -EINVAL));
		cr_assert(eq(sz, leat_get_slice(rows[i], none, &r).len, 0));
		leat_format_free(&rows[i]);
	}
}

Test(format, slices_and_text)
{
	/*                              0123456789abcdef */
	static const char bytes[] = "abcd\0fghijkl\0nop";
	struct leat_record r = record(bytes, 16);
	static const struct {
		enum leat_type type;
		enum leat_location loc;
		uint32_t offset, size, elem;
		size_t slice, text;
	} rows[] = {
		{ LEAT_TYPE_CHAR, LEAT_LOCATION_STATIC, 0, 8, 1, 8, 4 },
		{ LEAT_TYPE_CHAR, LEAT_LOCATION_STATIC, 5, 7, 1, 7, 7 },
		{ LEAT_TYPE_CHAR, LEAT_LOCATION_STRING, 5, 0, 1, 7, 7 },
		{ LEAT_TYPE_CHAR, LEAT_LOCATION_STRING, 13, 0, 1, 3, 3 },
		{ LEAT_TYPE_CHAR, LEAT_LOCATION_STRING, 16, 0, 1, 0, 0 },
		{ LEAT_TYPE_CHAR, LEAT_LOCATION_TAIL, 10, 0, 1, 6, 2 },
		{ LEAT_TYPE_BYTES, LEAT_LOCATION_STATIC, 0, 16, 16, 16, 4 },
		{ LEAT_TYPE_BYTES, LEAT_LOCATION_STATIC, 1, 16, 16, 0, 0 },
		{ LEAT_TYPE_CHAR, LEAT_LOCATION_TAIL, 17, 0, 1, 0, 0 },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_format *f =
			one(rows[i].type, rows[i].loc, rows[i].offset, rows[i].size, rows[i].elem);

		cr_assert(ne(ptr, f, NULL));
		cr_assert(eq(sz, leat_get_slice(f, first, &r).len, rows[i].slice), "row %zu", i);
		cr_assert(eq(sz, leat_get_text(f, first, &r).len, rows[i].text), "row %zu", i);
		leat_format_free(&f);
	}
}

Test(format, utf16_ends_at_its_own_nul)
{
	static const uint8_t bytes[] = { 'a', 0, 0, 1, 'b', 0, 0, 0, 'c', 0, 'd' };
	struct leat_record r = record(bytes, sizeof(bytes));
	struct leat_record odd = record(bytes, 5);
	struct leat_format *f = one(LEAT_TYPE_CHAR, LEAT_LOCATION_UTF16, 0, 0, 2);

	cr_assert(eq(sz, leat_get_slice(f, first, &r).len, 6));
	cr_assert(eq(sz, leat_get_text(f, first, &r).len, 6));
	cr_assert(eq(sz, leat_get_slice(f, first, &odd).len, 4));
	leat_format_free(&f);
}

Test(format, descriptors_stay_inside_the_record)
{
	static const struct {
		enum leat_location loc;
		uint32_t word;
		size_t len;
		size_t at;
	} rows[] = {
		{ LEAT_LOCATION_DATA_LOC, 3u << 16 | 8, 3, 8 },
		{ LEAT_LOCATION_DATA_LOC, 4u << 16 | 8, 4, 8 },
		{ LEAT_LOCATION_DATA_LOC, 5u << 16 | 8, 0, 0 },
		{ LEAT_LOCATION_DATA_LOC, 0u << 16 | 12, 0, 12 },
		{ LEAT_LOCATION_DATA_LOC, 1u << 16 | 12, 0, 0 },
		{ LEAT_LOCATION_DATA_LOC, 0xffffffff, 0, 0 },
		{ LEAT_LOCATION_REL_LOC, 2u << 16 | 2, 2, 10 },
		{ LEAT_LOCATION_REL_LOC, 3u << 16 | 2, 0, 0 },
		{ LEAT_LOCATION_REL_LOC, 0xffffffff, 0, 0 },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		uint8_t bytes[12] = { 0 };
		struct leat_record r = record(bytes, sizeof(bytes));
		struct leat_format *f = one(LEAT_TYPE_CHAR, rows[i].loc, 4, 4, 1);
		struct leat_slice s;

		memcpy(bytes + 4, &rows[i].word, 4);
		s = leat_get_slice(f, first, &r);
		cr_assert(eq(sz, s.len, rows[i].len), "row %zu", i);
		if (s.data)
			cr_assert(eq(sz, (size_t)((const uint8_t *)s.data - bytes), rows[i].at));
		for (uint32_t n = 0; n < 8; n++) {
			struct leat_record cut = record(bytes, n);

			cr_assert(eq(sz, leat_get_slice(f, first, &cut).len, 0));
		}
		leat_format_free(&f);
	}
}

Test(format, fields_that_contradict_themselves_are_refused)
{
	static const struct leat_field rows[] = {
		{ .name = "", .type = LEAT_TYPE_UINT, .size = 4, .elem_size = 4 },
		{ .name = NULL, .type = LEAT_TYPE_UINT, .size = 4, .elem_size = 4 },
		{ .name = "f", .type = LEAT_TYPE_UINT, .size = 3, .elem_size = 3 },
		{ .name = "f", .type = LEAT_TYPE_UINT, .size = 6, .elem_size = 4 },
		{ .name = "f", .type = LEAT_TYPE_UINT, .size = 0, .elem_size = 4 },
		{ .name = "f", .type = LEAT_TYPE_FLOAT, .size = 2, .elem_size = 2 },
		{ .name = "f", .type = LEAT_TYPE_GUID, .size = 8, .elem_size = 8 },
		{ .name = "f", .type = LEAT_TYPE_POINTER, .size = 1, .elem_size = 1 },
		{ .name = "f", .type = LEAT_TYPE_CHAR, .size = 4, .elem_size = 4 },
		{ .name = "f", .type = (enum leat_type)99, .size = 4, .elem_size = 4 },
		{ .name = "f",
		  .type = LEAT_TYPE_UINT,
		  .offset = UINT32_MAX,
		  .size = 4,
		  .elem_size = 4 },
		{ .name = "f",
		  .location = LEAT_LOCATION_STRING,
		  .type = LEAT_TYPE_CHAR,
		  .size = 4 },
		{ .name = "f", .location = LEAT_LOCATION_TAIL, .type = LEAT_TYPE_CHAR, .size = 4 },
		{ .name = "f",
		  .location = LEAT_LOCATION_DATA_LOC,
		  .type = LEAT_TYPE_CHAR,
		  .size = 2 },
		{ .name = "f",
		  .location = (enum leat_location)99,
		  .type = LEAT_TYPE_CHAR,
		  .size = 4 },
	};
	struct leat_format *f = NULL;

	cr_assert(eq(int, leat_format_new(&f, "bad"), 0));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++)
		cr_assert(eq(int, leat_format_add(f, &rows[i]), -EINVAL), "row %zu", i);
	cr_assert(eq(sz, leat_format_field_cnt(f), 0));
	leat_format_free(&f);
}

Test(format, references_are_by_name)
{
	struct leat_format *f = one(LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 4, 4, 0);
	struct leat_field again = { .name = "f", .type = LEAT_TYPE_UINT, .size = 4 };
	struct leat_field g = { .name = "g", .type = LEAT_TYPE_UINT, .size = 4 };
	leat_field_ref ref;

	cr_assert(eq(str, (char *)leat_format_name(f), (char *)"one"));
	cr_assert(eq(int, leat_format_add(f, &again), -EEXIST));
	cr_assert(eq(int, leat_format_add(f, &g), 0));
	cr_assert(eq(int, leat_format_ref(f, "g", &ref), 0));
	cr_assert(eq(u16, ref.index, 1));
	cr_assert(eq(int, leat_format_ref(f, "h", &ref), -ENOENT));
	cr_assert(eq(u16, ref.index, LEAT_FIELD_REF_NONE));
	cr_assert(eq(sz, leat_format_field_cnt(f), 2));
	cr_assert(eq(str, (char *)leat_format_field_at(f, 1)->name, (char *)"g"));
	cr_assert(eq(u32, leat_format_field_at(f, 0)->elem_size, 4));
	cr_assert(eq(ptr, (void *)leat_format_field_at(f, 2), NULL));
	leat_format_free(&f);
	leat_format_free(&f);
}

Test(format, equality_is_of_fields)
{
	struct leat_format *a = one(LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 4, 4, 4);
	struct leat_format *rows[] = {
		one(LEAT_TYPE_INT, LEAT_LOCATION_STATIC, 4, 4, 4),
		one(LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 0, 4, 4),
		one(LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 4, 8, 8),
		one(LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 4, 4, 2),
		one(LEAT_TYPE_UINT, LEAT_LOCATION_DATA_LOC, 4, 4, 4),
	};
	struct leat_format *same = one(LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 4, 4, 4);
	struct leat_format *empty = NULL;

	cr_assert(leat_format_equal(a, same));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		cr_assert(not(leat_format_equal(a, rows[i])), "row %zu", i);
		leat_format_free(&rows[i]);
	}
	cr_assert(eq(int, leat_format_new(&empty, "e"), 0));
	cr_assert(not(leat_format_equal(a, empty)));
	leat_format_free(&empty);
	leat_format_free(&same);
	leat_format_free(&a);
}

Test(format, a_failed_addition_changes_nothing)
{
	struct leat_field field = { .name = "f", .type = LEAT_TYPE_UINT, .size = 4 };

	LEAT_ALLOC_EACH_FAILS {
		struct leat_format *f = NULL;
		int err = leat_format_new(&f, "x");

		if (!err)
			err = leat_format_add(f, &field);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		if (f)
			cr_assert(eq(sz, leat_format_field_cnt(f), err ? 0 : 1));
		leat_format_free(&f);
	}
}
