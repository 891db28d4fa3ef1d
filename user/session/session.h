/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session: callbacks on events that build a profile. It knows no engine, no libbpf, no /proc;
 * live, replay and mocks feed it alike.
 *
 * Processes: incarnations by {tgid, leader's start, exec}. A sample is placed by its tgid and time.
 * Mappings: history per process. Stacks: raw frames by {tgid, hash}; a count whose frames come
 * later is pending. Frames are placed as (object, offset) when the count arrives: all environment
 * events older than it have been delivered by then (pump).
 */
#ifndef LEAT_SESSION_SESSION_H
#define LEAT_SESSION_SESSION_H

#include <leat/session.h>

#include "base/cleanup.h"
#include "profile/profile.h"

/*
 * Registers callbacks on the bus's events ("leat/count", ...): those that exist at _attach. The bus
 * must live until _finish or _free. (One that is built has a bus of its own: leat/session.h.)
 */
int leat_session_new(struct leat_session **out) LEAT_MUST_USE;
/* After the sources are opened (their events exist), before they start. */
int leat_session_attach(struct leat_session *s, struct leat_bus *bus) LEAT_MUST_USE;

struct leat_session_opts {
	bool per_thread;
	bool stream;	  /* samples keep their time */
	bool user_only;	  /* kernel frames are dropped */
	bool kernel_only; /* user frames are dropped */
};
void leat_session_set_opts(struct leat_session *s, const struct leat_session_opts *o);

/*
 * What live wants to know as it happens. May be NULL. on_object: a new object was seen, with the
 * address range where (open its file now); on_stack_missing: ask the source for a hash again. Both
 * are called while the process table is written: they dispatch nothing, and cannot read it.
 */
struct leat_session_hooks {
	void *ctx;
	void (*on_object)(void *ctx, const struct leat_profile *p, uint32_t object,
			  uint32_t process, uint64_t start, uint64_t end);
	void (*on_stack_missing)(void *ctx, uint64_t stack_hash);
};
void leat_session_set_hooks(struct leat_session *s, const struct leat_session_hooks *h);

/* The profile as it stands; owned by the session until taken. */
struct leat_profile *leat_session_profile(struct leat_session *s);
/*
 * leat_session_finish, beside what leat/session.h says: pending stacks become LEAT_STACK_UNSENT,
 * verdict counters of the source are summed up from the last "leat/stat" of each CPU.
 */

#endif
