/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * speedscope.app/file-format-schema.json, profiles of type "sampled": one for the whole, or, when
 * samples have their time, one for each thread in order of time, with its pauses.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "export/common.h"
#include "export/formats.h"

struct scope {
	struct leat_profile *p;
	const struct leat_export_opts *o;
	struct leat_tree_opts groups;
	uint32_t *order;    /* samples by thread and time, or as they are */
	uint32_t *frame_of; /* function -> frame + 1 */
	uint32_t *frames;   /* frame -> function */
	size_t frame_cap;
	uint32_t frame_cnt;
	uint32_t *ids; /* scratch of leat_stack_functions */
	size_t ids_cap;
	uint64_t sample_ns; /* 0: weights are samples */
	bool timed;
	struct leat_buf stacks, weights;
	struct leat_buf *out;
};

static int compare(const void *a, const void *b, void *arg)
{
	const struct leat_profile *p = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct leat_sample *x = &p->samples[i], *y = &p->samples[k];

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return i < k ? -1 : i > k;
}

static int start(struct scope *x)
{
	struct leat_profile *p = x->p;

	x->order = malloc((p->sample_cnt + 1) * sizeof(*x->order));
	/* leat_stack_functions adds functions (marks, processes, threads): a first pass lets it. */
	for (size_t i = 0; i < p->sample_cnt; i++) {
		size_t n = 0;
		int err = leat_stack_functions(p, &p->samples[i], &x->groups, &x->ids, &n,
					       &x->ids_cap);

		if (err)
			return err;
	}
	x->frame_cap = p->function_cnt;
	x->frame_of = calloc(x->frame_cap + 1, sizeof(*x->frame_of));
	x->frames = calloc((size_t)x->frame_cap + 1, sizeof(*x->frames));
	if (!x->order || !x->frame_of || !x->frames)
		return -ENOMEM;
	for (size_t i = 0; i < p->sample_cnt; i++)
		x->order[i] = (uint32_t)i;
	if (x->timed)
		qsort_r(x->order, p->sample_cnt, sizeof(*x->order), compare, p);
	return 0;
}

static int put_stack(struct scope *x, const struct leat_sample *s)
{
	size_t n = 0;
	int err = leat_stack_functions(x->p, s, &x->groups, &x->ids, &n, &x->ids_cap);

	if (err)
		return err;
	leat_buf_str(&x->stacks, x->stacks.len ? ",[" : "[");
	for (size_t i = 0; i < n; i++) {
		uint32_t f = x->ids[i];

		if (f >= x->frame_cap)
			return -EOVERFLOW;
		if (!x->frame_of[f]) {
			x->frames[x->frame_cnt] = f;
			x->frame_of[f] = ++x->frame_cnt;
		}
		if (i)
			leat_buf_char(&x->stacks, ',');
		leat_buf_u64(&x->stacks, x->frame_of[f] - 1);
	}
	leat_buf_char(&x->stacks, ']');
	return 0;
}

static void put_weight(struct scope *x, uint64_t v)
{
	if (x->weights.len)
		leat_buf_char(&x->weights, ',');
	leat_buf_u64(&x->weights, v);
}

/* Time in which the thread took no sample is a sample with no frames. */
static void put_pause(struct scope *x, uint64_t ns)
{
	leat_buf_str(&x->stacks, x->stacks.len ? ",[]" : "[]");
	put_weight(x, ns);
}

static void put_name(struct scope *x, const struct leat_sample *s)
{
	const struct leat_profile *p = x->p;
	struct leat_buf name;

	leat_buf_init(&name, LEAT_EXPORT_MAX_BYTES);
	if (x->timed && s->process < p->process_cnt) {
		const struct leat_process *proc = &p->processes[s->process];
		bool thread = s->thread < p->thread_cnt;

		leat_buf_printf(
			&name, "%s (%" PRIu32,
			leat_profile_str(p, thread ? p->threads[s->thread].comm : proc->comm),
			proc->tgid);
		if (thread)
			leat_buf_printf(&name, "/%" PRIu32, p->threads[s->thread].tid);
		leat_buf_char(&name, ')');
	} else {
		leat_export_title(p, x->o, &name);
	}
	leat_export_json_buf(x->out, &name);
	leat_buf_fini(&name);
}

static bool same_thread(const struct scope *x, size_t i, size_t k)
{
	const struct leat_sample *a = &x->p->samples[x->order[i]], *b = &x->p->samples[x->order[k]];

	return !x->timed || (a->process == b->process && a->thread == b->thread);
}

/*
 * Samples from @i up to the end of its thread; *@next is the first of the next one. A sample covers
 * the period before it; what lies between it and the one before is a pause.
 */
static int put_profile(struct scope *x, size_t i, size_t *next)
{
	const struct leat_sample *samples = x->p->samples;
	uint64_t unit = x->sample_ns ? x->sample_ns : 1, end = 0, origin = x->p->meta.start_mono_ns;
	size_t first = i;
	int err = 0;

	leat_buf_reset(&x->stacks);
	leat_buf_reset(&x->weights);
	for (; !err && i < x->p->sample_cnt && same_thread(x, first, i); i++) {
		const struct leat_sample *s = &samples[x->order[i]];
		uint64_t weight = s->value * unit, ts = s->ts_ns > origin ? s->ts_ns - origin : 0;

		if (x->timed && x->sample_ns && ts > end + weight) {
			put_pause(x, ts - end - weight);
			end = ts - weight;
		}
		err = put_stack(x, s);
		put_weight(x, weight);
		end += weight;
	}
	*next = i;
	leat_buf_str(x->out, first ? ",\n" : "\n");
	leat_buf_str(x->out, "{\"type\":\"sampled\",\"name\":");
	put_name(x, &samples[x->order[first]]);
	leat_buf_printf(x->out,
			",\"unit\":\"%s\",\"startValue\":0,\"endValue\":%" PRIu64 ",\"samples\":[",
			x->sample_ns ? "nanoseconds" : "none", end);
	leat_buf_add(x->out, x->stacks.data, x->stacks.len);
	leat_buf_str(x->out, "],\"weights\":[");
	leat_buf_add(x->out, x->weights.data, x->weights.len);
	leat_buf_str(x->out, "]}");
	return err ? err : x->stacks.err ? x->stacks.err : x->weights.err;
}

static void put_empty_profile(struct scope *x)
{
	leat_buf_str(x->out, "\n{\"type\":\"sampled\",\"name\":\"empty\",\"unit\":\"none\","
			     "\"startValue\":0,\"endValue\":0,\"samples\":[],\"weights\":[]}");
}

static void put_frames(struct scope *x)
{
	const struct leat_profile *p = x->p;

	leat_buf_str(x->out, "],\n\"shared\":{\"frames\":[");
	for (uint32_t i = 0; i < x->frame_cnt; i++) {
		const struct leat_function *f = &p->functions[x->frames[i]];
		bool has_source = f->file != LEAT_ID_NONE;
		uint32_t file = has_source		    ? f->file
				: f->object < p->object_cnt ? p->objects[f->object].path
							    : LEAT_ID_NONE;

		leat_buf_str(x->out, i ? ",\n{\"name\":" : "\n{\"name\":");
		leat_export_json(x->out, p, f->name);
		if (*leat_profile_str(p, file)) {
			leat_buf_str(x->out, ",\"file\":");
			leat_export_json(x->out, p, file);
		}
		if (has_source && f->line)
			leat_buf_printf(x->out, ",\"line\":%" PRIu32, f->line);
		leat_buf_char(x->out, '}');
	}
	leat_buf_str(x->out, "]}");
}

static void put_head(struct scope *x)
{
	struct leat_buf text;

	leat_buf_init(&text, LEAT_EXPORT_MAX_BYTES);
	leat_buf_str(x->out,
		     "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
		     "\"exporter\":");
	leat_export_json(x->out, x->p, x->p->meta.version);
	leat_buf_str(x->out, ",\n\"name\":");
	leat_export_title(x->p, x->o, &text);
	if (!x->o->no_verdict) {
		leat_buf_str(&text, " \xc2\xb7 ");
		leat_verdict_line(&x->p->verdict, &text);
	}
	leat_export_json_buf(x->out, &text);
	leat_buf_fini(&text);
	leat_buf_str(x->out, ",\n\"activeProfileIndex\":0,\n\"profiles\":[");
}

static bool has_times(const struct leat_profile *p)
{
	for (size_t i = 0; i < p->sample_cnt; i++) {
		if (p->samples[i].ts_ns)
			return true;
	}
	return false;
}

int leat_export_speedscope(struct leat_profile *p, const struct leat_export_opts *o,
			   struct leat_buf *out)
{
	struct scope x = { .p = p, .o = o, .out = out };
	int err;

	leat_buf_init(&x.stacks, LEAT_EXPORT_MAX_BYTES);
	leat_buf_init(&x.weights, LEAT_EXPORT_MAX_BYTES);
	x.timed = has_times(p);
	x.sample_ns = leat_export_sample_ns(p);
	/* A profile per thread says whose it is by its name. */
	if (!x.timed)
		x.groups = o->tree;
	x.groups.by_attribute = o->tree.by_attribute;
	err = start(&x);
	if (!err)
		put_head(&x);
	for (size_t i = 0; !err && i < p->sample_cnt;)
		err = put_profile(&x, i, &i);
	if (!err && !p->sample_cnt)
		put_empty_profile(&x);
	if (!err) {
		put_frames(&x);
		leat_buf_str(out, "}\n");
	}
	leat_buf_fini(&x.stacks);
	leat_buf_fini(&x.weights);
	free(x.order);
	free(x.frame_of);
	free(x.frames);
	free(x.ids);
	return err ? err : out->err;
}
