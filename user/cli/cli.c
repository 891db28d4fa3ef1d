/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/signals.h"
#include "cli/suggest.h"
#include "leat/version.h"

int leat_cli_print(struct leat_cli_call *c, struct leat_buf *b)
{
	struct leat_diag d = { 0 };
	int err = leat_cli_io_out(&c->io, b);

	leat_buf_fini(b);
	if (!err || err == -EPIPE)
		return LEAT_EXIT_OK;
	leat_diag_set(&d, err, LEAT_EXIT_FAILURE, "cannot write to standard output (%s)",
		      strerrorname_np(-err) ? strerrorname_np(-err) : "unknown");
	leat_diag_why(&d, "%s", strerror(-err));
	return leat_cli_fail(c, &d, err);
}

int leat_cli_fail(struct leat_cli_call *c, const struct leat_diag *d, int err)
{
	leat_cli_io_diag(&c->io, d, err);
	return d->err && d->exit != LEAT_EXIT_OK ? (int)d->exit : LEAT_EXIT_FAILURE;
}

int leat_cli_version_cmd(struct leat_cli_call *c)
{
	struct leat_buf b;

	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	leat_buf_str(&b, "leat " LEAT_VERSION "\n");
	return leat_cli_print(c, &b);
}

static int unknown_verb(struct leat_cli_call *c, const char *word)
{
	struct leat_diag d = { 0 };
	char near[64];
	uint64_t pid;

	leat_cli_suggest_verb(word, near, sizeof(near));
	leat_diag_set(&d, -EINVAL, LEAT_EXIT_USAGE, "unknown verb '%s'", word);
	if (near[0])
		leat_diag_fix(&d, "did you mean leat %s?", near);
	else if (leat_cli_value_u64(word, &pid) == 0)
		leat_diag_fix(&d, "did you mean leat record -p %s?", word);
	else if (word[0] == '-')
		leat_diag_fix(&d, "options stand behind the verb: leat record %s ...", word);
	leat_diag_alt(&d, "leat help (shows the verbs)");
	return leat_cli_fail(c, &d, d.err);
}

int leat_cli_help_cmd(struct leat_cli_call *c)
{
	const struct leat_cli_strs *words = &c->args->operands;
	enum leat_cli_verb_id verb = LEAT_CLI_VERB__MAX;
	struct leat_diag d = { 0 };
	struct leat_buf b;
	int err = 0;

	if (words->n)
		verb = leat_cli_verb_find(words->items[0]);
	if (words->n && verb == LEAT_CLI_VERB__MAX)
		return unknown_verb(c, words->items[0]);
	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	if (c->args->man)
		err = leat_cli_man(&b, verb);
	else if (verb == LEAT_CLI_VERB__MAX)
		leat_cli_usage(&b);
	else
		leat_cli_help(&b, verb);
	if (!err)
		return leat_cli_print(c, &b);
	leat_buf_fini(&b);
	leat_diag_set(&d, err, LEAT_EXIT_USAGE, "--man: '%s' has no manual page of its own",
		      words->n ? words->items[0] : "leat");
	leat_diag_fix(&d, "leat help --man | man -l -");
	return leat_cli_fail(c, &d, err);
}

int leat_cli_completion_cmd(struct leat_cli_call *c)
{
	const struct leat_cli_strs *words = &c->args->operands;
	struct leat_diag d = { 0 };
	struct leat_buf b;

	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	if (words->n == 1 && leat_cli_completion(&b, words->items[0]) == 0)
		return leat_cli_print(c, &b);
	leat_buf_fini(&b);
	leat_diag_set(&d, -EINVAL, LEAT_EXIT_USAGE,
		      "completion: expected bash, zsh or fish, found %s",
		      words->n == 1 ? words->items[0]
		      : words->n    ? "more than one"
				    : "nothing");
	leat_diag_fix(&d, "leat completion bash");
	return leat_cli_fail(c, &d, d.err);
}

static int help_instead(struct leat_cli_call *c, enum leat_cli_verb_id verb)
{
	struct leat_buf b;

	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	leat_cli_help(&b, verb);
	return leat_cli_print(c, &b);
}

static int run_verb(struct leat_cli_call *c, enum leat_cli_verb_id verb)
{
	static int (*const verbs[LEAT_CLI_VERB__MAX])(struct leat_cli_call *) = {
		[LEAT_CLI_RECORD] = leat_cli_record_cmd,
		[LEAT_CLI_REPORT] = leat_cli_report_cmd,
		[LEAT_CLI_CONVERT] = leat_cli_convert_cmd,
		[LEAT_CLI_DOCTOR] = leat_cli_doctor_cmd,
		[LEAT_CLI_LIST] = leat_cli_list_cmd,
		[LEAT_CLI_HELP] = leat_cli_help_cmd,
		[LEAT_CLI_VERSION] = leat_cli_version_cmd,
		[LEAT_CLI_COMPLETION] = leat_cli_completion_cmd,
	};

	return verbs[verb](c);
}

/* "leat" alone: what it is, on standard error, for nothing was asked. */
static int no_verb(struct leat_cli_call *c)
{
	struct leat_buf b;

	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	leat_cli_usage(&b);
	leat_cli_io_err(&c->io, &b);
	leat_buf_fini(&b);
	return LEAT_EXIT_USAGE;
}

static const char *verb_of(const char *word)
{
	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
		return "help";
	if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0)
		return "version";
	return word;
}

int leat_cli_main(int argc, char **argv)
{
	struct leat_cli_line line = { .argc = argc - 2, .argv = argv + 2 };
	LEAT_AUTO(leat_cli_args_fini) struct leat_cli_args args;
	struct leat_cli_call call = { .args = &args, .argc = argc, .argv = argv };
	struct leat_diag diag = { 0 };
	int err;

	leat_cli_args_init(&args);
	leat_cli_io_init(&call.io, &args);
	leat_cli_signals_pipe();
	if (argc < 2)
		return no_verb(&call);
	line.verb = leat_cli_verb_find(verb_of(argv[1]));
	if (line.verb == LEAT_CLI_VERB__MAX)
		return unknown_verb(&call, argv[1]);
	err = leat_cli_parse(&line, &args, &diag);
	leat_cli_io_init(&call.io, &args);
	if (err)
		return leat_cli_fail(&call, &diag, err);
	return args.help ? help_instead(&call, line.verb) : run_verb(&call, line.verb);
}
