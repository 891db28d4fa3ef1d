/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile/mappings.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "../support/alloc.h"
#include "base/hash.h"

static int add(struct leat_mappings *m, uint64_t start, uint64_t end, uint64_t ns, uint32_t object)
{
	struct leat_mapping it = { .start = start, .end = end, .from_ns = ns, .object = object };

	return leat_mappings_add(m, &it);
}

static int add_proc(struct leat_mappings *m, uint64_t start, uint64_t end, uint64_t ns,
		    uint32_t object)
{
	struct leat_mapping it = {
		.start = start, .end = end, .from_ns = ns, .object = object, .from_proc = 1
	};

	return leat_mappings_add(m, &it);
}

/* The object at @addr at @ns; 0: none. */
static uint32_t at(struct leat_mappings *m, uint64_t addr, uint64_t ns)
{
	const struct leat_mapping *it = leat_mappings_find(m, addr, ns);

	return it ? it->object : 0;
}

Test(mappings, the_newest_that_was_valid_is_found)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };

	cr_assert(eq(u32, at(&m, 0x1000, 100), 0));
	cr_assert(eq(int, add(&m, 0x1000, 0x3000, 100, 1), 0));
	cr_assert(eq(int, add(&m, 0x2000, 0x4000, 200, 2), 0));
	cr_assert(eq(int, add(&m, 0x5000, 0x6000, 100, 3), 0));
	cr_assert(eq(u32, at(&m, 0x0fff, 300), 0));
	cr_assert(eq(u32, at(&m, 0x1000, 99), 0));
	cr_assert(eq(u32, at(&m, 0x1000, 100), 1));
	cr_assert(eq(u32, at(&m, 0x2000, 199), 1));
	cr_assert(eq(u32, at(&m, 0x2000, 200), 2));
	cr_assert(eq(u32, at(&m, 0x1fff, 300), 1), "what is not hidden stays");
	cr_assert(eq(u32, at(&m, 0x3fff, 300), 2));
	cr_assert(eq(u32, at(&m, 0x4000, 300), 0));
	cr_assert(eq(u32, at(&m, 0x5fff, 300), 3));
	cr_assert(eq(u32, at(&m, 0x6000, 300), 0));
	cr_assert(eq(u64, m.changed_ns, 200));
}

Test(mappings, of_equal_times_the_last_counts)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };

	for (uint32_t i = 1; i < 400; i++) {
		cr_assert(eq(int, add(&m, 0x1000, 0x2000, 100, i), 0));
		cr_assert(eq(u32, at(&m, 0x1800, 100), i));
	}
}

Test(mappings, empty_ranges_are_refused)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };

	cr_assert(eq(int, add(&m, 0x1000, 0x1000, 1, 1), -EINVAL));
	cr_assert(eq(int, add(&m, 0x1000, 0xfff, 1, 1), -EINVAL));
	cr_assert(eq(int, add(&m, 0, UINT64_MAX, 1, 1), 0));
	cr_assert(eq(u32, at(&m, UINT64_MAX - 1, 1), 1));
	cr_assert(eq(u32, at(&m, UINT64_MAX, 1), 0));
}

/* The same by looking at each, in the order of addition. */
static uint32_t slowly(const struct leat_mapping *all, size_t n, uint64_t addr, uint64_t ns)
{
	const struct leat_mapping *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct leat_mapping *it = &all[i];

		if (it->start <= addr && addr < it->end && it->from_ns <= ns &&
		    (!best || it->from_ns >= best->from_ns))
			best = it;
	}
	return best ? best->object : 0;
}

Test(mappings, agrees_with_a_plain_search)
{
	static struct leat_mapping all[1500];
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };
	uint64_t x = 1;

	for (size_t i = 0; i < 1500; i++) {
		struct leat_mapping *it = &all[i];

		x = leat_hash_u64(x + i);
		it->start = x % 4096;
		it->end = it->start + 1 + (x >> 20) % (i % 50 ? 64 : 4096);
		it->from_ns = (x >> 40) % 100;
		it->object = (uint32_t)i + 1;
		cr_assert(eq(int, leat_mappings_add(&m, it), 0));
		for (int j = 0; j < 20; j++) {
			uint64_t addr = leat_hash_u64(x + j) % 8500;
			uint64_t ns = leat_hash_u64(x - j) % 110;

			cr_assert(eq(u32, at(&m, addr, ns), slowly(all, i + 1, addr, ns)));
		}
	}
}

Test(mappings, a_huge_one_below_does_not_hide_the_others)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };

	cr_assert(eq(int, add(&m, 0, 1ull << 40, 1, 1), 0));
	for (uint64_t i = 1; i <= 20000; i++)
		cr_assert(eq(int, add(&m, i << 12, (i << 12) + 0x800, 2, (uint32_t)i + 1), 0));
	for (uint64_t i = 1; i <= 20000; i += 7) {
		cr_assert(eq(u32, at(&m, (i << 12) + 0x7ff, 3), (uint32_t)i + 1));
		cr_assert(eq(u32, at(&m, (i << 12) + 0x800, 3), 1));
	}
}

Test(mappings, a_change_between_two_times)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };

	cr_assert(eq(int, add(&m, 0x1000, 0x2000, 100, 1), 0));
	cr_assert(eq(int, add(&m, 0x1000, 0x2000, 200, 2), 0));
	cr_assert(eq(int, add(&m, 0x3000, 0x4000, 100, 3), 0));
	cr_assert(eq(int, add(&m, 0x3000, 0x4000, 200, 3), 0));
	cr_assert(leat_mappings_changed(&m, 0x1800, 150, 200));
	cr_assert(leat_mappings_changed(&m, 0x1800, 199, 300));
	cr_assert(leat_mappings_changed(&m, 0x1800, 50, 150), "from nothing");
	cr_assert(not(leat_mappings_changed(&m, 0x1800, 200, 300)));
	cr_assert(not(leat_mappings_changed(&m, 0x1800, 100, 199)));
	cr_assert(not(leat_mappings_changed(&m, 0x3800, 100, 300)), "the same again");
	cr_assert(not(leat_mappings_changed(&m, 0x5000, 100, 300)), "nothing before and after");
}

/* ---- what /proc tells ---- */

Test(mappings, proc_tells_what_was_there_before)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };

	cr_assert(eq(int, add_proc(&m, 0x1000, 0x2000, 500, 1), 0));
	cr_assert(eq(u32, at(&m, 0x1000, 0), 1));
	cr_assert(eq(u64, m.changed_ns, 0));
	/* Seen again: nothing new. */
	cr_assert(eq(int, add_proc(&m, 0x1000, 0x2000, 600, 1), 0));
	cr_assert(eq(sz, m.n, 1));
	/* It has grown: the same in a larger place. */
	cr_assert(eq(int, add_proc(&m, 0x1000, 0x3000, 700, 1), 0));
	cr_assert(eq(u32, at(&m, 0x2800, 0), 1));
	/* Another one is there now: it came between the two sights; from when on it is sure. */
	cr_assert(eq(int, add_proc(&m, 0x1000, 0x2000, 800, 2), 0));
	cr_assert(eq(u32, at(&m, 0x1000, 799), 1));
	cr_assert(eq(u32, at(&m, 0x1000, 800), 2));
}

Test(mappings, proc_and_events_in_any_order)
{
	/* a at 100 (event), b at 400 (event), b seen in /proc at 500. */
	static const char orders[6][4] = { "123", "132", "213", "231", "312", "321" };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(orders); i++) {
		LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };

		for (const char *c = orders[i]; *c; c++) {
			if (*c == '1')
				cr_assert(eq(int, add(&m, 0x1000, 0x2000, 100, 1), 0));
			if (*c == '2')
				cr_assert(eq(int, add(&m, 0x1000, 0x2000, 400, 2), 0));
			if (*c == '3')
				cr_assert(eq(int, add_proc(&m, 0x1000, 0x2000, 500, 2), 0));
		}
		cr_assert(eq(u32, at(&m, 0x1000, 100), 1), "%s", orders[i]);
		cr_assert(eq(u32, at(&m, 0x1000, 399), 1), "%s", orders[i]);
		cr_assert(eq(u32, at(&m, 0x1000, 400), 2), "%s", orders[i]);
		cr_assert(eq(u32, at(&m, 0x1000, 600), 2), "%s", orders[i]);
	}
}

Test(mappings, an_older_sight_that_comes_late)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };

	cr_assert(eq(int, add_proc(&m, 0x1000, 0x2000, 500, 2), 0));
	cr_assert(eq(int, add_proc(&m, 0x1000, 0x2000, 300, 1), 0));
	cr_assert(eq(u32, at(&m, 0x1000, 300), 1));
	cr_assert(eq(u32, at(&m, 0x1000, 499), 1));
	cr_assert(eq(u32, at(&m, 0x1000, 500), 2));
}

Test(mappings, an_event_after_the_sight_takes_over)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };

	cr_assert(eq(int, add_proc(&m, 0x1000, 0x2000, 500, 1), 0));
	cr_assert(eq(int, add(&m, 0x1000, 0x2000, 600, 2), 0));
	cr_assert(eq(u32, at(&m, 0x1000, 10), 1));
	cr_assert(eq(u32, at(&m, 0x1000, 599), 1));
	cr_assert(eq(u32, at(&m, 0x1000, 600), 2));
}

/* ---- fork and exec ---- */

Test(mappings, a_child_gets_what_was_there_at_the_fork)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings child = { 0 };

	cr_assert(eq(int, add(&m, 0x1000, 0x2000, 100, 1), 0));
	cr_assert(eq(int, add(&m, 0x1000, 0x2000, 300, 2), 0));
	cr_assert(eq(int, leat_mappings_inherit(&child, &m, 200), 0));
	cr_assert(eq(u32, at(&child, 0x1000, 1000), 1));
	cr_assert(eq(sz, child.n, 1));
}

Test(mappings, what_came_after_a_time_moves)
{
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };
	LEAT_AUTO(leat_mappings_fini) struct leat_mappings to = { 0 };

	for (uint32_t i = 0; i < 300; i++) /* sorted ones and a tail */
		cr_assert(eq(int,
			     add(&m, (600ull - i * 2) << 12, (601ull - i * 2) << 12,
				 100 + i % 2 * 100, i + 1),
			     0));
	cr_assert(eq(int, add_proc(&m, 0x1000, 0x1800, 250, 999), 0));
	cr_assert(eq(int, leat_mappings_split(&to, &m, 200), 0));
	cr_assert(eq(sz, m.n, 150));
	cr_assert(eq(sz, to.n, 151));
	cr_assert(eq(u32, at(&to, 0x1000, 1), 999));
	cr_assert(eq(u32, at(&m, 0x1000, 1000), 0));
	for (uint32_t i = 0; i < 300; i++) {
		uint64_t addr = (600ull - i * 2) << 12;

		cr_assert(eq(u32, at(&m, addr, 1000), i % 2 ? 0 : i + 1));
		cr_assert(eq(u32, at(&to, addr, 1000), i % 2 ? i + 1 : 0));
	}
}

Test(mappings, survive_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		LEAT_AUTO(leat_mappings_fini) struct leat_mappings m = { 0 };
		LEAT_AUTO(leat_mappings_fini) struct leat_mappings to = { 0 };
		int err = 0;

		for (uint32_t i = 0; !err && i < 200; i++)
			err = add(&m, i << 12, (i + 1) << 12, i, i);
		if (!err)
			err = leat_mappings_inherit(&to, &m, 100);
		leat_mappings_fini(&to);
		if (!err)
			err = leat_mappings_split(&to, &m, 100);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		if (!err)
			cr_assert(eq(sz, m.n, 100));
	}
}
