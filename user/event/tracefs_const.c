/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants as the kernel's macros leave them in "print fmt": 0x20, (1UL << 3), -1,
 * (gfp_t)((1UL) << (6)) | 0x1. An identifier that is no cast (an enumerator that was not replaced by
 * its value) is no constant.
 */
#include "event/tracefs.h"

#define MAX_DEPTH 256 /* of parentheses: macros nest them 20 deep */

struct cursor {
	const char *p;
	const char *end;
	unsigned int depth;
};

static char peek(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n'))
		c->p++;
	return c->p < c->end ? *c->p : '\0';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

static bool number(struct cursor *c, uint64_t *out)
{
	int base = 10;
	uint64_t v = 0;
	const char *first;

	if (*c->p == '0') {
		base = 8;
		if (c->end - c->p > 1 && (c->p[1] == 'x' || c->p[1] == 'X')) {
			base = 16;
			c->p += 2;
		}
	}
	first = c->p;
	while (c->p < c->end && digit_of(*c->p) < base) {
		if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit_of(*c->p), &v))
			return false;
		c->p++;
	}
	if (c->p == first)
		return false;
	while (c->p < c->end && strchr("uUlL", *c->p))
		c->p++;
	*out = v;
	return c->p == c->end || !(is_alpha(*c->p) || digit_of(*c->p) < 10);
}

/* "(unsigned long)": words and stars alone between parentheses. */
static bool skip_cast(struct cursor *c)
{
	struct cursor t = *c;

	t.p++;
	if (!is_alpha(peek(&t)))
		return false;
	while (t.p < t.end && (is_alpha(*t.p) || digit_of(*t.p) < 10 || *t.p == ' ' || *t.p == '*'))
		t.p++;
	if (t.p == t.end || *t.p != ')')
		return false;
	c->p = t.p + 1;
	return true;
}

static bool binary(struct cursor *c, int level, uint64_t *out);

static bool unary(struct cursor *c, uint64_t *out)
{
	char op = peek(c);
	bool ok;

	if (c->depth >= MAX_DEPTH)
		return false;
	if (op >= '0' && op <= '9')
		return number(c, out);
	c->depth++;
	if (op == '(' && skip_cast(c)) {
		ok = unary(c, out);
	} else if (op == '(') {
		c->p++;
		ok = binary(c, 0, out) && peek(c) == ')';
		c->p += ok;
	} else if (op == '-' || op == '~' || op == '+') {
		c->p++;
		ok = unary(c, out);
		if (ok && op != '+')
			*out = op == '-' ? -*out : ~*out;
	} else {
		ok = false;
	}
	c->depth--;
	return ok;
}

/* Level of a binary operator at the cursor, and its length; -1: there is none. */
static int operator_at(struct cursor *c, int *len)
{
	const char op = peek(c);
	const char next = c->end - c->p > 1 ? c->p[1] : '\0';

	*len = 1;
	switch (op) {
	case '|':
	case '&':
		if (next == op)
			return -1;
		return op == '|' ? 0 : 2;
	case '^':
		return 1;
	case '<':
	case '>':
		*len = 2;
		return next == op ? 3 : -1;
	case '+':
	case '-':
		return 4;
	case '*':
		return 5;
	default:
		return -1;
	}
}

static uint64_t apply(char op, uint64_t a, uint64_t b)
{
	switch (op) {
	case '|':
		return a | b;
	case '^':
		return a ^ b;
	case '&':
		return a & b;
	case '<':
		return b < 64 ? a << b : 0;
	case '>':
		return b < 64 ? a >> b : 0;
	case '+':
		return a + b;
	case '-':
		return a - b;
	default:
		return a * b;
	}
}

/* Operators of @level and what binds closer. */
static bool binary(struct cursor *c, int level, uint64_t *out)
{
	uint64_t left, right;

	if (!unary(c, &left))
		return false;
	for (;;) {
		int len, found = operator_at(c, &len);
		char op = c->p < c->end ? *c->p : '\0';

		if (found < level)
			break;
		c->p += len;
		if (!binary(c, found + 1, &right))
			return false;
		left = apply(op, left, right);
	}
	*out = left;
	return true;
}

bool leat_tracefs_const(const char **p, const char *end, uint64_t *out)
{
	struct cursor c = { .p = *p, .end = end };

	if (!binary(&c, 0, out))
		return false;
	*p = c.p;
	return true;
}
