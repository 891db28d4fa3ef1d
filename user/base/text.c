/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <stdbool.h>

enum form { FORM_CLEAN = 1, FORM_FOLDED = 2, FORM_JSON = 4, FORM_XML = 8 };

/* The forms that cannot take a character as it is, beside control characters and non-ASCII. */
static const uint8_t special[128] = {
	[';'] = FORM_FOLDED,
	['"'] = FORM_JSON | FORM_XML,
	['\\'] = FORM_JSON,
	['<'] = FORM_JSON | FORM_XML,
	['>'] = FORM_JSON | FORM_XML,
	['&'] = FORM_JSON | FORM_XML,
	['\''] = FORM_XML,
};

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t leat_text_utf8(const char *s, size_t n, uint32_t *cp)
{
	const unsigned char *u = (const unsigned char *)s;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t v;
	size_t len;

	if (!n)
		return 0;
	if (u[0] < 0x80) {
		*cp = u[0];
		return 1;
	}
	len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	if (u[0] < 0xc2 || u[0] > 0xf4 || len > n)
		return 0;
	v = u[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (!is_continuation(u[i]))
			return 0;
		v = v << 6 | (u[i] & 0x3f);
	}
	/* Overlong forms, surrogates, beyond Unicode (Unicode 15, table 3-7). */
	if (v < least[len] || (v >= 0xd800 && v <= 0xdfff) || v > 0x10ffff)
		return 0;
	*cp = v;
	return len;
}

/*
 * Characters that act on a terminal or on the order of the text around them, or that no XML file
 * may hold: C0, DEL, C1, line and paragraph separators, bidirectional marks, embeddings, overrides
 * and isolates, interlinear annotation, byte order mark, tags, non-characters.
 */
bool leat_text_is_harmful(uint32_t cp)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f },	  { 0x61c, 0x61c },   { 0x200e, 0x200f },
		{ 0x2028, 0x202e }, { 0x2066, 0x206f },	  { 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (cp >= ranges[i].first && cp <= ranges[i].last)
			return true;
	}
	return (cp & 0xfffe) == 0xfffe;
}

/* \xNN or \u{NNNN}; the backslash is doubled where the form gives it a meaning. */
static void put_escape(struct leat_buf *b, enum form form, uint32_t cp)
{
	const char *slash = form == FORM_JSON ? "\\\\" : "\\";

	if (cp <= 0xff)
		leat_buf_printf(b, "%sx%02x", slash, cp);
	else
		leat_buf_printf(b, "%su{%04x}", slash, cp);
}

static void put_json(struct leat_buf *b, char c)
{
	switch (c) {
	case '"':
	case '\\':
		leat_buf_char(b, '\\');
		leat_buf_char(b, c);
		break;
	default:
		leat_buf_printf(b, "\\u%04x", (unsigned int)(unsigned char)c);
	}
}

static void put_xml(struct leat_buf *b, char c)
{
	switch (c) {
	case '<':
		leat_buf_str(b, "&lt;");
		break;
	case '>':
		leat_buf_str(b, "&gt;");
		break;
	case '&':
		leat_buf_str(b, "&amp;");
		break;
	case '"':
		leat_buf_str(b, "&quot;");
		break;
	default:
		leat_buf_str(b, "&#39;");
	}
}

static void put_special(struct leat_buf *b, enum form form, char c)
{
	if (form == FORM_JSON)
		put_json(b, c);
	else if (form == FORM_XML)
		put_xml(b, c);
	else
		leat_buf_char(b, ':');
}

/* Bytes from @s on that every form takes as they are: nearly always the whole name. */
static size_t plain(const char *s, size_t n, enum form form)
{
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c > 0x7e || (special[c] & form))
			break;
	}
	return i;
}

/* One character, or one byte that is none, which is not plain; how many bytes it took. */
static size_t put_one(struct leat_buf *b, const char *s, size_t n, enum form form)
{
	uint32_t cp = 0;
	size_t len = leat_text_utf8(s, n, &cp);

	if (!len) {
		put_escape(b, form, (unsigned char)*s);
		return 1;
	}
	if (form == FORM_JSON && (cp == '\n' || cp == '\t'))
		leat_buf_str(b, cp == '\n' ? "\\n" : "\\t");
	else if (leat_text_is_harmful(cp))
		put_escape(b, form, cp);
	else if (len == 1)
		put_special(b, form, *s);
	else
		leat_buf_add(b, s, len);
	return len;
}

static void put(struct leat_buf *b, const char *s, size_t n, enum form form)
{
	while (n) {
		size_t len = plain(s, n, form);

		if (len)
			leat_buf_add(b, s, len);
		else
			len = put_one(b, s, n, form);
		s += len;
		n -= len;
	}
}

void leat_text_clean(struct leat_buf *b, const char *s, size_t n)
{
	put(b, s, n, FORM_CLEAN);
}

void leat_text_folded(struct leat_buf *b, const char *s, size_t n)
{
	put(b, s, n, FORM_FOLDED);
}

void leat_text_json(struct leat_buf *b, const char *s, size_t n)
{
	leat_buf_char(b, '"');
	put(b, s, n, FORM_JSON);
	leat_buf_char(b, '"');
}

void leat_text_xml(struct leat_buf *b, const char *s, size_t n)
{
	put(b, s, n, FORM_XML);
}
