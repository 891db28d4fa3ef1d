/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233343536"
	"37383940414243444546474849505152535455565758596061626364656667686970717273"
	"7475767778798081828384858687888990919293949596979899";
static const char hex[] = "0123456789abcdef";

/* Digits of @v end at @end; where they begin. */
static char *digits(char *end, uint64_t v)
{
	while (v >= 100) {
		end -= 2;
		memcpy(end, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (v >= 10) {
		end -= 2;
		memcpy(end, pairs + v * 2, 2);
	} else {
		*--end = (char)('0' + v);
	}
	return end;
}

static size_t digit_cnt(uint64_t v)
{
	size_t n = 1;

	for (; v >= 10000; v /= 10000)
		n += 4;
	return n + (v >= 10) + (v >= 100) + (v >= 1000);
}

void leat_out_u64(struct leat_out *o, uint64_t v)
{
	const size_t n = digit_cnt(v);

	if (!leat_out_room(o, n))
		return;
	o->p += n;
	digits(o->p, v);
}

void leat_out_i64(struct leat_out *o, int64_t v)
{
	if (v < 0)
		leat_out_char(o, '-');
	leat_out_u64(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void leat_out_hex(struct leat_out *o, uint64_t v)
{
	char text[18];
	char *p = text + sizeof(text);

	do {
		*--p = hex[v & 15];
		v >>= 4;
	} while (v);
	*--p = 'x';
	*--p = '0';
	leat_out_add(o, p, (size_t)(text + sizeof(text) - p));
}

static void put_hex(struct leat_out *o, const uint8_t *p, size_t n)
{
	if (!leat_out_room(o, 2 * n))
		return;
	for (size_t i = 0; i < n; i++) {
		*o->p++ = hex[p[i] >> 4];
		*o->p++ = hex[p[i] & 15];
	}
}

void leat_out_bytes(struct leat_out *o, const void *p, size_t n)
{
	leat_out_add(o, "0x", 2);
	put_hex(o, p, n);
}

void leat_out_time(struct leat_out *o, uint64_t ns)
{
	char text[10] = ".000000000";

	digits(text + sizeof(text), ns % 1000000000);
	leat_out_u64(o, ns / 1000000000);
	leat_out_add(o, text, sizeof(text));
}

void leat_out_f64(struct leat_out *o, double v, bool is_float)
{
	char text[40];
	int n;

	if (isnan(v)) {
		leat_out_add(o, "nan", 3);
		return;
	}
	n = snprintf(text, sizeof(text), "%.*g", is_float ? 6 : 15, v);
	if (is_float ? strtof(text, NULL) != (float)v : strtod(text, NULL) != v)
		n = snprintf(text, sizeof(text), "%.*g", is_float ? 9 : 17, v);
	for (int i = 0; i < n; i++)
		if (text[i] == ',')
			text[i] = '.'; /* the locale's */
	leat_out_add(o, text, (size_t)n);
}

void leat_out_guid(struct leat_out *o, const uint8_t b[16])
{
	const uint8_t head[8] = { b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6] };

	put_hex(o, head, 4);
	leat_out_char(o, '-');
	put_hex(o, head + 4, 2);
	leat_out_char(o, '-');
	put_hex(o, head + 6, 2);
	leat_out_char(o, '-');
	put_hex(o, b + 8, 2);
	leat_out_char(o, '-');
	put_hex(o, b + 10, 6);
}
