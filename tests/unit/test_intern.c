/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/intern.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"

static struct leat_intern *make(uint32_t max_cnt, size_t max_bytes)
{
	struct leat_intern *in = NULL;

	cr_assert(eq(int, leat_intern_new(&in, max_cnt, max_bytes), 0));
	return in;
}

Test(intern, equal_slices_get_one_id)
{
	struct leat_intern *in = make(100, 10000);
	uint32_t a, b, c, found;

	cr_assert(eq(int, leat_intern_str(in, "one", &a), 0));
	cr_assert(eq(int, leat_intern_str(in, "two", &b), 0));
	cr_assert(eq(int, leat_intern_put(in, "one!", 3, &c), 0));
	cr_assert(eq(u32, a, 0));
	cr_assert(eq(u32, b, 1));
	cr_assert(eq(u32, c, a));
	cr_assert(eq(u32, leat_intern_count(in), 2));
	cr_assert(eq(int, leat_intern_find(in, "two", 3, &found), 0));
	cr_assert(eq(u32, found, b));
	cr_assert(eq(int, leat_intern_find(in, "twoo", 4, &found), -ENOENT));
	cr_assert(eq(int, leat_intern_find(in, "tw", 2, &found), -ENOENT));
	leat_intern_free(&in);
	cr_assert(eq(ptr, in, NULL));
	leat_intern_free(&in);
}

Test(intern, bytes_with_nul_and_nothing_are_slices)
{
	struct leat_intern *in = make(100, 10000);
	uint32_t id;
	size_t n;

	cr_assert(eq(int, leat_intern_put(in, NULL, 0, &id), 0));
	cr_assert(eq(int, leat_intern_put(in, "a\0b", 3, &id), 0));
	cr_assert(eq(int, leat_intern_put(in, "a\0c", 3, &id), 0));
	cr_assert(eq(u32, id, 2));
	cr_assert(memcmp(leat_intern_at(in, 1, &n), "a\0b", 4) == 0);
	cr_assert(eq(sz, n, 3));
	cr_assert(eq(str, (char *)leat_intern_at(in, 0, &n), (char *)""));
	cr_assert(eq(sz, n, 0));
	cr_assert(eq(int, leat_intern_str(in, "", &id), 0));
	cr_assert(eq(u32, id, 0));
	leat_intern_free(&in);
}

Test(intern, slices_stay_where_they_are)
{
	struct leat_intern *in = make(100000, (size_t)1 << 30);
	static const void *where[20000];
	char name[300];
	uint32_t id;

	for (int i = 0; i < 20000; i++) {
		int n = snprintf(name, sizeof(name), "%d%*s", i, i % 200, "");

		cr_assert(eq(int, leat_intern_put(in, name, (size_t)n, &id), 0));
		cr_assert(eq(u32, id, (uint32_t)i));
		where[i] = leat_intern_at(in, id, NULL);
		cr_assert(eq(sz, (uintptr_t)where[i] % 8, 0));
	}
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "%d%*s", i, i % 200, "");
		cr_assert(eq(ptr, (void *)leat_intern_at(in, (uint32_t)i, NULL), (void *)where[i]));
		cr_assert(eq(str, (char *)where[i], name));
	}
	cr_assert(gt(sz, leat_intern_bytes(in), 20000 * 100));
	leat_intern_free(&in);
}

Test(intern, slice_larger_than_a_block)
{
	struct leat_intern *in = make(10, (size_t)1 << 30);
	size_t n = (size_t)3 << 20, len;
	char *big = malloc(n);
	uint32_t a, b;

	memset(big, 'x', n);
	cr_assert(eq(int, leat_intern_put(in, big, n, &a), 0));
	cr_assert(eq(int, leat_intern_put(in, big, n - 1, &b), 0));
	cr_assert(ne(u32, a, b));
	cr_assert(memcmp(leat_intern_at(in, a, &len), big, n) == 0);
	cr_assert(eq(sz, len, n));
	free(big);
	leat_intern_free(&in);
}

Test(intern, count_is_bounded)
{
	struct leat_intern *in = make(2, 10000);
	uint32_t id = 77;

	cr_assert(eq(int, leat_intern_str(in, "a", &id), 0));
	cr_assert(eq(int, leat_intern_str(in, "b", &id), 0));
	id = 77;
	cr_assert(eq(int, leat_intern_str(in, "c", &id), -EOVERFLOW));
	cr_assert(eq(u32, id, 77));
	cr_assert(eq(int, leat_intern_str(in, "a", &id), 0));
	cr_assert(eq(u32, id, 0));
	leat_intern_free(&in);
}

Test(intern, bytes_are_bounded)
{
	struct leat_intern *in = make(100, 16);
	uint32_t id;

	cr_assert(eq(int, leat_intern_str(in, "1234567", &id), 0));
	cr_assert(eq(int, leat_intern_str(in, "12345678", &id), -EOVERFLOW));
	cr_assert(eq(int, leat_intern_str(in, "7654321", &id), 0));
	cr_assert(eq(int, leat_intern_str(in, "", &id), -EOVERFLOW));
	cr_assert(eq(u32, leat_intern_count(in), 2));
	leat_intern_free(&in);
}

Test(intern, every_allocation_failure_is_survived)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_intern *in = NULL;
		int err = leat_intern_new(&in, 1000, 1 << 20);
		uint32_t id = 0, n = 0;
		char name[32];

		for (; !err && n < 200; n++) {
			snprintf(name, sizeof(name), "name %u", n);
			err = leat_intern_str(in, name, &id);
		}
		leat_alloc_disarm();
		cr_assert(eq(int, err, leat_alloc_failed() ? -ENOMEM : 0));
		/* It goes on where it stopped. */
		if (in && err)
			cr_assert(eq(int, leat_intern_str(in, name, &id), 0));
		if (in)
			cr_assert(eq(u32, id + 1, leat_intern_count(in)));
		leat_intern_free(&in);
	}
}

/* ---- stacks, iteration, what is refused ---- */

Test(intern, stacks_by_their_frames)
{
	static const uint64_t frames[] = { 1, 2, 3, 0x7fffffffffff };
	struct leat_intern *in = make(100, 10000);
	const uint64_t *back;
	uint32_t a, b, c, d;
	size_t n;

	cr_assert(eq(int, leat_intern_stack(in, frames, 4, &a), 0));
	cr_assert(eq(int, leat_intern_stack(in, frames, 3, &b), 0));
	cr_assert(eq(int, leat_intern_stack(in, frames + 1, 3, &c), 0));
	cr_assert(eq(int, leat_intern_stack(in, frames, 4, &d), 0));
	cr_expect(eq(u32, a, 0));
	cr_expect(eq(u32, b, 1));
	cr_expect(eq(u32, c, 2));
	cr_expect(eq(u32, d, a));
	back = leat_intern_stack_at(in, a, &n);
	cr_assert(eq(sz, n, 4));
	cr_expect(memcmp(back, frames, sizeof(frames)) == 0);
	cr_expect(eq(int, leat_intern_stack(in, frames, SIZE_MAX / 4, &a), -EOVERFLOW));
	cr_expect(eq(u64, leat_intern_refused_cnt(in), 1));
	leat_intern_free(&in);
}

static int visit(void *ctx, uint32_t id, const void *p, size_t n)
{
	char *out = ctx;
	size_t at = strlen(out);

	snprintf(out + at, 64 - at, "%u:%.*s ", id, (int)n, (const char *)p);
	return id == 3 ? 7 : 0;
}

Test(intern, each_in_order_of_ids)
{
	struct leat_intern *in = make(100, 10000);
	char seen[64] = "";
	uint32_t id;

	for (const char *s = "cabde"; *s; s++)
		cr_assert(eq(int, leat_intern_put(in, s, 1, &id), 0));
	cr_expect(eq(int, leat_intern_each(in, visit, seen), 7), "ends where it is told to");
	cr_expect(eq(str, seen, (char *)"0:c 1:a 2:b 3:d "));
	leat_intern_free(&in);
}

Test(intern, what_is_refused_is_counted)
{
	struct leat_intern *in = make(2, 24);
	uint32_t id = 77;

	cr_assert(eq(int, leat_intern_str(in, "1234567", &id), 0));
	cr_expect(eq(int, leat_intern_str(in, "more than is left over", &id), -EOVERFLOW));
	cr_assert(eq(int, leat_intern_str(in, "2", &id), 0));
	cr_expect(eq(int, leat_intern_str(in, "3", &id), -EOVERFLOW));
	cr_expect(eq(u32, id, 1));
	cr_expect(eq(int, leat_intern_str(in, "2", &id), 0), "what is there is found");
	cr_expect(eq(u64, leat_intern_refused_cnt(in), 2));
	leat_intern_free(&in);
}
