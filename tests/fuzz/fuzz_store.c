/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cached unwind table of any content: as it comes, and with a head and a checksum that are right.
 * Every read goes through its bounds (a sanitizer sees others), and what is taken can be searched.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/store.h"
#include "unwind/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void search(const struct leat_unwind_table *t, const struct leat_unwind_rules *rules)
{
	const uint64_t begin = (uint64_t)t->first_page << LEAT_UNWIND_PAGE_BITS,
		       bytes = (uint64_t)t->page_cnt << LEAT_UNWIND_PAGE_BITS;

	assert(t->block_cnt > t->page_cnt);
	for (uint64_t at = 0, n = 0; at < bytes && n < 4096; at += 1021, n++)
		assert(leat_unwind_table_rule(t, begin + at) < leat_unwind_rules_cnt(rules));
}

static void decode(const uint8_t *data, size_t size, const struct leat_store_key *key)
{
	struct leat_unwind_rules *rules = NULL;
	struct leat_unwind_table *t = NULL;

	if (leat_unwind_rules_new(&rules))
		abort();
	if (!leat_store_decode(&t, data, size, key, rules))
		search(t, rules);
	else
		assert(leat_unwind_rules_cnt(rules) == LEAT_RULE__FIXED);
	leat_unwind_table_free(&t);
	leat_unwind_rules_free(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct leat_store_key key = { { 1 }, 1, 1 };
	struct leat_unwind_rules *rules = NULL;
	union leat_unwind_block blocks[2] = { { .head = { .block_cnt = 2 } } };
	const struct leat_unwind_table empty = { .blocks = blocks, .block_cnt = 2, .page_cnt = 1 };
	struct leat_store_head *h;
	uint8_t *own, *model;
	size_t len;

	decode(data, size, &key);
	if (size < sizeof(*h))
		return 0;
	own = malloc(size);
	if (!own || leat_unwind_rules_new(&rules) ||
	    leat_store_encode(&empty, rules, &key, &model, &len))
		abort();
	memcpy(own, data, size);
	/* All that says whose table it is, as it should be. */
	memcpy(own, model, offsetof(struct leat_store_head, rule_cnt));
	h = (struct leat_store_head *)own;
	h->bytes = size;
	leat_store_seal(own, size);
	decode(own, size, &key);
	free(own);
	free(model);
	leat_unwind_rules_free(&rules);
	return 0;
}
