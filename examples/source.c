/* SPDX-License-Identifier: BSD-2-Clause */
/* A source of user code: it registers an event and delivers its records. */
#include <leat/session.h>

#include "example.h"

#define TICK 1000 /* the event's id: above those of leat's own events */

struct ticker {
	uint64_t next, end;
};

static int ticker_open(void *self, struct leat_bus *bus)
{
	struct leat_field field = { .name = "tick", .type = LEAT_TYPE_UINT, .size = 8 };
	struct leat_format *format = NULL;
	int err = leat_format_new(&format, "demo/tick");

	(void)self;
	if (!err)
		err = leat_format_add(format, &field);
	if (!err)
		err = leat_bus_add_event(bus, TICK, "demo/tick", format, NULL);
	if (err && format)
		leat_format_free(&format); /* the bus owns it on success only */
	return err;
}

static int ticker_start(void *self)
{
	((struct ticker *)self)->next = 1;
	return 0;
}

static int ticker_poll(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	struct ticker *t = self;
	int n = 0;

	for (; t->next && t->next <= t->end && t->next <= until_ns; t->next++, n++) {
		struct leat_record r = {
			.data = &t->next, .size = 8, .kind = TICK, .ts_ns = t->next
		};

		leat_bus_dispatch(bus, &r);
	}
	*more = false;
	return n;
}

static int ticker_stop(void *self)
{
	(void)self;
	return 0;
}

static void ticker_close(void *self)
{
	(void)self;
}

static const struct leat_source_ops ticker_ops = {
	.name = "ticker",
	.open = ticker_open,
	.start = ticker_start,
	.poll = ticker_poll,
	.stop = ticker_stop,
	.close = ticker_close,
};

static int add_up(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	leat_field_ref ref;
	uint64_t v;
	int err = leat_format_ref(leat_event_format(ev), "tick", &ref);

	if (!err)
		err = leat_get_u64(leat_event_format(ev), ref, r, &v);
	if (!err)
		*(uint64_t *)ctx += v;
	return err;
}

int main(void)
{
	struct ticker ticker = { 0, 10 };
	struct leat_session_builder *b = leat_session_builder_new();
	struct leat_session *s = NULL;
	uint64_t sum = 0;

	leat_session_with_source(b, (struct leat_source){ &ticker_ops, &ticker });
	leat_session_with_event(b, "demo/tick", "tick in {2, 4..6}");
	leat_session_with_callback(b, "demo/tick", add_up, &sum);
	CHECK(leat_session_build(b, &s) == 0);
	CHECK(leat_session_start(s) == 0);
	CHECK(leat_session_finish(s) == 0);
	CHECK(sum == 2 + 4 + 5 + 6);
	printf("ticks that match add up to %d\n", (int)sum);
	leat_session_free(&s);
	leat_session_builder_free(&b);
	return 0;
}
