/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

typedef void (*text_fn)(struct leat_buf *b, const char *s, size_t n);

static const text_fn forms[] = { leat_text_clean, leat_text_folded, leat_text_json, leat_text_xml };

struct row {
	char in[32];
	size_t n;
	char clean[48], folded[48], json[64], xml[48];
};

#define ROW(in, clean, folded, json, xml)                                                          \
	{                                                                                          \
		in, sizeof(in) - 1, clean, folded, json, xml                                       \
	}
#define SAME(in) ROW(in, in, in, "\"" in "\"", in)

ParameterizedTestParameters(text, forms)
{
	static struct row rows[] = {
		SAME(""),
		SAME("std::vector(int) f#1 ~x"),
		SAME("h\u00e9 \u4e2d \U0001f600"),
		ROW("a;b", "a;b", "a:b", "\"a;b\"", "a;b"),
		ROW("a<b>&c", "a<b>&c", "a<b>&c", "\"a\\u003cb\\u003e\\u0026c\"",
		    "a&lt;b&gt;&amp;c"),
		ROW("\"'\\", "\"'\\", "\"'\\", "\"\\\"'\\\\\"", "&quot;&#39;\\"),
		ROW("a\nb\t", "a\\x0ab\\x09", "a\\x0ab\\x09", "\"a\\nb\\t\"", "a\\x0ab\\x09"),
		ROW("\0\x1b\x7f", "\\x00\\x1b\\x7f", "\\x00\\x1b\\x7f", "\"\\\\x00\\\\x1b\\\\x7f\"",
		    "\\x00\\x1b\\x7f"),
		ROW("\xc2\x85", "\\x85", "\\x85", "\"\\\\x85\"", "\\x85"),
		ROW("\u202ex", "\\u{202e}x", "\\u{202e}x", "\"\\\\u{202e}x\"", "\\u{202e}x"),
		ROW("\u2028", "\\u{2028}", "\\u{2028}", "\"\\\\u{2028}\"", "\\u{2028}"),
		ROW("\xef\xbf\xbf", "\\u{ffff}", "\\u{ffff}", "\"\\\\u{ffff}\"", "\\u{ffff}"),
		ROW("a\xff\xc3", "a\\xff\\xc3", "a\\xff\\xc3", "\"a\\\\xff\\\\xc3\"",
		    "a\\xff\\xc3"),
		ROW("\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80",
		    "\"\\\\xed\\\\xa0\\\\x80\"", "\\xed\\xa0\\x80"),
	};

	return cr_make_param_array(struct row, rows, LEAT_ARRAY_SIZE(rows));
}

ParameterizedTest(struct row *row, text, forms)
{
	const char *want[] = { row->clean, row->folded, row->json, row->xml };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(forms); i++) {
		LEAT_AUTO(leat_buf_fini) struct leat_buf b;

		leat_buf_init(&b, 1000);
		forms[i](&b, row->in, row->n);
		leat_buf_str(&b, "");
		cr_assert(eq(str, b.data, (char *)want[i]));
	}
}

struct utf8 {
	char in[8];
	size_t n, len;
	uint32_t cp;
};

ParameterizedTestParameters(text, utf8)
{
	static struct utf8 rows[] = {
		{ "", 0, 0, 0 },
		{ "a", 1, 1, 'a' },
		{ "\0", 1, 1, 0 },
		{ "\x7f", 1, 1, 0x7f },
		{ "\x80", 1, 0, 0 },
		{ "\xc0\x80", 2, 0, 0 },
		{ "\xc1\xbf", 2, 0, 0 },
		{ "\xc2\x80", 2, 2, 0x80 },
		{ "\xc2", 1, 0, 0 },
		{ "\xc2\x41", 2, 0, 0 },
		{ "\xdf\xbf", 2, 2, 0x7ff },
		{ "\xe0\x9f\xbf", 3, 0, 0 },
		{ "\xe0\xa0\x80", 3, 3, 0x800 },
		{ "\xe0\xa0", 2, 0, 0 },
		{ "\xed\x9f\xbf", 3, 3, 0xd7ff },
		{ "\xed\xa0\x80", 3, 0, 0 },
		{ "\xed\xbf\xbf", 3, 0, 0 },
		{ "\xee\x80\x80", 3, 3, 0xe000 },
		{ "\xef\xbf\xbf", 3, 3, 0xffff },
		{ "\xf0\x8f\xbf\xbf", 4, 0, 0 },
		{ "\xf0\x90\x80\x80", 4, 4, 0x10000 },
		{ "\xf0\x90\x80", 3, 0, 0 },
		{ "\xf0\x90\x80\x41", 4, 0, 0 },
		{ "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
		{ "\xf4\x90\x80\x80", 4, 0, 0 },
		{ "\xf5\x80\x80\x80", 4, 0, 0 },
		{ "\xff", 1, 0, 0 },
	};

	return cr_make_param_array(struct utf8, rows, LEAT_ARRAY_SIZE(rows));
}

ParameterizedTest(struct utf8 *row, text, utf8)
{
	uint32_t cp = 0;

	cr_assert(eq(sz, leat_text_utf8(row->in, row->n, &cp), row->len));
	cr_assert(eq(u32, cp, row->cp));
}

static bool acts(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || cp == 0x61c || cp == 0x200e ||
	       cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) ||
	       cp == 0xfeff || (cp & 0xfffe) == 0xfffe;
}

/* What comes out is UTF-8 without a character that acts, and has none the form cannot hold. */
static void check_output(const struct leat_buf *b, text_fn form)
{
	size_t at = 0;
	uint32_t cp = 0;

	while (at < b->len) {
		size_t len = leat_text_utf8(b->data + at, b->len - at, &cp);

		cr_assert(ne(sz, len, 0));
		cr_assert(not(acts(cp)));
		at += len;
	}
	if (form == leat_text_folded)
		cr_assert(eq(ptr, strchr(b->data, ';'), NULL));
	if (form == leat_text_json || form == leat_text_xml)
		cr_assert(eq(ptr, strpbrk(b->data, "<>"), NULL));
	if (form == leat_text_xml)
		cr_assert(eq(ptr, strpbrk(b->data, "\"'"), NULL));
}

/* Every code point in its UTF-8 form, surrogates included, in groups of 64. */
Test(text, no_code_point_gets_through_that_acts)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, 1 << 16);
	for (uint32_t first = 0x800; first < 0x110000; first += first < 0x10000 ? 64 : 256) {
		char in[64 * 4];
		size_t n = 0;

		for (uint32_t cp = first; cp < first + 64; cp++) {
			if (cp >= 0x10000) {
				in[n++] = (char)(0xf0 | cp >> 18);
				in[n++] = (char)(0x80 | (cp >> 12 & 0x3f));
			} else {
				in[n++] = (char)(0xe0 | cp >> 12);
			}
			in[n++] = (char)(0x80 | (cp >> 6 & 0x3f));
			in[n++] = (char)(0x80 | (cp & 0x3f));
		}
		leat_buf_reset(&b);
		leat_text_clean(&b, in, n);
		check_output(&b, leat_text_clean);
	}
}

/* Every pair of bytes, between letters: no lead byte swallows what follows it. */
Test(text, no_pair_of_bytes_gets_through_that_acts)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, 1 << 16);
	for (unsigned int pair = 0; pair < 0x10000; pair += 1 + pair % 3) {
		char in[] = { 'a', (char)(pair >> 8), (char)pair, 'z' };
		text_fn form = forms[pair % 4];

		leat_buf_reset(&b);
		form(&b, in, sizeof(in));
		check_output(&b, form);
		cr_assert(eq(int, b.data[b.len - (form == leat_text_json ? 2 : 1)], 'z'));
	}
}

Test(text, maximum_of_the_buffer_sticks)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, 8);
	leat_text_json(&b, "\x01\x02\x03", 3);
	cr_assert(eq(int, b.err, -EOVERFLOW));
}
