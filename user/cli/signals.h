/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals of a recording. SIGINT, SIGTERM and SIGHUP ask for the end; a second Ctrl-C, or SIGQUIT,
 * ends the program at once with 130, and takes unfinished files with it. The only state of the
 * program at file scope: a signal handler has no other way.
 */
#ifndef LEAT_CLI_SIGNALS_H
#define LEAT_CLI_SIGNALS_H

#include <signal.h>

#include "base/cleanup.h"

#define LEAT_CLI_MAX_TEMPS 32

/* 0, then the number of the first signal. */
const volatile sig_atomic_t *leat_cli_signals_stop(void);
/* The four that end a recording. 0 or -errno. */
int leat_cli_signals_install(void) LEAT_MUST_USE;
/* SIGPIPE becomes an error of write(); a command that is started does not inherit that. */
void leat_cli_signals_pipe(void);

/*
 * A file to remove when the program is aborted: @name (copied) below the directory @dirfd, which
 * must stay open. Returns a slot for _forget, or -1 when all are taken. Caller serialises.
 */
int leat_cli_temp_remember(int dirfd, const char *name);
void leat_cli_temp_forget(int slot);

#endif
