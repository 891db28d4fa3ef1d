/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of the kernel side, by CPU and in all. */
#include "engine/impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STAT_WORDS 32u /* struct leat_stats of the BPF side */

/* One row of STAT_WORDS for each possible CPU; free() it. */
static int read_rows(const struct leat_engine *e, uint64_t **out, size_t *rows)
{
	LEAT_FREE uint64_t *v = NULL;
	const uint32_t zero = 0;
	int n = libbpf_num_possible_cpus();
	int err;

	if (n < 0)
		return n;
	v = calloc((size_t)n * STAT_WORDS, sizeof(*v));
	if (!v)
		return -ENOMEM;
	err = bpf_map_lookup_elem(leat_engine_stats_fd(e), &zero, v);
	if (err)
		return err;
	*rows = (size_t)n;
	*out = LEAT_TAKE(v);
	return 0;
}

int leat_engine_stats(const struct leat_engine *e, uint64_t out[LEAT_STAT__MAX])
{
	LEAT_FREE uint64_t *v = NULL;
	size_t rows;
	int err = read_rows(e, &v, &rows);

	if (err)
		return err;
	memset(out, 0, LEAT_STAT__MAX * sizeof(*out));
	for (size_t row = 0; row < rows; row++)
		for (size_t i = 0; i < LEAT_STAT__MAX; i++)
			out[i] += v[row * STAT_WORDS + i];
	return 0;
}

/*
 * Samples that the event should have given: its own count / period; by frequency only where a
 * frequency is a period of time. A hardware event by frequency has no such figure.
 */
static uint64_t wanted_of(const struct leat_engine *e, const struct leat_event_read *r)
{
	if (e->opts.period)
		return r->value / e->opts.period;
	if (e->event.time_based)
		return (uint64_t)((double)r->running_ns * (double)e->opts.freq_hz / 1e9);
	return 0;
}

int leat_engine_emit_stats(struct leat_engine *e, struct leat_bus *bus)
{
	LEAT_FREE uint64_t *v = NULL;
	size_t rows;
	int err = read_rows(e, &v, &rows);

	if (err)
		return err;
	for (size_t i = 0; i < e->opts.cpu_cnt; i++) {
		const struct leat_event_read ev = leat_engine_event_read(e, i);
		struct leat_rec_stat rec = { .wanted = wanted_of(e, &ev),
					     .enabled_ns = ev.enabled_ns };
		struct leat_record r;

		if (e->cpus[i] >= rows)
			continue;
		rec.h.kind = LEAT_REC_STAT;
		rec.h.cpu = (uint16_t)e->cpus[i];
		rec.h.size = sizeof(rec);
		rec.h.ts_ns = leat_engine_now();
		memcpy(rec.stat, v + (size_t)e->cpus[i] * STAT_WORDS,
		       LEAT_STAT__MAX * sizeof(rec.stat[0]));
		if (!leat_wire_record(&rec, sizeof(rec), &r))
			leat_wire_dispatch(bus, &r);
	}
	return 0;
}
