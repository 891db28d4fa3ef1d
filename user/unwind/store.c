/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "unwind_code.h"

static const uint8_t magic[8] = { 0x89, 'L', 'E', 'A', 'T', 'U', 'W', '\n' };

#define CHECKSUM_AT  offsetof(struct leat_store_head, checksum)
#define CHECKED_FROM offsetof(struct leat_store_head, code)

static uint64_t checksum_of(const uint8_t *data, size_t len)
{
	const uint64_t rest = leat_hash_bytes(data + CHECKED_FROM, len - CHECKED_FROM);

	return leat_hash_seeded(data, CHECKSUM_AT, rest);
}

void leat_store_seal(uint8_t *data, size_t len)
{
	const uint64_t sum = checksum_of(data, len);

	memcpy(data + CHECKSUM_AT, &sum, sizeof(sum));
}

/* ---- to a file ---- */

/* Numbers of the dictionary become numbers of the file, in the order in which rows use them. */
struct renumber {
	uint16_t to[LEAT_UNWIND_RULES_MAX]; /* 0: not used so far */
	uint32_t used[LEAT_UNWIND_RULES_MAX];
	uint32_t cnt;
};

static uint16_t number_in_file(struct renumber *m, uint16_t rule)
{
	if (rule < LEAT_RULE__FIXED)
		return rule;
	if (!m->to[rule]) {
		m->to[rule] = (uint16_t)(LEAT_RULE__FIXED + m->cnt);
		m->used[m->cnt++] = rule;
	}
	return m->to[rule];
}

static void put_blocks(const struct leat_unwind_table *t, struct renumber *m,
		       union leat_unwind_block *to)
{
	memcpy(to, t->blocks, (size_t)t->block_cnt * sizeof(*to));
	for (uint32_t i = t->page_cnt + 1; i < t->block_cnt; i++)
		for (uint32_t k = 0; k < LEAT_UNWIND_BLOCK_ROWS; k++)
			to[i].rows[k].rule = number_in_file(m, to[i].rows[k].rule);
}

static void put_head(uint8_t *data, const struct leat_unwind_table *t, uint32_t rule_cnt,
		     const struct leat_store_key *key, size_t len)
{
	struct leat_store_head h = {
		.version = LEAT_STORE_VERSION,
		.head_bytes = sizeof(h),
		.code = LEAT_UNWIND_CODE,
		.bytes = len,
		.file_bytes = key->file_bytes,
		.build_id_len = key->build_id_len,
		.rule_cnt = rule_cnt,
		.block_cnt = t->block_cnt,
		.sources = t->sources,
		.err = t->err,
		.func_cnt = t->func_cnt,
		.bad_cnt = t->bad_cnt,
		.cut_cnt = t->cut_cnt,
	};

	memcpy(h.magic, magic, sizeof(magic));
	memcpy(h.build_id, key->build_id, sizeof(h.build_id));
	memcpy(data, &h, sizeof(h));
	leat_store_seal(data, len);
}

int leat_store_encode(const struct leat_unwind_table *t, const struct leat_unwind_rules *rules,
		      const struct leat_store_key *key, uint8_t **out, size_t *len)
{
	const struct leat_unwind_rule *all = leat_unwind_rules_all(rules);
	const size_t block_bytes = (size_t)leat_unwind_table_bytes(t);
	LEAT_FREE union leat_unwind_block *blocks = malloc(block_bytes);
	LEAT_FREE struct renumber *m = calloc(1, sizeof(*m));
	uint8_t *data, *at;
	size_t n;

	if (!blocks || !m)
		return -ENOMEM;
	put_blocks(t, m, blocks);
	n = sizeof(struct leat_store_head) + m->cnt * sizeof(*all) + block_bytes;
	data = malloc(n);
	if (!data)
		return -ENOMEM;
	at = data + sizeof(struct leat_store_head);
	for (uint32_t i = 0; i < m->cnt; i++, at += sizeof(*all))
		memcpy(at, &all[m->used[i]], sizeof(*all));
	memcpy(at, blocks, block_bytes);
	put_head(data, t, m->cnt, key, n);
	*out = data;
	*len = n;
	return 0;
}

/* ---- from a file ---- */

struct decode {
	const struct leat_store_head *h;
	const uint8_t *rules;
	union leat_unwind_block *blocks;
	uint32_t page_cnt;
};

static int check_head(const struct leat_store_head *h, const uint8_t *data, size_t len,
		      const struct leat_store_key *key)
{
	uint64_t rest;

	if (memcmp(h->magic, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	if (h->version != LEAT_STORE_VERSION || h->code != LEAT_UNWIND_CODE)
		return -ESTALE;
	if (h->head_bytes != sizeof(*h) || h->bytes != len || checksum_of(data, len) != h->checksum)
		return -EBADMSG;
	if (h->build_id_len != key->build_id_len || h->file_bytes != key->file_bytes ||
	    memcmp(h->build_id, key->build_id, sizeof(h->build_id)) != 0)
		return -ESTALE;
	rest = len - sizeof(*h);
	if (h->rule_cnt > LEAT_UNWIND_RULES_MAX - LEAT_RULE__FIXED || h->block_cnt < 2 ||
	    h->block_cnt > LEAT_STORE_BLOCKS_MAX ||
	    rest != h->rule_cnt * sizeof(struct leat_unwind_rule) +
			    (uint64_t)h->block_cnt * sizeof(union leat_unwind_block))
		return -EBADMSG;
	return h->err && h->err != -EOVERFLOW ? -EBADMSG : 0;
}

static bool is_rule(const struct leat_unwind_rule *r)
{
	const bool command = r->cfa > LEAT_CFA_INVALID && r->cfa <= LEAT_CFA_SWITCH;
	const bool memory = r->cfa >= LEAT_CFA_SP && r->cfa <= LEAT_CFA_FP_MEM;
	const bool reg = r->cfa >= LEAT_CFA_REG && r->cfa <= LEAT_CFA_REG + 16;

	return (command || memory || reg) && (r->fp & ~LEAT_FP_EXACT) <= LEAT_FP_LOST;
}

static struct leat_unwind_rule rule_at(const struct decode *d, uint32_t i)
{
	struct leat_unwind_rule r;

	memcpy(&r, d->rules + i * sizeof(r), sizeof(r));
	return r;
}

static int check_rules(const struct decode *d)
{
	for (uint32_t i = 0; i < d->h->rule_cnt; i++) {
		const struct leat_unwind_rule r = rule_at(d, i);

		if (!is_rule(&r))
			return -EBADMSG;
	}
	return 0;
}

/* Where each 4 KB begins: rows below it lie at or before that block, rows above it at or behind. */
static bool are_subs(const struct decode *d, const struct leat_unwind_page *p)
{
	const uint32_t last = p->sub[LEAT_UNWIND_SUBS];

	for (uint32_t i = 0; i <= LEAT_UNWIND_SUBS; i++) {
		const union leat_unwind_block *b = &d->blocks[p->first + p->sub[i]];
		const uint32_t at = i << LEAT_UNWIND_SUB_BITS;

		if (p->sub[i] > last || (i && p->sub[i] < p->sub[i - 1]) || b->rows[0].pc > at ||
		    (p->sub[i] < last && b[1].rows[0].pc <= at))
			return false;
	}
	return true;
}

/* The rows of a page: in order, from its first byte on. */
static int check_rows(const struct decode *d, uint32_t first, uint32_t end)
{
	const uint32_t rule_end = LEAT_RULE__FIXED + d->h->rule_cnt;
	uint32_t pc = 0;

	if (d->blocks[first].rows[0].pc)
		return -EBADMSG;
	for (uint32_t i = first; i < end; i++) {
		for (uint32_t k = 0; k < LEAT_UNWIND_BLOCK_ROWS; k++) {
			const struct leat_unwind_row *row = &d->blocks[i].rows[k];

			if (row->pc < pc || row->rule >= rule_end)
				return -EBADMSG;
			pc = row->pc;
		}
	}
	return 0;
}

/* A page of which nothing is known shares its block with others before it. */
static bool is_empty_page(const struct decode *d, const struct leat_unwind_page *p, uint32_t next)
{
	const struct leat_unwind_row *rows = d->blocks[p->first].rows;
	bool empty = p->first > d->page_cnt && p->first < next;

	for (uint32_t i = 0; i <= LEAT_UNWIND_SUBS; i++)
		empty = empty && !p->sub[i];
	for (uint32_t k = 0; empty && k < LEAT_UNWIND_BLOCK_ROWS; k++)
		empty = rows[k].rule == LEAT_RULE_INVALID;
	return empty;
}

/* Pages have their blocks one behind the other: so no block is looked at twice. */
static int check_pages(const struct decode *d)
{
	uint32_t next = d->page_cnt + 1;

	for (uint32_t i = 1; i <= d->page_cnt; i++) {
		const struct leat_unwind_page *p = &d->blocks[i].page;
		const uint32_t cnt = p->sub[LEAT_UNWIND_SUBS] + 1u;
		int err;

		if (p->first >= d->h->block_cnt)
			return -EBADMSG;
		if (p->first != next) {
			if (!is_empty_page(d, p, next))
				return -EBADMSG;
			continue;
		}
		if (cnt > d->h->block_cnt - next || !are_subs(d, p))
			return -EBADMSG;
		err = check_rows(d, next, next + cnt);
		if (err)
			return err;
		next += cnt;
	}
	return next == d->h->block_cnt ? 0 : -EBADMSG;
}

static int check_blocks(struct decode *d)
{
	const struct leat_unwind_head *head = &d->blocks[0].head;

	if (head->magic != LEAT_UNWIND_MAGIC || head->block_cnt != d->h->block_cnt ||
	    !head->page_cnt || head->page_cnt > LEAT_UNWIND_PAGES_MAX ||
	    head->page_cnt > d->h->block_cnt - 2 ||
	    head->row_cnt > (uint64_t)head->block_cnt * LEAT_UNWIND_BLOCK_ROWS)
		return -EBADMSG;
	d->page_cnt = head->page_cnt;
	return check_pages(d);
}

/* Only when all is well: the dictionary forgets nothing. */
static int take_rules(const struct decode *d, struct leat_unwind_rules *rules)
{
	LEAT_FREE uint16_t *to = malloc((LEAT_RULE__FIXED + d->h->rule_cnt) * sizeof(*to));

	if (!to)
		return -ENOMEM;
	for (uint32_t i = 0; i < LEAT_RULE__FIXED; i++)
		to[i] = (uint16_t)i;
	for (uint32_t i = 0; i < d->h->rule_cnt; i++)
		to[LEAT_RULE__FIXED + i] = (uint16_t)leat_unwind_rules_intern(rules, rule_at(d, i));
	for (uint32_t i = d->page_cnt + 1; i < d->h->block_cnt; i++)
		for (uint32_t k = 0; k < LEAT_UNWIND_BLOCK_ROWS; k++)
			d->blocks[i].rows[k].rule = to[d->blocks[i].rows[k].rule];
	return 0;
}

static int make_table(const struct decode *d, struct leat_unwind_table **out)
{
	struct leat_unwind_table *t = malloc(sizeof(*t));

	if (!t)
		return -ENOMEM;
	*t = (struct leat_unwind_table){
		.blocks = d->blocks,
		.block_cnt = d->h->block_cnt,
		.first_page = d->blocks[0].head.first_page,
		.page_cnt = d->page_cnt,
		.row_cnt = d->blocks[0].head.row_cnt,
		.sources = d->h->sources,
		.func_cnt = d->h->func_cnt,
		.bad_cnt = d->h->bad_cnt,
		.cut_cnt = d->h->cut_cnt,
		.err = d->h->err,
	};
	*out = t;
	return 0;
}

int leat_store_decode(struct leat_unwind_table **out, const void *data, size_t len,
		      const struct leat_store_key *key, struct leat_unwind_rules *rules)
{
	LEAT_FREE union leat_unwind_block *blocks = NULL;
	struct leat_store_head h;
	struct decode d;
	size_t bytes;
	int err;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, data, sizeof(h));
	err = check_head(&h, data, len, key);
	if (err)
		return err;
	bytes = (size_t)h.block_cnt * sizeof(*blocks);
	blocks = malloc(bytes);
	if (!blocks)
		return -ENOMEM;
	memcpy(blocks, (const uint8_t *)data + len - bytes, bytes);
	d = (struct decode){ &h, (const uint8_t *)data + sizeof(h), blocks, 0 };
	if ((err = check_rules(&d)) || (err = check_blocks(&d)) || (err = take_rules(&d, rules)) ||
	    (err = make_table(&d, out)))
		return err;
	blocks = NULL; /* the table's */
	return 0;
}
