/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared values: one part writes, another reads, and neither at a wrong time. */
#include <leat/cell.h>

#include <errno.h>

#include "example.h"

struct totals {
	uint64_t records;
	uint64_t bytes;
};

LEAT_CELL(totals, struct totals)

static int count(void *ctx, struct totals *t)
{
	t->records++;
	t->bytes += *(const uint64_t *)ctx;
	return 0;
}

static int get(void *ctx, const struct totals *t)
{
	*(struct totals *)ctx = *t;
	return 0;
}

/* A reader that causes a write: the value it reads must not change under it. */
static int write_meanwhile(void *ctx, const struct totals *t)
{
	uint64_t bytes = 1, before = t->bytes;

	CHECK(totals_write(*(struct totals_writable *)ctx, count, &bytes) == -EBUSY);
	CHECK(t->bytes == before);
	return 0;
}

int main(void)
{
	struct totals zero = { 0, 0 }, seen;
	struct totals_writable w;
	struct totals_readonly r;

	CHECK(totals_new(&w, &zero) == 0);
	r = totals_share(w);
	for (uint64_t bytes = 10; bytes <= 30; bytes += 10)
		CHECK(totals_write(w, count, &bytes) == 0);
	CHECK(totals_read(r, write_meanwhile, &w) == 0);
	totals_drop_writable(&w); /* the reader keeps the value alive */
	CHECK(totals_read(r, get, &seen) == 0);
	CHECK(seen.records == 3 && seen.bytes == 60);
	CHECK(leat_cell_conflict_cnt(r.cell) == 1);
	printf("%d records, one conflict refused\n", (int)seen.records);
	totals_drop_readonly(&r);
	return 0;
}
