/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/errors.h"

#include <string.h>

void leat_errors_add(struct leat_errors *e, int err, uint32_t source)
{
	if (e->cnt < LEAT_ERRORS_KEPT)
		e->kept[e->cnt] = (struct leat_error){ .err = err, .source = source };
	e->cnt++;
}

void leat_errors_reset(struct leat_errors *e)
{
	memset(e, 0, sizeof(*e));
}
