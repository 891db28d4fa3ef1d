/* SPDX-License-Identifier: BSD-2-Clause */
/* Callbacks that fail: the others run all the same, and the errors are told once a batch. */
#include <leat/event.h>

#include <inttypes.h>

#include "example.h"

static int refuse_odd(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ctx;
	(void)ev;
	return r->ts_ns % 2 ? -ERANGE : 0;
}

static int count(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ev;
	(void)r;
	++*(unsigned int *)ctx;
	return 0;
}

static void on_errors(void *ctx, const struct leat_event_error *errors, size_t kept, uint64_t cnt)
{
	const struct leat_bus *bus = ctx;
	const struct leat_event *ev = leat_bus_at(bus, errors[0].event_id);

	CHECK(kept == LEAT_BATCH_ERRORS && errors[0].err == -ERANGE);
	printf("%s: %" PRIu64 " errors, the first %zu are kept\n", leat_event_name(ev), cnt, kept);
}

int main(void)
{
	struct leat_format *format = NULL;
	struct leat_event *ev = NULL;
	struct leat_bus *bus = NULL;
	unsigned int seen = 0;

	CHECK(leat_bus_new(&bus) == 0);
	CHECK(leat_format_new(&format, "tick") == 0);
	CHECK(leat_bus_add_event(bus, 1, "example/tick", format, &ev) == 0);
	CHECK(leat_event_add_callback(ev, refuse_odd, NULL, NULL) == 0);
	CHECK(leat_event_add_callback(ev, count, &seen, NULL) == 0);
	leat_bus_set_error_fn(bus, on_errors, bus);
	for (uint64_t i = 0; i < 100; i++) {
		const struct leat_record r = { .kind = 1, .ts_ns = i };

		leat_bus_dispatch(bus, &r);
	}
	leat_bus_end_batch(bus);
	leat_bus_end_batch(bus); /* nothing is left to tell */
	printf("all %u records reached the second callback\n", seen);
	leat_bus_free(&bus);
	return 0;
}
