/* SPDX-License-Identifier: BSD-2-Clause */
/* A program that leat starts: held back before exec until sampling is on. */
#ifndef LEAT_LIVE_COMMAND_H
#define LEAT_LIVE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/diag.h"

struct leat_command {
	pid_t pid;  /* 0: none */
	int go_fd;  /* a byte lets it run */
	int err_fd; /* tells the errno of a failed exec, else ends */
	bool reaped;
	bool failed;	 /* it could not become the program */
	int status;	 /* wait status, once reaped */
	uint64_t cpu_ns; /* of it and of its descendants that were waited for, once reaped */
};

/*
 * Forks. Under sudo the child becomes the user who called sudo. @nofile: its soft limit of open
 * files. -errno, with @diag.
 */
int leat_command_start(struct leat_command *c, char **argv, uint64_t nofile,
		       struct leat_diag *diag) LEAT_MUST_USE;
/* Lets it exec. -errno of a failed exec, with @diag. */
int leat_command_go(struct leat_command *c, const char *name, struct leat_diag *diag) LEAT_MUST_USE;
void leat_command_signal(const struct leat_command *c, int sig);
/* Whether it has ended; waits at most @timeout_ms for that. */
bool leat_command_reap(struct leat_command *c, unsigned int timeout_ms);
/* A child that never ran is ended and collected. */
void leat_command_fini(struct leat_command *c);

#endif
