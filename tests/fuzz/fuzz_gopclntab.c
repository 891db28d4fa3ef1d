/* SPDX-License-Identifier: BSD-2-Clause */
/* Go's table of functions, of every version. */
#include <assert.h>
#include <stdlib.h>

#include "unwind/gopclntab.h"
#include "unwind/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE	 0x401000ull
#define CODE_END 0x421000ull

static void use(struct leat_gopcln *g)
{
	struct leat_unwind_table t = { 0 };
	struct leat_unwind_rules *rules = NULL;
	struct leat_fdes fdes = { 0 };
	struct leat_rows rows;

	if (leat_unwind_rules_new(&rules) || leat_rows_init(&rows, CODE, CODE_END))
		abort();
	if (leat_gopcln_scan(g, &fdes))
		abort();
	for (size_t i = 0; i < fdes.n && i < 4096; i++)
		(void)leat_gopcln_rows(g, &fdes.v[i], fdes.v[i].end, rules, &rows);
	if (leat_rows_done(&rows, &t.blocks))
		abort();
	t.block_cnt = t.blocks[0].head.block_cnt;
	t.page_cnt = t.blocks[0].head.page_cnt;
	t.first_page = t.blocks[0].head.first_page;
	for (uint64_t at = CODE; at < CODE_END; at += 251)
		assert(leat_unwind_table_rule(&t, at) < leat_unwind_rules_cnt(rules));
	free(t.blocks);
	free(fdes.v);
	leat_unwind_rules_free(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_gopcln g;

	if (leat_gopcln_parse(&g, data, size, CODE))
		return 0;
	use(&g);
	/* With the table itself as the code. */
	g.code = data;
	g.code_len = size;
	g.code_vaddr = CODE;
	use(&g);
	return 0;
}
