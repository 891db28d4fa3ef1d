/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "cli/io.h"
#include "export/export.h"

#define WIDTH	    96
#define HELP_COLUMN 32 /* where the text of an option begins */

static void pad(struct leat_buf *b, size_t from, size_t column)
{
	/* An entry that is too long for its column has its text on the next line. */
	if (b->len - from + 2 > column) {
		leat_buf_char(b, '\n');
		from = b->len;
	}
	while (!b->err && b->len - from < column)
		leat_buf_char(b, ' ');
}

void leat_cli_synopsis(struct leat_buf *b, enum leat_cli_verb_id verb)
{
	const struct leat_cli_verb *v = leat_cli_verb_at(verb);

	leat_buf_printf(b, "leat %s [options]", v->name);
	if (v->operands)
		leat_buf_printf(b, " %s", v->operands);
}

void leat_cli_usage(struct leat_buf *b)
{
	leat_buf_str(
		b, "leat shows where a live process spends its time.\n\n"
		   "  sudo leat record -p PID -d 10 -o flame.html   attach, write a flame graph\n"
		   "  sudo leat record -- COMMAND                   start a command and follow it\n"
		   "  leat report run.leat                          what a stored profile says\n"
		   "  sudo leat doctor                              what works on this host\n\n"
		   "Verbs:\n");
	for (enum leat_cli_verb_id id = 0; id < LEAT_CLI_VERB__MAX; id++)
		leat_buf_printf(b, "  %-12s%s\n", leat_cli_verb_at(id)->name,
				leat_cli_verb_at(id)->summary);
	leat_buf_str(b, "\nleat help VERB explains one of them, leat help --man is the manual.\n");
}

static void add_examples(struct leat_buf *b, const struct leat_cli_verb *v)
{
	leat_buf_str(b, "Examples:\n");
	for (size_t i = 0; i < LEAT_CLI_MAX_EXAMPLES && v->examples[i].command; i++) {
		size_t from = b->len;

		leat_buf_printf(b, "  %s", v->examples[i].command);
		if (v->examples[i].text) {
			pad(b, from, 54);
			leat_buf_str(b, v->examples[i].text);
		}
		leat_buf_char(b, '\n');
	}
}

static void add_option(struct leat_buf *b, const struct leat_cli_option *o)
{
	size_t from = b->len, column;

	if (o->letter)
		leat_buf_printf(b, "  -%c, --%s", o->letter, o->name);
	else
		leat_buf_printf(b, "      --%s", o->name);
	if (o->arg)
		leat_buf_printf(b, " %s", o->arg);
	pad(b, from, HELP_COLUMN);
	column = b->len;
	leat_cli_wrap(b, o->help, HELP_COLUMN, WIDTH);
	/* The first line stands behind the option already: take its indentation away. */
	if (!b->err) {
		memmove(b->data + column, b->data + column + HELP_COLUMN,
			b->len - column - HELP_COLUMN + 1);
		b->len -= HELP_COLUMN;
	}
}

static void add_group(struct leat_buf *b, enum leat_cli_verb_id verb, enum leat_cli_group g)
{
	bool first = true;

	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
		const struct leat_cli_option *o = leat_cli_option_at(id);

		if (o->group != g || !leat_cli_option_of(id, verb))
			continue;
		if (first)
			leat_buf_printf(b, "\n%s:\n", leat_cli_group_name(g));
		first = false;
		add_option(b, o);
	}
}

static void add_formats(struct leat_buf *b)
{
	const struct leat_exporter *e;

	leat_buf_str(b, "\nFormats:\n");
	for (size_t i = 0; (e = leat_exporter_at(i)); i++)
		leat_buf_printf(b, "  %-12s%-10s%s\n", e->format, e->extension, e->help);
}

void leat_cli_help(struct leat_buf *b, enum leat_cli_verb_id verb)
{
	const struct leat_cli_verb *v = leat_cli_verb_at(verb);

	leat_buf_printf(b, "leat %s - %s\n\nUsage: ", v->name, v->summary);
	leat_cli_synopsis(b, verb);
	leat_buf_str(b, "\n\n");
	add_examples(b, v);
	for (enum leat_cli_group g = 0; g < LEAT_CLI_GROUP__MAX; g++)
		add_group(b, verb, g);
	if (verb == LEAT_CLI_RECORD || verb == LEAT_CLI_CONVERT)
		add_formats(b);
	if (verb != LEAT_CLI_RECORD)
		return;
	leat_buf_str(
		b,
		"\nTargets of one kind unite, those of different kinds intersect. Ctrl-C ends with "
		"the result;\na second one throws it away. More: leat help --man record | man -l -\n");
}

void leat_cli_choices(struct leat_buf *b, const struct leat_cli_option *o, char sep)
{
	const struct leat_exporter *e;

	for (size_t i = 0; o->choices && o->choices[i]; i++) {
		if (i)
			leat_buf_char(b, sep);
		leat_buf_str(b, o->choices[i]);
	}
	for (size_t i = 0; o->type == LEAT_CLI_FORMATS && (e = leat_exporter_at(i)); i++) {
		if (i)
			leat_buf_char(b, sep);
		leat_buf_str(b, e->format);
	}
}
