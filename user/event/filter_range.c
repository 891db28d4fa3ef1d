/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparisons of numbers as ranges: whatever the operator, one subtraction and one comparison. */
#include <errno.h>
#include <math.h>

#include "event/filter_prog.h"

/* All that a field or a literal can be, signed and unsigned. */
typedef __int128 wide;

static wide wide_of(const struct leat_filter_number *n)
{
	return n->negative ? (wide)(int64_t)n->bits : (wide)n->bits;
}

/* Both ends included; lo > hi is empty. */
static void ends_of(enum leat_filter_op op, const struct leat_filter_value *v, wide *lo, wide *hi)
{
	wide c = wide_of(&v->lo);

	switch (op) {
	case LEAT_FILTER_LT:
		*hi = c - 1;
		break;
	case LEAT_FILTER_LE:
		*hi = c;
		break;
	case LEAT_FILTER_GT:
		*lo = c + 1;
		break;
	case LEAT_FILTER_GE:
		*lo = c;
		break;
	default:
		*lo = c;
		*hi = wide_of(&v->hi);
		break;
	}
}

static int by_lo(const void *a, const void *b)
{
	const struct leat_prog_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* Ranges that touch or overlap become one. */
static void merge(struct leat_intervals *iv)
{
	size_t kept = 0;

	qsort(iv->items, iv->n, sizeof(*iv->items), by_lo);
	for (size_t i = 1; i < iv->n; i++) {
		struct leat_prog_range *last = &iv->items[kept];
		struct leat_prog_range *r = &iv->items[i];

		if (r->lo <= last->hi || r->lo == last->hi + 1)
			last->hi = r->hi > last->hi ? r->hi : last->hi;
		else
			iv->items[++kept] = *r;
	}
	iv->n = iv->n ? kept + 1 : 0;
}

int leat_prog_intervals(const struct leat_filter_tree *t, const struct leat_filter_node *n,
			bool is_signed, struct leat_intervals *out)
{
	/* What a mask leaves is not negative. */
	bool is_negative = is_signed && !n->masked;
	wide lowest = is_negative ? (wide)INT64_MIN : 0;
	wide highest = is_negative ? (wide)INT64_MAX : (wide)UINT64_MAX;
	size_t cnt = n->op == LEAT_FILTER_BITS ? 1 : n->value_cnt;

	out->n = 0;
	out->flip = is_negative ? (uint64_t)1 << 63 : 0;
	out->items = calloc(cnt, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	for (size_t i = 0; i < cnt; i++) {
		wide lo = n->op == LEAT_FILTER_BITS ? 1 : lowest, hi = highest;

		if (n->op != LEAT_FILTER_BITS)
			ends_of(n->op, &t->values[n->value + i], &lo, &hi);
		lo = lo < lowest ? lowest : lo;
		hi = hi > highest ? highest : hi;
		if (lo > hi)
			continue;
		out->items[out->n++] = (struct leat_prog_range){ .lo = (uint64_t)lo ^ out->flip,
								 .hi = (uint64_t)hi ^ out->flip };
	}
	merge(out);
	return 0;
}

/* The nearest double that is not below (@up) or not above a whole number. */
static double double_of(const struct leat_filter_number *n, bool up)
{
	double d = n->negative ? (double)(int64_t)n->bits : (double)n->bits;
	wide exact = wide_of(n), have = (wide)d; /* at most 2^64: exact in 128 bits */

	if (up && have < exact)
		d = nextafter(d, INFINITY);
	else if (!up && have > exact)
		d = nextafter(d, -INFINITY);
	return d;
}

void leat_prog_bounds(const struct leat_filter_node *n, const struct leat_filter_value *v,
		      bool single, double *lo, double *hi)
{
	double a = v->is_float ? v->float_lo : double_of(&v->lo, true);
	double b = v->is_float ? v->float_hi : double_of(&v->hi, false);

	/* 0.1 is no float of 4 bytes: the one that is written so is meant. */
	if (single && v->is_float) {
		a = (double)(float)a;
		b = (double)(float)b;
	}
	*lo = -INFINITY;
	*hi = INFINITY;
	switch (n->op) {
	case LEAT_FILTER_LT: /* a is the value, or the next above it, which is not below it either */
		*hi = nextafter(a, -INFINITY);
		break;
	case LEAT_FILTER_LE:
		*hi = b;
		break;
	case LEAT_FILTER_GT:
		*lo = nextafter(b, INFINITY);
		break;
	case LEAT_FILTER_GE:
		*lo = a;
		break;
	default:
		*lo = a;
		*hi = b;
		break;
	}
}
