/* SPDX-License-Identifier: BSD-2-Clause */
/* Globs, over bytes or 16-bit units: *, ?, [a-z], [!a-z], and \ before what stands for itself. */
#include <errno.h>
#include <string.h>

#include "event/filter.h"

static uint16_t unit_at(const uint8_t *p, size_t i, uint8_t width)
{
	return width == 1 ? p[i] : (uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
}

/* Where the class that opens at @i - 1 ends; 0 when it does not. A ] that comes first is a member. */
static size_t class_end(const uint8_t *p, size_t n, size_t i, uint8_t width)
{
	if (i < n && (unit_at(p, i, width) == '!' || unit_at(p, i, width) == '^'))
		i++;
	for (size_t first = i; i < n; i++) {
		uint16_t c = unit_at(p, i, width);

		if (c == '\\' && i + 1 < n)
			i++;
		else if (c == ']' && i > first)
			return i;
	}
	return 0;
}

static uint16_t member(const uint8_t *p, size_t *i, size_t end, uint8_t width)
{
	if (unit_at(p, *i, width) == '\\' && *i + 1 < end)
		(*i)++;
	return unit_at(p, (*i)++, width);
}

/* Members from @i up to @end. */
static void add_class(struct leat_glob *g, const uint8_t *p, size_t i, size_t end)
{
	struct leat_glob_token *t = &g->tokens[g->token_cnt++];
	uint16_t c = unit_at(p, i, g->width);

	*t = (struct leat_glob_token){ .kind = LEAT_GLOB_CLASS, .unit = (uint16_t)g->range_cnt };
	if (c == '!' || c == '^') {
		t->negate = 1;
		i++;
	}
	while (i < end) {
		struct leat_glob_range *r = &g->ranges[g->range_cnt++];

		r->lo = r->hi = member(p, &i, end, g->width);
		if (i + 1 < end && unit_at(p, i, g->width) == '-') {
			i++;
			r->hi = member(p, &i, end, g->width);
		}
		t->range_cnt++;
	}
}

static void add_plain(struct leat_glob *g, enum leat_glob_kind kind, uint16_t unit)
{
	g->tokens[g->token_cnt++] = (struct leat_glob_token){ .kind = (uint8_t)kind, .unit = unit };
}

/* ** is *. */
static void add_star(struct leat_glob *g)
{
	if (!g->token_cnt || g->tokens[g->token_cnt - 1].kind != LEAT_GLOB_STAR)
		add_plain(g, LEAT_GLOB_STAR, 0);
}

static void add_all(struct leat_glob *g, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint16_t c = unit_at(p, i, g->width);
		size_t end = c == '[' ? class_end(p, n, i + 1, g->width) : 0;

		if (c == '*') {
			add_star(g);
		} else if (c == '?') {
			add_plain(g, LEAT_GLOB_ANY, 0);
		} else if (end) {
			add_class(g, p, i + 1, end);
			i = end;
		} else {
			if (c == '\\' && i + 1 < n)
				c = unit_at(p, ++i, g->width);
			add_plain(g, LEAT_GLOB_UNIT, c);
		}
	}
}

int leat_glob_init(struct leat_glob *g, const uint8_t *pattern, size_t n, uint8_t width)
{
	size_t units = n / width;

	memset(g, 0, sizeof(*g));
	g->width = width;
	g->tokens = calloc(units + 1, sizeof(*g->tokens));
	g->ranges = calloc(units + 1, sizeof(*g->ranges));
	if (!g->tokens || !g->ranges) {
		leat_glob_fini(g);
		return -ENOMEM;
	}
	add_all(g, pattern, units);
	return 0;
}

void leat_glob_fini(struct leat_glob *g)
{
	free(g->tokens);
	free(g->ranges);
	memset(g, 0, sizeof(*g));
}

static bool token_matches(const struct leat_glob *g, const struct leat_glob_token *t, uint16_t c)
{
	if (t->kind == LEAT_GLOB_UNIT)
		return c == t->unit;
	if (t->kind == LEAT_GLOB_ANY)
		return true;
	for (size_t i = t->unit; i < (size_t)t->unit + t->range_cnt; i++) {
		if (c >= g->ranges[i].lo && c <= g->ranges[i].hi)
			return !t->negate;
	}
	return t->negate;
}

/* On a mismatch only the last star can take more: text times pattern steps at worst. */
bool leat_glob_matches(const struct leat_glob *g, const uint8_t *text, size_t n)
{
	size_t units = n / g->width, star = SIZE_MAX, mark = 0, t = 0, i = 0;

	while (i < units) {
		const struct leat_glob_token *tok = t < g->token_cnt ? &g->tokens[t] : NULL;

		if (tok && tok->kind == LEAT_GLOB_STAR) {
			star = t++;
			mark = i;
		} else if (tok && token_matches(g, tok, unit_at(text, i, g->width))) {
			t++;
			i++;
		} else if (star != SIZE_MAX) {
			t = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (t < g->token_cnt && g->tokens[t].kind == LEAT_GLOB_STAR)
		t++;
	return t == g->token_cnt;
}
