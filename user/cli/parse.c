/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/suggest.h"
#include "cli/target.h"
#include "export/export.h"

#define MAX_TEXT 4096 /* bytes of one argument */

struct parser {
	const struct leat_cli_line *line;
	struct leat_cli_args *out;
	struct leat_diag *diag;
	int at; /* the next argument */
};

/* An option as it was typed, for messages: "-p" or "--pid". */
struct typed {
	enum leat_cli_opt id;
	char text[48];
};

static const char *verb_name(const struct parser *p)
{
	return leat_cli_verb_at(p->line->verb)->name;
}

static void say_help(const struct parser *p)
{
	leat_diag_alt(p->diag, "leat help %s (lists all options)", verb_name(p));
}

static void formats(char *out, size_t size)
{
	const struct leat_exporter *e;
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; (e = leat_exporter_at(i)) && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i ? ", " : "", e->format);
}

static int bad_format(struct parser *p, const struct typed *t, const char *value)
{
	char all[256], near[64];

	formats(all, sizeof(all));
	leat_cli_suggest_format(value, near, sizeof(near));
	leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE, "%s: unknown format '%s'", t->text, value);
	leat_diag_why(p->diag, "the formats are %s", all);
	if (near[0])
		leat_diag_fix(p->diag, "did you mean %s %s?", t->text, near);
	return -EINVAL;
}

/* A name where a number was wanted. */
static bool is_name(const char *value)
{
	return value[0] && !strchr("0123456789+-", value[0]) && !strpbrk(value, ", ");
}

/* A value that is right, for those whose form says less than an example does. */
static const char *example(enum leat_cli_opt id)
{
	switch (id) {
	case LEAT_CLI_OPT_DURATION:
		return "10";
	case LEAT_CLI_OPT_FREQUENCY:
		return "99";
	case LEAT_CLI_OPT_PERIOD:
		return "1000000";
	case LEAT_CLI_OPT_BUFFER:
		return "4M";
	case LEAT_CLI_OPT_MAX_STACK:
		return "127";
	case LEAT_CLI_OPT_MAX_LOSS:
		return "1";
	default:
		return NULL;
	}
}

/* What to do about a value that is not of the form that the option wants. */
static void fix_value(struct parser *p, const struct typed *t, const char *value)
{
	if (example(t->id))
		leat_diag_fix(p->diag, "for example %s %s", t->text, example(t->id));
	else if (t->id == LEAT_CLI_OPT_PID && p->line->verb == LEAT_CLI_RECORD && is_name(value))
		leat_diag_fix(p->diag, "leat record -n '%s' finds processes by name", value);
	else if (t->id == LEAT_CLI_OPT_PID)
		leat_diag_fix(p->diag, "find it: pgrep -a NAME");
	else if (t->id == LEAT_CLI_OPT_TID)
		leat_diag_fix(p->diag, "the threads of a process: ls /proc/PID/task");
	else if (t->id == LEAT_CLI_OPT_CPUS)
		leat_diag_fix(p->diag, "those that are online: cat /sys/devices/system/cpu/online");
	else if (t->id == LEAT_CLI_OPT_UID && is_name(value))
		leat_diag_fix(p->diag, "give the number: id -u %s", value);
	else if (t->id == LEAT_CLI_OPT_UID)
		leat_diag_fix(p->diag, "find it: id -u NAME");
}

static void too_many(struct parser *p, const struct typed *t)
{
	leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE, "%s: more than %u values", t->text,
		      LEAT_CLI_MAX_LIST);
	leat_diag_why(p->diag, "a list holds no more than that");
	leat_diag_fix(p->diag, "give fewer, or record a cgroup (--cgroup PATH) or the host (-a)");
}

static int bad_value(struct parser *p, const struct typed *t, const char *value, int err)
{
	const struct leat_cli_option *o = leat_cli_option_at(t->id);

	if (err == -ENOMEM)
		return leat_diag_set(p->diag, err, LEAT_EXIT_FAILURE, "out of memory");
	/* A number that leat refuses too: the kernel's limit is the one to know. */
	if (t->id == LEAT_CLI_OPT_FREQUENCY && err == -ERANGE &&
	    leat_cli_check_frequency(t->text, value, p->diag))
		return -EINVAL;
	if (err == -EOVERFLOW)
		too_many(p, t);
	else if (err == -ENOENT)
		leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE, "%s: no user '%s' in /etc/passwd",
			      t->text, value);
	else
		leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE, "%s: expected %s, found '%s'",
			      t->text, o->expected, value);
	fix_value(p, t, value);
	say_help(p);
	return -EINVAL;
}

static int choose(const struct leat_cli_option *o, const char *value, unsigned int *out)
{
	for (unsigned int i = 0; o->choices[i]; i++) {
		if (strcmp(o->choices[i], value) != 0)
			continue;
		*out = i;
		return 0;
	}
	return -EINVAL;
}

static int put_u64(const struct leat_cli_option *o, const char *value, uint64_t *out)
{
	uint64_t v = 0;
	int err;

	if (o->type == LEAT_CLI_NS)
		err = leat_cli_value_duration(value, &v);
	else if (o->type == LEAT_CLI_BYTES)
		err = leat_cli_value_size(value, &v);
	else
		err = leat_cli_value_u64(value, &v);
	if (err)
		return err;
	if (v < o->min || v > o->max)
		return -ERANGE;
	*out = v;
	return 0;
}

static int put_text(const char *value, const char **out)
{
	if (!*value || strlen(value) > MAX_TEXT)
		return -EINVAL;
	*out = value;
	return 0;
}

static int put_texts(const char *value, struct leat_cli_strs *out)
{
	const char *text;
	int err = put_text(value, &text);

	return err ? err : leat_cli_strs_add(out, text);
}

/* Values that end in the structure as they are, by the type of the option. */
static int put_value(const struct leat_cli_option *o, const char *value, void *at)
{
	switch (o->type) {
	case LEAT_CLI_NUMBER:
	case LEAT_CLI_NS:
	case LEAT_CLI_BYTES:
		return put_u64(o, value, at);
	case LEAT_CLI_PERCENT:
		return leat_cli_value_percent(value, at);
	case LEAT_CLI_TEXT:
		return put_text(value, at);
	case LEAT_CLI_TEXTS:
		return put_texts(value, at);
	case LEAT_CLI_IDS:
		return leat_cli_value_ids(value, (uint32_t)o->min, (uint32_t)o->max, at);
	case LEAT_CLI_CPU_LIST:
		return leat_cli_value_cpus(value, at);
	case LEAT_CLI_USERS:
		return leat_cli_value_users(value, at);
	case LEAT_CLI_CHOICE:
		return choose(o, value, at);
	case LEAT_CLI_FORMATS:
		*(const struct leat_exporter **)at = leat_exporter_find(value);
		return *(const struct leat_exporter **)at ? 0 : -ENOENT;
	case LEAT_CLI_FLAG:
	case LEAT_CLI_COUNT:
		break;
	}
	return -EINVAL;
}

static bool repeatable(enum leat_cli_type type)
{
	return type == LEAT_CLI_FLAG || type == LEAT_CLI_COUNT || type == LEAT_CLI_TEXTS ||
	       type == LEAT_CLI_IDS || type == LEAT_CLI_CPU_LIST || type == LEAT_CLI_USERS;
}

/* Notes that the option is there; one that takes a single value must not come twice. */
static int note(struct parser *p, const struct typed *t)
{
	if (leat_cli_given(p->out, t->id) && !repeatable(leat_cli_option_at(t->id)->type)) {
		leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE, "%s: given twice", t->text);
		leat_diag_fix(p->diag, "leave one of the two out");
		return -EINVAL;
	}
	p->out->given |= 1ull << t->id;
	return 0;
}

static int take_flag(struct parser *p, const struct typed *t)
{
	const struct leat_cli_option *o = leat_cli_option_at(t->id);
	void *at = (char *)p->out + o->offset;

	if (o->type == LEAT_CLI_COUNT)
		++*(unsigned int *)at;
	else
		*(bool *)at = true;
	return note(p, t);
}

/* @value: what is attached ("-p4", "--pid=4"), or NULL: the next argument. */
static int take_value(struct parser *p, const struct typed *t, const char *value)
{
	const struct leat_cli_option *o = leat_cli_option_at(t->id);
	int err;

	if (!value) {
		if (p->at >= p->line->argc) {
			leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE,
				      "%s: expected %s, found the end of the command line", t->text,
				      o->expected);
			leat_diag_fix(p->diag, "write %s %s", t->text, o->arg);
			return -EINVAL;
		}
		value = p->line->argv[p->at++];
	}
	err = note(p, t);
	if (err)
		return err;
	err = put_value(o, value, (char *)p->out + o->offset);
	if (err && o->type == LEAT_CLI_FORMATS)
		return bad_format(p, t, value);
	return err ? bad_value(p, t, value, err) : 0;
}

static int unknown_option(struct parser *p, const char *shown, const char *word)
{
	char near[64];

	leat_cli_suggest_option(p->line->verb, word, near, sizeof(near));
	leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE, "%s: unknown option of leat %s", shown,
		      verb_name(p));
	if (near[0])
		leat_diag_fix(p->diag, "did you mean %s?", near);
	else if (strcmp(shown, "-g") == 0)
		leat_diag_fix(p->diag, "leave it out: leat always takes stacks");
	say_help(p);
	return -EINVAL;
}

static int long_option(struct parser *p, const char *arg)
{
	const char *name = arg + 2, *eq = strchr(name, '=');
	size_t n = eq ? (size_t)(eq - name) : strlen(name);
	struct typed t = { .id = leat_cli_option_long(p->line->verb, name, n) };

	snprintf(t.text, sizeof(t.text), "--%.*s", (int)n, name);
	if (t.id == LEAT_CLI_OPT__MAX)
		return unknown_option(p, t.text, t.text + 2);
	if (leat_cli_option_at(t.id)->arg)
		return take_value(p, &t, eq ? eq + 1 : NULL);
	if (!eq)
		return take_flag(p, &t);
	leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE, "%s: takes no argument, found '%s'",
		      t.text, eq + 1);
	leat_diag_fix(p->diag, "write %s alone", t.text);
	return -EINVAL;
}

/* "-p4", "-aq", "-aqd10": flags may stand together, the last may take an argument. */
static int short_options(struct parser *p, const char *arg)
{
	for (const char *c = arg + 1; *c; c++) {
		struct typed t = { .id = leat_cli_option_short(p->line->verb, *c) };
		int err;

		snprintf(t.text, sizeof(t.text), "-%c", *c);
		if (t.id == LEAT_CLI_OPT__MAX)
			return unknown_option(p, t.text, c == arg + 1 ? c : t.text + 1);
		if (leat_cli_option_at(t.id)->arg)
			return take_value(p, &t, c[1] ? c + 1 : NULL);
		err = take_flag(p, &t);
		if (err)
			return err;
	}
	return 0;
}

static int stray_operand(struct parser *p, const char *arg)
{
	uint64_t pid;

	leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE, "unexpected argument '%s'", arg);
	if (p->line->verb != LEAT_CLI_RECORD)
		leat_diag_why(p->diag, "leat %s takes options only", verb_name(p));
	else if (leat_cli_value_u64(arg, &pid) == 0)
		leat_diag_fix(p->diag, "a process id needs an option: -p %s", arg);
	else
		leat_diag_fix(p->diag,
			      "a name needs an option: -n '%s'; a command stands behind --: "
			      "-- %s",
			      arg, arg);
	say_help(p);
	return -EINVAL;
}

static int operand(struct parser *p, char *arg)
{
	if (p->line->verb == LEAT_CLI_RECORD || !leat_cli_verb_at(p->line->verb)->operands)
		return stray_operand(p, arg);
	if (leat_cli_strs_add(&p->out->operands, arg))
		return leat_diag_set(p->diag, -ENOMEM, LEAT_EXIT_FAILURE, "out of memory");
	return 0;
}

/* All that follows "--": the command, or operands. */
static int rest(struct parser *p)
{
	int err = 0;

	if (p->line->verb != LEAT_CLI_RECORD) {
		while (!err && p->at < p->line->argc)
			err = operand(p, p->line->argv[p->at++]);
		return err;
	}
	if (p->at >= p->line->argc) {
		leat_diag_set(p->diag, -EINVAL, LEAT_EXIT_USAGE,
			      "--: expected a command behind it");
		leat_diag_fix(p->diag, "leat record -- COMMAND [ARG ...]");
		return -EINVAL;
	}
	p->out->command = &p->line->argv[p->at];
	p->at = p->line->argc;
	return 0;
}

int leat_cli_parse(const struct leat_cli_line *line, struct leat_cli_args *out,
		   struct leat_diag *diag)
{
	struct parser p = { .line = line, .out = out, .diag = diag };
	int err = 0;

	while (!err && !out->help && p.at < line->argc) {
		char *arg = line->argv[p.at++];

		if (strcmp(arg, "--") == 0)
			err = rest(&p);
		else if (strncmp(arg, "--", 2) == 0)
			err = long_option(&p, arg);
		else if (arg[0] == '-' && arg[1])
			err = short_options(&p, arg);
		else
			err = operand(&p, arg);
	}
	return err;
}
