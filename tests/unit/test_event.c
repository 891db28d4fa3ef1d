/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/event.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

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
