/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples of a pprof file, and what it says about itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "import/pprof_impl.h"

#define NS_PER_S 1000000000u

static int list_types(const struct leat_pprof *x, struct leat_diag *d, const char *event)
{
	char list[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < x->type_cnt && n + 1 < sizeof(list); i++) {
		struct leat_pprof_text t = { "", 0 };
		int put = leat_pprof_string(x, x->types[i].type, &t);

		if (put)
			continue;
		put = snprintf(list + n, sizeof(list) - n, "%s%.*s", n ? ", " : "",
			       (int)(t.n < 64 ? t.n : 64), t.s);
		n += put < 0 ? 0 : (size_t)put;
	}
	leat_diag_set(d, -ENOENT, LEAT_EXIT_USAGE, "no sample type %.64s in it", event);
	leat_diag_why(d, "it holds: %s", list);
	return -ENOENT;
}

/* Samples, where they are counted; else what the file prefers; else the last, as its tools do. */
int leat_pprof_choose(struct leat_pprof *x, const struct leat_import_opts *o, struct leat_diag *d)
{
	if (!x->type_cnt)
		return -EBADMSG;
	x->value = x->type_cnt - 1;
	for (size_t i = 0; i < x->type_cnt; i++) {
		if (x->default_type && x->types[i].type == x->default_type)
			x->value = i;
	}
	for (size_t i = x->type_cnt; !o->event && !x->default_type && i--;) {
		if (leat_pprof_is(x, x->types[i].unit, "count") &&
		    (leat_pprof_is(x, x->types[i].type, "samples") ||
		     leat_pprof_is(x, x->types[i].type, "sample")))
			x->value = i;
	}
	for (size_t i = 0; o->event && i < x->type_cnt; i++) {
		if (leat_pprof_is(x, x->types[i].type, o->event)) {
			x->value = i;
			return 0;
		}
	}
	return o->event ? list_types(x, d, o->event) : 0;
}

/* ---- one sample ---- */

struct who {
	struct leat_pprof_text process, thread;
	uint64_t pid, tid;
	bool has_process, has_tid;
};

static int take_label(const struct leat_pprof *x, struct leat_reader r, struct who *w)
{
	struct leat_pprof_text str = { "", 0 };
	uint64_t key = 0, num = 0;
	struct leat_proto_field f;
	int err = 0;

	while (!err && leat_reader_left(&r)) {
		err = leat_proto_next(&r, &f);
		if (!err && f.number == 1)
			key = f.value;
		else if (!err && f.number == 2)
			err = leat_pprof_string(x, f.value, &str);
		else if (!err && f.number == 3)
			num = f.value;
	}
	if (err)
		return err;
	if (leat_pprof_is(x, key, "process")) {
		w->process = str;
		w->has_process = true;
	} else if (leat_pprof_is(x, key, "thread"))
		w->thread = str;
	else if (leat_pprof_is(x, key, "tgid") || leat_pprof_is(x, key, "pid"))
		w->pid = num;
	else if (leat_pprof_is(x, key, "tid")) {
		w->tid = num;
		w->has_tid = true;
	}
	return 0;
}

static int push_location(struct leat_pprof *x, uint64_t id)
{
	struct leat_pprof_location *l = leat_pprof_location(x, id);
	int err = l ? 0 : -EBADMSG;

	if (!err && !l->cnt)
		err = leat_pprof_frames(x, l);
	for (uint32_t i = 0; !err && i < l->cnt; i++)
		err = leat_build_push(x->b, x->frames[l->first + i]);
	return err;
}

/* What was profiled: the first mapping is the program. */
static int program(const struct leat_pprof *x, struct leat_pprof_text *out)
{
	const char *slash;
	int err = x->mapping_cnt ? leat_pprof_string(x, x->mappings[0].file, out) : 0;

	if (err || !out->n || !out->s)
		return err;
	slash = memrchr(out->s, '/', out->n);
	if (slash) {
		out->n -= (size_t)(slash + 1 - out->s);
		out->s = slash + 1;
	}
	return 0;
}

static int put_who(struct leat_pprof *x, struct who *w, struct leat_sample *s)
{
	struct leat_profile *p = x->b->p;
	bool pair = w->has_tid && w->tid <= UINT32_MAX;
	int err = w->has_process ? 0 : program(x, &w->process);

	if (!err)
		err = leat_build_who(x->b, w->process.n ? w->process.s : "", w->process.n,
				     w->pid <= UINT32_MAX ? (uint32_t)w->pid : 0,
				     pair ? (uint32_t)w->tid : 0, pair, &s->process, &s->thread);
	if (!err && s->thread != LEAT_ID_NONE && w->thread.n)
		err = leat_profile_string(p, w->thread.s, w->thread.n, &p->threads[s->thread].comm);
	if (!err && x->mapping_cnt && p->processes[s->process].exe == LEAT_ID_NONE) {
		struct leat_pprof_text file;

		err = leat_pprof_string(x, x->mappings[0].file, &file);
		if (!err)
			err = leat_profile_string(p, file.n ? file.s : "", file.n,
						  &p->processes[s->process].exe);
	}
	return err;
}

/* Differences of two profiles have negative values: those are no samples. */
static int put_sample(struct leat_pprof *x, struct who *w, uint64_t value)
{
	struct leat_sample s = { .cpu = UINT16_MAX, .value = value };
	uint32_t event;
	int err;

	if (!value)
		return 0;
	if ((int64_t)value < 0) {
		x->b->other_event++;
		return 0;
	}
	err = leat_build_event(x->b, "", 0, &event);
	if (!err)
		err = put_who(x, w, &s);
	if (!err)
		err = leat_build_stack(x->b, LEAT_STACK_NONE, &s.stack);
	return err ? err : leat_build_sample(x->b, &s);
}

int leat_pprof_take_sample(struct leat_pprof *x, struct leat_proto_field *field)
{
	struct leat_reader r = field->body;
	struct who w = { .process = { "", 0 }, .thread = { "", 0 } };
	struct leat_proto_field f;
	uint64_t v, value = 0;
	size_t value_cnt = 0;
	int err = 0;

	if (field->number != 2)
		return 0;
	x->b->depth = 0;
	while (!err && leat_reader_left(&r)) {
		err = leat_proto_next(&r, &f);
		if (!err && f.number == 3)
			err = f.type == 2 ? take_label(x, f.body, &w) : -EBADMSG;
		if (err || (f.number != 1 && f.number != 2))
			continue;
		while ((err = leat_proto_repeated(&f, &v)) > 0) {
			if (f.number == 2)
				value = value_cnt++ == x->value ? v : value;
			else if ((err = push_location(x, v)))
				return err;
		}
	}
	if (err)
		return err;
	return value_cnt == x->type_cnt ? put_sample(x, &w, value) : -EBADMSG;
}

/* ---- what it says about itself ---- */

/* "trust: 1,234 samples, 5 lost": leat wrote it, and knew. */
static bool parse_verdict(const struct leat_pprof_text *t, uint64_t *lost)
{
	static const char mid[] = " samples, ", *const heads[] = { "trust: ", "with care: ",
								   "do not trust: " };
	const char *at = NULL, *end = t->s + t->n;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(heads); i++) {
		if (t->n > strlen(heads[i]) && memcmp(t->s, heads[i], strlen(heads[i])) == 0)
			at = memmem(t->s, t->n, mid, sizeof(mid) - 1);
	}
	if (!at)
		return false;
	at += sizeof(mid) - 1;
	for (*lost = 0; at < end && ((*at >= '0' && *at <= '9') || *at == ','); at++) {
		if (*at != ',' && *lost < LEAT_IMPORT_MAX_TOTAL / 16)
			*lost = *lost * 10 + (uint64_t)(*at - '0');
	}
	return end - at >= 5 && memcmp(at, " lost", 5) == 0;
}

static int take_comments(struct leat_pprof *x)
{
	struct leat_pprof_text t, title;

	for (size_t i = 1; i < x->comment_cnt; i++) {
		int err = leat_pprof_string(x, x->comments[i], &t);

		if (err)
			return err;
		if (!parse_verdict(&t, &x->b->lost))
			continue;
		x->b->lost_told = true;
		err = leat_pprof_string(x, x->comments[0], &title);
		return err ? err
			   : leat_profile_string(x->b->p, title.s, title.n, &x->b->p->meta.title);
	}
	return 0;
}

/* "alloc_space (bytes)"; the event's own name where it counts samples of it. */
static int put_event(struct leat_pprof *x, bool samples)
{
	struct leat_pprof_text type, unit;
	char text[160];
	int n, err = leat_pprof_string(x, x->types[x->value].type, &type);

	if (!err)
		err = leat_pprof_string(x, x->types[x->value].unit, &unit);
	if (err)
		return err;
	if (samples) {
		err = leat_pprof_string(x, x->period_type.type, &type);
		return err ? err
			   : leat_profile_string(x->b->p, type.n ? type.s : "", type.n,
						 &x->b->p->meta.event);
	}
	n = snprintf(text, sizeof(text), "%.*s (%.*s)", (int)(type.n < 64 ? type.n : 64), type.s,
		     (int)(unit.n < 64 ? unit.n : 64), unit.s);
	return n < 0 ? -EINVAL
		     : leat_profile_string(x->b->p, text, (size_t)n, &x->b->p->meta.event);
}

int leat_pprof_meta(struct leat_pprof *x)
{
	struct leat_meta *m = &x->b->p->meta;
	bool samples = leat_pprof_is(x, x->types[x->value].unit, "count") &&
		       (leat_pprof_is(x, x->types[x->value].type, "samples") ||
			leat_pprof_is(x, x->types[x->value].type, "sample"));
	int err;

	m->start_real_ns = (int64_t)x->time_ns > 0 ? x->time_ns : 0;
	m->duration_ns = (int64_t)x->duration_ns > 0 ? x->duration_ns : 0;
	if (samples && x->period && x->period <= NS_PER_S &&
	    leat_pprof_is(x, x->period_type.unit, "nanoseconds")) {
		m->freq_hz = (NS_PER_S + x->period / 2) / x->period;
		m->time_based = true;
	} else if (samples && x->period > 1 && (int64_t)x->period > 0) {
		m->period = x->period;
	}
	err = put_event(x, samples);
	return err ? err : take_comments(x);
}
