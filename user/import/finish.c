/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done once all of a file has been read: one event, whole processes, the verdict. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "import/build.h"

#define NS_PER_S 1000000000u

/* ---- one event ---- */

static const char *event_name(const struct leat_build *b, size_t i)
{
	return leat_profile_str(b->p, b->events[i].name);
}

/* "cycles (12 samples), ..." of all but @but, as far as it fits. */
static void list_events(const struct leat_build *b, size_t but, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < b->event_cnt && n + 1 < cap; i++) {
		int put;

		if (i == but)
			continue;
		put = snprintf(out + n, cap - n, "%s%.64s (%llu sample%s)", n ? ", " : "",
			       event_name(b, i), (unsigned long long)b->events[i].samples,
			       b->events[i].samples == 1 ? "" : "s");
		if (put < 0)
			break;
		n += (size_t)put;
	}
}

/* "cycles" is "cycles:P" too. */
static bool is_event(const char *have, const char *wanted)
{
	size_t n = strlen(wanted);

	return strncmp(have, wanted, n) == 0 && have[n] == ':' && have[n + 1];
}

/* Exactly that name, else the only one of it with a modifier. */
static size_t match_event(const struct leat_build *b, const char *wanted)
{
	size_t found = SIZE_MAX, cnt = 0;

	for (size_t i = 0; i < b->event_cnt; i++) {
		if (strcmp(event_name(b, i), wanted) == 0)
			return i;
		if (is_event(event_name(b, i), wanted)) {
			found = i;
			cnt++;
		}
	}
	return cnt == 1 ? found : SIZE_MAX;
}

static int find_event(const struct leat_build *b, const struct leat_import_opts *o, size_t *chosen,
		      struct leat_diag *d)
{
	char list[256];

	*chosen = o->event ? match_event(b, o->event) : 0;
	if (*chosen != SIZE_MAX)
		return 0;
	leat_diag_set(d, -ENOENT, LEAT_EXIT_USAGE, "no event %.64s in it", o->event);
	if (b->event_cnt == 1 && !*event_name(b, 0)) {
		leat_diag_why(d, "such a file does not say what was counted");
		return -ENOENT;
	}
	list_events(b, SIZE_MAX, list, sizeof(list));
	leat_diag_why(d, "it holds: %s", list);
	return -ENOENT;
}

/* Samples of other events leave; the verdict says how many there were. */
static void keep_event(struct leat_build *b, size_t chosen)
{
	struct leat_profile *p = b->p;
	size_t kept = 0;

	for (size_t i = 0; i < p->sample_cnt; i++) {
		if (p->samples[i].kind != chosen)
			continue;
		p->samples[kept] = p->samples[i];
		p->samples[kept++].kind = 0;
	}
	p->sample_cnt = kept;
	for (size_t i = 0; i < b->event_cnt; i++)
		b->other_event += i == chosen ? 0 : b->events[i].samples;
}

static int put_event(struct leat_build *b, size_t chosen)
{
	struct leat_meta *m = &b->p->meta;
	const struct leat_build_event *e = &b->events[chosen];
	const char *name = event_name(b, chosen);
	char list[256], note[320];

	if (!m->event)
		m->event = e->name;
	if (e->period && !e->period_varies && !m->time_based) {
		m->time_based = strncmp(name, "cpu-clock", 9) == 0 ||
				strncmp(name, "task-clock", 10) == 0;
		if (m->time_based)
			m->freq_hz = (NS_PER_S + e->period / 2) / e->period;
		else
			m->period = e->period;
		m->time_based = m->freq_hz != 0;
	}
	if (b->event_cnt < 2)
		return 0;
	list_events(b, chosen, list, sizeof(list));
	snprintf(note, sizeof(note), "left out: %s; -e chooses one of them", list);
	return leat_profile_string(b->p, note, strlen(note), &m->event_note);
}

static int choose_event(struct leat_build *b, const struct leat_import_opts *o, struct leat_diag *d)
{
	size_t chosen;
	int err = find_event(b, o, &chosen, d);

	if (err)
		return err;
	if (b->event_cnt > 1)
		keep_event(b, chosen);
	return b->event_cnt ? put_event(b, chosen) : 0;
}

/* ---- threads come to their processes ---- */

struct leader {
	uint32_t tgid, process;
};

static int by_tgid(const void *a, const void *b)
{
	const struct leader *x = a, *y = b;

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return x->process < y->process ? -1 : x->process > y->process;
}

/* The last process of that pid, of those whose leader was seen; LEAT_ID_NONE: none. */
static uint32_t leader_of(const struct leader *leaders, size_t n, uint32_t tgid)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (leaders[mid].tgid <= tgid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && leaders[lo - 1].tgid == tgid ? leaders[lo - 1].process : LEAT_ID_NONE;
}

/*
 * perf names each thread by its own comm. Where the leader was seen too, its comm is the process's,
 * and the threads are its; else all that is known of the process is that thread's name.
 */
static int join_threads(struct leat_profile *p, uint32_t *to)
{
	LEAT_FREE struct leader *leaders = calloc(p->thread_cnt + 1, sizeof(*leaders));
	LEAT_FREE uint8_t *has_threads = calloc(p->process_cnt + 1, 1);
	size_t n = 0;

	if (!leaders || !has_threads)
		return -ENOMEM;
	for (size_t i = 0; i < p->thread_cnt; i++) {
		const struct leat_thread *t = &p->threads[i];

		has_threads[t->process] |= 1;
		if (t->tid != p->processes[t->process].tgid)
			continue;
		has_threads[t->process] |= 2;
		leaders[n++] = (struct leader){ t->tid, t->process };
	}
	qsort(leaders, n, sizeof(*leaders), by_tgid);
	for (uint32_t i = 0; i < p->process_cnt; i++) {
		uint32_t leader = leader_of(leaders, n, p->processes[i].tgid);

		to[i] = has_threads[i] == 1 && leader != LEAT_ID_NONE ? leader : i;
	}
	return 0;
}

/* Drops what no sample is of; ids stay dense. */
static int compact(struct leat_profile *p, uint32_t *to)
{
	LEAT_FREE uint32_t *ids = malloc((p->process_cnt + 1) * sizeof(*ids));
	size_t kept = 0;

	if (!ids)
		return -ENOMEM;
	memset(ids, 0xff, (p->process_cnt + 1) * sizeof(*ids));
	for (size_t i = 0; i < p->sample_cnt; i++) {
		p->samples[i].process = to[p->samples[i].process];
		ids[p->samples[i].process] = 0;
		p->processes[p->samples[i].process].samples += p->samples[i].value;
	}
	for (size_t i = 0; i < p->process_cnt; i++) {
		if (ids[i] == LEAT_ID_NONE)
			continue;
		ids[i] = (uint32_t)kept;
		p->processes[kept++] = p->processes[i];
	}
	for (size_t i = 0; i < p->sample_cnt; i++)
		p->samples[i].process = ids[p->samples[i].process];
	for (size_t i = 0; i < p->thread_cnt; i++) {
		uint32_t id = ids[to[p->threads[i].process]];

		/* A thread whose process is gone has no samples either. */
		p->threads[i].process = id == LEAT_ID_NONE ? 0 : id;
	}
	p->process_cnt = kept;
	return 0;
}

static int place(struct leat_profile *p)
{
	LEAT_FREE uint32_t *to = malloc((p->process_cnt + 1) * sizeof(*to));
	int err = to ? join_threads(p, to) : -ENOMEM;

	return err ? err : compact(p, to);
}

/* ---- the verdict ---- */

static size_t depth_of(const struct leat_stack *s)
{
	return (size_t)s->kframe_cnt + s->uframe_cnt;
}

/* Stacks that are as deep as perf goes, where none is deeper, were cut there. */
static void mark_truncated(struct leat_profile *p)
{
	size_t deepest = 0;

	for (size_t i = 0; i < p->stack_cnt; i++) {
		size_t depth = depth_of(&p->stacks[i]);

		deepest = depth > deepest ? depth : deepest;
	}
	for (size_t i = 0; deepest == LEAT_IMPORT_PERF_DEPTH && i < p->stack_cnt; i++) {
		struct leat_stack *s = &p->stacks[i];

		if (depth_of(s) == deepest && s->uframe_cnt && s->uresult == LEAT_STACK_NONE)
			s->uresult = LEAT_STACK_TRUNCATED;
	}
}

static void count_stack(struct leat_profile *p, const struct leat_stack *s, uint64_t value)
{
	const uint32_t *ids = leat_profile_stack_frames(p, s);
	struct leat_verdict *v = &p->verdict;
	bool unknown = !depth_of(s);

	v->stacks[s->uresult] += value;
	v->kstack_truncated += s->kresult == LEAT_STACK_TRUNCATED ? value : 0;
	v->kstack_bad += s->kresult == LEAT_STACK_BAD_MEMORY ? value : 0;
	v->frames += value * depth_of(s);
	v->user_frames += value * s->uframe_cnt;
	for (size_t i = 0; i < depth_of(s); i++) {
		enum leat_unnamed u = p->functions[p->frames[ids[i]].function].unnamed;

		if (u == LEAT_UNNAMED_NONE)
			continue;
		unknown = true;
		v->frames_unnamed[u] += value;
		v->user_unnamed += i >= s->kframe_cnt ? value : 0;
	}
	v->import_unknown += unknown ? value : 0;
}

static void judge(struct leat_build *b)
{
	struct leat_profile *p = b->p;
	struct leat_verdict *v = &p->verdict;

	for (size_t i = 0; i < p->sample_cnt; i++) {
		v->taken += p->samples[i].value;
		count_stack(p, &p->stacks[p->samples[i].stack], p->samples[i].value);
	}
	v->objects = p->object_cnt;
	v->freq_hz = p->meta.freq_hz;
	v->period = p->meta.period;
	v->duration_ns = p->meta.duration_ns;
	v->lost_user = b->lost;
	v->imported = b->lost_told ? LEAT_IMPORTED_LOSS_TOLD : LEAT_IMPORTED;
	v->import_unread = b->unread;
	v->import_cut = b->cut;
	v->import_other = b->other_event;
	v->import_deep = b->cut_deep;
	v->import_labels = b->labels;
}

int leat_build_finish(struct leat_build *b, const struct leat_import_opts *o, struct leat_diag *d)
{
	int err = choose_event(b, o, d);

	if (!err)
		err = place(b->p);
	if (err)
		return err;
	if (!b->p->sample_cnt) {
		leat_diag_set(d, -ENODATA, LEAT_EXIT_NO_SAMPLES, "no samples in it");
		if (b->unread)
			leat_diag_why(d, "%llu lines were not understood",
				      (unsigned long long)b->unread);
		return -ENODATA;
	}
	mark_truncated(b->p);
	judge(b);
	return 0;
}
