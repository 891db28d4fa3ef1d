/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/rows.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

#define PAGE_BYTES (1ull << LEAT_UNWIND_PAGE_BITS)

/* Blocks that are kept back, so that a table can always be ended: one for the last page, one empty. */
#define RESERVE 2

static union leat_unwind_block *page_of(const struct leat_rows *r, uint32_t page)
{
	return &r->blocks[1 + page];
}

/* A block after the last one. The last two of all are for the end alone. */
static int add_block(struct leat_rows *r, size_t keep)
{
	int err = LEAT_ARRAY_ROOM(r->blocks, r->cap, r->block_cnt + 1,
				  LEAT_UNWIND_BLOCKS_MAX + 1 + r->page_cnt - keep);

	if (err)
		return err;
	r->block_cnt++;
	r->fill = 0;
	return 0;
}

/* The rest of the last block repeats its last row. */
static void pad_block(struct leat_rows *r)
{
	struct leat_unwind_row *rows = r->blocks[r->block_cnt - 1].rows;

	for (uint32_t i = r->fill; i < LEAT_UNWIND_BLOCK_ROWS; i++)
		rows[i] = rows[r->fill - 1];
	r->fill = LEAT_UNWIND_BLOCK_ROWS;
}

/* Block of the page's last row, counted from its first. */
static uint16_t last_block(const struct leat_rows *r)
{
	return (uint16_t)(r->block_cnt - 1 - page_of(r, r->page)->page.first);
}

static int put_row(struct leat_rows *r, uint16_t pc, uint32_t rule, size_t keep)
{
	union leat_unwind_block *page;
	uint16_t before = last_block(r);
	uint32_t last = pc >> LEAT_UNWIND_SUB_BITS;
	int err;

	if (r->fill == LEAT_UNWIND_BLOCK_ROWS) {
		err = add_block(r, keep);
		if (err)
			return err;
	}
	page = page_of(r, r->page);
	/* At the first byte of a part that this row skips, the row before holds. */
	for (; r->subs <= last; r->subs++) {
		bool here = pc == r->subs << LEAT_UNWIND_SUB_BITS;

		page->page.sub[r->subs] = here ? last_block(r) : before;
	}
	r->blocks[r->block_cnt - 1].rows[r->fill++] =
		(struct leat_unwind_row){ .pc = pc, .rule = (uint16_t)rule };
	r->rule = rule;
	return 0;
}

static void end_page(struct leat_rows *r)
{
	union leat_unwind_block *page = page_of(r, r->page);

	for (; r->subs <= LEAT_UNWIND_SUBS; r->subs++)
		page->page.sub[r->subs] = last_block(r);
	pad_block(r);
}

/* A page begins with a row at its first byte; @rule is that row's. */
static int begin_page(struct leat_rows *r, uint32_t page, uint32_t rule, size_t keep)
{
	int err = add_block(r, keep);

	if (err)
		return err;
	r->page = page;
	r->subs = 0;
	page_of(r, page)->page = (struct leat_unwind_page){ .first = (uint32_t)r->block_cnt - 1 };
	return put_row(r, 0, rule, keep);
}

/* A page in which nothing is known, from its first byte to its last. */
static int empty_page(struct leat_rows *r, uint32_t page, size_t keep)
{
	int err;

	if (!r->empty) {
		err = begin_page(r, page, LEAT_RULE_INVALID, keep);
		if (err)
			return err;
		end_page(r);
		r->empty = (uint32_t)r->block_cnt - 1;
	}
	page_of(r, page)->page = (struct leat_unwind_page){ .first = r->empty };
	r->page = page;
	return 0;
}

/* The pages between the last row's and @page. */
static int skip_to(struct leat_rows *r, uint32_t page, size_t keep)
{
	int err = 0;

	if (r->page != UINT32_MAX && r->page < page && r->subs)
		end_page(r);
	for (uint32_t p = r->page + 1; p < page && !err; p++) {
		if (r->rule == LEAT_RULE_INVALID) {
			err = empty_page(r, p, keep);
		} else {
			err = begin_page(r, p, r->rule, keep);
			if (!err)
				end_page(r);
		}
	}
	r->subs = 0;
	return err;
}

static int write_row(struct leat_rows *r, uint64_t vaddr, uint32_t rule, size_t keep)
{
	uint32_t page = (uint32_t)(vaddr >> LEAT_UNWIND_PAGE_BITS) - r->first_page;
	uint16_t pc = vaddr & (PAGE_BYTES - 1);
	int err;

	if (page != r->page) {
		err = skip_to(r, page, keep);
		if (!err)
			err = begin_page(r, page, pc ? r->rule : rule, keep);
		if (err)
			return err;
		if (!pc) {
			r->row_cnt++;
			return 0;
		}
	}
	err = put_row(r, pc, rule, keep);
	if (!err)
		r->row_cnt++;
	return err;
}

static void flush(struct leat_rows *r)
{
	int err = 0;

	if (r->next_rule != r->rule)
		err = write_row(r, r->next_vaddr, r->next_rule, RESERVE);
	if (err && !r->err)
		r->err = err;
}

int leat_rows_init(struct leat_rows *r, uint64_t start, uint64_t end)
{
	uint64_t pages;
	int err;

	*r = (struct leat_rows){ .page = UINT32_MAX };
	if (start >= end)
		return -EINVAL;
	pages = ((end - 1) >> LEAT_UNWIND_PAGE_BITS) - (start >> LEAT_UNWIND_PAGE_BITS) + 1;
	if (pages > LEAT_UNWIND_PAGES_MAX || end >> LEAT_UNWIND_PAGE_BITS > UINT32_MAX - 1)
		return -EOVERFLOW;
	r->first_page = (uint32_t)(start >> LEAT_UNWIND_PAGE_BITS);
	r->page_cnt = (uint32_t)pages;
	r->next_vaddr = (uint64_t)r->first_page << LEAT_UNWIND_PAGE_BITS;
	err = leat_array_reserve((void **)&r->blocks, &r->cap, 1 + pages + 64, sizeof(*r->blocks),
				 SIZE_MAX);
	if (err)
		return err;
	memset(r->blocks, 0, (1 + pages) * sizeof(*r->blocks));
	r->block_cnt = 1 + pages;
	return 0;
}

void leat_rows_fini(struct leat_rows *r)
{
	free(r->blocks);
	*r = (struct leat_rows){ 0 };
}

void leat_rows_add(struct leat_rows *r, uint64_t vaddr, uint32_t rule)
{
	if (r->err || vaddr < r->next_vaddr ||
	    (vaddr >> LEAT_UNWIND_PAGE_BITS) - r->first_page >= r->page_cnt)
		return;
	if (vaddr > r->next_vaddr) {
		flush(r);
		r->next_vaddr = vaddr;
	}
	r->next_rule = rule;
}

/* The maximum is reached: the last row becomes INVALID, so nothing is said about what follows. */
static void cut(struct leat_rows *r)
{
	struct leat_unwind_row *rows = r->blocks[r->block_cnt - 1].rows;

	if (r->page != UINT32_MAX && r->subs && r->fill)
		rows[r->fill - 1].rule = LEAT_RULE_INVALID;
	r->rule = LEAT_RULE_INVALID;
}

int leat_rows_done(struct leat_rows *r, union leat_unwind_block **out)
{
	union leat_unwind_block *fit;
	int err;

	if (!r->err)
		flush(r);
	if (r->err == -ENOMEM)
		return -ENOMEM;
	if (r->err)
		cut(r);
	err = skip_to(r, r->page_cnt, 0);
	if (err)
		return err;
	r->blocks[0].head = (struct leat_unwind_head){
		.magic = LEAT_UNWIND_MAGIC,
		.first_page = r->first_page,
		.page_cnt = r->page_cnt,
		.block_cnt = (uint32_t)r->block_cnt,
		.row_cnt = (uint32_t)r->row_cnt,
	};
	fit = realloc(r->blocks, r->block_cnt * sizeof(*fit));
	*out = fit ? fit : r->blocks;
	r->blocks = NULL;
	return 0;
}
