/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/merge.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "base/hash.h"
#include "event/mock.h"
#include "event/pump.h"
#include "leat_wire.h"

enum { KIND = 7, MAX_RECORDS = 20000 };

/* A record tells where it came from: cpu is the source, tid its number there. */
struct list {
	struct leat_rec *recs;
	size_t n, at;
	uint64_t window;
	int err_at; /* + 1: hands out an error there, once */
	struct leat_source_stats stats;
	char scratch[sizeof(struct leat_rec)]; /* what was handed out is gone at the next call */
};

static struct leat_bus *bus;
static struct leat_merge *merge;
static struct leat_rec seen[MAX_RECORDS];
static size_t seen_cnt;

static int on_record(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ctx;
	(void)ev;
	cr_assert(lt(sz, seen_cnt, MAX_RECORDS));
	memcpy(&seen[seen_cnt], r->data, sizeof(*seen));
	cr_assert(eq(u64, seen[seen_cnt].ts_ns, r->ts_ns));
	seen_cnt++;
	return 0;
}

static int list_open(void *self, struct leat_bus *b)
{
	(void)self;
	(void)b;
	return 0;
}

static int list_start(void *self)
{
	(void)self;
	return 0;
}

static void list_close(void *self)
{
	(void)self;
}

static int list_next(void *self, uint64_t until_ns, struct leat_record *out)
{
	struct list *l = self;
	const struct leat_rec *rec = &l->recs[l->at];

	if (l->err_at && l->at + 1 == (size_t)l->err_at) {
		l->err_at = 0;
		return -EIO;
	}
	if (l->at == l->n || rec->ts_ns > until_ns)
		return 0;
	memset(l->scratch, 0xaa, sizeof(l->scratch));
	memcpy(l->scratch, rec, sizeof(*rec));
	*out = (struct leat_record){
		.data = l->scratch, .size = sizeof(*rec), .kind = KIND, .ts_ns = rec->ts_ns
	};
	l->at++;
	return 1;
}

static uint64_t list_window(const void *self)
{
	return ((const struct list *)self)->window;
}

static void list_stats(const void *self, struct leat_source_stats *out)
{
	*out = ((const struct list *)self)->stats;
}

static const struct leat_source_ops ops = {
	.name = "list",
	.open = list_open,
	.start = list_start,
	.stop = list_start,
	.close = list_close,
	.stats = list_stats,
	.next = list_next,
	.window_ns = list_window,
};

static void init(void)
{
	struct leat_format *f = NULL;
	struct leat_event *ev;

	cr_assert(zero(int, leat_bus_new(&bus)));
	cr_assert(zero(int, leat_format_new(&f, "r")));
	cr_assert(zero(int, leat_bus_add_event(bus, KIND, "test/r", f, &ev)));
	cr_assert(zero(int, leat_event_add_callback(ev, on_record, NULL, NULL)));
	cr_assert(zero(int, leat_merge_new(&merge)));
	seen_cnt = 0;
}

static void fini(void)
{
	leat_merge_free(&merge);
	leat_merge_free(&merge);
	leat_bus_free(&bus);
}

TestSuite(merge, .init = init, .fini = fini);

static void add(struct list *l)
{
	cr_assert(zero(int, leat_merge_add(merge, (struct leat_source){ &ops, l })));
}

static struct leat_rec rec(uint64_t ts, uint16_t source, uint32_t nr)
{
	return (struct leat_rec){
		.kind = KIND, .size = sizeof(struct leat_rec), .ts_ns = ts, .cpu = source, .tid = nr
	};
}

/* By time, then source, then place in it. */
static int by_rule(const void *a, const void *b)
{
	const struct leat_rec *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* @cnt sources of uneven length; each goes back in time by less than its window. */
static size_t make(struct list *lists, size_t cnt, uint64_t window, uint64_t seed,
		   struct leat_rec *all)
{
	size_t n = 0;

	for (uint16_t i = 0; i < cnt; i++) {
		struct list *l = &lists[i];
		uint64_t ts = 1000;

		*l = (struct list){ .n = leat_hash_u64(seed + i) % 40, .window = window };
		l->recs = calloc(l->n + 1, sizeof(*l->recs));
		cr_assert(l->recs != NULL);
		for (uint32_t k = 0; k < l->n; k++) {
			uint64_t r = leat_hash_u64(seed * 1000003 + i * 1009u + k);

			ts += r % 20;
			l->recs[k] = rec(ts - (window ? (r >> 32) % window : 0), i, k);
			all[n++] = l->recs[k];
		}
	}
	return n;
}

static void check_order(const struct leat_rec *all, size_t n)
{
	cr_assert(eq(sz, seen_cnt, n));
	for (size_t i = 0; i < n; i++)
		cr_assert(zero(int, memcmp(&seen[i], &all[i], sizeof(*all))), "at %zu", i);
}

/* Against a sort: many shapes, in one round or in many, with and without windows. */
Test(merge, any_interleaving_comes_out_sorted)
{
	static struct leat_rec all[MAX_RECORDS];
	static struct list lists[64];

	for (uint64_t seed = 1; seed <= 60; seed++) {
		size_t cnt = 1 + seed % 64, n;
		uint64_t window = seed % 3 ? 0 : 50;

		fini();
		init();
		n = make(lists, cnt, window, seed, all);
		qsort(all, n, sizeof(*all), by_rule);
		for (size_t i = 0; i < cnt; i++)
			add(&lists[i]);
		/* Rounds that end behind what is there yet must not change the order. */
		for (uint64_t now = 1000; seed % 2 && !window && now < 2000; now += 37)
			cr_assert(ge(int, leat_merge_round(merge, bus, now), 0));
		cr_assert(ge(int, leat_merge_round(merge, bus, UINT64_MAX), 0));
		check_order(all, n);
		cr_assert(eq(u64, leat_merge_late(merge), 0));
		for (size_t i = 0; i < cnt; i++)
			free(lists[i].recs);
	}
}

Test(merge, two_hundred_and_fifty_six_sources)
{
	static struct leat_rec all[MAX_RECORDS];
	static struct list lists[256];
	size_t n = make(lists, 256, 0, 99, all);

	qsort(all, n, sizeof(*all), by_rule);
	for (size_t i = 0; i < 256; i++)
		add(&lists[i]);
	cr_assert(eq(int, leat_merge_round(merge, bus, UINT64_MAX), (int)n));
	check_order(all, n);
	for (size_t i = 0; i < 256; i++)
		free(lists[i].recs);
}

Test(merge, a_round_takes_nothing_younger)
{
	struct leat_rec r[] = { rec(10, 0, 0), rec(20, 0, 1), rec(30, 0, 2) };
	struct list l = { .recs = r, .n = 3 };

	add(&l);
	cr_assert(eq(int, leat_merge_round(merge, bus, 20), 2));
	cr_assert(eq(int, leat_merge_round(merge, bus, 29), 0));
	cr_assert(eq(int, leat_merge_round(merge, bus, 30), 1));
}

/* A window holds back what an older record may still come before; the last round waits for nobody. */
Test(merge, a_window_is_waited_for)
{
	struct leat_rec r[] = { rec(100, 0, 0), rec(95, 0, 1), rec(200, 0, 2) };
	struct list l = { .recs = r, .n = 1, .window = 10 };

	add(&l);
	cr_assert(eq(int, leat_merge_round(merge, bus, 105), 0)); /* 95..105 may come yet */
	l.n = 2;
	cr_assert(eq(int, leat_merge_round(merge, bus, 106), 1)); /* 95 is due, 100 is not */
	cr_assert(eq(u64, seen[0].ts_ns, 95));
	l.n = 3;
	cr_assert(eq(int, leat_merge_round(merge, bus, 205), 1));
	cr_assert(eq(u64, seen[1].ts_ns, 100));
	cr_assert(eq(int, leat_merge_round(merge, bus, UINT64_MAX), 1));
	cr_assert(eq(u64, leat_merge_late(merge), 0));
}

/* Who has nothing holds nobody back: the round's time is his flush marker. */
Test(merge, a_source_without_data_stalls_nobody)
{
	struct leat_rec r[] = { rec(10, 0, 0), rec(20, 0, 1) };
	struct list busy = { .recs = r, .n = 2 }, idle = { .n = 0, .window = 5 };

	add(&idle);
	add(&busy);
	cr_assert(eq(int, leat_merge_round(merge, bus, 20), 2));
}

Test(merge, what_comes_too_late_is_delivered_and_counted)
{
	struct leat_rec r[] = { rec(100, 0, 0), rec(50, 0, 1), rec(101, 0, 2) };
	struct leat_rec other[] = { rec(99, 1, 0) };
	struct list l = { .recs = r, .n = 3 }, second = { .recs = other, .n = 0 };

	add(&l);
	add(&second);
	cr_assert(eq(int, leat_merge_round(merge, bus, 200), 3));
	cr_assert(eq(u64, leat_merge_late(merge), 1));
	second.n = 1; /* it had said that there was nothing up to 200 */
	cr_assert(eq(int, leat_merge_round(merge, bus, 300), 1));
	cr_assert(eq(u64, leat_merge_late(merge), 2));
	cr_assert(eq(sz, seen_cnt, 4));
}

Test(merge, a_source_that_fails_does_not_stop_the_others)
{
	struct leat_rec a[] = { rec(1, 0, 0), rec(5, 0, 1) }, b[] = { rec(2, 1, 0), rec(9, 1, 1) };
	struct list x = { .recs = a, .n = 2, .err_at = 2 }, y = { .recs = b, .n = 2 };

	add(&x);
	add(&y);
	cr_assert(eq(int, leat_merge_round(merge, bus, UINT64_MAX), -EIO));
	cr_assert(eq(sz, seen_cnt, 3));
	cr_assert(eq(int, leat_merge_round(merge, bus, UINT64_MAX), 1)); /* it has come to again */
	cr_assert(eq(u64, leat_merge_late(merge), 1));
}

Test(merge, a_window_survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_rec r[] = { rec(9, 0, 0), rec(5, 0, 1), rec(7, 0, 2) };
		struct list l = { .recs = r, .n = 3, .window = 10 };
		struct leat_merge *m = NULL;
		int err = leat_merge_new(&m);

		if (!err)
			err = leat_merge_add(m, (struct leat_source){ &ops, &l });
		if (!err)
			err = leat_merge_round(m, bus, UINT64_MAX);
		leat_alloc_disarm();
		cr_assert(err == 3 || err == -ENOMEM, "%d", err);
		leat_merge_free(&m);
	}
}

/* ---- through the pump ---- */

Test(merge, the_pump_merges_mocks_and_adds_up_losses)
{
	struct leat_mock *mocks[3];
	struct leat_source_stats stats;
	struct leat_rec lost[] = { rec(4, 9, 0) };
	struct list l = { .recs = lost, .n = 1, .stats = { .lost = 12, .records = 1 } };
	struct leat_pump pump;

	leat_pump_init(&pump, bus);
	for (uint16_t i = 0; i < 3; i++) {
		cr_assert(zero(int, leat_mock_new(&mocks[i])));
		for (uint32_t k = 0; k < 4; k++) {
			struct leat_rec r = rec(1 + k * 3 + i, i, k);

			cr_assert(zero(int, leat_mock_push(mocks[i], &r, sizeof(r))));
		}
		cr_assert(zero(int, leat_mock_push(mocks[i], "short", 5)));
		cr_assert(zero(int, leat_pump_add(&pump, leat_mock_source(mocks[i]))));
	}
	cr_assert(zero(int, leat_pump_add(&pump, (struct leat_source){ &ops, &l })));
	cr_assert(zero(int, leat_pump_open(&pump)));
	cr_assert(zero(int, leat_pump_start(&pump)));
	cr_assert(eq(int, leat_pump_round(&pump, UINT64_MAX), 13));
	for (size_t i = 1; i < seen_cnt; i++)
		cr_assert(le(u64, seen[i - 1].ts_ns, seen[i].ts_ns));
	leat_pump_stats(&pump, &stats);
	cr_assert(eq(u64, stats.lost, 12));
	cr_assert(eq(u64, stats.records, 13));
	cr_assert(eq(u64, stats.malformed, 3));
	cr_assert(eq(u64, leat_pump_late(&pump), 0));
	leat_pump_close(&pump);
	for (size_t i = 0; i < 3; i++)
		leat_mock_free(&mocks[i]);
}
