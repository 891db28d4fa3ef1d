/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for a recording that was killed before it wrote them: looked up in the files of this host, as
 * far as they are those that were mapped. Of any other stored profile nothing is looked up, so that it
 * says the same wherever it is read. Kept apart from load.c, which knows no live system.
 */
#ifndef LEAT_CLI_STORED_NAMES_H
#define LEAT_CLI_STORED_NAMES_H

#include "profile/profile.h"

/* Both for struct leat_replay_opts; @ctx is not used. */
int leat_cli_stored_check(void *ctx, struct leat_profile *p) LEAT_MUST_USE;
int leat_cli_stored_name(void *ctx, struct leat_profile *p) LEAT_MUST_USE;

#endif
