/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded list of errors with a true count: a batch never stops at the first bad item. */
#ifndef LEAT_BASE_ERRORS_H
#define LEAT_BASE_ERRORS_H

#include <stdint.h>

#define LEAT_ERRORS_KEPT 16

struct leat_error {
	int err;	 /* negative errno */
	uint32_t source; /* what the owner wants: event id, line, ... */
};

struct leat_errors {
	uint64_t cnt; /* all of them */
	struct leat_error kept[LEAT_ERRORS_KEPT];
};

void leat_errors_add(struct leat_errors *e, int err, uint32_t source);
void leat_errors_reset(struct leat_errors *e);

#endif
