/* SPDX-License-Identifier: BSD-2-Clause */
/* What "perf script" prints. Private to import/. */
#ifndef LEAT_IMPORT_PERF_SCRIPT_H
#define LEAT_IMPORT_PERF_SCRIPT_H

#include "import/build.h"
#include "import/chunks.h"

/* How much of the text is whole entries: to where the last one may begin. */
size_t leat_perf_script_cut(const char *p, size_t n);
/* Parses one chunk into @b. 0, -ENOMEM, -EOVERFLOW; what is not understood is counted. */
int leat_perf_script_parse(struct leat_build *b, const struct leat_import_opts *o,
			   struct leat_chunk *c) LEAT_MUST_USE;

#endif
