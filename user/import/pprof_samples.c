/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples of a pprof file, and what it says about itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "import/pprof_impl.h"

#define NS_PER_S 1000000000u

/* "alloc_objects, alloc_space" of all but @but, as far as it fits. */
static void list_types(const struct leat_pprof *x, size_t but, char *list, size_t cap)
{
	size_t n = 0;

	list[0] = '\0';
	for (size_t i = 0; i < x->type_cnt && n + 1 < cap; i++) {
		struct leat_pprof_text t = { "", 0 };
		int put = i == but ? -1 : leat_pprof_string(x, x->types[i].type, &t);

		if (put)
			continue;
		put = snprintf(list + n, cap - n, "%s%.*s", n ? ", " : "",
			       (int)(t.n < 64 ? t.n : 64), t.s);
		n += put < 0 ? 0 : (size_t)put;
	}
}

static int no_type(const struct leat_pprof *x, struct leat_diag *d, const char *event)
{
	char list[256];

	list_types(x, SIZE_MAX, list, sizeof(list));
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
	return o->event ? no_type(x, d, o->event) : 0;
}

/* ---- one sample ---- */

struct who {
	struct leat_pprof_text process, thread;
	uint64_t pid, tid;
	bool has_process, has_tid;
	struct leat_attribute pairs[LEAT_PROFILE_MAX_ATTRIBUTES]; /* other labels, sorted by key */
	size_t pair_cnt;
};

/* Without .pairs, which are many. */
static void who_init(struct who *w)
{
	w->process = w->thread = (struct leat_pprof_text){ "", 0 };
	w->pid = w->tid = 0;
	w->has_process = w->has_tid = false;
	w->pair_cnt = 0;
}

struct label {
	uint64_t key, num, unit; /* strings by number, but .num */
	struct leat_pprof_text str;
	bool has_str;
};

static int read_label(const struct leat_pprof *x, struct leat_reader r, struct label *l)
{
	struct leat_proto_field f;
	int err = 0;

	while (!err && leat_reader_left(&r)) {
		err = leat_proto_next(&r, &f);
		if (!err && f.number == 1)
			l->key = f.value;
		else if (!err && f.number == 2) {
			err = leat_pprof_string(x, f.value, &l->str);
			l->has_str = f.value != 0;
		} else if (!err && f.number == 3)
			l->num = f.value;
		else if (!err && f.number == 4)
			l->unit = f.value;
	}
	return err;
}

/* "text", "12", "12 bytes" */
static int label_value(struct leat_pprof *x, const struct label *l, uint32_t *id)
{
	struct leat_pprof_text unit = { "", 0 };
	char text[96];
	int n, err;

	if (l->has_str)
		return leat_profile_string(x->b->p, l->str.s, l->str.n, id);
	err = leat_pprof_string(x, l->unit, &unit);
	if (err)
		return err;
	n = snprintf(text, sizeof(text), "%" PRId64 "%s%.*s", (int64_t)l->num, unit.n ? " " : "",
		     (int)(unit.n < 64 ? unit.n : 64), unit.n ? unit.s : "");
	return n < 0 ? -EINVAL : leat_profile_string(x->b->p, text, (size_t)n, id);
}

/* The first value of a key is kept; what does not fit is counted. */
static int add_pair(struct leat_pprof *x, const struct label *l, struct who *w)
{
	struct leat_attribute a;
	struct leat_pprof_text key;
	size_t at = 0;
	int order = 1, err = leat_pprof_string(x, l->key, &key);

	if (!err)
		err = leat_profile_string(x->b->p, key.n ? key.s : "", key.n, &a.key);
	if (!err)
		err = label_value(x, l, &a.value);
	if (err)
		return err;
	while (at < w->pair_cnt && (order = strcmp(leat_profile_str(x->b->p, w->pairs[at].key),
						   leat_profile_str(x->b->p, a.key))) < 0)
		at++;
	if ((at < w->pair_cnt && !order) || w->pair_cnt == LEAT_PROFILE_MAX_ATTRIBUTES) {
		x->b->labels++;
		return 0;
	}
	memmove(&w->pairs[at + 1], &w->pairs[at], (w->pair_cnt - at) * sizeof(a));
	w->pairs[at] = a;
	w->pair_cnt++;
	return 0;
}

/* Those that say who it was, as leat writes them, and the others, which are facts of the sample. */
static int take_label(struct leat_pprof *x, struct leat_reader r, struct who *w)
{
	struct label l = { .str = { "", 0 } };
	int err = read_label(x, r, &l);

	if (err)
		return err;
	if (leat_pprof_is(x, l.key, "process")) {
		w->process = l.str;
		w->has_process = true;
	} else if (leat_pprof_is(x, l.key, "thread") && l.has_str)
		w->thread = l.str;
	else if (leat_pprof_is(x, l.key, "tgid") || leat_pprof_is(x, l.key, "pid"))
		w->pid = l.num;
	else if (leat_pprof_is(x, l.key, "tid")) {
		w->tid = l.num;
		w->has_tid = true;
	} else
		return add_pair(x, &l, w);
	return 0;
}

/* Too many different sets: the sample is kept, its labels are not. */
static int put_labels(struct leat_pprof *x, const struct who *w, uint32_t *set)
{
	int err = w->pair_cnt ? leat_profile_attributes(x->b->p, w->pairs, w->pair_cnt, set) : 0;

	if (err != -EOVERFLOW)
		return err;
	x->b->labels += w->pair_cnt;
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
		err = put_labels(x, w, &s.attrs);
	if (!err)
		err = leat_build_stack(x->b, LEAT_STACK_NONE, &s.stack);
	return err ? err : leat_build_sample(x->b, &s);
}

int leat_pprof_take_sample(struct leat_pprof *x, struct leat_proto_field *field)
{
	struct leat_reader r = field->body;
	struct who w;
	struct leat_proto_field f;
	uint64_t v, value = 0;
	size_t value_cnt = 0;
	int err = 0;

	if (field->number != 2)
		return 0;
	who_init(&w);
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

/* Each sample has a value of each type: those that do not count. */
static int put_note(struct leat_pprof *x)
{
	char list[256], note[320];

	if (x->type_cnt < 2)
		return 0;
	list_types(x, x->value, list, sizeof(list));
	snprintf(note, sizeof(note), "left out: %s; -e chooses one of them", list);
	return leat_profile_string(x->b->p, note, strlen(note), &x->b->p->meta.event_note);
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
	if (!err)
		err = put_note(x);
	return err ? err : take_comments(x);
}
