/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call frame information: as .eh_frame and as .debug_frame, and a whole file. Whatever it holds,
 * tables are well-formed: every address has a rule of the dictionary.
 */
#include <assert.h>
#include <stdlib.h>

#include "unwind/cfi.h"
#include "unwind/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CODE_END (1ull << 18)

static volatile uint64_t sink;

static void look(const struct leat_unwind_table *t, const struct leat_unwind_rules *rules)
{
	uint64_t base = (uint64_t)t->first_page << LEAT_UNWIND_PAGE_BITS;
	uint64_t room = (uint64_t)t->page_cnt << LEAT_UNWIND_PAGE_BITS;

	for (uint64_t at = 0; at < room && at < CODE_END; at += 331) {
		uint32_t rule = leat_unwind_table_rule(t, base + at);

		assert(rule < leat_unwind_rules_cnt(rules));
		sink += leat_unwind_rules_all(rules)[rule].cfa;
	}
}

static void as_section(const uint8_t *data, size_t size, bool debug)
{
	struct leat_cfi c = {
		.data = data, .len = size, .vaddr = debug ? 0 : 0x100000, .debug = debug
	};
	struct leat_unwind_table t = { 0 };
	struct leat_unwind_rules *rules = NULL;
	struct leat_fdes fdes = { 0 };
	struct leat_rows rows;

	if (leat_unwind_rules_new(&rules) || leat_rows_init(&rows, 0, CODE_END))
		abort();
	if (leat_cfi_scan(&c, &fdes))
		abort();
	for (size_t i = 0; i < fdes.n; i++) {
		assert(fdes.v[i].start < fdes.v[i].end);
		assert(fdes.v[i].cie < c.cie_cnt);
		(void)leat_cfi_rows(&c, &fdes.v[i], fdes.v[i].end, rules, &rows);
	}
	if (leat_rows_done(&rows, &t.blocks))
		abort();
	t.block_cnt = t.blocks[0].head.block_cnt;
	t.page_cnt = t.blocks[0].head.page_cnt;
	look(&t, rules);
	free(t.blocks);
	free(fdes.v);
	leat_cfi_fini(&c);
	leat_unwind_rules_free(&rules);
}

static void as_file(const uint8_t *data, size_t size)
{
	struct leat_unwind_rules *rules = NULL;
	struct leat_unwind_table *t = NULL;
	struct leat_elf *e = NULL;

	if (leat_elf_open_mem(&e, data, size, false))
		return;
	if (leat_unwind_rules_new(&rules))
		abort();
	if (!leat_unwind_table_build(&t, e, NULL, rules))
		look(t, rules);
	leat_unwind_table_free(&t);
	leat_unwind_rules_free(&rules);
	leat_elf_free(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_section(data, size, false);
	as_section(data, size, true);
	as_file(data, size);
	return 0;
}
