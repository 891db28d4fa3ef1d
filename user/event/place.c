/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/place.h"

#define ONES	0x0101010101010101ull
#define HIGHS	0x8080808080808080ull
#define ONES16	0x0001000100010001ull
#define HIGHS16 0x8000800080008000ull

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The lowest marked byte is the first NUL; what is marked above it may be none. */
size_t leat_len_short(const uint8_t *p, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t v = load64(p + i);
		uint64_t nul = (v - ONES) & ~v & HIGHS;

		if (nul)
			return i + (size_t)__builtin_ctzll(nul) / 8;
	}
	while (i < n && p[i])
		i++;
	return i;
}

size_t leat_len_utf16(const void *s, size_t n)
{
	const uint8_t *p = s;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t v = load64(p + i);
		uint64_t nul = (v - ONES16) & ~v & HIGHS16;

		if (nul)
			return i + (size_t)__builtin_ctzll(nul) / 16 * 2;
	}
	while (i + 1 < n && (p[i] || p[i + 1]))
		i += 2;
	return i;
}

/* Of a length-prefixed array at @at: bytes behind the count. False: they are not all there. */
static bool counted(uint64_t at, uint32_t elem, const struct leat_record *r, size_t *len)
{
	uint16_t cnt;

	if (at + sizeof(cnt) > r->size)
		return false;
	memcpy(&cnt, (const uint8_t *)r->data + at, sizeof(cnt));
	*len = (size_t)cnt * elem;
	return *len <= r->size - at - sizeof(cnt);
}

uint64_t leat_skip_other(const struct leat_skip *s, const struct leat_record *r, uint64_t at)
{
	size_t len;

	if (s->location == LEAT_LOCATION_UTF16)
		return at + leat_len_utf16((const uint8_t *)r->data + at, r->size - at) + 2;
	return counted(at, s->elem, r, &len) ? at + sizeof(uint16_t) + len : LEAT_OUTSIDE;
}

/* Kernel's __data_loc and __rel_loc: length in the upper half, offset in the lower. */
bool leat_place_described(const struct leat_place *pl, uint64_t at, const struct leat_record *r,
			  struct leat_slice *out)
{
	uint32_t word;

	*out = (struct leat_slice){ .data = NULL, .len = 0 };
	if (at + sizeof(word) > r->size)
		return false;
	memcpy(&word, (const uint8_t *)r->data + at, sizeof(word));
	at = (word & 0xffff) + (pl->location == LEAT_LOCATION_REL_LOC ? at + sizeof(word) : 0);
	if (at + (word >> 16) > r->size)
		return false;
	*out = (struct leat_slice){ .data = (const uint8_t *)r->data + at, .len = word >> 16 };
	return true;
}

bool leat_place_slice(const struct leat_place *pl, uint64_t base, const struct leat_record *r,
		      struct leat_slice *out)
{
	const uint64_t at = base + pl->offset;
	const uint8_t *p;
	size_t left;

	if (leat_place_is_described(pl) && pl->size <= sizeof(uint32_t))
		return leat_place_described(pl, at, r, out);
	*out = (struct leat_slice){ .data = NULL, .len = 0 };
	if (at + pl->size > r->size)
		return false;
	p = (const uint8_t *)r->data + at;
	left = r->size - at;
	switch ((enum leat_location)pl->location) {
	case LEAT_LOCATION_STRING:
		left = leat_len_string(p, left);
		break;
	case LEAT_LOCATION_UTF16:
		left = leat_len_utf16(p, left);
		break;
	case LEAT_LOCATION_LEN_ARRAY:
		if (!counted(at, pl->elem, r, &left))
			return false;
		p += sizeof(uint16_t);
		break;
	case LEAT_LOCATION_TAIL:
		break;
	default:
		left = pl->size;
	}
	*out = (struct leat_slice){ .data = p, .len = left };
	return true;
}

double leat_place_load_f64(const void *p, uint32_t size)
{
	float f;
	double d;

	if (size == sizeof(f)) {
		memcpy(&f, p, sizeof(f));
		return (double)f;
	}
	memcpy(&d, p, sizeof(d));
	return d;
}
