/* SPDX-License-Identifier: BSD-2-Clause */
/* The library prints nothing: it hands lines to a sink that the program sets. Thread-safe. */
#ifndef LEAT_BASE_LOG_H
#define LEAT_BASE_LOG_H

#include "base/cleanup.h"

enum leat_log_level {
	LEAT_LOG_ERROR = 0,
	LEAT_LOG_WARN = 1,
	LEAT_LOG_INFO = 2,
	LEAT_LOG_DEBUG = 3,
};

/* @line has no newline and is valid during the call only. */
typedef void (*leat_log_fn)(void *ctx, enum leat_log_level level, const char *line);

/* Set once, before threads start. NULL drops everything (the default). */
void leat_log_set_sink(leat_log_fn fn, void *ctx, enum leat_log_level max_level);
void leat_log(enum leat_log_level level, const char *fmt, ...) LEAT_PRINTF(2, 3);

/*
 * Logs once, where the error is detected, with the text of the errno behind it, and gives it back:
 * return leat_err_r(-EBADMSG, ...);
 */
int leat_err_r(int err, const char *fmt, ...) LEAT_PRINTF(2, 3);

#endif
