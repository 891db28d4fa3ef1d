/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>

int leat_diag_set(struct leat_diag *d, int err, enum leat_exit code, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return err;
	if (d->err) {
		/* The why, fix and alt that follow belong to this error, not to the one kept. */
		d->closed = true;
		return err;
	}
	d->err = err;
	d->exit = code;
	va_start(ap, fmt);
	if (vsnprintf(d->what, sizeof(d->what), fmt, ap) < 0)
		d->what[0] = '\0';
	va_end(ap);
	return err;
}

LEAT_PRINTF(4, 0)
static void fill(const struct leat_diag *d, char *text, size_t size, const char *fmt, va_list ap)
{
	if (!d->err || d->closed || text[0])
		return;
	if (vsnprintf(text, size, fmt, ap) < 0)
		text[0] = '\0';
}

void leat_diag_why(struct leat_diag *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (d)
		fill(d, d->why, sizeof(d->why), fmt, ap);
	va_end(ap);
}

void leat_diag_fix(struct leat_diag *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (d)
		fill(d, d->fix, sizeof(d->fix), fmt, ap);
	va_end(ap);
}

void leat_diag_alt(struct leat_diag *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (d)
		fill(d, d->alt, sizeof(d->alt), fmt, ap);
	va_end(ap);
}
