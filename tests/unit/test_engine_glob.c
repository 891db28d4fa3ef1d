/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's matcher of process names, on the host, against fnmatch(3). */
#include "engine/name_glob.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int matches(const char *pattern, const char *name)
{
	struct leat_glob g;
	char text[LEAT_GLOB_TEXT + 1] = "";

	cr_assert(zero(int, leat_glob_compile(pattern, &g)), "%s", pattern);
	strncpy(text, name, LEAT_GLOB_TEXT);
	return leat_glob_match(&g, text);
}

static const struct {
	const char *pattern;
	const char *name;
	int want;
} cases[] = {
	{ "redis-server", "redis-server", 1 },
	{ "redis-server", "redis-serve", 0 },
	{ "redis", "redis-server", 0 },
	{ "", "", 1 },
	{ "", "a", 0 },
	{ "*", "", 1 },
	{ "*", "anything", 1 },
	{ "**", "anything", 1 },
	{ "?", "", 0 },
	{ "?", "x", 1 },
	{ "nginx*", "nginx", 1 },
	{ "nginx*", "nginx: worker", 1 },
	{ "*ginx", "nginx", 1 },
	{ "n*g*x", "nginx", 1 },
	{ "n*g*y", "nginx", 0 },
	{ "*a*a*a*", "aa", 0 },
	{ "*a*a*a*", "xaxaxax", 1 },
	{ "[a-c]x", "bx", 1 },
	{ "[a-c]x", "dx", 0 },
	{ "[!a-c]x", "dx", 1 },
	{ "[^a-c]x", "bx", 0 },
	{ "[]]", "]", 1 },
	{ "[!]]", "]", 0 },
	{ "[a-]", "-", 1 },
	{ "[ab", "[ab", 1 },
	{ "a[", "a[", 1 },
	{ "\\*", "*", 1 },
	{ "\\*", "x", 0 },
	{ "[\\]]", "]", 1 },
	{ "fifteen-letters", "fifteen-letters", 1 },
	{ "fifteen-letters?", "fifteen-letters", 0 },
};

Test(engine_glob, known_answers)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect(eq(int, matches(cases[i].pattern, cases[i].name), cases[i].want),
			  "%s ~ %s", cases[i].pattern, cases[i].name);
}

static void random_text(char *out, size_t max, const char *alphabet)
{
	size_t n = (size_t)rand() % (max + 1), k = strlen(alphabet);

	for (size_t i = 0; i < n; i++)
		out[i] = alphabet[(size_t)rand() % k];
	out[n] = 0;
}

Test(engine_glob, agrees_with_fnmatch)
{
	char start[5], pattern[13], name[LEAT_GLOB_TEXT + 1];

	srand(4242);
	for (int i = 0; i < 50000; i++) {
		random_text(pattern, 12, "ab*?[ab]c");
		random_text(name, LEAT_GLOB_TEXT, "abc");
		if (strchr(pattern, '['))
			continue; /* broken sets differ from one C library to the next */
		cr_expect(eq(int, matches(pattern, name), fnmatch(pattern, name, 0) == 0),
			  "%s ~ %s", pattern, name);
	}
	for (int i = 0; i < 20000; i++) {
		random_text(start, 4, "ab*?");
		snprintf(pattern, sizeof(pattern), "%s%s", start, i & 1 ? "[a-b]*c" : "[!b]?");
		random_text(name, LEAT_GLOB_TEXT, "abc");
		cr_expect(eq(int, matches(pattern, name), fnmatch(pattern, name, 0) == 0),
			  "%s ~ %s", pattern, name);
	}
}

Test(engine_glob, thirty_one_atoms_and_no_more)
{
	struct leat_glob g;
	char pattern[64];

	memset(pattern, 'a', sizeof(pattern));
	pattern[LEAT_GLOB_ATOMS] = 0;
	cr_expect(zero(int, leat_glob_compile(pattern, &g)));
	pattern[LEAT_GLOB_ATOMS] = '*';
	pattern[LEAT_GLOB_ATOMS + 1] = 0;
	cr_expect(zero(int, leat_glob_compile(pattern, &g)));
	pattern[LEAT_GLOB_ATOMS + 1] = 'a';
	pattern[LEAT_GLOB_ATOMS + 2] = 0;
	cr_expect(eq(int, leat_glob_compile(pattern, &g), -EOVERFLOW));
}
