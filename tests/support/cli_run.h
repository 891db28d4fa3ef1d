/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the program's main in the process of the test, with its output caught. */
#ifndef LEAT_TESTS_SUPPORT_CLI_RUN_H
#define LEAT_TESTS_SUPPORT_CLI_RUN_H

struct leat_cli_result {
	int status;
	char *out; /* NUL-terminated; freed by _fini */
	char *err;
};

/* leat_cli_run(&r, "record", "-p", "1", NULL); ends the program when it cannot be caught. */
void leat_cli_run(struct leat_cli_result *r, ...) __attribute__((sentinel));
void leat_cli_run_argv(struct leat_cli_result *r, int argc, char **argv);
void leat_cli_result_fini(struct leat_cli_result *r);

#endif
