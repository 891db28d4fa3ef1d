/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of a filter: reading it, and writing it as text. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "event/filter.h"

#define MAX_TEXT ((size_t)16 << 20) /* escapes make text longer, up to four times */

void leat_filter_tree_free(struct leat_filter_tree **t)
{
	if (!*t)
		return;
	free((*t)->nodes);
	free((*t)->values);
	free((*t)->text);
	free(*t);
	*t = NULL;
}

uint32_t leat_filter_tree_root(const struct leat_filter_tree *t)
{
	return t->root;
}

const struct leat_filter_node *leat_filter_tree_node(const struct leat_filter_tree *t, uint32_t i)
{
	return i < t->node_cnt ? &t->nodes[i] : NULL;
}

const struct leat_filter_value *leat_filter_tree_value(const struct leat_filter_tree *t, uint32_t i)
{
	return i < t->value_cnt ? &t->values[i] : NULL;
}

const struct leat_format *leat_filter_tree_format(const struct leat_filter_tree *t)
{
	return t->format;
}

/* ---- equality ---- */

static bool same_number(const struct leat_filter_number *a, const struct leat_filter_number *b)
{
	return a->bits == b->bits && a->negative == b->negative;
}

static bool same_value(enum leat_filter_kind kind, const struct leat_filter_value *a,
		       const struct leat_filter_value *b)
{
	if (kind == LEAT_FILTER_TEXT || kind == LEAT_FILTER_UTF16)
		return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
	if (a->is_float != b->is_float || a->is_range != b->is_range)
		return false;
	if (a->is_float)
		return a->float_lo == b->float_lo && a->float_hi == b->float_hi;
	return same_number(&a->lo, &b->lo) && same_number(&a->hi, &b->hi);
}

static bool same_test(const struct leat_filter_tree *ta, const struct leat_filter_node *a,
		      const struct leat_filter_tree *tb, const struct leat_filter_node *b)
{
	if (a->field.index != b->field.index || a->kind != b->kind || a->masked != b->masked ||
	    a->mask != b->mask || a->value_cnt != b->value_cnt)
		return false;
	for (uint32_t i = 0; i < a->value_cnt; i++) {
		if (!same_value(a->kind, &ta->values[a->value + i], &tb->values[b->value + i]))
			return false;
	}
	return true;
}

/* As deep as the expression's parentheses. */
static bool same_node(const struct leat_filter_tree *ta, uint32_t ia,
		      const struct leat_filter_tree *tb, uint32_t ib)
{
	const struct leat_filter_node *a = &ta->nodes[ia], *b = &tb->nodes[ib];

	if (a->op != b->op)
		return false;
	if (a->op > LEAT_FILTER_NOT)
		return same_test(ta, a, tb, b);
	for (ia = a->first, ib = b->first; ia != LEAT_FILTER_NONE && ib != LEAT_FILTER_NONE;
	     ia = ta->nodes[ia].next, ib = tb->nodes[ib].next) {
		if (!same_node(ta, ia, tb, ib))
			return false;
	}
	return ia == ib;
}

bool leat_filter_tree_equal(const struct leat_filter_tree *a, const struct leat_filter_tree *b)
{
	return same_node(a, a->root, b, b->root);
}

/* ---- text ---- */

static void put_quoted(struct leat_buf *b, char quote, const char *s, size_t n)
{
	leat_buf_char(b, quote);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\\' || c == (unsigned char)quote)
			leat_buf_printf(b, "\\%c", c);
		else if (c == '\n')
			leat_buf_str(b, "\\n");
		else if (c == '\t')
			leat_buf_str(b, "\\t");
		else if (c < 0x20 || c == 0x7f)
			leat_buf_printf(b, "\\x%02x", c);
		else
			leat_buf_char(b, (char)c);
	}
	leat_buf_char(b, quote);
}

/* Names that the lexer takes as they are stand as they are. */
static void put_field(struct leat_buf *b, const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
	bool plain = !strchr("0123456789.", name[0]);

	for (const char *s = name; *s && plain; s++)
		plain = strchr(letters, *s) || (*s == '.' && s[1] && strchr(letters, s[1]));
	if (plain)
		leat_buf_str(b, name);
	else
		put_quoted(b, '`', name, strlen(name));
}

static void put_number(struct leat_buf *b, const struct leat_filter_number *n)
{
	if (n->negative)
		leat_buf_char(b, '-');
	leat_buf_u64(b, n->negative ? -n->bits : n->bits);
}

/* All digits that count, and a sign that it is no whole number. */
static void put_float(struct leat_buf *b, double v)
{
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
	char digits[64];

	if (!c) {
		b->err = b->err ? b->err : -ENOMEM;
		return;
	}
	before = uselocale(c);
	snprintf(digits, sizeof(digits), "%.17g", v);
	uselocale(before);
	freelocale(c);
	leat_buf_str(b, digits);
	if (!strpbrk(digits, ".e"))
		leat_buf_str(b, ".0");
}

static void put_value(struct leat_buf *b, enum leat_filter_kind kind,
		      const struct leat_filter_value *v)
{
	if (kind == LEAT_FILTER_TEXT || kind == LEAT_FILTER_UTF16) {
		put_quoted(b, '"', v->text, v->len);
		return;
	}
	if (v->is_float)
		put_float(b, v->float_lo);
	else
		put_number(b, &v->lo);
	if (!v->is_range)
		return;
	leat_buf_str(b, "..");
	if (v->is_float)
		put_float(b, v->float_hi);
	else
		put_number(b, &v->hi);
}

static const char *const signs[LEAT_FILTER_OP__MAX] = {
	[LEAT_FILTER_EQ] = "==",
	[LEAT_FILTER_NE] = "!=",
	[LEAT_FILTER_LT] = "<",
	[LEAT_FILTER_LE] = "<=",
	[LEAT_FILTER_GT] = ">",
	[LEAT_FILTER_GE] = ">=",
	[LEAT_FILTER_IN] = "in",
	[LEAT_FILTER_CONTAINS] = "contains",
	[LEAT_FILTER_STARTS_WITH] = "starts_with",
	[LEAT_FILTER_ENDS_WITH] = "ends_with",
	[LEAT_FILTER_GLOB] = "~",
};

static void put_test(struct leat_buf *b, const struct leat_filter_tree *t,
		     const struct leat_filter_node *n)
{
	bool parens = n->masked && n->op != LEAT_FILTER_BITS;

	leat_buf_str(b, parens ? "(" : "");
	put_field(b, leat_format_field_at(t->format, n->field.index)->name);
	if (n->masked) {
		leat_buf_str(b, " & ");
		leat_buf_hex(b, n->mask);
	}
	leat_buf_str(b, parens ? ")" : "");
	if (n->op == LEAT_FILTER_BITS)
		return;
	leat_buf_printf(b, " %s ", signs[n->op]);
	leat_buf_str(b, n->op == LEAT_FILTER_IN ? "{" : "");
	for (uint32_t i = 0; i < n->value_cnt; i++) {
		leat_buf_str(b, i ? ", " : "");
		put_value(b, n->kind, &t->values[n->value + i]);
	}
	leat_buf_str(b, n->op == LEAT_FILTER_IN ? "}" : "");
}

/* As deep as the expression's parentheses. */
static void put_node(struct leat_buf *b, const struct leat_filter_tree *t, uint32_t i)
{
	const struct leat_filter_node *n = &t->nodes[i];
	const char *between = n->op == LEAT_FILTER_OR ? " || " : " && ";

	if (n->op > LEAT_FILTER_NOT) {
		put_test(b, t, n);
		return;
	}
	leat_buf_str(b, n->op == LEAT_FILTER_NOT ? "!" : "");
	for (uint32_t c = n->first; c != LEAT_FILTER_NONE; c = t->nodes[c].next) {
		enum leat_filter_op op = t->nodes[c].op;
		bool parens = n->op == LEAT_FILTER_NOT ? op != LEAT_FILTER_NOT
						       : op < LEAT_FILTER_NOT;

		leat_buf_str(b, c == n->first ? "" : between);
		leat_buf_str(b, parens ? "(" : "");
		put_node(b, t, c);
		leat_buf_str(b, parens ? ")" : "");
	}
}

int leat_filter_tree_text(const struct leat_filter_tree *t, char **out)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;

	leat_buf_init(&b, MAX_TEXT);
	put_node(&b, t, t->root);
	if (b.err)
		return b.err;
	*out = leat_buf_take(&b, NULL);
	return 0;
}
