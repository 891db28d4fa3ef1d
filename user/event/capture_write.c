/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writer of capture files. On the data path a record is copied behind those before it; a chunk
 * is compressed, summed and written at once, so that whoever dies leaves whole chunks.
 */
#include <errno.h>
#include <leat/data_ref.h>
#include <string.h>
#include <zstd.h>

#include "base/file.h"
#include "event/capture.h"

/*
 * Level 1 takes 0.1 us for a record of 72 bytes, level 3 half as much again for files that are 1 %
 * smaller (bench_capture).
 */
#define LEVEL	       1
#define FIRST_OWN_KIND 32768u

struct hooked {
	struct leat_event *ev;
	leat_callback_id callback;
};

struct leat_capture_writer {
	int fd;
	int err; /* the first one of writing: nothing is written after it */
	uint32_t seq;
	uint64_t chain;
	struct leat_capture_written stats;
	bool ended;

	uint8_t *records; /* LEAT_CAPTURE_CHUNK_BYTES */
	uint32_t records_bytes;
	uint32_t record_cnt;
	uint8_t *out; /* a chunk's header and its payload as stored */
	size_t out_cap;
	ZSTD_CCtx *zstd;

	struct hooked *hooks;
	size_t hook_cnt;
	struct leat_data_ref *header; /* of the record under way; NULL: not attached */
	leat_capture_rewrite_fn rewrite;
	void *rewrite_ctx;
};

static int write_all(struct leat_capture_writer *w, const void *p, size_t n)
{
	if (w->err)
		return w->err;
	w->err = leat_file_write_all(w->fd, p, n);
	if (!w->err)
		w->stats.bytes += n;
	return w->err;
}

static int write_header(struct leat_capture_writer *w)
{
	struct leat_capture_header h = {
		.byte_order = LEAT_CAPTURE_BYTE_ORDER,
		.major = LEAT_CAPTURE_MAJOR,
		.minor = LEAT_CAPTURE_MINOR,
		.header_bytes = sizeof(h),
	};

	memcpy(h.magic, LEAT_CAPTURE_MAGIC, sizeof(h.magic));
	h.checksum = leat_capture_header_sum(&h);
	return write_all(w, &h, sizeof(h));
}

int leat_capture_writer_new(struct leat_capture_writer **out, int fd)
{
	LEAT_AUTO(leat_capture_writer_free) struct leat_capture_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->fd = fd;
	w->records = malloc(LEAT_CAPTURE_CHUNK_BYTES);
	w->out_cap =
		sizeof(struct leat_capture_chunk) + ZSTD_compressBound(LEAT_CAPTURE_CHUNK_BYTES);
	w->out = malloc(w->out_cap);
	w->zstd = ZSTD_createCCtx();
	if (!w->records || !w->out || !w->zstd)
		return -ENOMEM;
	err = write_header(w);
	if (!err)
		*out = LEAT_TAKE(w);
	return err;
}

void leat_capture_writer_free(struct leat_capture_writer **w)
{
	if (!*w)
		return;
	leat_capture_writer_detach(*w);
	ZSTD_freeCCtx((*w)->zstd);
	free((*w)->records);
	free((*w)->out);
	free(*w);
	*w = NULL;
}

/* ---- chunks ---- */

static int make_room(struct leat_capture_writer *w, size_t n)
{
	size_t need = sizeof(struct leat_capture_chunk) + ZSTD_compressBound(n);
	uint8_t *out;

	if (need <= w->out_cap)
		return 0;
	out = realloc(w->out, need);
	if (!out)
		return -ENOMEM;
	w->out = out;
	w->out_cap = need;
	return 0;
}

/* The payload as stored, behind the header's place: returns its size. */
static uint32_t store(struct leat_capture_writer *w, const void *p, uint32_t n, uint8_t *codec)
{
	uint8_t *to = w->out + sizeof(struct leat_capture_chunk);
	size_t room = w->out_cap - sizeof(struct leat_capture_chunk);
	size_t size = ZSTD_compressCCtx(w->zstd, to, room, p, n, LEVEL);

	if (!ZSTD_isError(size) && size < n && size * LEAT_CAPTURE_MAX_RATIO >= n) {
		*codec = LEAT_CAPTURE_ZSTD;
		return (uint32_t)size;
	}
	*codec = LEAT_CAPTURE_RAW;
	if (n)
		memcpy(to, p, n);
	return n;
}

static int write_chunk(struct leat_capture_writer *w, struct leat_capture_chunk h, const void *p)
{
	int err = w->err ? w->err : make_room(w, h.raw_bytes);

	if (err)
		return err;
	h.mark = LEAT_CAPTURE_CHUNK_MARK;
	h.seq = w->seq;
	h.stored_bytes = store(w, p, h.raw_bytes, &h.codec);
	h.checksum = leat_capture_chunk_sum(&h, w->out + sizeof(h));
	memcpy(w->out, &h, sizeof(h));
	err = write_all(w, w->out, sizeof(h) + h.stored_bytes);
	if (err)
		return err;
	w->seq++;
	w->stats.chunks++;
	w->chain = leat_capture_chain(w->chain, h.checksum);
	return 0;
}

int leat_capture_writer_flush(struct leat_capture_writer *w)
{
	struct leat_capture_chunk h = {
		.kind = LEAT_CAPTURE_RECORDS,
		.raw_bytes = w->records_bytes,
		.item_cnt = w->record_cnt,
	};
	uint32_t cnt = w->record_cnt;
	int err;

	if (!cnt)
		return w->err;
	err = write_chunk(w, h, w->records);
	w->records_bytes = 0;
	w->record_cnt = 0;
	if (err)
		w->stats.lost += cnt;
	else
		w->stats.records += cnt;
	leat_capture_writer_fail(w, err); /* a file with a hole is none */
	return err;
}

int leat_capture_writer_chunk(struct leat_capture_writer *w, uint16_t kind, const void *p, size_t n)
{
	struct leat_capture_chunk h = { .kind = kind };
	int err;

	if (kind == LEAT_CAPTURE_RECORDS || kind == LEAT_CAPTURE_END || !kind || w->ended ||
	    (kind >= LEAT_CAPTURE_KIND__MAX && kind < FIRST_OWN_KIND))
		return -EINVAL;
	if (n > LEAT_CAPTURE_MAX_CHUNK)
		return -EOVERFLOW;
	err = leat_capture_writer_flush(w);
	if (err)
		return err;
	h.raw_bytes = (uint32_t)n;
	return write_chunk(w, h, p);
}

int leat_capture_writer_finish(struct leat_capture_writer *w)
{
	struct leat_capture_chunk h = { .kind = LEAT_CAPTURE_END };
	struct leat_capture_end end;
	int err;

	if (w->ended)
		return -EINVAL;
	leat_capture_writer_detach(w);
	err = leat_capture_writer_flush(w);
	if (err)
		return err;
	end = (struct leat_capture_end){ w->stats.records, w->stats.lost, w->chain };
	h.raw_bytes = sizeof(end);
	err = write_chunk(w, h, &end);
	w->ended = !err;
	return err;
}

int leat_capture_writer_error(const struct leat_capture_writer *w)
{
	return w->err;
}

void leat_capture_writer_fail(struct leat_capture_writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

void leat_capture_writer_stats(const struct leat_capture_writer *w,
			       struct leat_capture_written *out)
{
	*out = w->stats;
	out->whole = w->ended;
}

void leat_capture_writer_set_rewrite(struct leat_capture_writer *w, leat_capture_rewrite_fn fn,
				     void *ctx)
{
	w->rewrite = fn;
	w->rewrite_ctx = ctx;
}

/* ---- records ---- */

_Static_assert(LEAT_CAPTURE_MAX_RECORD + sizeof(struct leat_capture_entry) + LEAT_CAPTURE_ALIGN <
		       LEAT_CAPTURE_CHUNK_BYTES,
	       "a record fits into an empty chunk");

/* Where a source says that its records begin with a header, that is what an entry would be. */
static bool begins_with(struct leat_capture_writer *w, const struct leat_record *r,
			const struct leat_capture_entry *e)
{
	const struct leat_slice h = leat_data_ref_read(w->header, r);

	return h.len == sizeof(*e) && h.data == r->data && memcmp(h.data, e, sizeof(*e)) == 0;
}

static int add_record(struct leat_capture_writer *w, const struct leat_record *r)
{
	struct leat_capture_entry e = {
		.kind = r->kind,
		.cpu = r->cpu,
		.size = r->size,
		.ts_ns = r->ts_ns,
		.tgid = r->tgid,
		.tid = r->tid,
	};
	bool apart = !begins_with(w, r, &e);
	uint32_t size = r->size + (apart ? (uint32_t)sizeof(e) : 0);
	uint32_t room = (size + LEAT_CAPTURE_ALIGN - 1) & ~(LEAT_CAPTURE_ALIGN - 1);
	uint8_t *to = w->records + w->records_bytes;

	if (room > LEAT_CAPTURE_CHUNK_BYTES - w->records_bytes) {
		int err = leat_capture_writer_flush(w);

		if (err)
			return err;
		to = w->records;
	}
	if (room > size)
		memset(to + size, 0, room - size);
	if (apart) {
		e.size = size | LEAT_CAPTURE_APART;
		memcpy(to, &e, sizeof(e));
		to += sizeof(e);
	}
	if (r->size)
		memcpy(to, r->data, r->size);
	w->records_bytes += room;
	w->record_cnt++;
	return 0;
}

/* What goes wrong here is no error of the recording: it is counted, and told at the end. */
static int on_record(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_capture_writer *w = ctx;
	struct leat_record other;

	if (w->rewrite && w->rewrite(w->rewrite_ctx, ev, r, &other))
		r = &other;
	if (w->err || r->size > LEAT_CAPTURE_MAX_RECORD || add_record(w, r))
		w->stats.lost++;
	return 0;
}

/* ---- events ---- */

static bool fits(const struct leat_event *ev)
{
	const struct leat_format *f = leat_event_format(ev);
	size_t max = LEAT_CAPTURE_MAX_NAME;

	if (strlen(leat_event_name(ev)) > max || strlen(leat_format_name(f)) > max)
		return false;
	for (size_t i = 0; i < leat_format_field_cnt(f); i++) {
		const struct leat_field *field = leat_format_field_at(f, i);

		if (strlen(field->name) > max || strlen(field->type_name) > max)
			return false;
	}
	return true;
}

/* Chunks of some events each; one that does not fit into a chunk is an error. */
static int write_events(struct leat_capture_writer *w)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;
	int err = 0;

	leat_buf_init(&b, LEAT_CAPTURE_MAX_CHUNK);
	for (size_t i = 0; !err && i < w->hook_cnt; i++) {
		if (!fits(w->hooks[i].ev))
			return -EOVERFLOW;
		leat_capture_put_event(&b, w->hooks[i].ev);
		err = b.err;
		if (!err && (b.len > LEAT_CAPTURE_MAX_CHUNK / 2 || i + 1 == w->hook_cnt)) {
			err = leat_capture_writer_chunk(w, LEAT_CAPTURE_EVENTS, b.data, b.len);
			leat_buf_reset(&b);
		}
	}
	return err;
}

static int collect_events(struct leat_capture_writer *w, struct leat_bus *bus)
{
	size_t n = 0;

	for (uint32_t id = 0; id < UINT16_MAX; id++)
		n += leat_bus_at(bus, (uint16_t)id) != NULL;
	if (n > LEAT_CAPTURE_MAX_EVENTS)
		return -EOVERFLOW;
	w->hooks = calloc(n + 1, sizeof(*w->hooks));
	if (!w->hooks)
		return -ENOMEM;
	for (uint32_t id = 0; id < UINT16_MAX; id++) {
		struct leat_event *ev = leat_bus_at(bus, (uint16_t)id);

		if (ev && !(leat_event_flags(ev) & LEAT_EVENT_NOT_STORED))
			w->hooks[w->hook_cnt++].ev = ev;
	}
	return 0;
}

int leat_capture_writer_attach(struct leat_capture_writer *w, struct leat_bus *bus)
{
	int err;

	if (w->hooks || w->ended)
		return -EBUSY;
	w->header = leat_data_ref_get(leat_bus_header(bus));
	err = collect_events(w, bus);
	if (!err)
		err = write_events(w);
	for (size_t i = 0; !err && i < w->hook_cnt; i++)
		err = leat_event_add_callback(w->hooks[i].ev, on_record, w, &w->hooks[i].callback);
	if (err)
		leat_capture_writer_detach(w);
	return err;
}

void leat_capture_writer_detach(struct leat_capture_writer *w)
{
	for (size_t i = 0; i < w->hook_cnt; i++) {
		if (w->hooks[i].callback)
			(void)leat_event_remove_callback(w->hooks[i].ev, w->hooks[i].callback);
	}
	free(w->hooks);
	w->hooks = NULL;
	w->hook_cnt = 0;
	leat_data_ref_put(&w->header);
}
