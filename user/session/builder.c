/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session is to be made of. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "session/builder.h"

#define MAX_FREQUENCY_HZ 1000000u
#define MAX_BUFFER_BYTES ((uint64_t)1 << 30)

struct leat_session_builder *leat_session_builder_new(void)
{
	struct leat_session_builder *b = calloc(1, sizeof(*b));

	if (b) {
		b->config.sz = sizeof(b->config);
		b->config.targets = b->targets;
		b->config.events = b->events;
	}
	return b;
}

void leat_session_builder_free(struct leat_session_builder **b)
{
	if (!*b)
		return;
	for (size_t i = 0; i < (*b)->config.target_cnt; i++)
		free((char *)(*b)->targets[i].name);
	for (size_t i = 0; i < (*b)->config.event_cnt; i++) {
		free((char *)(*b)->events[i].name);
		free((char *)(*b)->events[i].filter);
	}
	free(*b);
	*b = NULL;
}

const char *leat_session_builder_error(const struct leat_session_builder *b)
{
	return b ? b->text : "out of memory";
}

int leat_builder_fail(struct leat_session_builder *b, int err, const char *fmt, ...)
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
		leat_builder_fail(b, -EINVAL, "a source has no operations");
	else if (b->source_cnt == LEAT_PUMP_MAX_SOURCES)
		leat_builder_fail(b, -EOVERFLOW, "more than %d sources", LEAT_PUMP_MAX_SOURCES);
	else
		b->sources[b->source_cnt++] = s;
	return b;
}

struct leat_session_builder *leat_session_with_callback(struct leat_session_builder *b,
							const char *event, leat_event_fn fn,
							void *ctx)
{
	struct leat_wanted_callback *cb;

	if (!b)
		return b;
	if (!event || !fn || strlen(event) >= LEAT_BUILDER_NAME_MAX) {
		leat_builder_fail(b, -EINVAL,
				  "a callback needs the name of an event, below %d bytes",
				  LEAT_BUILDER_NAME_MAX);
	} else if (b->callback_cnt == LEAT_BUILDER_MAX_CALLBACKS) {
		leat_builder_fail(b, -EOVERFLOW, "more than %d callbacks",
				  LEAT_BUILDER_MAX_CALLBACKS);
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

/* A copy of a text that a spec holds; NULL stays NULL. */
static const char *keep(struct leat_session_builder *b, const char *s)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		leat_builder_fail(b, -ENOMEM, "out of memory");
	return copy;
}

static bool target_is_valid(const struct leat_target_spec *t)
{
	switch (t->kind) {
	case LEAT_TARGET_PROCESS:
	case LEAT_TARGET_THREAD:
		return t->id > 0;
	case LEAT_TARGET_CGROUP:
	case LEAT_TARGET_NAME:
		return t->name && *t->name && strlen(t->name) < LEAT_BUILDER_TARGET_MAX;
	case LEAT_TARGET_ALL:
		return true;
	}
	return false;
}

struct leat_session_builder *leat_session_with_target(struct leat_session_builder *b,
						      const struct leat_target_spec *target)
{
	struct leat_target_spec *t;

	if (!b)
		return b;
	if (!target || !target_is_valid(target)) {
		leat_builder_fail(b, -EINVAL,
				  "a target needs the id or the name that its kind says");
	} else if (b->config.target_cnt == LEAT_SESSION_MAX_TARGETS) {
		leat_builder_fail(b, -EOVERFLOW, "more than %d targets", LEAT_SESSION_MAX_TARGETS);
	} else {
		t = &b->targets[b->config.target_cnt++];
		*t = *target;
		t->name = keep(b, target->name);
	}
	return b;
}

struct leat_session_builder *leat_session_with_frequency(struct leat_session_builder *b,
							 uint64_t hz)
{
	if (!b)
		return b;
	if (!hz || hz > MAX_FREQUENCY_HZ)
		leat_builder_fail(b, -EINVAL, "a frequency is 1 to %u Hz", MAX_FREQUENCY_HZ);
	else
		b->config.frequency_hz = hz;
	return b;
}

struct leat_session_builder *leat_session_with_buffers(struct leat_session_builder *b,
						       uint64_t bytes)
{
	if (!b)
		return b;
	if (!bytes || bytes > MAX_BUFFER_BYTES)
		leat_builder_fail(b, -EINVAL, "a buffer has 1 to %llu bytes",
				  (unsigned long long)MAX_BUFFER_BYTES);
	else
		b->config.buffer_bytes = bytes;
	return b;
}

static bool is_wanted(const struct leat_session_builder *b, const char *event)
{
	for (size_t i = 0; i < b->config.event_cnt; i++) {
		if (b->events[i].name && strcmp(b->events[i].name, event) == 0)
			return true;
	}
	return false;
}

struct leat_session_builder *leat_session_with_event(struct leat_session_builder *b,
						     const char *event, const char *filter)
{
	struct leat_event_spec *e;

	if (!b)
		return b;
	if (!event || !*event || strlen(event) >= LEAT_BUILDER_NAME_MAX) {
		leat_builder_fail(b, -EINVAL, "an event needs a name, below %d bytes",
				  LEAT_BUILDER_NAME_MAX);
	} else if (is_wanted(b, event)) {
		leat_builder_fail(b, -EEXIST,
				  "the event %s is wanted twice: join the filters by ||", event);
	} else if (b->config.event_cnt == LEAT_SESSION_MAX_EVENTS) {
		leat_builder_fail(b, -EOVERFLOW, "more than %d events", LEAT_SESSION_MAX_EVENTS);
	} else {
		e = &b->events[b->config.event_cnt++];
		e->name = keep(b, event);
		e->filter = keep(b, filter);
	}
	return b;
}

struct leat_session_builder *leat_session_with_hooks(
	struct leat_session_builder *b, int (*on_build)(void *ctx, struct leat_session_builder *b),
	int (*on_session)(void *ctx, struct leat_session *s), void *ctx)
{
	if (!b)
		return b;
	if (b->hook_cnt == LEAT_BUILDER_MAX_HOOKS)
		leat_builder_fail(b, -EOVERFLOW, "more than %d hooks", LEAT_BUILDER_MAX_HOOKS);
	else
		b->hooks[b->hook_cnt++] = (struct leat_builder_hooks){ on_build, on_session, ctx };
	return b;
}

struct leat_session_builder *leat_session_with_errors(struct leat_session_builder *b,
						      leat_errors_fn fn, void *ctx)
{
	if (b) {
		b->error_fn = fn;
		b->error_ctx = ctx;
	}
	return b;
}

struct leat_session_builder *leat_session_with_attributes(struct leat_session_builder *b,
							  struct leat_attribute_source a)
{
	if (!b)
		return b;
	if (!a.ops || !a.ops->attributes)
		leat_builder_fail(b, -EINVAL, "a source of attributes has no operations");
	else if (b->attribute_cnt == LEAT_SESSION_MAX_ATTRIBUTE_SOURCES)
		leat_builder_fail(b, -EOVERFLOW, "more than %d sources of attributes",
				  LEAT_SESSION_MAX_ATTRIBUTE_SOURCES);
	else
		b->attributes[b->attribute_cnt++] = a;
	return b;
}
