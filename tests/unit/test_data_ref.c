/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/data_ref.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "event/mock.h"
#include "event/wire.h"

static struct leat_data_ref *make(void)
{
	struct leat_data_ref *d = NULL;

	cr_assert(eq(int, leat_data_ref_new(&d), 0));
	return d;
}

Test(data_ref, holders_see_the_move)
{
	struct leat_data_ref *source = make(), *reader = leat_data_ref_get(source);
	struct leat_record r = { .data = "headerpayload", .size = 13 };
	struct leat_slice s = leat_data_ref_read(reader, &r);
	uint32_t at;

	cr_expect(eq(sz, s.len, 0), "of nothing");
	at = leat_data_ref_move(source, 0, 6);
	cr_expect(eq(u32, at, 6));
	s = leat_data_ref_read(reader, &r);
	cr_expect(eq(sz, s.len, 6));
	cr_expect(memcmp(s.data, "header", 6) == 0);
	cr_expect(eq(u32, leat_data_ref_move(source, at, 7), 13));
	s = leat_data_ref_read(reader, &r);
	cr_expect(eq(sz, s.len, 7));
	cr_expect(memcmp(s.data, "payload", 7) == 0);
	leat_data_ref_reset(source);
	cr_expect(eq(sz, leat_data_ref_read(reader, &r).len, 0));
	cr_expect(eq(u64, leat_data_ref_short_cnt(reader), 0));
	leat_data_ref_put(&source);
	cr_expect(eq(ptr, source, NULL));
	leat_data_ref_move(reader, 0, 1);
	cr_expect(eq(sz, leat_data_ref_read(reader, &r).len, 1), "lives on");
	leat_data_ref_put(&reader);
	leat_data_ref_put(&reader);
}

Test(data_ref, past_the_end_is_empty_and_counted)
{
	struct leat_data_ref *d = make();
	char data[8] = "abcdefgh";

	for (uint32_t size = 0; size <= sizeof(data); size++) {
		struct leat_record r = { .data = data, .size = size };
		struct leat_slice s;

		leat_data_ref_move(d, 2, 3);
		s = leat_data_ref_read(d, &r);
		cr_expect(eq(sz, s.len, size < 5 ? 0 : 3));
	}
	cr_expect(eq(u64, leat_data_ref_short_cnt(d), 5));
	cr_expect(eq(u32, leat_data_ref_move(d, 5, UINT32_MAX), UINT32_MAX), "does not wrap");
	cr_expect(eq(sz,
		     leat_data_ref_read(d, &(struct leat_record){ .data = data, .size = 8 }).len,
		     0));
	leat_data_ref_put(&d);
}

static struct leat_bus *bus;

static int see_header(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_slice s = leat_data_ref_read(ctx, r);
	struct leat_rec h;

	(void)ev;
	cr_assert(eq(sz, s.len, sizeof(h)));
	memcpy(&h, s.data, sizeof(h));
	cr_expect(eq(u64, h.ts_ns, r->ts_ns));
	return h.kind == r->kind ? 0 : -EBADMSG;
}

/* What leat itself uses it for: wherever a wire record comes from, its header is known. */
Test(data_ref, the_header_of_a_wire_record)
{
	struct leat_rec_sample rec = {
		.h = { .kind = LEAT_REC_SAMPLE, .size = sizeof(rec), .ts_ns = 77 }
	};
	struct leat_mock *mock = NULL;
	struct leat_source source;
	struct leat_event_stats stats;
	uint32_t start, end;
	bool more;

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_mock_new(&mock), 0));
	cr_assert(eq(int, leat_mock_push(mock, &rec, sizeof(rec)), 0));
	source = leat_mock_source(mock);
	cr_assert(eq(int, source.ops->open(source.self, bus), 0));
	cr_assert(eq(int, source.ops->start(source.self), 0));
	cr_assert(eq(int,
		     leat_event_add_callback(leat_bus_at(bus, LEAT_REC_SAMPLE), see_header,
					     leat_bus_header(bus), NULL),
		     0));
	cr_assert(eq(int, source.ops->poll(source.self, bus, UINT64_MAX, &more), 1));
	cr_expect(eq(u64, leat_bus_error_cnt(bus), 0));
	leat_event_stats(leat_bus_at(bus, LEAT_REC_SAMPLE), &stats);
	cr_expect(eq(u64, stats.delivered, 1));
	leat_data_ref_range(leat_bus_header(bus), &start, &end);
	cr_expect(eq(u32, end, 0), "between records it is nowhere");
	leat_mock_free(&mock);
	leat_bus_free(&bus);
}

Test(data_ref, no_memory)
{
	struct leat_data_ref *d = NULL;

	leat_alloc_arm(1);
	cr_expect(eq(int, leat_data_ref_new(&d), -ENOMEM));
	leat_alloc_disarm();
	cr_expect(eq(ptr, d, NULL));
}
