/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/ring_map.h"

#include <string.h>

uint32_t leat_ring_count(size_t cpu_cnt)
{
	size_t n = cpu_cnt <= 4 ? 1 : (cpu_cnt + 7) / 8;

	return n > LEAT_RINGS_MAX ? LEAT_RINGS_MAX : (uint32_t)n;
}

size_t leat_ring_size(size_t total, uint32_t ring_cnt, size_t page)
{
	size_t each = total / (ring_cnt ? ring_cnt : 1);
	size_t size = page;

	while (size * 2 <= each)
		size *= 2;
	return size;
}

/* How many of @cpus are below @cpu: its rank, whatever the order. */
static size_t rank_of(uint32_t cpu, const uint32_t *cpus, size_t cpu_cnt)
{
	size_t rank = 0;

	for (size_t i = 0; i < cpu_cnt; i++)
		rank += cpus[i] < cpu;
	return rank;
}

void leat_ring_map(const uint32_t *cpus, size_t cpu_cnt, uint32_t ring_cnt, uint32_t *out,
		   size_t out_cnt)
{
	memset(out, 0, out_cnt * sizeof(*out));
	for (size_t i = 0; i < cpu_cnt; i++)
		if (cpus[i] < out_cnt)
			out[cpus[i]] =
				(uint32_t)(rank_of(cpus[i], cpus, cpu_cnt) * ring_cnt / cpu_cnt);
}
