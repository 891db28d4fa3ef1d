/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exporters: one file per format, behind one ops table. They read a resolved, judged profile and
 * write bytes into a buffer; files are the caller's business. Same input, same bytes.
 */
#ifndef LEAT_EXPORT_EXPORT_H
#define LEAT_EXPORT_EXPORT_H

#include <leat/export.h>

#include "base/buf.h"
#include "profile/profile.h"
#include "profile/tree.h"

#define LEAT_EXPORT_MAX_BYTES ((size_t)2 << 30)

/* "CPU, cpu-clock samples @ 99 Hz, 10.0 s, nginx (pid 4242)". */
void leat_export_title(const struct leat_profile *p, const struct leat_export_opts *o,
		       struct leat_buf *out);

#endif
