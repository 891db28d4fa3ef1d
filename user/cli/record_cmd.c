/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/commands.h"
#include "cli/outputs.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "cli/suggest.h"
#include "cli/target.h"
#include "live/live.h"

/* The command line as a shell would take it. */
static void add_quoted(struct leat_buf *b, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./=:,+@%";

	if (*s && s[strspn(s, plain)] == '\0') {
		leat_buf_str(b, s);
		return;
	}
	leat_buf_char(b, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			leat_buf_str(b, "'\\''");
		else
			leat_buf_char(b, *s);
	}
	leat_buf_char(b, '\'');
}

static void command_line(const struct leat_cli_call *c, struct leat_buf *b)
{
	leat_buf_init(b, LEAT_CLI_MAX_TEXT);
	leat_buf_str(b, "leat");
	for (int i = 1; i < c->argc; i++) {
		leat_buf_char(b, ' ');
		add_quoted(b, c->argv[i]);
	}
}

struct event_search {
	const char *wanted;
	bool known;
	struct leat_cli_nearest near;
};

static void try_event(void *ctx, const char *name, const char *kind, bool usable,
		      const char *why_not)
{
	struct event_search *s = ctx;

	(void)kind;
	(void)usable;
	(void)why_not;
	s->known |= strcmp(name, s->wanted) == 0;
	leat_cli_nearest_try(&s->near, name);
}

/* live says which event it does not know; here the list is searched for what was meant. */
static void suggest_event(const struct leat_cli_args *a, struct leat_diag *d)
{
	struct event_search s = { .wanted = a->event, .near = { .word = a->event } };

	if (!a->event || d->exit != LEAT_EXIT_USAGE || d->fix[0] ||
	    leat_live_list_events(try_event, &s) || s.known)
		return;
	if (s.near.best[0])
		leat_diag_fix(d, "did you mean -e %s?", s.near.best);
	leat_diag_alt(d, "leat list (shows what can be sampled here)");
}

static int child_status(const struct leat_live_child *c)
{
	if (WIFSIGNALED(c->status))
		return 128 + WTERMSIG(c->status);
	return WEXITSTATUS(c->status);
}

/* --propagate: a failure of the command comes first, then leat's own. */
static int final_status(const struct leat_cli_args *a, const struct leat_live_child *c, int own)
{
	if (!a->propagate || !c->started || !c->exited || !child_status(c))
		return own;
	return child_status(c);
}

static int check_loss(struct leat_cli_call *c, const struct leat_verdict *v)
{
	double lost = leat_verdict_lost_percent(v);
	struct leat_diag d = { 0 };

	if (lost <= c->args->max_loss_percent)
		return LEAT_EXIT_OK;
	leat_diag_set(&d, -ENODATA, LEAT_EXIT_LOSS, "%.2f %% of the samples were lost", lost);
	leat_diag_why(&d, "--max-loss allows %g %%", c->args->max_loss_percent);
	leat_diag_fix(&d, "take a larger --buffer, or a lower -F");
	return leat_cli_fail(c, &d, d.err);
}

/* The recording failed: says so, and how the command ended. */
static int record_failed(struct leat_cli_call *c, struct leat_diag *d,
			 const struct leat_live_child *child, int err)
{
	struct leat_buf b;
	int code;

	suggest_event(c->args, d);
	code = leat_cli_fail(c, d, err);
	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	leat_cli_report_child(&b, child);
	if (!c->io.quiet)
		leat_cli_io_err(&c->io, &b);
	leat_buf_fini(&b);
	return final_status(c->args, child, code);
}

static int finish(struct leat_cli_call *c, struct leat_cli_outputs *s, struct leat_live_result *r)
{
	int code = LEAT_EXIT_OK;

	if (leat_cli_outputs_write(s, r->profile, c->args, &c->io))
		code = LEAT_EXIT_FAILURE;
	leat_cli_report(&c->io, s, r);
	if (code == LEAT_EXIT_OK)
		code = check_loss(c, &r->profile->verdict);
	return final_status(c->args, &r->child, code);
}

static int record_into(struct leat_cli_call *c, struct leat_cli_outputs *s)
{
	struct leat_cli_progress progress = { .io = &c->io, .args = c->args };
	struct leat_live_result result = { 0 };
	struct leat_live_opts opts;
	struct leat_diag diag = { 0 };
	struct leat_buf line;
	int err, code;

	command_line(c, &line);
	leat_cli_live_opts(c->args, &opts);
	opts.stream |= s->needs_stream;
	opts.command_line = line.data;
	opts.capture = s->capture;
	opts.stop = leat_cli_signals_stop();
	opts.on_progress = leat_cli_progress_on;
	opts.ctx = &progress;
	err = leat_live_record(&opts, &result, &diag);
	leat_cli_progress_end(&progress);
	if (err)
		code = record_failed(c, &diag, &result.child, err);
	else
		code = finish(c, s, &result);
	leat_profile_free(&result.profile);
	leat_buf_fini(&line);
	return code;
}

int leat_cli_record_cmd(struct leat_cli_call *c)
{
	struct leat_cli_outputs outputs = { 0 };
	struct leat_diag diag = { 0 };
	int err = leat_cli_check_record(c->args, &diag);
	int code;

	if (!err)
		err = leat_cli_outputs_plan(&outputs, c->args, &diag);
	if (!err)
		err = leat_cli_signals_install();
	if (!err)
		err = leat_cli_outputs_open(&outputs, c->args, &diag);
	if (!err)
		err = leat_cli_outputs_capture(&outputs, &diag);
	if (err) {
		leat_cli_outputs_fini(&outputs);
		return leat_cli_fail(c, &diag, err);
	}
	code = record_into(c, &outputs);
	leat_cli_outputs_fini(&outputs);
	return code;
}
