/* SPDX-License-Identifier: BSD-2-Clause */
/* A writer of protocol buffers: fields of a message, appended to a buffer. */
#ifndef LEAT_EXPORT_PROTO_H
#define LEAT_EXPORT_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A number (int64, uint64, bool); the default, 0, is left out as proto3 does. */
void leat_proto_number(struct leat_buf *out, unsigned int field, uint64_t v);
/* The same, but written even when it is 0: an element of a list. */
void leat_proto_element(struct leat_buf *out, unsigned int field, uint64_t v);
void leat_proto_bytes(struct leat_buf *out, unsigned int field, const void *p, size_t n);
/* Takes what @message holds as a nested message and empties it. */
void leat_proto_message(struct leat_buf *out, unsigned int field, struct leat_buf *message);

#endif
