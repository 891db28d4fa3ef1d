/* SPDX-License-Identifier: BSD-2-Clause */
/* Which records of an event count: an expression, checked against its format, run on records. */
#include <leat/filter.h>

#include <string.h>

#include "example.h"

struct switched {
	char prev_comm[16];
	uint32_t next_pid;
	uint32_t flags;
};

int main(void)
{
	static const struct leat_field fields[] = {
		{ .name = "prev_comm", .type = LEAT_TYPE_CHAR, .size = 16, .elem_size = 1 },
		{ .name = "next_pid", .type = LEAT_TYPE_UINT, .offset = 16, .size = 4 },
		{ .name = "flags", .type = LEAT_TYPE_UINT, .offset = 20, .size = 4 },
	};
	struct switched records[] = {
		{ "redis-server", 2000, 0 },
		{ "redis-server", 10, 0 },
		{ "redis-server", 10, 4 },
		{ "nginx", 2000, 0 },
	};
	struct leat_format *format = NULL;
	struct leat_filter *filter = NULL;
	struct leat_filter_error e;
	int passed = 0;

	CHECK(leat_format_new(&format, "sched/sched_switch") == 0);
	for (int i = 0; i < 3; i++)
		CHECK(leat_format_add(format, &fields[i]) == 0);

	/* A mistake is pointed at. */
	CHECK(leat_filter_new(&filter, format, "prev_com == \"nginx\"", &e) != 0);
	CHECK(e.column == 1 && strstr(e.text, "did you mean \"prev_comm\"?"));

	CHECK(leat_filter_new(&filter, format,
			      "prev_comm == \"redis-server\" && (next_pid > 1000 || !(flags & 4))",
			      &e) == 0);
	for (int i = 0; i < 4; i++) {
		struct leat_record r = { .data = &records[i], .size = sizeof(records[i]) };

		passed += leat_filter_matches(filter, &r);
	}
	CHECK(passed == 2);
	printf("%d of 4 records pass\n", passed);
	leat_filter_free(&filter);
	leat_format_free(&format);
	return 0;
}
