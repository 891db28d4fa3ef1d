/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/data_ref.h>
#include <leat/event.h>
#include <leat/filter.h>

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/errors.h"

#define MAX_CALLBACKS 65536u
#define MAX_EVENTS    65535u

_Static_assert(LEAT_BATCH_ERRORS == LEAT_ERRORS_KEPT, "a batch is what is kept");

struct callback {
	leat_event_fn fn; /* NULL: removed while the event was being dispatched */
	void *ctx;
	leat_callback_id id;
};

struct leat_event {
	struct leat_event_head head;
	bool has_removed;
	uint16_t id;
	uint32_t flags;
	struct callback *callbacks;
	size_t n;
	size_t cap;
	struct leat_filter *filter;    /* NULL: all records */
	struct leat_event_stats stats; /* .seen, .delivered and .missing are worked out */
	leat_callback_id last_id;
	struct leat_format *format;
	char *name;
};

struct leat_bus {
	struct leat_bus_head head;
	size_t cap;
	uint64_t unknown_cnt;
	struct leat_data_ref *header;
	struct leat_errors errors;
	struct leat_errors batch; /* those that were not reported yet */
	leat_errors_fn error_fn;
	void *error_ctx;
};

_Static_assert(offsetof(struct leat_event, head) == 0 && offsetof(struct leat_bus, head) == 0,
	       "the inline functions look for their members first");

/* In the place of an event where there is none: no dispatch finds a callback in it. */
static struct leat_event_head no_event;

int leat_bus_new(struct leat_bus **out)
{
	LEAT_AUTO(leat_bus_free) struct leat_bus *bus = calloc(1, sizeof(*bus));
	int err;

	if (!bus)
		return -ENOMEM;
	err = leat_data_ref_new(&bus->header);
	if (!err)
		*out = LEAT_TAKE(bus);
	return err;
}

static void event_free(struct leat_event *ev)
{
	if (!ev)
		return;
	free(ev->callbacks);
	leat_filter_free(&ev->filter);
	leat_format_free(&ev->format);
	free(ev->name);
	free(ev);
}

void leat_bus_free(struct leat_bus **bus)
{
	if (!*bus)
		return;
	for (size_t i = 0; i < (*bus)->head.event_cnt; i++)
		event_free(leat_bus_at(*bus, (uint16_t)i));
	free((*bus)->head.events);
	leat_data_ref_put(&(*bus)->header);
	free(*bus);
	*bus = NULL;
}

static int grow_events(struct leat_bus *bus, uint16_t id)
{
	struct leat_bus_head *h = &bus->head;
	int err = LEAT_ARRAY_ROOM(h->events, bus->cap, (size_t)id + 1, MAX_EVENTS);

	if (err)
		return err;
	while (h->event_cnt <= id)
		h->events[h->event_cnt++] = &no_event;
	return 0;
}

int leat_bus_add_event(struct leat_bus *bus, uint16_t id, const char *name,
		       struct leat_format *format, struct leat_event **out)
{
	struct leat_event *ev;
	int err;

	if (id >= MAX_EVENTS || !name || !*name || !format)
		return -EINVAL;
	if (leat_bus_at(bus, id) || leat_bus_find(bus, name))
		return -EEXIST;
	err = grow_events(bus, id);
	if (err)
		return err;
	ev = calloc(1, sizeof(*ev));
	if (!ev)
		return -ENOMEM;
	ev->name = strdup(name);
	if (!ev->name) {
		event_free(ev);
		return -ENOMEM;
	}
	ev->id = id;
	ev->format = format;
	ev->head.format = format;
	bus->head.events[id] = &ev->head;
	if (out)
		*out = ev;
	return 0;
}

struct leat_event *leat_bus_find(const struct leat_bus *bus, const char *name)
{
	for (size_t i = 0; i < bus->head.event_cnt; i++) {
		struct leat_event *ev = leat_bus_at(bus, (uint16_t)i);

		if (ev && strcmp(ev->name, name) == 0)
			return ev;
	}
	return NULL;
}

struct leat_event *leat_bus_at(const struct leat_bus *bus, uint16_t id)
{
	if (id >= bus->head.event_cnt || bus->head.events[id] == &no_event)
		return NULL;
	return (struct leat_event *)bus->head.events[id];
}

/* To be called when the callbacks or the filter have changed. */
static void find_lone(struct leat_event *ev)
{
	bool is_lone = ev->n == 1 && !ev->filter;

	ev->head.fn = is_lone ? ev->callbacks[0].fn : NULL;
	ev->head.ctx = is_lone ? ev->callbacks[0].ctx : NULL;
}

static __attribute__((cold, noinline)) void drop_removed(struct leat_event *ev)
{
	size_t kept = 0;

	for (size_t i = 0; i < ev->n; i++) {
		if (ev->callbacks[i].fn)
			ev->callbacks[kept++] = ev->callbacks[i];
	}
	ev->n = kept;
	ev->has_removed = false;
	find_lone(ev);
}

void leat_bus_error(struct leat_bus *bus, struct leat_event *ev, int err)
{
	leat_errors_add(&bus->errors, err, ev->id);
	if (bus->error_fn)
		leat_errors_add(&bus->batch, err, ev->id);
}

/* The array may move when a callback adds one; what is added waits for the next record. */
static void run_callbacks(struct leat_bus *bus, struct leat_event *ev, const struct leat_record *r)
{
	size_t n = ev->n;

	for (size_t i = 0; i < n; i++) {
		struct callback cb = ev->callbacks[i];
		int err = cb.fn ? cb.fn(cb.ctx, ev, r) : 0;

		if (__builtin_expect(err != 0, 0))
			leat_bus_error(bus, ev, err);
	}
}

/* -ELOOP, counted: a callback that sends its own event again would end at the stack's end. */
static int deliver(struct leat_bus *bus, struct leat_event *ev, const struct leat_record *r)
{
	const uint32_t outer = ev->head.running;

	ev->head.seen++;
	if (__builtin_expect(outer == LEAT_DISPATCH_MAX_DEPTH, 0)) {
		ev->stats.too_deep++;
		return -ELOOP;
	}
	if (ev->filter && !leat_filter_matches(ev->filter, r)) {
		ev->stats.filtered++;
		return 0;
	}
	ev->head.running = outer + 1;
	run_callbacks(bus, ev, r);
	ev->head.running = outer;
	if (__builtin_expect(!outer && ev->has_removed, 0))
		drop_removed(ev);
	return 0;
}

void leat_bus_dispatch_any(struct leat_bus *bus, const struct leat_record *r)
{
	struct leat_event *ev = leat_bus_at(bus, r->kind);

	if (__builtin_expect(!ev, 0))
		bus->unknown_cnt++;
	else
		(void)deliver(bus, ev, r);
}

int leat_event_forward(struct leat_bus *bus, struct leat_event *ev, const struct leat_record *r,
		       uint32_t start, uint32_t end)
{
	struct leat_record part = *r;
	uint32_t from, to;
	int err;

	if (!(ev->flags & LEAT_EVENT_PROXY))
		return -EINVAL;
	if (start > end || end > r->size)
		return -ENODATA;
	part.data = (const uint8_t *)r->data + start;
	part.size = end - start;
	part.kind = ev->id;
	/* A header that lies in the part is the part's too. Any other is no business of the proxy's. */
	leat_data_ref_range(bus->header, &from, &to);
	if (from >= start && to <= end)
		leat_data_ref_move(bus->header, from - start, to - from);
	else
		leat_data_ref_reset(bus->header);
	err = deliver(bus, ev, &part);
	leat_data_ref_move(bus->header, from, to - from);
	return err;
}

struct leat_data_ref *leat_bus_header(const struct leat_bus *bus)
{
	return bus->header;
}

void leat_bus_set_error_fn(struct leat_bus *bus, leat_errors_fn fn, void *ctx)
{
	bus->error_fn = fn;
	bus->error_ctx = ctx;
}

void leat_bus_end_batch(struct leat_bus *bus)
{
	struct leat_event_error errors[LEAT_BATCH_ERRORS];
	uint64_t cnt = bus->batch.cnt;
	size_t kept = cnt < LEAT_ERRORS_KEPT ? (size_t)cnt : LEAT_ERRORS_KEPT;

	if (!cnt)
		return;
	for (size_t i = 0; i < kept; i++)
		errors[i] =
			(struct leat_event_error){ .err = bus->batch.kept[i].err,
						   .event_id =
							   (uint16_t)bus->batch.kept[i].source };
	/* Before the call: it may dispatch, and what fails then is of the next batch. */
	leat_errors_reset(&bus->batch);
	if (bus->error_fn)
		bus->error_fn(bus->error_ctx, errors, kept, cnt);
}

uint64_t leat_bus_unknown_cnt(const struct leat_bus *bus)
{
	return bus->unknown_cnt;
}

uint64_t leat_bus_error_cnt(const struct leat_bus *bus)
{
	return bus->errors.cnt;
}

int leat_bus_error_at(const struct leat_bus *bus, size_t i, int *err, uint16_t *event_id)
{
	if (i >= bus->errors.cnt || i >= LEAT_ERRORS_KEPT)
		return -ENOENT;
	*err = bus->errors.kept[i].err;
	*event_id = (uint16_t)bus->errors.kept[i].source;
	return 0;
}

uint16_t leat_event_id(const struct leat_event *ev)
{
	return ev->id;
}

const char *leat_event_name(const struct leat_event *ev)
{
	return ev->name;
}

uint32_t leat_event_flags(const struct leat_event *ev)
{
	return ev->flags;
}

void leat_event_set_flags(struct leat_event *ev, uint32_t flags)
{
	ev->flags = flags;
}

int leat_event_set_filter(struct leat_event *ev, struct leat_filter *filter)
{
	if (ev->head.running)
		return -EBUSY;
	if (ev->filter)
		ev->stats.missing += leat_filter_missing_cnt(ev->filter);
	leat_filter_free(&ev->filter);
	ev->filter = filter;
	find_lone(ev);
	return 0;
}

void leat_event_stats(const struct leat_event *ev, struct leat_event_stats *out)
{
	*out = ev->stats;
	out->seen = ev->head.seen;
	out->delivered = out->seen - out->filtered - out->too_deep;
	if (ev->filter)
		out->missing += leat_filter_missing_cnt(ev->filter);
}

int leat_event_add_callback(struct leat_event *ev, leat_event_fn fn, void *ctx,
			    leat_callback_id *id)
{
	int err;

	if (!fn)
		return -EINVAL;
	err = LEAT_ARRAY_ROOM(ev->callbacks, ev->cap, ev->n + 1, MAX_CALLBACKS);
	if (err)
		return err;
	if (++ev->last_id == 0)
		ev->last_id = 1;
	ev->callbacks[ev->n++] = (struct callback){ .fn = fn, .ctx = ctx, .id = ev->last_id };
	find_lone(ev);
	if (id)
		*id = ev->last_id;
	return 0;
}

int leat_event_remove_callback(struct leat_event *ev, leat_callback_id id)
{
	for (size_t i = 0; i < ev->n; i++) {
		if (ev->callbacks[i].id != id || !ev->callbacks[i].fn)
			continue;
		ev->callbacks[i].fn = NULL;
		ev->has_removed = true;
		ev->head.fn = NULL;
		if (!ev->head.running)
			drop_removed(ev);
		return 0;
	}
	return -ENOENT;
}
