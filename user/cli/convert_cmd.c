/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/outputs.h"
#include "cli/report.h"
#include "cli/signals.h"
#include "export/export.h"

/* Records cannot be made from a profile, and those of a capture file are in it already. */
static int check_formats(const struct leat_cli_outputs *s, struct leat_diag *d)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!s->files[i].format || !s->files[i].format->capture)
			continue;
		leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE,
			      "-o %s: only record makes a capture file", s->files[i].out.path);
		leat_diag_fix(d, "name another format: -o flame.html");
		return -EINVAL;
	}
	return 0;
}

static int no_output(struct leat_diag *d)
{
	leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "convert to what? no output is given");
	leat_diag_fix(d, "-o flame.html, or -f FORMAT for standard output");
	return -EINVAL;
}

/* What was written, and the same lines as at the end of a recording. */
static void tell(struct leat_cli_call *c, const struct leat_cli_outputs *s,
		 const struct leat_cli_loaded *l)
{
	struct leat_live_result r = { .profile = l->profile };

	snprintf(r.event_note, sizeof(r.event_note), "%s",
		 leat_profile_str(l->profile, l->profile->meta.event_note));
	leat_cli_report(&c->io, s, &r);
	if (!c->io.quiet && l->notes.len)
		leat_cli_io_err(&c->io, &l->notes);
}

static int convert_into(struct leat_cli_call *c, const struct leat_cli_args *a,
			struct leat_cli_outputs *s, const char *input)
{
	struct leat_cli_args args = *a;
	struct leat_cli_loaded l;
	struct leat_diag diag = { 0 };
	int err, code;

	leat_cli_loaded_init(&l);
	l.times = s->needs_stream;
	l.event = a->event;
	l.periods = a->periods;
	err = leat_cli_load_profile(input, &l, &diag);
	if (err) {
		code = leat_cli_fail(c, &diag, err);
	} else {
		args.per_thread = l.by_thread;
		err = leat_cli_outputs_write(s, l.profile, &args, &c->io);
		tell(c, s, &l);
		code = err ? LEAT_EXIT_FAILURE : LEAT_EXIT_OK;
	}
	leat_cli_loaded_fini(&l);
	return code;
}

int leat_cli_convert_cmd(struct leat_cli_call *c)
{
	static const char *standard[] = { "-" };
	struct leat_cli_args args = *c->args;
	struct leat_cli_outputs outputs = { 0 };
	struct leat_diag diag = { 0 };
	const char *input = leat_cli_input(c, "convert", &diag);
	int err = input ? 0 : diag.err, code;

	if (!args.outputs.n && args.format)
		args.outputs = (struct leat_cli_strs){ .items = standard, .n = 1 };
	if (!err && !args.outputs.n)
		err = no_output(&diag);
	if (!err)
		err = leat_cli_outputs_plan(&outputs, &args, &diag);
	if (!err)
		err = check_formats(&outputs, &diag);
	if (!err)
		err = leat_cli_signals_install();
	if (!err)
		err = leat_cli_outputs_open(&outputs, &args, &diag);
	code = err ? leat_cli_fail(c, &diag, err) : convert_into(c, &args, &outputs, input);
	leat_cli_outputs_fini(&outputs);
	return code;
}
