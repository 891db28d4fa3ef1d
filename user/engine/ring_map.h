/* SPDX-License-Identifier: BSD-2-Clause */
/* How many rings, how large, and which CPU writes to which: pure functions. */
#ifndef LEAT_ENGINE_RING_MAP_H
#define LEAT_ENGINE_RING_MAP_H

#include <stddef.h>
#include <stdint.h>

#define LEAT_RINGS_MAX 64

/* One ring for up to 4 CPUs, then one for each 8: two writers already halve a ring's throughput. */
uint32_t leat_ring_count(size_t cpu_cnt);
/*
 * Bytes of one ring: a power of two of pages, so that @ring_cnt of them take about @total, and at
 * least a page each.
 */
size_t leat_ring_size(size_t total, uint32_t ring_cnt, size_t page);
/*
 * Ring of each CPU: out[cpu], for CPU numbers below @out_cnt; CPUs that are not in @cpus get 0.
 * Neighbours share a ring, for they share caches. @cpus in any order, with holes.
 */
void leat_ring_map(const uint32_t *cpus, size_t cpu_cnt, uint32_t ring_cnt, uint32_t *out,
		   size_t out_cnt);

#endif
