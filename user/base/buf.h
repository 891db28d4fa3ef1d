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
	int (*drain)(void *ctx, const void *p, size_t n); /* NULL: all of it stays here */
	void *drain_ctx;
	size_t drained; /* bytes that went there */
};

/* @max_bytes bounds .len and what was drained; the NUL comes on top. */
void leat_buf_init(struct leat_buf *b, size_t max_bytes);
void leat_buf_fini(struct leat_buf *b);
/*
 * What is appended goes to @fn in pieces of a MiB and more; the last bytes stay in .data, for those
 * who look back at them and for the caller, who takes them at the end. @fn: 0, or the buffer's .err.
 */
void leat_buf_drain_to(struct leat_buf *b, int (*fn)(void *ctx, const void *p, size_t n),
		       void *ctx);
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
