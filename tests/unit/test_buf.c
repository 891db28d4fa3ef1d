/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"

Test(buf, appends_are_joined_and_terminated)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, 1000);
	leat_buf_str(&b, "a");
	leat_buf_char(&b, 'b');
	leat_buf_add(&b, "c\0d", 3);
	leat_buf_printf(&b, "%d-%s", 42, "x");
	cr_assert(eq(int, b.err, 0));
	cr_assert(eq(sz, b.len, 9));
	cr_assert(memcmp(b.data, "abc\0d42-x", 10) == 0);
}

Test(buf, empty_append_makes_empty_string)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, 0);
	cr_assert(eq(ptr, b.data, NULL));
	leat_buf_str(&b, "");
	cr_assert(eq(str, b.data, (char *)""));
	cr_assert(eq(int, b.err, 0));
}

Test(buf, maximum_is_reached_and_not_passed)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, 4);
	leat_buf_str(&b, "1234");
	cr_assert(eq(int, b.err, 0));
	leat_buf_char(&b, '5');
	cr_assert(eq(int, b.err, -EOVERFLOW));
	cr_assert(eq(str, b.data, (char *)"1234"));
}

Test(buf, first_error_sticks_until_reset)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, 4);
	leat_buf_str(&b, "12345");
	leat_buf_str(&b, "1");
	leat_buf_printf(&b, "%d", 1);
	cr_assert(eq(int, b.err, -EOVERFLOW));
	cr_assert(eq(sz, b.len, 0));
	leat_buf_reset(&b);
	leat_buf_str(&b, "1");
	cr_assert(eq(str, b.data, (char *)"1"));
}

Test(buf, printf_at_every_size_around_the_room)
{
	for (size_t n = 0; n < 300; n++) {
		LEAT_AUTO(leat_buf_fini) struct leat_buf b;

		leat_buf_init(&b, 299);
		leat_buf_str(&b, "x");
		leat_buf_printf(&b, "%*s", (int)n, "");
		cr_assert(eq(int, b.err, n <= 298 ? 0 : -EOVERFLOW));
		cr_assert(eq(sz, b.len, n <= 298 ? n + 1 : 1));
		cr_assert(eq(sz, strlen(b.data), b.len));
	}
}

Test(buf, huge_length_is_overflow)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, SIZE_MAX);
	leat_buf_str(&b, "x");
	leat_buf_add(&b, "x", SIZE_MAX);
	cr_assert(eq(int, b.err, -EOVERFLOW));
}

Test(buf, take_leaves_it_usable)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;
	size_t n;
	char *p;

	leat_buf_init(&b, 10);
	cr_assert(eq(ptr, leat_buf_take(&b, NULL), NULL));
	leat_buf_str(&b, "hello");
	p = leat_buf_take(&b, &n);
	cr_assert(eq(str, p, (char *)"hello"));
	cr_assert(eq(sz, n, 5));
	free(p);
	leat_buf_str(&b, "0123456789");
	cr_assert(eq(int, b.err, 0));
}

struct number {
	uint64_t v;
	char dec[24], hex[24];
	size_t leb_len;
};

ParameterizedTestParameters(buf, numbers)
{
	static struct number rows[] = {
		{ 0, "0", "0x0", 1 },
		{ 9, "9", "0x9", 1 },
		{ 127, "127", "0x7f", 1 },
		{ 128, "128", "0x80", 2 },
		{ 1234567890123ull, "1234567890123", "0x11f71fb04cb", 6 },
		{ UINT64_MAX, "18446744073709551615", "0xffffffffffffffff", 10 },
	};

	return cr_make_param_array(struct number, rows, LEAT_ARRAY_SIZE(rows));
}

ParameterizedTest(struct number *row, buf, numbers)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, 100);
	leat_buf_u64(&b, row->v);
	cr_assert(eq(str, b.data, row->dec));
	leat_buf_reset(&b);
	leat_buf_hex(&b, row->v);
	cr_assert(eq(str, b.data, row->hex));
	leat_buf_reset(&b);
	leat_buf_uleb128(&b, row->v);
	cr_assert(eq(sz, b.len, row->leb_len));
}

Test(buf, every_allocation_failure_is_reported)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_buf b;

		leat_buf_init(&b, 10000);
		for (int i = 0; i < 1000; i++)
			leat_buf_str(&b, "12345");
		leat_buf_printf(&b, "%s", "12345");
		leat_alloc_disarm();
		cr_assert(eq(int, b.err, leat_alloc_failed() ? -ENOMEM : 0));
		leat_buf_fini(&b);
	}
}

/* ---- drained ---- */

static char drained[8 << 20];
static size_t drained_len;

static int into_memory(void *ctx, const void *p, size_t n)
{
	if (ctx)
		return *(int *)ctx;
	cr_assert(le(sz, n, sizeof(drained) - drained_len));
	memcpy(drained + drained_len, p, n);
	drained_len += n;
	return 0;
}

Test(buf, drains_all_but_its_end)
{
	struct leat_buf b, whole;

	leat_buf_init(&b, 64 << 20);
	leat_buf_init(&whole, 64 << 20);
	leat_buf_drain_to(&b, into_memory, NULL);
	for (int i = 0; i < 700000; i++) {
		leat_buf_printf(&b, "%d,", i);
		leat_buf_printf(&whole, "%d,", i);
	}
	cr_expect(lt(sz, b.cap, (size_t)4 << 20));
	cr_expect(eq(sz, b.drained, drained_len));
	cr_assert(eq(sz, b.drained + b.len, whole.len));
	cr_expect(eq(int, memcmp(drained, whole.data, drained_len), 0));
	cr_expect(eq(str, b.data, whole.data + drained_len));
	leat_buf_fini(&b);
	leat_buf_fini(&whole);
}

Test(buf, the_maximum_holds_for_what_was_drained)
{
	static char block[100000];
	struct leat_buf b;
	int i = 0;

	leat_buf_init(&b, 5000000);
	leat_buf_drain_to(&b, into_memory, NULL);
	for (; !b.err && i < 100; i++)
		leat_buf_add(&b, block, sizeof(block));
	cr_expect(eq(int, b.err, -EOVERFLOW));
	cr_expect(eq(int, i, 51));
	leat_buf_fini(&b);
}

Test(buf, an_error_of_the_drain_sticks)
{
	static char block[100000];
	struct leat_buf b;
	int err = -ENOSPC;

	leat_buf_init(&b, 64 << 20);
	leat_buf_drain_to(&b, into_memory, &err);
	for (int i = 0; i < 100; i++)
		leat_buf_add(&b, block, sizeof(block));
	cr_expect(eq(int, b.err, -ENOSPC));
	leat_buf_fini(&b);
}
