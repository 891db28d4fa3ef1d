/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the bytes of a field are: what is left of a format when records flow. Shared by the getters,
 * the compiled readers and the compiled writers.
 *
 * A field that follows others of variable length has no offset of its own: it is found by skipping
 * over these, in order. The skips that lead to a field are a run of one table, for each variable
 * field is counted from the one before it, or from the record's start.
 */
#ifndef LEAT_EVENT_PLACE_H
#define LEAT_EVENT_PLACE_H

#include <leat/event.h>

#include "base/cleanup.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

struct leat_skip {
	uint32_t gap; /* bytes between the end of what was skipped before and this field */
	uint16_t elem;
	uint8_t location; /* STRING, UTF16 or LEN_ARRAY */
	uint8_t pad;
};

struct leat_place {
	uint32_t offset;
	uint32_t size;
	uint32_t elem;
	uint16_t skip_from; /* first skip that leads here */
	uint16_t skip_cnt;
	uint8_t location;
	uint8_t type;
	uint8_t left; /* as in leat_field_ref, of one element */
	uint8_t right;
	bool is_integer; /* each element, of 1, 2, 4 or 8 bytes */
	bool is_scalar;	 /* one element at a fixed place or behind skips, no array */
};

struct leat_format {
	struct leat_place *places; /* apart from the names, so that they share cache lines */
	size_t n;
	size_t places_cap;
	struct leat_field *fields;
	size_t fields_cap;
	struct leat_skip *skips;
	size_t skip_cnt;
	size_t skips_cap;
	uint16_t last_variable; /* index of the field that a follower is counted from */
	char *name;
	uint64_t short_cnt;
};

#ifdef __SSE2__
/* Marks the bytes that are NUL, the first in bit 0. */
static inline unsigned int leat_nul_mask(const uint8_t *p)
{
	const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);

	return (unsigned int)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128()));
}
#endif

/* Bytes before the first NUL, at most @n. */
size_t leat_len_short(const uint8_t *p, size_t n);

/*
 * The same, of at least sixteen bytes. Names are short: a call of strnlen costs more. Sixteen at a
 * time where there are vectors, the last ones overlapping what was seen.
 */
static inline size_t leat_len_long(const uint8_t *p, size_t n)
{
#ifdef __SSE2__
	unsigned int nul;

	for (size_t i = 0; i + 16 <= n; i += 16) {
		nul = leat_nul_mask(p + i);
		if (nul)
			return i + (size_t)__builtin_ctz(nul);
	}
	nul = leat_nul_mask(p + n - 16);
	return nul ? n - 16 + (size_t)__builtin_ctz(nul) : n;
#else
	return leat_len_short(p, n);
#endif
}

static inline size_t leat_len_string(const void *s, size_t n)
{
	return n >= 16 ? leat_len_long((const uint8_t *)s, n)
		       : leat_len_short((const uint8_t *)s, n);
}

/* The same in UTF-16; always even. */
size_t leat_len_utf16(const void *p, size_t n);

/* Behind every record; what is added to it does not wrap. */
#define LEAT_OUTSIDE (1ull << 62)

/* The end of a variable field at @at that is no string, or LEAT_OUTSIDE. */
uint64_t leat_skip_other(const struct leat_skip *s, const struct leat_record *r, uint64_t at)
	__attribute__((cold));
/*
 * Where @cnt variable fields end, the first counted from the record's start. More than the record's
 * size: one of them leads out of it (a string without its NUL does).
 */
static inline uint64_t leat_skip_over(const struct leat_skip *skips, size_t cnt,
				      const struct leat_record *r)
{
	const uint64_t size = r->size;
	uint64_t at = 0;

	for (const struct leat_skip *s = skips; s < skips + cnt; s++) {
		at += s->gap;
		if (at > size)
			return LEAT_OUTSIDE;
		if (s->location == LEAT_LOCATION_STRING)
			at += leat_len_string((const uint8_t *)r->data + at, size - at) + 1;
		else
			at = leat_skip_other(s, r, at);
	}
	return at;
}
/*
 * The bytes of a place whose offset is counted from @base. False, with an empty slice: out of range.
 */
bool leat_place_slice(const struct leat_place *pl, uint64_t base, const struct leat_record *r,
		      struct leat_slice *out);
/* The @i-th descriptor of @descriptors, which lie @at in the record. */
bool leat_place_described(const struct leat_place *pl, uint64_t at, const struct leat_record *r,
			  struct leat_slice *out);
/* A float of 4 or 8 bytes. */
double leat_place_load_f64(const void *p, uint32_t size);

/* One load of the right width: a memcpy of a size that is not known is a call. */
static inline uint64_t leat_load(const uint8_t *p, uint32_t size)
{
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (size) {
	case 8:
		memcpy(&v64, p, sizeof(v64));
		return v64;
	case 4:
		memcpy(&v32, p, sizeof(v32));
		return v32;
	case 2:
		memcpy(&v16, p, sizeof(v16));
		return v16;
	default:
		return *p;
	}
}

/* An integer of .elem bytes (1, 2, 4, 8; is_integer) as the place's bits and sign say. */
static inline uint64_t leat_place_load(const struct leat_place *pl, const void *p)
{
	uint64_t v = leat_load(p, pl->elem) << (64 - 8 * pl->elem) << (pl->left & 63);

	return pl->left & 0x80 ? (uint64_t)((int64_t)v >> pl->right) : v >> pl->right;
}

static inline bool leat_place_is_described(const struct leat_place *pl)
{
	return pl->location == LEAT_LOCATION_DATA_LOC || pl->location == LEAT_LOCATION_REL_LOC;
}

static inline bool leat_place_is_utf16(const struct leat_place *pl)
{
	return pl->location == LEAT_LOCATION_UTF16 || (pl->type == LEAT_TYPE_CHAR && pl->elem == 2);
}

#endif
