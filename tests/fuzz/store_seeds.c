/* SPDX-License-Identifier: BSD-2-Clause */
/* store_seeds DIR: the first inputs of fuzz_store: files as the encoder writes them. */
#include <stdio.h>
#include <stdlib.h>

#include "unwind/rows.h"
#include "unwind/store.h"

static int write_seed(const char *dir, const char *name, uint32_t rows, uint32_t pages)
{
	const struct leat_store_key key = { { 1 }, 1, 1 };
	struct leat_unwind_rules *rules = NULL;
	struct leat_unwind_table t = { 0 };
	struct leat_rows r;
	char path[512];
	uint8_t *data;
	size_t len, put;
	FILE *f;

	if (leat_unwind_rules_new(&rules) ||
	    leat_rows_init(&r, 0, (uint64_t)pages << LEAT_UNWIND_PAGE_BITS))
		return 1;
	for (uint32_t i = 0; i < rows; i++) {
		const struct leat_unwind_rule rule = { .cfa = LEAT_CFA_SP,
						       .cfa_bx = (int)(8 + i % 5 * 8) * 256 };

		leat_rows_add(&r, 100 + i * 777, leat_unwind_rules_intern(rules, rule));
	}
	leat_rows_add(&r, 100 + rows * 777, LEAT_RULE_INVALID);
	if (leat_rows_done(&r, &t.blocks))
		return 1;
	t.block_cnt = t.blocks[0].head.block_cnt;
	t.page_cnt = pages;
	if (leat_store_encode(&t, rules, &key, &data, &len))
		return 1;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (!f)
		return 1;
	put = fwrite(data, 1, len, f);
	free(data);
	free(t.blocks);
	leat_unwind_rules_free(&rules);
	return fclose(f) || put != len;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	return write_seed(argv[1], "few", 3, 1) || write_seed(argv[1], "pages", 200, 4) ||
	       write_seed(argv[1], "none", 0, 2);
}
