/* SPDX-License-Identifier: BSD-2-Clause */
/* From the text of a filter to tokens. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "event/filter.h"

int leat_filter_refuse(struct leat_filter_error *e, size_t at, int err, const char *fmt, ...)
{
	char raw[sizeof(e->text)];
	struct leat_buf clean;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	/* What the text quotes comes from the user, or from a file: it must not act on a terminal. */
	leat_buf_init(&clean, sizeof(raw) * 8);
	leat_text_clean(&clean, raw, strlen(raw));
	snprintf(e->text, sizeof(e->text), "column %zu: %s", at + 1,
		 clean.data ? clean.data : "out of memory");
	leat_buf_fini(&clean);
	e->column = at + 1;
	return err;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
	return is_name_start(c) || is_digit(c);
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NUL behind the end: texts are C strings. */
static char peek(const struct leat_filter_lexer *l, size_t ahead)
{
	return l->at + ahead < l->len ? l->text[l->at + ahead] : 0;
}

static void put(struct leat_filter_lexer *l, char c)
{
	l->strings[l->string_len++] = c;
}

/* @at is behind the backslash. */
static int lex_escape(struct leat_filter_lexer *l)
{
	static const char from[] = "\\\"ntr`", to[] = "\\\"\n\t\r`";
	char c = peek(l, 0);
	const char *known = c ? strchr(from, c) : NULL;
	int hi, lo;

	if (known) {
		put(l, to[known - from]);
		l->at++;
		return 0;
	}
	if (c != 'x')
		return leat_filter_refuse(l->error, l->at - 1, -EINVAL,
					  "unknown escape: there are \\\\ \\\" \\n \\t \\r \\xHH");
	hi = hex_digit(peek(l, 1));
	lo = hi < 0 ? -1 : hex_digit(peek(l, 2));
	if (lo < 0)
		return leat_filter_refuse(l->error, l->at - 1, -EINVAL,
					  "\\x takes two hexadecimal digits");
	if (hi == 0 && lo == 0)
		return leat_filter_refuse(l->error, l->at - 1, -EINVAL,
					  "text ends at its first NUL: none can be compared");
	put(l, (char)(hi << 4 | lo));
	l->at += 3;
	return 0;
}

/* Strings, and names between backquotes; l->at is at the opening quote. */
static int lex_quoted(struct leat_filter_lexer *l, struct leat_filter_token *out)
{
	char quote = l->text[l->at];
	size_t start = l->at++;
	int err;

	out->kind = quote == '"' ? LEAT_TOKEN_STRING : LEAT_TOKEN_NAME;
	out->quoted = true;
	out->text = l->strings + l->string_len;
	while (l->at < l->len && l->text[l->at] != quote) {
		char c = l->text[l->at++];

		if (c != '\\') {
			put(l, c);
			continue;
		}
		err = lex_escape(l);
		if (err)
			return err;
	}
	if (l->at == l->len)
		return leat_filter_refuse(l->error, start, -EINVAL, "no closing %c", quote);
	l->at++;
	out->text_len = (size_t)(l->strings + l->string_len - out->text);
	put(l, 0);
	return 0;
}

static int number_too_big(struct leat_filter_lexer *l, size_t start)
{
	return leat_filter_refuse(l->error, start, -EINVAL,
				  "the number is outside -2^63 .. 2^64 - 1");
}

/* The program's locale may write 2,5. */
static int to_double(const char *digits, double *out)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	char *end;

	if (!c)
		return -ENOMEM;
	*out = strtod_l(digits, &end, c);
	freelocale(c);
	return *end ? -EINVAL : 0;
}

static int lex_float(struct leat_filter_lexer *l, struct leat_filter_token *out, size_t start)
{
	char digits[64];
	size_t n;
	int err;

	while (is_digit(peek(l, 0)))
		l->at++;
	if (peek(l, 0) == '.' && is_digit(peek(l, 1)))
		for (l->at++; is_digit(peek(l, 0));)
			l->at++;
	if ((peek(l, 0) | 0x20) == 'e') {
		l->at += peek(l, 1) == '-' || peek(l, 1) == '+' ? 2 : 1;
		while (is_digit(peek(l, 0)))
			l->at++;
	}
	n = l->at - start;
	if (n >= sizeof(digits))
		return leat_filter_refuse(l->error, start, -EINVAL, "the number is too long");
	memcpy(digits, l->text + start, n);
	digits[n] = 0;
	out->kind = LEAT_TOKEN_FLOAT;
	err = to_double(digits, &out->real);
	if (err == -ENOMEM)
		return err;
	if (err || is_name(peek(l, 0)))
		return leat_filter_refuse(l->error, l->at, -EINVAL, "expected a digit");
	if (!isfinite(out->real))
		return leat_filter_refuse(l->error, start, -EINVAL, "the number is too big");
	return 0;
}

static bool is_float(const struct leat_filter_lexer *l)
{
	size_t i = 0;

	while (is_digit(peek(l, i)))
		i++;
	return (peek(l, i) == '.' && is_digit(peek(l, i + 1))) || (peek(l, i) | 0x20) == 'e';
}

/* After the digit 0: which base, and how many bytes say so. */
static unsigned int base_of(const struct leat_filter_lexer *l, size_t *skip)
{
	*skip = 0;
	if (peek(l, 0) != '0')
		return 10;
	if ((peek(l, 1) | 0x20) == 'x')
		*skip = 2;
	return *skip ? 16 : 8;
}

static int lex_number(struct leat_filter_lexer *l, struct leat_filter_token *out)
{
	bool negative = l->text[l->at] == '-';
	size_t start = l->at, skip, first;
	unsigned int base;
	uint64_t v = 0;
	int d;

	l->at += negative;
	base = base_of(l, &skip);
	if (base != 16 && is_float(l))
		return lex_float(l, out, start);
	l->at += skip;
	for (first = l->at; (d = hex_digit(peek(l, 0))) >= 0 && d < (int)base; l->at++) {
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)d, &v))
			return number_too_big(l, start);
	}
	if (l->at == first || is_name(peek(l, 0)))
		return leat_filter_refuse(l->error, l->at, -EINVAL, "expected a digit of base %u",
					  base);
	if (negative && v > (uint64_t)INT64_MAX + 1)
		return number_too_big(l, start);
	out->kind = LEAT_TOKEN_NUMBER;
	out->number.bits = negative ? -v : v;
	out->number.negative = negative && v;
	return 0;
}

/* A dot belongs to a name when a name goes on behind it. */
static void lex_name(struct leat_filter_lexer *l, struct leat_filter_token *out)
{
	out->kind = LEAT_TOKEN_NAME;
	out->text = l->strings + l->string_len;
	do {
		put(l, l->text[l->at++]);
	} while (is_name(peek(l, 0)) || (peek(l, 0) == '.' && is_name(peek(l, 1))));
	out->text_len = (size_t)(l->strings + l->string_len - out->text);
	put(l, 0);
}

static const struct {
	char text[3];
	uint8_t kind;
	uint8_t op;
} signs[] = {
	/* Those of two characters first. */
	{ "==", LEAT_TOKEN_OP, LEAT_FILTER_EQ },
	{ "!=", LEAT_TOKEN_OP, LEAT_FILTER_NE },
	{ "<=", LEAT_TOKEN_OP, LEAT_FILTER_LE },
	{ ">=", LEAT_TOKEN_OP, LEAT_FILTER_GE },
	{ "&&", LEAT_TOKEN_AND, 0 },
	{ "||", LEAT_TOKEN_OR, 0 },
	{ "..", LEAT_TOKEN_RANGE, 0 },
	{ "<", LEAT_TOKEN_OP, LEAT_FILTER_LT },
	{ ">", LEAT_TOKEN_OP, LEAT_FILTER_GT },
	{ "~", LEAT_TOKEN_OP, LEAT_FILTER_GLOB },
	{ "&", LEAT_TOKEN_BAND, 0 },
	{ "!", LEAT_TOKEN_NOT, 0 },
	{ "(", LEAT_TOKEN_OPEN, 0 },
	{ ")", LEAT_TOKEN_CLOSE, 0 },
	{ "{", LEAT_TOKEN_OPEN_SET, 0 },
	{ "}", LEAT_TOKEN_CLOSE_SET, 0 },
	{ ",", LEAT_TOKEN_COMMA, 0 },
};

static int lex_sign(struct leat_filter_lexer *l, struct leat_filter_token *out)
{
	char c = l->text[l->at];

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(signs); i++) {
		size_t n = strlen(signs[i].text);

		if (l->len - l->at < n || memcmp(l->text + l->at, signs[i].text, n) != 0)
			continue;
		out->kind = signs[i].kind;
		out->op = signs[i].op;
		l->at += n;
		return 0;
	}
	if (c == '=' || c == '|')
		return leat_filter_refuse(l->error, l->at, -EINVAL, "expected %c%c", c, c);
	if (c == '\'')
		return leat_filter_refuse(l->error, l->at, -EINVAL, "strings stand in \"...\"");
	return leat_filter_refuse(l->error, l->at, -EINVAL, "unexpected \"%c\"", c);
}

int leat_filter_lex(struct leat_filter_lexer *l, struct leat_filter_token *out)
{
	int err = 0;
	char c;

	while (l->at < l->len && strchr(" \t\r\n", l->text[l->at]))
		l->at++;
	*out = (struct leat_filter_token){ .kind = LEAT_TOKEN_END, .at = l->at };
	if (l->at == l->len)
		return 0;
	c = l->text[l->at];
	if (is_name_start(c))
		lex_name(l, out);
	else if (is_digit(c) || (c == '-' && is_digit(peek(l, 1))))
		err = lex_number(l, out);
	else if (c == '"' || c == '`')
		err = lex_quoted(l, out);
	else
		err = lex_sign(l, out);
	out->len = l->at - out->at;
	return err;
}
