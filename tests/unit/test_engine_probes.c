/* SPDX-License-Identifier: BSD-2-Clause */
/* What the program behind a tracepoint is told of its format, and what of it remains. */
#include "engine/probes_impl.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"

#define STR(s) ((char *)(s))

static struct leat_format *format;

static void add(const char *name, enum leat_location location, uint32_t offset, uint32_t size)
{
	const bool dynamic = location != LEAT_LOCATION_STATIC;
	const struct leat_field f = { .name = name,
				      .type_name = "test",
				      .type = dynamic ? LEAT_TYPE_CHAR : LEAT_TYPE_UINT,
				      .location = location,
				      .offset = offset,
				      .size = size,
				      .elem_size = dynamic ? 1 : size };

	cr_assert(zero(int, leat_format_add(format, &f)), "%s", name);
}

static void begin(void)
{
	cr_assert(zero(int, leat_format_new(&format, "event")));
	add("common_type", LEAT_LOCATION_STATIC, 0, 2);
	add("common_flags", LEAT_LOCATION_STATIC, 2, 1);
	add("common_preempt_count", LEAT_LOCATION_STATIC, 3, 1);
	add("common_pid", LEAT_LOCATION_STATIC, 4, 4);
}

static void end(void)
{
	leat_format_free(&format);
}

TestSuite(engine_probes, .init = begin, .fini = end);

Test(engine_probes, layout)
{
	struct leat_probe_cfg cfg = { .kind = 7 };

	cr_assert(zero(int, leat_probe_layout(format, &cfg)));
	cr_expect(eq(u32, cfg.fixed_bytes, LEAT_PROBE_COMMON));
	cr_expect(zero(u32, cfg.dyn_cnt));
	add("last", LEAT_LOCATION_STATIC, 24, 8);
	add("name", LEAT_LOCATION_DATA_LOC, 8, 4);
	add("two", LEAT_LOCATION_REL_LOC, 12, 8);
	cr_assert(zero(int, leat_probe_layout(format, &cfg)));
	cr_expect(eq(u32, cfg.kind, 7), "what is not of the format stays");
	cr_expect(eq(u32, cfg.fixed_bytes, 32));
	cr_assert(eq(u32, cfg.dyn_cnt, 3));
	cr_expect(eq(u32, cfg.dyn_offset[0], 8));
	cr_expect(zero(u32, cfg.dyn_base[0]));
	cr_expect(eq(u32, cfg.dyn_offset[2], 16));
	cr_expect(eq(u32, cfg.dyn_base[2], 20));
}

Test(engine_probes, layouts_that_are_too_large)
{
	struct leat_probe_cfg cfg = { .fixed_bytes = 42 };

	add("arrays", LEAT_LOCATION_DATA_LOC, 8, 4 * (LEAT_PROBE_MAX_DYN + 1));
	cr_expect(eq(int, leat_probe_layout(format, &cfg), -EOVERFLOW));
	leat_format_free(&format);
	begin();
	add("far", LEAT_LOCATION_STATIC, LEAT_PROBE_MAX_BYTES - 8, 8);
	cr_expect(eq(int, leat_probe_layout(format, &cfg), -EOVERFLOW));
	cr_expect(eq(u32, cfg.fixed_bytes, 42), "unchanged");
}

Test(engine_probes, what_the_program_cannot_know_is_no_field)
{
	static const char *const want[] = { "common_type", "common_pid", "commonplace", "x" };

	add("common_preempt_lazy_count", LEAT_LOCATION_STATIC, 8, 1); /* of a real-time kernel */
	add("commonplace", LEAT_LOCATION_STATIC, 12, 4);
	add("x", LEAT_LOCATION_STATIC, 16, 8);
	cr_assert(zero(int, leat_probe_known_fields(&format)));
	cr_expect(eq(str, STR(leat_format_name(format)), STR("event")));
	cr_assert(eq(sz, leat_format_field_cnt(format), LEAT_ARRAY_SIZE(want)));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(want); i++)
		cr_expect(eq(str, STR(leat_format_field_at(format, i)->name), STR(want[i])));
	cr_expect(eq(u32, leat_format_field_at(format, 3)->offset, 16));
}

Test(engine_probes, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_format *f = format;
		int err = leat_probe_known_fields(&f);

		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		cr_assert(ne(ptr, f, NULL));
		format = f;
	}
}
