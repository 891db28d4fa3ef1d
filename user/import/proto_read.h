/* SPDX-License-Identifier: BSD-2-Clause */
/* A reader of protocol buffers: one field after the other. Private to import/. */
#ifndef LEAT_IMPORT_PROTO_READ_H
#define LEAT_IMPORT_PROTO_READ_H

#include "base/reader.h"

struct leat_proto_field {
	uint32_t number;
	uint32_t type;		 /* 0 varint, 1 eight bytes, 2 bytes with a length, 5 four bytes */
	uint64_t value;		 /* of a number */
	struct leat_reader body; /* of bytes; for a number empty */
};

/* -ENODATA: it ends in the middle; -EBADMSG: no such field or type. @r stays where it was. */
int leat_proto_next(struct leat_reader *r, struct leat_proto_field *f) LEAT_MUST_USE;
/*
 * Numbers of a repeated field, packed or not: from @f, as often as this is called with the same
 * one. 1 and *@out, 0 when there are no more, or -EBADMSG.
 */
int leat_proto_repeated(struct leat_proto_field *f, uint64_t *out) LEAT_MUST_USE;

#endif
