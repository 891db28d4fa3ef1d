/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ring_map.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdbool.h>

#define CPUS 256

Test(engine_ring_map, as_many_rings_as_cpus_need)
{
	cr_expect(eq(u32, leat_ring_count(1), 1));
	cr_expect(eq(u32, leat_ring_count(4), 1));
	cr_expect(eq(u32, leat_ring_count(5), 1));
	cr_expect(eq(u32, leat_ring_count(8), 1));
	cr_expect(eq(u32, leat_ring_count(9), 2));
	cr_expect(eq(u32, leat_ring_count(256), 32));
	cr_expect(eq(u32, leat_ring_count(512), 64));
	cr_expect(eq(u32, leat_ring_count(4096), 64));
}

Test(engine_ring_map, rings_are_powers_of_two_within_the_total)
{
	for (uint32_t n = 1; n <= LEAT_RINGS_MAX; n++) {
		size_t size = leat_ring_size(2u << 20, n, 4096);

		cr_expect(zero(sz, size & (size - 1)));
		cr_expect(le(sz, size * n, 2u << 20));
		cr_expect(gt(sz, size * n * 2, 2u << 20));
	}
	cr_expect(eq(sz, leat_ring_size(1, 64, 4096), 4096));
	cr_expect(eq(sz, leat_ring_size(0, 0, 65536), 65536));
}

/* CPUs 3, 4, 7, 8, ... of 256 are offline. */
static size_t with_holes(uint32_t *cpus)
{
	size_t n = 0;

	for (uint32_t cpu = 0; cpu < CPUS; cpu++)
		if (cpu % 4 != 3 && (cpu % 4 != 0 || cpu == 0))
			cpus[n++] = cpu;
	return n;
}

Test(engine_ring_map, holes_do_not_unbalance_256_cpus)
{
	uint32_t cpus[CPUS], map[CPUS], load[LEAT_RINGS_MAX] = { 0 };
	size_t n = with_holes(cpus);
	uint32_t rings = leat_ring_count(n);
	uint32_t low = UINT32_MAX, high = 0;

	leat_ring_map(cpus, n, rings, map, CPUS);
	for (size_t i = 0; i < n; i++) {
		cr_assert(lt(u32, map[cpus[i]], rings));
		load[map[cpus[i]]]++;
		if (i)
			cr_expect(ge(u32, map[cpus[i]], map[cpus[i - 1]]), "neighbours share");
	}
	for (uint32_t r = 0; r < rings; r++) {
		low = load[r] < low ? load[r] : low;
		high = load[r] > high ? load[r] : high;
	}
	cr_expect(le(u32, high - low, 1));
	cr_expect(le(u32, high, 8));
}

Test(engine_ring_map, the_order_of_the_list_does_not_matter)
{
	uint32_t up[CPUS], down[CPUS], a[CPUS], b[CPUS];
	size_t n = with_holes(up);

	for (size_t i = 0; i < n; i++)
		down[i] = up[n - 1 - i];
	leat_ring_map(up, n, 16, a, CPUS);
	leat_ring_map(down, n, 16, b, CPUS);
	for (size_t i = 0; i < CPUS; i++)
		cr_expect(eq(u32, a[i], b[i]));
}

Test(engine_ring_map, more_rings_than_cpus)
{
	const uint32_t cpus[] = { 0, 1 };
	uint32_t map[2];

	leat_ring_map(cpus, 2, 4, map, 2);
	cr_expect(eq(u32, map[0], 0));
	cr_expect(eq(u32, map[1], 2));
}

Test(engine_ring_map, cpus_beyond_the_table_are_left_out)
{
	const uint32_t cpus[] = { 0, 9 };
	uint32_t map[4] = { 7, 7, 7, 7 };

	leat_ring_map(cpus, 2, 2, map, 4);
	for (int i = 0; i < 4; i++)
		cr_expect(zero(u32, map[i]));
}
