/* SPDX-License-Identifier: BSD-2-Clause */
/* Two halves of one file become one profile. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "import/build.h"

/* New ids by old ones; LEAT_ID_NONE where there is none yet. */
struct merge {
	struct leat_build *to;
	const struct leat_build *from;
	uint32_t *strings, *modules, *functions, *frames, *processes, *threads, *events;
	uint32_t *module_of; /* module by object, in from */
};

static void merge_fini(struct merge *m)
{
	free(m->strings);
	free(m->modules);
	free(m->functions);
	free(m->frames);
	free(m->processes);
	free(m->threads);
	free(m->events);
	free(m->module_of);
}

static uint32_t *none(size_t n)
{
	uint32_t *ids = malloc((n + 1) * sizeof(*ids));

	if (ids)
		memset(ids, 0xff, (n + 1) * sizeof(*ids));
	return ids;
}

static int merge_init(struct merge *m)
{
	const struct leat_profile *p = m->from->p;

	m->strings = none(leat_intern_count(p->strings));
	m->modules = none(m->from->modules_ix.n);
	m->functions = none(p->function_cnt);
	m->frames = none(p->frame_cnt);
	m->processes = none(p->process_cnt);
	m->threads = none(p->thread_cnt);
	m->events = none(m->from->event_cnt);
	m->module_of = none(p->object_cnt);
	return m->strings && m->modules && m->functions && m->frames && m->processes &&
			       m->threads && m->events && m->module_of
		       ? 0
		       : -ENOMEM;
}

static int map_string(struct merge *m, uint32_t id, uint32_t *out)
{
	size_t n;
	const char *s;
	int err = 0;

	if (id == LEAT_ID_NONE) {
		*out = id;
		return 0;
	}
	if (m->strings[id] == LEAT_ID_NONE) {
		s = leat_intern_at(m->from->p->strings, id, &n);
		err = leat_profile_string(m->to->p, s, n, &m->strings[id]);
	}
	*out = m->strings[id];
	return err;
}

static int map_modules(struct merge *m)
{
	int err = 0;

	for (uint32_t i = 0; !err && i < m->from->modules_ix.n; i++) {
		size_t n;
		const char *s = leat_intern_at(m->from->p->strings, m->from->modules[i].path, &n);

		m->module_of[m->from->modules[i].object] = i;
		err = leat_build_module(m->to, s, n, &m->modules[i]);
	}
	return err;
}

static int map_functions(struct merge *m)
{
	int err = 0;

	for (size_t i = 0; !err && i < m->from->p->function_cnt; i++) {
		struct leat_function f = m->from->p->functions[i];

		err = map_string(m, f.name, &f.name);
		if (f.object != LEAT_ID_NONE)
			f.object = m->to->modules[m->modules[m->module_of[f.object]]].object;
		if (!err)
			err = leat_profile_function(m->to->p, &f, &m->functions[i]);
	}
	return err;
}

static int map_frames(struct merge *m)
{
	int err = 0;

	for (size_t i = 0; !err && i < m->from->p->frame_cnt; i++) {
		const struct leat_frame *f = &m->from->p->frames[i];
		uint32_t module = m->modules[m->module_of[f->object]];

		err = leat_build_named(m->to, m->to->modules[module].object,
				       m->functions[f->function], &m->frames[i]);
	}
	return err;
}

static int map_processes(struct merge *m)
{
	int err = 0;

	for (size_t i = 0; !err && i < m->from->who_ix.n; i++) {
		const struct leat_build_who *w = &m->from->who[i];
		uint32_t thread;
		size_t n;
		const char *comm = leat_intern_at(m->from->p->strings, w->comm, &n);

		/* Those of which the threads are known come with them. */
		if (!w->pair)
			err = leat_build_who(m->to, comm, n, w->pid, w->pid, false,
					     &m->processes[w->process], &thread);
	}
	return err;
}

static int map_pairs(struct merge *m)
{
	const struct leat_profile *p = m->from->p;
	int err = 0;

	for (size_t i = 0; !err && i < p->thread_cnt; i++) {
		const struct leat_thread *t = &p->threads[i];
		const struct leat_process *proc = &p->processes[t->process];
		size_t n;
		const char *comm = leat_intern_at(p->strings, proc->comm, &n);

		err = leat_build_who(m->to, comm, n, proc->tgid, t->tid, true,
				     &m->processes[t->process], &m->threads[i]);
	}
	return err;
}

static int map_events(struct merge *m)
{
	int err = 0;

	for (size_t i = 0; !err && i < m->from->event_cnt; i++) {
		const struct leat_build_event *e = &m->from->events[i];
		struct leat_build_event *to;
		size_t n;
		const char *s = leat_intern_at(m->from->p->strings, e->name, &n);

		err = leat_build_event(m->to, s, n, &m->events[i]);
		if (err || m->events[i] == LEAT_ID_NONE)
			continue;
		to = &m->to->events[m->events[i]];
		if (!to->samples)
			to->period = e->period;
		to->period_varies |= e->period_varies || (e->samples && to->period != e->period);
	}
	return err;
}

static int map_stack(struct merge *m, const struct leat_stack *s, uint32_t *out)
{
	const uint32_t *ids = leat_profile_stack_frames(m->from->p, s);
	size_t n = (size_t)s->kframe_cnt + s->uframe_cnt;
	int err = LEAT_ARRAY_ROOM(m->to->ids, m->to->ids_cap, n + 1, LEAT_IMPORT_MAX_DEPTH + 1);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		m->to->ids[i] = m->frames[ids[i]];
	return leat_profile_stack(m->to->p, s, m->to->ids, out);
}

static int map_samples(struct merge *m)
{
	const struct leat_profile *p = m->from->p;
	LEAT_FREE uint32_t *stacks = none(p->stack_cnt);
	int err = stacks ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < p->stack_cnt; i++)
		err = map_stack(m, &p->stacks[i], &stacks[i]);
	for (size_t i = 0; !err && i < p->sample_cnt; i++) {
		struct leat_sample s = p->samples[i];

		if (m->events[s.kind] == LEAT_ID_NONE) {
			m->to->other_event++;
			continue;
		}
		s.kind = (uint16_t)m->events[s.kind];
		s.stack = stacks[s.stack];
		s.process = m->processes[s.process];
		s.thread = s.thread == LEAT_ID_NONE ? s.thread : m->threads[s.thread];
		err = leat_profile_sample(m->to->p, &s);
	}
	return err;
}

static void add_counts(struct merge *m)
{
	struct leat_build *to = m->to;
	const struct leat_build *from = m->from;

	for (size_t i = 0; i < from->event_cnt; i++) {
		if (m->events[i] == LEAT_ID_NONE)
			continue;
		to->events[m->events[i]].samples += from->events[i].samples;
		to->events[m->events[i]].total += from->events[i].total;
	}
	to->total += from->total;
	to->unread += from->unread;
	to->cut_deep += from->cut_deep;
	to->other_event += from->other_event;
	to->lost += from->lost;
	to->lost_told |= from->lost_told;
	to->cut |= from->cut;
}

int leat_build_merge(struct leat_build *to, const struct leat_build *from)
{
	LEAT_AUTO(merge_fini) struct merge m = { .to = to, .from = from };
	int err = merge_init(&m);

	if (!err)
		err = map_modules(&m);
	if (!err)
		err = map_functions(&m);
	if (!err)
		err = map_frames(&m);
	if (!err)
		err = map_processes(&m);
	if (!err)
		err = map_pairs(&m);
	if (!err)
		err = map_events(&m);
	if (!err)
		err = map_samples(&m);
	if (!err)
		add_counts(&m);
	return err;
}
