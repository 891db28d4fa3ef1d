/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The step over any table, any rules, any registers and any stack: every read goes through its
 * bounds (a sanitizer sees others), and it ends.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/unwind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RULES  16
#define FRAMES 128
#define STACK  0x7ffd0000ull
#define CODE   0x400000ull

struct header {
	struct leat_unwind_rule rules[RULES];
	uint64_t regs[LEAT_UNWIND_REGS];
	uint32_t known;
	uint32_t page_cnt;
	uint32_t block_cnt;
	uint32_t stack_len;
};

static void walk(const struct header *h, const uint8_t *rest, size_t n)
{
	size_t block_cnt = h->block_cnt % 64, blocks_len, stack_len;
	struct leat_unwind_table t = { 0 };
	struct leat_unwind_rules *rules = NULL;
	struct leat_unwind_map map = { .start = CODE, .end = CODE << 8, .table = &t };
	struct leat_unwind_piece piece = { .addr = STACK };
	struct leat_unwind_sample s = { .pieces = &piece, .piece_cnt = 1 };
	struct leat_unwind_frame frames[FRAMES];
	struct leat_unwind_space space = { .maps = &map, .map_cnt = 1 };
	size_t cnt;

	blocks_len = block_cnt * sizeof(*t.blocks) < n ? block_cnt * sizeof(*t.blocks) : n;
	t.block_cnt = (uint32_t)(blocks_len / sizeof(*t.blocks));
	t.blocks = malloc(t.block_cnt * sizeof(*t.blocks) + 1);
	stack_len = n - blocks_len;
	piece.data = rest + blocks_len;
	piece.len = h->stack_len < stack_len ? h->stack_len : stack_len;
	if (!t.blocks || leat_unwind_rules_new(&rules))
		abort();
	memcpy(t.blocks, rest, t.block_cnt * sizeof(*t.blocks));
	t.first_page = CODE >> LEAT_UNWIND_PAGE_BITS;
	t.page_cnt = h->page_cnt;
	for (size_t i = 0; i < RULES; i++)
		(void)leat_unwind_rules_intern(rules, h->rules[i]);
	space.rules = rules;
	memcpy(s.regs.r, h->regs, sizeof(h->regs));
	s.regs.known = h->known;
	(void)leat_unwind_stack(&space, &s, frames, FRAMES, &cnt);
	assert(cnt >= 1 && cnt <= FRAMES);
	assert(frames[0].pc == h->regs[16]);
	free(t.blocks);
	leat_unwind_rules_free(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct header h;

	if (size < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	walk(&h, data + sizeof(h), size - sizeof(h));
	/* Registers that lead into the code and the stack. */
	h.regs[16] = CODE + h.regs[16] % 0x40000;
	h.regs[7] = STACK + (h.regs[7] & 0xff8);
	h.regs[6] = STACK + (h.regs[6] & 0xff8);
	walk(&h, data + sizeof(h), size - sizeof(h));
	return 0;
}
