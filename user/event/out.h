/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text into a caller's bounded memory: what the compiled writers are made of. After the first piece
 * that does not fit, nothing is written any more and .full is set, so that it is checked once.
 */
#ifndef LEAT_EVENT_OUT_H
#define LEAT_EVENT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct leat_out {
	char *p;
	char *end;
	bool full;
};

static inline bool leat_out_room(struct leat_out *o, size_t n)
{
	if (n <= (size_t)(o->end - o->p))
		return true;
	o->full = true;
	o->end = o->p; /* nothing fits any more */
	return false;
}

static inline void leat_out_char(struct leat_out *o, char c)
{
	if (leat_out_room(o, 1))
		*o->p++ = c;
}

/* Inline and in words: pieces are short, and a call of memcpy costs more than the copy. */
static inline void leat_out_add(struct leat_out *o, const void *s, size_t n)
{
	char *p = o->p;
	uint64_t a, b;

	if (!leat_out_room(o, n))
		return;
	o->p += n;
	if (n > 16) {
		memcpy(p, s, n);
	} else if (n >= 8) {
		memcpy(&a, s, 8);
		memcpy(&b, (const char *)s + n - 8, 8);
		memcpy(p, &a, 8);
		memcpy(p + n - 8, &b, 8);
	} else {
		for (size_t i = 0; i < n; i++)
			p[i] = ((const char *)s)[i];
	}
}

void leat_out_u64(struct leat_out *o, uint64_t v);
void leat_out_i64(struct leat_out *o, int64_t v);
void leat_out_hex(struct leat_out *o, uint64_t v);		  /* 0x1f */
void leat_out_bytes(struct leat_out *o, const void *p, size_t n); /* 0x0a0b */
void leat_out_time(struct leat_out *o, uint64_t ns);		  /* seconds, nine decimals */
/* The shortest that reads back as @v; @is_float: as the float that it came from. */
void leat_out_f64(struct leat_out *o, double v, bool is_float);
void leat_out_guid(struct leat_out *o, const uint8_t b[16]);

/* How text may be written; see leat/writer.h. */
enum leat_out_text {
	LEAT_OUT_BARE = 0,   /* without quotes where that is possible */
	LEAT_OUT_QUOTED = 1, /* the same, always in quotes: within arrays */
	LEAT_OUT_JSON = 2,
};

void leat_out_text(struct leat_out *o, enum leat_out_text how, const void *s, size_t n);
void leat_out_utf16(struct leat_out *o, enum leat_out_text how, const void *s, size_t n);

#endif
