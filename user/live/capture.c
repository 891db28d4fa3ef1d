/* SPDX-License-Identifier: BSD-2-Clause */
/* A recording into a capture file: the records as they are dispatched, and at the end the names. */
#include <errno.h>
#include <string.h>

#include "event/capture.h"
#include "leat_wire.h"
#include "live/run.h"
#include "session/capture.h"

#define FLUSH_TICKS 10 /* of 100 ms: what is lost when leat dies */

static int fail(const struct leat_run *r, int err)
{
	return leat_diag_set(r->diag, err, LEAT_EXIT_FAILURE, "cannot write the capture file (%s)",
			     strerrorname_np(-err));
}

/* ---- --anonymize: paths are changed before they are written ---- */

/* Of the field that holds a path to the record's end. */
static int reader_of(const struct leat_bus *bus, enum leat_rec_kind kind, const char *name,
		     struct leat_field_reader **out)
{
	const struct leat_format *f = leat_event_format(leat_bus_at(bus, kind));
	leat_field_ref ref;
	int err = leat_format_ref(f, name, &ref);

	return err ? err : leat_field_reader_new(out, f, ref);
}

static bool rewrite(void *ctx, const struct leat_event *ev, const struct leat_record *r,
		    struct leat_record *out)
{
	struct leat_run_capture *c = ctx;
	const struct leat_field_reader *reader = r->kind == LEAT_REC_MMAP      ? c->path
						 : r->kind == LEAT_REC_PROCESS ? c->exe
									       : NULL;
	struct leat_slice path;
	size_t at, len, size;
	const char *rest;

	(void)ev;
	if (!reader)
		return false;
	path = leat_read_slice(reader, r);
	if (!path.len)
		return false;
	at = (size_t)((const uint8_t *)path.data - (const uint8_t *)r->data);
	/* Longer than any path: what is behind it is cut off, never kept as it is. */
	size = r->size < sizeof(c->record) ? r->size : sizeof(c->record) - 1;
	memcpy(c->record, r->data, size);
	c->record[size] = '\0';
	rest = leat_below_home((const char *)c->record + at);
	if (!rest)
		return false;
	/* Shorter than before: "~" stands for more than one byte. */
	len = strlen(rest) + 1;
	c->record[at] = '~';
	memmove(c->record + at + 1, rest, len);
	*out = *r;
	out->data = c->record;
	out->size = (uint32_t)(at + 1 + len);
	memcpy(c->record + offsetof(struct leat_rec, size), &out->size, sizeof(out->size));
	return true;
}

static int anonymize_paths(struct leat_run *r)
{
	struct leat_run_capture *c = &r->capture;
	int err = reader_of(r->bus, LEAT_REC_MMAP, "path", &c->path);

	if (!err)
		err = reader_of(r->bus, LEAT_REC_PROCESS, "exe", &c->exe);
	if (!err)
		leat_capture_writer_set_rewrite(r->o->capture, rewrite, c);
	return err;
}

/* ---- the steps of a recording ---- */

int leat_run_capture_begin(struct leat_run *r)
{
	struct leat_capture_options o = {
		.session = {
			.per_thread = r->o->per_thread || r->o->stream,
			.stream = r->o->stream,
			.user_only = r->o->user_only,
			.kernel_only = r->o->kernel_only,
		},
		.by_thread = r->o->per_thread,
	};
	struct leat_capture_writer *w = r->o->capture;
	int err;

	if (!w)
		return 0;
	err = r->o->anonymize ? anonymize_paths(r) : 0;
	if (!err)
		err = leat_capture_put_options(w, &o);
	if (!err)
		err = leat_capture_writer_attach(w, r->bus);
	return err ? fail(r, err) : 0;
}

/* What is known by now, for files whose writer dies. */
int leat_run_capture_started(struct leat_run *r)
{
	struct leat_profile *p = NULL;
	int err;

	if (!r->o->capture)
		return 0;
	err = leat_profile_new(&p);
	if (!err)
		err = leat_run_meta(r, p);
	if (!err) {
		p->meta.duration_ns = 0;
		err = leat_capture_put_meta(r->o->capture, p);
	}
	leat_profile_free(&p);
	return err ? fail(r, err) : 0;
}

/* An error sticks in the writer and is told at the end: the other outputs are none the worse. */
void leat_run_capture_tick(struct leat_run *r)
{
	if (r->o->capture && ++r->capture.ticks % FLUSH_TICKS == 0)
		(void)!leat_capture_writer_flush(r->o->capture);
}

void leat_run_capture_detach(struct leat_run *r)
{
	if (r->o->capture)
		leat_capture_writer_detach(r->o->capture);
	leat_field_reader_free(&r->capture.path);
	leat_field_reader_free(&r->capture.exe);
}

void leat_run_capture_end(struct leat_run *r, const struct leat_profile *p)
{
	struct leat_capture_writer *w = r->o->capture;
	int err;

	if (!w)
		return;
	leat_capture_writer_detach(w);
	err = leat_capture_put_profile(w, p);
	if (!err)
		err = leat_capture_writer_finish(w);
	if (err)
		leat_capture_writer_fail(w, err);
}
