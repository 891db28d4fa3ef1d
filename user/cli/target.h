/* SPDX-License-Identifier: BSD-2-Clause */
/* From options to what live is told, and the rules that options obey together. */
#ifndef LEAT_CLI_TARGET_H
#define LEAT_CLI_TARGET_H

#include "base/diag.h"
#include "cli/options.h"
#include "live/live.h"

/* Conflicts, a missing target, a frequency above the kernel's limit: -EINVAL, LEAT_EXIT_USAGE. */
int leat_cli_check_record(const struct leat_cli_args *a, struct leat_diag *diag) LEAT_MUST_USE;
/*
 * Whether @value, typed behind @typed ("-F"), is above what the kernel allows; a number of any
 * length. 0 also where the limit is not known.
 */
int leat_cli_check_frequency(const char *typed, const char *value,
			     struct leat_diag *diag) LEAT_MUST_USE;
/* Borrows everything from @a. */
void leat_cli_target_make(const struct leat_cli_args *a, struct leat_target *out);
void leat_cli_live_opts(const struct leat_cli_args *a, struct leat_live_opts *out);
/* "nginx" and its pid, for names; the base name of a command. */
void leat_cli_target_name(const struct leat_cli_args *a, char out[32], uint32_t *tgid);
/* "nginx (pid 4242)", "thread 4243 of nginx", "every process", "the command make"; cleaned. */
void leat_cli_target_text(const struct leat_cli_args *a, struct leat_buf *b);

#endif
