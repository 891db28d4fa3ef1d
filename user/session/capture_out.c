/* SPDX-License-Identifier: BSD-2-Clause */
/* A finished profile into a capture file. */
#include <errno.h>
#include <string.h>

#include "session/capture_impl.h"

#define CHUNK_BYTES (1u << 20)

static int put_items(struct leat_capture_writer *w, uint16_t kind, struct leat_buf *b)
{
	return b->err ? b->err : leat_capture_writer_chunk(w, kind, b->data, b->len);
}

int leat_capture_put_options(struct leat_capture_writer *w, const struct leat_capture_options *o)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, LEAT_CAPTURE_MAX_CHUNK);
	leat_items_put_options(&b, o);
	return put_items(w, LEAT_CAPTURE_OPTIONS, &b);
}

int leat_capture_put_meta(struct leat_capture_writer *w, const struct leat_profile *p)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, LEAT_CAPTURE_MAX_CHUNK);
	leat_items_put_meta(&b, p);
	return put_items(w, LEAT_CAPTURE_META, &b);
}

static int put_verdict(struct leat_capture_writer *w, const struct leat_profile *p)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, LEAT_CAPTURE_MAX_CHUNK);
	leat_items_put_verdict(&b, &p->verdict);
	return put_items(w, LEAT_CAPTURE_VERDICT, &b);
}

/* ---- strings: only those that the tables name, for a profile holds more than may be shown ---- */

struct numbering {
	const struct leat_profile *p;
	uint32_t *number; /* by string of the profile; LEAT_ID_NONE */
	uint32_t *ids;	  /* by number */
	uint32_t n;
};

static void numbering_fini(struct numbering *s)
{
	free(s->number);
	free(s->ids);
}

static void use(struct numbering *s, uint32_t id)
{
	if (id == LEAT_ID_NONE || s->number[id] != LEAT_ID_NONE)
		return;
	s->number[id] = s->n;
	s->ids[s->n++] = id;
}

static uint32_t number_of(const struct numbering *s, uint32_t id)
{
	return id == LEAT_ID_NONE ? LEAT_ID_NONE : s->number[id];
}

static int number_strings(struct numbering *s, const struct leat_profile *p)
{
	size_t cnt = leat_intern_count(p->strings);

	s->p = p;
	s->number = malloc((cnt + 1) * sizeof(*s->number));
	s->ids = malloc((cnt + 1) * sizeof(*s->ids));
	if (!s->number || !s->ids)
		return -ENOMEM;
	memset(s->number, 0xff, (cnt + 1) * sizeof(*s->number));
	for (size_t i = 0; i < p->object_cnt; i++)
		use(s, p->objects[i].path);
	for (size_t i = 0; i < p->function_cnt; i++) {
		use(s, p->functions[i].name);
		use(s, p->functions[i].raw);
		use(s, p->functions[i].file);
	}
	return 0;
}

static int put_strings(struct leat_capture_writer *w, const struct numbering *s)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;
	int err = 0;

	leat_buf_init(&b, LEAT_CAPTURE_MAX_CHUNK);
	for (uint32_t i = 0; !err && i < s->n; i++) {
		const char *text = leat_profile_str(s->p, s->ids[i]);
		uint32_t len = (uint32_t)strnlen(text, LEAT_CAPTURE_MAX_CHUNK);

		leat_buf_add(&b, &len, sizeof(len));
		leat_buf_add(&b, text, len);
		err = b.err;
		if (!err && (b.len >= CHUNK_BYTES || i + 1 == s->n)) {
			err = leat_capture_writer_chunk(w, LEAT_CAPTURE_STRINGS, b.data, b.len);
			leat_buf_reset(&b);
		}
	}
	return err;
}

/* ---- tables ---- */

struct rows {
	struct leat_capture_writer *w;
	uint16_t kind;
	struct leat_capture_table head;
	struct leat_buf b;
};

static void rows_begin(struct rows *r, struct leat_capture_writer *w, uint16_t kind,
		       uint32_t row_bytes)
{
	*r = (struct rows){ .w = w, .kind = kind, .head = { .row_bytes = row_bytes } };
	leat_buf_init(&r->b, LEAT_CAPTURE_MAX_CHUNK);
}

static void rows_fini(struct rows *r)
{
	leat_buf_fini(&r->b);
}

static int rows_flush(struct rows *r)
{
	int err = r->b.err;

	if (err || !r->head.row_cnt)
		return err;
	memcpy(r->b.data, &r->head, sizeof(r->head));
	err = leat_capture_writer_chunk(r->w, r->kind, r->b.data, r->b.len);
	leat_buf_reset(&r->b);
	r->head.row_cnt = 0;
	return err;
}

static int rows_add(struct rows *r, const void *row)
{
	if (!r->head.row_cnt++)
		leat_buf_add(&r->b, &r->head, sizeof(r->head));
	leat_buf_add(&r->b, row, r->head.row_bytes);
	return r->b.len >= CHUNK_BYTES ? rows_flush(r) : r->b.err;
}

static int put_processes(struct leat_capture_writer *w, const struct leat_profile *p)
{
	LEAT_AUTO(rows_fini) struct rows r;
	int err = 0;

	rows_begin(&r, w, LEAT_CAPTURE_PROCESSES, sizeof(struct leat_row_process));
	for (size_t i = 0; !err && i < p->process_cnt; i++) {
		const struct leat_process *proc = &p->processes[i];
		struct leat_row_process row = {
			.tgid = proc->tgid,
			.exec_cnt = proc->exec_cnt,
			.start_ns = proc->start_ns,
			.from_ns = proc->from_ns,
		};

		err = rows_add(&r, &row);
	}
	return err ? err : rows_flush(&r);
}

static int put_objects(struct leat_capture_writer *w, const struct numbering *s)
{
	const struct leat_profile *p = s->p;
	LEAT_AUTO(rows_fini) struct rows r;
	int err = 0;

	rows_begin(&r, w, LEAT_CAPTURE_OBJECTS, sizeof(struct leat_row_object));
	for (size_t i = 0; !err && i < p->object_cnt; i++) {
		const struct leat_object *o = &p->objects[i];
		struct leat_row_object row = {
			.kind = o->kind,
			.path = number_of(s, o->path),
			.process = o->process,
			.flags = (o->unreadable ? LEAT_ROW_UNREADABLE : 0) |
				 (uint32_t)o->no_table << LEAT_ROW_NO_TABLE,
			.dev = o->dev,
			.ino = o->ino,
			.ino_gen = o->ino_gen,
			.map_start = o->map_start,
			.map_end = o->map_end,
			.map_pgoff = o->map_pgoff,
			.build_id_len = o->build_id_len,
		};

		memcpy(row.build_id, o->build_id, sizeof(row.build_id));
		err = rows_add(&r, &row);
	}
	return err ? err : rows_flush(&r);
}

static int put_functions(struct leat_capture_writer *w, const struct numbering *s)
{
	const struct leat_profile *p = s->p;
	LEAT_AUTO(rows_fini) struct rows r;
	int err = 0;

	rows_begin(&r, w, LEAT_CAPTURE_FUNCTIONS, sizeof(struct leat_row_function));
	for (size_t i = 0; !err && i < p->function_cnt; i++) {
		const struct leat_function *f = &p->functions[i];
		struct leat_row_function row = {
			.name = number_of(s, f->name),
			.raw = number_of(s, f->raw),
			.object = f->object,
			.file = number_of(s, f->file),
			.line = f->line,
			.kind = (uint16_t)f->kind,
			.unnamed = (uint16_t)f->unnamed,
			.start = f->start,
		};

		err = rows_add(&r, &row);
	}
	return err ? err : rows_flush(&r);
}

static int put_frames(struct leat_capture_writer *w, const struct leat_profile *p)
{
	LEAT_AUTO(rows_fini) struct rows r;
	int err = 0;

	rows_begin(&r, w, LEAT_CAPTURE_FRAMES, sizeof(struct leat_row_frame));
	for (size_t i = 0; !err && i < p->frame_cnt; i++) {
		const struct leat_frame *f = &p->frames[i];
		struct leat_row_frame row = {
			.object = f->object,
			.flags = f->flags,
			.offset = f->offset,
			.function = f->function,
		};

		err = rows_add(&r, &row);
	}
	return err ? err : rows_flush(&r);
}

int leat_capture_put_profile(struct leat_capture_writer *w, const struct leat_profile *p)
{
	LEAT_AUTO(numbering_fini) struct numbering s = { .p = p };
	int err = number_strings(&s, p);

	if (err || (err = put_strings(w, &s)) || (err = put_processes(w, p)) ||
	    (err = put_objects(w, &s)) || (err = put_functions(w, &s)) ||
	    (err = put_frames(w, p)) || (err = leat_capture_put_meta(w, p)))
		return err;
	return put_verdict(w, p);
}
