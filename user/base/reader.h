/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded little-endian reader: never reads outside [base, base + len), never moves on failure.
 * All return 0, -ENODATA (input ended) or -EOVERFLOW (LEB128 over 64 bits). Caller serialises.
 */
#ifndef LEAT_BASE_READER_H
#define LEAT_BASE_READER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the reader copies integers as they are: little-endian hosts only"
#endif

struct leat_reader {
	const uint8_t *base; /* borrowed */
	size_t len;
	size_t off; /* never over len */
};

static inline struct leat_reader leat_reader_of(const void *base, size_t len)
{
	return (struct leat_reader){ .base = base, .len = len, .off = 0 };
}

static inline size_t leat_reader_left(const struct leat_reader *r)
{
	return r->len - r->off;
}

/* Borrows @n bytes of the input. */
static inline int LEAT_MUST_USE leat_reader_bytes(struct leat_reader *r, size_t n, const void **out)
{
	if (n > r->len - r->off)
		return -ENODATA;
	*out = r->base + r->off;
	r->off += n;
	return 0;
}

/* Copies @n bytes of the input. Inline, for with a constant @n it is one load. */
static inline int LEAT_MUST_USE leat_reader_copy(struct leat_reader *r, void *out, size_t n)
{
	if (n > r->len - r->off)
		return -ENODATA;
	if (n)
		memcpy(out, r->base + r->off, n);
	r->off += n;
	return 0;
}

static inline int LEAT_MUST_USE leat_reader_u8(struct leat_reader *r, uint8_t *out)
{
	return leat_reader_copy(r, out, sizeof(*out));
}

static inline int LEAT_MUST_USE leat_reader_u16(struct leat_reader *r, uint16_t *out)
{
	return leat_reader_copy(r, out, sizeof(*out));
}

static inline int LEAT_MUST_USE leat_reader_u32(struct leat_reader *r, uint32_t *out)
{
	return leat_reader_copy(r, out, sizeof(*out));
}

static inline int LEAT_MUST_USE leat_reader_u64(struct leat_reader *r, uint64_t *out)
{
	return leat_reader_copy(r, out, sizeof(*out));
}

static inline int LEAT_MUST_USE leat_reader_skip(struct leat_reader *r, size_t n)
{
	if (n > r->len - r->off)
		return -ENODATA;
	r->off += n;
	return 0;
}

static inline int LEAT_MUST_USE leat_reader_seek(struct leat_reader *r, size_t off)
{
	if (off > r->len)
		return -ENODATA;
	r->off = off;
	return 0;
}

int leat_reader_uleb128(struct leat_reader *r, uint64_t *out) LEAT_MUST_USE;
int leat_reader_sleb128(struct leat_reader *r, int64_t *out) LEAT_MUST_USE;
/* Borrows a NUL-terminated string; -ENODATA when there is no NUL before the end. */
int leat_reader_str(struct leat_reader *r, const char **out) LEAT_MUST_USE;
/* A reader of [off, off + len) of @r's whole input. */
int leat_reader_sub(const struct leat_reader *r, uint64_t off, uint64_t len,
		    struct leat_reader *out) LEAT_MUST_USE;

#endif
