/* SPDX-License-Identifier: BSD-2-Clause */
/* Where fields lie and what is read there, by reference and by compiled reader alike. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "event/place.h"

static struct leat_format *format_of(const struct leat_field *fields, size_t n)
{
	struct leat_format *f = NULL;

	cr_assert(zero(int, leat_format_new(&f, "test")));
	for (size_t i = 0; i < n; i++)
		cr_assert(zero(int, leat_format_add(f, &fields[i])), "field %zu", i);
	return f;
}

static struct leat_record record(const void *data, size_t size)
{
	return (struct leat_record){ .data = data, .size = (uint32_t)size };
}

static leat_field_ref ref_of(const struct leat_format *f, const char *name)
{
	leat_field_ref ref;

	cr_assert(zero(int, leat_format_ref(f, name, &ref)), "%s", name);
	return ref;
}

/* ---- integers at every place ---- */

/* The inline getter and the one behind it give the same, wherever the integer lies. */
Test(fields, integers_at_every_offset_by_both_ways)
{
	static const enum leat_type types[] = { LEAT_TYPE_UINT, LEAT_TYPE_INT, LEAT_TYPE_BOOL };
	uint8_t bytes[24];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(0x81 + 37 * i);
	for (uint32_t size = 1; size <= 8; size *= 2) {
		for (uint32_t at = 0; at + size <= sizeof(bytes); at++) {
			for (size_t t = 0; t < LEAT_ARRAY_SIZE(types); t++) {
				struct leat_field field = {
					.name = "f", .type = types[t], .offset = at, .size = size
				};
				struct leat_format *f = format_of(&field, 1);
				leat_field_ref ref = ref_of(f, "f"), bare = { .index = 0 };
				uint64_t want = 0, got = 0, any = 0;

				memcpy(&want, bytes + at, size);
				if (types[t] == LEAT_TYPE_INT && size < 8 && want >> (8 * size - 1))
					want |= ~0ull << (8 * size);
				for (uint32_t n = 0; n <= sizeof(bytes); n++) {
					struct leat_record r = record(bytes, n);
					int err = n < at + size ? -ENODATA : 0;

					cr_assert(eq(int, leat_get_u64(f, ref, &r, &got), err));
					cr_assert(eq(int, leat_get_u64(f, bare, &r, &any), err));
					cr_assert(err || (got == want && any == want));
				}
				cr_assert(eq(u64, leat_format_short_cnt(f), 2 * (at + size)));
				leat_format_free(&f);
			}
		}
	}
}

Test(fields, bits_of_every_width)
{
	static const uint8_t bytes[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
					   0x0f, 0xed, 0xcb, 0xa9, 0x87, 0x65, 0x43, 0x21 };
	struct leat_record r = record(bytes, sizeof(bytes));

	for (uint32_t size = 1; size <= 8; size *= 2) {
		for (uint32_t bit = 0; bit < 8 * size; bit++) {
			for (uint32_t width = 1; bit + width <= 8 * size; width++) {
				struct leat_field field = { .name = "f",
							    .type = LEAT_TYPE_UINT,
							    .location = LEAT_LOCATION_BITS,
							    .offset = 8 - size / 2,
							    .size = size,
							    .bit_offset = (uint8_t)bit,
							    .bit_width = (uint8_t)width };
				struct leat_format *f = format_of(&field, 1);
				uint64_t word = 0, got = 0;
				int64_t minus = 0;

				memcpy(&word, bytes + field.offset, size);
				word = word >> bit;
				if (width < 64)
					word &= (1ull << width) - 1;
				cr_assert(zero(int, leat_get_u64(f, ref_of(f, "f"), &r, &got)));
				cr_assert(eq(u64, got, word));
				leat_format_free(&f);
				field.type = LEAT_TYPE_INT;
				f = format_of(&field, 1);
				cr_assert(zero(int, leat_get_i64(f, ref_of(f, "f"), &r, &minus)));
				if (width < 64 && word >> (width - 1))
					word |= ~0ull << width;
				cr_assert(eq(i64, minus, (int64_t)word));
				leat_format_free(&f);
			}
		}
	}
}

Test(fields, bits_that_do_not_fit_are_refused)
{
	static const struct leat_field rows[] = {
		{ .type = LEAT_TYPE_UINT, .size = 4, .bit_width = 0 },
		{ .type = LEAT_TYPE_UINT, .size = 4, .bit_width = 33 },
		{ .type = LEAT_TYPE_UINT, .size = 4, .bit_offset = 31, .bit_width = 2 },
		{ .type = LEAT_TYPE_UINT, .size = 3, .bit_width = 1 },
		{ .type = LEAT_TYPE_FLOAT, .size = 4, .bit_width = 1 },
		{ .type = LEAT_TYPE_UINT, .size = 8, .elem_size = 4, .bit_width = 1 },
	};
	struct leat_format *f = NULL;

	cr_assert(zero(int, leat_format_new(&f, "bits")));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_field field = rows[i];

		field.name = "f";
		field.location = LEAT_LOCATION_BITS;
		cr_assert(eq(int, leat_format_add(f, &field), -EINVAL), "row %zu", i);
	}
	leat_format_free(&f);
}

/* ---- other types ---- */

Test(fields, floats_guids_booleans)
{
	static const struct leat_field fields[] = {
		{ .name = "f32", .type = LEAT_TYPE_FLOAT, .offset = 0, .size = 4 },
		{ .name = "f64", .type = LEAT_TYPE_FLOAT, .offset = 4, .size = 8 },
		{ .name = "guid", .type = LEAT_TYPE_GUID, .offset = 12, .size = 16 },
		{ .name = "yes", .type = LEAT_TYPE_BOOL, .offset = 28, .size = 1 },
		{ .name = "no", .type = LEAT_TYPE_BOOL, .offset = 29, .size = 1 },
		{ .name = "when", .type = LEAT_TYPE_TIME, .offset = 30, .size = 8 },
	};
	struct leat_format *f = format_of(fields, LEAT_ARRAY_SIZE(fields));
	uint8_t bytes[38] = { 0 };
	struct leat_record r = record(bytes, sizeof(bytes));
	const float f32 = -0.5f;
	const double f64 = 1e300;
	struct leat_guid guid;
	uint64_t u = 0;
	double d = 0;
	bool b = false;

	memcpy(bytes, &f32, 4);
	memcpy(bytes + 4, &f64, 8);
	for (uint8_t i = 0; i < 16; i++)
		bytes[12 + i] = i;
	bytes[28] = 2;
	bytes[37] = 1;
	cr_assert(zero(int, leat_get_f64(f, ref_of(f, "f32"), &r, &d)));
	cr_assert(d == -0.5);
	cr_assert(zero(int, leat_get_f64(f, ref_of(f, "f64"), &r, &d)));
	cr_assert(d == 1e300);
	cr_assert(zero(int, leat_get_guid(f, ref_of(f, "guid"), &r, &guid)));
	cr_assert(zero(int, memcmp(guid.bytes, bytes + 12, 16)));
	cr_assert(zero(int, leat_get_bool(f, ref_of(f, "yes"), &r, &b)));
	cr_assert(b);
	cr_assert(zero(int, leat_get_bool(f, ref_of(f, "no"), &r, &b)));
	cr_assert(not(b));
	cr_assert(zero(int, leat_get_u64(f, ref_of(f, "when"), &r, &u)));
	cr_assert(eq(u64, u, 1ull << 56));
	/* One type is not read as another. */
	cr_assert(eq(int, leat_get_f64(f, ref_of(f, "when"), &r, &d), -EINVAL));
	cr_assert(eq(int, leat_get_guid(f, ref_of(f, "f64"), &r, &guid), -EINVAL));
	cr_assert(eq(int, leat_get_u64(f, ref_of(f, "f64"), &r, &u), -EINVAL));
	cr_assert(eq(int, leat_get_bool(f, ref_of(f, "guid"), &r, &b), -EINVAL));
	r.size = 11;
	cr_assert(eq(int, leat_get_f64(f, ref_of(f, "f64"), &r, &d), -ENODATA));
	cr_assert(eq(int, leat_get_guid(f, ref_of(f, "guid"), &r, &guid), -ENODATA));
	cr_assert(eq(int, leat_get_bool(f, ref_of(f, "yes"), &r, &b), -ENODATA));
	leat_format_free(&f);
}

Test(fields, names_of_values)
{
	static const struct leat_value_name names[] = { { 0, "NONE" },
							{ (uint64_t)-1, "ALL" },
							{ 7, "SEVEN" } };
	struct leat_field fields[] = {
		{ .name = "u", .type = LEAT_TYPE_UINT, .size = 2, .name_cnt = 3, .names = names },
		{ .name = "s", .type = LEAT_TYPE_INT, .size = 2, .name_cnt = 3, .names = names },
	};
	struct leat_field bad = {
		.name = "b", .type = LEAT_TYPE_BYTES, .size = 2, .name_cnt = 3, .names = names
	};
	struct leat_format *f = format_of(fields, 2);
	const struct leat_field *u = leat_format_field_at(f, 0), *s = leat_format_field_at(f, 1);
	uint64_t v = 5;

	cr_assert(ne(ptr, (void *)u->names, (void *)names)); /* copied */
	cr_assert(eq(str, (char *)leat_field_value_name(u, 0xffff), (char *)"ALL"));
	cr_assert(eq(str, (char *)leat_field_value_name(s, (uint64_t)-1), (char *)"ALL"));
	cr_assert(eq(str, (char *)leat_field_value_name(u, 0), (char *)"NONE"));
	cr_assert(leat_field_value_name(u, 1) == NULL);
	cr_assert(zero(int, leat_field_value_of(u, "SEVEN", &v)));
	cr_assert(eq(u64, v, 7));
	cr_assert(eq(int, leat_field_value_of(u, "seven", &v), -ENOENT));
	cr_assert(eq(u64, v, 7));
	cr_assert(eq(int, leat_format_add(f, &bad), -EINVAL));
	bad.type = LEAT_TYPE_UINT;
	bad.names = NULL;
	cr_assert(eq(int, leat_format_add(f, &bad), -EINVAL));
	leat_format_free(&f);
}

/* ---- arrays ---- */

Test(fields, elements_of_arrays)
{
	static const struct leat_field fields[] = {
		{ .name = "fixed", .type = LEAT_TYPE_INT, .offset = 0, .size = 6, .elem_size = 2 },
		{ .name = "dyn",
		  .type = LEAT_TYPE_UINT,
		  .location = LEAT_LOCATION_DATA_LOC,
		  .offset = 6,
		  .size = 4,
		  .elem_size = 4 },
		{ .name = "names",
		  .type = LEAT_TYPE_CHAR,
		  .location = LEAT_LOCATION_REL_LOC,
		  .offset = 10,
		  .size = 8,
		  .elem_size = 1 },
		{ .name = "one", .type = LEAT_TYPE_UINT, .offset = 0, .size = 2 },
		{ .name = "reals",
		  .type = LEAT_TYPE_FLOAT,
		  .location = LEAT_LOCATION_TAIL,
		  .offset = 18,
		  .elem_size = 4 },
	};
	struct leat_format *f = format_of(fields, LEAT_ARRAY_SIZE(fields));
	uint8_t bytes[32] = { 1, 0, 0xff, 0xff, 3, 0 };
	struct leat_record r = record(bytes, sizeof(bytes));
	/* At 22 three u32 of which the last is cut; "ab" at 20, out of range. */
	const uint32_t words[3] = { 10u << 16 | 22, 2u << 16 | (20 - 14), 9u << 16 | 9 };
	struct leat_slice s;
	uint64_t u = 0;
	int64_t i = 0;
	double d = 1;

	memcpy(bytes + 6, words, sizeof(words));
	memcpy(bytes + 20, "ab\1\0\0\0\2\0\0\0", 10);
	cr_assert(eq(sz, leat_get_cnt(f, ref_of(f, "fixed"), &r), 3));
	cr_assert(zero(int, leat_get_i64_at(f, ref_of(f, "fixed"), &r, 1, &i)));
	cr_assert(eq(i64, i, -1));
	cr_assert(eq(int, leat_get_i64_at(f, ref_of(f, "fixed"), &r, 3, &i), -ENODATA));
	cr_assert(eq(sz, leat_get_cnt(f, ref_of(f, "dyn"), &r), 2));
	cr_assert(zero(int, leat_get_u64_at(f, ref_of(f, "dyn"), &r, 1, &u)));
	cr_assert(eq(u64, u, 2));
	cr_assert(eq(int, leat_get_u64_at(f, ref_of(f, "dyn"), &r, 2, &u), -ENODATA));
	cr_assert(eq(sz, leat_get_cnt(f, ref_of(f, "names"), &r), 2));
	s = leat_get_slice_at(f, ref_of(f, "names"), &r, 0);
	cr_assert(eq(sz, s.len, 2));
	cr_assert(zero(int, memcmp(s.data, "ab", 2)));
	cr_assert(zero(u64, leat_format_short_cnt(f)));
	cr_assert(zero(sz, leat_get_slice_at(f, ref_of(f, "names"), &r, 1).len));
	cr_assert(eq(u64, leat_format_short_cnt(f), 1));
	cr_assert(zero(sz, leat_get_slice_at(f, ref_of(f, "names"), &r, 2).len));
	cr_assert(eq(u64, leat_format_short_cnt(f), 1));
	cr_assert(eq(sz, leat_get_cnt(f, ref_of(f, "one"), &r), 1));
	cr_assert(zero(int, leat_get_u64_at(f, ref_of(f, "one"), &r, 0, &u)));
	cr_assert(eq(u64, u, 1));
	cr_assert(eq(sz, leat_get_cnt(f, ref_of(f, "reals"), &r), 3));
	cr_assert(zero(int, leat_get_f64_at(f, ref_of(f, "reals"), &r, 2, &d)));
	cr_assert(d == 0 || d != 0);
	cr_assert(eq(int, leat_get_f64_at(f, ref_of(f, "one"), &r, 0, &d), -EINVAL));
	cr_assert(eq(int, leat_get_u64_at(f, ref_of(f, "names"), &r, 0, &u), -EINVAL));
	leat_format_free(&f);
}

Test(fields, descriptors_come_in_fours)
{
	struct leat_field field = {
		.name = "f", .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_DATA_LOC, .size = 6
	};
	struct leat_format *f = NULL;

	cr_assert(zero(int, leat_format_new(&f, "x")));
	cr_assert(eq(int, leat_format_add(f, &field), -EINVAL));
	field.size = 12;
	cr_assert(zero(int, leat_format_add(f, &field)));
	leat_format_free(&f);
}

Test(fields, length_prefixed_arrays)
{
	static const struct leat_field fields[] = {
		{ .name = "a",
		  .type = LEAT_TYPE_UINT,
		  .location = LEAT_LOCATION_LEN_ARRAY,
		  .offset = 1,
		  .elem_size = 2 },
		{ .name = "b", .type = LEAT_TYPE_UINT, .offset = 1, .size = 2, .follows = true },
	};
	static const uint8_t bytes[] = { 9, 2, 0, 1, 2, 3, 4, 0, 5, 6 };
	struct leat_format *f = format_of(fields, 2);
	uint64_t v = 0;

	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct leat_record r = record(bytes, n);
		struct leat_slice s = leat_get_slice(f, ref_of(f, "a"), &r);

		cr_assert(eq(sz, s.len, n < 7 ? 0 : 4), "%zu", n);
		cr_assert(eq(int, leat_get_u64(f, ref_of(f, "b"), &r, &v), n < 10 ? -ENODATA : 0));
	}
	cr_assert(eq(u64, v, 0x605));
	leat_format_free(&f);
}

Test(fields, a_follower_needs_something_to_follow)
{
	struct leat_field field = {
		.name = "f", .type = LEAT_TYPE_UINT, .size = 4, .follows = true
	};
	struct leat_field text = { .name = "t",
				   .type = LEAT_TYPE_CHAR,
				   .location = LEAT_LOCATION_STRING };
	struct leat_format *f = NULL;

	cr_assert(zero(int, leat_format_new(&f, "x")));
	cr_assert(eq(int, leat_format_add(f, &field), -EINVAL));
	cr_assert(zero(int, leat_format_add(f, &text)));
	cr_assert(zero(int, leat_format_add(f, &field)));
	leat_format_free(&f);
}

/* ---- searches for the end ---- */

Test(fields, ends_of_strings_at_every_length)
{
	uint8_t bytes[40];

	for (size_t n = 0; n <= 32; n++) {
		for (size_t nul = 0; nul <= n; nul++) {
			memset(bytes, 1, sizeof(bytes)); /* 1 in front of 0 is the hard case */
			if (nul < n)
				bytes[nul] = 0;
			cr_assert(eq(sz, leat_len_string(bytes, n), nul));
			memset(bytes, 0x80, sizeof(bytes));
			if (nul < n)
				bytes[nul] = 0;
			cr_assert(eq(sz, leat_len_string(bytes, n), nul));
		}
	}
	for (size_t n = 0; n <= 32; n++) {
		for (size_t nul = 0; nul + 2 <= n; nul += 2) {
			for (size_t i = 0; i < sizeof(bytes); i += 2) {
				bytes[i] = 0;
				bytes[i + 1] = 1; /* no unit is 0, though every second byte is */
			}
			bytes[nul + 1] = 0;
			cr_assert(eq(sz, leat_len_utf16(bytes, n), nul));
		}
		memset(bytes, 1, sizeof(bytes));
		cr_assert(eq(sz, leat_len_utf16(bytes, n), n & ~1ul));
	}
}

/* ---- random records beside a naive reader ---- */

#define MAX_FIELDS 12

struct random_case {
	struct leat_field fields[MAX_FIELDS];
	char names[MAX_FIELDS][24];
	size_t n;
	uint8_t bytes[512];
	size_t size;
};

static uint64_t next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static struct leat_field random_field(uint64_t *rnd, bool can_follow)
{
	static const enum leat_location locations[] = {
		LEAT_LOCATION_STATIC,  LEAT_LOCATION_STATIC,	LEAT_LOCATION_STRING,
		LEAT_LOCATION_UTF16,   LEAT_LOCATION_LEN_ARRAY, LEAT_LOCATION_DATA_LOC,
		LEAT_LOCATION_REL_LOC, LEAT_LOCATION_TAIL
	};
	struct leat_field f = { .location = locations[next(rnd) % 8],
				.type = next(rnd) % 2 ? LEAT_TYPE_UINT : LEAT_TYPE_INT,
				.elem_size = 1u << next(rnd) % 4,
				.follows = can_follow && next(rnd) % 4 };

	f.offset = (uint32_t)(next(rnd) % (f.follows ? 5 : 40));
	if (f.location == LEAT_LOCATION_STATIC)
		f.size = f.elem_size * (next(rnd) % 3 ? 1 : 3);
	if (f.location == LEAT_LOCATION_STRING || f.location == LEAT_LOCATION_UTF16) {
		f.type = LEAT_TYPE_CHAR;
		f.elem_size = f.location == LEAT_LOCATION_UTF16 ? 2 : 1;
	}
	if (f.location == LEAT_LOCATION_DATA_LOC || f.location == LEAT_LOCATION_REL_LOC)
		f.size = 4;
	return f;
}

static void random_case(struct random_case *c, uint64_t *rnd)
{
	bool can_follow = false;

	c->n = 1 + next(rnd) % MAX_FIELDS;
	for (size_t i = 0; i < c->n; i++) {
		c->fields[i] = random_field(rnd, can_follow);
		snprintf(c->names[i], sizeof(c->names[i]), "f%zu", i);
		c->fields[i].name = c->names[i];
		can_follow |= c->fields[i].location == LEAT_LOCATION_STRING ||
			      c->fields[i].location == LEAT_LOCATION_UTF16 ||
			      c->fields[i].location == LEAT_LOCATION_LEN_ARRAY;
	}
	c->size = next(rnd) % (next(rnd) % 2 ? 64 : sizeof(c->bytes));
	for (size_t i = 0; i < c->size; i++)
		c->bytes[i] =
			(uint8_t)(next(rnd) % 3 ? next(rnd) % 8 : 0); /* ends and small counts */
}

/* The plain way: from the first field on, byte by byte. -1: it is not there. */
static long naive_len(const struct random_case *c, const struct leat_field *f, long at)
{
	const long size = (long)c->size;
	long n = 0, cnt;

	if (at < 0 || at > size)
		return -1;
	switch (f->location) {
	case LEAT_LOCATION_STRING:
		while (at + n < size && c->bytes[at + n])
			n++;
		return n;
	case LEAT_LOCATION_UTF16:
		while (at + n + 1 < size && (c->bytes[at + n] || c->bytes[at + n + 1]))
			n += 2;
		return n;
	case LEAT_LOCATION_LEN_ARRAY:
		if (at + 2 > size)
			return -1;
		cnt = c->bytes[at] + 256 * c->bytes[at + 1];
		return at + 2 + cnt * (long)f->elem_size > size ? -1 : cnt * (long)f->elem_size;
	case LEAT_LOCATION_TAIL:
		return size - at;
	default:
		return at + (long)f->size > size ? -1 : (long)f->size;
	}
}

/* Where field @i begins, and where what follows it is counted from; -1: nowhere. */
static void naive_walk(const struct random_case *c, size_t want, long *at, long *len)
{
	long after = 0;

	for (size_t i = 0; i <= want; i++) {
		const struct leat_field *f = &c->fields[i];

		*at = f->follows ? (after < 0 ? -1 : after + (long)f->offset) : (long)f->offset;
		*len = naive_len(c, f, *at);
		if (f->location == LEAT_LOCATION_STRING)
			after = *len < 0 || *at + *len + 1 > (long)c->size ? -1 : *at + *len + 1;
		else if (f->location == LEAT_LOCATION_UTF16)
			after = *len < 0 || *at + *len + 2 > (long)c->size ? -1 : *at + *len + 2;
		else if (f->location == LEAT_LOCATION_LEN_ARRAY)
			after = *len < 0 ? -1 : *at + 2 + *len;
	}
	if (c->fields[want].location == LEAT_LOCATION_LEN_ARRAY && *len >= 0)
		*at += 2;
}

/* A descriptor's bytes instead of its own. */
static void naive_describe(const struct random_case *c, const struct leat_field *f, long *at,
			   long *len)
{
	const uint8_t *p = c->bytes + *at;
	long base = f->location == LEAT_LOCATION_REL_LOC ? *at + 4 : 0;

	if (*len < 0)
		return;
	*at = base + p[0] + 256 * p[1];
	*len = p[2] + 256 * p[3];
	if (*at + *len > (long)c->size)
		*len = -1;
}

static void compare(const struct random_case *c, const struct leat_format *f, size_t i,
		    unsigned int round)
{
	const struct leat_field *field = &c->fields[i];
	struct leat_record r = record(c->bytes, c->size);
	LEAT_AUTO(leat_field_reader_free) struct leat_field_reader *rd = NULL;
	leat_field_ref ref = ref_of(f, field->name);
	struct leat_slice a = leat_get_slice(f, ref, &r), b;
	uint64_t u = 0, u2 = 0, want = 0;
	long at, len;

	cr_assert(zero(int, leat_field_reader_new(&rd, f, ref)));
	b = leat_read_slice(rd, &r);
	naive_walk(c, i, &at, &len);
	if (field->location == LEAT_LOCATION_DATA_LOC || field->location == LEAT_LOCATION_REL_LOC)
		naive_describe(c, field, &at, &len);
	cr_assert(eq(sz, a.len, len < 0 ? 0 : (size_t)len), "round %u field %zu", round, i);
	cr_assert(len <= 0 || a.data == c->bytes + at, "round %u field %zu", round, i);
	cr_assert(a.data == b.data && a.len == b.len, "round %u field %zu", round, i);
	cr_assert(eq(u64, leat_field_reader_short_cnt(rd), len < 0));
	if (field->location != LEAT_LOCATION_STATIC || field->size != field->elem_size)
		return;
	cr_assert(eq(int, leat_get_u64(f, ref, &r, &u), len < 0 ? -ENODATA : 0));
	cr_assert(eq(int, leat_read_u64(rd, &r, &u2), len < 0 ? -ENODATA : 0));
	if (len < 0)
		return;
	for (long k = len; k-- > 0;)
		want = want << 8 | c->bytes[at + k];
	if (field->type == LEAT_TYPE_INT && len < 8 && want >> (8 * len - 1))
		want |= ~0ull << (8 * len);
	cr_assert(u == want && u2 == want, "round %u field %zu", round, i);
}

Test(fields, ten_thousand_random_records_as_a_naive_reader_reads_them, .timeout = 60)
{
	uint64_t rnd = 20260;

	for (unsigned int round = 0; round < 10000; round++) {
		static struct random_case c;
		struct leat_format *f;

		random_case(&c, &rnd);
		f = format_of(c.fields, c.n);
		for (size_t i = 0; i < c.n; i++)
			compare(&c, f, i, round);
		leat_format_free(&f);
	}
}

/* ---- compiled readers ---- */

Test(reader_of_fields, needs_no_format_and_checks_types)
{
	static const struct leat_field fields[] = {
		{ .name = "a", .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_STRING },
		{ .name = "f", .type = LEAT_TYPE_FLOAT, .size = 8, .follows = true },
		{ .name = "u", .type = LEAT_TYPE_UINT, .offset = 8, .size = 8, .follows = true },
		{ .name = "i", .type = LEAT_TYPE_INT, .offset = 16, .size = 2, .follows = true },
		{ .name = "t",
		  .type = LEAT_TYPE_CHAR,
		  .offset = 18,
		  .size = 4,
		  .elem_size = 1,
		  .follows = true },
		{ .name = "w",
		  .type = LEAT_TYPE_CHAR,
		  .location = LEAT_LOCATION_UTF16,
		  .offset = 22,
		  .follows = true },
	};
	struct leat_format *f = format_of(fields, LEAT_ARRAY_SIZE(fields));
	struct leat_field_reader *rd[6] = { NULL };
	uint8_t bytes[40] = { 'x', 'y', 0 };
	struct leat_record r = record(bytes, 3 + 22 + 6);
	const double half = 0.5;
	uint64_t u = 0;
	int64_t i = 0;
	double d = 0;

	memcpy(bytes + 3, &half, 8);
	memset(bytes + 11, 0xff, 10);
	memcpy(bytes + 21, "ab\0c", 4);
	memcpy(bytes + 25, "h\0i\0\0", 6);
	for (size_t k = 0; k < 6; k++)
		cr_assert(zero(int, leat_field_reader_new(
					    &rd[k], f, (leat_field_ref){ .index = (uint16_t)k })));
	leat_format_free(&f);
	cr_assert(zero(int, leat_read_f64(rd[1], &r, &d)));
	cr_assert(d == 0.5);
	cr_assert(zero(int, leat_read_u64(rd[2], &r, &u)));
	cr_assert(eq(u64, u, UINT64_MAX));
	cr_assert(eq(int, leat_read_i64(rd[2], &r, &i), -EOVERFLOW));
	cr_assert(zero(int, leat_read_i64(rd[3], &r, &i)));
	cr_assert(eq(i64, i, -1));
	cr_assert(eq(sz, leat_read_text(rd[4], &r).len, 2));
	cr_assert(eq(sz, leat_read_slice(rd[4], &r).len, 4));
	cr_assert(eq(sz, leat_read_text(rd[5], &r).len, 4));
	cr_assert(eq(int, leat_read_u64(rd[1], &r, &u), -EINVAL));
	cr_assert(eq(int, leat_read_f64(rd[2], &r, &d), -EINVAL));
	cr_assert(eq(int, leat_read_u64(rd[4], &r, &u), -EINVAL));
	r.size = 10;
	cr_assert(eq(int, leat_read_f64(rd[1], &r, &d), -ENODATA));
	cr_assert(eq(int, leat_read_i64(rd[3], &r, &i), -ENODATA));
	for (size_t k = 0; k < 6; k++)
		leat_field_reader_free(&rd[k]);
	leat_field_reader_free(&rd[0]);
}

Test(reader_of_fields, refusals_and_memory)
{
	struct leat_field field = { .name = "f", .type = LEAT_TYPE_UINT, .size = 4 };
	struct leat_format *f = format_of(&field, 1);
	struct leat_field_reader *rd = NULL;

	cr_assert(eq(int, leat_field_reader_new(&rd, f, (leat_field_ref){ .index = 1 }), -ENOENT));
	cr_assert(rd == NULL);
	LEAT_ALLOC_EACH_FAILS {
		int err = leat_field_reader_new(&rd, f, (leat_field_ref){ .index = 0 });

		leat_alloc_disarm();
		cr_assert(err == 0 || (err == -ENOMEM && !rd));
		leat_field_reader_free(&rd);
	}
	leat_format_free(&f);
}
