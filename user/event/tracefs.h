/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the parser of tracefs formats, shared by its files only. */
#ifndef LEAT_EVENT_TRACEFS_H
#define LEAT_EVENT_TRACEFS_H

#include <leat/tracefs.h>

#include "base/cleanup.h"

/* A piece of the text, borrowed. */
struct leat_span {
	const char *p;
	size_t n;
};

struct leat_span leat_span_trim(struct leat_span s);
bool leat_span_is(struct leat_span s, const char *word);
/* Removes @prefix in front, and blanks behind it; false when it is not there. */
bool leat_span_cut(struct leat_span *s, const char *prefix);

/* What "field:" and "size:", "signed:" say of a field. */
struct leat_tracefs_decl {
	struct leat_span type; /* without the location's keyword and the array's length */
	struct leat_span name;
	enum leat_location location;
	bool is_array;
	uint32_t cnt; /* of elements, where the text has a number; else 0 */
	uint32_t size;
	bool is_signed;
};

/* Splits "const char * argv[4]". False when there is no name. */
bool leat_tracefs_declare(struct leat_span text, struct leat_tracefs_decl *out);
/* Type, elem_size and size of @f from @d, whose size and sign are filled. */
void leat_tracefs_type(const struct leat_tracefs_decl *d, struct leat_field *f);
/* Gives values their names from the tables in "print fmt". */
int leat_tracefs_print(struct leat_format *f, struct leat_span print) LEAT_MUST_USE;
/* A constant of C: integers, casts, operators. Moves *p behind it. False: it is none. */
bool leat_tracefs_const(const char **p, const char *end, uint64_t *out);

#endif
