/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/commands.h"
#include "cli/hint.h"
#include "cli/load.h"
#include "cli/report_file.h"
#include "cli/signals.h"

/* The report, what is to be known of the file, and what would make the next one better. */
static int add_report(struct leat_cli_call *c, struct leat_cli_loaded *l, struct leat_buf *b,
		      struct leat_diag *diag)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf hint = { 0 };
	int err = leat_cli_report_profile(b, l->profile, c->args, c->io.out_color, diag);

	if (err || c->io.quiet || c->args->json)
		return err;
	leat_buf_init(&hint, LEAT_CLI_MAX_TEXT);
	leat_cli_hint(&hint, &l->profile->verdict, l->profile->meta.freq_hz);
	if (l->notes.len || hint.len)
		leat_buf_char(b, '\n');
	if (l->notes.len)
		leat_buf_add(b, l->notes.data, l->notes.len);
	if (hint.len)
		leat_buf_add(b, hint.data, hint.len);
	return b->err ? b->err : hint.err;
}

int leat_cli_report_cmd(struct leat_cli_call *c)
{
	struct leat_cli_loaded l;
	struct leat_diag diag = { 0 };
	struct leat_buf b;
	const char *input = leat_cli_input(c, "report", &diag);
	int err = input ? leat_cli_signals_install() : diag.err;

	leat_cli_loaded_init(&l);
	l.event = c->args->event;
	l.periods = c->args->periods;
	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	if (!err)
		err = leat_cli_load_profile(input, &l, &diag);
	if (!err)
		err = add_report(c, &l, &b, &diag);
	leat_cli_loaded_fini(&l);
	if (!err)
		return leat_cli_print(c, &b);
	leat_buf_fini(&b);
	return leat_cli_fail(c, &diag, err);
}
