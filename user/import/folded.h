/* SPDX-License-Identifier: BSD-2-Clause */
/* Folded stacks, "process;outer;...;inner 12". Private to import/. */
#ifndef LEAT_IMPORT_FOLDED_H
#define LEAT_IMPORT_FOLDED_H

#include "import/build.h"
#include "import/chunks.h"

size_t leat_folded_cut(const char *p, size_t n); /* as in leat_chunk_text */
/* Parses one chunk into @b. -EBADMSG: a line without a whole number at its end, see @why. */
int leat_folded_parse(struct leat_build *b, struct leat_chunk *c, const char **why) LEAT_MUST_USE;

#endif
