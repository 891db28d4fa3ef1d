/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/proto.h"

enum wire_type { WIRE_VARINT = 0, WIRE_BYTES = 2 };

void leat_proto_element(struct leat_buf *out, unsigned int field, uint64_t v)
{
	leat_buf_uleb128(out, (uint64_t)field << 3 | WIRE_VARINT);
	leat_buf_uleb128(out, v);
}

void leat_proto_number(struct leat_buf *out, unsigned int field, uint64_t v)
{
	if (v)
		leat_proto_element(out, field, v);
}

void leat_proto_bytes(struct leat_buf *out, unsigned int field, const void *p, size_t n)
{
	leat_buf_uleb128(out, (uint64_t)field << 3 | WIRE_BYTES);
	leat_buf_uleb128(out, n);
	if (n)
		leat_buf_add(out, p, n);
}

void leat_proto_message(struct leat_buf *out, unsigned int field, struct leat_buf *message)
{
	leat_proto_bytes(out, field, message->data, message->len);
	if (message->err && !out->err)
		out->err = message->err;
	leat_buf_reset(message);
}
