/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/live.h - the live system as the source of a session. Linux; needs root, or CAP_PERFMON and
 * CAP_BPF and what /proc asks for.
 *
 *	struct leat_session_builder *b = leat_session_builder_new();
 *	struct leat_target_spec who = { LEAT_TARGET_PROCESS, pid, NULL };
 *	struct leat_live *live = NULL;
 *	struct leat_session *s = NULL;
 *
 *	err = leat_live_new(&live);
 *	leat_session_with_target(leat_session_with_live(b, live), &who);
 *	leat_session_with_frequency(b, 99);
 *	leat_session_with_event(b, "sched/sched_switch", "prev_prio < 100");
 *	err = leat_session_build(b, &s);
 *	err = leat_session_start(s);
 *	while (... && !leat_live_is_over(live))
 *		err = leat_session_poll(s, now_ns);
 *	err = leat_session_finish(s);
 *	profile = leat_session_take_profile(s);
 *	err = leat_live_finish(live, profile);
 *	leat_session_free(&s);
 *	leat_live_free(&live);
 */
#ifndef LEAT_LIVE_H
#define LEAT_LIVE_H

#include <leat/session.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_live;

/**
 * leat_live_new - what will look at the live system, once.
 *
 * Ownership: the caller's; outlives the session.   Threads: as the session's.   Errors: -ENOMEM.
 */
int leat_live_new(struct leat_live **out);
/** leat_live_free - NULL is accepted; nulls. After leat_session_free. */
void leat_live_free(struct leat_live **l);

/**
 * leat_session_with_live - add the live system as a source. Returns @b.
 *
 * It takes what the builder says of targets, frequency, buffers, threads, times and stacks:
 *  - targets: at least one, all of one kind. LEAT_TARGET_ALL is the whole system.
 *  - frequency: 99 Hz when it is not set.
 *  - buffers: of samples, and of tracepoints the same again.
 *  - events: each that this kernel has as a tracepoint ("system/event") is traced. Of one process
 *    (a single LEAT_TARGET_PROCESS) or of all (LEAT_TARGET_ALL); other targets are -ENOTSUP.
 *    Filters are the session's work. Tracepoints take event ids from 256 on.
 *
 * At build: -EINVAL no target, -ENOTSUP what it cannot do, -ESRCH, -ENOENT no such target, -EPERM,
 * -EBUSY @l was used before. leat_session_builder_error says what and why.
 */
struct leat_session_builder *leat_session_with_live(struct leat_session_builder *b,
						    struct leat_live *l);

/** leat_live_error - what went wrong last, and why; "" nothing. Borrowed, until the next call. */
const char *leat_live_error(const struct leat_live *l);

/**
 * leat_live_fd - polls readable when there is something to poll the session for; -1 before it has
 * started. Poll it at least once in 3 seconds: five without make the kernel side stop collecting, so
 * that nobody is slowed down by a reader that hangs. Borrowed.
 */
int leat_live_fd(const struct leat_live *l);

/** leat_live_is_over - whether all processes or threads that were given by number have ended. */
bool leat_live_is_over(const struct leat_live *l);

/**
 * leat_live_finish - what only the source knows of the profile: names of all frames, what was lost
 * in the kernel, what it cost (CPU time: of this process).
 * @p: of the session that @l was a source of, after leat_session_finish, before leat_session_free.
 *
 * Errors: -EINVAL no such session, -ENOMEM, of reading symbols.
 */
int leat_live_finish(struct leat_live *l, struct leat_profile *p);

#ifdef __cplusplus
}
#endif

#endif
