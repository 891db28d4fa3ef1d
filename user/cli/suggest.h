/* SPDX-License-Identifier: BSD-2-Clause */
/* "Did you mean": the nearest of a list of words. */
#ifndef LEAT_CLI_SUGGEST_H
#define LEAT_CLI_SUGGEST_H

#include <stddef.h>

#include "cli/options.h"

/* Keeps the nearest candidate seen so far; start with { .word = what was typed }. */
struct leat_cli_nearest {
	const char *word;
	char best[64]; /* "" when nothing is near */
	unsigned int distance;
};

void leat_cli_nearest_try(struct leat_cli_nearest *n, const char *candidate);

/*
 * What an unknown option of @verb was meant to be: "--frequency", or text such as "leave it out".
 * @word is without dashes and "=value". "" when nothing is near.
 */
void leat_cli_suggest_option(enum leat_cli_verb_id verb, const char *word, char *out, size_t size);
void leat_cli_suggest_verb(const char *word, char *out, size_t size);
void leat_cli_suggest_format(const char *word, char *out, size_t size);

#endif
