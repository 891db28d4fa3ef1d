/* SPDX-License-Identifier: BSD-2-Clause */
/* One function per verb. All return the exit status of the program. */
#ifndef LEAT_CLI_COMMANDS_H
#define LEAT_CLI_COMMANDS_H

#include "cli/io.h"
#include "cli/options.h"

/* What every verb gets. */
struct leat_cli_call {
	struct leat_cli_io io;
	const struct leat_cli_args *args;
	int argc; /* the whole command line, for the record in the output */
	char **argv;
};

int leat_cli_record_cmd(struct leat_cli_call *c);
int leat_cli_report_cmd(struct leat_cli_call *c);
int leat_cli_convert_cmd(struct leat_cli_call *c);
int leat_cli_doctor_cmd(struct leat_cli_call *c);
int leat_cli_list_cmd(struct leat_cli_call *c);
int leat_cli_help_cmd(struct leat_cli_call *c);
int leat_cli_version_cmd(struct leat_cli_call *c);
int leat_cli_completion_cmd(struct leat_cli_call *c);

/* Prints @b, frees it: LEAT_EXIT_OK, or LEAT_EXIT_FAILURE with a message. A closed pipe is fine. */
int leat_cli_print(struct leat_cli_call *c, struct leat_buf *b);
/* Prints the diagnosis and returns its class. */
int leat_cli_fail(struct leat_cli_call *c, const struct leat_diag *d, int err);

/* The program: parses argv and calls the verb. */
int leat_cli_main(int argc, char **argv);

#endif
