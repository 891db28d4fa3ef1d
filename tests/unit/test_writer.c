/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <leat/writer.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "base/cleanup.h"
#include "event/out.h"

/* One record of one field, in both kinds. */
struct row {
	struct leat_field field;
	const char *bytes;
	size_t size;
	const char *text;
	const char *json;
};

#define BYTES(s)       .bytes = (s), .size = sizeof(s) - 1
#define FIELD(t, n)    .field = { .type = LEAT_TYPE_##t, .size = (n) }
#define ARRAY(t, n, e) .field = { .type = LEAT_TYPE_##t, .size = (n), .elem_size = (e) }
#define STRING	       .field = { .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_STRING }
#define WIDE	       .field = { .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_UTF16 }
#define TAIL(t, e)                                                                                 \
	.field = { .type = LEAT_TYPE_##t, .location = LEAT_LOCATION_TAIL, .elem_size = (e) }

static const struct leat_value_name kinds[] = { { 7, "SEVEN" }, { 0, "ZERO" }, { 3, "two words" } };
static const struct leat_value_name bits[] = { { 6, "SIX" }, { 1, "A" }, { 2, "B" }, { 4, "C" } };
static const struct leat_value_name with_zero[] = { { 0, "NONE" }, { 1, "A" } };

#define NAMED(t, n, flags)                                                                         \
	.field = { .type = LEAT_TYPE_##t,                                                          \
		   .size = 1,                                                                      \
		   .names = (n),                                                                   \
		   .name_cnt = LEAT_ARRAY_SIZE(n),                                                 \
		   .names_are_flags = (flags) }

static const struct row rows[] = {
	{ FIELD(UINT, 1), BYTES("\xff"), "255", "255" },
	{ FIELD(INT, 1), BYTES("\xff"), "-1", "-1" },
	{ FIELD(INT, 1), BYTES("\x80"), "-128", "-128" },
	{ FIELD(UINT, 2), BYTES("\xff\xff"), "65535", "65535" },
	{ FIELD(INT, 4), BYTES("\0\0\0\x80"), "-2147483648", "-2147483648" },
	{ FIELD(UINT, 8), BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615",
	  "18446744073709551615" },
	{ FIELD(INT, 8), BYTES("\0\0\0\0\0\0\0\x80"), "-9223372036854775808",
	  "-9223372036854775808" },
	{ FIELD(UINT, 4), BYTES("\0\0\0\0"), "0", "0" },
	{ FIELD(BOOL, 1), BYTES("\0"), "false", "false" },
	{ FIELD(BOOL, 4), BYTES("\0\0\1\0"), "true", "true" },
	{ FIELD(POINTER, 8), BYTES("\x10\x32\x54\x76\x98\xba\xdc\xfe"), "0xfedcba9876543210",
	  "\"0xfedcba9876543210\"" },
	{ FIELD(POINTER, 8), BYTES("\0\0\0\0\0\0\0\0"), "0x0", "\"0x0\"" },
	{ FIELD(TIME, 8), BYTES("\5\xca\x9a\x3b\0\0\0\0"), "1.000000005", "1000000005" },
	{ FIELD(TIME, 8), BYTES("\0\0\0\0\0\0\0\0"), "0.000000000", "0" },
	{ FIELD(FLOAT, 4), BYTES("\xcd\xcc\xcc\x3d"), "0.1", "0.1" },
	{ FIELD(FLOAT, 8), BYTES("\x9a\x99\x99\x99\x99\x99\xb9\x3f"), "0.1", "0.1" },
	{ FIELD(FLOAT, 8), BYTES("\x34\x33\x33\x33\x33\x33\xd3\x3f"), "0.30000000000000004",
	  "0.30000000000000004" },
	{ FIELD(FLOAT, 4), BYTES("\0\0\xc0\x7f"), "nan", "null" },
	{ FIELD(FLOAT, 8), BYTES("\0\0\0\0\0\0\xf0\xff"), "-inf", "null" },
	{ FIELD(GUID, 16),
	  BYTES("\x88\xc3\x1c\x78\x76\xdd\xa2\x59\xe5\x2f\xcb\x83\x91\x9a\xa3\x8b"),
	  "781cc388-dd76-59a2-e52f-cb83919aa38b", "\"781cc388-dd76-59a2-e52f-cb83919aa38b\"" },
	/* names */
	{ NAMED(UINT, kinds, false), BYTES("\7"), "SEVEN", "\"SEVEN\"" },
	{ NAMED(UINT, kinds, false), BYTES("\0"), "ZERO", "\"ZERO\"" },
	{ NAMED(UINT, kinds, false), BYTES("\3"), "\"two words\"", "\"two words\"" },
	{ NAMED(INT, kinds, false), BYTES("\xff"), "-1", "-1" },
	{ NAMED(UINT, bits, true), BYTES("\7"), "SIX|A", "\"SIX|A\"" },
	{ NAMED(UINT, bits, true), BYTES("\5"), "A|C", "\"A|C\"" },
	{ NAMED(UINT, bits, true), BYTES("\x41"), "A|0x40", "\"A|0x40\"" },
	{ NAMED(UINT, bits, true), BYTES("\x40"), "0x40", "\"0x40\"" },
	{ NAMED(UINT, bits, true), BYTES("\0"), "0", "\"0\"" },
	{ NAMED(UINT, with_zero, true), BYTES("\0"), "NONE", "\"NONE\"" },
	{ NAMED(UINT, with_zero, true), BYTES("\1"), "A", "\"A\"" },
	/* text */
	{ ARRAY(CHAR, 8, 1), BYTES("redis\0xx"), "redis", "\"redis\"" },
	{ ARRAY(CHAR, 4, 1), BYTES("full"), "full", "\"full\"" },
	{ ARRAY(CHAR, 4, 1), BYTES("\0abc"), "\"\"", "\"\"" },
	{ STRING, BYTES("two words\0"), "\"two words\"", "\"two words\"" },
	{ STRING, BYTES("?\0"), "\"?\"", "\"?\"" },
	{ STRING, BYTES("a=b\0"), "\"a=b\"", "\"a=b\"" },
	{ STRING, BYTES("abcdefghijklmnop=\0"), "\"abcdefghijklmnop=\"", "\"abcdefghijklmnop=\"" },
	{ STRING, BYTES("say \"hi\\\"\0"), "\"say \\\"hi\\\\\\\"\"", "\"say \\\"hi\\\\\\\"\"" },
	{ STRING, BYTES("\b\f\n\r\t\1\x1f\x7f\0"), "\"\\x08\\x0c\\n\\r\\t\\x01\\x1f\\x7f\"",
	  "\"\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"" },
	{ STRING, BYTES("caf\xc3\xa9 \xf0\x9f\x94\xa5\0"), "\"caf\xc3\xa9 \xf0\x9f\x94\xa5\"",
	  "\"caf\xc3\xa9 \xf0\x9f\x94\xa5\"" },
	{ STRING, BYTES("\xff\xc3(\xe2\x82\0"), "\"\\xff\\xc3(\\xe2\\x82\"",
	  "\"\\ufffd\\ufffd(\\ufffd\\ufffd\"" },
	{ STRING, BYTES("\xed\xa0\x80\0"), "\"\\xed\\xa0\\x80\"", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ STRING, BYTES("a\xe2\x80\xae\x62\0"), "\"a\\u{202e}b\"", "\"a\\u202eb\"" },
	{ STRING, BYTES("\xf3\xa0\x80\x81\0"), "\"\\u{e0001}\"", "\"\\udb40\\udc01\"" },
	{ STRING, BYTES("</script>\0"), "</script>", "\"</script>\"" },
	{ WIDE, BYTES("h\0i\0\0\0"), "hi", "\"hi\"" },
	{ WIDE, BYTES("\0\0"), "\"\"", "\"\"" },
	{ WIDE, BYTES("h\0 \0\"\0\0\0"), "\"h \\\"\"", "\"h \\\"\"" },
	{ WIDE, BYTES("\x3d\xd8\x25\xdd\xe9\0\0\0"), "\"\xf0\x9f\x94\xa5\xc3\xa9\"",
	  "\"\xf0\x9f\x94\xa5\xc3\xa9\"" },
	{ WIDE, BYTES("\x3d\xd8x\0\0\0"), "\"\xef\xbf\xbdx\"", "\"\xef\xbf\xbdx\"" },
	{ WIDE, BYTES("x\0\x25\xdd\0\0"), "\"x\xef\xbf\xbd\"", "\"x\xef\xbf\xbd\"" },
	{ WIDE, BYTES("x\0\x3d\xd8"), "\"x\xef\xbf\xbd\"", "\"x\xef\xbf\xbd\"" },
	{ ARRAY(CHAR, 6, 2), BYTES("o\0k\0\0\0"), "ok", "\"ok\"" },
	/* arrays and bytes */
	{ ARRAY(UINT, 3, 1), BYTES("\x0a\x0b\xff"), "0x0a0bff", "\"0x0a0bff\"" },
	{ ARRAY(INT, 3, 1), BYTES("\1\xff\3"), "[1,-1,3]", "[1,-1,3]" },
	{ ARRAY(UINT, 4, 2), BYTES("\1\0\2\0"), "[1,2]", "[1,2]" },
	{ FIELD(BYTES, 3), BYTES("\1\2\3"), "0x010203", "\"0x010203\"" },
	{ TAIL(UINT, 4), BYTES("\1\0\0\0\2\0\0\0\3"), "[1,2]", "[1,2]" },
	{ TAIL(UINT, 4), BYTES(""), "[]", "[]" },
	{ TAIL(POINTER, 8), BYTES("\1\0\0\0\0\0\0\0"), "[0x1]", "[\"0x1\"]" },
	{ TAIL(CHAR, 1), BYTES("rest"), "rest", "\"rest\"" },
	{ .field = { .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_DATA_LOC, .size = 4 },
	  BYTES("\5\0\2\0_ab"),
	  "ab",
	  "\"ab\"" },
	{ .field = { .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_DATA_LOC, .size = 4 },
	  BYTES("\6\0\2\0_ab"),
	  "?",
	  "null" },
	{ .field = { .type = LEAT_TYPE_UINT,
		     .location = LEAT_LOCATION_REL_LOC,
		     .size = 4,
		     .elem_size = 2 },
	  BYTES("\0\0\4\0\1\0\2\0"),
	  "[1,2]",
	  "[1,2]" },
	{ .field = { .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_DATA_LOC, .size = 8 },
	  BYTES("\x08\0\1\0\x09\0\2\0xyz"),
	  "[\"x\",\"yz\"]",
	  "[\"x\",\"yz\"]" },
	{ .field = { .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_DATA_LOC, .size = 8 },
	  BYTES("\x08\0\1\0\x09\0\3\0xyz"),
	  "[\"x\",?]",
	  "[\"x\",null]" },
	{ .field = { .type = LEAT_TYPE_UINT, .location = LEAT_LOCATION_LEN_ARRAY, .elem_size = 2 },
	  BYTES("\2\0\1\0\2\0"),
	  "[1,2]",
	  "[1,2]" },
	{ .field = { .type = LEAT_TYPE_INT,
		     .location = LEAT_LOCATION_BITS,
		     .size = 1,
		     .bit_offset = 1,
		     .bit_width = 2 },
	  BYTES("\6"),
	  "-1",
	  "-1" },
	/* short */
	{ FIELD(UINT, 4), BYTES("\1\2\3"), "?", "null" },
	{ FIELD(GUID, 16), BYTES("\1\2\3"), "?", "null" },
};

static struct leat_writer *writer_of(const struct leat_field *fields, size_t n,
				     enum leat_writer_kind kind)
{
	LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
	struct leat_writer *w = NULL;

	cr_assert(zero(int, leat_format_new(&f, "test")));
	for (size_t i = 0; i < n; i++)
		cr_assert(zero(int, leat_format_add(f, &fields[i])), "field %zu", i);
	cr_assert(zero(int, leat_writer_new(&w, f, kind)));
	return w;
}

/* Into memory of exactly @cap bytes, so that a sanitizer sees one too many. */
static char *write_in(struct leat_writer *w, const void *data, size_t size, size_t cap, int *err)
{
	struct leat_record r = { .data = data, .size = (uint32_t)size };
	LEAT_FREE char *buf = malloc(cap ? cap : 1);
	size_t len = 12345;
	char *copy;

	*err = leat_writer_write(w, &r, buf, cap, &len);
	if (*err)
		cr_assert(eq(sz, len, 12345));
	if (*err)
		return NULL;
	copy = calloc(1, len + 1);
	memcpy(copy, buf, len);
	return copy;
}

static void expect(const struct row *row, size_t i, enum leat_writer_kind kind)
{
	struct leat_field field = row->field;
	LEAT_AUTO(leat_writer_free) struct leat_writer *w = NULL;
	char want[128];
	int err;

	field.name = "f";
	w = writer_of(&field, 1, kind);
	snprintf(want, sizeof(want), kind == LEAT_WRITER_JSON ? "{\"f\":%s}" : "f=%s",
		 kind == LEAT_WRITER_JSON ? row->json : row->text);
	for (size_t cap = 0; cap <= strlen(want) + 1; cap++) {
		LEAT_FREE char *got = write_in(w, row->bytes, row->size, cap, &err);

		cr_assert(eq(int, err, cap < strlen(want) ? -EOVERFLOW : 0), "row %zu cap %zu", i,
			  cap);
		cr_assert(err || !strcmp(got, want), "row %zu: %s not %s", i, got, want);
	}
}

Test(writer, each_type_at_every_capacity)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		expect(&rows[i], i, LEAT_WRITER_TEXT);
		expect(&rows[i], i, LEAT_WRITER_JSON);
	}
}

static const struct leat_field mixed[] = {
	{ .name = "h.tid", .type = LEAT_TYPE_UINT, .size = 4 },
	{ .name = "a", .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_STRING, .offset = 4 },
	{ .name = "b", .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_UTF16, .follows = true },
	{ .name = "n",
	  .type = LEAT_TYPE_INT,
	  .location = LEAT_LOCATION_LEN_ARRAY,
	  .elem_size = 2,
	  .follows = true },
	{ .name = "v", .type = LEAT_TYPE_INT, .offset = 1, .size = 2, .follows = true },
	{ .name = "odd \"name\"", .type = LEAT_TYPE_UINT, .size = 1 },
};
static const char mixed_bytes[] = "\1\0\0\0text\0w\0\0\0\2\0\1\0\xff\xff_\xfe\xff";

Test(writer, whole_records_with_fields_that_follow)
{
	LEAT_AUTO(leat_writer_free) struct leat_writer *t = writer_of(mixed, 6, LEAT_WRITER_TEXT);
	LEAT_AUTO(leat_writer_free) struct leat_writer *j = writer_of(mixed, 6, LEAT_WRITER_JSON);
	LEAT_FREE char *text = NULL, *json = NULL;
	int err;

	text = write_in(t, mixed_bytes, sizeof(mixed_bytes) - 1, 200, &err);
	cr_assert(eq(str, text, (char *)"h.tid=1 a=text b=w n=[1,-1] v=-2 odd \"name\"=1"));
	json = write_in(j, mixed_bytes, sizeof(mixed_bytes) - 1, 200, &err);
	cr_assert(eq(str, json,
		     (char *)"{\"h.tid\":1,\"a\":\"text\",\"b\":\"w\",\"n\":[1,-1],"
			     "\"v\":-2,\"odd \\\"name\\\"\":1}"));
	cr_assert(zero(u64, leat_writer_short_cnt(t)));
}

/* A record cut anywhere is written; what is not there is missing, and counted. */
Test(writer, records_cut_at_every_byte)
{
	LEAT_AUTO(leat_writer_free) struct leat_writer *j = writer_of(mixed, 6, LEAT_WRITER_JSON);
	uint64_t before = 0;

	for (size_t n = 0; n < sizeof(mixed_bytes) - 1; n++) {
		LEAT_FREE char *bytes = malloc(n ? n : 1);
		LEAT_FREE char *json = NULL;
		int err;

		memcpy(bytes, mixed_bytes, n);
		json = write_in(j, bytes, n, 200, &err);
		cr_assert(zero(int, err));
		cr_assert(strstr(json, "\"v\":null") != NULL, "%s", json);
		cr_assert(gt(u64, leat_writer_short_cnt(j), before));
		before = leat_writer_short_cnt(j);
	}
}

Test(writer, a_format_without_fields)
{
	LEAT_AUTO(leat_writer_free) struct leat_writer *t = writer_of(NULL, 0, LEAT_WRITER_TEXT);
	LEAT_AUTO(leat_writer_free) struct leat_writer *j = writer_of(NULL, 0, LEAT_WRITER_JSON);
	LEAT_FREE char *text = NULL, *json = NULL;
	int err;

	text = write_in(t, "", 0, 0, &err);
	cr_assert(eq(str, text, (char *)""));
	json = write_in(j, "", 0, 2, &err);
	cr_assert(eq(str, json, (char *)"{}"));
}

/* More names than fit: the rest in hex, never cut in silence. */
Test(writer, many_long_flags)
{
	struct leat_value_name names[32];
	char texts[32][40];
	struct leat_field field = { .name = "f",
				    .type = LEAT_TYPE_UINT,
				    .size = 4,
				    .names = names,
				    .name_cnt = 32,
				    .names_are_flags = true };
	LEAT_AUTO(leat_writer_free) struct leat_writer *w = NULL;
	LEAT_FREE char *text = NULL;
	int err;

	for (int i = 0; i < 32; i++) {
		snprintf(texts[i], sizeof(texts[i]), "A_RATHER_LONG_NAME_OF_A_FLAG_%d", i);
		names[i] = (struct leat_value_name){ .value = 1u << i, .name = texts[i] };
	}
	w = writer_of(&field, 1, LEAT_WRITER_TEXT);
	text = write_in(w, "\xff\xff\xff\xff", 4, 2000, &err);
	cr_assert(strncmp(text, "f=A_RATHER_LONG_NAME_OF_A_FLAG_0|A_R", 36) == 0, "%s", text);
	cr_assert(strstr(text, "|0xffff") != NULL, "%s", text);
}

Test(writer, unknown_kinds_and_memory)
{
	LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
	struct leat_writer *w = NULL;
	struct leat_field field = {
		.name = "f", .type = LEAT_TYPE_UINT, .size = 1, .names = kinds, .name_cnt = 3
	};

	cr_assert(zero(int, leat_format_new(&f, "test")));
	cr_assert(zero(int, leat_format_add(f, &field)));
	cr_assert(eq(int, leat_writer_new(&w, f, (enum leat_writer_kind)2), -EINVAL));
	LEAT_ALLOC_EACH_FAILS {
		int err = leat_writer_new(&w, f, LEAT_WRITER_JSON);

		leat_alloc_disarm();
		cr_assert(err == 0 || (err == -ENOMEM && !w));
		leat_writer_free(&w);
	}
	leat_writer_free(&w);
}

Test(writer, numbers_of_every_length)
{
	char buf[24];

	for (uint64_t v = 1, i = 0; i < 20; i++, v *= 10) {
		const uint64_t near[] = { v - 1, v, v + 1, v * 9 };

		for (size_t k = 0; k < 4; k++) {
			struct leat_out o = { .p = buf, .end = buf + sizeof(buf) };
			char want[24];

			leat_out_u64(&o, near[k]);
			*o.p = 0;
			snprintf(want, sizeof(want), "%llu", (unsigned long long)near[k]);
			cr_assert(eq(str, buf, want));
		}
	}
}

/* Whatever is looked at in words, a byte that needs an escape is found wherever it stands. */
Test(writer, a_special_byte_at_every_place_of_every_length)
{
	static const char special[] = { '"', '\\', 0x1f, 0x7f, (char)0x80, (char)0xff, '=', ' ' };

	for (size_t len = 1; len <= 40; len++) {
		for (size_t at = 0; at < len; at++) {
			for (size_t i = 0; i < sizeof(special); i++) {
				const bool json_is_plain = special[i] == '=' || special[i] == ' ';
				char in[40], text[300], json[300];
				struct leat_out t = { .p = text, .end = text + sizeof(text) };
				struct leat_out j = { .p = json, .end = json + sizeof(json) };

				memset(in, '~', sizeof(in));
				in[at] = special[i];
				leat_out_text(&t, LEAT_OUT_BARE, in, len);
				leat_out_text(&j, LEAT_OUT_JSON, in, len);
				cr_assert(eq(chr, text[0], '"'), "%zu at %zu of %zu", i, at, len);
				cr_assert(eq(int, (size_t)(j.p - json) == len + 2, json_is_plain),
					  "%zu at %zu of %zu", i, at, len);
			}
		}
	}
}
