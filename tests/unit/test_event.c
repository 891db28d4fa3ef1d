/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/data_ref.h>
#include <leat/event.h>
#include <leat/filter.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "base/cleanup.h"

static struct leat_bus *bus;
static struct leat_event *ev;
static char calls[256];
static size_t call_cnt;

static struct leat_event *add_event(uint16_t id, const char *name)
{
	struct leat_format *f = NULL;
	struct leat_event *out = NULL;

	cr_assert(eq(int, leat_format_new(&f, name), 0));
	cr_assert(eq(int, leat_bus_add_event(bus, id, name, f, &out), 0));
	return out;
}

static void init(void)
{
	cr_assert(eq(int, leat_bus_new(&bus), 0));
	ev = add_event(3, "test/three");
	call_cnt = 0;
}

static void fini(void)
{
	leat_bus_free(&bus);
	leat_bus_free(&bus);
}

static void dispatch(uint16_t kind)
{
	struct leat_record r = { .kind = kind };

	leat_bus_dispatch(bus, &r);
	calls[call_cnt] = 0;
}

/* Notes its letter, returns what it is told to. */
struct noter {
	char letter;
	int err;
	leat_callback_id remove; /* 0: none */
	leat_event_fn add;
	void *add_ctx;
};

static int note(void *ctx, const struct leat_event *e, const struct leat_record *r)
{
	struct noter *n = ctx;

	(void)e;
	(void)r;
	calls[call_cnt++ % 200] = n->letter;
	if (n->remove)
		(void)!leat_event_remove_callback(ev, n->remove);
	n->remove = 0;
	if (n->add)
		cr_assert(eq(int, leat_event_add_callback(ev, n->add, n->add_ctx, NULL), 0));
	n->add = NULL;
	return n->err;
}

TestSuite(event, .init = init, .fini = fini);

Test(event, callbacks_run_in_order_and_errors_stop_nobody)
{
	struct noter a = { .letter = 'a', .err = -EIO }, b = { .letter = 'b' },
		     c = { .letter = 'c', .err = -ENOMEM };
	uint16_t id;
	int err;

	cr_assert(eq(int, leat_event_add_callback(ev, note, &a, NULL), 0));
	cr_assert(eq(int, leat_event_add_callback(ev, note, &b, NULL), 0));
	cr_assert(eq(int, leat_event_add_callback(ev, note, &c, NULL), 0));
	dispatch(3);
	cr_assert(eq(str, calls, (char *)"abc"));
	cr_assert(eq(u64, leat_bus_error_cnt(bus), 2));
	cr_assert(eq(int, leat_bus_error_at(bus, 0, &err, &id), 0));
	cr_assert(eq(int, err, -EIO));
	cr_assert(eq(u16, id, 3));
	cr_assert(eq(int, leat_bus_error_at(bus, 1, &err, &id), 0));
	cr_assert(eq(int, err, -ENOMEM));
	cr_assert(eq(int, leat_bus_error_at(bus, 2, &err, &id), -ENOENT));
	for (int i = 0; i < 20; i++)
		dispatch(3);
	cr_assert(eq(u64, leat_bus_error_cnt(bus), 42), "a true count");
	cr_assert(eq(int, leat_bus_error_at(bus, 15, &err, &id), 0));
	cr_assert(eq(int, leat_bus_error_at(bus, 16, &err, &id), -ENOENT));
}

Test(event, one_added_inside_a_callback_waits_for_the_next_record)
{
	struct noter b = { .letter = 'b' };
	struct noter a = { .letter = 'a', .add = note, .add_ctx = &b };

	cr_assert(eq(int, leat_event_add_callback(ev, note, &a, NULL), 0));
	dispatch(3);
	cr_assert(eq(str, calls, (char *)"a"));
	dispatch(3);
	cr_assert(eq(str, calls, (char *)"aab"));
}

Test(event, one_removed_inside_a_callback_runs_no_more)
{
	struct noter a = { .letter = 'a' }, b = { .letter = 'b' }, c = { .letter = 'c' };
	leat_callback_id ia, ib, ic;

	cr_assert(eq(int, leat_event_add_callback(ev, note, &a, &ia), 0));
	cr_assert(eq(int, leat_event_add_callback(ev, note, &b, &ib), 0));
	cr_assert(eq(int, leat_event_add_callback(ev, note, &c, &ic), 0));
	a.remove = ib;
	dispatch(3);
	cr_assert(eq(str, calls, (char *)"ac"));
	a.remove = ia; /* itself */
	dispatch(3);
	cr_assert(eq(str, calls, (char *)"acac"));
	dispatch(3);
	cr_assert(eq(str, calls, (char *)"acacc"));
	cr_assert(eq(int, leat_event_remove_callback(ev, ib), -ENOENT));
	cr_assert(eq(int, leat_event_remove_callback(ev, ic), 0));
	cr_assert(eq(int, leat_event_remove_callback(ev, ic), -ENOENT));
	dispatch(3);
	cr_assert(eq(sz, call_cnt, 5));
}

Test(event, a_lone_callback_takes_its_own_place)
{
	struct noter b = { .letter = 'b' };
	struct noter a = { .letter = 'a', .add = note, .add_ctx = &b };
	struct leat_event_stats stats;

	cr_assert(eq(int, leat_event_add_callback(ev, note, &a, &a.remove), 0));
	for (int i = 0; i < 3; i++)
		dispatch(3);
	cr_assert(eq(str, calls, (char *)"abb"));
	leat_event_stats(ev, &stats);
	cr_assert(eq(u64, stats.seen, 3));
	cr_assert(eq(u64, stats.delivered, 3));
}

static struct leat_event *target;

static int forward(void *ctx, const struct leat_event *e, const struct leat_record *r)
{
	struct leat_record other = *r;

	(void)ctx;
	(void)e;
	other.kind = leat_event_id(target);
	leat_bus_dispatch(bus, &other);
	return 0;
}

Test(event, one_event_forwards_to_another)
{
	struct noter a = { .letter = 'a' };

	target = add_event(4, "test/proxy");
	leat_event_set_flags(target, LEAT_EVENT_PROXY);
	cr_assert(eq(u32, leat_event_flags(target), LEAT_EVENT_PROXY));
	cr_assert(eq(int, leat_event_add_callback(target, note, &a, NULL), 0));
	cr_assert(eq(int, leat_event_add_callback(ev, forward, NULL, NULL), 0));
	dispatch(3);
	cr_assert(eq(str, calls, (char *)"a"));
}

/* ---- forwarding ---- */

static int forward_part(void *ctx, const struct leat_event *e, const struct leat_record *r)
{
	const uint32_t *range = ctx;

	(void)e;
	return leat_event_forward(bus, target, r, range[0], range[1]);
}

static int see_part(void *ctx, const struct leat_event *e, const struct leat_record *r)
{
	cr_assert(eq(u16, r->kind, leat_event_id(e)));
	cr_assert(eq(u64, r->ts_ns, 5));
	snprintf(ctx, 32, "%.*s", (int)r->size, (const char *)r->data);
	return 0;
}

Test(event, a_part_of_a_record_goes_to_a_proxy)
{
	static const struct {
		uint32_t range[2];
		const char *want;
		int err;
	} rows[] = {
		{ { 0, 6 }, "abcdef", 0 },
		{ { 2, 4 }, "cd", 0 },
		{ { 6, 6 }, "", 0 },
		{ { 0, 7 }, "-", -ENODATA },
		{ { 4, 2 }, "-", -ENODATA },
		{ { 7, 7 }, "-", -ENODATA },
		{ { 0, UINT32_MAX }, "-", -ENODATA },
	};
	struct leat_record r = { .kind = 3, .data = "abcdef", .size = 6, .ts_ns = 5 };
	char seen[32];
	uint32_t start, end;

	target = add_event(4, "test/proxy");
	cr_assert(eq(int, leat_event_forward(bus, target, &r, 0, 1), -EINVAL), "no proxy");
	leat_event_set_flags(target, LEAT_EVENT_PROXY);
	cr_assert(eq(int, leat_event_add_callback(target, see_part, seen, NULL), 0));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		leat_callback_id id;

		memcpy(seen, "-", 2);
		cr_assert(eq(int,
			     leat_event_add_callback(ev, forward_part, (void *)rows[i].range, &id),
			     0));
		leat_data_ref_move(leat_bus_header(bus), 1, 2);
		leat_bus_dispatch(bus, &r);
		leat_data_ref_range(leat_bus_header(bus), &start, &end);
		cr_expect(eq(u32, start, 1), "the header is the outer record's again");
		cr_expect(eq(u32, end, 3));
		cr_expect(eq(str, seen, (char *)rows[i].want));
		cr_assert(eq(int, leat_event_remove_callback(ev, id), 0));
	}
	cr_expect(eq(u64, leat_bus_error_cnt(bus), 4));
}

/* ---- the header of a record, seen by a proxy ---- */

static int see_range(void *ctx, const struct leat_event *e, const struct leat_record *r)
{
	uint32_t *range = ctx;

	(void)e;
	(void)r;
	leat_data_ref_range(leat_bus_header(bus), &range[0], &range[1]);
	return 0;
}

Test(event, a_header_inside_the_part_is_the_parts)
{
	static const struct {
		uint32_t header[2], part[2], want[2];
	} rows[] = {
		{ { 0, 4 }, { 0, 6 }, { 0, 4 } }, /* all of the record, as leat's own proxy has it */
		{ { 2, 4 }, { 2, 6 }, { 0, 2 } }, { { 2, 4 }, { 1, 4 }, { 1, 3 } },
		{ { 0, 4 }, { 1, 6 }, { 0, 0 } }, { { 2, 4 }, { 2, 3 }, { 0, 0 } },
		{ { 0, 0 }, { 2, 6 }, { 0, 0 } },
	};
	struct leat_record r = { .kind = 3, .data = "abcdef", .size = 6, .ts_ns = 5 };
	uint32_t seen[2], after[2];

	target = add_event(4, "test/proxy");
	leat_event_set_flags(target, LEAT_EVENT_PROXY);
	cr_assert(eq(int, leat_event_add_callback(target, see_range, seen, NULL), 0));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		const uint32_t *h = rows[i].header, *part = rows[i].part;

		leat_data_ref_move(leat_bus_header(bus), h[0], h[1] - h[0]);
		cr_assert(eq(int, leat_event_forward(bus, target, &r, part[0], part[1]), 0));
		cr_expect(eq(u32, seen[0], rows[i].want[0]), "row %zu", i);
		cr_expect(eq(u32, seen[1], rows[i].want[1]), "row %zu", i);
		leat_data_ref_range(leat_bus_header(bus), &after[0], &after[1]);
		cr_expect(eq(u32, after[0], h[0]), "row %zu", i);
		cr_expect(eq(u32, after[1], h[1]), "row %zu", i);
	}
}

static int forward_to_itself(void *ctx, const struct leat_event *e, const struct leat_record *r)
{
	(*(int *)ctx)++;
	(void)e;
	return leat_event_forward(bus, target, r, 0, r->size);
}

static int dispatch_again(void *ctx, const struct leat_event *e, const struct leat_record *r)
{
	(*(int *)ctx)++;
	(void)e;
	leat_bus_dispatch(bus, r);
	return 0;
}

Test(event, dispatches_within_each_other_are_bounded)
{
	struct leat_event_stats stats;
	int runs = 0, err;
	uint16_t id;

	target = add_event(4, "test/proxy");
	leat_event_set_flags(target, LEAT_EVENT_PROXY);
	cr_assert(eq(int, leat_event_add_callback(target, forward_to_itself, &runs, NULL), 0));
	dispatch(4);
	cr_expect(eq(int, runs, LEAT_DISPATCH_MAX_DEPTH));
	leat_event_stats(target, &stats);
	cr_expect(eq(u64, stats.seen, LEAT_DISPATCH_MAX_DEPTH + 1));
	cr_expect(eq(u64, stats.delivered, LEAT_DISPATCH_MAX_DEPTH));
	cr_expect(eq(u64, stats.too_deep, 1));
	cr_expect(eq(int, leat_bus_error_at(bus, 0, &err, &id), 0));
	cr_expect(eq(int, err, -ELOOP), "the innermost says so");
	runs = 0;
	cr_assert(eq(int, leat_event_add_callback(ev, dispatch_again, &runs, NULL), 0));
	dispatch(3);
	dispatch(3);
	cr_expect(eq(int, runs, 2 * LEAT_DISPATCH_MAX_DEPTH));
	leat_event_stats(ev, &stats);
	cr_expect(eq(u64, stats.too_deep, 2));
	cr_expect(eq(u64, stats.seen, stats.delivered + stats.filtered + stats.too_deep));
}

/* Removes a callback, itself or another one, in the inner of two dispatches of one event. */
struct nested {
	int depth;
	leat_callback_id remove;
};

static int remove_in_the_inner(void *ctx, const struct leat_event *e, const struct leat_record *r)
{
	struct nested *n = ctx;

	(void)e;
	calls[call_cnt++] = n->depth ? 'i' : 'o';
	if (n->depth++)
		cr_assert(eq(int, leat_event_remove_callback(ev, n->remove), 0));
	else
		leat_bus_dispatch(bus, r);
	return 0;
}

Test(event, callbacks_removed_in_a_nested_dispatch)
{
	struct noter a = { .letter = 'a' }, z = { .letter = 'z' };
	struct nested n = { 0, 0 };
	leat_callback_id self, later;

	cr_assert(eq(int, leat_event_add_callback(ev, note, &a, NULL), 0));
	cr_assert(eq(int, leat_event_add_callback(ev, remove_in_the_inner, &n, &self), 0));
	cr_assert(eq(int, leat_event_add_callback(ev, note, &z, &later), 0));
	n.remove = self;
	dispatch(3);
	cr_expect(eq(str, calls, (char *)"aoaizz"));
	dispatch(3);
	cr_expect(eq(str, calls, (char *)"aoaizzaz"), "itself is gone");
	call_cnt = 0;
	n = (struct nested){ 0, later };
	cr_assert(eq(int, leat_event_add_callback(ev, remove_in_the_inner, &n, NULL), 0));
	/* a z o, within it a z i, which removes z: it has run in both */
	dispatch(3);
	cr_expect(eq(str, calls, (char *)"azoazi"));
	call_cnt = 0;
	n.remove = 0;
	n.depth = 0;
	cr_assert(eq(int, leat_event_remove_callback(ev, later), -ENOENT));
}

/* ---- filters ---- */

Test(event, only_what_matches_reaches_the_callbacks)
{
	struct leat_field field = { .name = "v", .type = LEAT_TYPE_UINT, .size = 1 };
	struct leat_format *f = NULL;
	struct leat_filter *filter = NULL;
	struct leat_event_stats stats;
	struct leat_event *e = NULL;
	struct noter a = { .letter = 'a' };

	cr_assert(eq(int, leat_format_new(&f, "f"), 0));
	cr_assert(eq(int, leat_format_add(f, &field), 0));
	cr_assert(eq(int, leat_bus_add_event(bus, 8, "test/filtered", f, &e), 0));
	cr_assert(eq(int, leat_event_add_callback(e, note, &a, NULL), 0));
	cr_assert(eq(int, leat_filter_new(&filter, f, "v > 3", NULL), 0));
	cr_assert(eq(int, leat_event_set_filter(e, filter), 0));
	for (uint8_t v = 0; v < 10; v++) {
		struct leat_record r = { .kind = 8, .data = &v, .size = v == 5 ? 0 : 1 };

		leat_bus_dispatch(bus, &r);
	}
	cr_expect(eq(sz, call_cnt, 5));
	leat_event_stats(e, &stats);
	cr_expect(eq(u64, stats.seen, 10));
	cr_expect(eq(u64, stats.delivered, 5));
	cr_expect(eq(u64, stats.filtered, 5));
	cr_expect(eq(u64, stats.missing, 1));
	cr_assert(eq(int, leat_event_set_filter(e, NULL), 0));
	dispatch(8);
	cr_expect(eq(sz, call_cnt, 6));
	leat_event_stats(e, &stats);
	cr_expect(eq(u64, stats.missing, 1), "what was counted stays");
}

static int set_filter(void *ctx, const struct leat_event *e, const struct leat_record *r)
{
	(void)ctx;
	(void)e;
	(void)r;
	return leat_event_set_filter(ev, NULL);
}

Test(event, a_filter_is_not_replaced_under_way)
{
	int err;
	uint16_t id;

	cr_assert(eq(int, leat_event_add_callback(ev, set_filter, NULL, NULL), 0));
	dispatch(3);
	cr_assert(eq(int, leat_bus_error_at(bus, 0, &err, &id), 0));
	cr_expect(eq(int, err, -EBUSY));
}

/* ---- errors in batches ---- */

struct told {
	int times;
	size_t kept;
	uint64_t cnt;
	struct leat_event_error first, last;
};

static void tell(void *ctx, const struct leat_event_error *errors, size_t kept, uint64_t cnt)
{
	struct told *t = ctx;

	t->times++;
	t->kept = kept;
	t->cnt = cnt;
	t->first = errors[0];
	t->last = errors[kept - 1];
}

Test(event, errors_are_told_once_a_batch)
{
	struct noter a = { .letter = 'a', .err = -EIO }, b = { .letter = 'b', .err = -EPERM };
	struct told t = { .times = 0 };

	cr_assert(eq(int, leat_event_add_callback(ev, note, &a, NULL), 0));
	cr_assert(eq(int, leat_event_add_callback(ev, note, &b, NULL), 0));
	dispatch(3); /* before anybody asked */
	leat_bus_set_error_fn(bus, tell, &t);
	leat_bus_end_batch(bus);
	cr_expect(eq(int, t.times, 0), "nothing to tell");
	dispatch(3);
	cr_expect(eq(int, t.times, 0), "not a record at a time");
	leat_bus_end_batch(bus);
	cr_expect(eq(int, t.times, 1));
	cr_expect(eq(u64, t.cnt, 2));
	cr_expect(eq(int, t.first.err, -EIO));
	cr_expect(eq(int, t.last.err, -EPERM));
	cr_expect(eq(u16, t.last.event_id, 3));
	for (int i = 0; i < 50; i++)
		dispatch(3);
	leat_bus_end_batch(bus);
	leat_bus_end_batch(bus);
	cr_expect(eq(int, t.times, 2));
	cr_expect(eq(u64, t.cnt, 100), "a true count");
	cr_expect(eq(sz, t.kept, LEAT_BATCH_ERRORS), "a bounded list");
	cr_expect(eq(u64, leat_bus_error_cnt(bus), 104));
}

Test(event, unknown_ids_are_counted)
{
	dispatch(2);
	dispatch(99);
	dispatch(UINT16_MAX);
	cr_assert(eq(u64, leat_bus_unknown_cnt(bus), 3));
	dispatch(3);
	cr_assert(eq(u64, leat_bus_unknown_cnt(bus), 3));
}

Test(event, ids_and_names_are_unique)
{
	struct leat_format *f = NULL;

	cr_assert(eq(int, leat_format_new(&f, "f"), 0));
	cr_assert(eq(int, leat_bus_add_event(bus, 3, "test/other", f, NULL), -EEXIST));
	cr_assert(eq(int, leat_bus_add_event(bus, 9, "test/three", f, NULL), -EEXIST));
	cr_assert(eq(int, leat_bus_add_event(bus, UINT16_MAX, "test/x", f, NULL), -EINVAL));
	cr_assert(eq(int, leat_bus_add_event(bus, 9, "", f, NULL), -EINVAL));
	cr_assert(eq(int, leat_bus_add_event(bus, 9, "test/x", NULL, NULL), -EINVAL));
	cr_assert(eq(int, leat_bus_add_event(bus, 65534, "test/last", f, NULL), 0));
	cr_assert(eq(ptr, leat_bus_find(bus, "test/three"), ev));
	cr_assert(eq(ptr, leat_bus_find(bus, "test/none"), NULL));
	cr_assert(eq(ptr, leat_bus_at(bus, 3), ev));
	cr_assert(eq(ptr, leat_bus_at(bus, 4), NULL));
	cr_assert(eq(ptr, leat_bus_at(bus, UINT16_MAX), NULL));
	cr_assert(eq(u16, leat_event_id(ev), 3));
	cr_assert(eq(str, (char *)leat_event_name(ev), (char *)"test/three"));
	cr_assert(ne(ptr, (void *)leat_event_format(ev), NULL));
	cr_assert(eq(int, leat_event_add_callback(ev, NULL, NULL, NULL), -EINVAL));
}

Test(event, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_bus *b = NULL;
		struct leat_format *f = NULL;
		struct leat_event *e = NULL;
		int err = leat_bus_new(&b);

		if (!err)
			err = leat_format_new(&f, "f");
		if (!err) {
			err = leat_bus_add_event(b, 7, "test/e", f, &e);
			f = err ? f : NULL;
		}
		if (!err)
			err = leat_event_add_callback(e, note, NULL, NULL);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		leat_format_free(&f);
		leat_bus_free(&b);
	}
}
