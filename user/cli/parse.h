/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line behind the verb, by the option table. */
#ifndef LEAT_CLI_PARSE_H
#define LEAT_CLI_PARSE_H

#include "base/diag.h"
#include "cli/options.h"

struct leat_cli_line {
	enum leat_cli_verb_id verb;
	int argc; /* behind the verb */
	char **argv;
};

/*
 * Fills @out (initialised by leat_cli_args_init, to be freed by _fini in any case). -EINVAL with a
 * diagnosis of class LEAT_EXIT_USAGE, or -ENOMEM. "--help" ends it at once: .help is set.
 */
int leat_cli_parse(const struct leat_cli_line *line, struct leat_cli_args *out,
		   struct leat_diag *diag) LEAT_MUST_USE;

#endif
