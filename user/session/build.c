/* SPDX-License-Identifier: BSD-2-Clause */
/* Sessions that own their bus and their sources. */
#include <errno.h>
#include <string.h>

#include "session/builder.h"

/* What is asked for and no source takes over would be ignored: an error instead. */
static int check_taken(struct leat_session_builder *b, uint32_t took)
{
	static const char no_source[] = "no source can be told";

	if (b->config.target_cnt && !(took & LEAT_CONFIG_TARGETS))
		return leat_builder_fail(b, -ENOTSUP, "%s who is looked at", no_source);
	if (b->config.frequency_hz && !(took & LEAT_CONFIG_FREQUENCY))
		return leat_builder_fail(b, -ENOTSUP, "%s how often samples are taken", no_source);
	if (b->config.buffer_bytes && !(took & LEAT_CONFIG_BUFFERS))
		return leat_builder_fail(b, -ENOTSUP, "%s how large its buffers are", no_source);
	return 0;
}

/* What a source says of its last error; else what the number does. */
static const char *why(const struct leat_source *s, int err)
{
	const char *text = s->ops->error ? s->ops->error(s->self) : "";

	return *text ? text : strerror(-err);
}

static const char *name_of(const struct leat_source *s)
{
	return s->ops->name ? s->ops->name : "without a name";
}

static int configure(struct leat_session_builder *b)
{
	uint32_t took = 0;

	b->config.per_thread = b->opts.per_thread;
	b->config.times = b->opts.stream;
	b->config.no_kernel = b->opts.user_only;
	b->config.no_user = b->opts.kernel_only;
	for (size_t i = 0; i < b->source_cnt; i++) {
		const struct leat_source *s = &b->sources[i];
		uint32_t more = 0;
		int err;

		if (!s->ops->configure)
			continue;
		err = s->ops->configure(s->self, &b->config, &more);
		if (err)
			return leat_builder_fail(b, err, "the source %s cannot do that: %s",
						 name_of(s), why(s, err));
		took |= more;
	}
	return check_taken(b, took);
}

static int open_sources(struct leat_session_builder *b, struct leat_session *s)
{
	int err = leat_bus_new(&s->own_bus);

	if (err)
		return leat_builder_fail(b, err, "out of memory");
	leat_pump_init(&s->pump, s->own_bus);
	for (size_t i = 0; i < b->source_cnt; i++) {
		err = leat_pump_add(&s->pump, b->sources[i]);
		if (err)
			return leat_builder_fail(b, err, "source %zu cannot be added", i);
	}
	err = configure(b);
	if (err)
		return err;
	err = leat_pump_open(&s->pump);
	if (err) {
		const struct leat_source *bad = &b->sources[s->pump.opened_cnt];

		leat_builder_fail(b, err, "the source %s cannot be opened: %s", name_of(bad),
				  why(bad, err));
	}
	return err;
}

static int add_callbacks(struct leat_session_builder *b, struct leat_session *s)
{
	for (size_t i = 0; i < b->callback_cnt; i++) {
		const struct leat_wanted_callback *cb = &b->callbacks[i];
		struct leat_event *ev = leat_bus_find(s->own_bus, cb->event);
		int err;

		if (!ev)
			return leat_builder_fail(b, -ENOENT, "no source has the event %s",
						 cb->event);
		err = leat_event_add_callback(ev, cb->fn, cb->ctx, NULL);
		if (err)
			return leat_builder_fail(b, err, "out of memory");
	}
	return 0;
}

static int add_filters(struct leat_session_builder *b, struct leat_session *s)
{
	for (size_t i = 0; i < b->config.event_cnt; i++) {
		const struct leat_event_spec *spec = &b->events[i];
		struct leat_event *ev = leat_bus_find(s->own_bus, spec->name);
		struct leat_filter *filter = NULL;
		struct leat_filter_error e;
		int err;

		if (!ev)
			return leat_builder_fail(b, -ENOENT, "no source has the event %s",
						 spec->name);
		if (!spec->filter)
			continue;
		err = leat_filter_new(&filter, leat_event_format(ev), spec->filter, &e);
		if (!err)
			err = leat_event_set_filter(ev, filter);
		if (err)
			return leat_builder_fail(b, err, "the filter of %s: %s", spec->name,
						 e.text);
	}
	return 0;
}

/* Hooks may add sources, events, and hooks that come after them. */
static int run_build_hooks(struct leat_session_builder *b)
{
	for (size_t i = 0; i < b->hook_cnt && !b->err; i++) {
		const struct leat_builder_hooks *h = &b->hooks[i];
		int err = h->on_build ? h->on_build(h->ctx, b) : 0;

		if (err)
			leat_builder_fail(b, err, "hook %zu, before the session is built: %s", i,
					  strerror(-err));
	}
	return b->err;
}

static int run_session_hooks(struct leat_session_builder *b, struct leat_session *s)
{
	for (size_t i = 0; i < b->hook_cnt; i++) {
		const struct leat_builder_hooks *h = &b->hooks[i];
		int err = h->on_session ? h->on_session(h->ctx, s) : 0;

		if (err)
			return leat_builder_fail(b, err, "hook %zu, of the session: %s", i,
						 strerror(-err));
	}
	return 0;
}

int leat_session_build(struct leat_session_builder *b, struct leat_session **out)
{
	LEAT_AUTO(leat_session_free) struct leat_session *s = NULL;
	int err;

	if (!b)
		return -ENOMEM;
	err = run_build_hooks(b);
	if (err)
		return err;
	if (!b->source_cnt)
		leat_builder_fail(b, -EINVAL, "a session needs a source");
	if (b->opts.user_only && b->opts.kernel_only)
		leat_builder_fail(b, -EINVAL, "neither user nor kernel frames would be kept");
	if (b->err)
		return b->err;
	err = leat_session_new(&s);
	if (err)
		return leat_builder_fail(b, err, "out of memory");
	leat_session_set_opts(s, &b->opts);
	s->attribute_source_cnt = b->attribute_cnt;
	memcpy(s->attribute_sources, b->attributes, sizeof(b->attributes));
	err = open_sources(b, s);
	if (err)
		return err;
	err = leat_session_attach(s, s->own_bus);
	if (err)
		return leat_builder_fail(b, err, "an event of a source lacks a field: %s",
					 strerror(-err));
	leat_bus_set_error_fn(s->own_bus, b->error_fn, b->error_ctx);
	err = add_callbacks(b, s);
	if (!err)
		err = add_filters(b, s);
	if (!err)
		err = run_session_hooks(b, s);
	if (!err)
		*out = LEAT_TAKE(s);
	return err;
}

struct leat_bus *leat_session_bus(const struct leat_session *s)
{
	return s->own_bus;
}

void leat_session_source_stats(const struct leat_session *s, struct leat_source_stats *out)
{
	leat_pump_stats(&s->pump, out);
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
