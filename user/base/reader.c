/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/reader.h"

#include <string.h>

int leat_reader_uleb128(struct leat_reader *r, uint64_t *out)
{
	uint64_t v = 0;
	size_t off = r->off;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		if (off >= r->len)
			return -ENODATA;
		byte = r->base[off++];
		/* Padding (0x80 ... 0x00) is legal at any length; bits beyond 64 are not. */
		if (shift >= 64 ? byte & 0x7f : shift == 63 && (byte & 0x7e))
			return -EOVERFLOW;
		if (shift < 64)
			v |= (uint64_t)(byte & 0x7f) << shift;
		shift += shift < 64 ? 7 : 0;
	} while (byte & 0x80);
	r->off = off;
	*out = v;
	return 0;
}

int leat_reader_sleb128(struct leat_reader *r, int64_t *out)
{
	uint64_t v = 0;
	size_t off = r->off;
	unsigned int shift = 0;
	uint8_t byte, bits;

	do {
		if (off >= r->len)
			return -ENODATA;
		byte = r->base[off++];
		bits = byte & 0x7f;
		/* From bit 63 on there is nothing but copies of the sign. */
		if (shift == 63 && bits != 0 && bits != 0x7f)
			return -EOVERFLOW;
		if (shift > 63 && bits != (v >> 63 ? 0x7f : 0))
			return -EOVERFLOW;
		if (shift < 64)
			v |= (uint64_t)bits << shift;
		shift += shift < 64 ? 7 : 0;
	} while (byte & 0x80);
	if (shift < 64 && (byte & 0x40))
		v |= ~0ull << shift;
	r->off = off;
	*out = (int64_t)v;
	return 0;
}

int leat_reader_str(struct leat_reader *r, const char **out)
{
	const char *s = (const char *)r->base + r->off;
	const char *nul = leat_reader_left(r) ? memchr(s, 0, leat_reader_left(r)) : NULL;

	if (!nul)
		return -ENODATA;
	r->off += (size_t)(nul - s) + 1;
	*out = s;
	return 0;
}

int leat_reader_sub(const struct leat_reader *r, uint64_t off, uint64_t len,
		    struct leat_reader *out)
{
	if (off > r->len || len > r->len - off)
		return -ENODATA;
	*out = leat_reader_of(r->base + off, len);
	return 0;
}
