/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/wire.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <leat/data_ref.h>
#include <string.h>

#include "../support/alloc.h"
#include "event/format.h"

static const enum leat_rec_kind kinds[] = {
	LEAT_REC_COUNT,	  LEAT_REC_STACK,  LEAT_REC_SAMPLE,   LEAT_REC_NEWPROC,
	LEAT_REC_PROCESS, LEAT_REC_THREAD, LEAT_REC_COMM,     LEAT_REC_MMAP,
	LEAT_REC_FORK,	  LEAT_REC_EXIT,   LEAT_REC_ENV_LOST, LEAT_REC_STAT,
};

Test(wire, each_kind_has_names_and_a_format)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(kinds); i++) {
		struct leat_format *f = NULL;

		cr_assert(ne(ptr, (void *)leat_wire_event_name(kinds[i]), NULL));
		cr_assert(ne(ptr, (void *)leat_wire_struct_name(kinds[i]), NULL));
		cr_assert(eq(int, leat_wire_format(kinds[i], &f), 0));
		for (size_t j = 0; j < i; j++)
			cr_assert(ne(str, (char *)leat_wire_event_name(kinds[i]),
				     (char *)leat_wire_event_name(kinds[j])));
		leat_format_free(&f);
	}
}

Test(wire, unknown_kinds_have_none)
{
	static const int none[] = { LEAT_REC_NONE, 7, 15, LEAT_REC__MAX, 1000, -1 };
	struct leat_format *f = NULL;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(none); i++) {
		enum leat_rec_kind kind = (enum leat_rec_kind)none[i];

		cr_assert(eq(ptr, (void *)leat_wire_event_name(kind), NULL));
		cr_assert(eq(ptr, (void *)leat_wire_struct_name(kind), NULL));
		cr_assert(eq(int, leat_wire_format(kind, &f), -ENOENT));
	}
}

/* Every byte of the fixed part belongs to one field: none is forgotten, none counted twice. */
Test(wire, fields_cover_the_struct)
{
	static const size_t sizes[LEAT_REC__MAX] = {
		[LEAT_REC_COUNT] = sizeof(struct leat_rec_count),
		[LEAT_REC_STACK] = sizeof(struct leat_rec_stack),
		[LEAT_REC_SAMPLE] = sizeof(struct leat_rec_sample),
		[LEAT_REC_NEWPROC] = sizeof(struct leat_rec_newproc),
		[LEAT_REC_RAW] = sizeof(struct leat_rec_raw),
		[LEAT_REC_PROCESS] = offsetof(struct leat_rec_process, exe),
		[LEAT_REC_THREAD] = sizeof(struct leat_rec_comm),
		[LEAT_REC_COMM] = sizeof(struct leat_rec_comm),
		[LEAT_REC_MMAP] = offsetof(struct leat_rec_mmap, path),
		[LEAT_REC_FORK] = sizeof(struct leat_rec_task),
		[LEAT_REC_EXIT] = sizeof(struct leat_rec_task),
		[LEAT_REC_ENV_LOST] = sizeof(struct leat_rec_lost),
		[LEAT_REC_STAT] = sizeof(struct leat_rec_stat),
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(kinds); i++) {
		struct leat_format *f = NULL;
		size_t at = 0;

		cr_assert(eq(int, leat_wire_format(kinds[i], &f), 0));
		for (size_t j = 0; j < leat_format_field_cnt(f); j++) {
			const struct leat_field *field = leat_format_field_at(f, j);

			cr_assert(eq(sz, field->offset, at), "%s of kind %d", field->name,
				  kinds[i]);
			at += field->size;
		}
		cr_assert(eq(sz, at, sizes[kinds[i]]), "kind %d", kinds[i]);
		leat_format_free(&f);
	}
}

Test(wire, fields_are_named_and_typed_as_in_btf)
{
	struct leat_format *f = NULL;
	const struct leat_field *field;
	leat_field_ref ref;

	cr_assert(eq(int, leat_wire_format(LEAT_REC_SAMPLE, &f), 0));
	cr_assert(eq(int, leat_format_ref(f, "proc.start_ns", &ref), 0));
	field = leat_format_field_at(f, ref.index);
	cr_assert(eq(u32, field->offset, 24));
	cr_assert(eq(str, (char *)field->type_name, (char *)"__u64"));
	cr_assert(eq(int, leat_format_ref(f, "frames", &ref), 0));
	field = leat_format_field_at(f, ref.index);
	cr_assert(eq(int, field->location, LEAT_LOCATION_TAIL));
	cr_assert(eq(u32, field->elem_size, 8));
	cr_assert(eq(str, (char *)field->type_name, (char *)"__u64"));
	leat_format_free(&f);
	cr_assert(eq(int, leat_wire_format(LEAT_REC_COMM, &f), 0));
	cr_assert(eq(int, leat_format_ref(f, "comm", &ref), 0));
	field = leat_format_field_at(f, ref.index);
	cr_assert(eq(int, field->type, LEAT_TYPE_CHAR));
	cr_assert(eq(u32, field->size, LEAT_COMM_LEN));
	leat_format_free(&f);
}

Test(wire, an_event_is_registered_once)
{
	struct leat_bus *bus = NULL;
	struct leat_format *f = NULL;
	struct leat_field odd = { .name = "odd", .type = LEAT_TYPE_UINT, .size = 4 };

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_wire_register(bus, LEAT_REC_COUNT, NULL), 0));
	cr_assert(eq(int, leat_wire_register(bus, LEAT_REC_COUNT, NULL), 0));
	cr_assert(eq(int, leat_wire_format(LEAT_REC_COUNT, &f), 0));
	cr_assert(eq(int, leat_wire_register(bus, LEAT_REC_COUNT, f), 0), "owned, and freed");
	cr_assert(eq(int, leat_wire_register(bus, LEAT_REC__MAX, NULL), -ENOENT));
	f = NULL;
	cr_assert(eq(int, leat_format_new(&f, "other"), 0));
	cr_assert(eq(int, leat_format_add(f, &odd), 0));
	cr_assert(eq(int, leat_wire_register(bus, LEAT_REC_COUNT, f), -EEXIST));
	cr_assert(eq(int, leat_wire_register(bus, LEAT_REC_STACK, f), 0), "what BTF says counts");
	cr_assert(eq(int, leat_wire_register_all(bus), 0));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(kinds); i++)
		cr_assert(eq(str, (char *)leat_event_name(leat_bus_at(bus, (uint16_t)kinds[i])),
			     (char *)leat_wire_event_name(kinds[i])));
	leat_bus_free(&bus);
}

Test(wire, a_record_is_as_long_as_its_header_says)
{
	uint64_t bytes[16] = { 0 };
	struct leat_rec h = { .kind = 1, .cpu = 2, .size = 72, .ts_ns = 3, .tgid = 4, .tid = 5 };
	struct leat_record r;

	memcpy(bytes, &h, sizeof(h));
	for (size_t n = 0; n < 72; n++)
		cr_assert(eq(int, leat_wire_record(bytes, n, &r), -EBADMSG), "%zu bytes", n);
	for (size_t n = 72; n <= sizeof(bytes); n += 8) {
		cr_assert(eq(int, leat_wire_record(bytes, n, &r), 0));
		cr_assert(eq(u32, r.size, 72));
	}
	cr_assert(eq(u16, r.kind, 1));
	cr_assert(eq(u16, r.cpu, 2));
	cr_assert(eq(u64, r.ts_ns, 3));
	cr_assert(eq(u32, r.tgid, 4));
	cr_assert(eq(u32, r.tid, 5));
	h.size = 23;
	memcpy(bytes, &h, sizeof(h));
	cr_assert(eq(int, leat_wire_record(bytes, 72, &r), -EBADMSG));
}

static int see_forwarded(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_bus *bus = ctx;
	struct leat_slice header = leat_data_ref_read(leat_bus_header(bus), r);

	(void)ev;
	cr_expect(eq(u16, r->kind, LEAT_REC_SAMPLE));
	cr_expect(eq(u32, r->tgid, 42));
	cr_expect(eq(ptr, (void *)header.data, (void *)r->data));
	cr_expect(eq(sz, header.len, sizeof(struct leat_rec)));
	return 0;
}

/* As a sample goes on that user space has unwound. */
Test(wire, a_sample_made_of_a_raw_one_is_forwarded)
{
	struct leat_rec_sample s = {
		.h = { .kind = LEAT_REC_SAMPLE, .size = sizeof(s), .tgid = 42 }
	};
	struct leat_event_stats stats;
	struct leat_bus *bus = NULL;
	struct leat_event *proxy;
	struct leat_record r;

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_wire_register_all(bus), 0));
	proxy = leat_bus_at(bus, LEAT_REC_SAMPLE);
	cr_expect(eq(u32, leat_event_flags(proxy), LEAT_EVENT_PROXY));
	cr_expect(eq(u32, leat_event_flags(leat_bus_at(bus, LEAT_REC_RAW)), LEAT_EVENT_NOT_STORED));
	cr_expect(eq(u32, leat_event_flags(leat_bus_at(bus, LEAT_REC_MMAP)), LEAT_EVENT_NO_STACK));
	cr_assert(eq(int, leat_event_add_callback(proxy, see_forwarded, bus, NULL), 0));
	cr_assert(eq(int, leat_wire_record(&s, sizeof(s), &r), 0));
	cr_expect(eq(int, leat_wire_forward(bus, proxy, &r), 0));
	cr_expect(eq(int, leat_wire_forward(bus, leat_bus_at(bus, LEAT_REC_COUNT), &r), -EINVAL));
	leat_event_stats(proxy, &stats);
	cr_expect(eq(u64, stats.delivered, 1));
	leat_bus_free(&bus);
}

Test(wire, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_bus *bus = NULL;
		int err = leat_bus_new(&bus);

		if (!err)
			err = leat_wire_register_all(bus);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		leat_bus_free(&bus);
	}
}
