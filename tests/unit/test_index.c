/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/index.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "../support/alloc.h"
#include "base/hash.h"

static bool same(const void *ctx, uint32_t value, const void *key)
{
	const uint64_t *items = ctx;

	return items[value] == *(const uint64_t *)key;
}

#define CNT 10000

/* @hash_mask 0: all in one place, told apart by the caller's equality alone. */
static void fill_and_find(struct leat_index *ix, uint32_t cnt, uint64_t hash_mask)
{
	static uint64_t items[CNT];

	for (uint32_t i = 0; i < cnt; i++) {
		items[i] = i * 3;
		cr_assert(eq(int, leat_index_add(ix, leat_hash_u64(items[i]) & hash_mask, i), 0));
	}
	for (uint64_t key = 0; key < (uint64_t)cnt * 3; key++) {
		uint32_t want = key % 3 ? LEAT_INDEX_NONE : (uint32_t)(key / 3);
		uint32_t got =
			leat_index_find(ix, leat_hash_u64(key) & hash_mask, same, items, &key);

		cr_assert(eq(u32, got, want));
	}
}

Test(index, finds_what_was_added_and_nothing_else)
{
	LEAT_AUTO(leat_index_fini) struct leat_index ix;

	leat_index_init(&ix);
	fill_and_find(&ix, CNT, ~0ull);
	leat_index_reset(&ix);
	fill_and_find(&ix, 100, ~0ull);
}

Test(index, equal_hashes_are_told_apart)
{
	LEAT_AUTO(leat_index_fini) struct leat_index ix;

	leat_index_init(&ix);
	fill_and_find(&ix, 300, 0);
	leat_index_reset(&ix);
	fill_and_find(&ix, 300, 0xffffffff00000000ull);
	leat_index_reset(&ix);
	fill_and_find(&ix, 300, 0xffffffffull);
}

Test(index, empty_has_nothing)
{
	LEAT_AUTO(leat_index_fini) struct leat_index ix;
	uint64_t key = 0;

	leat_index_init(&ix);
	cr_assert(eq(u32, leat_index_find(&ix, 0, same, NULL, &key), LEAT_INDEX_NONE));
	leat_index_reset(&ix);
	leat_index_fini(&ix);
}

Test(index, values_are_dense)
{
	LEAT_AUTO(leat_index_fini) struct leat_index ix;

	leat_index_init(&ix);
	cr_assert(eq(int, leat_index_add(&ix, 1, 1), -EINVAL));
	cr_assert(eq(int, leat_index_add(&ix, 1, 0), 0));
	cr_assert(eq(int, leat_index_add(&ix, 1, 0), -EINVAL));
}

Test(index, reserve_over_maximum_overflows)
{
	LEAT_AUTO(leat_index_fini) struct leat_index ix;

	leat_index_init(&ix);
	cr_assert(eq(int, leat_index_reserve(&ix, ((size_t)1 << 31) + 1), -EOVERFLOW));
}

Test(index, allocation_failure_loses_nothing)
{
	static uint64_t items[1000];

	LEAT_ALLOC_EACH_FAILS {
		struct leat_index ix;
		uint32_t n = 0;

		leat_index_init(&ix);
		for (; n < 1000; n++) {
			items[n] = n;
			if (leat_index_add(&ix, leat_hash_u64(n), n))
				break;
		}
		leat_alloc_disarm();
		cr_assert(leat_alloc_failed() || n == 1000);
		for (uint64_t key = 0; key < n; key++)
			cr_assert(eq(u32,
				     leat_index_find(&ix, leat_hash_u64(key), same, items, &key),
				     (uint32_t)key));
		leat_index_fini(&ix);
	}
}
