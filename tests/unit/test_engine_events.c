/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/features.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

Test(engine_events, every_name_finds_itself)
{
	const struct leat_perf_event *ev;
	struct leat_perf_event found;

	for (size_t i = 0; (ev = leat_perf_event_at(i)); i++) {
		cr_assert(zero(int, leat_perf_event_find(ev->name, &found)), "%s", ev->name);
		cr_expect(eq(str, (char *)found.name, (char *)ev->name));
		cr_expect(eq(u32, found.type, ev->type));
		cr_expect(eq(u64, found.config, ev->config));
		cr_expect(eq(int, ev->hardware, ev->type != PERF_TYPE_SOFTWARE));
	}
}

Test(engine_events, no_two_events_are_the_same)
{
	const struct leat_perf_event *a, *b;

	for (size_t i = 0; (a = leat_perf_event_at(i)); i++) {
		for (size_t k = i + 1; (b = leat_perf_event_at(k)); k++) {
			cr_expect(ne(str, (char *)a->name, (char *)b->name));
			cr_expect(a->type != b->type || a->config != b->config, "%s, %s", a->name,
				  b->name);
		}
	}
}

Test(engine_events, names_as_perf_has_them)
{
	struct leat_perf_event ev;

	cr_assert(zero(int, leat_perf_event_find("LLC-load-misses", &ev)));
	cr_expect(eq(u32, ev.type, PERF_TYPE_HW_CACHE));
	cr_expect(eq(u64, ev.config, 0x10002));
	cr_assert(zero(int, leat_perf_event_find("cpu-cycles", &ev)));
	cr_expect(eq(str, (char *)ev.name, (char *)"cycles"));
	cr_assert(zero(int, leat_perf_event_find("cs", &ev)));
	cr_expect(eq(u64, ev.config, PERF_COUNT_SW_CONTEXT_SWITCHES));
	cr_assert(zero(int, leat_perf_event_find("cpu-clock", &ev)));
	cr_expect(ev.time_based);
	cr_assert(zero(int, leat_perf_event_find("page-faults", &ev)));
	cr_expect(not(ev.time_based));
}

Test(engine_events, raw_codes)
{
	struct leat_perf_event ev;

	cr_assert(zero(int, leat_perf_event_find("r00C0", &ev)));
	cr_expect(eq(u32, ev.type, PERF_TYPE_RAW));
	cr_expect(eq(u64, ev.config, 0xc0));
	cr_expect(ev.hardware);
	cr_expect(eq(int, leat_perf_event_find("r", &ev), -ENOENT));
	cr_expect(eq(int, leat_perf_event_find("r12x", &ev), -ENOENT));
	cr_expect(eq(int, leat_perf_event_find("r11112222333344445", &ev), -ENOENT));
	cr_expect(eq(int, leat_perf_event_find("cyclez", &ev), -ENOENT));
	cr_expect(eq(int, leat_perf_event_find("", &ev), -ENOENT));
}

Test(engine_events, every_feature_has_a_row_at_its_place)
{
	for (size_t i = 0; i < LEAT_FEATURE__MAX; i++) {
		const struct leat_feature_row *row = leat_feature_at(i);

		cr_assert(row != NULL);
		cr_expect(eq(sz, (size_t)row->id, i));
		cr_expect(row->name && *row->name && row->since && row->use && *row->use);
	}
	cr_expect(leat_feature_at(LEAT_FEATURE__MAX) == NULL);
}
