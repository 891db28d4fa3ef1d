/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "event/filter.h"

/* The first place of the needle, looked for a byte at a time. */
static bool naive_find(const uint8_t *hay, size_t n, const uint8_t *needle, size_t m)
{
	for (size_t i = 0; i + m <= n && (!i || hay[i - 1]); i++) {
		if (memcmp(hay + i, needle, m) == 0)
			return true;
	}
	return false;
}

static uint32_t seed = 1;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* Few letters, so that much matches nearly; exact allocations, so that reading beyond is seen. */
Test(filter_text, find_agrees_with_a_naive_search)
{
	size_t hits = 0;

	for (int round = 0; round < 40000; round++) {
		size_t n = random_below(round % 10 ? 70 : 300);
		size_t m = 1 + random_below(round % 3 ? 4 : round % 7 ? 20 : 100);
		LEAT_FREE uint8_t *hay = malloc(n ? n : 1);
		LEAT_FREE uint8_t *needle = malloc(m);
		size_t from = n > m ? random_below((uint32_t)(n - m)) : 0;
		bool want;

		for (size_t i = 0; i < n; i++)
			hay[i] = random_below(60) ? (uint8_t)('a' + random_below(2)) : 0;
		for (size_t i = 0; i < m; i++)
			needle[i] = (uint8_t)('a' + random_below(2));
		if (round % 2 && n >= m && !memchr(hay + from, 0, m))
			memcpy(needle, hay + from, m);
		want = naive_find(hay, n, needle, m);
		hits += want;
		cr_assert(leat_filter_find(hay, n, needle, m) == want, "round %d: %zu in %zu",
			  round, m, n);
	}
	cr_assert(hits > 5000 && hits < 35000, "%zu", hits);
}

Test(filter_text, utf16_is_found_at_even_offsets_alone)
{
	static const uint8_t hay[] = { 'a', 'b', 'c', 'd', 'e', 'f', 0, 0, 'x', 'y' };

	cr_expect(leat_filter_find16(hay, sizeof(hay), (const uint8_t *)"cd", 2));
	cr_expect(leat_filter_find16(hay, sizeof(hay), (const uint8_t *)"abcdef", 6));
	cr_expect(eq(int, leat_filter_find16(hay, sizeof(hay), (const uint8_t *)"bc", 2), 0));
	cr_expect(eq(int, leat_filter_find16(hay, sizeof(hay), (const uint8_t *)"xy", 2), 0),
		  "behind NUL");
	cr_expect(eq(int, leat_filter_find16(hay, 3, (const uint8_t *)"cd", 2), 0), "half a unit");
	cr_expect(eq(sz, leat_filter_len16(hay, sizeof(hay)), 6));
	cr_expect(eq(sz, leat_filter_len16(hay, 5), 4));
	cr_expect(eq(sz, leat_filter_len16(hay, 1), 0));
	cr_expect(eq(sz, leat_filter_len16(hay, 0), 0));
}

Test(filter_text, to_utf16)
{
	static const uint8_t want[] = { 'a', 0, 0xac, 0x20, 0x3d, 0xd8, 0x00, 0xde };
	uint8_t out[32];
	size_t len;

	cr_assert(eq(int, leat_filter_to_utf16("a\xe2\x82\xac\xf0\x9f\x98\x80", 8, out, &len), 0));
	cr_assert(eq(sz, len, sizeof(want)));
	cr_assert(memcmp(out, want, len) == 0);
	cr_assert(eq(int, leat_filter_to_utf16("a\xff", 2, out, &len), -EBADMSG));
	cr_assert(eq(int, leat_filter_to_utf16("\xe2\x82", 2, out, &len), -EBADMSG));
	cr_assert(eq(int, leat_filter_to_utf16("\xed\xa0\x80", 3, out, &len), -EBADMSG));
}

static bool glob(const char *pattern, const char *text)
{
	struct leat_glob g;
	bool yes;

	cr_assert(eq(int, leat_glob_init(&g, (const uint8_t *)pattern, strlen(pattern), 1), 0));
	yes = leat_glob_matches(&g, (const uint8_t *)text, strlen(text));
	leat_glob_fini(&g);
	return yes;
}

Test(filter_text, globs)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} rows[] = {
		{ "", "", 1 },
		{ "", "a", 0 },
		{ "*", "", 1 },
		{ "**", "abc", 1 },
		{ "a*b*c", "aXbYc", 1 },
		{ "a*b*c", "aXbY", 0 },
		{ "?", "", 0 },
		{ "?", "a", 1 },
		{ "??", "a", 0 },
		{ "*a", "aaab", 0 },
		{ "*ab", "aaab", 1 },
		{ "*a*a*a*", "aa", 0 },
		{ "*a*a*a*", "xaxaxax", 1 },
		{ "[abc]", "b", 1 },
		{ "[abc]", "d", 0 },
		{ "[!abc]", "d", 1 },
		{ "[^abc]", "a", 0 },
		{ "[a-cx-z]", "y", 1 },
		{ "[a-cx-z]", "d", 0 },
		{ "[]a]", "]", 1 },
		{ "[!]]", "]", 0 },
		{ "[a-]", "-", 1 },
		{ "[\\]]", "]", 1 },
		{ "[", "[", 1 },
		{ "[ab", "[ab", 1 },
		{ "a[", "a[", 1 },
		{ "\\*", "*", 1 },
		{ "\\*", "a", 0 },
		{ "\\", "\\", 1 },
		{ "a\\?c", "a?c", 1 },
		{ "[z-a]", "m", 0 },
		{ "/usr/*/lib?.so*", "/usr/x/y/libc.so.6", 1 },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++)
		cr_expect(glob(rows[i].pattern, rows[i].text) == rows[i].want, "%s on %s",
			  rows[i].pattern, rows[i].text);
}

/* The definition, by recursion. */
static bool naive_glob(const char *p, const char *t)
{
	if (!*p)
		return !*t;
	if (*p == '*')
		return naive_glob(p + 1, t) || (*t && naive_glob(p, t + 1));
	return *t && (*p == '?' || *p == *t) && naive_glob(p + 1, t + 1);
}

Test(filter_text, globs_agree_with_their_definition)
{
	for (int round = 0; round < 50000; round++) {
		char pattern[9] = "", text[12] = "";
		size_t n = random_below(9), m = random_below(12);

		for (size_t i = 0; i < n; i++)
			pattern[i] = "ab?*"[random_below(4)];
		for (size_t i = 0; i < m; i++)
			text[i] = "ab"[random_below(2)];
		cr_assert(glob(pattern, text) == naive_glob(pattern, text), "%s on %s", pattern,
			  text);
	}
}
