/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a person is told when an operation fails: what failed, the measured cause, the exact fix,
 * the lesser option. Filled where the failure is detected; the first error sticks.
 */
#ifndef LEAT_BASE_DIAG_H
#define LEAT_BASE_DIAG_H

#include <stdbool.h>

#include "base/cleanup.h"

/* Exit codes of the program, stable; also the class of a diagnosis. */
enum leat_exit {
	LEAT_EXIT_OK = 0,
	LEAT_EXIT_FAILURE = 1,
	LEAT_EXIT_USAGE = 2,
	LEAT_EXIT_PRIVILEGE = 3,
	LEAT_EXIT_TARGET = 4,
	LEAT_EXIT_NO_SAMPLES = 5,
	LEAT_EXIT_SYSTEM = 6,
	LEAT_EXIT_LOSS = 7,
	LEAT_EXIT_INPUT = 8,
	LEAT_EXIT_DIFF = 10,
	LEAT_EXIT_ABORTED = 130,
};

struct leat_diag {
	int err;	     /* negative errno, 0: nothing happened yet */
	enum leat_exit exit; /* for the program */
	char what[512];
	char why[2048]; /* may hold several lines (verifier log) */
	char fix[512];
	char alt[512];
	bool closed; /* a later error came: its why, fix and alt are not for this one */
};

/*
 * Sets what failed, unless an error is there already; returns @err (negative errno). @d may be
 * NULL, here and below. The text is cut at the size of the member; it is not cleaned (base/text.h).
 */
int leat_diag_set(struct leat_diag *d, int err, enum leat_exit code, const char *fmt, ...)
	LEAT_PRINTF(4, 5);
/*
 * Add to the diagnosis that leat_diag_set has just made; ignored when the text is there already,
 * or when that call was ignored.
 */
void leat_diag_why(struct leat_diag *d, const char *fmt, ...) LEAT_PRINTF(2, 3);
void leat_diag_fix(struct leat_diag *d, const char *fmt, ...) LEAT_PRINTF(2, 3);
void leat_diag_alt(struct leat_diag *d, const char *fmt, ...) LEAT_PRINTF(2, 3);

#endif
