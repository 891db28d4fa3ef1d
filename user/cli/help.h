/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts made from the tables of options and verbs. All append; errors stick in the buffer. */
#ifndef LEAT_CLI_HELP_H
#define LEAT_CLI_HELP_H

#include "base/buf.h"
#include "cli/options.h"

/* What "leat" alone says. */
void leat_cli_usage(struct leat_buf *b);
/* "leat VERB --help": examples first, then the options by group. */
void leat_cli_help(struct leat_buf *b, enum leat_cli_verb_id verb);
/* "leat record [options] [-- COMMAND [ARG ...]]" */
void leat_cli_synopsis(struct leat_buf *b, enum leat_cli_verb_id verb);

/* leat(1) for LEAT_CLI_VERB__MAX, else leat-VERB(1), as mdoc. -ENOENT: there is no such page. */
int leat_cli_man(struct leat_buf *b, enum leat_cli_verb_id verb) LEAT_MUST_USE;

/* Completions; -ENOENT: another shell. */
int leat_cli_completion(struct leat_buf *b, const char *shell) LEAT_MUST_USE;
void leat_cli_completion_bash(struct leat_buf *b);
void leat_cli_completion_zsh(struct leat_buf *b);
void leat_cli_completion_fish(struct leat_buf *b);
/* The words that a shell may offer for @o: choices or formats, separated by @sep. */
void leat_cli_choices(struct leat_buf *b, const struct leat_cli_option *o, char sep);

#endif
