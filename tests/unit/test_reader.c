/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/reader.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

#include "base/buf.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

Test(reader, integers_are_little_endian)
{
	struct leat_reader r = leat_reader_of(bytes, sizeof(bytes));
	uint8_t a;
	uint16_t b;
	uint32_t c;
	uint64_t d;

	cr_assert(eq(int, leat_reader_u8(&r, &a), 0));
	cr_assert(eq(int, leat_reader_u16(&r, &b), 0));
	cr_assert(eq(int, leat_reader_u32(&r, &c), 0));
	cr_assert(eq(int, leat_reader_u64(&r, &d), 0));
	cr_assert(eq(u8, a, 1));
	cr_assert(eq(u16, b, 0x0302));
	cr_assert(eq(u32, c, 0x07060504));
	cr_assert(eq(u64, d, 0x0f0e0d0c0b0a0908ull));
	cr_assert(eq(sz, leat_reader_left(&r), 0));
}

/* Every fixed-size read at every length that is too short. */
Test(reader, short_input_moves_nothing)
{
	for (size_t len = 0; len < 8; len++) {
		struct leat_reader r = leat_reader_of(bytes, len);
		uint64_t u64 = 77;
		uint32_t u32 = 77;
		uint16_t u16 = 77;
		uint8_t u8 = 77;
		const void *p;

		cr_assert(eq(int, leat_reader_u64(&r, &u64), -ENODATA));
		cr_assert(eq(u64, u64, 77));
		if (len < 4)
			cr_assert(eq(int, leat_reader_u32(&r, &u32), -ENODATA));
		if (len < 2)
			cr_assert(eq(int, leat_reader_u16(&r, &u16), -ENODATA));
		if (len < 1)
			cr_assert(eq(int, leat_reader_u8(&r, &u8), -ENODATA));
		cr_assert(eq(int, leat_reader_bytes(&r, len + 1, &p), -ENODATA));
		cr_assert(eq(int, leat_reader_bytes(&r, SIZE_MAX, &p), -ENODATA));
		cr_assert(eq(int, leat_reader_skip(&r, len + 1), -ENODATA));
		cr_assert(eq(int, leat_reader_seek(&r, len + 1), -ENODATA));
		cr_assert(eq(sz, r.off, 0));
		cr_assert(eq(int, u8 + u16 + (int)u32, 77 * 3));
	}
}

Test(reader, bytes_skip_seek)
{
	struct leat_reader r = leat_reader_of(bytes, sizeof(bytes));
	const void *p;

	cr_assert(eq(int, leat_reader_skip(&r, 3), 0));
	cr_assert(eq(int, leat_reader_bytes(&r, 4, &p), 0));
	cr_assert(eq(ptr, (void *)p, (void *)(bytes + 3)));
	cr_assert(eq(sz, r.off, 7));
	cr_assert(eq(int, leat_reader_seek(&r, sizeof(bytes)), 0));
	cr_assert(eq(int, leat_reader_bytes(&r, 0, &p), 0));
	cr_assert(eq(int, leat_reader_seek(&r, 0), 0));
	cr_assert(eq(sz, leat_reader_left(&r), sizeof(bytes)));
}

Test(reader, strings_end_inside)
{
	struct leat_reader r = leat_reader_of("ab\0cd", 5);
	const char *s = NULL;

	cr_assert(eq(int, leat_reader_str(&r, &s), 0));
	cr_assert(eq(str, (char *)s, (char *)"ab"));
	cr_assert(eq(sz, r.off, 3));
	cr_assert(eq(int, leat_reader_str(&r, &s), -ENODATA));
	cr_assert(eq(sz, r.off, 3));
	r = leat_reader_of(NULL, 0);
	cr_assert(eq(int, leat_reader_str(&r, &s), -ENODATA));
}

Test(reader, sub_stays_inside)
{
	struct leat_reader r = leat_reader_of(bytes, sizeof(bytes));
	struct leat_reader s;
	uint8_t v;

	cr_assert(eq(int, leat_reader_sub(&r, 5, 2, &s), 0));
	cr_assert(eq(int, leat_reader_skip(&s, 1), 0));
	cr_assert(eq(int, leat_reader_u8(&s, &v), 0));
	cr_assert(eq(u8, v, 7));
	cr_assert(eq(int, leat_reader_u8(&s, &v), -ENODATA));
	cr_assert(eq(int, leat_reader_sub(&r, 15, 0, &s), 0));
	cr_assert(eq(int, leat_reader_sub(&r, 16, 0, &s), -ENODATA));
	cr_assert(eq(int, leat_reader_sub(&r, 15, 1, &s), -ENODATA));
	cr_assert(eq(int, leat_reader_sub(&r, 1, UINT64_MAX, &s), -ENODATA));
	cr_assert(eq(int, leat_reader_sub(&r, UINT64_MAX, 1, &s), -ENODATA));
}

struct leb {
	char in[16];
	size_t n;
	int err;
	uint64_t u;
	int serr;
	int64_t s;
};

#define FF9   "\xff\xff\xff\xff\xff\xff\xff\xff\xff"
#define ZERO9 "\x80\x80\x80\x80\x80\x80\x80\x80\x80"

ParameterizedTestParameters(reader, leb128)
{
	/* DWARF 5, figures C.1 and C.2, and the edges. */
	static struct leb rows[] = {
		{ "\x02", 1, 0, 2, 0, 2 },
		{ "\x7f", 1, 0, 127, 0, -1 },
		{ "\x80\x01", 2, 0, 128, 0, 128 },
		{ "\x81\x7f", 2, 0, 16257, 0, -127 },
		{ "\xff\x00", 2, 0, 127, 0, 127 },
		{ "\x80\x80\x00", 3, 0, 0, 0, 0 },
		{ FF9 "\x01", 10, 0, UINT64_MAX, -EOVERFLOW, 0 },
		{ FF9 "\x02", 10, -EOVERFLOW, 0, -EOVERFLOW, 0 },
		{ FF9 "\x7f", 10, -EOVERFLOW, 0, 0, -1 },
		{ FF9 "\x00", 10, 0, INT64_MAX, 0, INT64_MAX },
		{ ZERO9 "\x7f", 10, -EOVERFLOW, 0, 0, INT64_MIN },
		{ ZERO9 "\x80\x80\x00", 12, 0, 0, 0, 0 },
		{ ZERO9 "\x80\x01", 11, -EOVERFLOW, 0, -EOVERFLOW, 0 },
		{ FF9 "\xff\x7f", 11, -EOVERFLOW, 0, 0, -1 },
		{ FF9 "\xff\x00", 11, -EOVERFLOW, 0, -EOVERFLOW, 0 },
		{ "", 0, -ENODATA, 0, -ENODATA, 0 },
		{ "\x80", 1, -ENODATA, 0, -ENODATA, 0 },
		{ FF9, 9, -ENODATA, 0, -ENODATA, 0 },
	};

	return cr_make_param_array(struct leb, rows, LEAT_ARRAY_SIZE(rows));
}

ParameterizedTest(struct leb *row, reader, leb128)
{
	struct leat_reader r = leat_reader_of(row->in, row->n);
	uint64_t u = 0;
	int64_t s = 0;

	cr_assert(eq(int, leat_reader_uleb128(&r, &u), row->err));
	cr_assert(eq(u64, u, row->u));
	cr_assert(eq(sz, r.off, row->err ? 0 : row->n));
	r.off = 0;
	cr_assert(eq(int, leat_reader_sleb128(&r, &s), row->serr));
	cr_assert(eq(i64, s, row->s));
	cr_assert(eq(sz, r.off, row->serr ? 0 : row->n));
}

Test(reader, uleb128_reads_what_buf_writes)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		LEAT_AUTO(leat_buf_fini) struct leat_buf b;
		uint64_t want = 1ull << bit, got = 0;
		struct leat_reader r;

		leat_buf_init(&b, 16);
		leat_buf_uleb128(&b, want);
		for (size_t n = 0; n < b.len; n++) {
			r = leat_reader_of(b.data, n);
			cr_assert(eq(int, leat_reader_uleb128(&r, &got), -ENODATA));
		}
		r = leat_reader_of(b.data, b.len);
		cr_assert(eq(int, leat_reader_uleb128(&r, &got), 0));
		cr_assert(eq(u64, got, want));
	}
}
