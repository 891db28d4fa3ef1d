/* SPDX-License-Identifier: BSD-2-Clause */
/* The executable mappings of a process as they are now: sorted, without overlaps. Plain data. */
#ifndef LEAT_LIVE_SPACE_H
#define LEAT_LIVE_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Of one process; what comes beyond is counted. */
#define LEAT_CODE_MAX 65536u

struct leat_code {
	uint64_t start, end; /* [start, end) */
	uint64_t pgoff;	     /* bytes, of start */
	uint32_t exe;	     /* number of the binary */
};

struct leat_codes {
	struct leat_code *v;
	size_t n, cap;
	uint64_t refused; /* for want of room */
};

void leat_codes_fini(struct leat_codes *c);
/*
 * A new mapping takes the place of what it covers. True when anything changed: the same mapping
 * again, as /proc tells it, changes nothing.
 */
bool leat_codes_map(struct leat_codes *c, const struct leat_code *m);
/* Copies into empty @to. -ENOMEM. */
int leat_codes_copy(struct leat_codes *to, const struct leat_codes *from) LEAT_MUST_USE;
/* NULL: no mapping covers @addr. Borrowed until the next change. */
const struct leat_code *leat_codes_find(const struct leat_codes *c, uint64_t addr);
/* Equal for equal mappings of the first @n; never 0. */
uint64_t leat_codes_hash(const struct leat_codes *c, size_t n);

#endif
