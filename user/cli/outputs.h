/* SPDX-License-Identifier: BSD-2-Clause */
/* All output files of one recording: which format each has, opening, writing. */
#ifndef LEAT_CLI_OUTPUTS_H
#define LEAT_CLI_OUTPUTS_H

#include <leat/capture.h>
#include <stdint.h>
#include <time.h>

#include "base/diag.h"
#include "cli/io.h"
#include "cli/options.h"
#include "cli/output.h"
#include "profile/profile.h"

#define LEAT_CLI_MAX_OUTPUTS 16

struct leat_cli_file {
	struct leat_cli_output out;
	const struct leat_exporter *format; /* NULL: the verdict as JSON */
	uint64_t bytes;			    /* written */
	bool done;
};

struct leat_cli_outputs {
	struct leat_cli_owner owner;
	struct leat_cli_file files[LEAT_CLI_MAX_OUTPUTS + 1]; /* and the summary */
	size_t n;
	struct leat_cli_numbered standard;   /* the name when there is no -o */
	bool needs_stream;		     /* a format wants samples with time */
	struct leat_capture_writer *capture; /* of the file that is one; NULL */
};

/* Formats and conflicts of -o, -f and --summary; opens nothing yet. */
int leat_cli_outputs_plan(struct leat_cli_outputs *s, const struct leat_cli_args *a,
			  struct leat_diag *diag) LEAT_MUST_USE;
/* The name when there is no -o: "leat-nginx-4242-20250131-235959.html"; @tgid 0 is left out. */
void leat_cli_default_name(char *out, size_t size, const char *name, uint32_t tgid,
			   const struct tm *when, const char *extension);
/* Opens all; on failure none is left. */
int leat_cli_outputs_open(struct leat_cli_outputs *s, const struct leat_cli_args *a,
			  struct leat_diag *diag) LEAT_MUST_USE;
/*
 * Writes each; one that fails is reported and the others go on. The first error, or 0. A reader
 * that went away is none.
 */
int leat_cli_outputs_write(struct leat_cli_outputs *s, struct leat_profile *p,
			   const struct leat_cli_args *a, struct leat_cli_io *io) LEAT_MUST_USE;
/* Begins the capture file, if there is one among them: .capture. After _open, before a recording. */
int leat_cli_outputs_capture(struct leat_cli_outputs *s, struct leat_diag *diag) LEAT_MUST_USE;
void leat_cli_outputs_fini(struct leat_cli_outputs *s);

#endif
