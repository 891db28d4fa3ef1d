/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/proto_read.h"

enum { TYPE_VARINT = 0, TYPE_64 = 1, TYPE_BYTES = 2, TYPE_32 = 5 };
#define TYPE_TAKEN 8 /* a number that leat_proto_repeated has handed out */

static int read_body(struct leat_reader *r, struct leat_proto_field *f)
{
	const void *bytes;
	uint32_t v;
	int err;

	switch (f->type) {
	case TYPE_VARINT:
		return leat_reader_uleb128(r, &f->value);
	case TYPE_64:
		return leat_reader_u64(r, &f->value);
	case TYPE_32:
		err = leat_reader_u32(r, &v);
		f->value = err ? 0 : v;
		return err;
	case TYPE_BYTES:
		err = leat_reader_uleb128(r, &f->value);
		if (!err && f->value > leat_reader_left(r))
			err = -ENODATA;
		if (!err)
			err = leat_reader_bytes(r, (size_t)f->value, &bytes);
		if (!err)
			f->body = leat_reader_of(bytes, (size_t)f->value);
		return err;
	default:
		return -EBADMSG;
	}
}

int leat_proto_next(struct leat_reader *r, struct leat_proto_field *f)
{
	struct leat_reader at = *r;
	uint64_t tag;
	int err = leat_reader_uleb128(&at, &tag);

	if (err)
		return err == -EOVERFLOW ? -EBADMSG : err;
	if (tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
		return -EBADMSG;
	*f = (struct leat_proto_field){ .number = (uint32_t)(tag >> 3), .type = tag & 7 };
	err = read_body(&at, f);
	if (err)
		return err == -EOVERFLOW ? -EBADMSG : err;
	*r = at;
	return 0;
}

int leat_proto_repeated(struct leat_proto_field *f, uint64_t *out)
{
	if (f->type == TYPE_VARINT) {
		f->type = TYPE_TAKEN;
		*out = f->value;
		return 1;
	}
	if (f->type == TYPE_TAKEN)
		return 0;
	if (f->type != TYPE_BYTES)
		return -EBADMSG;
	if (!leat_reader_left(&f->body))
		return 0;
	return leat_reader_uleb128(&f->body, out) ? -EBADMSG : 1;
}
