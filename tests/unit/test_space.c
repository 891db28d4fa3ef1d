/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "live/space.h"

static struct leat_codes codes;

static bool map(uint64_t start, uint64_t end, uint64_t pgoff, uint32_t exe)
{
	return leat_codes_map(&codes, &(struct leat_code){ start, end, pgoff, exe });
}

static void expect(size_t i, uint64_t start, uint64_t end, uint64_t pgoff, uint32_t exe)
{
	cr_assert(lt(sz, i, codes.n));
	cr_expect(eq(u64, codes.v[i].start, start));
	cr_expect(eq(u64, codes.v[i].end, end));
	cr_expect(eq(u64, codes.v[i].pgoff, pgoff));
	cr_expect(eq(u32, codes.v[i].exe, exe));
}

static void fini(void)
{
	leat_codes_fini(&codes);
}

TestSuite(space, .fini = fini);

Test(space, mappings_in_any_order_are_sorted)
{
	cr_expect(map(0x3000, 0x4000, 0, 3));
	cr_expect(map(0x1000, 0x2000, 0, 1));
	cr_expect(map(0x2000, 0x3000, 0, 2));
	cr_expect(eq(sz, codes.n, 3));
	for (size_t i = 0; i < 3; i++)
		expect(i, 0x1000 * (i + 1), 0x1000 * (i + 2), 0, (uint32_t)i + 1);
}

Test(space, the_same_again_changes_nothing)
{
	cr_expect(map(0x1000, 0x2000, 0, 1));
	cr_expect(not(map(0x1000, 0x2000, 0, 1)));
	cr_expect(not(map(0x1000, 0x1000, 0, 1)), "empty");
	cr_expect(eq(sz, codes.n, 1));
	cr_expect(map(0x1000, 0x2000, 0, 2), "another binary");
}

Test(space, a_new_mapping_cuts_what_it_covers)
{
	map(0x1000, 0x9000, 0x10000, 1);
	cr_expect(map(0x3000, 0x5000, 0, 2));
	cr_assert(eq(sz, codes.n, 3));
	expect(0, 0x1000, 0x3000, 0x10000, 1);
	expect(1, 0x3000, 0x5000, 0, 2);
	expect(2, 0x5000, 0x9000, 0x14000, 1);
	cr_expect(map(0x2000, 0x6000, 0, 3), "over three");
	cr_assert(eq(sz, codes.n, 3));
	expect(0, 0x1000, 0x2000, 0x10000, 1);
	expect(1, 0x2000, 0x6000, 0, 3);
	expect(2, 0x6000, 0x9000, 0x15000, 1);
	cr_expect(map(0, 0x10000, 0, 4), "over all");
	cr_assert(eq(sz, codes.n, 1));
}

Test(space, an_address_is_found_in_its_mapping_alone)
{
	map(0x1000, 0x2000, 0, 1);
	map(0x3000, 0x4000, 0, 2);
	cr_expect(leat_codes_find(&codes, 0xfff) == NULL);
	cr_expect(leat_codes_find(&codes, 0x1000) == &codes.v[0]);
	cr_expect(leat_codes_find(&codes, 0x1fff) == &codes.v[0]);
	cr_expect(leat_codes_find(&codes, 0x2000) == NULL);
	cr_expect(leat_codes_find(&codes, 0x3fff) == &codes.v[1]);
	cr_expect(leat_codes_find(&codes, 0x4000) == NULL);
}

Test(space, more_than_the_maximum_is_counted)
{
	for (uint64_t i = 0; i < LEAT_CODE_MAX; i++)
		cr_assert(map(i * 0x2000, i * 0x2000 + 0x1000, 0, 1));
	cr_expect(not(map(LEAT_CODE_MAX * 0x2000ull, LEAT_CODE_MAX * 0x2000ull + 1, 0, 1)));
	cr_expect(eq(u64, codes.refused, 1));
	cr_expect(eq(sz, codes.n, LEAT_CODE_MAX));
	cr_expect(map(0, 0x1000, 0x1000, 1), "in place of another");
}

Test(space, equal_mappings_have_equal_hashes)
{
	struct leat_codes copy = { 0 };
	uint64_t hash;

	map(0x1000, 0x2000, 0, 1);
	map(0x3000, 0x4000, 0, 2);
	hash = leat_codes_hash(&codes, 2);
	cr_assert(zero(int, leat_codes_copy(&copy, &codes)));
	cr_expect(eq(u64, leat_codes_hash(&copy, 2), hash));
	cr_expect(ne(u64, leat_codes_hash(&copy, 1), hash));
	copy.v[1].exe = 3;
	cr_expect(ne(u64, leat_codes_hash(&copy, 2), hash));
	copy.v[1].exe = 2;
	copy.v[1].pgoff = 1;
	cr_expect(ne(u64, leat_codes_hash(&copy, 2), hash));
	cr_expect(ne(u64, leat_codes_hash(&copy, 0), 0));
	leat_codes_fini(&copy);
}
