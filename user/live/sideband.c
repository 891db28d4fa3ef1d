/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/sideband.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/reader.h"
#include "live/maps.h"

/* tid, time, cpu: what LEAT_SIDEBAND_SAMPLE_TYPE adds to each record. */
#define TRAILER_BYTES 24

static int decode_trailer(const uint8_t *p, size_t n, struct leat_sideband *s)
{
	struct leat_reader r = leat_reader_of(p + n - TRAILER_BYTES, TRAILER_BYTES);
	int err;

	if ((err = leat_reader_u32(&r, &s->tgid)) || (err = leat_reader_u32(&r, &s->tid)) ||
	    (err = leat_reader_u64(&r, &s->ts_ns)) || (err = leat_reader_u32(&r, &s->cpu)))
		return err;
	return 0;
}

/* The rest of a record is a name, NUL-terminated and padded to 8 bytes. */
static int decode_text(struct leat_reader *r, struct leat_sideband *s)
{
	size_t n = leat_reader_left(r);
	const void *p;
	int err = leat_reader_bytes(r, n, &p);

	if (err)
		return err;
	s->text = p;
	s->text_len = n ? strnlen(p, n) : 0;
	return s->text_len < n ? 0 : -EBADMSG;
}

/*
 * A mark in the header's misc (bit 14) that these bytes are a build id is not ours: our event asks
 * for none, and the kernel lets the mark of another one's event stand in our record (see rings.c).
 */
static int decode_identity(struct leat_reader *r, struct leat_sideband *s)
{
	uint32_t dev_major, dev_minor;
	int err;

	if ((err = leat_reader_u32(r, &dev_major)) || (err = leat_reader_u32(r, &dev_minor)) ||
	    (err = leat_reader_u64(r, &s->ino)) || (err = leat_reader_u64(r, &s->ino_gen)))
		return err;
	s->dev = makedev(dev_major, dev_minor);
	return 0;
}

static int decode_mmap2(struct leat_reader *r, struct leat_sideband *s)
{
	uint64_t len;
	int err;

	if ((err = leat_reader_u32(r, &s->tgid)) || (err = leat_reader_u32(r, &s->tid)) ||
	    (err = leat_reader_u64(r, &s->start)) || (err = leat_reader_u64(r, &len)) ||
	    (err = leat_reader_u64(r, &s->pgoff)) || (err = decode_identity(r, s)) ||
	    (err = leat_reader_skip(r, 8))) /* protection, flags */
		return err;
	if (len == 0 || __builtin_add_overflow(s->start, len, &s->end))
		return -EBADMSG;
	return decode_text(r, s);
}

static int decode_comm(struct leat_reader *r, uint16_t misc, struct leat_sideband *s)
{
	int err;

	if ((err = leat_reader_u32(r, &s->tgid)) || (err = leat_reader_u32(r, &s->tid)))
		return err;
	s->exec = misc & PERF_RECORD_MISC_COMM_EXEC;
	return decode_text(r, s);
}

static int decode_task(struct leat_reader *r, struct leat_sideband *s)
{
	int err;

	if ((err = leat_reader_u32(r, &s->tgid)) || (err = leat_reader_u32(r, &s->ptgid)) ||
	    (err = leat_reader_u32(r, &s->tid)) || (err = leat_reader_u32(r, &s->ptid)))
		return err;
	return 0;
}

static int decode_lost(struct leat_reader *r, bool has_id, struct leat_sideband *s)
{
	int err = has_id ? leat_reader_skip(r, 8) : 0;

	s->tgid = s->tid = 0; /* whoever was running */
	return err ? err : leat_reader_u64(r, &s->lost_cnt);
}

int leat_sideband_decode(const void *p, size_t n, struct leat_sideband *out)
{
	struct leat_sideband s = { .kind = LEAT_SIDEBAND_OTHER };
	struct perf_event_header h;
	struct leat_reader r;
	int err;

	if (n < sizeof(h) + TRAILER_BYTES)
		return -ENODATA;
	memcpy(&h, p, sizeof(h));
	if (h.size != n)
		return -EBADMSG;
	err = decode_trailer(p, n, &s);
	if (err)
		return err;
	r = leat_reader_of((const uint8_t *)p + sizeof(h), n - sizeof(h) - TRAILER_BYTES);
	switch (h.type) {
	case PERF_RECORD_MMAP2:
		s.kind = LEAT_SIDEBAND_MMAP;
		err = decode_mmap2(&r, &s);
		break;
	case PERF_RECORD_COMM:
		s.kind = LEAT_SIDEBAND_COMM;
		err = decode_comm(&r, h.misc, &s);
		break;
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		s.kind = h.type == PERF_RECORD_FORK ? LEAT_SIDEBAND_FORK : LEAT_SIDEBAND_EXIT;
		err = decode_task(&r, &s);
		break;
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		s.kind = LEAT_SIDEBAND_LOST;
		err = decode_lost(&r, h.type == PERF_RECORD_LOST, &s);
		break;
	}
	if (!err)
		*out = s;
	return err;
}

static size_t wire_mmap(const struct leat_sideband *s, struct leat_rec_mmap *m)
{
	m->start = s->start;
	m->end = s->end;
	m->pgoff = s->pgoff;
	m->dev = s->dev;
	m->ino = s->ino;
	m->ino_gen = s->ino_gen;
	m->mmap_kind = (uint8_t)leat_maps_kind(s->text, s->text_len, s->ino);
	return sizeof(*m) + leat_maps_path(s->text, s->text_len, m->path, LEAT_PATH_MAX) + 1;
}

static size_t wire_comm(const struct leat_sideband *s, struct leat_rec_comm *c)
{
	size_t n = s->text_len < sizeof(c->comm) ? s->text_len : sizeof(c->comm) - 1;

	c->flags = s->exec ? LEAT_COMM_EXEC : 0;
	memcpy(c->comm, s->text, n);
	return sizeof(*c);
}

size_t leat_sideband_to_wire(const struct leat_sideband *s, union leat_env_record *out)
{
	size_t size = 0;

	memset(out, 0, sizeof(struct leat_rec_process)); /* the largest fixed part but mmap's */
	memset(&out->mmap, 0, sizeof(out->mmap));
	switch (s->kind) {
	case LEAT_SIDEBAND_MMAP:
		out->h.kind = LEAT_REC_MMAP;
		size = wire_mmap(s, &out->mmap);
		break;
	case LEAT_SIDEBAND_COMM:
		out->h.kind = LEAT_REC_COMM;
		size = wire_comm(s, &out->comm);
		break;
	case LEAT_SIDEBAND_FORK:
	case LEAT_SIDEBAND_EXIT:
		out->h.kind = s->kind == LEAT_SIDEBAND_FORK ? LEAT_REC_FORK : LEAT_REC_EXIT;
		out->task.ptgid = s->ptgid;
		out->task.ptid = s->ptid;
		size = sizeof(out->task);
		break;
	case LEAT_SIDEBAND_LOST:
		out->h.kind = LEAT_REC_ENV_LOST;
		out->lost.lost_cnt = s->lost_cnt;
		size = sizeof(out->lost);
		break;
	case LEAT_SIDEBAND_OTHER:
		return 0;
	}
	out->h.cpu = s->cpu < UINT16_MAX ? (uint16_t)s->cpu : UINT16_MAX;
	out->h.size = (uint32_t)size;
	out->h.ts_ns = s->ts_ns;
	out->h.tgid = s->tgid;
	out->h.tid = s->tid;
	return size;
}

/* Copies out of a ring, around its end. */
static void ring_copy(const uint8_t *data, size_t size, uint64_t from, void *out, size_t n)
{
	size_t at = (size_t)(from & (size - 1));
	size_t first = size - at < n ? size - at : n;

	memcpy(out, data + at, first);
	if (n > first)
		memcpy((uint8_t *)out + first, data, n - first);
}

int leat_sideband_next(const uint8_t *data, size_t data_size, uint64_t head, uint64_t *tail,
		       void *out, size_t cap)
{
	struct perf_event_header h;
	uint64_t left = head - *tail;

	if (left == 0)
		return 0;
	if (left > data_size || left < sizeof(h))
		return -EBADMSG;
	ring_copy(data, data_size, *tail, &h, sizeof(h));
	if (h.size < sizeof(h) || h.size > left || h.size > cap)
		return -EBADMSG;
	ring_copy(data, data_size, *tail, out, h.size);
	*tail += h.size;
	return h.size;
}
