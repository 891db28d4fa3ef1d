/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

/* Set before threads start and only read after that, so that no lock is needed. */
static struct {
	leat_log_fn fn;
	void *ctx;
	enum leat_log_level max_level;
} sink;

void leat_log_set_sink(leat_log_fn fn, void *ctx, enum leat_log_level max_level)
{
	sink.fn = fn;
	sink.ctx = ctx;
	sink.max_level = max_level;
}

void leat_log(enum leat_log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	if (!sink.fn || level > sink.max_level)
		return;
	va_start(ap, fmt);
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		line[0] = '\0';
	va_end(ap);
	sink.fn(sink.ctx, level, line);
}

int leat_err_r(int err, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;

	if (!sink.fn)
		return err;
	va_start(ap, fmt);
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		line[0] = '\0';
	va_end(ap);
	leat_log(LEAT_LOG_ERROR, "%s: %s", line, strerror(err < 0 ? -err : err));
	return err;
}
