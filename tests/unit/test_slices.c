/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "live/slices.h"

#define REST (LEAT_SLICE_REST_NS + 1)

static struct leat_slices slices;
static bool fresh;

static uint32_t get(uint64_t tag, uint32_t cnt, uint64_t now_ns)
{
	uint32_t slice = LEAT_SLICE_NONE;

	return leat_slices_get(&slices, tag, cnt, now_ns, &slice, &fresh) ? LEAT_SLICE_NONE : slice;
}

static void init(void)
{
	leat_slices_init(&slices, 64);
}

static void fini(void)
{
	leat_slices_fini(&slices);
}

TestSuite(slices, .init = init, .fini = fini);

Test(slices, places_do_not_overlap)
{
	const uint32_t a = get(1, 5, 0), b = get(2, 16, 0), c = get(3, 1, 0);

	cr_expect(eq(u32, slices.v[a].first, 0));
	cr_expect(eq(u32, slices.v[b].first, 8));
	cr_expect(eq(u32, slices.v[c].first, 24));
}

Test(slices, equal_mappings_share_a_place)
{
	const uint32_t a = get(7, 5, 0);

	cr_expect(fresh);
	cr_expect(eq(u32, get(7, 5, 0), a));
	cr_expect(not(fresh));
	leat_slices_put(&slices, a, 0);
	cr_expect(eq(u32, get(7, 5, REST), a), "one has it still");
	cr_expect(not(fresh));
}

Test(slices, a_place_rests_before_it_is_used_again)
{
	const uint32_t a = get(1, 64, 0);

	cr_expect(eq(u32, get(2, 64, 0), LEAT_SLICE_NONE), "full");
	leat_slices_put(&slices, a, 1000);
	cr_expect(eq(u32, get(2, 64, 1000), LEAT_SLICE_NONE), "at once");
	cr_expect(eq(u32, get(2, 64, 1000 + LEAT_SLICE_REST_NS - 1), LEAT_SLICE_NONE));
	cr_expect(eq(u32, get(2, 64, 1000 + LEAT_SLICE_REST_NS), a));
	cr_expect(fresh);
}

Test(slices, the_oldest_free_place_comes_first)
{
	const uint32_t a = get(1, 16, 0), b = get(2, 16, 0);

	leat_slices_put(&slices, b, 1);
	leat_slices_put(&slices, a, 2);
	cr_expect(eq(u32, get(3, 16, REST + 2), b));
	cr_expect(eq(u32, get(4, 9, REST + 2), a));
}

Test(slices, a_larger_place_serves_when_nothing_is_left)
{
	const uint32_t a = get(1, 64, 0);

	leat_slices_put(&slices, a, 0);
	cr_expect(eq(u32, get(2, 3, REST), a));
	cr_expect(eq(u32, get(3, 3, REST), LEAT_SLICE_NONE));
}

Test(slices, too_large_is_refused)
{
	uint32_t slice;

	cr_expect(eq(int, leat_slices_get(&slices, 1, 16385, 0, &slice, &fresh), -ENOSPC));
}
