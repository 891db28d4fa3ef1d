/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of event/ know about formats, beside the public API. */
#ifndef LEAT_EVENT_FORMAT_H
#define LEAT_EVENT_FORMAT_H

#include <leat/event.h>

#include "base/cleanup.h"

#define LEAT_FORMAT_MAX_FIELDS 4096
#define LEAT_FORMAT_MAX_NAMES  4096 /* of the values of one field */

/* Same fields in the same places; names of formats and of types do not matter. */
bool leat_format_equal(const struct leat_format *a, const struct leat_format *b);
/* leat_format_ref that returns what it found, LEAT_FIELD_REF_NONE if nothing: for optional fields. */
leat_field_ref leat_format_find(const struct leat_format *f, const char *name);
/* Gives a format another name, copied. */
int leat_format_rename(struct leat_format *f, const char *name) LEAT_MUST_USE;
/*
 * Gives values of field @i names, copied; the first table of a field stays. What is no integer takes
 * none: 0 too.
 */
int leat_format_name_values(struct leat_format *f, size_t i, const struct leat_value_name *names,
			    uint32_t cnt, bool are_flags) LEAT_MUST_USE;

#endif
