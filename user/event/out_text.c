/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that may hold anything: nearly always it is plain, so that is found out many bytes at a time. */
#include "event/out.h"

#include "base/text.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define REPLACEMENT 0xfffdu

static bool is_special(unsigned char c, bool bare)
{
	return c <= (bare ? 0x20 : 0x1f) || c >= 0x7f || c == '"' || c == '\\' ||
	       (bare && c == '=');
}

#ifdef __SSE2__
/* Whether one of sixteen bytes needs a second look. As signed numbers, what is not ASCII is below it. */
static inline bool is_special16(__m128i v, bool bare)
{
	__m128i odd = _mm_cmplt_epi8(v, _mm_set1_epi8(bare ? 0x21 : 0x20));

	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
	if (bare)
		odd = _mm_or_si128(odd, _mm_cmpeq_epi8(v, _mm_set1_epi8('=')));
	return _mm_movemask_epi8(odd) != 0;
}

/* Of at least eight bytes, as is_plain. */
static bool is_plain_long(const char *s, size_t n, bool bare)
{
	if (n < 16) {
		const __m128i head = _mm_loadl_epi64((const __m128i *)(const void *)s);
		const __m128i tail = _mm_loadl_epi64((const __m128i *)(const void *)(s + n - 8));

		return !is_special16(_mm_unpacklo_epi64(head, tail), bare);
	}
	for (size_t i = 0; i + 16 < n; i += 16)
		if (is_special16(_mm_loadu_si128((const __m128i *)(const void *)(s + i)), bare))
			return false;
	return !is_special16(_mm_loadu_si128((const __m128i *)(const void *)(s + n - 16)), bare);
}
#else
#define ALL(c) ((c)*0x0101010101010101ull)
#define HIGHS  ALL(0x80ull)

/* A high bit where a byte of @v is 0; may mark bytes above such a one too. */
static uint64_t zeros(uint64_t v)
{
	return (v - ALL(1)) & ~v & HIGHS;
}

/* Whether a byte of eight needs a second look: not printable ASCII, or '"' or '\\', or one of @bare. */
static bool is_special8(const char *s, bool bare)
{
	uint64_t v, odd;

	memcpy(&v, s, sizeof(v));
	odd = (v & HIGHS) | ((v - ALL(bare ? 0x21ull : 0x20ull)) & ~v & HIGHS);
	odd |= zeros(v ^ ALL('"')) | zeros(v ^ ALL('\\')) | zeros(v ^ ALL(0x7full));
	if (bare)
		odd |= zeros(v ^ ALL('='));
	return odd;
}

/* Of at least eight bytes, as is_plain. */
static bool is_plain_long(const char *s, size_t n, bool bare)
{
	for (size_t i = 0; i + 8 < n; i += 8)
		if (is_special8(s + i, bare))
			return false;
	return !is_special8(s + n - 8, bare);
}
#endif

static bool is_plain(const char *s, size_t n, bool bare)
{
	if (n >= 8)
		return is_plain_long(s, n, bare);
	for (size_t i = 0; i < n; i++)
		if (is_special((unsigned char)s[i], bare))
			return false;
	return true;
}

static void put_u16(struct leat_out *o, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";
	const char text[6] = {
		'\\',	       'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
		hex[unit & 15]
	};

	leat_out_add(o, text, sizeof(text));
}

static void escape_json(struct leat_out *o, uint32_t cp)
{
	static const char shorts[] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'
	};

	if (cp < sizeof(shorts) && shorts[cp]) {
		leat_out_char(o, '\\');
		leat_out_char(o, shorts[cp]);
	} else if (cp > 0xffff) {
		put_u16(o, 0xd800 + ((cp - 0x10000) >> 10));
		put_u16(o, 0xdc00 + ((cp - 0x10000) & 0x3ff));
	} else {
		put_u16(o, cp);
	}
}

static void escape_text(struct leat_out *o, uint32_t cp)
{
	static const char shorts[] = { ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
	char digits[8];
	size_t n = sizeof(digits);

	leat_out_char(o, '\\');
	if (cp < sizeof(shorts) && shorts[cp]) {
		leat_out_char(o, shorts[cp]);
		return;
	}
	do {
		digits[--n] = "0123456789abcdef"[cp & 15];
		cp >>= 4;
	} while (cp);
	if (sizeof(digits) - n <= 2)
		leat_out_add(o, "x0", sizeof(digits) - n == 1 ? 2 : 1);
	else
		leat_out_add(o, "u{", 2);
	for (size_t i = n; i < sizeof(digits); i++)
		leat_out_char(o, digits[i]);
	if (sizeof(digits) - n > 2)
		leat_out_char(o, '}');
}

static void put_utf8(struct leat_out *o, uint32_t cp)
{
	char s[4];

	if (cp < 0x80) {
		leat_out_char(o, (char)cp);
		return;
	}
	s[0] = (char)(cp < 0x800     ? 0xc0 | cp >> 6
		      : cp < 0x10000 ? 0xe0 | cp >> 12
				     : 0xf0 | cp >> 18);
	s[1] = (char)(0x80 | (cp >> (cp < 0x800 ? 0 : cp < 0x10000 ? 6 : 12) & 0x3f));
	s[2] = (char)(0x80 | (cp >> (cp < 0x10000 ? 0 : 6) & 0x3f));
	s[3] = (char)(0x80 | (cp & 0x3f));
	leat_out_add(o, s, cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4);
}

/* One character within quotes. */
static void put_cp(struct leat_out *o, bool json, uint32_t cp)
{
	if (cp == '"' || cp == '\\') {
		leat_out_char(o, '\\');
		leat_out_char(o, (char)cp);
	} else if (!leat_text_is_harmful(cp)) {
		put_utf8(o, cp);
	} else if (json) {
		escape_json(o, cp);
	} else {
		escape_text(o, cp);
	}
}

static void put_quoted(struct leat_out *o, bool json, const char *s, size_t n)
{
	leat_out_char(o, '"');
	while (n) {
		uint32_t cp = 0;
		size_t len = leat_text_utf8(s, n, &cp);

		if (len)
			put_cp(o, json, cp);
		else if (json)
			put_u16(o, REPLACEMENT);
		else
			escape_text(o, (unsigned char)*s);
		len = len ? len : 1;
		s += len;
		n -= len;
	}
	leat_out_char(o, '"');
}

void leat_out_text(struct leat_out *o, enum leat_out_text how, const void *s, size_t n)
{
	/* A lone question mark is what stands for a missing value. */
	if (how == LEAT_OUT_BARE && n && is_plain(s, n, true) &&
	    !(n == 1 && *(const char *)s == '?')) {
		leat_out_add(o, s, n);
		return;
	}
	if (how != LEAT_OUT_BARE && is_plain(s, n, false)) {
		leat_out_char(o, '"');
		leat_out_add(o, s, n);
		leat_out_char(o, '"');
		return;
	}
	put_quoted(o, how == LEAT_OUT_JSON, s, n);
}

static uint32_t unit_at(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

/* The character at @p; how many bytes it has. REPLACEMENT for half a pair. */
static size_t utf16_cp(const uint8_t *p, size_t n, uint32_t *cp)
{
	uint32_t a = unit_at(p), b;

	*cp = a;
	if (a < 0xd800 || a > 0xdfff)
		return 2;
	*cp = REPLACEMENT;
	if (a > 0xdbff || n < 4)
		return 2;
	b = unit_at(p + 2);
	if (b < 0xdc00 || b > 0xdfff)
		return 2;
	*cp = 0x10000 + ((a - 0xd800) << 10 | (b - 0xdc00));
	return 4;
}

void leat_out_utf16(struct leat_out *o, enum leat_out_text how, const void *s, size_t n)
{
	const uint8_t *p = s;
	bool bare = how == LEAT_OUT_BARE && n >= 2 && !(n < 4 && unit_at(p) == '?');

	for (size_t i = 0; i + 1 < n && bare; i += 2)
		bare = unit_at(p + i) < 0x7f && !is_special((unsigned char)unit_at(p + i), true);
	if (!bare)
		leat_out_char(o, '"');
	while (n >= 2) {
		uint32_t cp;
		size_t len = utf16_cp(p, n, &cp);

		put_cp(o, how == LEAT_OUT_JSON, cp);
		p += len;
		n -= len;
	}
	if (!bare)
		leat_out_char(o, '"');
}
