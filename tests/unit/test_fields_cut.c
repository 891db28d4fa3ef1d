/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that end anywhere, in memory that ends there too: whatever reads a field of whatever place
 * and type reads nothing behind the end (ASan watches), and says what it lacks.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <leat/writer.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Descriptors of 4 bytes: len << 16 | offset. */
#define DESC(offset, len) (offset), 0, (len), 0

/*
 * 0 u8, 1 i16, 3 u32, 7 u64, 15 float, 19 double, 27 GUID, 43 bool, 44 bits of a u32, 48 char[4],
 * 52 u16[2], 56 __data_loc -> 72 .. 75, 60 __rel_loc -> 75 .. 77, 64 two __data_loc, 72 data,
 * 77 a length-prefixed array of u16, 83 a string, 86 a UTF-16 string behind it, 92 u32 behind that,
 * 96 the tail.
 */
static const uint8_t whole[] = {
	0x81,	     0xff,
	0xff,	     1,
	2,	     3,
	4,	     1,
	2,	     3,
	4,	     5,
	6,	     7,
	0x88,	     0,
	0,	     0,
	0x3f,	     0,
	0,	     0,
	0,	     0,
	0,	     0,
	0x40,	     1,
	2,	     3,
	4,	     5,
	6,	     7,
	8,	     9,
	10,	     11,
	12,	     13,
	14,	     15,
	16,	     1,
	0xa5,	     0,
	0,	     0,
	'a',	     'b',
	0,	     'c',
	1,	     0,
	2,	     0,
	DESC(72, 3), DESC(75 - 64, 2),
	DESC(72, 2), DESC(74, 3),
	'x',	     'y',
	'z',	     'v',
	'w',	     2,
	0,	     7,
	0,	     8,
	0,	     'h',
	'i',	     0,
	'u',	     0,
	'w',	     0,
	0,	     0,
	42,	     0,
	0,	     0,
	't',	     'a',
};

static const struct row {
	const char *name;
	enum leat_type type;
	enum leat_location location;
	uint32_t offset, size, elem_size;
	bool follows;
	uint8_t bit_offset, bit_width;
	size_t needs; /* bytes of the record, for all of it; what has no length of its own needs 0 */
} rows[] = {
	{ "u8", LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 0, 1, 1, .needs = 1 },
	{ "i16", LEAT_TYPE_INT, LEAT_LOCATION_STATIC, 1, 2, 2, .needs = 3 },
	{ "u32", LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 3, 4, 4, .needs = 7 },
	{ "u64", LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 7, 8, 8, .needs = 15 },
	{ "f32", LEAT_TYPE_FLOAT, LEAT_LOCATION_STATIC, 15, 4, 4, .needs = 19 },
	{ "f64", LEAT_TYPE_FLOAT, LEAT_LOCATION_STATIC, 19, 8, 8, .needs = 27 },
	{ "guid", LEAT_TYPE_GUID, LEAT_LOCATION_STATIC, 27, 16, 16, .needs = 43 },
	{ "yes", LEAT_TYPE_BOOL, LEAT_LOCATION_STATIC, 43, 1, 1, .needs = 44 },
	{ "bits", LEAT_TYPE_UINT, LEAT_LOCATION_BITS, 44, 4, 4, false, 4, 4, .needs = 48 },
	{ "text", LEAT_TYPE_CHAR, LEAT_LOCATION_STATIC, 48, 4, 1, .needs = 52 },
	{ "pair", LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 52, 4, 2, .needs = 56 },
	{ "data", LEAT_TYPE_CHAR, LEAT_LOCATION_DATA_LOC, 56, 4, 1, .needs = 75 },
	{ "rel", LEAT_TYPE_CHAR, LEAT_LOCATION_REL_LOC, 60, 4, 1, .needs = 77 },
	{ "many", LEAT_TYPE_CHAR, LEAT_LOCATION_DATA_LOC, 64, 8, 1, .needs = 72 },
	{ "len", LEAT_TYPE_UINT, LEAT_LOCATION_LEN_ARRAY, 77, 0, 2, .needs = 83 },
	{ "str", LEAT_TYPE_CHAR, LEAT_LOCATION_STRING, 0, 0, 1, true, .needs = 83 },
	{ "wide", LEAT_TYPE_CHAR, LEAT_LOCATION_UTF16, 0, 0, 2, true, .needs = 86 },
	{ "after", LEAT_TYPE_UINT, LEAT_LOCATION_STATIC, 0, 4, 4, true, .needs = 96 },
	{ "tail", LEAT_TYPE_CHAR, LEAT_LOCATION_TAIL, 96, 0, 1, .needs = 96 },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct leat_format *format;
static struct leat_field_reader *readers[ROWS];

static void begin(void)
{
	cr_assert(eq(sz, sizeof(whole), 98));
	cr_assert(zero(int, leat_format_new(&format, "cut")));
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		const struct leat_field f = { .name = r->name,
					      .type_name = "",
					      .type = r->type,
					      .location = r->location,
					      .offset = r->offset,
					      .size = r->size,
					      .elem_size = r->elem_size,
					      .follows = r->follows,
					      .bit_offset = r->bit_offset,
					      .bit_width = r->bit_width };

		cr_assert(zero(int, leat_format_add(format, &f)), "%s", r->name);
	}
}

static void end(void)
{
	leat_format_free(&format);
	for (size_t i = 0; i < ROWS; i++)
		leat_field_reader_free(&readers[i]);
}

TestSuite(fields_cut, .init = begin, .fini = end);

static leat_field_ref ref_of(size_t i)
{
	leat_field_ref ref;

	cr_assert(zero(int, leat_format_ref(format, rows[i].name, &ref)));
	return ref;
}

/* A copy whose memory ends where the record does. */
static struct leat_record cut(size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	memcpy(copy, whole, n);
	return (struct leat_record){ .data = copy, .size = (uint32_t)n };
}

/* @err, or another error where the type is not one that the getter reads. */
static void expect_err(int got, bool reads, bool there, const char *what, size_t i, size_t n)
{
	cr_expect(got == (reads ? (there ? 0 : -ENODATA) : -EINVAL), "%s of %s cut at %zu: %d",
		  what, rows[i].name, n, got);
}

static void get_each(size_t i, const struct leat_record *r)
{
	const bool there = r->size >= rows[i].needs,
		   one = rows[i].size == rows[i].elem_size &&
			 rows[i].location != LEAT_LOCATION_DATA_LOC &&
			 rows[i].location != LEAT_LOCATION_REL_LOC;
	const bool integer = one && leat_type_is_integer(rows[i].type);
	const bool real = one && rows[i].type == LEAT_TYPE_FLOAT;
	const leat_field_ref ref = ref_of(i);
	struct leat_guid guid;
	uint64_t u;
	int64_t s;
	double d;
	bool b;

	expect_err(leat_get_u64(format, ref, r, &u), integer, there, "u64", i, r->size);
	expect_err(leat_get_bool(format, ref, r, &b), integer, there, "bool", i, r->size);
	expect_err(leat_get_f64(format, ref, r, &d), real, there, "f64", i, r->size);
	expect_err(leat_get_guid(format, ref, r, &guid), rows[i].type == LEAT_TYPE_GUID, there,
		   "guid", i, r->size);
	expect_err(leat_read_u64(readers[i], r, &u), integer, there, "read u64", i, r->size);
	expect_err(leat_read_f64(readers[i], r, &d), real, there, "read f64", i, r->size);
	if (!leat_get_i64(format, ref, r, &s))
		cr_expect(there && integer);
	if (!leat_read_i64(readers[i], r, &s))
		cr_expect(there && integer);
}

static void inside(struct leat_slice s, const struct leat_record *r, size_t i)
{
	const uint8_t *from = s.data, *record = r->data;

	cr_expect(s.len == 0 || (from >= record && from + s.len <= record + r->size),
		  "%s cut at %u: %zu bytes", rows[i].name, r->size, s.len);
}

static void slice_each(size_t i, const struct leat_record *r)
{
	const leat_field_ref ref = ref_of(i);
	const struct leat_slice s = leat_get_slice(format, ref, r);
	const size_t cnt = leat_get_cnt(format, ref, r);
	uint64_t u;
	double d;

	inside(s, r, i);
	inside(leat_get_text(format, ref, r), r, i);
	inside(leat_read_slice(readers[i], r), r, i);
	inside(leat_read_text(readers[i], r), r, i);
	if (r->size >= rows[i].needs && rows[i].location != LEAT_LOCATION_TAIL)
		cr_expect(gt(sz,
			     s.len + (rows[i].location == LEAT_LOCATION_STRING) +
				     (rows[i].location == LEAT_LOCATION_UTF16),
			     0),
			  "%s cut at %u", rows[i].name, r->size);
	/* What is short is empty; strings that are cut end where the record does. */
	if (r->size < rows[i].needs && rows[i].location != LEAT_LOCATION_STRING &&
	    rows[i].location != LEAT_LOCATION_UTF16)
		cr_expect(zero(sz, s.len), "%s cut at %u", rows[i].name, r->size);
	for (size_t k = 0; k <= cnt; k++) {
		inside(leat_get_slice_at(format, ref, r, k), r, i);
		(void)leat_get_u64_at(format, ref, r, k, &u);
		(void)leat_get_f64_at(format, ref, r, k, &d);
	}
	cr_expect(ne(int, leat_get_u64_at(format, ref, r, cnt, &u), 0), "%s", rows[i].name);
}

Test(fields_cut, every_place_and_type_at_every_byte)
{
	for (size_t i = 0; i < ROWS; i++)
		cr_assert(zero(int, leat_field_reader_new(&readers[i], format, ref_of(i))));
	for (size_t n = 0; n <= sizeof(whole); n++) {
		struct leat_record r = cut(n);

		for (size_t i = 0; i < ROWS; i++) {
			get_each(i, &r);
			slice_each(i, &r);
		}
		free((void *)(uintptr_t)r.data);
	}
}

Test(fields_cut, what_is_short_is_counted)
{
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t n = 0; n <= sizeof(whole); n++) {
			LEAT_AUTO(leat_field_reader_free) struct leat_field_reader *rd = NULL;
			struct leat_record r = cut(n);
			const uint64_t before = leat_format_short_cnt(format);
			const bool is_short = n < rows[i].needs;

			cr_assert(zero(int, leat_field_reader_new(&rd, format, ref_of(i))));
			(void)leat_get_slice(format, ref_of(i), &r);
			(void)leat_read_slice(rd, &r);
			cr_expect(eq(u64, leat_format_short_cnt(format) - before, is_short),
				  "%s cut at %zu", rows[i].name, n);
			cr_expect(eq(u64, leat_field_reader_short_cnt(rd), is_short),
				  "%s cut at %zu", rows[i].name, n);
			free((void *)(uintptr_t)r.data);
		}
	}
}

/* The same records as text and as JSON. */
Test(fields_cut, written_at_every_byte)
{
	static const enum leat_writer_kind kinds[] = { LEAT_WRITER_TEXT, LEAT_WRITER_JSON };
	char text[2048];
	size_t len;

	for (size_t k = 0; k < 2; k++) {
		struct leat_writer *w = NULL;

		cr_assert(zero(int, leat_writer_new(&w, format, kinds[k])));
		for (size_t n = 0; n <= sizeof(whole); n++) {
			struct leat_record r = cut(n);

			cr_expect(zero(int, leat_writer_write(w, &r, text, sizeof(text), &len)));
			cr_expect(le(sz, len, sizeof(text)));
			free((void *)(uintptr_t)r.data);
		}
		leat_writer_free(&w);
	}
}
