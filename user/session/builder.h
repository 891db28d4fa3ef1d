/* SPDX-License-Identifier: BSD-2-Clause */
/* What a builder holds until the session is built. Private to session/. */
#ifndef LEAT_SESSION_BUILDER_H
#define LEAT_SESSION_BUILDER_H

#include <leat/filter.h>

#include "session/impl.h"

#define LEAT_BUILDER_MAX_CALLBACKS 64
#define LEAT_BUILDER_MAX_HOOKS	   16
#define LEAT_BUILDER_NAME_MAX	   128
#define LEAT_BUILDER_TARGET_MAX	   4096

struct leat_wanted_callback {
	char event[LEAT_BUILDER_NAME_MAX];
	leat_event_fn fn;
	void *ctx;
};

struct leat_builder_hooks {
	int (*on_build)(void *ctx, struct leat_session_builder *b);
	int (*on_session)(void *ctx, struct leat_session *s);
	void *ctx;
};

struct leat_session_builder {
	int err; /* the first one */
	char text[1024];
	struct leat_source sources[LEAT_PUMP_MAX_SOURCES];
	size_t source_cnt;
	struct leat_wanted_callback callbacks[LEAT_BUILDER_MAX_CALLBACKS];
	size_t callback_cnt;
	struct leat_builder_hooks hooks[LEAT_BUILDER_MAX_HOOKS];
	size_t hook_cnt;
	struct leat_target_spec targets[LEAT_SESSION_MAX_TARGETS]; /* names are owned */
	struct leat_event_spec events[LEAT_SESSION_MAX_EVENTS];	   /* the same */
	struct leat_attribute_source attributes[LEAT_SESSION_MAX_ATTRIBUTE_SOURCES];
	size_t attribute_cnt;
	struct leat_session_config config; /* .targets and .events are the arrays above */
	leat_errors_fn error_fn;
	void *error_ctx;
	struct leat_session_opts opts;
};

/* The first error sticks; what follows from it says nothing. Returns the first one. */
int leat_builder_fail(struct leat_session_builder *b, int err, const char *fmt, ...)
	LEAT_PRINTF(3, 4);

#endif
