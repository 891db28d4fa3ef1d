/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/session.h - from sources of records to a profile.
 *
 * A session is a set of callbacks on events. It is built from sources (leat/event.h), started,
 * polled until enough was seen, and finished; then its profile can be taken:
 *
 *	struct leat_session_builder *b = leat_session_builder_new();
 *	struct leat_session *s = NULL;
 *
 *	leat_session_with_per_thread(leat_session_with_source(b, source), true);
 *	if (leat_session_build(b, &s))
 *		fprintf(stderr, "%s\n", leat_session_builder_error(b));
 *	leat_session_builder_free(&b);
 */
#ifndef LEAT_SESSION_H
#define LEAT_SESSION_H

#include <leat/event.h>
#include <leat/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_session;
struct leat_session_builder;

/**
 * leat_session_builder_new - begin to build a session.
 *
 * Returns NULL when memory is short; all functions below take that, and leat_session_build then
 * fails with -ENOMEM.
 * Ownership: the caller's, until leat_session_builder_free.  Threads: caller serialises.
 */
struct leat_session_builder *leat_session_builder_new(void);

/** leat_session_builder_free - NULL is accepted; nulls the pointer. */
void leat_session_builder_free(struct leat_session_builder **b);

/**
 * leat_session_with_source - add a source; the environment before what is sampled in it.
 * @s: its operations and state; the state must live as long as the session.
 *
 * Returns @b, so that calls chain. The first error sticks: too many sources, no operations.
 */
struct leat_session_builder *leat_session_with_source(struct leat_session_builder *b,
						      struct leat_source s);

/**
 * leat_session_with_callback - call @fn for each record of an event.
 * @event: its name, as in "leat/count"; copied. It must exist when the sources are open.
 * @fn:    called after the session's own callback; must be valid as long as the session.
 *
 * Returns @b. Sticky errors: too many callbacks, a name too long.
 */
struct leat_session_builder *leat_session_with_callback(struct leat_session_builder *b,
							const char *event, leat_event_fn fn,
							void *ctx);

/** leat_session_with_per_thread - tell the threads of a process apart. Returns @b. */
struct leat_session_builder *leat_session_with_per_thread(struct leat_session_builder *b, bool on);
/** leat_session_with_times - keep each streamed sample with its time and CPU. Returns @b. */
struct leat_session_builder *leat_session_with_times(struct leat_session_builder *b, bool on);
/** leat_session_with_kernel - keep kernel frames (default: yes). Returns @b. */
struct leat_session_builder *leat_session_with_kernel(struct leat_session_builder *b, bool on);
/** leat_session_with_user - keep user frames (default: yes). Returns @b. */
struct leat_session_builder *leat_session_with_user(struct leat_session_builder *b, bool on);

/**
 * leat_session_build - open the sources and make the session.
 * @out: the session, not started; unchanged on failure.
 *
 * Ownership: @out is the caller's; @b stays the caller's and can be used once.
 * Errors:    the first error of the calls above, else of a source or an event; the text is in
 *            leat_session_builder_error. -EINVAL no source, -ENOENT no such event, -ENOMEM.
 */
int leat_session_build(struct leat_session_builder *b, struct leat_session **out);

/** leat_session_builder_error - what went wrong first, "" when nothing did. Borrowed from @b. */
const char *leat_session_builder_error(const struct leat_session_builder *b);

/**
 * leat_session_start - let the sources begin. Only for sessions that were built.
 * Errors: of the first source that cannot.
 */
int leat_session_start(struct leat_session *s);

/**
 * leat_session_poll - handle what the sources have up to a time.
 * @now_ns: CLOCK_MONOTONIC; UINT64_MAX for all there is.
 *
 * Returns the number of records, or a negative errno of a source (the others were handled).
 */
int leat_session_poll(struct leat_session *s, uint64_t now_ns);

/**
 * leat_session_finish - end the collection: stop the sources, handle what is left.
 *
 * What still waits for its stack is kept without frames. Idempotent.
 * Errors: the first one; the profile holds what could be kept all the same. -ENOMEM, of a source.
 */
int leat_session_finish(struct leat_session *s);

/**
 * leat_session_take_profile - the profile, once; NULL when it was taken. After leat_session_finish.
 * Ownership: the caller's.
 */
struct leat_profile *leat_session_take_profile(struct leat_session *s);

/** leat_session_samples - samples so far, weights included. */
uint64_t leat_session_samples(const struct leat_session *s);

/** leat_session_stacks - distinct stacks so far. */
uint64_t leat_session_stacks(const struct leat_session *s);

/** leat_session_free - closes the sources of a session that was built; NULL is accepted; nulls. */
void leat_session_free(struct leat_session **s);

#ifdef __cplusplus
}
#endif

#endif
