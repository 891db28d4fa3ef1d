/* SPDX-License-Identifier: BSD-2-Clause */
#include <leat/cell.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

#include "../support/alloc.h"

struct limits {
	int low, high;
};

LEAT_CELL(limits, struct limits)

static struct limits_writable w;
static struct limits_readonly r;

static void init(void)
{
	struct limits first = { 1, 10 };

	cr_assert(eq(int, limits_new(&w, &first), 0));
	r = limits_share(w);
}

static void fini(void)
{
	limits_drop_readonly(&r);
	limits_drop_readonly(&r);
	limits_drop_writable(&w);
	limits_drop_writable(&w);
}

TestSuite(cell, .init = init, .fini = fini);

static int high(void *ctx, const struct limits *v)
{
	*(int *)ctx = v->high;
	return v->low;
}

static int raise_by(void *ctx, struct limits *v)
{
	v->high += *(int *)ctx;
	return 0;
}

Test(cell, readers_see_what_was_written)
{
	int seen = 0, by = 5;

	cr_expect(eq(int, limits_read(r, high, &seen), 1), "what the function returns");
	cr_expect(eq(int, seen, 10));
	cr_expect(eq(int, limits_write(w, raise_by, &by), 0));
	limits_read(r, high, &seen);
	cr_expect(eq(int, seen, 15));
	cr_expect(eq(u64, leat_cell_conflict_cnt(w.cell), 0));
}

static int write_inside(void *ctx, const struct limits *v)
{
	int by = 100;

	cr_expect(eq(int, limits_write(*(struct limits_writable *)ctx, raise_by, &by), -EBUSY));
	cr_expect(eq(int, v->high, 10), "unchanged");
	return 0;
}

static int read_inside(void *ctx, struct limits *v)
{
	int seen = -1, by = 1;

	(void)ctx;
	v->low = 99; /* half changed */
	cr_expect(eq(int, limits_read(r, high, &seen), -EBUSY));
	cr_expect(eq(int, limits_write(w, raise_by, &by), -EBUSY));
	cr_expect(eq(int, seen, -1));
	v->low = 2;
	return 0;
}

static int read_again(void *ctx, const struct limits *v)
{
	int seen;

	(void)ctx;
	(void)v;
	return limits_read(r, high, &seen);
}

Test(cell, conflicts_are_errors)
{
	int by = 1;

	cr_expect(eq(int, limits_read(r, write_inside, &w), 0));
	cr_expect(eq(u64, leat_cell_conflict_cnt(r.cell), 1));
	cr_expect(eq(int, limits_write(w, read_inside, NULL), 0));
	cr_expect(eq(u64, leat_cell_conflict_cnt(r.cell), 3));
	cr_expect(eq(int, limits_read(r, read_again, NULL), 2), "reads within each other");
	cr_expect(eq(int, limits_write(w, raise_by, &by), 0), "and nothing is left behind");
}

Test(cell, readers_are_bounded)
{
	const void *v;

	for (unsigned int i = 0; i < LEAT_CELL_MAX_READERS; i++)
		cr_assert(eq(int, leat_cell_begin_read(r.cell, &v), 0));
	cr_expect(eq(int, leat_cell_begin_read(r.cell, &v), -EBUSY));
	for (unsigned int i = 0; i < LEAT_CELL_MAX_READERS; i++)
		leat_cell_end_read(r.cell);
	cr_expect(eq(int, leat_cell_begin_read(r.cell, &v), 0));
	leat_cell_end_read(r.cell);
}

static int drop_all(void *ctx, const struct limits *v)
{
	(void)ctx;
	limits_drop_readonly(&r);
	limits_drop_writable(&w);
	return v->high; /* still there */
}

Test(cell, a_value_outlives_its_holders_while_it_is_read)
{
	cr_expect(eq(int, limits_read(r, drop_all, NULL), 10));
}

Test(cell, no_memory)
{
	struct leat_cell *c = NULL;
	int v = 1;

	leat_alloc_arm(1);
	cr_expect(eq(int, leat_cell_new(&c, &v, sizeof(v)), -ENOMEM));
	leat_alloc_disarm();
	cr_expect(eq(ptr, c, NULL));
	cr_expect(eq(int, leat_cell_new(&c, &v, SIZE_MAX), -ENOMEM));
}
