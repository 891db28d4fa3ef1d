/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the filter share: tokens, the tree's storage, text search. Private to event/. */
#ifndef LEAT_EVENT_FILTER_H
#define LEAT_EVENT_FILTER_H

#include <leat/filter.h>

#include "base/cleanup.h"

struct leat_filter_tree {
	const struct leat_format *format; /* borrowed */
	struct leat_filter_node *nodes;
	size_t node_cnt, node_cap;
	struct leat_filter_value *values;
	size_t value_cnt, value_cap;
	char *text; /* of all strings, each with its NUL: never longer than the expression */
	size_t text_len;
	uint32_t root;
};

/* ---- tokens (filter_lex.c) ---- */

enum leat_filter_token_kind {
	LEAT_TOKEN_END = 0,
	LEAT_TOKEN_NAME,
	LEAT_TOKEN_NUMBER,
	LEAT_TOKEN_FLOAT,
	LEAT_TOKEN_STRING,
	LEAT_TOKEN_OP, /* .op */
	LEAT_TOKEN_BAND,
	LEAT_TOKEN_AND,
	LEAT_TOKEN_OR,
	LEAT_TOKEN_NOT,
	LEAT_TOKEN_OPEN,
	LEAT_TOKEN_CLOSE,
	LEAT_TOKEN_OPEN_SET,
	LEAT_TOKEN_CLOSE_SET,
	LEAT_TOKEN_COMMA,
	LEAT_TOKEN_RANGE,
};

struct leat_filter_token {
	enum leat_filter_token_kind kind;
	enum leat_filter_op op; /* of LEAT_TOKEN_OP */
	size_t at, len;		/* in the expression, quotes included */
	struct leat_filter_number number;
	double real;
	const char *text; /* of a string or name; decoded */
	size_t text_len;
	bool quoted; /* a name between backquotes: never an operator */
};

struct leat_filter_lexer {
	const char *text;
	size_t len, at;
	char *strings; /* where decoded text goes: room for all of .text */
	size_t string_len;
	struct leat_filter_error *error; /* never NULL */
};

/* Says what is wrong at a byte of the expression (from 0); returns @err. */
int leat_filter_refuse(struct leat_filter_error *e, size_t at, int err, const char *fmt, ...)
	LEAT_PRINTF(4, 5);
/* The next token. -EINVAL, described. */
int leat_filter_lex(struct leat_filter_lexer *l, struct leat_filter_token *out) LEAT_MUST_USE;

/* ---- fields (filter_field.c) ---- */

/* What a field is compared as; -ENOTSUP when it cannot be (arrays, bytes). */
int leat_filter_kind_of(const struct leat_field *f, enum leat_filter_kind *out) LEAT_MUST_USE;
/* Whether the field's bytes are at its offset in every record. Else the format's readers find them. */
bool leat_filter_is_fixed(const struct leat_field *f);
/* "an unsigned number of 4 bytes", for messages. */
const char *leat_filter_describe(const struct leat_field *f, char *buf, size_t size);
/* Says that there is no such field, which is meant, and which there are. -ENOENT. */
int leat_filter_no_field(struct leat_filter_error *e, const struct leat_format *f,
			 const struct leat_filter_token *name);
/* The value that a name stands for in a field, by the format's enums. 0 or -ENOENT. */
int leat_filter_enum_value(void *ctx, const struct leat_format *f, leat_field_ref field,
			   const char *name, struct leat_filter_number *out);

/* ---- text (filter_text.c, filter_glob.c) ---- */

/* Whether @needle (1 to @m bytes, no NUL) occurs in @hay before its first NUL. */
bool leat_filter_find(const uint8_t *hay, size_t n, const uint8_t *needle, size_t m);
/* The same for UTF-16: lengths in bytes, found at even offsets alone. */
bool leat_filter_find16(const uint8_t *hay, size_t n, const uint8_t *needle, size_t m);
/* Bytes before the first unit of 0; even. */
size_t leat_filter_len16(const uint8_t *p, size_t n);
/* UTF-8 to UTF-16LE into @out (2 bytes for each byte of @n are enough). -EBADMSG not UTF-8. */
int leat_filter_to_utf16(const char *s, size_t n, uint8_t *out, size_t *len) LEAT_MUST_USE;

enum leat_glob_kind { LEAT_GLOB_UNIT = 0, LEAT_GLOB_ANY, LEAT_GLOB_STAR, LEAT_GLOB_CLASS };

struct leat_glob_token {
	uint8_t kind;
	uint8_t negate;
	uint16_t unit;	    /* or of a class: the first of its ranges ... */
	uint16_t range_cnt; /* ... and how many */
};

struct leat_glob_range {
	uint16_t lo, hi;
};

struct leat_glob {
	struct leat_glob_token *tokens; /* at most one a unit of the pattern */
	size_t token_cnt;
	struct leat_glob_range *ranges;
	size_t range_cnt;
	uint8_t width; /* 1: bytes, 2: UTF-16 */
};

/* @pattern of @n bytes; UTF-16 for @width 2. An unfinished class or escape stands for itself. */
int leat_glob_init(struct leat_glob *g, const uint8_t *pattern, size_t n,
		   uint8_t width) LEAT_MUST_USE;
void leat_glob_fini(struct leat_glob *g);
bool leat_glob_matches(const struct leat_glob *g, const uint8_t *text, size_t n);

#endif
