/* SPDX-License-Identifier: BSD-2-Clause */
/* What would make the next recording better, by the verdict of this one. */
#ifndef LEAT_CLI_HINT_H
#define LEAT_CLI_HINT_H

#include "base/buf.h"
#include "profile/verdict.h"

/* One line or nothing: the most useful thing to do better the next time. @freq_hz 0: by period. */
void leat_cli_hint(struct leat_buf *b, const struct leat_verdict *v, uint64_t freq_hz);

#endif
