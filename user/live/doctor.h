/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by doctor*.c: a growing list of checks. */
#ifndef LEAT_LIVE_DOCTOR_H
#define LEAT_LIVE_DOCTOR_H

#include "live/live.h"

#define LEAT_CHECKS_MAX 64

struct leat_checks {
	struct leat_check *items;
	size_t n;
	uint32_t pid; /* 0: the host alone */
	uint32_t via; /* where its files are below /proc: another when the leader has ended */
};

/* The next row, passed so far; the last one is used again when the list is full. */
struct leat_check *leat_check_add(struct leat_checks *c, const char *name);
void leat_check_value(struct leat_check *k, const char *fmt, ...) LEAT_PRINTF(2, 3);
/* Not passed: what follows from it, and the fix ("" none). */
void leat_check_bad(struct leat_check *k, enum leat_check_level level, const char *consequence,
		    const char *fix);

void leat_doctor_system(struct leat_checks *c);	   /* kernel, privileges, limits */
void leat_doctor_recording(struct leat_checks *c); /* features, events, symbols */
void leat_doctor_target(struct leat_checks *c);	   /* .pid */
void leat_doctor_unwind(struct leat_checks *c);	   /* .pid: its binaries' unwind tables */

#endif
