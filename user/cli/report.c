/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/report.h"

#include <string.h>
#include <sys/wait.h>

#include "base/text.h"
#include "cli/hint.h"
#include "profile/tree.h"

#define HOTTEST	       3
#define MAX_NAME_BYTES 60

static void add_function(struct leat_buf *b, const struct leat_profile *p,
			 const struct leat_function *f)
{
	if (f->kind == LEAT_FUNCTION_KERNEL || f->kind == LEAT_FUNCTION_MODULE)
		leat_buf_str(b, "[kernel] ");
	leat_cli_clean(b, leat_profile_str(p, f->name), MAX_NAME_BYTES);
}

int leat_cli_report_hottest(struct leat_buf *b, struct leat_profile *p)
{
	LEAT_FREE struct leat_top *top = NULL;
	uint64_t total = leat_profile_total(p);
	size_t n = 0, shown = 0;
	int err = leat_top_build(p, &top, &n);

	if (err)
		return err;
	for (size_t i = 0; i < n && shown < HOTTEST && total; i++) {
		const struct leat_function *f = &p->functions[top[i].function];

		if (f->kind == LEAT_FUNCTION_MARK || !top[i].self)
			continue;
		leat_buf_str(b, shown++ ? " · " : "  hottest: ");
		add_function(b, p, f);
		leat_buf_printf(b, " %.1f%%", 100.0 * (double)top[i].self / (double)total);
	}
	if (shown)
		leat_buf_char(b, '\n');
	return 0;
}

void leat_cli_report_child(struct leat_buf *b, const struct leat_live_child *c)
{
	if (!c->started)
		return;
	if (!c->exited)
		leat_buf_str(b, "  command: still running\n");
	else if (WIFSIGNALED(c->status))
		leat_buf_printf(b, "  command: ended by signal %d (SIG%s)\n", WTERMSIG(c->status),
				sigabbrev_np(WTERMSIG(c->status))
					? sigabbrev_np(WTERMSIG(c->status))
					: "?");
	else
		leat_buf_printf(b, "  command: exited with status %d\n", WEXITSTATUS(c->status));
}

static void add_event(struct leat_buf *b, const struct leat_profile *p)
{
	const char *event = leat_profile_str(p, p->meta.event);

	if (!*event)
		return;
	leat_buf_str(b, " of ");
	leat_cli_clean(b, event, MAX_NAME_BYTES);
}

static void add_files(struct leat_buf *b, const struct leat_cli_outputs *s,
		      const struct leat_profile *p)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct leat_cli_file *f = &s->files[i];

		if (!f->done)
			continue;
		leat_buf_str(b, "wrote ");
		leat_cli_clean(b, strcmp(f->out.path, "-") == 0 ? "standard output" : f->out.path,
			       4096);
		leat_buf_str(b, " (");
		leat_cli_bytes(b, f->bytes);
		leat_buf_str(b, ")");
		if (f->format) {
			leat_buf_str(b, "  ");
			leat_cli_count(b, leat_profile_total(p));
			leat_buf_str(b, " samples");
			add_event(b, p);
			leat_buf_str(b, ", ");
			leat_cli_count(b, p->stack_cnt);
			leat_buf_str(b, " stacks, ");
			leat_cli_seconds(b, p->meta.duration_ns);
		}
		leat_buf_char(b, '\n');
	}
}

void leat_cli_report(struct leat_cli_io *io, const struct leat_cli_outputs *s,
		     const struct leat_live_result *r)
{
	struct leat_diag none = { 0 };
	struct leat_buf b;
	int err;

	if (io->quiet)
		return;
	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	add_files(&b, s, r->profile);
	err = leat_cli_report_hottest(&b, r->profile);
	leat_buf_str(&b, "  ");
	leat_verdict_line(&r->profile->verdict, &b);
	leat_buf_char(&b, '\n');
	leat_cli_report_child(&b, &r->child);
	if (r->event_note[0]) {
		leat_buf_str(&b, "  event: ");
		leat_cli_clean(&b, r->event_note, sizeof(r->event_note));
		leat_buf_char(&b, '\n');
	}
	leat_cli_hint(&b, &r->profile->verdict, r->profile->meta.freq_hz);
	err = err ? err : b.err;
	if (!err)
		leat_cli_io_err(io, &b);
	else
		leat_cli_io_diag(io, &none, err);
	leat_buf_fini(&b);
}
