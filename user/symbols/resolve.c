/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for all frames: jobs by object, then demangling, then into the profile. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "symbols/demangle.h"
#include "symbols/job.h"
#include "symbols/pool.h"

/* Below this a thread costs more than it brings (a start is 50 us, a name 0.5 to 1.5 us). */
#define SERIAL_FRAMES 64
#define CHUNK_NAMES   128
#define NAMES_MAX     LEAT_PROFILE_MAX_FRAMES

struct name {
	uint32_t job;
	uint32_t found;
};

struct resolver {
	struct leat_profile *profile;
	const struct leat_symbols_opts *opts;
	struct leat_opener files;
	struct leat_groups groups;
	struct leat_job *jobs; /* one for each group */
	struct name *names;    /* those to demangle */
	size_t name_cnt, name_cap;
	struct leat_buf *chunks; /* demangled names, a buffer for each piece of the work */
	size_t chunk_cnt;
};

/* What is worth a look into files. The rest needs no look: see name_plainly(). */
static bool is_wanted(const struct leat_profile *p, const struct leat_frame *f)
{
	enum leat_object_kind kind = p->objects[f->object].kind;

	return f->function == LEAT_ID_NONE &&
	       !(f->flags & (LEAT_FRAME_REMAPPED | LEAT_FRAME_BAD_CALL)) &&
	       kind != LEAT_OBJECT_UNKNOWN && kind != LEAT_OBJECT_NAMED;
}

/* The call, not what comes after it: that may belong to the next function, or the next line. */
static void to_look_ups(struct resolver *r)
{
	size_t n = r->groups.n;

	for (size_t g = 0; g < n; g++) {
		struct leat_group *group = &r->groups.groups[g];

		for (size_t i = 0; i < group->n; i++) {
			struct leat_item *it = &group->items[i];
			uint32_t flags = r->profile->frames[it->frame].flags;

			if ((flags & LEAT_FRAME_RETURN) && !(flags & LEAT_FRAME_SIGNAL) && it->at)
				it->at--;
		}
	}
}

static void run_job(void *ctx, size_t i)
{
	struct resolver *r = ctx;
	struct leat_job *j = &r->jobs[i];

	switch (leat_job_object(j)->kind) {
	case LEAT_OBJECT_FILE:
	case LEAT_OBJECT_VDSO:
		leat_job_binary(j);
		break;
	case LEAT_OBJECT_KERNEL:
		leat_job_kernel(j);
		break;
	case LEAT_OBJECT_JIT:
		leat_job_perf_map(j);
		break;
	default:
		break;
	}
}

/* The kernel's table takes longest, where it has to be read (60 ms), so it comes first. */
static void order_jobs(struct resolver *r)
{
	size_t front = 0;

	for (size_t i = 0; i < r->groups.n; i++) {
		struct leat_group *g = &r->groups.groups[i], swap = *g;

		if (r->profile->objects[g->object].kind != LEAT_OBJECT_KERNEL)
			continue;
		*g = r->groups.groups[front];
		r->groups.groups[front++] = swap;
	}
}

static unsigned int thread_cnt(const struct resolver *r)
{
	return r->opts->threads ? r->opts->threads : leat_pool_cpus();
}

static int run_jobs(struct resolver *r)
{
	size_t n = r->groups.n, frames = 0;
	bool slow = false;

	order_jobs(r);
	r->jobs = calloc(n + 1, sizeof(*r->jobs));
	if (!r->jobs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		r->jobs[i].files = &r->files;
		r->jobs[i].group = r->groups.groups[i];
		leat_buf_init(&r->jobs[i].text, LEAT_JOB_TEXT_MAX);
		frames += r->groups.groups[i].n;
		slow |= leat_job_object(&r->jobs[i])->kind == LEAT_OBJECT_KERNEL;
	}
	leat_pool_run(slow || frames > SERIAL_FRAMES ? thread_cnt(r) : 1, n, run_job, r);
	for (size_t i = 0; i < n; i++) {
		if (r->jobs[i].err)
			return r->jobs[i].err;
	}
	return 0;
}

static int collect_names(struct resolver *r)
{
	for (size_t i = 0; i < r->groups.n && !r->opts->no_demangle; i++) {
		const struct leat_job *j = &r->jobs[i];
		int err = LEAT_ARRAY_ROOM(r->names, r->name_cap, r->name_cnt + j->found_cnt,
					  NAMES_MAX);

		if (err)
			return err;
		for (size_t k = 0; k < j->found_cnt; k++) {
			const struct leat_found *f = &j->found[k];

			if (f->raw_len && !f->shown_len &&
			    leat_is_mangled(j->text.data + f->raw, f->raw_len))
				r->names[r->name_cnt++] = (struct name){ (uint32_t)i, (uint32_t)k };
		}
	}
	return 0;
}

static size_t chunk_len(const struct resolver *r, size_t c)
{
	size_t left = r->name_cnt - c * CHUNK_NAMES;

	return left < CHUNK_NAMES ? left : CHUNK_NAMES;
}

/* Each name is in one chunk, so nobody else writes to what was found. */
static void run_chunk(void *ctx, size_t c)
{
	struct resolver *r = ctx;
	struct leat_buf *out = &r->chunks[c];
	const struct name *names = &r->names[c * CHUNK_NAMES];

	for (size_t i = 0; i < chunk_len(r, c); i++) {
		const struct leat_job *j = &r->jobs[names[i].job];
		struct leat_found *f = &j->found[names[i].found];
		const char *raw = j->text.data + f->raw;
		size_t start = out->len;

		if (!leat_demangle(raw, leat_unversioned(raw, f->raw_len), out))
			continue;
		f->shown = start;
		f->shown_len = out->len - start;
		f->chunk = (uint32_t)c + 1;
	}
}

static int demangle(struct resolver *r)
{
	int err = collect_names(r);

	if (err || !r->name_cnt)
		return err;
	r->chunk_cnt = (r->name_cnt + CHUNK_NAMES - 1) / CHUNK_NAMES;
	r->chunks = calloc(r->chunk_cnt, sizeof(*r->chunks));
	if (!r->chunks) {
		r->chunk_cnt = 0;
		return -ENOMEM;
	}
	for (size_t i = 0; i < r->chunk_cnt; i++)
		leat_buf_init(&r->chunks[i], (size_t)CHUNK_NAMES * LEAT_DEMANGLE_OUT_MAX);
	leat_pool_run(thread_cnt(r), r->chunk_cnt, run_chunk, r);
	for (size_t i = 0; i < r->chunk_cnt; i++) {
		if (r->chunks[i].err)
			return r->chunks[i].err;
	}
	return 0;
}

/* "[libfoo.so.1]": one box for all frames of an object about which nothing more is known. */
static int object_box(struct leat_profile *p, uint32_t object, enum leat_unnamed cause,
		      uint32_t *id)
{
	struct leat_function f = {
		.raw = LEAT_ID_NONE,
		.object = object,
		.file = LEAT_ID_NONE,
		.unnamed = cause,
	};
	const struct leat_object *o = &p->objects[object];
	LEAT_AUTO(leat_buf_fini) struct leat_buf name;
	size_t len;
	const char *base = leat_object_base(p, o, &len);
	int err;

	leat_buf_init(&name, SIZE_MAX / 2);
	if (!len) {
		base = "unknown";
		len = strlen(base);
	}
	if (*base != '[')
		leat_buf_char(&name, '[');
	leat_buf_add(&name, base, len);
	if (*base != '[')
		leat_buf_char(&name, ']');
	if (name.err)
		return name.err;
	f.kind = o->kind == LEAT_OBJECT_KERNEL ? LEAT_FUNCTION_KERNEL
		 : o->kind == LEAT_OBJECT_JIT  ? LEAT_FUNCTION_JIT
					       : LEAT_FUNCTION_NATIVE;
	err = leat_profile_string(p, name.data, name.len, &f.name);
	return err ? err : leat_profile_function(p, &f, id);
}

/* A module is an object of its own, named as the kernel writes it. */
static int module_object(struct leat_profile *p, const char *name, size_t len, uint32_t *id)
{
	struct leat_object o = { .kind = LEAT_OBJECT_KERNEL, .process = LEAT_ID_NONE };
	LEAT_AUTO(leat_buf_fini) struct leat_buf path;
	int err;

	leat_buf_init(&path, SIZE_MAX / 2);
	leat_buf_char(&path, '[');
	leat_buf_add(&path, name, len);
	leat_buf_char(&path, ']');
	if (path.err)
		return path.err;
	err = leat_profile_string(p, path.data, path.len, &o.path);
	return err ? err : leat_profile_object(p, &o, id);
}

static int intern_name(struct resolver *r, const struct leat_job *j, const struct leat_found *f,
		       uint32_t *id)
{
	const struct leat_buf *in = f->chunk ? &r->chunks[f->chunk - 1] : &j->text;
	const char *raw = j->text.data + f->raw;

	if (f->shown_len)
		return leat_profile_string(r->profile, in->data + f->shown, f->shown_len, id);
	return leat_profile_string(r->profile, raw, leat_unversioned(raw, f->raw_len), id);
}

static int intern_found(struct resolver *r, const struct leat_job *j,
			const struct leat_found *found, uint32_t *id)
{
	struct leat_profile *p = r->profile;
	struct leat_function f = {
		.raw = LEAT_ID_NONE,
		.object = j->group.object,
		.file = LEAT_ID_NONE,
		.kind = found->kind,
		.unnamed = found->unnamed,
		.start = found->start,
	};
	int err = intern_name(r, j, found, &f.name);

	if (!err && found->raw_len)
		err = leat_profile_string(p, j->text.data + found->raw, found->raw_len, &f.raw);
	if (!err && found->module_len)
		err = module_object(p, j->text.data + found->module, found->module_len, &f.object);
	return err ? err : leat_profile_function(p, &f, id);
}

/* Puts what a job has found into the profile. */
static int intern_job(struct resolver *r, const struct leat_job *j)
{
	LEAT_FREE uint32_t *ids = malloc((j->found_cnt + 1) * sizeof(*ids));
	uint32_t box = LEAT_ID_NONE;
	int err = 0;

	if (!ids)
		return -ENOMEM;
	for (size_t i = 0; i < j->found_cnt && !err; i++)
		err = intern_found(r, j, &j->found[i], &ids[i]);
	for (size_t i = 0; i < j->group.n && !err; i++) {
		const struct leat_item *it = &j->group.items[i];
		struct leat_frame *frame = &r->profile->frames[it->frame];
		uint32_t found = it->spot == LEAT_ID_NONE ? LEAT_ID_NONE : j->found_at[it->spot];

		if (found == LEAT_ID_NONE && box == LEAT_ID_NONE)
			err = object_box(r->profile, j->group.object, j->cause, &box);
		if (!err)
			frame->function = found == LEAT_ID_NONE ? box : ids[found];
	}
	r->profile->objects[j->group.object].unreadable = j->unreadable;
	return err;
}

static int intern_jobs(struct resolver *r)
{
	int err = 0;

	for (size_t i = 0; i < r->groups.n && !err; i++) {
		if (r->jobs[i].kptr_restricted)
			r->profile->verdict.kptr_restricted = 1;
		err = intern_job(r, &r->jobs[i]);
	}
	return err;
}

static bool is_file(const struct leat_object *o)
{
	return o->kind == LEAT_OBJECT_FILE || o->kind == LEAT_OBJECT_VDSO ||
	       o->kind == LEAT_OBJECT_KERNEL;
}

/* Of the objects that frames are in. Counted anew, so that it is right after a second call too. */
static int count_objects(struct leat_profile *p)
{
	LEAT_FREE uint8_t *used = calloc(p->object_cnt + 1, 1);

	if (!used)
		return -ENOMEM;
	for (size_t i = 0; i < p->frame_cnt; i++) {
		if (p->frames[i].object < p->object_cnt)
			used[p->frames[i].object] = 1;
	}
	p->verdict.objects = 0;
	p->verdict.objects_unreadable = 0;
	for (size_t i = 0; i < p->object_cnt; i++) {
		if (!used[i] || !is_file(&p->objects[i]))
			continue;
		p->verdict.objects++;
		p->verdict.objects_unreadable += p->objects[i].unreadable;
	}
	return 0;
}

/* Frames that no file can name. Neighbours mostly share a box. */
static int name_plainly(struct leat_profile *p)
{
	uint32_t object = LEAT_ID_NONE, id = LEAT_ID_NONE;
	enum leat_unnamed cause = LEAT_UNNAMED_NONE;

	for (size_t i = 0; i < p->frame_cnt; i++) {
		struct leat_frame *f = &p->frames[i];
		enum leat_unnamed why = f->flags & LEAT_FRAME_REMAPPED ? LEAT_UNNAMED_REMAPPED
								       : LEAT_UNNAMED_UNMAPPED;
		int err;

		if (f->function != LEAT_ID_NONE)
			continue;
		if (f->object >= p->object_cnt)
			return -EINVAL;
		if (f->object != object || why != cause) {
			err = object_box(p, f->object, why, &id);
			if (err)
				return err;
			object = f->object;
			cause = why;
		}
		f->function = id;
	}
	return 0;
}

static int resolve(struct resolver *r)
{
	int err = leat_groups_make(&r->groups, r->profile, is_wanted);

	if (err)
		return err;
	to_look_ups(r);
	err = run_jobs(r);
	if (!err)
		err = demangle(r);
	if (!err)
		err = intern_jobs(r);
	if (!err)
		err = name_plainly(r->profile);
	return err ? err : count_objects(r->profile);
}

static void resolver_fini(struct resolver *r)
{
	for (size_t i = 0; r->jobs && i < r->groups.n; i++)
		leat_job_fini(&r->jobs[i]);
	for (size_t i = 0; i < r->chunk_cnt; i++)
		leat_buf_fini(&r->chunks[i]);
	free(r->jobs);
	free(r->names);
	free(r->chunks);
	leat_groups_fini(&r->groups);
	pthread_mutex_destroy(&r->files.lock);
}

int leat_symbols_resolve(struct leat_profile *p, const struct leat_file_provider *prov,
			 const struct leat_symbols_opts *o)
{
	static const struct leat_symbols_opts defaults;
	struct resolver r = {
		.profile = p,
		.opts = o ? o : &defaults,
		.files = { .profile = p, .provider = prov },
	};
	int err;

	if (pthread_mutex_init(&r.files.lock, NULL))
		return -ENOMEM;
	err = resolve(&r);
	resolver_fini(&r);
	return err;
}
