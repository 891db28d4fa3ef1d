/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/session.h"

#include <errno.h>
#include <leat/writer.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "event/format.h"
#include "event/wire.h"
#include "session/impl.h"

/* What the session listens to. A field whose name begins with '?' may be missing. */
static const struct listener {
	enum leat_rec_kind kind;
	leat_event_fn fn;
	const char *const *fields;
} listeners[] = {
	{ LEAT_REC_PROCESS, leat_on_process, leat_process_fields },
	{ LEAT_REC_THREAD, leat_on_thread, leat_comm_fields },
	{ LEAT_REC_COMM, leat_on_comm, leat_comm_fields },
	{ LEAT_REC_FORK, leat_on_fork, leat_task_fields },
	{ LEAT_REC_EXIT, leat_on_exit, leat_task_fields },
	{ LEAT_REC_MMAP, leat_on_mmap, leat_mmap_fields },
	{ LEAT_REC_COUNT, leat_on_count, leat_count_fields },
	{ LEAT_REC_STACK, leat_on_stack, leat_stack_fields },
	{ LEAT_REC_SAMPLE, leat_on_sample, leat_sample_fields },
	{ LEAT_REC_STAT, leat_on_stat, leat_stat_fields },
	{ LEAT_REC_ENV_LOST, leat_on_env_lost, leat_lost_fields },
};

int leat_session_new(struct leat_session **out)
{
	LEAT_AUTO(leat_session_free) struct leat_session *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	leat_index_init(&s->tgid_index);
	leat_index_init(&s->raw_index);
	leat_index_init(&s->placed_index);
	err = leat_profile_new(&s->p);
	if (!err)
		err = leat_process_cell_new(&s->processes,
					    &(struct leat_process_table){ .profile = s->p });
	/* Never NULL: a stack without frames has a place in it too. */
	if (!err)
		err = LEAT_ARRAY_ROOM(s->raw_frames, s->raw_frame_cap, 1,
				      LEAT_SESSION_MAX_RAW_FRAMES);
	if (err)
		return err;
	s->kernel_object = LEAT_ID_NONE;
	s->pending_free = LEAT_ID_NONE;
	*out = LEAT_TAKE(s);
	return 0;
}

static void detach(struct leat_session *s)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(s->events); i++) {
		struct leat_hook *hook = &s->events[i];

		if (hook->event)
			(void)leat_event_remove_callback(hook->event, hook->callback);
		hook->event = NULL;
	}
	s->bus = NULL;
}

static int hide(void *ctx, struct leat_process_table *t)
{
	(void)ctx;
	t->profile = NULL;
	return 0;
}

/* Who still holds the table sees it empty. -EBUSY: it is being read. */
static int hide_processes(struct leat_session *s)
{
	return s->processes.cell ? leat_process_cell_write(s->processes, hide, NULL) : 0;
}

struct leat_process_cell_readonly leat_session_processes(const struct leat_session *s)
{
	return leat_process_cell_share(s->processes);
}

void leat_session_free(struct leat_session **s)
{
	struct leat_session *q = *s;

	if (!q)
		return;
	detach(q);
	leat_session_close_own(q);
	(void)hide_processes(q);
	leat_process_cell_drop_writable(&q->processes);
	leat_profile_free(&q->p);
	leat_index_fini(&q->tgid_index);
	leat_index_fini(&q->raw_index);
	leat_index_fini(&q->placed_index);
	free(q->inc);
	free(q->tgids);
	free(q->raws);
	free(q->raw_frames);
	free(q->pending);
	free(q->placed);
	free(q->cpus);
	free(q);
	*s = NULL;
}

/* -ENOENT when the format lacks a field without which the event says nothing. */
static int take_refs(struct leat_hook *hook, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		bool optional = names[i][0] == '?';

		hook->refs[i] = leat_format_find(hook->format, names[i] + optional);
		if (hook->refs[i].index == LEAT_FIELD_REF_NONE && !optional)
			return -ENOENT;
	}
	return 0;
}

/* A record on its way to the callback that knows it. */
struct handling {
	struct leat_hook *hook;
	const struct leat_event *ev;
	const struct leat_record *r;
};

static int handle(void *ctx, struct leat_process_table *t)
{
	const struct handling *h = ctx;

	(void)t;
	return h->hook->fn(h->hook, h->ev, h->r);
}

/* Every record says something of a process: that it is there, what it maps, that it ran. */
static int on_record(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct handling h = { .hook = ctx, .ev = ev, .r = r };

	return leat_process_cell_write(h.hook->s->processes, handle, &h);
}

static int listen(struct leat_session *s, struct leat_bus *bus, const struct listener *l)
{
	struct leat_event *ev = leat_bus_find(bus, leat_wire_event_name(l->kind));
	struct leat_hook *hook = &s->events[l->kind];
	int err;

	if (!ev)
		return 0;
	hook->s = s;
	hook->fn = l->fn;
	hook->format = leat_event_format(ev);
	err = take_refs(hook, l->fields);
	if (!err)
		err = leat_event_add_callback(ev, on_record, hook, &hook->callback);
	if (!err)
		hook->event = ev;
	return err;
}

int leat_session_attach(struct leat_session *s, struct leat_bus *bus)
{
	if (s->bus || s->finished)
		return -EBUSY;
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(listeners); i++) {
		int err = listen(s, bus, &listeners[i]);

		if (err) {
			detach(s);
			return err;
		}
	}
	s->bus = bus;
	return 0;
}

void leat_session_set_opts(struct leat_session *s, const struct leat_session_opts *o)
{
	s->opts = *o;
}

void leat_session_set_hooks(struct leat_session *s, const struct leat_session_hooks *h)
{
	s->hooks = *h;
}

/* As text: a field that the record is too short for is "?". */
static void tell_malformed(const struct leat_reading *rd)
{
	LEAT_AUTO(leat_writer_free) struct leat_writer *w = NULL;
	char text[896];
	size_t len = 0;

	if (!leat_writer_new(&w, rd->hook->format, LEAT_WRITER_TEXT))
		(void)!leat_writer_write(w, rd->r, text, sizeof(text), &len);
	leat_log(LEAT_LOG_DEBUG, "the first malformed record, %u bytes: %s %.*s", rd->r->size,
		 leat_event_name(rd->hook->event), (int)len, text);
}

/* All are counted; the first one is told too. */
bool leat_reading_failed(const struct leat_reading *rd)
{
	if (!rd->err)
		return false;
	if (!rd->hook->s->p->verdict.malformed++)
		tell_malformed(rd);
	return true;
}

struct leat_profile *leat_session_profile(struct leat_session *s)
{
	return s->p;
}

uint64_t leat_session_samples(const struct leat_session *s)
{
	return s->taken;
}

uint64_t leat_session_stacks(const struct leat_session *s)
{
	return s->raw_index.n;
}

/* The first error is returned; the others' samples are counted as lost all the same. */
static int resolve_all(struct leat_session *s)
{
	int err = 0;

	for (uint32_t i = 0; i < s->raw_index.n; i++) {
		int e = s->raws[i].pending == LEAT_ID_NONE ? 0 : leat_pending_resolve(s, i, true);

		err = err ? err : e;
	}
	return err;
}

static void name_leaders(struct leat_profile *p)
{
	for (size_t i = 0; i < p->thread_cnt; i++) {
		const struct leat_process *proc = &p->processes[p->threads[i].process];

		if (p->threads[i].tid == proc->tgid)
			p->threads[i].comm = proc->comm;
	}
}

static int finish(void *ctx, struct leat_process_table *t)
{
	struct leat_session *s = ctx;
	int err;

	(void)t;
	s->finished = true;
	if (s->bus)
		s->p->verdict.callback_errors = leat_bus_error_cnt(s->bus);
	detach(s);
	leat_incarnations_finish(s);
	err = resolve_all(s);
	name_leaders(s->p);
	leat_stat_finish(s);
	return err;
}

int leat_session_finish(struct leat_session *s)
{
	int err, failed;

	if (s->finished)
		return 0;
	failed = leat_session_drain_own(s);
	err = leat_process_cell_write(s->processes, finish, s);
	/* Who knows attributes may read the table. */
	if (!err)
		err = leat_attributes_finish(s);
	return failed ? failed : err;
}

struct leat_profile *leat_session_take_profile(struct leat_session *s)
{
	return hide_processes(s) ? NULL : LEAT_TAKE(s->p);
}
