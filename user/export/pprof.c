/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile.proto (github.com/google/pprof), in gzip. Locations are the profile's frames, each at
 * an address within the place where its object was mapped when it was first seen.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/intern.h"
#include "base/text.h"
#include "export/common.h"
#include "export/deflate.h"
#include "export/formats.h"
#include "export/proto.h"

enum {
	P_SAMPLE_TYPE = 1,
	P_SAMPLE,
	P_MAPPING,
	P_LOCATION,
	P_FUNCTION,
	P_STRING,
	P_TIME = 9,
	P_DURATION,
	P_PERIOD_TYPE,
	P_PERIOD,
	P_COMMENT
};
enum { TYPE_TYPE = 1, TYPE_UNIT };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_STR, LABEL_NUM };
enum {
	MAPPING_ID = 1,
	MAPPING_START,
	MAPPING_LIMIT,
	MAPPING_OFFSET,
	MAPPING_FILE,
	MAPPING_BUILD_ID,
	MAPPING_HAS_FUNCTIONS,
	MAPPING_HAS_FILES,
	MAPPING_HAS_LINES,
	MAPPING_HAS_INLINED
};
enum { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM, FUNCTION_FILE, FUNCTION_START };

enum use { USE_FRAME = 1, USE_MARK = 2 };

/* Offsets of an object that samples use, and whether names and lines are known in it. */
struct extent {
	uint64_t lo, hi; /* hi exclusive; 0: unused */
	bool named, files;
};

struct pprof {
	struct leat_profile *p;
	const struct leat_export_opts *o;
	struct leat_intern *strings;
	struct extent *extents;	 /* by object */
	uint8_t *used_frames;	 /* by frame */
	uint8_t *used_functions; /* by function: enum use */
	size_t functions_cap;	 /* leat_stack_functions may add marks: it grows */
	struct leat_export_stack stack;
	struct leat_buf msg, inner, text;
	struct leat_buf *out;
};

static uint32_t string_of(struct pprof *x, const char *s)
{
	uint32_t id = 0;
	int err;

	leat_buf_reset(&x->text);
	leat_text_clean(&x->text, s, strlen(s));
	err = leat_intern_put(x->strings, x->text.len ? x->text.data : "", x->text.len, &id);
	if (err && !x->out->err)
		x->out->err = err;
	return id;
}

static uint32_t string_id(struct pprof *x, uint32_t id)
{
	return string_of(x, leat_profile_str(x->p, id));
}

static void put_type(struct pprof *x, unsigned int field, const char *type, const char *unit)
{
	leat_proto_number(&x->msg, TYPE_TYPE, string_of(x, type));
	leat_proto_number(&x->msg, TYPE_UNIT, string_of(x, unit));
	leat_proto_message(x->out, field, &x->msg);
}

/* What a sample counts: itself, and time or events where it stands for some. */
static void put_types(struct pprof *x)
{
	const struct leat_meta *m = &x->p->meta;
	uint64_t ns = leat_export_sample_ns(x->p);
	const char *event = leat_profile_str(x->p, m->event);

	put_type(x, P_SAMPLE_TYPE, "samples", "count");
	if (ns)
		put_type(x, P_SAMPLE_TYPE, "cpu", "nanoseconds");
	else if (m->period)
		put_type(x, P_SAMPLE_TYPE, *event ? event : "events", "count");
	put_type(x, P_PERIOD_TYPE,
		 ns	  ? "cpu"
		 : *event ? event
			  : "samples",
		 ns ? "nanoseconds" : "count");
	leat_proto_number(x->out, P_PERIOD, ns ? ns : m->period ? m->period : 1);
	leat_proto_number(x->out, P_TIME, m->start_real_ns);
	leat_proto_number(x->out, P_DURATION, m->duration_ns);
}

static void put_label(struct pprof *x, const char *key, const char *str, uint64_t num)
{
	leat_proto_number(&x->inner, LABEL_KEY, string_of(x, key));
	if (str)
		leat_proto_number(&x->inner, LABEL_STR, string_of(x, str));
	else
		leat_proto_number(&x->inner, LABEL_NUM, num);
	leat_proto_message(&x->msg, SAMPLE_LABEL, &x->inner);
}

static void put_labels(struct pprof *x, const struct leat_sample *s)
{
	const struct leat_profile *p = x->p;
	const char *key, *value;

	if (s->process < p->process_cnt) {
		put_label(x, "process", leat_profile_str(p, p->processes[s->process].comm), 0);
		put_label(x, "tgid", NULL, p->processes[s->process].tgid);
	}
	if (s->thread < p->thread_cnt) {
		put_label(x, "thread", leat_profile_str(p, p->threads[s->thread].comm), 0);
		put_label(x, "tid", NULL, p->threads[s->thread].tid);
	}
	for (size_t i = 0; !leat_profile_attribute_at(p, s->attrs, i, &key, &value); i++)
		put_label(x, key, value, 0);
}

/* Locations 1.. are frames; those of marks ("[truncated]") follow, one for each function. */
static uint64_t mark_location(const struct pprof *x, uint32_t function)
{
	return (uint64_t)x->p->frame_cnt + function + 1;
}

static int use_function(struct pprof *x, uint32_t id, enum use use)
{
	size_t cap = x->functions_cap;

	if (id >= cap) {
		int err = LEAT_ARRAY_ROOM(x->used_functions, x->functions_cap, (size_t)id + 1,
					  (size_t)UINT32_MAX);

		if (err)
			return err;
		memset(x->used_functions + cap, 0, x->functions_cap - cap);
	}
	x->used_functions[id] |= (uint8_t)use;
	return 0;
}

static int put_sample(struct pprof *x, const struct leat_sample *s, uint64_t value)
{
	const struct leat_meta *m = &x->p->meta;
	uint64_t ns = leat_export_sample_ns(x->p);
	int err = leat_export_stack(&x->stack, x->p, s);

	for (size_t i = 0; !err && i < x->stack.n; i++) {
		const struct leat_export_place *place = &x->stack.places[i];

		if (place->frame != LEAT_ID_NONE) {
			leat_buf_uleb128(&x->inner, (uint64_t)place->frame + 1);
			x->used_frames[place->frame] = 1;
		} else {
			leat_buf_uleb128(&x->inner, mark_location(x, place->function));
			err = use_function(x, place->function, USE_MARK);
		}
	}
	leat_proto_message(&x->msg, SAMPLE_LOCATION, &x->inner);
	leat_buf_uleb128(&x->inner, value);
	if (ns || m->period)
		leat_buf_uleb128(&x->inner, value * (ns ? ns : m->period));
	leat_proto_message(&x->msg, SAMPLE_VALUE, &x->inner);
	put_labels(x, s);
	leat_proto_message(x->out, P_SAMPLE, &x->msg);
	return err;
}

static int compare_samples(const void *a, const void *b, void *arg)
{
	const struct leat_profile *p = arg;
	const struct leat_sample *x = &p->samples[*(const uint32_t *)a];
	const struct leat_sample *y = &p->samples[*(const uint32_t *)b];

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	if (x->attrs != y->attrs)
		return x->attrs < y->attrs ? -1 : 1;
	return x->stack < y->stack ? -1 : x->stack > y->stack;
}

/* Samples that differ in time or CPU alone become one. */
static int put_samples(struct pprof *x)
{
	struct leat_profile *p = x->p;
	LEAT_FREE uint32_t *order = malloc((p->sample_cnt + 1) * sizeof(*order));
	int err = order ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < p->sample_cnt; i++)
		order[i] = (uint32_t)i;
	if (!err)
		qsort_r(order, p->sample_cnt, sizeof(*order), compare_samples, p);
	for (size_t i = 0, k; !err && i < p->sample_cnt; i = k) {
		uint64_t value = 0;

		for (k = i; k < p->sample_cnt && !compare_samples(&order[i], &order[k], p); k++)
			value += p->samples[order[k]].value;
		err = put_sample(x, &p->samples[order[i]], value);
	}
	return err;
}

static int measure(struct pprof *x)
{
	const struct leat_profile *p = x->p;
	int err = 0;

	for (size_t i = 0; !err && i < p->frame_cnt; i++) {
		const struct leat_frame *f = &p->frames[i];
		struct extent *e = &x->extents[f->object];
		const struct leat_function *fn;

		if (!x->used_frames[i])
			continue;
		if (!e->hi || f->offset < e->lo)
			e->lo = f->offset;
		if (f->offset >= e->hi)
			e->hi = f->offset == UINT64_MAX ? f->offset : f->offset + 1;
		if (f->function >= p->function_cnt)
			continue;
		fn = &p->functions[f->function];
		err = use_function(x, f->function, USE_FRAME);
		e->named |= fn->unnamed == LEAT_UNNAMED_NONE;
		e->files |= fn->file != LEAT_ID_NONE;
	}
	return err;
}

/* Where it was mapped, made wider when a sample fell outside (another process, another segment). */
static void put_mapping(struct pprof *x, uint32_t object)
{
	const struct leat_object *o = &x->p->objects[object];
	const struct extent *e = &x->extents[object];
	uint64_t lo = o->map_pgoff, hi = o->map_pgoff + (o->map_end - o->map_start);
	struct leat_buf *m = &x->msg;
	char hex[2 * sizeof(o->build_id) + 1] = "";

	if (o->map_end <= o->map_start ||
	    (o->kind != LEAT_OBJECT_FILE && o->kind != LEAT_OBJECT_VDSO)) {
		lo = e->lo;
		hi = e->hi;
	}
	lo = e->lo < lo ? e->lo : lo;
	hi = e->hi > hi ? e->hi : hi;
	for (size_t i = 0; i < o->build_id_len && i < sizeof(o->build_id); i++)
		snprintf(hex + 2 * i, 3, "%02x", o->build_id[i]);
	leat_proto_number(m, MAPPING_ID, (uint64_t)object + 1);
	leat_proto_number(m, MAPPING_START, leat_export_address(o, lo));
	leat_proto_number(m, MAPPING_LIMIT, leat_export_address(o, hi));
	leat_proto_number(m, MAPPING_OFFSET, o->kind == LEAT_OBJECT_FILE ? lo : 0);
	leat_proto_number(m, MAPPING_FILE, string_id(x, o->path));
	leat_proto_number(m, MAPPING_BUILD_ID, string_of(x, hex));
	leat_proto_number(m, MAPPING_HAS_FUNCTIONS, e->named);
	leat_proto_number(m, MAPPING_HAS_FILES, e->files);
	leat_proto_number(m, MAPPING_HAS_LINES, e->files);
	leat_proto_message(x->out, P_MAPPING, m);
}

static void put_location(struct pprof *x, uint64_t id, const struct leat_frame *f,
			 uint32_t function)
{
	if (f) {
		leat_proto_number(&x->msg, LOCATION_MAPPING, (uint64_t)f->object + 1);
		leat_proto_number(&x->msg, LOCATION_ADDRESS,
				  leat_export_address(&x->p->objects[f->object], f->offset));
	}
	leat_proto_number(&x->msg, LOCATION_ID, id);
	if (function < x->p->function_cnt) {
		leat_proto_number(&x->inner, LINE_FUNCTION, (uint64_t)function + 1);
		leat_proto_number(&x->inner, LINE_LINE, x->p->functions[function].line);
		leat_proto_message(&x->msg, LOCATION_LINE, &x->inner);
	}
	leat_proto_message(x->out, P_LOCATION, &x->msg);
}

static void put_function(struct pprof *x, uint32_t id)
{
	const struct leat_function *f = &x->p->functions[id];

	leat_proto_number(&x->msg, FUNCTION_ID, (uint64_t)id + 1);
	leat_proto_number(&x->msg, FUNCTION_NAME, string_id(x, f->name));
	leat_proto_number(&x->msg, FUNCTION_SYSTEM,
			  string_id(x, f->raw == LEAT_ID_NONE ? f->name : f->raw));
	leat_proto_number(&x->msg, FUNCTION_FILE, string_id(x, f->file));
	leat_proto_number(&x->msg, FUNCTION_START, f->line);
	leat_proto_message(x->out, P_FUNCTION, &x->msg);
}

/* Readers take the first mapping for the program: that of the process with most samples. */
static uint32_t main_object(const struct pprof *x)
{
	const struct leat_profile *p = x->p;
	const struct leat_process *most = NULL;

	for (size_t i = 0; i < p->process_cnt; i++) {
		if (!most || p->processes[i].samples > most->samples)
			most = &p->processes[i];
	}
	for (uint32_t i = 0; most && i < p->object_cnt; i++) {
		if (x->extents[i].hi && p->objects[i].path == most->exe)
			return i;
	}
	return LEAT_ID_NONE;
}

static void put_mappings(struct pprof *x)
{
	uint32_t first = main_object(x);

	if (first != LEAT_ID_NONE)
		put_mapping(x, first);
	for (uint32_t i = 0; i < x->p->object_cnt; i++) {
		if (x->extents[i].hi && i != first)
			put_mapping(x, i);
	}
}

static int put_tables(struct pprof *x)
{
	const struct leat_profile *p = x->p;
	int err = measure(x);

	put_mappings(x);
	for (uint32_t i = 0; i < p->frame_cnt; i++) {
		if (x->used_frames[i])
			put_location(x, (uint64_t)i + 1, &p->frames[i], p->frames[i].function);
	}
	for (uint32_t i = 0; i < x->functions_cap && i < p->function_cnt; i++) {
		if (x->used_functions[i] & USE_MARK)
			put_location(x, mark_location(x, i), NULL, i);
		if (x->used_functions[i])
			put_function(x, i);
	}
	return err;
}

static int put_comments(struct pprof *x)
{
	struct leat_buf lines;
	int err;

	leat_buf_init(&lines, LEAT_EXPORT_MAX_BYTES);
	leat_export_title(x->p, x->o, &lines);
	leat_buf_char(&lines, '\n');
	if (!x->o->no_verdict)
		leat_profile_verdict_text(x->p, &lines);
	for (char *s = lines.data, *end; s && *s; s = end) {
		end = strchr(s, '\n');
		if (end)
			*end++ = '\0';
		if (*s)
			leat_proto_element(x->out, P_COMMENT, string_of(x, s));
	}
	err = lines.err;
	leat_buf_fini(&lines);
	return err;
}

static void put_strings(struct pprof *x)
{
	for (uint32_t i = 0; i < leat_intern_count(x->strings); i++) {
		size_t n;
		const char *s = leat_intern_at(x->strings, i, &n);

		leat_proto_bytes(x->out, P_STRING, s, n);
	}
}

static int start(struct pprof *x)
{
	uint32_t empty;
	int err = leat_intern_new(&x->strings, UINT32_MAX / 2, LEAT_EXPORT_MAX_BYTES);

	leat_buf_init(&x->msg, LEAT_EXPORT_MAX_BYTES);
	leat_buf_init(&x->inner, LEAT_EXPORT_MAX_BYTES);
	leat_buf_init(&x->text, LEAT_EXPORT_MAX_BYTES);
	if (!err)
		err = leat_intern_put(x->strings, "", 0, &empty);
	x->extents = calloc(x->p->object_cnt + 1, sizeof(*x->extents));
	x->used_frames = calloc(x->p->frame_cnt + 1, 1);
	return err ? err : x->extents && x->used_frames ? 0 : -ENOMEM;
}

int leat_export_pprof(struct leat_profile *p, const struct leat_export_opts *o,
		      struct leat_buf *out)
{
	struct leat_buf raw;
	struct pprof x = { .p = p, .o = o, .out = &raw };
	int err;

	leat_buf_init(&raw, LEAT_EXPORT_MAX_BYTES);
	err = start(&x);
	if (!err)
		put_types(&x);
	if (!err)
		err = put_samples(&x);
	if (!err)
		err = put_tables(&x);
	if (!err)
		err = put_comments(&x);
	if (!err)
		put_strings(&x);
	if (!err)
		err = raw.err ? raw.err : x.text.err;
	if (!err)
		err = leat_deflate(out, &raw,
				   (struct leat_deflate_opts){ .gzip = true, .level = 3 });
	leat_intern_free(&x.strings);
	free(x.extents);
	free(x.used_frames);
	free(x.used_functions);
	leat_export_stack_fini(&x.stack);
	leat_buf_fini(&x.msg);
	leat_buf_fini(&x.inner);
	leat_buf_fini(&x.text);
	leat_buf_fini(&raw);
	return err ? err : out->err;
}
