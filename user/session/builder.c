/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions that own their bus and their sources. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "session/impl.h"

#define MAX_CALLBACKS 64
#define NAME_MAX_LEN  128

struct wanted_callback {
	char event[NAME_MAX_LEN];
	leat_event_fn fn;
	void *ctx;
};

struct leat_session_builder {
	int err; /* the first one */
	char text[256];
	struct leat_source sources[LEAT_PUMP_MAX_SOURCES];
	size_t source_cnt;
	struct wanted_callback callbacks[MAX_CALLBACKS];
	size_t callback_cnt;
	struct leat_session_opts opts;
};

struct leat_session_builder *leat_session_builder_new(void)
{
	return calloc(1, sizeof(struct leat_session_builder));
}

void leat_session_builder_free(struct leat_session_builder **b)
{
	free(*b);
	*b = NULL;
}

const char *leat_session_builder_error(const struct leat_session_builder *b)
{
	return b ? b->text : "out of memory";
}

/* The first error sticks; what follows from it says nothing. */
static int LEAT_PRINTF(3, 4) fail(struct leat_session_builder *b, int err, const char *fmt, ...)
{
	va_list ap;

	if (b->err)
		return b->err;
	b->err = err;
	va_start(ap, fmt);
	vsnprintf(b->text, sizeof(b->text), fmt, ap);
	va_end(ap);
	return err;
}

struct leat_session_builder *leat_session_with_source(struct leat_session_builder *b,
						      struct leat_source s)
{
	if (!b)
		return b;
	if (!s.ops)
		fail(b, -EINVAL, "a source has no operations");
	else if (b->source_cnt == LEAT_PUMP_MAX_SOURCES)
		fail(b, -EOVERFLOW, "more than %d sources", LEAT_PUMP_MAX_SOURCES);
	else
		b->sources[b->source_cnt++] = s;
	return b;
}

struct leat_session_builder *leat_session_with_callback(struct leat_session_builder *b,
							const char *event, leat_event_fn fn,
							void *ctx)
{
	struct wanted_callback *cb;

	if (!b)
		return b;
	if (!event || !fn || strlen(event) >= NAME_MAX_LEN) {
		fail(b, -EINVAL, "a callback needs the name of an event, below %d bytes",
		     NAME_MAX_LEN);
	} else if (b->callback_cnt == MAX_CALLBACKS) {
		fail(b, -EOVERFLOW, "more than %d callbacks", MAX_CALLBACKS);
	} else {
		cb = &b->callbacks[b->callback_cnt++];
		memcpy(cb->event, event, strlen(event) + 1);
		cb->fn = fn;
		cb->ctx = ctx;
	}
	return b;
}

struct leat_session_builder *leat_session_with_per_thread(struct leat_session_builder *b, bool on)
{
	if (b)
		b->opts.per_thread = on;
	return b;
}

struct leat_session_builder *leat_session_with_times(struct leat_session_builder *b, bool on)
{
	if (b)
		b->opts.stream = on;
	return b;
}

struct leat_session_builder *leat_session_with_kernel(struct leat_session_builder *b, bool on)
{
	if (b)
		b->opts.user_only = !on;
	return b;
}

struct leat_session_builder *leat_session_with_user(struct leat_session_builder *b, bool on)
{
	if (b)
		b->opts.kernel_only = !on;
	return b;
}

static int open_sources(struct leat_session_builder *b, struct leat_session *s)
{
	int err = leat_bus_new(&s->own_bus);

	if (err)
		return fail(b, err, "out of memory");
	leat_pump_init(&s->pump, s->own_bus);
	for (size_t i = 0; i < b->source_cnt; i++) {
		err = leat_pump_add(&s->pump, b->sources[i]);
		if (err)
			return fail(b, err, "source %zu cannot be added", i);
	}
	err = leat_pump_open(&s->pump);
	if (err) {
		const char *name = b->sources[s->pump.opened_cnt].ops->name;

		fail(b, err, "the source %s cannot be opened: %s", name ? name : "without a name",
		     strerror(-err));
	}
	return err;
}

static int add_callbacks(struct leat_session_builder *b, struct leat_session *s)
{
	for (size_t i = 0; i < b->callback_cnt; i++) {
		const struct wanted_callback *cb = &b->callbacks[i];
		struct leat_event *ev = leat_bus_find(s->own_bus, cb->event);
		int err;

		if (!ev)
			return fail(b, -ENOENT, "no source has the event %s", cb->event);
		err = leat_event_add_callback(ev, cb->fn, cb->ctx, NULL);
		if (err)
			return fail(b, err, "out of memory");
	}
	return 0;
}

int leat_session_build(struct leat_session_builder *b, struct leat_session **out)
{
	LEAT_AUTO(leat_session_free) struct leat_session *s = NULL;
	int err;

	if (!b)
		return -ENOMEM;
	if (!b->source_cnt)
		fail(b, -EINVAL, "a session needs a source");
	if (b->opts.user_only && b->opts.kernel_only)
		fail(b, -EINVAL, "neither user nor kernel frames would be kept");
	if (b->err)
		return b->err;
	err = leat_session_new(&s);
	if (err)
		return fail(b, err, "out of memory");
	leat_session_set_opts(s, &b->opts);
	err = open_sources(b, s);
	if (err)
		return err;
	err = leat_session_attach(s, s->own_bus);
	if (err)
		return fail(b, err, "an event of a source lacks a field: %s", strerror(-err));
	err = add_callbacks(b, s);
	if (!err)
		*out = LEAT_TAKE(s);
	return err;
}

int leat_session_start(struct leat_session *s)
{
	return s->own_bus ? leat_pump_start(&s->pump) : -EINVAL;
}

int leat_session_poll(struct leat_session *s, uint64_t now_ns)
{
	return s->own_bus ? leat_pump_round(&s->pump, now_ns) : -EINVAL;
}

int leat_session_drain_own(struct leat_session *s)
{
	int err, n;

	if (!s->own_bus)
		return 0;
	err = leat_pump_stop(&s->pump);
	n = leat_pump_round(&s->pump, UINT64_MAX);
	return err ? err : n < 0 ? n : 0;
}

void leat_session_close_own(struct leat_session *s)
{
	if (!s->own_bus)
		return;
	(void)!leat_pump_stop(&s->pump);
	leat_pump_close(&s->pump);
	leat_bus_free(&s->own_bus);
}
