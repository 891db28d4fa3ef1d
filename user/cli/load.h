/* SPDX-License-Identifier: BSD-2-Clause */
/* A stored profile: what convert and report work from. What it is, its content tells. */
#ifndef LEAT_CLI_LOAD_H
#define LEAT_CLI_LOAD_H

#include "base/buf.h"
#include "base/diag.h"
#include "cli/commands.h"
#include "profile/profile.h"

struct leat_cli_loaded {
	/* in */
	bool times;	   /* each sample with its time, where the file tells it */
	bool periods;	   /* a sample counts as its period, where the file tells it */
	const char *event; /* of several, this one; NULL: see struct leat_import_opts */
	/* out */
	struct leat_profile *profile; /* judged, every frame has a function */
	bool by_thread;		      /* its outputs tell threads apart */
	struct leat_buf notes;	      /* lines: what is to be known about the file */
};

void leat_cli_loaded_init(struct leat_cli_loaded *l);
void leat_cli_loaded_fini(struct leat_cli_loaded *l);
/*
 * Loads @path ("-": standard input). -errno with a diagnosis: LEAT_EXIT_INPUT where the content is
 * the reason. Ends with -EINTR when leat_cli_signals_stop() says so.
 */
int leat_cli_load_profile(const char *path, struct leat_cli_loaded *out,
			  struct leat_diag *diag) LEAT_MUST_USE;
/* The one operand of convert and report; NULL with a diagnosis when there is none, or more. */
const char *leat_cli_input(const struct leat_cli_call *c, const char *verb, struct leat_diag *diag);

#endif
