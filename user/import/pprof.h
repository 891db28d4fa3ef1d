/* SPDX-License-Identifier: BSD-2-Clause */
/* profile.proto (github.com/google/pprof), inflated. Private to import/. */
#ifndef LEAT_IMPORT_PPROF_H
#define LEAT_IMPORT_PPROF_H

#include "import/build.h"

/*
 * Reads all of it into @b. Locations with several lines are inlined functions; of labels the
 * process and the thread are kept. -EBADMSG with the byte in @d, -ENODATA (cut), -ENOENT (no such
 * sample type), -EOVERFLOW, -ENOMEM.
 */
int leat_pprof_parse(struct leat_build *b, const struct leat_import_opts *o, const char *p,
		     size_t n, const char *name, struct leat_diag *d) LEAT_MUST_USE;

#endif
