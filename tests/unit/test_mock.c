/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/mock.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "../support/alloc.h"
#include "event/wire.h"

static struct leat_bus *bus;
static struct leat_mock *mock;
static uint64_t times[1024];
static uint32_t tgids[1024];
static size_t cnt;

static int on_lost(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ctx;
	(void)ev;
	times[cnt] = r->ts_ns;
	tgids[cnt++] = r->tgid;
	return 0;
}

static void init(void)
{
	struct leat_source s;

	cnt = 0;
	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_mock_new(&mock), 0));
	s = leat_mock_source(mock);
	cr_assert(eq(int, s.ops->open(s.self, bus), 0));
	cr_assert(eq(
		int,
		leat_event_add_callback(leat_bus_at(bus, LEAT_REC_ENV_LOST), on_lost, NULL, NULL),
		0));
}

static void fini(void)
{
	leat_mock_free(&mock);
	leat_mock_free(&mock);
	leat_bus_free(&bus);
}

static void push(uint64_t ts, uint32_t tgid)
{
	struct leat_rec_lost rec = {
		.h = { .kind = LEAT_REC_ENV_LOST, .size = sizeof(rec), .ts_ns = ts, .tgid = tgid }
	};

	cr_assert(eq(int, leat_mock_push(mock, &rec, sizeof(rec)), 0));
}

TestSuite(mock, .init = init, .fini = fini);

Test(mock, delivers_in_order_of_time_and_equal_times_as_pushed)
{
	struct leat_source s = leat_mock_source(mock);
	bool more = true;

	push(30, 1);
	push(10, 2);
	push(30, 3);
	push(20, 4);
	cr_assert(eq(int, s.ops->poll(s.self, bus, UINT64_MAX, &more), 0), "not started");
	cr_assert(eq(int, s.ops->start(s.self), 0));
	cr_assert(eq(int, s.ops->poll(s.self, bus, 20, &more), 2));
	cr_assert(not(more));
	push(25, 5);
	cr_assert(eq(int, s.ops->poll(s.self, bus, UINT64_MAX, &more), 3));
	cr_assert(eq(u32, tgids[0], 2));
	cr_assert(eq(u32, tgids[1], 4));
	cr_assert(eq(u32, tgids[2], 5));
	cr_assert(eq(u32, tgids[3], 1));
	cr_assert(eq(u32, tgids[4], 3));
	cr_assert(eq(int, s.ops->poll_fd(s.self), -1));
	cr_assert(eq(int, s.ops->stop(s.self), 0));
	s.ops->close(s.self);
}

Test(mock, delivers_in_bounded_batches)
{
	struct leat_source s = leat_mock_source(mock);
	bool more = false;
	int n = 0;

	for (uint32_t i = 0; i < 1000; i++)
		push(i, i);
	cr_assert(eq(int, s.ops->start(s.self), 0));
	do {
		int got = s.ops->poll(s.self, bus, UINT64_MAX, &more);

		cr_assert(le(int, got, 256));
		n += got;
	} while (more);
	cr_assert(eq(int, n, 1000));
	cr_assert(eq(u64, times[999], 999));
}

Test(mock, malformed_records_are_counted_and_not_delivered)
{
	struct leat_source s = leat_mock_source(mock);
	struct leat_rec_lost rec = { .h = { .kind = LEAT_REC_ENV_LOST, .size = sizeof(rec) } };
	struct leat_source_stats stats;
	bool more;

	for (size_t n = 0; n <= sizeof(rec); n++)
		cr_assert(eq(int, leat_mock_push(mock, &rec, n), 0));
	cr_assert(eq(int, s.ops->start(s.self), 0));
	cr_assert(eq(int, s.ops->poll(s.self, bus, UINT64_MAX, &more), sizeof(rec) + 1));
	s.ops->stats(s.self, &stats);
	cr_assert(eq(u64, stats.malformed, sizeof(rec)));
	cr_assert(eq(u64, stats.records, 1));
	cr_assert(eq(u64, stats.bytes, sizeof(rec)));
	cr_assert(eq(sz, cnt, 1));
}

Test(mock, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_rec h = { .size = sizeof(h) };
		struct leat_mock *m = NULL;
		int err = leat_mock_new(&m);

		for (int i = 0; !err && i < 50; i++)
			err = leat_mock_push(m, &h, sizeof(h));
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		leat_mock_free(&m);
	}
}
