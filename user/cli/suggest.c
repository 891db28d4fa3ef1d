/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/suggest.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "export/export.h"

#define MAX_WORD 63

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment: three rows of the table are enough. */
unsigned int leat_cli_distance(const char *a, const char *b)
{
	unsigned int rows[3][MAX_WORD + 1];
	unsigned int *old = rows[0], *prev = rows[1], *cur = rows[2];
	size_t n = strlen(a), m = strlen(b);

	if (n > MAX_WORD || m > MAX_WORD)
		return UINT32_MAX;
	for (size_t j = 0; j <= m; j++)
		prev[j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *spare = old;

		cur[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			bool same = lower(a[i - 1]) == lower(b[j - 1]);

			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]))
				cur[j] = min3(cur[j], old[j - 2] + 1, UINT32_MAX);
		}
		old = prev;
		prev = cur;
		cur = spare;
	}
	return prev[m];
}

void leat_cli_nearest_try(struct leat_cli_nearest *n, const char *candidate)
{
	size_t typed = strlen(n->word);
	unsigned int limit = typed <= 3 ? 1 : typed <= 6 ? 2 : 3;
	unsigned int distance = leat_cli_distance(n->word, candidate);

	/* The beginning of a word ("dur", "freq") counts as near. */
	if (typed >= 3 && strncasecmp(n->word, candidate, typed) == 0 && distance > 1)
		distance = 1;
	if (distance > limit || (n->best[0] && distance >= n->distance))
		return;
	n->distance = distance;
	snprintf(n->best, sizeof(n->best), "%s", candidate);
}

/* What other profilers call it. */
static const struct {
	const char *word;
	const char *meant;
} habits[] = {
	{ "g", NULL }, /* perf record -g: leat always takes stacks */
	{ "call-graph", "--unwind" },
	{ "rate", "--frequency" },
	{ "freq", "--frequency" },
	{ "hz", "--frequency" },
	{ "count", "--period" },
	{ "interval", "--period" },
	{ "all-cpus", "--all" },
	{ "system-wide", "--all" },
	{ "all-user", "--user-only" },
	{ "user", "--user-only" },
	{ "all-kernel", "--kernel-only" },
	{ "kernel", "--kernel-only" },
	{ "comm", "--name" },
	{ "process", "--pid" },
	{ "thread", "--tid" },
	{ "threads", "--per-thread" },
	{ "subprocesses", "--children" },
	{ "follow", "--children" },
	{ "inherit", "--children" },
	{ "no-inherit", "--no-children" },
	{ "seconds", "--duration" },
	{ "time", "--duration" },
	{ "timeout", "--duration" },
	{ "cpu", "--cpus" },
	{ "cpu-list", "--cpus" },
	{ "file", "--output" },
	{ "out", "--output" },
	{ "mmap-pages", "--buffer" },
	{ "max-depth", "--max-stack" },
	{ "user-id", "--uid" },
	{ "folded", "--format" },
	{ "svg", "--format" },
	{ "html", "--format" },
};

void leat_cli_suggest_option(enum leat_cli_verb_id verb, const char *word, char *out, size_t size)
{
	struct leat_cli_nearest near = { .word = word };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(habits) && verb == LEAT_CLI_RECORD; i++) {
		if (strcmp(habits[i].word, word) != 0)
			continue;
		snprintf(out, size, "%s", habits[i].meant ? habits[i].meant : "");
		return;
	}
	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++)
		if (leat_cli_option_of(id, verb))
			leat_cli_nearest_try(&near, leat_cli_option_at(id)->name);
	snprintf(out, size, "%s%s", near.best[0] ? "--" : "", near.best);
}

void leat_cli_suggest_verb(const char *word, char *out, size_t size)
{
	struct leat_cli_nearest near = { .word = word };

	for (enum leat_cli_verb_id id = 0; id < LEAT_CLI_VERB__MAX; id++)
		leat_cli_nearest_try(&near, leat_cli_verb_at(id)->name);
	snprintf(out, size, "%s", near.best);
}

void leat_cli_suggest_format(const char *word, char *out, size_t size)
{
	struct leat_cli_nearest near = { .word = word };
	const struct leat_exporter *e;

	for (size_t i = 0; (e = leat_exporter_at(i)); i++)
		leat_cli_nearest_try(&near, e->format);
	snprintf(out, size, "%s", near.best);
}
