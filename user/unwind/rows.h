/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packs rows that come in order of address into the blocks of a table (leat_unwind.h). A row that
 * says what holds anyway is dropped. Caller serialises.
 */
#ifndef LEAT_UNWIND_ROWS_H
#define LEAT_UNWIND_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "leat_unwind.h"

/* 16 million rows: four times those of the largest browser. 64 MB, the default of all tables. */
#define LEAT_UNWIND_BLOCKS_MAX ((size_t)1 << 20)

struct leat_rows {
	union leat_unwind_block *blocks;
	size_t cap;
	size_t block_cnt; /* in use, the one that is being filled included */
	uint32_t first_page;
	uint32_t page_cnt;
	uint32_t page;	    /* the one that is being filled */
	uint32_t fill;	    /* rows in the last block */
	uint32_t subs;	    /* of the page: how many are set */
	uint32_t empty;	    /* a block that says INVALID, shared by pages without rows; 0: none */
	uint32_t rule;	    /* that holds at the end of what was written */
	uint32_t next_rule; /* the row that comes next: another one at its address replaces it */
	uint64_t next_vaddr;
	uint64_t row_cnt;
	int err; /* the first; later rows are dropped */
};

/*
 * Addresses from @start up to @end get pages. -EINVAL when there are none, -EOVERFLOW when there are
 * more than LEAT_UNWIND_PAGES_MAX, -ENOMEM.
 */
int leat_rows_init(struct leat_rows *r, uint64_t start, uint64_t end) LEAT_MUST_USE;
void leat_rows_fini(struct leat_rows *r);
/*
 * From @vaddr on, @rule holds. @vaddr is not below the last one; what is outside the pages is
 * dropped. Errors stick in .err: -ENOMEM, -EOVERFLOW at LEAT_UNWIND_BLOCKS_MAX.
 */
void leat_rows_add(struct leat_rows *r, uint64_t vaddr, uint32_t rule);
/*
 * Ends the last page and gives the blocks away (free() them). After -EOVERFLOW what was written
 * stays, and INVALID holds from there on: the table is whole, and the error is still in .err.
 * -ENOMEM.
 */
int leat_rows_done(struct leat_rows *r, union leat_unwind_block **out) LEAT_MUST_USE;

#endif
