/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes of tables and rings, and how often they are emptied, from what was asked for. */
#include "engine/impl.h"

#include <sys/random.h>
#include <unistd.h>

#include "engine/features.h"
#include "engine/ring_map.h"

/* A kernel stack of x86-64, where no helper tells where the user registers are (before 5.15). */
#define THREAD_PAGES 4u
/* Samples a second and CPU that are assumed where only a period is known. */
#define UNKNOWN_RATE 4000u

/* All tables together, on the largest machines; smaller tables overflow into the rings. */
#define TABLES_BYTES (128u << 20)

/*
 * A table holds four times the samples that can come between two drains, so that probes stay
 * short and one late drain does no harm. 99 Hz: 256 slots, 32 KB a CPU for both epochs.
 */
static uint32_t slot_bits_of(uint64_t rate, uint32_t drain_ms, uint32_t cpu_max)
{
	uint64_t need = rate * drain_ms / 1000 * 4;
	uint32_t bits = 8;

	while ((1ull << bits) < need && bits < 14 &&
	       ((sizeof(struct leat_slot) * 4 * cpu_max) << bits) <= TABLES_BYTES)
		bits++;
	return bits;
}

/*
 * In an epoch a ring's size for the samples that wait for a table, of all CPUs that share it: it is
 * emptied many times meanwhile, and such samples leave half of it to the others.
 */
static uint32_t raw_bytes_of(const struct leat_engine *e)
{
	const size_t sharing = (e->opts.cpu_cnt + e->ring_cnt - 1) / e->ring_cnt;
	const size_t n = e->ring_size / sharing;

	return n > LEAT_RAW_EPOCH_MAX ? LEAT_RAW_EPOCH_MAX : (uint32_t)n;
}

static void size_tables(struct leat_engine *e)
{
	if (!e->opts.space_max)
		e->opts.space_max = LEAT_SPACE_MAX;
	if (!e->opts.range_max)
		e->opts.range_max = LEAT_RANGES_MAX;
	if (!e->opts.exe_max)
		e->opts.exe_max = LEAT_EXES_MAX;
	if (!e->opts.cfg.raw_bytes)
		e->opts.cfg.raw_bytes = raw_bytes_of(e);
}

static uint64_t random_u64(void)
{
	uint64_t v;

	if (getrandom(&v, sizeof(v), 0) != (ssize_t)sizeof(v))
		v = leat_engine_now();
	return v;
}

void leat_engine_sizes(struct leat_engine *e)
{
	struct leat_cfg *c = &e->opts.cfg;
	const uint64_t rate = e->opts.freq_hz ? e->opts.freq_hz : UNKNOWN_RATE;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t total = e->opts.ring_bytes ? e->opts.ring_bytes : LEAT_RING_BYTES;

	e->ring_cnt = e->opts.ring_cnt ? e->opts.ring_cnt : leat_ring_count(e->opts.cpu_cnt);
	if (e->ring_cnt > LEAT_RINGS_MAX)
		e->ring_cnt = LEAT_RINGS_MAX;
	e->ring_size = leat_ring_size(total, e->ring_cnt, page);
	e->drain_ms = LEAT_DRAIN_MS;
	if (rate > LEAT_FREQ_DRAINED)
		e->drain_ms = (uint32_t)(LEAT_DRAIN_MS * LEAT_FREQ_DRAINED / rate);
	if (e->drain_ms < 20)
		e->drain_ms = 20;
	if (!c->slot_bits)
		c->slot_bits = slot_bits_of(rate, e->drain_ms, e->cpu_max);
	if (c->slot_bits > LEAT_SLOT_BITS_MAX)
		c->slot_bits = LEAT_SLOT_BITS_MAX;
	if (!c->ring_wake_bytes)
		c->ring_wake_bytes = e->ring_size / 2;
	if (!c->thread_size)
		c->thread_size = (uint32_t)(THREAD_PAGES * page);
	if (!c->heartbeat_ms)
		c->heartbeat_ms = LEAT_HEARTBEAT_MS;
	if (!c->seed)
		c->seed = random_u64();
	c->ring_cnt = e->ring_cnt;
	c->orc = c->kernel_stack && leat_feature_probe(LEAT_FEATURE_KSYMS) > 0;
	size_tables(e);
}
