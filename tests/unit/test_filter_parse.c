/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/filter.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/filter_format.h"
#include "base/cleanup.h"

static struct leat_format *format;

static void init(void)
{
	format = filter_format();
}

static void fini(void)
{
	leat_format_free(&format);
}

TestSuite(filter_parse, .init = init, .fini = fini);

/* ---- errors: where, and what is said ---- */

static const struct {
	const char *text;
	int err;
	size_t column;
	const char *says;
} errors[] = {
	{ "", -EINVAL, 1, "expected the name of a field, found the end" },
	{ "   ", -EINVAL, 4, "expected the name of a field, found the end" },
	{ "u9 == 1", -ENOENT, 1,
	  "no field \"u9\"; did you mean \"u8\"?; fields are: u8, u16, u32" },
	{ "u8 == 1 && com == \"x\"", -ENOENT, 12, "did you mean \"comm\"?" },
	{ "pid == 1", -ENOENT, 1, "did you mean \"inner.pid\"?" },
	{ "nothing_like_it == 1", -ENOENT, 1, "no field \"nothing_like_it\"; fields are:" },
	{ "u8", -EINVAL, 3, "expected an operator, found the end" },
	{ "u8 u16", -EINVAL, 4, "expected an operator, found u16" },
	{ "u8 ==", -EINVAL, 6, "expected a number, found the end" },
	{ "u8 == ==", -EINVAL, 7, "expected a number, found ==" },
	{ "u8 == \"a\"", -EINVAL, 7,
	  "expected a whole number: u8 is an unsigned number of 1 bytes" },
	{ "u8 == 1.5", -EINVAL, 7, "expected a whole number: u8 is" },
	{ "u8 == FOO", -ENOENT, 7, "\"FOO\" is no value of u8: expected a number" },
	{ "u8 contains \"a\"", -EINVAL, 4,
	  "u8 is an unsigned number of 1 bytes: expected == != < <= > >= & or in" },
	{ "i32 ~ \"a\"", -EINVAL, 5, "i32 is a signed number of 4 bytes: expected" },
	{ "f64 & 1", -EINVAL, 5, "f64 is a floating-point number of 8 bytes: expected" },
	{ "f64 == \"a\"", -EINVAL, 8, "expected a number" },
	{ "f64 in 1..2.5", -EINVAL, 14, "both ends of a range are written alike" },
	{ "comm < \"a\"", -EINVAL, 6,
	  "comm is text: expected == != in contains starts_with ends_with or ~" },
	{ "comm & 1", -EINVAL, 6, "comm is text" },
	{ "wide > 1", -EINVAL, 6, "wide is UTF-16 text" },
	{ "comm == 5", -EINVAL, 9, "expected a string in \"...\", found 5" },
	{ "comm == redis", -EINVAL, 9, "expected a string in \"...\", found redis" },
	{ "comm == 'redis'", -EINVAL, 9, "strings stand in \"...\"" },
	{ "comm contains \"\"", -EINVAL, 15, "an empty string is everywhere" },
	{ "comm starts_with \"\"", -EINVAL, 18, "an empty string is everywhere" },
	{ "comm ends_with \"\"", -EINVAL, 16, "an empty string is everywhere" },
	{ "comm ~ \"\"", -EINVAL, 8, "an empty string is everywhere" },
	{ "wide == \"\\xff\"", -EINVAL, 9, "wide is UTF-16 text: expected UTF-8" },
	{ "comm == \"abc", -EINVAL, 9, "no closing \"" },
	{ "`odd == 1", -EINVAL, 1, "no closing `" },
	{ "comm == \"a\\q\"", -EINVAL, 11, "unknown escape" },
	{ "comm == \"a\\x4\"", -EINVAL, 11, "\\x takes two hexadecimal digits" },
	{ "comm == \"a\\x00\"", -EINVAL, 11, "text ends at its first NUL" },
	{ "comm == \"a\\", -EINVAL, 11, "unknown escape" },
	{ "comm in \"a\"", -EINVAL, 9, "expected {" },
	{ "comm in {\"a\"", -EINVAL, 13, "expected , or }, found the end" },
	{ "comm in {\"a\"..\"b\"}", -EINVAL, 13, "expected , or }, found .." },
	{ "u8 in {}", -EINVAL, 8, "expected a number, found }" },
	{ "u8 in {1,}", -EINVAL, 10, "expected a number, found }" },
	{ "u8 in {1 2}", -EINVAL, 10, "expected , or }, found 2" },
	{ "u8 in 1", -EINVAL, 8, "expected .. (a range), or {...} around the values" },
	{ "u8 in 9..5", -EINVAL, 7, "the range ends before it begins" },
	{ "i8 in {1..-1}", -EINVAL, 8, "the range ends before it begins" },
	{ "u8 == 18446744073709551616", -EINVAL, 7, "outside -2^63 .. 2^64 - 1" },
	{ "u8 == -9223372036854775809", -EINVAL, 7, "outside -2^63 .. 2^64 - 1" },
	{ "u8 == 0x10000000000000000", -EINVAL, 7, "outside" },
	{ "u8 == 08", -EINVAL, 8, "expected a digit of base 8" },
	{ "u8 == 0x", -EINVAL, 9, "expected a digit of base 16" },
	{ "u8 == 12ab", -EINVAL, 9, "expected a digit of base 10" },
	{ "u8 == 0xfg", -EINVAL, 10, "expected a digit of base 16" },
	{ "f64 == 1e", -EINVAL, 10, "expected a digit" },
	{ "f64 == 1e999", -EINVAL, 8, "the number is too big" },
	{ "u8 & -1", -EINVAL, 6, "a mask is not negative" },
	{ "u8 = 1", -EINVAL, 4, "expected ==" },
	{ "u8 == 1 | u8 == 2", -EINVAL, 9, "expected ||" },
	{ "u8 == 1 u8 == 2", -EINVAL, 9, "expected &&, || or the end, found u8" },
	{ "(u8 == 1", -EINVAL, 9, "expected &&, || or ), found the end" },
	{ "u8 == 1)", -EINVAL, 8, "expected &&, || or the end, found )" },
	{ "(u8 == 1) == 2", -EINVAL, 11, "expected &&, || or the end, found ==" },
	{ "u8 == 1 &&", -EINVAL, 11, "expected the name of a field, found the end" },
	{ "!", -EINVAL, 2, "expected the name of a field, found the end" },
	{ "5 == u8", -EINVAL, 1, "expected the name of a field, found 5" },
	{ "u8 == 1 @", -EINVAL, 9, "unexpected \"@\"" },
	{ "array == 1", -EINVAL, 1, "array is an array (unsigned number of 4 bytes each)" },
	{ "guid == 1", -EINVAL, 1, "guid is an array (GUID of 16 bytes each)" },
	{ "u8 == \x1b[31m", -EINVAL, 7, "\\x1b" },
};

Test(filter_parse, errors_point_at_the_column)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(errors); i++) {
		struct leat_filter_tree *t = NULL;
		struct leat_filter_error e;
		char column[32];

		snprintf(column, sizeof(column), "column %zu: ", errors[i].column);
		cr_expect(leat_filter_parse(&t, format, errors[i].text, NULL, &e) == errors[i].err,
			  "%s: %s", errors[i].text, e.text);
		cr_expect(eq(ptr, t, NULL));
		cr_expect(eq(sz, e.column, errors[i].column), "%s: %s", errors[i].text, e.text);
		cr_expect(strncmp(e.text, column, strlen(column)) == 0, "%s", e.text);
		cr_expect(strstr(e.text, errors[i].says) != NULL, "%s: %s", errors[i].text, e.text);
	}
}

Test(filter_parse, many_fields_are_cut)
{
	LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
	struct leat_filter_tree *t = NULL;
	struct leat_filter_error e;
	char name[16];

	cr_assert(eq(int, leat_format_new(&f, "many"), 0));
	cr_assert(eq(int, leat_filter_parse(&t, f, "a == 1", NULL, &e), -ENOENT));
	cr_expect(eq(str, e.text, (char *)"column 1: no field \"a\": the event has no fields"));
	for (uint32_t i = 0; i < 1000; i++) {
		struct leat_field field = { .name = name, .type = LEAT_TYPE_UINT, .size = 1 };

		snprintf(name, sizeof(name), "field%u", i);
		cr_assert(eq(int, leat_format_add(f, &field), 0));
	}
	cr_assert(eq(int, leat_filter_parse(&t, f, "x == 1", NULL, &e), -ENOENT));
	cr_expect(strstr(e.text, " more") != NULL, "%s", e.text);
}

/* ---- the tree, and its text ---- */

static const struct {
	const char *text, *canonical;
} texts[] = {
	{ "u8==1", "u8 == 1" },
	{ "u8 == 1 && (u16 == 2 && u32 == 3) && u8 == 0x10",
	  "u8 == 1 && u16 == 2 && u32 == 3 && u8 == 16" },
	{ "u8==1||u8==2&&u16==3", "u8 == 1 || (u8 == 2 && u16 == 3)" },
	{ "(u8==1||u8==2)&&u16==3", "(u8 == 1 || u8 == 2) && u16 == 3" },
	{ "!u8==1", "!(u8 == 1)" },
	{ "!!(u8==1||u8==2)", "!!(u8 == 1 || u8 == 2)" },
	{ "((((u8 & 07))))", "u8 & 0x7" },
	{ "u8&7==3", "(u8 & 0x7) == 3" },
	{ "((u8 & 7)) in {3..5,-1}", "(u8 & 0x7) in {3..5, -1}" },
	{ "u8 in 3..5", "u8 in {3..5}" },
	{ "i64 >= -0x8000000000000000", "i64 >= -9223372036854775808" },
	{ "u64 <= 01777777777777777777777", "u64 <= 18446744073709551615" },
	{ "f64 > 0.1 && f64 < 1e300 && f64 != 5 && f64 in {1.0..2.0}",
	  "f64 > 0.10000000000000001 && f64 < 1.0000000000000001e+300 && f64 != 5 && f64 in {1.0..2.0}" },
	{ "comm == \"a\\\"b\\\\c\\n\\t\\r\\x01\\x7f\\xffz\"",
	  "comm == \"a\\\"b\\\\c\\n\\t\\x0d\\x01\\x7f\xffz\"" },
	{ "comm~\"a*\" || comm contains \"b\" || comm starts_with \"c\" || comm ends_with \"d\"",
	  "comm ~ \"a*\" || comm contains \"b\" || comm starts_with \"c\" || comm ends_with \"d\"" },
	{ "`odd name`!=1&&`u8`<2&&inner.pid>3", "`odd name` != 1 && u8 < 2 && inner.pid > 3" },
	{ "\tu8\n>=\r1 ", "u8 >= 1" },
	{ "comm in {\"\", \"in\"}", "comm in {\"\", \"in\"}" },
};

Test(filter_parse, text_of_a_tree_gives_an_equal_tree)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(texts); i++) {
		LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *a = NULL;
		LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *b = NULL;
		LEAT_FREE char *once = NULL;
		LEAT_FREE char *twice = NULL;
		struct leat_filter_error e;

		cr_assert(leat_filter_parse(&a, format, texts[i].text, NULL, &e) == 0, "%s: %s",
			  texts[i].text, e.text);
		cr_assert(eq(int, leat_filter_tree_text(a, &once), 0));
		cr_expect(eq(str, once, (char *)texts[i].canonical));
		cr_assert(leat_filter_parse(&b, format, once, NULL, &e) == 0, "%s: %s", once,
			  e.text);
		cr_assert(leat_filter_tree_equal(a, b), "%s", once);
		cr_assert(eq(int, leat_filter_tree_text(b, &twice), 0));
		cr_expect(eq(str, once, twice));
	}
}

Test(filter_parse, trees_that_differ)
{
	static const char *const base = "u8 == 1 && u16 in {1, 2..3}";
	static const char *const others[] = {
		"u8 == 1",
		"u8 == 1 || u16 in {1, 2..3}",
		"u8 == 2 && u16 in {1, 2..3}",
		"u8 != 1 && u16 in {1, 2..3}",
		"i8 == 1 && u16 in {1, 2..3}",
		"u8 == 1 && u16 in {1, 2..4}",
		"u8 == 1 && u16 in {1, 2}",
		"u8 == 1 && u16 in {1}",
		"u8 & 1 == 1 && u16 in {1, 2..3}",
		"u16 in {1, 2..3} && u8 == 1",
		"u8 == 1 && u16 in {1, 2..3} && u8 == 1",
		"!(u8 == 1 && u16 in {1, 2..3})",
	};
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *a = NULL;

	cr_assert(eq(int, leat_filter_parse(&a, format, base, NULL, NULL), 0));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(others); i++) {
		LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *b = NULL;

		cr_assert(eq(int, leat_filter_parse(&b, format, others[i], NULL, NULL), 0));
		cr_expect(eq(int, leat_filter_tree_equal(a, b), 0), "%s", others[i]);
		cr_expect(eq(int, leat_filter_tree_equal(b, a), 0), "%s", others[i]);
	}
}

Test(filter_parse, the_tree_is_plain_data)
{
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *t = NULL;
	const struct leat_filter_node *n;

	cr_assert(eq(int,
		     leat_filter_parse(&t, format, "!(flags & 4) || comm == \"x\"", NULL, NULL),
		     0));
	cr_assert(eq(ptr, (void *)leat_filter_tree_format(t), format));
	n = leat_filter_tree_node(t, leat_filter_tree_root(t));
	cr_assert(eq(int, n->op, LEAT_FILTER_OR));
	n = leat_filter_tree_node(t, n->first);
	cr_assert(eq(int, n->op, LEAT_FILTER_NOT));
	cr_assert(eq(u32, n->column, 1));
	cr_assert(eq(u32, leat_filter_tree_node(t, n->next)->column, 17));
	cr_assert(eq(str, (char *)leat_filter_tree_value(t, 0)->text, (char *)"x"));
	n = leat_filter_tree_node(t, n->first);
	cr_assert(eq(int, n->op, LEAT_FILTER_BITS));
	cr_assert(eq(u64, n->mask, 4));
	cr_assert(eq(u32, n->next, LEAT_FILTER_NONE));
	cr_assert(eq(ptr, (void *)leat_filter_tree_node(t, 1000), NULL));
	cr_assert(eq(ptr, (void *)leat_filter_tree_value(t, 1000), NULL));
}

/* ---- maxima, options ---- */

/* As deep as a tree can be, in the spelling that takes the most parentheses. */
Test(filter_parse, the_deepest_tree_has_a_text)
{
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *a = NULL;
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *b = NULL;
	LEAT_FREE char *text = NULL;
	struct leat_filter_error e;
	char deep[1024] = "";
	char *at = deep;

	for (int i = 0; i < 15; i++)
		at = stpcpy(at, i % 2 ? "!(u8 == 1 && " : "!(u8 == 1 || ");
	at = stpcpy(at, "!(u8 & 7 == 1)");
	for (int i = 0; i < 15; i++)
		at = stpcpy(at, ")");
	cr_assert(leat_filter_parse(&a, format, deep, NULL, &e) == 0, "%s", e.text);
	cr_assert(eq(u32, leat_filter_tree_node(a, leat_filter_tree_root(a))->height, 32));
	cr_assert(eq(int, leat_filter_tree_text(a, &text), 0));
	cr_assert(leat_filter_parse(&b, format, text, NULL, &e) == 0, "%s: %s", text, e.text);
	cr_assert(leat_filter_tree_equal(a, b));
}

static int parse_repeated(const char *head, const char *part, size_t times, const char *tail)
{
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *t = NULL;
	LEAT_FREE char *text = malloc(strlen(head) + strlen(part) * times + strlen(tail) + 1);
	char *at = stpcpy(text, head);
	struct leat_filter_error e;
	int err;

	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, part);
	stpcpy(at, tail);
	err = leat_filter_parse(&t, format, text, NULL, &e);
	cr_assert(eq(int, err != 0, e.text[0] != 0), "every error has a text");
	return err;
}

Test(filter_parse, maxima)
{
	cr_expect(eq(int, parse_repeated("", "!", 31, "u8 == 1"), 0));
	cr_expect(eq(int, parse_repeated("", "!", 32, "u8 == 1"), -EOVERFLOW));
	cr_expect(eq(int, parse_repeated("", "(", 66, "u8 == 1"), -EINVAL), "not closed");
	cr_expect(eq(int, parse_repeated("", "(", 67, "u8 == 1"), -EOVERFLOW));
	cr_expect(eq(int, parse_repeated("", "(", 50000, "u8 == 1"), -EOVERFLOW));
	cr_expect(eq(int, parse_repeated("", "!(u8 == 1 || ", 16, "u8 == 1"), -EINVAL));
	cr_expect(eq(int, parse_repeated("", "!(u8 == 1 || ", 40, "u8 == 1"), -EOVERFLOW));
	cr_expect(eq(int, parse_repeated("u8 == 1", " && u8 == 1", 1022, ""), 0));
	cr_expect(eq(int, parse_repeated("u8 == 1", " && u8 == 1", 1023, ""), -EOVERFLOW));
	cr_expect(eq(int, parse_repeated("u8 in {1", ",1", 4095, "}"), 0));
	cr_expect(eq(int, parse_repeated("u8 in {1", ",1", 4096, "}"), -EOVERFLOW));
	cr_expect(eq(int, parse_repeated("u8 == 1", " ", 65528, ""), 0));
	cr_expect(eq(int, parse_repeated("u8 == 1", " ", 65529, ""), -EOVERFLOW));
	cr_expect(eq(int, parse_repeated("comm == \"", "a", 60000, "\""), 0));
}

static int color(void *ctx, const struct leat_format *f, leat_field_ref field, const char *name,
		 struct leat_filter_number *out)
{
	if (strcmp(leat_format_field_at(f, field.index)->name, "u8") != 0)
		return -ENOENT;
	*out = (struct leat_filter_number){ .bits = *(const uint64_t *)ctx };
	return strcmp(name, "RED") == 0 ? 0 : -ENOENT;
}

Test(filter_parse, names_of_values)
{
	uint64_t red = 7;
	struct leat_filter_opts o = { .sz = sizeof(o), .name_value = color, .ctx = &red };
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *t = NULL;
	LEAT_FREE char *text = NULL;
	struct leat_filter_error e;

	cr_assert(eq(int,
		     leat_filter_parse(&t, format, "u8 == RED && u8 & RED && u8 in {1, RED..9}", &o,
				       NULL),
		     0));
	cr_assert(eq(int, leat_filter_tree_text(t, &text), 0));
	cr_expect(eq(str, text, (char *)"u8 == 7 && u8 & 0x7 && u8 in {1, 7..9}"));
	leat_filter_tree_free(&t);
	cr_expect(eq(int, leat_filter_parse(&t, format, "u8 == GREEN", &o, &e), -ENOENT));
	cr_expect(eq(int, leat_filter_parse(&t, format, "u16 == RED", &o, &e), -ENOENT));
}

Test(filter_parse, options_of_a_later_version)
{
	struct {
		struct leat_filter_opts o;
		uint64_t more;
	} later = { .o = { .sz = sizeof(later) } };
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *t = NULL;

	cr_assert(eq(int, leat_filter_parse(&t, format, "u8 == 1", &later.o, NULL), 0));
	leat_filter_tree_free(&t);
	later.more = 1;
	cr_assert(eq(int, leat_filter_parse(&t, format, "u8 == 1", &later.o, NULL), -E2BIG));
}

/* Nothing is read behind the end, whatever it is cut at; what was accepted is accepted again. */
Test(filter_parse, truncation_at_every_byte)
{
	static const char whole[] =
		"comm == \"re\\x64is\" && (u32 > 0x3e8 || !(flags & 04)) && dl contains \"/etc\" "
		"|| `odd name` in {1, -2, 5..9} && f64 <= -1.5e3 && wide ~ \"[a-z]*\\\\\"";
	size_t good = 0;

	for (size_t n = 0; n < sizeof(whole); n++) {
		LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *t = NULL;
		LEAT_FREE char *text = strndup(whole, n);
		struct leat_filter_error e;
		int err = leat_filter_parse(&t, format, text, NULL, &e);

		cr_assert(err == 0 || err == -EINVAL || err == -ENOENT, "%s", text);
		cr_assert(eq(int, err != 0, e.text[0] != 0));
		cr_assert(e.column <= n + 1);
		good += !err;
	}
	cr_assert(ge(sz, good, 4));
}

Test(filter_parse, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_filter_tree *t = NULL;
		struct leat_filter_error e;
		char *text = NULL;
		int err = leat_filter_parse(&t, format,
					    "f64 > 1.5 && wide == \"x\" && u8 in {1, 2}", NULL, &e);

		if (!err)
			err = leat_filter_tree_text(t, &text);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		free(text);
		leat_filter_tree_free(&t);
	}
}
