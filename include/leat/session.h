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

#include <leat/cell.h>
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

/*
 * What of the records is kept. A live source is told too, and collects what is wanted; replay keeps
 * what the recording has.
 */

/** leat_session_with_per_thread - tell the threads of a process apart. Returns @b. */
struct leat_session_builder *leat_session_with_per_thread(struct leat_session_builder *b, bool on);
/** leat_session_with_times - keep each streamed sample with its time and CPU. Returns @b. */
struct leat_session_builder *leat_session_with_times(struct leat_session_builder *b, bool on);
/** leat_session_with_kernel - keep kernel frames (default: yes). Returns @b. */
struct leat_session_builder *leat_session_with_kernel(struct leat_session_builder *b, bool on);
/** leat_session_with_user - keep user frames (default: yes). Returns @b. */
struct leat_session_builder *leat_session_with_user(struct leat_session_builder *b, bool on);

/* ---- what only a live source can use: leat/live.h, or one of user code ---- */

enum leat_target_kind {
	LEAT_TARGET_PROCESS = 1, /**< .id: pid as this process sees it, all its threads */
	LEAT_TARGET_THREAD = 2,	 /**< .id: tid */
	LEAT_TARGET_CGROUP = 3,	 /**< .name: path below the mount of cgroup2 */
	LEAT_TARGET_NAME = 4,	 /**< .name: of the processes */
	LEAT_TARGET_ALL = 5,	 /**< the whole system */
};

/** Who is looked at. */
struct leat_target_spec {
	enum leat_target_kind kind;
	uint32_t id;
	const char *name; /**< NULL when the kind has none */
};

/** An event that is wanted. */
struct leat_event_spec {
	const char *name;
	const char *
		filter; /**< NULL: all records. Sources may filter early; the session does anyway */
};

/** Parts of a configuration that a source may take over. */
enum leat_config_part {
	LEAT_CONFIG_TARGETS = 1,
	LEAT_CONFIG_FREQUENCY = 2,
	LEAT_CONFIG_BUFFERS = 4,
	LEAT_CONFIG_EVENTS = 8, /**< need not be taken: an event that is there is enough */
};

/** What the calls below have set; plain data, handed to each source before it is opened. */
struct leat_session_config {
	size_t sz; /**< sizeof(struct leat_session_config) */
	const struct leat_target_spec *targets;
	size_t target_cnt;
	const struct leat_event_spec *events;
	size_t event_cnt;
	uint64_t frequency_hz; /**< 0: not set */
	uint64_t buffer_bytes; /**< of each CPU; 0: not set */
	bool per_thread;       /**< leat_session_with_per_thread, and so on */
	bool times;
	bool no_kernel;
	bool no_user;
};

#define LEAT_SESSION_MAX_TARGETS 256
#define LEAT_SESSION_MAX_EVENTS	 64

/** leat_session_with_target - look at this one too; .name is copied. Returns @b. */
struct leat_session_builder *leat_session_with_target(struct leat_session_builder *b,
						      const struct leat_target_spec *target);
/** leat_session_with_frequency - samples a second of each CPU, 1 to 1,000,000. Returns @b. */
struct leat_session_builder *leat_session_with_frequency(struct leat_session_builder *b,
							 uint64_t hz);
/** leat_session_with_buffers - room for records on their way, of each CPU, up to 1 GiB. Returns @b. */
struct leat_session_builder *leat_session_with_buffers(struct leat_session_builder *b,
						       uint64_t bytes);

/* ---- events, hooks, errors, attributes ---- */

/**
 * leat_session_with_event - want an event, and of its records those that match.
 * @event:  its name, as in "sched/sched_switch"; copied. It must exist when the sources are open.
 * @filter: leat/filter.h; copied. NULL: all. Records that do not match reach no callback, the
 *          session's among them, and are counted (leat_event_stats).
 *
 * Returns @b. At build: -ENOENT no such event, -EEXIST wanted twice, and the errors of
 * leat_filter_parse, whose text says where in the filter.
 */
struct leat_session_builder *leat_session_with_event(struct leat_session_builder *b,
						     const char *event, const char *filter);
/**
 * leat_session_with_hooks - take part in the making of the session.
 * @on_build:   called by leat_session_build before it looks at the builder, which it may change.
 * @on_session: called when the session is made, before it starts.
 *
 * Either may be NULL. They run in order of registration; one that returns an error ends the build.
 * Returns @b.
 */
struct leat_session_builder *leat_session_with_hooks(
	struct leat_session_builder *b, int (*on_build)(void *ctx, struct leat_session_builder *b),
	int (*on_session)(void *ctx, struct leat_session *s), void *ctx);
/** leat_session_with_errors - be told of callbacks' errors, once a poll (leat_errors_fn). Returns @b. */
struct leat_session_builder *leat_session_with_errors(struct leat_session_builder *b,
						      leat_errors_fn fn, void *ctx);

/**
 * Something that knows more of processes than the records say: which container, which job. Asked
 * once for each process that has samples, by leat_session_finish.
 */
struct leat_attribute_list;
struct leat_attribute_source_ops {
	const char *name;
	/** Adds what is known of @p by leat_attribute_add. 0, or a negative errno: it is counted. */
	int (*attributes)(void *self, const struct leat_process_info *p,
			  struct leat_attribute_list *out);
};
struct leat_attribute_source {
	const struct leat_attribute_source_ops *ops;
	void *self;
};
/** leat_session_with_attributes - ask this one too; it must live as long as the session. Returns @b. */
struct leat_session_builder *leat_session_with_attributes(struct leat_session_builder *b,
							  struct leat_attribute_source a);
/**
 * leat_attribute_add - a fact of the process that is asked for.
 * Both strings are copied. A key that is there already gets the new value.
 * Errors: -EINVAL an empty key, -EOVERFLOW more than 32, -ENOMEM.
 */
int leat_attribute_add(struct leat_attribute_list *l, const char *key, const char *value);

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
 * Errors: the first one; the profile holds what could be kept all the same. -ENOMEM, of a source;
 *	   -EBUSY its processes are being read, and it is not finished.
 */
int leat_session_finish(struct leat_session *s);

/** What is known of processes; read through a cell, with leat_profile_process_cnt and _at. */
struct leat_process_table {
	const struct leat_profile *profile; /**< NULL: taken, or the session is gone */
};
LEAT_CELL(leat_process_cell, struct leat_process_table)

/**
 * leat_session_processes - the session's process table, to be read at any time, also by callbacks.
 *
 * The session writes it while it handles a record, and at its end. While it is read no record is
 * handled: one that comes all the same (the reader polls) is refused with -EBUSY, which counts as an
 * error of a callback.
 * Ownership: the caller's: leat_process_cell_drop_readonly.
 */
struct leat_process_cell_readonly leat_session_processes(const struct leat_session *s);
/** leat_session_bus - of a session that was built: its events. NULL otherwise. Borrowed. */
struct leat_bus *leat_session_bus(const struct leat_session *s);
/** leat_session_source_stats - what the sources of a session that was built have counted, all together. */
void leat_session_source_stats(const struct leat_session *s, struct leat_source_stats *out);

/**
 * leat_session_take_profile - the profile, once; NULL when it was taken, or while its
 * processes are being read. After leat_session_finish.
 * Ownership: the caller's.
 */
struct leat_profile *leat_session_take_profile(struct leat_session *s);

/** leat_session_samples - samples so far, weights included. */
uint64_t leat_session_samples(const struct leat_session *s);

/** leat_session_stacks - distinct stacks so far. */
uint64_t leat_session_stacks(const struct leat_session *s);

/**
 * leat_session_free - closes the sources of a session that was built; NULL is accepted; nulls.
 * Not from inside a callback, nor while its processes are being read.
 */
void leat_session_free(struct leat_session **s);

#ifdef __cplusplus
}
#endif

#endif
