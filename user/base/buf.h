/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte buffer that grows up to a maximum. The first error (-ENOMEM, -EOVERFLOW at the maximum)
 * sticks in .err and later appends do nothing, so that it is checked once, at the end.
 */
#ifndef LEAT_BASE_BUF_H
#define LEAT_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct leat_buf {
	char *data; /* NUL-terminated after every append; NULL while empty */
	size_t len;
	size_t cap;
	size_t max;
	int err;
};

/* @max_bytes bounds .len; the NUL comes on top. */
void leat_buf_init(struct leat_buf *b, size_t max_bytes);
void leat_buf_fini(struct leat_buf *b);
void leat_buf_reset(struct leat_buf *b); /* empty, keeps memory and clears .err */
void leat_buf_add(struct leat_buf *b, const void *p, size_t n);
void leat_buf_str(struct leat_buf *b, const char *s);
void leat_buf_char(struct leat_buf *b, char c);
void leat_buf_printf(struct leat_buf *b, const char *fmt, ...) LEAT_PRINTF(2, 3);
void leat_buf_vprintf(struct leat_buf *b, const char *fmt, va_list ap) LEAT_PRINTF(2, 0);
void leat_buf_u64(struct leat_buf *b, uint64_t v); /* decimal, without printf */
void leat_buf_hex(struct leat_buf *b, uint64_t v); /* 0x..., without printf */
void leat_buf_uleb128(struct leat_buf *b, uint64_t v);
/*
 * Gives the bytes away (free() them) and leaves the buffer empty. NULL when nothing was appended,
 * not even "". @len may be NULL.
 */
char *leat_buf_take(struct leat_buf *b, size_t *len);

#endif
