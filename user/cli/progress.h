/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person sees while leat records: one line before, and on a terminal one that moves. */
#ifndef LEAT_CLI_PROGRESS_H
#define LEAT_CLI_PROGRESS_H

#include "base/buf.h"
#include "cli/io.h"
#include "cli/options.h"
#include "live/live.h"

struct leat_cli_progress {
	struct leat_cli_io *io;
	const struct leat_cli_args *args;
	bool begun;
	uint64_t shown_ns; /* elapsed time of the line that is shown */
};

/* For leat_live_opts.on_progress; @ctx is a struct leat_cli_progress. */
void leat_cli_progress_on(void *ctx, const struct leat_live_progress *p);
/*
 * "recording nginx (pid 4242) · 99 Hz · kernel and user · Ctrl-C to stop". Not the event: another
 * one may be taken than was asked for, which the end lines say.
 */
void leat_cli_progress_head(struct leat_buf *b, const struct leat_cli_args *a);
/* "  00:07 [#######...] 10 s   6,812 samples   0 lost ..."; cut to @columns. */
void leat_cli_progress_line(struct leat_buf *b, const struct leat_live_progress *p,
			    uint64_t duration_ns, unsigned int columns);
/* Takes the line away, before the end lines. */
void leat_cli_progress_end(struct leat_cli_progress *pr);

#endif
