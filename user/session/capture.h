/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a recording is no record: options of the session, what was recorded, names, verdict.
 * Written behind (and partly before) the records of a capture file, and put back in a replay.
 */
#ifndef LEAT_SESSION_CAPTURE_H
#define LEAT_SESSION_CAPTURE_H

#include <leat/capture.h>
#include <signal.h>

#include "base/cleanup.h"
#include "profile/profile.h"
#include "session/session.h"

/* What a replay must know before the first record. */
struct leat_capture_options {
	struct leat_session_opts session;
	bool by_thread; /* how the outputs tell threads apart */
};

/* ---- writing: 0, -ENOMEM, -EOVERFLOW, of write(2) ---- */

int leat_capture_put_options(struct leat_capture_writer *w,
			     const struct leat_capture_options *o) LEAT_MUST_USE;
/* Of @p, only .meta. May be written again when more is known. */
int leat_capture_put_meta(struct leat_capture_writer *w,
			  const struct leat_profile *p) LEAT_MUST_USE;
/* A finished profile: names, identities, verdict. Behind the last record. */
int leat_capture_put_profile(struct leat_capture_writer *w,
			     const struct leat_profile *p) LEAT_MUST_USE;

/* ---- replay ---- */

/* What came back, beside the profile. */
struct leat_replayed {
	struct leat_profile *profile; /* judged, every frame has a function; the caller's */
	struct leat_capture_info info;
	bool by_thread;
	bool named;		/* the file held the names of all frames */
	uint64_t strange_names; /* names of places that no stack of the replay holds */
	uint64_t taken;		/* samples that the recording counted; 0 unknown */
};

struct leat_replay_opts {
	const volatile sig_atomic_t *stop; /* may be NULL; not 0: give up, -EINTR */
	/*
	 * When a file does not hold the names of all frames: what is to be found out about return
	 * addresses before the stacks are judged (may be NULL), and then a function for each frame
	 * that has none. Of a recording that ended nothing may be looked up: p->verdict.cut_off.
	 */
	int (*check)(void *ctx, struct leat_profile *p);
	int (*name)(void *ctx, struct leat_profile *p);
	void *ctx;
};

/*
 * From a capture file to the profile that its recording gave: _new, open what _capture returns by
 * leat_capture_open_fd or _bytes, _run once. All errors are told by _error.
 */
struct leat_replay;
int leat_replay_new(struct leat_replay **out) LEAT_MUST_USE;
void leat_replay_free(struct leat_replay **r);
struct leat_capture *leat_replay_capture(struct leat_replay *r);
/* -EBADMSG, -ENOTSUP, -EOVERFLOW, -ENODATA (not one sample in it), -EINTR, -ENOMEM, of read(2). */
int leat_replay_run(struct leat_replay *r, const struct leat_replay_opts *o,
		    struct leat_replayed *out) LEAT_MUST_USE;
/* What is wrong, "" when nothing is. Valid until freed. */
const char *leat_replay_error(const struct leat_replay *r);

#endif
