/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEAT_SYMBOLS_HEX_H
#define LEAT_SYMBOLS_HEX_H

#include <stdint.h>

/* Value of a hexadecimal digit; over 15: none. */
static inline unsigned int leat_hex_digit(char c)
{
	unsigned int d = (unsigned char)c - '0';

	if (d <= 9)
		return d;
	d = ((unsigned char)c | 0x20u) - 'a';
	return d <= 5 ? d + 10 : 16;
}

/*
 * Reads the digits at @s, up to @end, and returns where they end: @s when there are none, or more
 * than fit 64 bits.
 */
static inline const char *leat_hex_read(const char *s, const char *end, uint64_t *out)
{
	const char *p = s;
	uint64_t v = 0;
	unsigned int d;

	for (; p < end && (d = leat_hex_digit(*p)) < 16; p++) {
		if (v >> 60)
			return s;
		v = v << 4 | d;
	}
	*out = v;
	return p;
}

#endif
