/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/suggest.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "export/export.h"

void leat_cli_nearest_try(struct leat_cli_nearest *n, const char *candidate)
{
	size_t typed = strlen(n->word);
	unsigned int limit = leat_distance_limit(typed);
	unsigned int distance = leat_distance(n->word, candidate);

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
