/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "cli/help.h"

int leat_cli_completion(struct leat_buf *b, const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		leat_cli_completion_bash(b);
	else if (strcmp(shell, "zsh") == 0)
		leat_cli_completion_zsh(b);
	else if (strcmp(shell, "fish") == 0)
		leat_cli_completion_fish(b);
	else
		return -ENOENT;
	return b->err;
}

static void add_verbs(struct leat_buf *b)
{
	for (enum leat_cli_verb_id id = 0; id < LEAT_CLI_VERB__MAX; id++)
		leat_buf_printf(b, "%s%s", id ? " " : "", leat_cli_verb_at(id)->name);
}

/* --- bash ------------------------------------------------------------------------------ */

/* Verbs that read a stored profile. */
static bool reads_file(enum leat_cli_verb_id verb)
{
	return verb == LEAT_CLI_REPORT || verb == LEAT_CLI_CONVERT;
}

/* "record:-p|*:--pid": a letter means another option elsewhere. */
static void bash_pattern(struct leat_buf *b, const struct leat_cli_option *o, enum leat_cli_opt id)
{
	for (enum leat_cli_verb_id v = 0; o->letter && v < LEAT_CLI_VERB__MAX; v++)
		if (leat_cli_option_of(id, v))
			leat_buf_printf(b, "%s:-%c|", leat_cli_verb_at(v)->name, o->letter);
	leat_buf_printf(b, "*:--%s", o->name);
}

static void bash_source(struct leat_buf *b, const struct leat_cli_option *o)
{
	switch (o->complete) {
	case LEAT_CLI_C_FILE:
		leat_buf_str(b, "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))");
		return;
	case LEAT_CLI_C_DIR:
		leat_buf_str(b, "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))");
		return;
	case LEAT_CLI_C_PID:
		leat_buf_str(b, "COMPREPLY=($(compgen -W \"$(ps -eo pid=)\" -- \"$cur\"))");
		return;
	case LEAT_CLI_C_PROCESS:
		leat_buf_str(b, "COMPREPLY=($(compgen -W \"$(ps -eo comm=)\" -- \"$cur\"))");
		return;
	case LEAT_CLI_C_USER:
		leat_buf_str(b, "COMPREPLY=($(compgen -u -- \"$cur\"))");
		return;
	case LEAT_CLI_C_EVENT:
		leat_buf_str(b, "COMPREPLY=($(compgen -W \"$(leat list --names 2>/dev/null)\" -- "
				"\"$cur\"))");
		return;
	case LEAT_CLI_C_CHOICE:
		leat_buf_str(b, "COMPREPLY=($(compgen -W \"");
		leat_cli_choices(b, o, ' ');
		leat_buf_str(b, "\" -- \"$cur\"))");
		return;
	case LEAT_CLI_C_NONE:
		break;
	}
	leat_buf_str(b, "COMPREPLY=()");
}

static void bash_verb(struct leat_buf *b, enum leat_cli_verb_id verb)
{
	leat_buf_printf(b, "\t%s)\n\t\topts=\"", leat_cli_verb_at(verb)->name);
	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
		const struct leat_cli_option *o = leat_cli_option_at(id);

		if (!leat_cli_option_of(id, verb))
			continue;
		if (o->letter)
			leat_buf_printf(b, "-%c ", o->letter);
		leat_buf_printf(b, "--%s ", o->name);
	}
	leat_buf_str(b, "\"\n");
	if (verb == LEAT_CLI_HELP) {
		leat_buf_str(b, "\t\twords=\"");
		add_verbs(b);
		leat_buf_str(b, "\"\n");
	} else if (verb == LEAT_CLI_COMPLETION) {
		leat_buf_str(b, "\t\twords=\"bash zsh fish\"\n");
	} else if (reads_file(verb)) {
		leat_buf_str(b, "\t\tfiles=1\n");
	}
	leat_buf_str(b, "\t\t;;\n");
}

static void bash_arguments(struct leat_buf *b)
{
	leat_buf_str(b, "\tcase $verb:$prev in\n");
	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
		const struct leat_cli_option *o = leat_cli_option_at(id);

		if (!o->arg)
			continue;
		leat_buf_char(b, '\t');
		bash_pattern(b, o, id);
		leat_buf_str(b, ")\n\t\t");
		bash_source(b, o);
		leat_buf_str(b, "\n\t\treturn\n\t\t;;\n");
	}
	leat_buf_str(b, "\tesac\n");
}

void leat_cli_completion_bash(struct leat_buf *b)
{
	leat_buf_str(b, "# bash completion for leat; made by: leat completion bash\n"
			"_leat()\n{\n"
			"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
			"\tlocal verb=${COMP_WORDS[1]} opts= words= files= i\n"
			"\tif [ \"$cur\" = = ]; then\n"
			"\t\tcur=\n"
			"\telif [ \"$prev\" = = ]; then\n"
			"\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
			"\tfi\n"
			"\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
			"\t\tCOMPREPLY=($(compgen -W \"");
	add_verbs(b);
	leat_buf_str(b, "\" -- \"$cur\"))\n\t\treturn\n\tfi\n"
			"\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
			"\t\tif [ \"${COMP_WORDS[i]}\" = -- ]; then\n"
			"\t\t\tif declare -F _command_offset >/dev/null; then\n"
			"\t\t\t\t_command_offset $((i + 1))\n"
			"\t\t\telse\n"
			"\t\t\t\tCOMPREPLY=($(compgen -c -- \"$cur\"))\n"
			"\t\t\tfi\n"
			"\t\t\treturn\n"
			"\t\tfi\n"
			"\tdone\n");
	bash_arguments(b);
	leat_buf_str(b, "\tcase $verb in\n");
	for (enum leat_cli_verb_id id = 0; id < LEAT_CLI_VERB__MAX; id++)
		bash_verb(b, id);
	leat_buf_str(b, "\tesac\n"
			"\tif [[ $cur == -* ]]; then\n"
			"\t\twords=$opts\n"
			"\telif [ -n \"$files\" ]; then\n"
			"\t\tcompopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))\n"
			"\t\treturn\n"
			"\tfi\n"
			"\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
			"}\n"
			"complete -F _leat leat\n");
}

/* --- zsh ------------------------------------------------------------------------------- */

/* Text within '...[text]...' of _arguments. */
static void zsh_text(struct leat_buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '\'')
			leat_buf_str(b, "'\\''");
		else if (strchr("[]:\\", *s)) {
			leat_buf_char(b, '\\');
			leat_buf_char(b, *s);
		} else
			leat_buf_char(b, *s);
	}
}

static void zsh_action(struct leat_buf *b, const struct leat_cli_option *o)
{
	static const char *const actions[] = {
		[LEAT_CLI_C_NONE] = " ",
		[LEAT_CLI_C_FILE] = "_files",
		[LEAT_CLI_C_DIR] = "_files -/",
		[LEAT_CLI_C_PID] = "_pids",
		[LEAT_CLI_C_PROCESS] = "_leat_processes",
		[LEAT_CLI_C_USER] = "_users",
		[LEAT_CLI_C_EVENT] = "_leat_events",
	};

	leat_buf_char(b, ':');
	zsh_text(b, o->arg);
	leat_buf_char(b, ':');
	if (o->complete != LEAT_CLI_C_CHOICE) {
		leat_buf_str(b, actions[o->complete]);
		return;
	}
	leat_buf_char(b, '(');
	leat_cli_choices(b, o, ' ');
	leat_buf_char(b, ')');
}

static void zsh_option(struct leat_buf *b, const struct leat_cli_option *o, bool with_letter)
{
	leat_buf_str(b, " \\\n\t\t\t'*");
	if (with_letter)
		leat_buf_printf(b, "-%c", o->letter);
	else
		leat_buf_printf(b, "--%s%s", o->name, o->arg ? "=" : "");
	leat_buf_char(b, '[');
	zsh_text(b, o->help);
	leat_buf_char(b, ']');
	if (o->arg)
		zsh_action(b, o);
	leat_buf_char(b, '\'');
}

static void zsh_verb(struct leat_buf *b, enum leat_cli_verb_id verb)
{
	leat_buf_printf(b, "\t%s)\n\t\t_arguments -s -S", leat_cli_verb_at(verb)->name);
	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++) {
		const struct leat_cli_option *o = leat_cli_option_at(id);

		if (!leat_cli_option_of(id, verb))
			continue;
		if (o->letter)
			zsh_option(b, o, true);
		zsh_option(b, o, false);
	}
	if (verb == LEAT_CLI_RECORD)
		leat_buf_str(b, " \\\n\t\t\t'*::command:_normal'");
	else if (verb == LEAT_CLI_HELP) {
		leat_buf_str(b, " \\\n\t\t\t'1:verb:(");
		add_verbs(b);
		leat_buf_str(b, ")'");
	} else if (verb == LEAT_CLI_COMPLETION)
		leat_buf_str(b, " \\\n\t\t\t'1:shell:(bash zsh fish)'");
	else if (verb == LEAT_CLI_LIST)
		leat_buf_str(b, " \\\n\t\t\t'*:event:_leat_events'");
	else if (reads_file(verb))
		leat_buf_str(b, " \\\n\t\t\t'1:input:_files'");
	leat_buf_str(b, "\n\t\t;;\n");
}

void leat_cli_completion_zsh(struct leat_buf *b)
{
	leat_buf_str(b, "#compdef leat\n# zsh completion for leat; made by: leat completion zsh\n"
			"_leat_events()\n{\n"
			"\tcompadd -- ${(f)\"$(leat list --names 2>/dev/null)\"}\n}\n"
			"_leat_processes()\n{\n"
			"\tcompadd -- ${(fu)\"$(ps -eo comm=)\"}\n}\n"
			"_leat()\n{\n"
			"\tlocal -a verbs=(\n");
	for (enum leat_cli_verb_id id = 0; id < LEAT_CLI_VERB__MAX; id++) {
		leat_buf_printf(b, "\t\t'%s:", leat_cli_verb_at(id)->name);
		zsh_text(b, leat_cli_verb_at(id)->summary);
		leat_buf_str(b, "'\n");
	}
	leat_buf_str(b, "\t)\n"
			"\tif (( CURRENT == 2 )); then\n"
			"\t\t_describe verb verbs\n"
			"\t\treturn\n"
			"\tfi\n"
			"\tlocal verb=$words[2]\n"
			"\tshift words\n"
			"\t(( CURRENT-- ))\n"
			"\tcase $verb in\n");
	for (enum leat_cli_verb_id id = 0; id < LEAT_CLI_VERB__MAX; id++)
		zsh_verb(b, id);
	leat_buf_str(b, "\tesac\n}\n"
			"if [ \"$funcstack[1]\" = _leat ]; then\n"
			"\t_leat \"$@\"\n"
			"else\n"
			"\tcompdef _leat leat\n"
			"fi\n");
}

/* --- fish ------------------------------------------------------------------------------ */

static void fish_quoted(struct leat_buf *b, const char *s)
{
	leat_buf_char(b, '\'');
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			leat_buf_char(b, '\\');
		leat_buf_char(b, *s);
	}
	leat_buf_char(b, '\'');
}

static void fish_source(struct leat_buf *b, const struct leat_cli_option *o)
{
	static const char *const sources[] = {
		[LEAT_CLI_C_NONE] = " -x",
		[LEAT_CLI_C_FILE] = " -r -F",
		[LEAT_CLI_C_DIR] = " -x -a '(__fish_complete_directories)'",
		[LEAT_CLI_C_PID] = " -x -a '(__fish_complete_pids)'",
		[LEAT_CLI_C_PROCESS] = " -x -a '(ps -eo comm=)'",
		[LEAT_CLI_C_USER] = " -x -a '(__fish_complete_users)'",
		[LEAT_CLI_C_EVENT] = " -x -a '(leat list --names 2>/dev/null)'",
	};

	if (o->complete != LEAT_CLI_C_CHOICE) {
		leat_buf_str(b, sources[o->complete]);
		return;
	}
	leat_buf_str(b, " -x -a '");
	leat_cli_choices(b, o, ' ');
	leat_buf_char(b, '\'');
}

static void fish_option(struct leat_buf *b, enum leat_cli_opt id)
{
	const struct leat_cli_option *o = leat_cli_option_at(id);

	leat_buf_str(b, "complete -c leat -n '__fish_seen_subcommand_from");
	for (enum leat_cli_verb_id v = 0; v < LEAT_CLI_VERB__MAX; v++)
		if (leat_cli_option_of(id, v))
			leat_buf_printf(b, " %s", leat_cli_verb_at(v)->name);
	leat_buf_char(b, '\'');
	if (o->letter)
		leat_buf_printf(b, " -s %c", o->letter);
	leat_buf_printf(b, " -l %s", o->name);
	if (o->arg)
		fish_source(b, o);
	leat_buf_str(b, " -d ");
	fish_quoted(b, o->help);
	leat_buf_char(b, '\n');
}

void leat_cli_completion_fish(struct leat_buf *b)
{
	leat_buf_str(b, "# fish completion for leat; made by: leat completion fish\n"
			"complete -c leat -f\n");
	for (enum leat_cli_verb_id v = 0; v < LEAT_CLI_VERB__MAX; v++) {
		leat_buf_printf(b, "complete -c leat -n __fish_use_subcommand -a %s -d ",
				leat_cli_verb_at(v)->name);
		fish_quoted(b, leat_cli_verb_at(v)->summary);
		leat_buf_char(b, '\n');
	}
	leat_buf_str(b, "complete -c leat -n '__fish_seen_subcommand_from completion' "
			"-a 'bash zsh fish'\n"
			"complete -c leat -n '__fish_seen_subcommand_from help' -a '");
	add_verbs(b);
	leat_buf_str(b, "'\ncomplete -c leat -n '__fish_seen_subcommand_from record' "
			"-a '(__fish_complete_subcommand --fcs-skip=2)'\n"
			"complete -c leat -n '__fish_seen_subcommand_from report convert' -F\n");
	for (enum leat_cli_opt id = 0; id < LEAT_CLI_OPT__MAX; id++)
		fish_option(b, id);
}
