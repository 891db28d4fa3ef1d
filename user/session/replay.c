/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture file through the session that made it: the same records, the same callbacks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "session/capture_impl.h"
#include "session/impl.h"
#include "session/judge.h"

struct leat_replay {
	struct leat_capture *capture;
	struct leat_session *session;
	struct leat_bus *bus;
	struct leat_capture_options options;
	struct leat_names names;
	struct leat_buf verdict; /* the last one, as it came */
	bool has_verdict;
	char text[160];
};

static int fail(struct leat_replay *r, int err, const char *text)
{
	if (!r->text[0])
		snprintf(r->text, sizeof(r->text), "%s", text);
	return err;
}

static int on_names(struct leat_replay *r, uint16_t kind, const void *p, size_t n)
{
	struct leat_reader in = leat_reader_of(p, n);

	return leat_names_read(&r->names, kind, &in, leat_session_profile(r->session));
}

static int on_chunk(void *ctx, uint16_t kind, const void *p, size_t n)
{
	struct leat_replay *r = ctx;
	int err = 0;

	switch (kind) {
	case LEAT_CAPTURE_OPTIONS:
		err = leat_items_get_options(p, n, &r->options);
		break;
	case LEAT_CAPTURE_META:
		err = leat_items_get_meta(p, n, leat_session_profile(r->session));
		break;
	case LEAT_CAPTURE_VERDICT:
		leat_buf_reset(&r->verdict);
		leat_buf_add(&r->verdict, p, n);
		r->has_verdict = true;
		err = r->verdict.err;
		break;
	default:
		err = on_names(r, kind, p, n);
		break;
	}
	if (err == -EBADMSG)
		return fail(r, err, "it is corrupt: a chunk does not hold what it should");
	if (err == -EOVERFLOW)
		return fail(r, err, "it holds more names than leat keeps");
	return err ? fail(r, err, "out of memory") : 0;
}

int leat_replay_new(struct leat_replay **out)
{
	LEAT_AUTO(leat_replay_free) struct leat_replay *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	leat_buf_init(&r->verdict, LEAT_CAPTURE_MAX_CHUNK);
	if ((err = leat_capture_new(&r->capture)) || (err = leat_session_new(&r->session)) ||
	    (err = leat_bus_new(&r->bus)))
		return err;
	leat_capture_set_chunk_fn(r->capture, on_chunk, r);
	*out = LEAT_TAKE(r);
	return 0;
}

void leat_replay_free(struct leat_replay **r)
{
	struct leat_replay *q = *r;

	if (!q)
		return;
	leat_session_free(&q->session);
	leat_bus_free(&q->bus);
	leat_capture_free(&q->capture);
	leat_names_fini(&q->names);
	leat_buf_fini(&q->verdict);
	free(q);
	*r = NULL;
}

struct leat_capture *leat_replay_capture(struct leat_replay *r)
{
	return r->capture;
}

const char *leat_replay_error(const struct leat_replay *r)
{
	return r->text[0] ? r->text : leat_capture_error(r->capture);
}

/* All records; the session sees them as it did when they were recorded. */
static int run_records(struct leat_replay *r, const volatile sig_atomic_t *stop)
{
	struct leat_source s = leat_capture_source(r->capture);
	bool more = true;
	int err;

	leat_session_set_opts(r->session, &r->options.session);
	err = s.ops->open(s.self, r->bus);
	if (err)
		return err;
	err = leat_session_attach(r->session, r->bus);
	if (err)
		return fail(r, err == -ENOENT ? -EBADMSG : err,
			    err == -ENOENT ? "an event in it lacks a field" : "out of memory");
	err = s.ops->start(s.self);
	while (!err && more) {
		int n = s.ops->poll(s.self, r->bus, UINT64_MAX, &more);

		err = n < 0 ? n : 0;
		if (!err && stop && *stop)
			err = fail(r, -EINTR, "interrupted");
	}
	s.ops->close(s.self);
	return err;
}

/* ---- files whose writer died ---- */

/* What was delivered to us, as the kernel side counted it last, and is not in the file. */
static uint64_t not_in_it(const struct leat_verdict *v, uint64_t refused)
{
	uint64_t delivered = leat_verdict_class(v, LEAT_STAT_CLASS_DELIVERED);

	return delivered > v->taken + refused ? delivered - v->taken - refused : 0;
}

/* What is written last is missing; what the records tell of it is put in its place. */
static void complete(struct leat_profile *p, const struct leat_capture_info *info, uint64_t refused)
{
	struct leat_meta *m = &p->meta;
	struct leat_verdict *v = &p->verdict;

	if (!m->duration_ns && m->start_mono_ns && info->last_ns > m->start_mono_ns)
		m->duration_ns = info->last_ns - m->start_mono_ns;
	/* What the clock wanted of the target is measured at the end; by CPU it says nothing of it. */
	if (m->time_based)
		v->wanted = v->kernel_skipped = 0;
	v->duration_ns = m->duration_ns;
	v->freq_hz = m->freq_hz;
	v->period = m->period;
	if (info->complete)
		return;
	v->cut_off = 1;
	v->cut_bytes = info->cut_bytes;
	v->cut_samples = not_in_it(v, refused);
	v->lost_user = refused;
}

static bool is_named(const struct leat_profile *p)
{
	for (size_t i = 0; i < p->frame_cnt; i++) {
		if (p->frames[i].function == LEAT_ID_NONE)
			return false;
	}
	return true;
}

/* As after a recording: checks of calls, then the judgement, then names, then counting. */
static int name(struct leat_replay *r, const struct leat_replay_opts *o, struct leat_replayed *out)
{
	struct leat_profile *p = out->profile;
	int err = leat_names_apply(&r->names, p, &out->strange_names);

	if (err == -EBADMSG)
		return fail(r, err, "it is corrupt: a name of nothing");
	out->named = is_named(p);
	if (!err && !out->named && o->check)
		err = o->check(o->ctx, p);
	if (!err)
		err = leat_judge_stacks(p);
	if (!err && !out->named)
		err = o->name ? o->name(o->ctx, p) : -ENODATA;
	if (!err && !is_named(p))
		err = -ENODATA;
	return err ? err : leat_judge_count(p);
}

static int finish(struct leat_replay *r, const struct leat_replay_opts *o,
		  struct leat_replayed *out)
{
	int err = leat_session_finish(r->session);
	uint64_t refused = r->session->lost;

	if (err)
		return err;
	leat_capture_info(r->capture, &out->info);
	out->by_thread = r->options.by_thread;
	out->profile = leat_session_take_profile(r->session);
	if (!out->profile->verdict.taken)
		return fail(r, -ENODATA, "it holds no samples");
	if (r->has_verdict)
		err = leat_items_get_verdict(r->verdict.data, r->verdict.len,
					     &out->profile->verdict, &out->taken);
	if (err)
		return fail(r, err, "it is corrupt: its verdict");
	if (!out->info.complete || !r->has_verdict)
		complete(out->profile, &out->info, refused);
	return name(r, o, out);
}

int leat_replay_run(struct leat_replay *r, const struct leat_replay_opts *o,
		    struct leat_replayed *out)
{
	struct leat_replayed got = { .profile = NULL };
	int err = run_records(r, o->stop);

	if (!err)
		err = finish(r, o, &got);
	if (err) {
		leat_profile_free(&got.profile);
		return *leat_replay_error(r) ? err : fail(r, err, strerror(-err));
	}
	*out = got;
	return 0;
}
