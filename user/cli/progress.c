/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/progress.h"

#include <stdio.h>

#include "cli/target.h"

#define NS_PER_S 1000000000ull
#define BAR	 10
/* Four lines a second; live promises no more, a terminal over a slow link must not see more. */
#define LEAST_NS (NS_PER_S / 4)

void leat_cli_progress_head(struct leat_buf *b, const struct leat_cli_args *a)
{
	leat_buf_str(b, "recording ");
	leat_cli_target_text(a, b);
	leat_buf_str(b, " · ");
	if (a->period)
		leat_buf_printf(b, "every %llu events", (unsigned long long)a->period);
	else
		leat_buf_printf(b, "%llu Hz", (unsigned long long)a->freq_hz);
	leat_buf_printf(b, " · %s",
			a->user_only	 ? "user"
			: a->kernel_only ? "kernel"
					 : "kernel and user");
	if (a->duration_ns) {
		leat_buf_str(b, " · ");
		leat_cli_seconds(b, a->duration_ns);
	}
	leat_buf_printf(b, " · Ctrl-C to %s\n", a->duration_ns ? "stop earlier" : "stop");
}

static void add_bar(struct leat_buf *b, uint64_t elapsed, uint64_t duration)
{
	uint64_t done = elapsed >= duration ? BAR : elapsed * BAR / duration;

	leat_buf_str(b, " [");
	for (uint64_t i = 0; i < BAR; i++)
		leat_buf_char(b, i < done ? '#' : '.');
	leat_buf_str(b, "] ");
	leat_cli_seconds(b, duration);
}

void leat_cli_progress_line(struct leat_buf *b, const struct leat_live_progress *p,
			    uint64_t duration_ns, unsigned int columns)
{
	uint64_t s = p->elapsed_ns / NS_PER_S;
	size_t from = b->len;

	leat_buf_printf(b, "  %02llu:%02llu", (unsigned long long)s / 60,
			(unsigned long long)s % 60);
	if (duration_ns)
		add_bar(b, p->elapsed_ns, duration_ns);
	leat_buf_str(b, "   ");
	leat_cli_count(b, p->samples);
	leat_buf_str(b, " samples   ");
	leat_cli_count(b, p->lost);
	leat_buf_str(b, " lost   ");
	leat_cli_count(b, p->stacks);
	leat_buf_printf(b, " stacks   ring %u%%   self %.1f%% cpu", p->ring_percent,
			p->self_percent);
	/* All of it is ASCII: a byte is a column. A full line would wrap on some terminals. */
	if (!b->err && b->len - from >= columns) {
		b->len = from + columns - 1;
		b->data[b->len] = '\0';
	}
}

static void show_head(struct leat_cli_progress *pr)
{
	struct leat_buf b;

	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	leat_cli_progress_head(&b, pr->args);
	leat_cli_io_err(pr->io, &b);
	leat_buf_fini(&b);
}

void leat_cli_progress_on(void *ctx, const struct leat_live_progress *p)
{
	struct leat_cli_progress *pr = ctx;
	struct leat_buf b;

	if (pr->io->quiet)
		return;
	if (!pr->begun) {
		pr->begun = true;
		show_head(pr);
	}
	if (!pr->io->err_tty || pr->io->err_dumb || p->elapsed_ns < pr->shown_ns + LEAST_NS)
		return;
	pr->shown_ns = p->elapsed_ns;
	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	leat_buf_char(&b, '\r');
	leat_cli_progress_line(&b, p, pr->args->duration_ns, pr->io->columns);
	leat_buf_str(&b, "\033[K");
	pr->io->line_active = false; /* it is written over, not taken away */
	leat_cli_io_err(pr->io, &b);
	pr->io->line_active = true;
	leat_buf_fini(&b);
}

void leat_cli_progress_end(struct leat_cli_progress *pr)
{
	struct leat_buf none;

	leat_buf_init(&none, 1);
	leat_cli_io_err(pr->io, &none);
	leat_buf_fini(&none);
}
