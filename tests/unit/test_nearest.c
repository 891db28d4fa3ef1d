/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/nearest.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <limits.h>
#include <string.h>

Test(nearest, distance)
{
	cr_expect(eq(uint, leat_distance("", ""), 0));
	cr_expect(eq(uint, leat_distance("abc", ""), 3));
	cr_expect(eq(uint, leat_distance("", "abc"), 3));
	cr_expect(eq(uint, leat_distance("record", "Record"), 0));
	cr_expect(eq(uint, leat_distance("recrod", "record"), 1));
	cr_expect(eq(uint, leat_distance("recor", "record"), 1));
	cr_expect(eq(uint, leat_distance("rxcord", "record"), 1));
	cr_expect(eq(uint, leat_distance("kitten", "sitting"), 3));
}

Test(nearest, distance_of_long_words_is_infinite)
{
	char word[200];

	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	cr_expect(eq(uint, leat_distance(word, "a"), UINT_MAX));
	cr_expect(eq(uint, leat_distance("a", word), UINT_MAX));
}

Test(nearest, longer_words_may_be_further)
{
	cr_expect(eq(uint, leat_distance_limit(1), 1));
	cr_expect(eq(uint, leat_distance_limit(3), 1));
	cr_expect(eq(uint, leat_distance_limit(4), 2));
	cr_expect(eq(uint, leat_distance_limit(7), 3));
}
