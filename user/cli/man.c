/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manual pages: the prose of docs/man/NAME.mdoc, in which a line "@options@" and the like stands for
 * what the tables say.
 */
#include <errno.h>
#include <string.h>

#include "cli/help.h"
#include "cli/io.h"
#include "export/export.h"
#include "man_convert.h"
#include "man_doctor.h"
#include "man_leat.h"
#include "man_list.h"
#include "man_record.h"
#include "man_report.h"

#define WIDTH 78

/* Text as mdoc takes it: no escape, and no word that would be a control line at its beginning. */
static void add_text(struct leat_buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strchr(".'", s[i]) && (!i || s[i - 1] == ' '))
			leat_buf_str(b, "\\&");
		if (s[i] == '\\')
			leat_buf_str(b, "\\e");
		else
			leat_buf_char(b, s[i]);
	}
}

/* Begins with a capital, ends with a full stop, on lines of its own. */
static void add_sentence(struct leat_buf *b, const char *s, size_t n)
{
	struct leat_buf line;

	leat_buf_init(&line, 4096);
	add_text(&line, s, n);
	if (line.data && line.data[0] >= 'a' && line.data[0] <= 'z')
		line.data[0] = (char)(line.data[0] - 'a' + 'A');
	if (n && s[n - 1] != '.')
		leat_buf_char(&line, '.');
	if (line.err || !line.data)
		b->err = b->err ? b->err : line.err;
	else
		leat_cli_wrap(b, line.data, 0, WIDTH);
	leat_buf_fini(&line);
}

/* mdoc wants each sentence to begin on a line of its own. */
static void add_sentences(struct leat_buf *b, const char *s)
{
	while (*s) {
		const char *end = strstr(s, ". ");
		size_t n = end ? (size_t)(end + 1 - s) : strlen(s);

		add_sentence(b, s, n);
		s += n;
		while (*s == ' ')
			s++;
	}
}

static void add_option(struct leat_buf *b, const struct leat_cli_option *o)
{
	leat_buf_str(b, ".It ");
	if (o->letter)
		leat_buf_printf(b, "Fl %c , ", o->letter);
	leat_buf_printf(b, "Fl -%s", o->name);
	if (o->arg)
		leat_buf_printf(b, " Ar %s", o->arg);
	leat_buf_char(b, '\n');
	add_sentences(b, o->help);
	if (o->more)
		add_sentences(b, o->more);
}

static void add_options(struct leat_buf *b, enum leat_cli_verb_id verb)
{
	for (enum leat_cli_group g = 0; g < LEAT_CLI_GROUP__MAX; g++) {
		bool first = true;

		for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
			const struct leat_cli_option *o = leat_cli_option_at(id);

			if (o->group != g || !leat_cli_option_of(id, verb))
				continue;
			if (first)
				leat_buf_printf(b, ".Ss %s\n.Bl -tag -width Ds\n",
						leat_cli_group_name(g));
			first = false;
			add_option(b, o);
		}
		if (!first)
			leat_buf_str(b, ".El\n");
	}
}

static void add_examples(struct leat_buf *b, enum leat_cli_verb_id verb)
{
	const struct leat_cli_verb *v = leat_cli_verb_at(verb);

	for (size_t i = 0; i < LEAT_CLI_MAX_EXAMPLES && v->examples[i].command; i++) {
		if (i)
			leat_buf_str(b, ".Pp\n");
		if (v->examples[i].text)
			add_sentences(b, v->examples[i].text);
		leat_buf_str(b, ".Bd -literal -offset indent\n");
		add_text(b, v->examples[i].command, strlen(v->examples[i].command));
		leat_buf_str(b, "\n.Ed\n");
	}
}

static void add_formats(struct leat_buf *b)
{
	const struct leat_exporter *e;

	leat_buf_str(b, ".Bl -tag -width Ds\n");
	for (size_t i = 0; (e = leat_exporter_at(i)); i++) {
		leat_buf_printf(b, ".It Cm %s Pq Pa %s\n", e->format, e->extension);
		add_sentences(b, e->help);
	}
	leat_buf_str(b, ".El\n");
}

static bool has_page(enum leat_cli_verb_id verb)
{
	return verb == LEAT_CLI_RECORD || verb == LEAT_CLI_REPORT || verb == LEAT_CLI_CONVERT ||
	       verb == LEAT_CLI_DOCTOR || verb == LEAT_CLI_LIST;
}

static void add_verbs(struct leat_buf *b)
{
	leat_buf_str(b, ".Bl -tag -width Ds\n");
	for (enum leat_cli_verb_id id = 0; id < LEAT_CLI_VERB__MAX; id++) {
		const struct leat_cli_verb *v = leat_cli_verb_at(id);

		leat_buf_printf(b, ".It Nm Cm %s", v->name);
		if (v->operands)
			leat_buf_printf(b, " Ar %s\\&", v->operands);
		leat_buf_char(b, '\n');
		add_sentences(b, v->summary);
		if (has_page(id))
			leat_buf_printf(b, "See\n.Xr leat-%s 1 .\n", v->name);
	}
	leat_buf_str(b, ".El\n");
}

/* One line of a page: a token, or text that is copied. */
static void add_line(struct leat_buf *b, enum leat_cli_verb_id verb, const char *line, size_t n)
{
	if (n == 9 && memcmp(line, "@options@", n) == 0)
		add_options(b, verb);
	else if (n == 10 && memcmp(line, "@examples@", n) == 0)
		add_examples(b, verb < LEAT_CLI_VERB__MAX ? verb : LEAT_CLI_RECORD);
	else if (n == 9 && memcmp(line, "@formats@", n) == 0)
		add_formats(b);
	else if (n == 7 && memcmp(line, "@verbs@", n) == 0)
		add_verbs(b);
	else {
		leat_buf_add(b, line, n);
		leat_buf_char(b, '\n');
	}
}

int leat_cli_man(struct leat_buf *b, enum leat_cli_verb_id verb)
{
	const char *page;

	if (verb == LEAT_CLI_VERB__MAX)
		page = (const char *)leat_man_leat;
	else if (verb == LEAT_CLI_RECORD)
		page = (const char *)leat_man_record;
	else if (verb == LEAT_CLI_REPORT)
		page = (const char *)leat_man_report;
	else if (verb == LEAT_CLI_CONVERT)
		page = (const char *)leat_man_convert;
	else if (verb == LEAT_CLI_DOCTOR)
		page = (const char *)leat_man_doctor;
	else if (verb == LEAT_CLI_LIST)
		page = (const char *)leat_man_list;
	else
		return -ENOENT;
	while (*page) {
		size_t n = strcspn(page, "\n");

		add_line(b, verb, page, n);
		page += n + (page[n] == '\n');
	}
	return b->err;
}
