/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines at the end of a recording: what was written, where the time went, how far to trust it. */
#ifndef LEAT_CLI_REPORT_H
#define LEAT_CLI_REPORT_H

#include "cli/outputs.h"
#include "live/live.h"

/* Everything; one error line when memory runs out. */
void leat_cli_report(struct leat_cli_io *io, const struct leat_cli_outputs *s,
		     const struct leat_live_result *r);
/* "  hottest: main 31.2% · memcpy 12.0%"; nothing without samples. 0 or -errno. */
int leat_cli_report_hottest(struct leat_buf *b, struct leat_profile *p) LEAT_MUST_USE;
/* "  command: exited with status 3" */
void leat_cli_report_child(struct leat_buf *b, const struct leat_live_child *c);

#endif
