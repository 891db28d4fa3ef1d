/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/name_sort.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_sorted(const struct leat_name *names, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int c = strcmp(names[i - 1].s, names[i].s);

		cr_expect(c < 0 || (c == 0 && names[i - 1].id < names[i].id), "%s before %s",
			  names[i - 1].s, names[i].s);
	}
}

Test(name_sort, orders_like_strcmp)
{
	static const char *const texts[] = {
		"",
		"b",
		"a",
		"abcdefgh",
		"abcdefg",
		"abcdefghi",
		"abcdefgh",
		"\xff\x01",
		"\x7f",
		"abcdefgh\x01",
		"abcdefgha",
		"",
		"abcdefghabcdefgh",
		"z",
		"abcdefghabcdefgz",
		"abcdefghabcdefgh",
		"A",
	};
	struct leat_name names[sizeof(texts) / sizeof(texts[0])];
	uint32_t n = sizeof(texts) / sizeof(texts[0]);

	for (uint32_t i = 0; i < n; i++)
		names[i] = (struct leat_name){ .s = texts[i], .id = n - i };
	leat_name_sort(names, n);
	check_sorted(names, n);
	leat_name_sort(names, 0);
	leat_name_sort(names, 1);
}

/* Long shared beginnings go beyond what is compared by keys. */
Test(name_sort, long_names)
{
	static char text[64][5000];
	struct leat_name names[64];

	for (uint32_t i = 0; i < 64; i++) {
		memset(text[i], 'x', sizeof(text[i]) - 1);
		snprintf(text[i] + 4000 - 50 * (i % 8), 50, "%u", i * 7919 % 64);
		names[i] = (struct leat_name){ .s = text[i], .id = i };
	}
	leat_name_sort(names, 64);
	check_sorted(names, 64);
}
