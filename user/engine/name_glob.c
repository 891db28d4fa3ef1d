/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/name_glob.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static void accept_range(struct leat_glob *g, uint32_t atom, int lo, int hi)
{
	for (int c = lo; c <= hi; c++)
		if (c)
			g->mask[c] |= 1u << atom;
}

/* One character of a set, quoted or not. */
static int set_char(const char **p)
{
	if (**p == '\\' && (*p)[1])
		(*p)++;
	return (unsigned char)*(*p)++;
}

/* @p stands behind '['. Returns what follows the set, or NULL when it does not end. */
static const char *compile_set(struct leat_glob *g, uint32_t atom, const char *p)
{
	const bool negated = *p == '!' || *p == '^';
	const char *first = negated ? ++p : p;
	const uint32_t bit = 1u << atom;

	while (*p && (*p != ']' || p == first)) {
		int lo = set_char(&p), hi = lo;

		if (*p == '-' && p[1] && p[1] != ']') {
			p++;
			hi = set_char(&p);
		}
		accept_range(g, atom, lo, hi);
	}
	if (!*p) {
		for (int c = 0; c < 256; c++)
			g->mask[c] &= ~bit;
		return NULL;
	}
	for (int c = 1; negated && c < 256; c++)
		g->mask[c] ^= bit;
	return p + 1;
}

/* One atom at @p; returns what follows it. */
static const char *compile_atom(struct leat_glob *g, uint32_t atom, const char *p)
{
	const char *end;
	int c;

	if (*p == '?') {
		accept_range(g, atom, 1, 255);
		return p + 1;
	}
	if (*p == '[') {
		end = compile_set(g, atom, p + 1);
		if (end)
			return end;
		c = (unsigned char)*p++;
	} else {
		c = set_char(&p);
	}
	accept_range(g, atom, c, c);
	return p;
}

int leat_glob_compile(const char *pattern, struct leat_glob *out)
{
	struct leat_glob g = { .accept = 1 };
	uint32_t atom = 0;

	for (const char *p = pattern; *p;) {
		if (*p == '*') {
			g.star |= 1u << atom;
			p++;
			continue;
		}
		if (atom == LEAT_GLOB_ATOMS)
			return -EOVERFLOW;
		p = compile_atom(&g, atom++, p);
	}
	g.accept = 1u << atom;
	*out = g;
	return 0;
}
