/* SPDX-License-Identifier: BSD-2-Clause */
/* Events and their formats in capture files: all of a field comes back, what is cut is refused. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../support/capture_file.h"
#include "event/capture.h"
#include "event/format.h"
#include "event/wire.h"

#define STR(s) ((char *)(s))

Test(capture_format, events_truncated_at_every_byte)
{
	struct leat_bus *bus = NULL;
	struct leat_buf b;

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_wire_register_all(bus), 0));
	leat_buf_init(&b, 1 << 20);
	leat_capture_put_event(&b, leat_bus_at(bus, LEAT_REC_MMAP));
	cr_assert(eq(int, b.err, 0));
	for (size_t n = 0; n <= b.len; n++) {
		struct leat_capture_event ev = { 0 };
		uint8_t *exact = malloc(n + !n);
		struct leat_reader r;
		uint32_t fields = 100;
		int err;

		memcpy(exact, b.data, n);
		r = leat_reader_of(exact, n);
		err = leat_capture_get_event(&r, &ev, &fields);
		cr_expect(eq(int, err, n == b.len ? 0 : -EBADMSG), "%zu", n);
		leat_capture_event_fini(&ev);
		free(exact);
	}
	leat_buf_fini(&b);
	leat_bus_free(&bus);
}

/* A copy of a target's stack is nothing for a file. */
Test(capture_format, memory_of_a_target_is_not_stored)
{
	LEAT_AUTO(leat_capture_writer_free) struct leat_capture_writer *w = NULL;
	struct leat_rec_raw raw = { .h = { .kind = LEAT_REC_RAW, .size = sizeof(raw) } };
	struct leat_rec_task task = { .h = { .kind = LEAT_REC_EXIT, .size = sizeof(task) } };
	struct leat_capture_written got;
	struct leat_bus *bus = NULL;
	struct leat_record r;
	int fd = memfd_create("capture", MFD_CLOEXEC);

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_wire_register_all(bus), 0));
	cr_assert(eq(int, leat_capture_writer_new(&w, fd), 0));
	cr_assert(eq(int, leat_capture_writer_attach(w, bus), 0));
	cr_assert(eq(int, leat_wire_record(&raw, sizeof(raw), &r), 0));
	leat_bus_dispatch(bus, &r);
	cr_assert(eq(int, leat_wire_record(&task, sizeof(task), &r), 0));
	leat_bus_dispatch(bus, &r);
	cr_assert(eq(int, leat_capture_writer_flush(w), 0));
	leat_capture_writer_stats(w, &got);
	cr_expect(eq(u64, got.records, 1));
	leat_capture_writer_free(&w);
	leat_bus_free(&bus);
	close(fd);
}

/* Bits, names of values, what follows: all of a field comes back, and no part of it alone. */
Test(capture_format, all_of_a_field_is_kept)
{
	static const struct leat_value_name names[] = { { 1, "ONE" }, { 1ull << 40, "FORTY" } };
	static const struct leat_field fields[] = {
		{ .name = "bits",
		  .type = LEAT_TYPE_UINT,
		  .location = LEAT_LOCATION_BITS,
		  .size = 4,
		  .bit_offset = 3,
		  .bit_width = 5 },
		{ .name = "text",
		  .type = LEAT_TYPE_CHAR,
		  .location = LEAT_LOCATION_STRING,
		  .offset = 4 },
		{ .name = "flags",
		  .type = LEAT_TYPE_UINT,
		  .size = 8,
		  .follows = true,
		  .names = names,
		  .name_cnt = 2,
		  .names_are_flags = true },
	};
	struct leat_format *f = NULL;
	struct leat_bus *bus = NULL;
	struct leat_event *event;
	struct leat_buf b;

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_format_new(&f, "f"), 0));
	for (size_t i = 0; i < 3; i++)
		cr_assert(eq(int, leat_format_add(f, &fields[i]), 0));
	cr_assert(eq(int, leat_bus_add_event(bus, 7, "a/b", f, &event), 0));
	leat_buf_init(&b, 1 << 20);
	leat_capture_put_event(&b, event);
	for (size_t n = 0; n <= b.len; n++) {
		struct leat_capture_event ev = { 0 };
		struct leat_reader r = leat_reader_of(b.data, n);
		uint32_t left = 100;
		const struct leat_field *got;

		if (leat_capture_get_event(&r, &ev, &left)) {
			cr_expect(lt(sz, n, b.len));
			continue;
		}
		cr_assert(eq(sz, n, b.len));
		cr_assert(leat_format_equal(ev.format, leat_event_format(event)));
		got = leat_format_field_at(ev.format, 2);
		cr_expect(got->names_are_flags && got->name_cnt == 2);
		cr_expect(eq(str, STR(leat_field_value_name(got, 1ull << 40)), STR("FORTY")));
		leat_capture_event_fini(&ev);
	}
	leat_buf_fini(&b);
	leat_bus_free(&bus);
}

Test(capture_format, a_format_of_a_newer_version_is_skipped)
{
	struct leat_capture_event ev = { 0 };
	struct leat_bus *bus = NULL;
	struct leat_reader r;
	struct leat_buf b;
	uint32_t fields = 1;

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_bus_add_event(bus, 5, "a/b", leat_example_format("x"), NULL), 0));
	leat_buf_init(&b, 1 << 20);
	leat_capture_put_event(&b, leat_bus_at(bus, 5));
	b.data[16 + 3 + 4 + 5] = 99; /* the location of its field */
	r = leat_reader_of(b.data, b.len);
	cr_assert(eq(int, leat_capture_get_event(&r, &ev, &fields), 0));
	cr_expect(eq(ptr, ev.format, NULL));
	cr_expect(eq(str, ev.name, STR("a/b")));
	leat_capture_event_fini(&ev);
	r = leat_reader_of(b.data, b.len);
	cr_expect(
		eq(int, leat_capture_get_event(&r, &ev, &fields), -EOVERFLOW)); /* none are left */
	leat_buf_fini(&b);
	leat_bus_free(&bus);
}
