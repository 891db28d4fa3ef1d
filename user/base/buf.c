/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAP   128
#define DRAIN_FROM  ((size_t)1 << 20)
#define DRAIN_LEAVE 64 /* bytes that are looked back at: a comma that was one too many */

void leat_buf_init(struct leat_buf *b, size_t max_bytes)
{
	*b = (struct leat_buf){ .max = max_bytes };
}

void leat_buf_fini(struct leat_buf *b)
{
	free(b->data);
	*b = (struct leat_buf){ .max = b->max };
}

void leat_buf_reset(struct leat_buf *b)
{
	b->len = 0;
	b->err = 0;
	if (b->data)
		b->data[0] = '\0';
}

void leat_buf_drain_to(struct leat_buf *b, int (*fn)(void *ctx, const void *p, size_t n), void *ctx)
{
	b->drain = fn;
	b->drain_ctx = ctx;
}

static void drain(struct leat_buf *b)
{
	size_t n = b->len - DRAIN_LEAVE;

	b->err = b->drain(b->drain_ctx, b->data, n);
	if (b->err)
		return;
	memmove(b->data, b->data + n, DRAIN_LEAVE + 1);
	b->len = DRAIN_LEAVE;
	b->drained += n;
}

/* Bytes that may still come. */
static size_t left(const struct leat_buf *b)
{
	return b->max - b->drained - b->len;
}

/* Room for @n more bytes and the NUL; false, with .err set, when that cannot be. */
static bool grow(struct leat_buf *b, size_t n)
{
	size_t need, cap = b->cap ? b->cap : FIRST_CAP / 2;
	char *data;

	if (!b->err && b->drain && b->len >= DRAIN_FROM)
		drain(b);
	if (b->err)
		return false;
	if (n > left(b) || __builtin_add_overflow(b->len + n, 1, &need)) {
		b->err = -EOVERFLOW;
		return false;
	}
	if (need <= b->cap)
		return true;
	if (__builtin_mul_overflow(cap, 2, &cap) || cap < need)
		cap = need;
	if (cap - 1 > b->max)
		cap = b->max + 1;
	data = realloc(b->data, cap);
	if (!data) {
		b->err = -ENOMEM;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

static inline bool room(struct leat_buf *b, size_t n)
{
	if (!b->err && n < b->cap - b->len && n <= left(b))
		return true;
	return grow(b, n);
}

void leat_buf_add(struct leat_buf *b, const void *p, size_t n)
{
	if (!room(b, n))
		return;
	if (n)
		memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void leat_buf_str(struct leat_buf *b, const char *s)
{
	leat_buf_add(b, s, strlen(s));
}

void leat_buf_char(struct leat_buf *b, char c)
{
	if (!room(b, 1))
		return;
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

void leat_buf_printf(struct leat_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	leat_buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void leat_buf_vprintf(struct leat_buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	if (!room(b, 0))
		return;
	va_copy(again, ap);
	n = vsnprintf(b->data + b->len, b->cap - b->len, fmt, ap);
	if (n >= 0 && (size_t)n < b->cap - b->len) {
		b->len += (size_t)n;
	} else if (n < 0) {
		b->err = -EINVAL; /* an encoding error of the C library */
	} else if (grow(b, (size_t)n)) {
		vsnprintf(b->data + b->len, b->cap - b->len, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	b->data[b->len] = '\0';
}

void leat_buf_u64(struct leat_buf *b, uint64_t v)
{
	char text[20];
	char *p = text + sizeof(text);

	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	leat_buf_add(b, p, (size_t)(text + sizeof(text) - p));
}

void leat_buf_hex(struct leat_buf *b, uint64_t v)
{
	char text[18];
	char *p = text + sizeof(text);

	do {
		*--p = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	*--p = 'x';
	*--p = '0';
	leat_buf_add(b, p, (size_t)(text + sizeof(text) - p));
}

void leat_buf_uleb128(struct leat_buf *b, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;

	do {
		bytes[n++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
	} while (v);
	leat_buf_add(b, bytes, n);
}

char *leat_buf_take(struct leat_buf *b, size_t *len)
{
	char *data = b->data;

	if (len)
		*len = b->len;
	*b = (struct leat_buf){ .max = b->max };
	return data;
}
