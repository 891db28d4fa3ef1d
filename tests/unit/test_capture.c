/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files: what is written comes back, what is wrong is refused, nothing is trusted. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <leat/data_ref.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <zstd.h>

#include "../support/alloc.h"
#include "../support/capture_file.h"
#include "base/file.h"
#include "base/hash.h"
#include "event/format.h"
#include "event/wire.h"

#define STR(s)	  ((char *)(s))
#define MAX_SEEN  512
#define SEEN_SIZE 128

/* ---- records, written and read ---- */

struct seen {
	struct leat_record r;
	uint8_t data[SEEN_SIZE];
	char event[32];
	uint32_t header_bytes;
};

static struct seen seen[MAX_SEEN];
static size_t seen_cnt;

static int on_record(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct seen *s = &seen[seen_cnt < MAX_SEEN ? seen_cnt : MAX_SEEN - 1];

	s->r = *r;
	s->header_bytes = (uint32_t)leat_data_ref_read(ctx, r).len;
	snprintf(s->event, sizeof(s->event), "%s", leat_event_name(ev));
	memcpy(s->data, r->data, r->size < SEEN_SIZE ? r->size : SEEN_SIZE);
	seen_cnt++;
	return 0;
}

static int watch(struct leat_bus *bus)
{
	int err = 0;

	seen_cnt = 0;
	for (uint32_t id = 0; !err && id < UINT16_MAX; id++) {
		struct leat_event *ev = leat_bus_at(bus, (uint16_t)id);

		err = ev ? leat_event_add_callback(ev, on_record, leat_bus_header(bus), NULL) : 0;
	}
	return err;
}

/* Reads all of a file into seen[]: the error of opening or polling, 0. */
static int read_all(const void *p, size_t n, struct leat_capture_info *info, char *why)
{
	struct leat_capture *c = NULL;
	struct leat_source s;
	struct leat_bus *bus = NULL;
	bool more = true;
	int err = leat_capture_new(&c);

	if (!err)
		err = leat_bus_new(&bus);
	if (!err)
		err = leat_capture_open_bytes(c, p, n);
	if (!err) {
		s = leat_capture_source(c);
		err = s.ops->open(s.self, bus);
	}
	if (!err)
		err = watch(bus);
	if (!err)
		err = s.ops->start(s.self);
	while (!err && more) {
		int rc = s.ops->poll(s.self, bus, UINT64_MAX, &more);

		err = rc < 0 ? rc : 0;
	}
	if (c && info)
		leat_capture_info(c, info);
	if (c && why)
		snprintf(why, 200, "%s", leat_capture_error(c));
	leat_bus_free(&bus);
	leat_capture_free(&c);
	return err;
}

struct file {
	struct leat_bus *bus;
	struct leat_capture_writer *w;
	int fd;
	uint8_t *bytes;
	size_t len;
};

static void file_begin(struct file *f)
{
	f->bus = NULL;
	f->w = NULL;
	f->fd = memfd_create("capture", MFD_CLOEXEC);
	cr_assert(eq(int, leat_bus_new(&f->bus), 0));
	cr_assert(eq(int, leat_wire_register_all(f->bus), 0));
	cr_assert(eq(int, leat_capture_writer_new(&f->w, f->fd), 0));
}

static void file_attach(struct file *f)
{
	cr_assert(eq(int, leat_capture_writer_attach(f->w, f->bus), 0));
}

static void file_end(struct file *f)
{
	cr_assert(eq(int, leat_capture_writer_finish(f->w), 0));
	leat_capture_writer_free(&f->w);
	leat_bus_free(&f->bus);
	f->bytes = leat_capture_slurp(f->fd, &f->len);
	close(f->fd);
}

static void file_fini(struct file *f)
{
	free(f->bytes);
}

static void put_lost(struct file *f, uint64_t ts, uint64_t cnt)
{
	struct leat_rec_lost rec = {
		.h = { .kind = LEAT_REC_ENV_LOST,
		       .size = sizeof(rec),
		       .ts_ns = ts,
		       .tgid = 7,
		       .cpu = 3 },
		.lost_cnt = cnt,
	};
	struct leat_record r;

	cr_assert(eq(int, leat_wire_record(&rec, sizeof(rec), &r), 0));
	leat_wire_dispatch(f->bus, &r);
}

/* A file of @n records in chunks of @each. */
static void file_of(struct file *f, size_t n, size_t each)
{
	file_begin(f);
	file_attach(f);
	for (size_t i = 0; i < n; i++) {
		put_lost(f, 100 + i, i);
		if ((i + 1) % each == 0)
			cr_assert(eq(int, leat_capture_writer_flush(f->w), 0));
	}
	file_end(f);
}

Test(capture, records_come_back_as_they_were)
{
	uint8_t text[] = "some text of odd length";
	struct leat_record odd = { .data = text,
				   .size = 23,
				   .kind = LEAT_REC_MMAP,
				   .cpu = 9,
				   .tgid = 1,
				   .tid = 2,
				   .ts_ns = 3 };
	struct leat_record none = { .data = text, .kind = LEAT_REC_MMAP };
	struct leat_capture_info info;
	struct leat_rec_lost *lost;
	struct file f;

	file_begin(&f);
	file_attach(&f);
	put_lost(&f, 5, 42);
	leat_bus_dispatch(f.bus, &odd);
	leat_bus_dispatch(f.bus, &none);
	put_lost(&f, 6, 43);
	file_end(&f);
	cr_assert(eq(int, read_all(f.bytes, f.len, &info, NULL), 0));
	cr_assert(eq(sz, seen_cnt, 4));
	lost = (struct leat_rec_lost *)seen[0].data;
	cr_expect(eq(str, seen[0].event, STR("env/lost")));
	cr_expect(eq(u64, lost->lost_cnt, 42));
	cr_expect(eq(u32, seen[0].r.tgid, 7));
	cr_expect(eq(u16, seen[0].r.cpu, 3));
	cr_expect(eq(u64, seen[0].r.ts_ns, 5));
	cr_expect(eq(u32, seen[0].r.size, sizeof(*lost)));
	cr_expect(eq(u32, seen[1].r.size, 23));
	cr_expect(eq(int, memcmp(seen[1].data, text, 23), 0));
	cr_expect(eq(u16, seen[1].r.cpu, 9));
	cr_expect(eq(u32, seen[1].r.tgid, 1));
	cr_expect(eq(u32, seen[1].r.tid, 2));
	cr_expect(eq(u64, seen[1].r.ts_ns, 3));
	cr_expect(eq(u32, seen[2].r.size, 0));
	cr_expect(eq(u64, seen[3].r.ts_ns, 6));
	for (size_t i = 0; i < 4; i++)
		cr_expect(eq(u32, seen[i].header_bytes,
			     i % 3 ? 0 : sizeof(struct leat_capture_entry)),
			  "%zu: its header is where it was", i);
	cr_expect(eq(int, info.complete, 1));
	cr_expect(eq(u64, info.records, 4));
	cr_expect(eq(u64, info.last_ns, 6));
	cr_expect(eq(u64, info.bytes, f.len));
	file_fini(&f);
}

/* The header of a record says something else than the source did: what the source said counts. */
Test(capture, what_the_source_said_comes_back)
{
	struct leat_rec_lost rec = {
		.h = { .kind = LEAT_REC_ENV_LOST, .size = sizeof(rec), .tgid = 1 }
	};
	struct leat_record r;
	struct file f;

	file_begin(&f);
	file_attach(&f);
	cr_assert(eq(int, leat_wire_record(&rec, sizeof(rec), &r), 0));
	r.tgid = 4242;
	leat_wire_dispatch(f.bus, &r);
	file_end(&f);
	cr_assert(eq(int, read_all(f.bytes, f.len, NULL, NULL), 0));
	cr_assert(eq(sz, seen_cnt, 1));
	cr_expect(eq(u32, seen[0].r.tgid, 4242));
	cr_expect(eq(int, memcmp(seen[0].data, &rec, sizeof(rec)), 0));
	file_fini(&f);
}

/* Headers are where they were: what is read and written again is the same file. */
Test(capture, a_file_recorded_again)
{
	struct leat_capture *c = NULL;
	struct leat_record odd = { .data = "odd", .size = 3, .kind = LEAT_REC_MMAP, .ts_ns = 9 };
	struct leat_source s;
	struct file a, b = { .fd = memfd_create("again", MFD_CLOEXEC) };
	bool more;

	file_begin(&a);
	file_attach(&a);
	put_lost(&a, 5, 42);
	leat_bus_dispatch(a.bus, &odd);
	put_lost(&a, 10, 43);
	file_end(&a);
	cr_assert(eq(int, leat_capture_new(&c), 0));
	cr_assert(eq(int, leat_capture_open_bytes(c, a.bytes, a.len), 0));
	cr_assert(eq(int, leat_bus_new(&b.bus), 0));
	s = leat_capture_source(c);
	cr_assert(eq(int, s.ops->open(s.self, b.bus), 0));
	cr_assert(eq(int, leat_capture_writer_new(&b.w, b.fd), 0));
	file_attach(&b);
	cr_assert(eq(int, s.ops->start(s.self), 0));
	cr_assert(eq(int, s.ops->poll(s.self, b.bus, UINT64_MAX, &more), 3));
	file_end(&b);
	cr_assert(eq(sz, b.len, a.len));
	cr_expect(eq(int, memcmp(a.bytes, b.bytes, a.len), 0));
	leat_capture_free(&c);
	file_fini(&a);
	file_fini(&b);
}

Test(capture, formats_and_flags_come_back)
{
	struct leat_capture *c = NULL;
	struct leat_bus *bus = NULL, *wire = NULL;
	struct leat_source s;
	struct file f;

	file_begin(&f);
	leat_event_set_flags(leat_bus_at(f.bus, LEAT_REC_STAT), LEAT_EVENT_PROXY);
	file_attach(&f);
	file_end(&f);
	cr_assert(eq(int, leat_capture_new(&c), 0));
	cr_assert(eq(int, leat_capture_open_bytes(c, f.bytes, f.len), 0));
	cr_expect(eq(int, leat_capture_open_bytes(c, f.bytes, f.len), -EBUSY));
	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_bus_new(&wire), 0));
	cr_assert(eq(int, leat_wire_register_all(wire), 0));
	s = leat_capture_source(c);
	cr_assert(eq(int, s.ops->open(s.self, bus), 0));
	for (uint16_t id = 0; id < LEAT_REC__MAX; id++) {
		const struct leat_event *a = leat_bus_at(wire, id), *b = leat_bus_at(bus, id);

		if (id == LEAT_REC_RAW) {
			cr_expect(eq(ptr, (void *)b, NULL), "memory of a target");
			continue;
		}
		cr_assert(eq(int, !a, !b));
		if (!a)
			continue;
		cr_expect(eq(str, STR(leat_event_name(a)), STR(leat_event_name(b))));
		cr_expect(leat_format_equal(leat_event_format(a), leat_event_format(b)), "%u", id);
		cr_expect(eq(str, STR(leat_format_field_at(leat_event_format(a), 0)->type_name),
			     STR(leat_format_field_at(leat_event_format(b), 0)->type_name)));
		cr_expect(eq(u32, leat_event_flags(b),
			     id == LEAT_REC_STAT ? LEAT_EVENT_PROXY : leat_event_flags(a)));
	}
	leat_bus_free(&bus);
	leat_bus_free(&wire);
	leat_capture_free(&c);
	file_fini(&f);
}

/* More than a chunk holds, some of them records that do not shrink. */
Test(capture, many_chunks)
{
	struct leat_capture_info info;
	uint8_t noise[60000];
	struct leat_record r = { .data = noise, .size = sizeof(noise), .kind = LEAT_REC_MMAP };
	struct file f;

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)leat_hash_u64(i);
	file_begin(&f);
	file_attach(&f);
	for (int i = 0; i < 100; i++) {
		leat_bus_dispatch(f.bus, &r);
		put_lost(&f, (uint64_t)i, 1);
	}
	file_end(&f);
	cr_assert(eq(int, read_all(f.bytes, f.len, &info, NULL), 0));
	cr_expect(eq(u64, info.records, 200));
	cr_expect(gt(u64, info.chunks, 20));
	cr_expect(eq(int, info.complete, 1));
	file_fini(&f);
}

static int poll_until(struct leat_source *s, struct leat_bus *bus, uint64_t until)
{
	bool more;

	return s->ops->poll(s->self, bus, until, &more);
}

Test(capture, what_is_younger_waits)
{
	struct leat_source_stats stats;
	struct leat_capture *c = NULL;
	struct leat_bus *bus = NULL;
	struct leat_source s;
	struct file f;

	file_of(&f, 10, 3);
	cr_assert(eq(int, leat_capture_new(&c), 0));
	cr_assert(eq(int, leat_capture_open_bytes(c, f.bytes, f.len), 0));
	cr_assert(eq(int, leat_bus_new(&bus), 0));
	s = leat_capture_source(c);
	cr_assert(eq(int, s.ops->open(s.self, bus), 0));
	cr_expect(eq(int, poll_until(&s, bus, UINT64_MAX), 0)); /* not started */
	cr_assert(eq(int, s.ops->start(s.self), 0));
	cr_expect(eq(int, poll_until(&s, bus, 99), 0));
	cr_expect(eq(int, poll_until(&s, bus, 104), 5));
	cr_expect(eq(int, poll_until(&s, bus, 104), 0));
	cr_expect(eq(int, poll_until(&s, bus, UINT64_MAX), 5));
	cr_expect(eq(int, poll_until(&s, bus, UINT64_MAX), 0));
	cr_expect(eq(int, s.ops->stop(s.self), 0));
	s.ops->stats(s.self, &stats);
	cr_expect(eq(u64, stats.records, 10));
	cr_expect(eq(u64, stats.bytes, 10 * sizeof(struct leat_rec_lost)));
	cr_expect(eq(int, s.ops->poll_fd(s.self), -1));
	s.ops->close(s.self);
	leat_bus_free(&bus);
	leat_capture_free(&c);
	file_fini(&f);
}

/* ---- on a bus with others ---- */

/* Another event has its number: it gets the next one. Another format under its name: refused. */
Test(capture, shares_a_bus)
{
	struct leat_capture *c = NULL;
	struct leat_bus *bus = NULL;
	struct leat_source s;
	struct file f;
	bool more;

	file_of(&f, 3, 100);
	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int,
		     leat_bus_add_event(bus, LEAT_REC_ENV_LOST, "other/event",
					leat_example_format("a"), NULL),
		     0));
	cr_assert(eq(int, leat_capture_new(&c), 0));
	cr_assert(eq(int, leat_capture_open_bytes(c, f.bytes, f.len), 0));
	s = leat_capture_source(c);
	cr_assert(eq(int, s.ops->open(s.self, bus), 0));
	cr_assert(eq(int, watch(bus), 0));
	cr_assert(eq(int, s.ops->start(s.self), 0));
	cr_expect(eq(int, s.ops->poll(s.self, bus, UINT64_MAX, &more), 3));
	cr_expect(eq(str, seen[0].event, STR("env/lost")));
	leat_bus_free(&bus);
	leat_capture_free(&c);

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_bus_add_event(bus, 999, "env/lost", leat_example_format("a"), NULL),
		     0));
	cr_assert(eq(int, leat_capture_new(&c), 0));
	cr_assert(eq(int, leat_capture_open_bytes(c, f.bytes, f.len), 0));
	s = leat_capture_source(c);
	cr_expect(eq(int, s.ops->open(s.self, bus), -EEXIST));
	cr_expect(ne(ptr, strstr(leat_capture_error(c), "env/lost"), NULL));
	leat_bus_free(&bus);
	leat_capture_free(&c);
	file_fini(&f);
}

/* ---- cut, flipped ---- */

Test(capture, cut_at_every_byte)
{
	struct leat_capture_info info;
	struct file f;
	uint64_t before = 0;

	file_of(&f, 9, 2);
	for (size_t n = 0; n < f.len; n++) {
		uint8_t *exact = malloc(n + !n); /* a read behind it is seen */
		char why[200];
		int err;

		memcpy(exact, f.bytes, n);
		err = read_all(exact, n, &info, why);
		cr_assert(eq(int, err, n < 32 ? -ENODATA : 0), "%zu: %s", n, why);
		cr_assert(eq(int, !why[0], !err));
		cr_assert(eq(int, info.complete, 0), "%zu", n);
		cr_assert(ge(u64, info.records, n < 32 ? 0 : before));
		before = info.records;
		free(exact);
	}
	cr_expect(eq(u64, before, 9));
	file_fini(&f);
}

Test(capture, every_flipped_bit_is_seen)
{
	struct leat_capture_info info;
	struct file f;

	file_of(&f, 5, 2);
	for (size_t i = 0; i < f.len * 8; i++) {
		int err;

		f.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
		err = read_all(f.bytes, f.len, &info, NULL);
		f.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
		cr_assert(err || !info.complete, "bit %zu", i);
	}
	file_fini(&f);
}

/* ---- other versions ---- */

static struct leat_capture_header *header_of(struct file *f)
{
	return (struct leat_capture_header *)f->bytes;
}

static void expect_refused(struct file *f, int want, const char *word)
{
	char why[200];

	cr_expect(eq(int, read_all(f->bytes, f->len, NULL, why), want), "%s", why);
	cr_expect(ne(ptr, strstr(why, word), NULL), "'%s' not in: %s", word, why);
}

Test(capture, other_headers_are_refused_in_words)
{
	struct file f;

	file_of(&f, 1, 1);
	header_of(&f)->major = 2;
	leat_capture_mend(f.bytes, f.len);
	expect_refused(&f, -ENOTSUP, "version 2.0");
	header_of(&f)->major = LEAT_CAPTURE_MAJOR;
	header_of(&f)->byte_order = 0x04030201;
	leat_capture_mend(f.bytes, f.len);
	expect_refused(&f, -ENOTSUP, "byte order");
	header_of(&f)->byte_order = 5;
	leat_capture_mend(f.bytes, f.len);
	expect_refused(&f, -EBADMSG, "header");
	header_of(&f)->byte_order = LEAT_CAPTURE_BYTE_ORDER;
	header_of(&f)->header_bytes = 31;
	leat_capture_mend(f.bytes, f.len);
	expect_refused(&f, -EBADMSG, "header");
	header_of(&f)->header_bytes = LEAT_CAPTURE_MAX_HEADER + 1;
	leat_capture_mend(f.bytes, f.len);
	expect_refused(&f, -EBADMSG, "header");
	f.bytes[0] = 'L';
	expect_refused(&f, -EBADMSG, "no capture file");
	cr_expect(eq(int, read_all("", 0, NULL, NULL), -ENODATA));
	cr_expect(eq(int, read_all("hello", 5, NULL, NULL), -EBADMSG));
	file_fini(&f);
}

/* Appends a chunk of any kind in front of the end mark. */
static void add_chunk(struct file *f, struct leat_capture_chunk h, const void *p)
{
	size_t offs[64], cnt = leat_capture_offsets(f->bytes, f->len, offs, 64);
	size_t at = offs[cnt - 1], room = sizeof(h) + h.stored_bytes;
	uint8_t *to = malloc(f->len + room);

	h.mark = LEAT_CAPTURE_CHUNK_MARK;
	memcpy(to, f->bytes, at);
	memcpy(to + at, &h, sizeof(h));
	memcpy(to + at + sizeof(h), p, h.stored_bytes);
	memcpy(to + at + room, f->bytes + at, f->len - at);
	free(f->bytes);
	f->bytes = to;
	f->len += room;
	leat_capture_mend(f->bytes, f->len);
}

Test(capture, a_newer_minor_version_is_read)
{
	struct leat_capture_info info;
	struct file f;
	uint8_t *longer;

	file_of(&f, 4, 2);
	/* A longer header, and chunks of kinds that do not exist yet. */
	longer = malloc(f.len + 16);
	memcpy(longer, f.bytes, 32);
	memset(longer + 32, 0xee, 16);
	memcpy(longer + 48, f.bytes + 32, f.len - 32);
	free(f.bytes);
	f.bytes = longer;
	f.len += 16;
	header_of(&f)->minor = 7;
	header_of(&f)->header_bytes = 48;
	leat_capture_mend(f.bytes, f.len);
	cr_assert(eq(int, read_all(f.bytes, f.len, &info, NULL), 0));
	cr_expect(eq(u64, info.records, 4));
	cr_expect(eq(u16, info.minor, 7));
	cr_expect(eq(int, info.complete, 1));
	file_fini(&f);
}

Test(capture, chunks_of_unknown_kinds_are_skipped_and_counted)
{
	struct leat_capture_chunk h = { .kind = 40000, .stored_bytes = 5, .raw_bytes = 5 };
	struct leat_capture_info info;
	struct file f;

	file_of(&f, 4, 2);
	add_chunk(&f, h, "12345");
	h.kind = 77;
	add_chunk(&f, h, "67890");
	cr_assert(eq(int, read_all(f.bytes, f.len, &info, NULL), 0));
	cr_expect(eq(u64, info.skipped_chunks, 2));
	cr_expect(eq(u64, info.records, 4));
	cr_expect(eq(int, info.complete, 1));
	h.flags = LEAT_CAPTURE_REQUIRED;
	add_chunk(&f, h, "67890");
	expect_refused(&f, -ENOTSUP, "newer leat");
	file_fini(&f);
}

/* ---- what is written by hand ---- */

/* A file of this one chunk behind the events; the error of reading it. */
static int read_with(struct leat_capture_chunk h, const void *p, char *why,
		     struct leat_capture_info *info)
{
	struct file f;
	int err;

	file_of(&f, 2, 2);
	add_chunk(&f, h, p);
	err = read_all(f.bytes, f.len, info, why);
	file_fini(&f);
	return err;
}

static struct leat_capture_chunk raw_records(uint32_t bytes, uint32_t cnt)
{
	return (struct leat_capture_chunk){ .kind = LEAT_CAPTURE_RECORDS,
					    .stored_bytes = bytes,
					    .raw_bytes = bytes,
					    .item_cnt = cnt };
}

Test(capture, records_that_do_not_fit_are_refused)
{
	struct leat_capture_entry e[2] = { { .kind = LEAT_REC_MMAP, .size = 24 },
					   { .kind = LEAT_REC_MMAP, .size = 24 } };
	char why[200];

	cr_expect(eq(int, read_with(raw_records(48, 2), e, why, NULL), 0));
	cr_expect(eq(int, read_with(raw_records(48, 1), e, why, NULL), -EBADMSG));
	cr_expect(eq(int, read_with(raw_records(48, 3), e, why, NULL), -EBADMSG));
	cr_expect(eq(int, read_with(raw_records(47, 2), e, why, NULL), -EBADMSG));
	cr_expect(eq(int, read_with(raw_records(8, 0), e, why, NULL), -EBADMSG));
	cr_expect(eq(int, read_with(raw_records(0, 1), e, why, NULL), -EBADMSG));
	e[1].size = 23;
	cr_expect(eq(int, read_with(raw_records(48, 2), e, why, NULL), -EBADMSG));
	e[1].size = 25;
	cr_expect(eq(int, read_with(raw_records(48, 2), e, why, NULL), -EBADMSG));
	e[1].size = 0x7fffffff;
	cr_expect(eq(int, read_with(raw_records(48, 2), e, why, NULL), -EBADMSG));
	cr_expect(ne(ptr, strstr(why, "a record"), NULL), "%s", why);
	e[1].size = LEAT_CAPTURE_APART | 24; /* a record of nothing */
	cr_expect(eq(int, read_with(raw_records(48, 2), e, why, NULL), 0));
	e[1].size = LEAT_CAPTURE_APART | 8;
	cr_expect(eq(int, read_with(raw_records(48, 2), e, why, NULL), -EBADMSG));
}

Test(capture, records_of_events_that_were_never_told_are_counted)
{
	struct leat_capture_entry e = { .kind = 4711, .size = 24 };
	struct leat_capture_info info;

	cr_expect(eq(int, read_with(raw_records(24, 1), &e, NULL, &info), 0));
	cr_expect(eq(u64, info.skipped, 1));
	cr_expect(eq(u64, info.records, 2));
	cr_expect(eq(int, info.complete, 1));
}

Test(capture, sizes_and_ratios_are_bounded)
{
	struct leat_capture_chunk h = { .kind = LEAT_CAPTURE_META,
					.stored_bytes = 4,
					.raw_bytes = 5 };
	size_t big = LEAT_CAPTURE_MAX_CHUNK;
	uint8_t *zeros = calloc(1, big + 1), *packed = malloc(ZSTD_compressBound(big));
	char why[200];

	cr_expect(eq(int, read_with(h, "1234", why, NULL), -EBADMSG));
	h.codec = 9;
	cr_expect(eq(int, read_with(h, "1234", why, NULL), -EBADMSG));
	cr_expect(ne(ptr, strstr(why, "unknown compression"), NULL));
	h.codec = LEAT_CAPTURE_ZSTD;
	cr_expect(eq(int, read_with(h, "1234", why, NULL), -EBADMSG));
	cr_expect(ne(ptr, strstr(why, "broken compression"), NULL));
	/* 4 MiB of nothing in some hundred bytes. */
	h.stored_bytes = (uint32_t)ZSTD_compress(packed, ZSTD_compressBound(big), zeros, big, 3);
	h.raw_bytes = (uint32_t)big;
	cr_assert(lt(u32, h.stored_bytes, 1024));
	cr_expect(eq(int, read_with(h, packed, why, NULL), -EBADMSG));
	cr_expect(ne(ptr, strstr(why, "ratio"), NULL), "%s", why);
	/* It says less than it holds. */
	h.raw_bytes = h.stored_bytes * 2;
	cr_expect(eq(int, read_with(h, packed, why, NULL), -EBADMSG));
	h.codec = LEAT_CAPTURE_RAW;
	h.stored_bytes = h.raw_bytes = LEAT_CAPTURE_MAX_CHUNK + 1;
	cr_expect(eq(int, read_with(h, zeros, why, NULL), -EBADMSG));
	cr_expect(ne(ptr, strstr(why, "size"), NULL), "%s", why);
	free(zeros);
	free(packed);
}

/* What compresses better than a reader takes is stored as it is. */
Test(capture, the_writer_keeps_to_the_ratio)
{
	uint8_t *zeros = calloc(1, LEAT_CAPTURE_MAX_CHUNK);
	struct leat_capture_info info;
	struct file f;

	file_begin(&f);
	file_attach(&f);
	cr_assert(eq(int, leat_capture_writer_chunk(f.w, 40000, zeros, LEAT_CAPTURE_MAX_CHUNK), 0));
	cr_expect(eq(int, leat_capture_writer_chunk(f.w, 40000, zeros, LEAT_CAPTURE_MAX_CHUNK + 1),
		     -EOVERFLOW));
	file_end(&f);
	cr_assert(eq(int, read_all(f.bytes, f.len, &info, NULL), 0));
	cr_expect(eq(int, info.complete, 1));
	free(zeros);
	file_fini(&f);
}

/* ---- the end mark ---- */

Test(capture, the_end_is_the_end_and_counts)
{
	struct leat_capture_end end;
	struct file f;
	uint8_t *more;
	size_t offs[16], cnt;

	file_of(&f, 3, 100);
	more = calloc(1, f.len + 1);
	memcpy(more, f.bytes, f.len);
	cr_expect(eq(int, read_all(more, f.len + 1, NULL, NULL), -EBADMSG));
	free(more);
	cnt = leat_capture_offsets(f.bytes, f.len, offs, 16);
	memcpy(&end, f.bytes + offs[cnt - 1] + sizeof(struct leat_capture_chunk), sizeof(end));
	cr_assert(eq(u64, end.records, 3));
	/* A chunk of records taken out, and the rest put right as far as it can be. */
	memmove(f.bytes + offs[cnt - 2], f.bytes + offs[cnt - 1], f.len - offs[cnt - 1]);
	f.len -= offs[cnt - 1] - offs[cnt - 2];
	expect_refused(&f, -EBADMSG, "wrong number");
	file_fini(&f);
}

Test(capture, lost_records_are_told_in_the_file)
{
	struct leat_capture_written st;
	struct leat_capture_info info;
	uint8_t *large = calloc(1, LEAT_CAPTURE_MAX_RECORD + 1);
	struct leat_record r = { .data = large,
				 .size = LEAT_CAPTURE_MAX_RECORD + 1,
				 .kind = LEAT_REC_MMAP };
	struct file f;

	file_begin(&f);
	file_attach(&f);
	leat_bus_dispatch(f.bus, &r);
	r.size--;
	leat_bus_dispatch(f.bus, &r);
	leat_capture_writer_stats(f.w, &st);
	cr_expect(eq(u64, st.lost, 1));
	cr_expect(eq(int, st.whole, 0));
	file_end(&f);
	cr_assert(eq(int, read_all(f.bytes, f.len, &info, NULL), 0));
	cr_expect(eq(u64, info.lost, 1));
	cr_expect(eq(u64, info.records, 1));
	free(large);
	file_fini(&f);
}

Test(capture, an_event_told_twice_is_refused)
{
	struct leat_capture_chunk h = { .kind = LEAT_CAPTURE_EVENTS };
	struct leat_bus *bus = NULL;
	struct leat_buf b;
	char why[200];

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_bus_add_event(bus, 999, "a/b", leat_example_format("x"), NULL), 0));
	leat_buf_init(&b, 1 << 20);
	leat_capture_put_event(&b, leat_bus_at(bus, 999));
	h.stored_bytes = h.raw_bytes = (uint32_t)b.len;
	cr_expect(eq(int, read_with(h, b.data, why, NULL), 0)); /* one that comes late */
	leat_capture_put_event(&b, leat_bus_at(bus, 999));
	h.stored_bytes = h.raw_bytes = (uint32_t)b.len;
	cr_expect(eq(int, read_with(h, b.data, why, NULL), -EBADMSG));
	cr_expect(ne(ptr, strstr(why, "an event"), NULL), "%s", why);
	leat_buf_fini(&b);
	leat_bus_free(&bus);
}

/* ---- chunks of one's own ---- */

static int refuse(void *ctx, uint16_t kind, const void *p, size_t n)
{
	(void)p;
	(void)n;
	*(uint16_t *)ctx = kind;
	return -ECANCELED;
}

Test(capture, the_callback_of_chunks_may_end_it)
{
	struct leat_capture_chunk h = { .kind = LEAT_CAPTURE_META };
	struct leat_capture *c = NULL;
	uint16_t kind = 0;
	struct file f;

	file_of(&f, 0, 1);
	add_chunk(&f, h, "");
	cr_assert(eq(int, leat_capture_new(&c), 0));
	leat_capture_set_chunk_fn(c, refuse, &kind);
	cr_expect(eq(int, leat_capture_open_bytes(c, f.bytes, f.len), -ECANCELED));
	cr_expect(eq(u16, kind, LEAT_CAPTURE_META));
	leat_capture_free(&c);
	file_fini(&f);
}

Test(capture, kinds_of_ones_own)
{
	struct file f;

	file_begin(&f);
	cr_expect(eq(int, leat_capture_writer_chunk(f.w, LEAT_CAPTURE_RECORDS, "", 0), -EINVAL));
	cr_expect(eq(int, leat_capture_writer_chunk(f.w, LEAT_CAPTURE_END, "", 0), -EINVAL));
	cr_expect(eq(int, leat_capture_writer_chunk(f.w, 0, "", 0), -EINVAL));
	cr_expect(eq(int, leat_capture_writer_chunk(f.w, LEAT_CAPTURE_KIND__MAX, "", 0), -EINVAL));
	cr_expect(eq(int, leat_capture_writer_chunk(f.w, 32768, "", 0), 0));
	file_attach(&f);
	cr_expect(eq(int, leat_capture_writer_attach(f.w, f.bus), -EBUSY));
	cr_assert(eq(int, leat_capture_writer_finish(f.w), 0));
	cr_expect(eq(int, leat_capture_writer_finish(f.w), -EINVAL));
	cr_expect(eq(int, leat_capture_writer_attach(f.w, f.bus), -EBUSY));
	cr_expect(eq(int, leat_capture_writer_chunk(f.w, 32768, "", 0), -EINVAL));
	leat_capture_writer_free(&f.w);
	leat_bus_free(&f.bus);
	close(f.fd);
}

/* ---- errors of writing ---- */

Test(capture, a_failed_write_sticks_and_is_counted)
{
	struct leat_capture_written st;
	struct file f;
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

	cr_assert(ge(int, full, 0));
	file_begin(&f);
	file_attach(&f);
	put_lost(&f, 1, 1);
	put_lost(&f, 2, 1);
	cr_assert(ge(int, dup2(full, f.fd), 0));
	cr_expect(eq(int, leat_capture_writer_flush(f.w), -ENOSPC));
	cr_expect(eq(int, leat_capture_writer_error(f.w), -ENOSPC));
	put_lost(&f, 3, 1);
	cr_expect(eq(int, leat_capture_writer_chunk(f.w, 40000, "x", 1), -ENOSPC));
	cr_expect(eq(int, leat_capture_writer_finish(f.w), -ENOSPC));
	leat_capture_writer_stats(f.w, &st);
	cr_expect(eq(u64, st.lost, 3));
	cr_expect(eq(u64, st.records, 0));
	cr_expect(eq(int, st.whole, 0));
	/* The bus is none the worse. */
	cr_expect(eq(u64, leat_bus_error_cnt(f.bus), 0));
	leat_capture_writer_free(&f.w);
	leat_bus_free(&f.bus);
	close(f.fd);
	cr_assert(eq(int, leat_capture_writer_new(&f.w, full), -ENOSPC));
	close(full);
}

Test(capture, nothing_is_written_after_detaching)
{
	struct leat_capture_info info;
	struct file f;

	file_begin(&f);
	file_attach(&f);
	put_lost(&f, 1, 1);
	leat_capture_writer_detach(f.w);
	leat_capture_writer_detach(f.w);
	put_lost(&f, 2, 1);
	file_end(&f);
	cr_assert(eq(int, read_all(f.bytes, f.len, &info, NULL), 0));
	cr_expect(eq(u64, info.records, 1));
	file_fini(&f);
}

Test(capture, no_memory_is_an_error)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct file f;

	file_of(&f, 4, 2);
	LEAT_ALLOC_EACH_FAILS {
		int err = read_all(f.bytes, f.len, NULL, NULL);

		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM, "%d", err);
	}
	file_fini(&f);
	LEAT_ALLOC_EACH_FAILS {
		struct leat_capture_writer *w = NULL;
		struct leat_bus *bus = NULL;
		int err = leat_bus_new(&bus);

		if (!err)
			err = leat_wire_register_all(bus);
		if (!err)
			err = leat_capture_writer_new(&w, null);
		if (!err)
			err = leat_capture_writer_attach(w, bus);
		if (!err)
			err = leat_capture_writer_finish(w);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM, "%d", err);
		leat_capture_writer_free(&w);
		leat_bus_free(&bus);
	}
	close(null);
}

/* Through a pipe that gives a few bytes at a time. */
Test(capture, short_reads)
{
	struct leat_capture_info info;
	struct leat_capture *c = NULL;
	struct file f;
	int fds[2];
	pid_t pid;

	file_of(&f, 20, 3);
	cr_assert(eq(int, pipe2(fds, O_CLOEXEC), 0));
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < f.len; i += 7)
			if (write(fds[1], f.bytes + i, f.len - i < 7 ? f.len - i : 7) < 0)
				_exit(1);
		_exit(0);
	}
	close(fds[1]);
	cr_assert(eq(int, leat_capture_new(&c), 0));
	cr_assert(eq(int, leat_capture_open_fd(c, fds[0]), 0));
	{
		struct leat_source s = leat_capture_source(c);
		struct leat_bus *bus = NULL;
		bool more = true;

		cr_assert(eq(int, leat_bus_new(&bus), 0));
		cr_assert(eq(int, s.ops->open(s.self, bus), 0));
		cr_assert(eq(int, s.ops->start(s.self), 0));
		while (more)
			cr_assert(ge(int, s.ops->poll(s.self, bus, UINT64_MAX, &more), 0));
		leat_bus_free(&bus);
	}
	leat_capture_info(c, &info);
	cr_expect(eq(u64, info.records, 20));
	cr_expect(eq(int, info.complete, 1));
	leat_capture_free(&c);
	close(fds[0]);
	file_fini(&f);
}
