/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_merge [ROUNDS [SOURCES [RECORDS]]]: records of many sources, merged by time and dispatched
 * to a callback. The order is checked: its checksum must be that of all records sorted.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <leat/event.h>

#include "base/hash.h"
#include "event/pump.h"
#include "leat_wire.h"

enum { KIND = 7 };

/* A source that has its records in memory, as a capture file has those of a chunk. */
struct stream {
	const struct leat_rec *at, *end;
};

static uint64_t checksum;

static uint64_t add_up(uint64_t sum, uint64_t ts_ns, uint32_t source)
{
	return (sum ^ (ts_ns << 10 | source)) * 0x9e3779b97f4a7c15ull;
}

static int on_record(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ctx;
	(void)ev;
	checksum = add_up(checksum, r->ts_ns, r->cpu);
	return 0;
}

static int nothing(void *self)
{
	(void)self;
	return 0;
}

static int stream_open(void *self, struct leat_bus *bus)
{
	(void)self;
	(void)bus;
	return 0;
}

static void stream_close(void *self)
{
	(void)self;
}

static int stream_next(void *self, uint64_t until_ns, struct leat_record *out)
{
	struct stream *s = self;

	if (s->at == s->end || s->at->ts_ns > until_ns)
		return 0;
	*out = (struct leat_record){ .data = s->at,
				     .size = s->at->size,
				     .kind = s->at->kind,
				     .cpu = s->at->cpu,
				     .tgid = s->at->tgid,
				     .tid = s->at->tid,
				     .ts_ns = s->at->ts_ns };
	s->at++;
	return 1;
}

static const struct leat_source_ops ops = {
	.name = "stream",
	.open = stream_open,
	.start = nothing,
	.stop = nothing,
	.close = stream_close,
	.next = stream_next,
};

static int by_rule(const void *a, const void *b)
{
	const struct leat_rec *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* Each source at its own pace, all over the same time. */
static void make(struct leat_rec *recs, size_t sources, size_t each)
{
	for (size_t i = 0; i < sources; i++) {
		uint64_t ts = 1000;

		for (size_t k = 0; k < each; k++) {
			ts += leat_hash_u64(i * each + k) % 2000;
			recs[i * each + k] = (struct leat_rec){ .kind = KIND,
								.size = sizeof(*recs),
								.cpu = (uint16_t)i,
								.tid = (uint32_t)k,
								.ts_ns = ts };
		}
	}
}

static uint64_t expected(const struct leat_rec *recs, size_t n)
{
	struct leat_rec *sorted = malloc(n * sizeof(*sorted));
	uint64_t sum = 0;

	if (!sorted)
		return 0;
	memcpy(sorted, recs, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_rule);
	for (size_t i = 0; i < n; i++)
		sum = add_up(sum, sorted[i].ts_ns, sorted[i].cpu);
	free(sorted);
	return sum;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Seconds; below 0: it failed. In a hundred rounds of equal time, as a live session has them. */
static double run(struct leat_bus *bus, const struct leat_rec *recs, size_t sources, size_t each)
{
	struct stream *streams = calloc(sources, sizeof(*streams));
	uint64_t end = recs[each - 1].ts_ns;
	struct leat_pump pump;
	double begin = 0;
	int err = streams ? 0 : -ENOMEM, n = 0;

	leat_pump_init(&pump, bus);
	for (size_t i = 0; !err && i < sources; i++) {
		streams[i] = (struct stream){ .at = recs + i * each, .end = recs + (i + 1) * each };
		err = leat_pump_add(&pump, (struct leat_source){ &ops, &streams[i] });
	}
	if (!err && !(err = leat_pump_open(&pump)))
		err = leat_pump_start(&pump);
	begin = now_s();
	for (uint64_t k = 1; !err && k <= 100; k++) {
		n = leat_pump_round(&pump, k < 100 ? end / 100 * k : UINT64_MAX);
		err = n < 0 ? n : 0;
	}
	begin = now_s() - begin;
	if (!err && leat_pump_late(&pump))
		err = -EBADMSG;
	leat_pump_close(&pump);
	free(streams);
	return err ? -1 : begin;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 9, done = 0;
	size_t sources = argc > 2 ? strtoul(argv[2], NULL, 10) : 256;
	size_t each = (argc > 3 ? strtoul(argv[3], NULL, 10) : 4000000) / sources;
	struct leat_rec *recs = calloc(sources * each, sizeof(*recs));
	struct leat_bus *bus = NULL;
	struct leat_format *f = NULL;
	struct leat_event *ev;
	double times[64];
	uint64_t want;

	if (!recs || leat_bus_new(&bus) || leat_format_new(&f, "r") ||
	    leat_bus_add_event(bus, KIND, "bench/r", f, &ev) ||
	    leat_event_add_callback(ev, on_record, NULL, NULL))
		return 1;
	make(recs, sources, each);
	want = expected(recs, sources * each);
	for (; done < rounds && done < 64; done++) {
		checksum = 0;
		times[done] = run(bus, recs, sources, each);
		if (times[done] < 0 || checksum != want) {
			fprintf(stderr, "bench_merge: records came out of order\n");
			return 1;
		}
	}
	qsort(times, done, sizeof(*times), by_value);
	printf("| merge | sources | records | million a second, median | best | to reach |\n"
	       "|---|---|---|---|---|---|\n"
	       "| by time, dispatched to a callback | %zu | %zu | %.1f | %.1f | 10 |\n",
	       sources, sources * each, (double)(sources * each) / times[done / 2] / 1e6,
	       (double)(sources * each) / times[0] / 1e6);
	leat_bus_free(&bus);
	free(recs);
	return 0;
}
