/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "export/formats.h"

static void need(int err)
{
	if (err < 0) {
		fprintf(stderr, "world: error %d\n", err);
		abort();
	}
}

void leat_world_init(struct leat_world *w, const struct leat_session_opts *opts)
{
	memset(w, 0, sizeof(*w));
	need(leat_bus_new(&w->bus));
	need(leat_mock_new(&w->mock));
	need(leat_session_new(&w->session));
	leat_buf_init(&w->folded, 1u << 24);
	leat_pump_init(&w->pump, w->bus);
	need(leat_pump_add(&w->pump, leat_mock_source(w->mock)));
	need(leat_pump_open(&w->pump));
	if (opts)
		leat_session_set_opts(w->session, opts);
	need(leat_session_attach(w->session, w->bus));
	need(leat_pump_start(&w->pump));
}

void leat_world_fini(struct leat_world *w)
{
	leat_session_free(&w->session);
	leat_pump_close(&w->pump);
	leat_mock_free(&w->mock);
	leat_bus_free(&w->bus);
	leat_profile_free(&w->p);
	leat_buf_fini(&w->folded);
}

void leat_world_run(struct leat_world *w)
{
	need(leat_pump_round(&w->pump, UINT64_MAX));
}

void leat_world_finish(struct leat_world *w)
{
	leat_world_run(w);
	need(leat_pump_stop(&w->pump));
	need(leat_session_finish(w->session));
	w->p = leat_session_take_profile(w->session);
}

static void fake_name(struct leat_profile *p, struct leat_frame *f)
{
	const struct leat_object *o = &p->objects[f->object];
	struct leat_function fn = { .raw = LEAT_ID_NONE,
				    .object = f->object,
				    .file = LEAT_ID_NONE };
	const char *path = leat_profile_str(p, o->path);
	char name[256];

	if (o->kind == LEAT_OBJECT_KERNEL) {
		path = "k";
		fn.kind = LEAT_FUNCTION_KERNEL;
	} else if (o->kind == LEAT_OBJECT_JIT) {
		path = "jit";
	} else if (o->kind == LEAT_OBJECT_UNKNOWN) {
		path = f->flags & LEAT_FRAME_REMAPPED ? "remapped" : "?";
		fn.unnamed = f->flags & LEAT_FRAME_REMAPPED ? LEAT_UNNAMED_REMAPPED
							    : LEAT_UNNAMED_UNMAPPED;
	}
	snprintf(name, sizeof(name), "%s:%llx%s", path, (unsigned long long)f->offset,
		 f->flags & LEAT_FRAME_RETURN ? "r" : "");
	need(leat_profile_string(p, name, strlen(name), &fn.name));
	need(leat_profile_function(p, &fn, &f->function));
}

void leat_fake_names(struct leat_profile *p)
{
	for (size_t i = 0; i < p->frame_cnt; i++)
		fake_name(p, &p->frames[i]);
}

char *leat_world_folded(struct leat_world *w)
{
	leat_fake_names(w->p);
	leat_buf_reset(&w->folded);
	need(leat_export_folded(w->p, NULL, &w->folded));
	if (!w->folded.len)
		leat_buf_str(&w->folded, "");
	return w->folded.data;
}

/* ---- records ---- */

static struct leat_rec header(enum leat_rec_kind kind, size_t size, uint64_t ts, uint32_t tgid)
{
	return (struct leat_rec){
		.kind = (__u16)kind, .size = (__u32)size, .ts_ns = ts, .tgid = tgid, .tid = tgid
	};
}

/* A record with a string behind it. */
static void push_with_text(struct leat_world *w, void *rec, size_t size, const char *text)
{
	size_t n = strlen(text) + 1;
	char *all = malloc(size + n);
	struct leat_rec h;

	if (!all)
		abort();
	memcpy(&h, rec, sizeof(h));
	h.size = (__u32)(size + n);
	memcpy(all, rec, size);
	memcpy(all, &h, sizeof(h));
	memcpy(all + size, text, n);
	need(leat_mock_push(w->mock, all, size + n));
	free(all);
}

void leat_put_process(struct leat_world *w, const struct leat_put_process *in)
{
	struct leat_rec_process rec = {
		.h = header(LEAT_REC_PROCESS, sizeof(rec), in->ts, in->tgid),
		.start_ns = in->start,
		.ppid = in->ppid,
		.flags = in->flags,
	};

	snprintf(rec.comm, sizeof(rec.comm), "%s", in->comm);
	push_with_text(w, &rec, sizeof(rec), in->exe ? in->exe : "");
}

void leat_put_map(struct leat_world *w, const struct leat_put_map *in)
{
	struct leat_rec_mmap rec = {
		.h = header(LEAT_REC_MMAP, sizeof(rec), in->ts, in->tgid),
		.start = in->start,
		.end = in->end,
		.pgoff = in->pgoff,
		.dev = in->ino ? 1 : 0,
		.ino = in->ino,
		.mmap_kind = (__u8)in->kind,
		.from_proc = in->from_proc,
	};

	if (in->build_id) {
		rec.build_id_len = (__u8)strlen(in->build_id);
		memcpy(rec.build_id, in->build_id, rec.build_id_len);
	}
	push_with_text(w, &rec, offsetof(struct leat_rec_mmap, path), in->path ? in->path : "");
}

void leat_put_stack(struct leat_world *w, const struct leat_put_stack *in)
{
	size_t n = ((size_t)in->kcnt + in->ucnt) * sizeof(uint64_t);
	union {
		struct leat_rec_stack rec;
		uint8_t bytes[sizeof(struct leat_rec_stack) + sizeof(in->frames)];
	} u = { .rec = { .h = header(LEAT_REC_STACK, sizeof(u.rec) + n, in->ts, in->tgid) } };

	u.rec.stack_hash = in->hash;
	u.rec.kframe_cnt = in->kcnt;
	u.rec.uframe_cnt = in->ucnt;
	u.rec.uresult = in->uresult;
	u.rec.kresult = in->kresult;
	u.rec.user_mode = in->user_mode;
	memcpy(u.bytes + sizeof(u.rec), in->frames, n);
	need(leat_mock_push(w->mock, &u, sizeof(u.rec) + n));
}

void leat_put_sample(struct leat_world *w, const struct leat_put_stack *in)
{
	size_t n = ((size_t)in->kcnt + in->ucnt) * sizeof(uint64_t);
	union {
		struct leat_rec_sample rec;
		uint8_t bytes[sizeof(struct leat_rec_sample) + sizeof(in->frames)];
	} u = { .rec = { .h = header(LEAT_REC_SAMPLE, sizeof(u.rec) + n, in->ts, in->tgid) } };

	u.rec.h.tid = in->tid ? in->tid : in->tgid;
	u.rec.h.cpu = in->cpu;
	u.rec.proc.start_ns = in->start;
	u.rec.stack_hash = in->hash;
	u.rec.count = in->count ? in->count : 1;
	u.rec.kframe_cnt = in->kcnt;
	u.rec.uframe_cnt = in->ucnt;
	u.rec.uresult = in->uresult;
	u.rec.kresult = in->kresult;
	u.rec.user_mode = in->user_mode;
	memcpy(u.bytes + sizeof(u.rec), in->frames, n);
	need(leat_mock_push(w->mock, &u, sizeof(u.rec) + n));
}

void leat_put_count(struct leat_world *w, const struct leat_put_count *in)
{
	struct leat_rec_count rec = {
		.h = header(LEAT_REC_COUNT, sizeof(rec), in->last, in->tgid),
		.proc = { .start_ns = in->start, .exec_cnt = in->exec_cnt, .map_gen = in->map_gen },
		.stack_hash = in->hash,
		.first_ns = in->first,
		.last_ns = in->last,
		.count = in->count,
	};

	rec.h.tid = in->tid;
	need(leat_mock_push(w->mock, &rec, sizeof(rec)));
}

void leat_put_comm(struct leat_world *w, const struct leat_put_comm *in)
{
	struct leat_rec_comm rec = {
		.h = header(in->kind ? in->kind : LEAT_REC_COMM, sizeof(rec), in->ts, in->tgid),
		.flags = in->flags,
	};

	rec.h.tid = in->tid ? in->tid : in->tgid;
	snprintf(rec.comm, sizeof(rec.comm), "%s", in->comm);
	need(leat_mock_push(w->mock, &rec, sizeof(rec)));
}

void leat_put_fork(struct leat_world *w, uint64_t ts, uint32_t ptgid, uint32_t tgid, uint32_t tid)
{
	struct leat_rec_task rec = {
		.h = header(LEAT_REC_FORK, sizeof(rec), ts, tgid),
		.ptgid = ptgid,
		.ptid = ptgid,
	};

	rec.h.tid = tid;
	need(leat_mock_push(w->mock, &rec, sizeof(rec)));
}

void leat_put_exit(struct leat_world *w, uint64_t ts, uint32_t tgid, uint32_t tid)
{
	struct leat_rec_task rec = { .h = header(LEAT_REC_EXIT, sizeof(rec), ts, tgid) };

	rec.h.tid = tid;
	need(leat_mock_push(w->mock, &rec, sizeof(rec)));
}

void leat_put_lost(struct leat_world *w, uint64_t ts, uint64_t cnt)
{
	struct leat_rec_lost rec = { .h = header(LEAT_REC_ENV_LOST, sizeof(rec), ts, 0),
				     .lost_cnt = cnt };

	need(leat_mock_push(w->mock, &rec, sizeof(rec)));
}

void leat_put_stat(struct leat_world *w, const struct leat_rec_stat *in)
{
	struct leat_rec_stat rec = *in;

	rec.h.kind = LEAT_REC_STAT;
	rec.h.size = sizeof(rec);
	need(leat_mock_push(w->mock, &rec, sizeof(rec)));
}
