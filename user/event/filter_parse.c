/* SPDX-License-Identifier: BSD-2-Clause */
/* From tokens to the tree. Recursion is bounded: only "(" and "!" go deeper, and they are counted. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "event/filter.h"

/* An expression that a tree was written as has a "(" and a "!" a level, and one for a mask. */
#define MAX_NESTING (2 * LEAT_FILTER_MAX_DEPTH + 2)

struct parser {
	struct leat_filter_lexer lexer;
	struct leat_filter_token tok; /* the next one */
	struct leat_filter_tree *tree;
	struct leat_filter_error *error;
	int (*name_value)(void *ctx, const struct leat_format *f, leat_field_ref field,
			  const char *name, struct leat_filter_number *out);
	void *ctx;
	unsigned int depth;
};

static int parse_any(struct parser *p, uint32_t *out);

static int next(struct parser *p)
{
	return leat_filter_lex(&p->lexer, &p->tok);
}

/* "expected X, found Y" at the next token. */
static int expected(struct parser *p, const char *what)
{
	const struct leat_filter_token *t = &p->tok;
	int len = t->len > 40 ? 40 : (int)t->len;

	if (t->kind == LEAT_TOKEN_END)
		return leat_filter_refuse(p->error, t->at, -EINVAL, "expected %s, found the end",
					  what);
	return leat_filter_refuse(p->error, t->at, -EINVAL, "expected %s, found %.*s%s", what, len,
				  p->lexer.text + t->at, t->len > 40 ? "..." : "");
}

static int too_deep(struct parser *p, size_t at)
{
	return leat_filter_refuse(p->error, at, -EOVERFLOW,
				  "conditions within each other: more than %u levels",
				  LEAT_FILTER_MAX_DEPTH);
}

static int add_node(struct parser *p, const struct leat_filter_node *n, uint32_t *out)
{
	struct leat_filter_tree *t = p->tree;
	int err = LEAT_ARRAY_ROOM(t->nodes, t->node_cap, t->node_cnt + 1, LEAT_FILTER_MAX_NODES);

	if (err == -EOVERFLOW)
		return leat_filter_refuse(p->error, n->column - 1, err, "more than %u conditions",
					  LEAT_FILTER_MAX_NODES);
	if (err)
		return err;
	if (n->height > LEAT_FILTER_MAX_DEPTH)
		return too_deep(p, n->column - 1);
	*out = (uint32_t)t->node_cnt;
	t->nodes[t->node_cnt++] = *n;
	return 0;
}

static int add_value(struct parser *p, struct leat_filter_node *n, struct leat_filter_value *v)
{
	struct leat_filter_tree *t = p->tree;
	int err =
		LEAT_ARRAY_ROOM(t->values, t->value_cap, t->value_cnt + 1, LEAT_FILTER_MAX_VALUES);

	if (err == -EOVERFLOW)
		return leat_filter_refuse(p->error, p->tok.at, err, "more than %u values",
					  LEAT_FILTER_MAX_VALUES);
	if (err)
		return err;
	if (!n->value_cnt++)
		n->value = (uint32_t)t->value_cnt;
	t->values[t->value_cnt++] = *v;
	return 0;
}

/* ---- values ---- */

static const struct leat_field *field_of(const struct parser *p, const struct leat_filter_node *n)
{
	return leat_format_field_at(p->tree->format, n->field.index);
}

/* The next token as a number: written, or by name. */
static int take_number(struct parser *p, const struct leat_filter_node *n,
		       struct leat_filter_number *out)
{
	const struct leat_field *f = field_of(p, n);
	char buf[80];

	if (p->tok.kind == LEAT_TOKEN_NUMBER) {
		*out = p->tok.number;
		return next(p);
	}
	if (p->tok.kind == LEAT_TOKEN_NAME) {
		if (p->name_value(p->ctx, p->tree->format, n->field, p->tok.text, out) == 0)
			return next(p);
		return leat_filter_refuse(p->error, p->tok.at, -ENOENT,
					  "\"%.64s\" is no value of %.64s: expected a number",
					  p->tok.text, f->name);
	}
	if (p->tok.kind == LEAT_TOKEN_STRING || p->tok.kind == LEAT_TOKEN_FLOAT)
		return leat_filter_refuse(p->error, p->tok.at, -EINVAL,
					  "expected a whole number: %.64s is %s", f->name,
					  leat_filter_describe(f, buf, sizeof(buf)));
	return expected(p, "a number");
}

static int take_float(struct parser *p, const struct leat_filter_node *n,
		      struct leat_filter_number *number, double *real, bool *is_float)
{
	if (p->tok.kind == LEAT_TOKEN_STRING)
		return expected(p, "a number");
	*is_float = p->tok.kind == LEAT_TOKEN_FLOAT;
	if (!*is_float)
		return take_number(p, n, number);
	*real = p->tok.real;
	return next(p);
}

static int take_text(struct parser *p, const struct leat_filter_node *n,
		     struct leat_filter_value *v)
{
	const struct leat_filter_token *t = &p->tok;
	LEAT_FREE uint8_t *wide = NULL;
	size_t len;

	if (t->kind != LEAT_TOKEN_STRING)
		return expected(p, "a string in \"...\"");
	if (!t->text_len && n->op >= LEAT_FILTER_CONTAINS)
		return leat_filter_refuse(p->error, t->at, -EINVAL,
					  "expected some text: an empty string is everywhere");
	if (n->kind == LEAT_FILTER_UTF16) {
		wide = malloc(2 * t->text_len + 1);
		if (!wide)
			return -ENOMEM;
		if (leat_filter_to_utf16(t->text, t->text_len, wide, &len))
			return leat_filter_refuse(p->error, t->at, -EINVAL,
						  "%.64s is UTF-16 text: expected UTF-8",
						  field_of(p, n)->name);
	}
	v->text = t->text;
	v->len = t->text_len;
	return next(p);
}

/* -1, 0, 1 */
static int compare(const struct leat_filter_number *a, const struct leat_filter_number *b)
{
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->bits < b->bits ? -1 : a->bits > b->bits; /* two's complement keeps the order */
}

static int take_end(struct parser *p, struct leat_filter_node *n, struct leat_filter_value *v,
		    bool high)
{
	bool is_float = false;
	int err;

	if (n->kind != LEAT_FILTER_FLOAT)
		return take_number(p, n, high ? &v->hi : &v->lo);
	err = take_float(p, n, high ? &v->hi : &v->lo, high ? &v->float_hi : &v->float_lo,
			 &is_float);
	if (err)
		return err;
	if (high && is_float != v->is_float)
		return leat_filter_refuse(p->error, p->tok.at, -EINVAL,
					  "both ends of a range are written alike: 1.0..2.5, 1..2");
	v->is_float = is_float;
	return 0;
}

/* A value, or with @ranges also a range. */
static int take_value(struct parser *p, struct leat_filter_node *n, bool ranges)
{
	struct leat_filter_value v = { .text = NULL };
	size_t at = p->tok.at;
	int err;

	if (n->kind == LEAT_FILTER_TEXT || n->kind == LEAT_FILTER_UTF16) {
		err = take_text(p, n, &v);
		return err ? err : add_value(p, n, &v);
	}
	err = take_end(p, n, &v, false);
	if (err)
		return err;
	v.hi = v.lo;
	v.float_hi = v.float_lo;
	v.is_range = ranges && p->tok.kind == LEAT_TOKEN_RANGE;
	if (v.is_range) {
		err = next(p);
		if (!err)
			err = take_end(p, n, &v, true);
		if (err)
			return err;
		if (v.is_float ? v.float_lo > v.float_hi : compare(&v.lo, &v.hi) > 0)
			return leat_filter_refuse(p->error, at, -EINVAL,
						  "the range ends before it begins");
	}
	return add_value(p, n, &v);
}

/* {a, b..c}, or a range alone. */
static int take_set(struct parser *p, struct leat_filter_node *n)
{
	bool is_number = n->kind == LEAT_FILTER_NUMBER || n->kind == LEAT_FILTER_FLOAT;
	int err;

	if (p->tok.kind != LEAT_TOKEN_OPEN_SET) {
		if (!is_number || p->tok.kind == LEAT_TOKEN_STRING)
			return expected(p, "{");
		err = take_value(p, n, true);
		if (!err && !p->tree->values[n->value].is_range)
			err = expected(p, ".. (a range), or {...} around the values");
		return err;
	}
	do {
		err = next(p);
		if (!err)
			err = take_value(p, n, true);
	} while (!err && p->tok.kind == LEAT_TOKEN_COMMA);
	if (err)
		return err;
	return p->tok.kind == LEAT_TOKEN_CLOSE_SET ? next(p) : expected(p, ", or }");
}

/* ---- tests ---- */

static const struct {
	const char *name;
	enum leat_filter_op op;
} words[] = {
	{ "in", LEAT_FILTER_IN },
	{ "contains", LEAT_FILTER_CONTAINS },
	{ "starts_with", LEAT_FILTER_STARTS_WITH },
	{ "ends_with", LEAT_FILTER_ENDS_WITH },
};

/* Whether the next token compares, and how. */
static bool is_test(const struct leat_filter_token *t, enum leat_filter_op *op)
{
	if (t->kind == LEAT_TOKEN_OP) {
		*op = t->op;
		return true;
	}
	for (size_t i = 0; t->kind == LEAT_TOKEN_NAME && !t->quoted && i < LEAT_ARRAY_SIZE(words);
	     i++) {
		if (strcmp(t->text, words[i].name) == 0) {
			*op = words[i].op;
			return true;
		}
	}
	return false;
}

/* Whether a field of the node's kind takes the operator that is the next token. */
static int check_operator(struct parser *p, const struct leat_filter_node *n)
{
	const struct leat_field *f = field_of(p, n);
	bool is_text = n->kind == LEAT_FILTER_TEXT || n->kind == LEAT_FILTER_UTF16;
	char buf[80];

	if (is_text && n->op >= LEAT_FILTER_LT && n->op <= LEAT_FILTER_BITS)
		return leat_filter_refuse(
			p->error, p->tok.at, -EINVAL,
			"%.64s is %s: expected == != in contains starts_with ends_with or ~",
			f->name, leat_filter_describe(f, buf, sizeof(buf)));
	if (!is_text && n->op >= LEAT_FILTER_CONTAINS)
		return leat_filter_refuse(p->error, p->tok.at, -EINVAL,
					  "%.64s is %s: expected == != < <= > >= %sin", f->name,
					  leat_filter_describe(f, buf, sizeof(buf)),
					  n->kind == LEAT_FILTER_NUMBER ? "& or " : "or ");
	if (n->kind == LEAT_FILTER_FLOAT && n->op == LEAT_FILTER_BITS)
		return leat_filter_refuse(p->error, p->tok.at, -EINVAL,
					  "%.64s is %s: expected == != < <= > >= or in", f->name,
					  leat_filter_describe(f, buf, sizeof(buf)));
	return 0;
}

/* The operator is the next token; its values follow. */
static int take_test(struct parser *p, struct leat_filter_node *n, enum leat_filter_op op)
{
	int err;

	n->op = op;
	err = check_operator(p, n);
	if (!err)
		err = next(p);
	if (err)
		return err;
	return op == LEAT_FILTER_IN ? take_set(p, n) : take_value(p, n, false);
}

static int take_mask(struct parser *p, struct leat_filter_node *n)
{
	struct leat_filter_number mask = { 0 };
	size_t at;
	int err;

	n->op = LEAT_FILTER_BITS;
	err = check_operator(p, n);
	if (!err)
		err = next(p);
	at = p->tok.at;
	if (!err)
		err = take_number(p, n, &mask);
	if (err)
		return err;
	if (mask.negative)
		return leat_filter_refuse(p->error, at, -EINVAL, "a mask is not negative");
	n->mask = mask.bits;
	n->masked = true;
	return 0;
}

static int take_field(struct parser *p, struct leat_filter_node *n)
{
	const struct leat_field *f;
	char buf[80];

	if (p->tok.kind != LEAT_TOKEN_NAME)
		return expected(p, "the name of a field");
	if (leat_format_ref(p->tree->format, p->tok.text, &n->field))
		return leat_filter_no_field(p->error, p->tree->format, &p->tok);
	f = field_of(p, n);
	if (leat_filter_kind_of(f, &n->kind))
		return leat_filter_refuse(p->error, p->tok.at, -EINVAL,
					  "%.64s is %s: it cannot be compared", f->name,
					  leat_filter_describe(f, buf, sizeof(buf)));
	return next(p);
}

/* field [& mask] [op value] */
static int parse_test(struct parser *p, uint32_t *out)
{
	struct leat_filter_node n = {
		.first = LEAT_FILTER_NONE,
		.next = LEAT_FILTER_NONE,
		.height = 1,
		.column = (uint32_t)p->tok.at + 1,
	};
	enum leat_filter_op op;
	int err = take_field(p, &n);

	if (!err && p->tok.kind == LEAT_TOKEN_BAND)
		err = take_mask(p, &n);
	if (err)
		return err;
	if (is_test(&p->tok, &op))
		err = take_test(p, &n, op);
	else if (!n.masked)
		err = expected(p, "an operator");
	return err ? err : add_node(p, &n, out);
}

/* ---- conditions ---- */

static int go_deeper(struct parser *p)
{
	if (p->depth == MAX_NESTING)
		return too_deep(p, p->tok.at);
	p->depth++;
	return next(p);
}

/* (flags & 7) == 2: what follows the parenthesis belongs to the node in it. */
static int parse_parens(struct parser *p, uint32_t *out)
{
	enum leat_filter_op op;
	int err = go_deeper(p);

	if (!err)
		err = parse_any(p, out);
	if (err)
		return err;
	p->depth--;
	if (p->tok.kind != LEAT_TOKEN_CLOSE)
		return expected(p, "&&, || or )");
	err = next(p);
	if (!err && p->tree->nodes[*out].op == LEAT_FILTER_BITS && is_test(&p->tok, &op)) {
		struct leat_filter_node n = p->tree->nodes[*out];

		err = take_test(p, &n, op);
		p->tree->nodes[*out] = n;
	}
	return err;
}

static int parse_condition(struct parser *p, uint32_t *out)
{
	struct leat_filter_node n = {
		.op = LEAT_FILTER_NOT,
		.next = LEAT_FILTER_NONE,
		.field = { .index = LEAT_FIELD_REF_NONE },
		.column = (uint32_t)p->tok.at + 1,
	};
	int err;

	if (p->tok.kind == LEAT_TOKEN_OPEN)
		return parse_parens(p, out);
	if (p->tok.kind != LEAT_TOKEN_NOT)
		return parse_test(p, out);
	err = go_deeper(p);
	if (!err)
		err = parse_condition(p, &n.first);
	if (err)
		return err;
	p->depth--;
	n.height = p->tree->nodes[n.first].height + 1;
	return add_node(p, &n, out);
}

/* Appends @child, or its children when it is of the same kind: (a && b) && c is a && b && c. */
static int adopt(struct parser *p, uint32_t parent, uint32_t *last, uint32_t child)
{
	struct leat_filter_tree *t = p->tree;
	bool is_same = t->nodes[child].op == t->nodes[parent].op;
	uint32_t first = is_same ? t->nodes[child].first : child;
	uint32_t height = t->nodes[child].height + !is_same;

	if (height > LEAT_FILTER_MAX_DEPTH)
		return too_deep(p, t->nodes[parent].column - 1);
	if (height > t->nodes[parent].height)
		t->nodes[parent].height = height;
	if (*last == LEAT_FILTER_NONE)
		t->nodes[parent].first = first;
	else
		t->nodes[*last].next = first;
	for (*last = first; t->nodes[*last].next != LEAT_FILTER_NONE;)
		*last = t->nodes[*last].next;
	return 0;
}

static int parse_all(struct parser *p, uint32_t *out);

/* A chain of what @part parses, joined by @sign; one alone stands for itself. */
static int parse_chain(struct parser *p, enum leat_filter_op op, uint32_t *out)
{
	bool is_or = op == LEAT_FILTER_OR;
	struct leat_filter_node n = {
		.op = op,
		.first = LEAT_FILTER_NONE,
		.next = LEAT_FILTER_NONE,
		.field = { .index = LEAT_FIELD_REF_NONE },
		.column = (uint32_t)p->tok.at + 1,
	};
	uint32_t last = LEAT_FILTER_NONE, child = LEAT_FILTER_NONE, chain = LEAT_FILTER_NONE;
	int err = is_or ? parse_all(p, &child) : parse_condition(p, &child);

	if (err)
		return err;
	if (p->tok.kind != (is_or ? LEAT_TOKEN_OR : LEAT_TOKEN_AND)) {
		*out = child;
		return 0;
	}
	err = add_node(p, &n, &chain);
	if (!err)
		err = adopt(p, chain, &last, child);
	while (!err && p->tok.kind == (is_or ? LEAT_TOKEN_OR : LEAT_TOKEN_AND)) {
		err = next(p);
		if (!err)
			err = is_or ? parse_all(p, &child) : parse_condition(p, &child);
		if (!err)
			err = adopt(p, chain, &last, child);
	}
	*out = chain;
	return err;
}

static int parse_all(struct parser *p, uint32_t *out)
{
	return parse_chain(p, LEAT_FILTER_AND, out);
}

static int parse_any(struct parser *p, uint32_t *out)
{
	return parse_chain(p, LEAT_FILTER_OR, out);
}

static int parse(struct parser *p)
{
	int err = next(p);

	if (!err)
		err = parse_any(p, &p->tree->root);
	if (!err && p->tok.kind != LEAT_TOKEN_END)
		err = expected(p, "&&, || or the end");
	return err;
}

static int new_tree(struct leat_filter_tree **out, const struct leat_format *f, size_t len)
{
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	/* A name of one byte takes two, with its NUL. */
	t->text = malloc(2 * len + 2);
	if (!t->text)
		return -ENOMEM;
	t->format = f;
	*out = LEAT_TAKE(t);
	return 0;
}

/* Options of a later version are fine when they say nothing that this one does not know. */
static int take_opts(struct parser *p, const struct leat_filter_opts *o)
{
	p->name_value = leat_filter_enum_value;
	if (!o)
		return 0;
	for (size_t i = sizeof(*o); i < o->sz; i++) {
		if (((const char *)o)[i])
			return -E2BIG;
	}
	if (o->sz >= offsetof(struct leat_filter_opts, ctx) + sizeof(o->ctx) && o->name_value) {
		p->name_value = o->name_value;
		p->ctx = o->ctx;
	}
	return 0;
}

int leat_filter_parse(struct leat_filter_tree **out, const struct leat_format *f, const char *text,
		      const struct leat_filter_opts *o, struct leat_filter_error *e)
{
	LEAT_AUTO(leat_filter_tree_free) struct leat_filter_tree *t = NULL;
	struct leat_filter_error spare;
	struct parser p = { .error = e ? e : &spare };
	size_t len = strlen(text);
	int err;

	*p.error = (struct leat_filter_error){ .column = 0 };
	err = take_opts(&p, o);
	if (err)
		return err;
	if (len > LEAT_FILTER_MAX_BYTES)
		return leat_filter_refuse(p.error, LEAT_FILTER_MAX_BYTES, -EOVERFLOW,
					  "the expression is longer than %u bytes",
					  LEAT_FILTER_MAX_BYTES);
	err = new_tree(&t, f, len);
	if (err)
		return err;
	p.tree = t;
	p.lexer = (struct leat_filter_lexer){
		.text = text, .len = len, .strings = t->text, .error = p.error
	};
	err = parse(&p);
	t->text_len = p.lexer.string_len;
	if (err == -ENOMEM)
		leat_filter_refuse(p.error, 0, err, "out of memory");
	if (!err)
		*out = LEAT_TAKE(t);
	return err;
}
