/* SPDX-License-Identifier: BSD-2-Clause */
/* A profile as a report, for people or as JSON: header, verdict, hottest functions, who calls them. */
#ifndef LEAT_CLI_REPORT_FILE_H
#define LEAT_CLI_REPORT_FILE_H

#include "base/buf.h"
#include "base/diag.h"
#include "cli/options.h"
#include "profile/profile.h"

enum leat_cli_sort {
	LEAT_CLI_SORT_SELF = 0,
	LEAT_CLI_SORT_TOTAL = 1,
};

/*
 * Appends the report to @b. Samples that --process and --thread leave out are taken from @p. With
 * colours when @color is set. -errno with a diagnosis: a function or process that is not there.
 */
int leat_cli_report_profile(struct leat_buf *b, struct leat_profile *p,
			    const struct leat_cli_args *a, bool color,
			    struct leat_diag *diag) LEAT_MUST_USE;

#endif
