/* SPDX-License-Identifier: BSD-2-Clause */
/* The dictionary, the packing of rows, and the step over made-up tables and stacks. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "unwind/rows.h"
#include "unwind/unwind.h"

static struct leat_unwind_rule sp_rule(int off)
{
	return (struct leat_unwind_rule){ .cfa = LEAT_CFA_SP, .cfa_bx = off * 256 };
}

Test(unwind_rules, a_rule_has_one_number)
{
	struct leat_unwind_rules *r;
	uint32_t a, b;

	cr_assert(zero(int, leat_unwind_rules_new(&r)));
	cr_expect(eq(u32, leat_unwind_rules_cnt(r), LEAT_RULE__FIXED));
	a = leat_unwind_rules_intern(r, sp_rule(8));
	b = leat_unwind_rules_intern(r, sp_rule(16));
	cr_expect(eq(u32, a, LEAT_RULE__FIXED));
	cr_expect(eq(u32, b, LEAT_RULE__FIXED + 1));
	cr_expect(eq(u32, leat_unwind_rules_intern(r, sp_rule(8)), a));
	cr_expect(eq(u32, leat_unwind_rules_intern(r, (struct leat_unwind_rule){ 0 }), 0));
	cr_expect(eq(u32,
		     leat_unwind_rules_intern(r, (struct leat_unwind_rule){ .cfa = LEAT_CFA_STOP }),
		     LEAT_RULE_STOP));
	cr_expect(
		eq(u32,
		   leat_unwind_rules_intern(r, (struct leat_unwind_rule){ .cfa = LEAT_CFA_SIGNAL }),
		   LEAT_RULE_SIGNAL));
	leat_unwind_rules_free(&r);
	leat_unwind_rules_free(&r);
}

Test(unwind_rules, a_full_dictionary_says_invalid)
{
	struct leat_unwind_rules *r;

	cr_assert(zero(int, leat_unwind_rules_new(&r)));
	for (int i = 1; i <= 20000; i++) {
		uint32_t no = leat_unwind_rules_intern(r, sp_rule(i * 8));

		if (i <= LEAT_UNWIND_RULES_MAX - LEAT_RULE__FIXED)
			cr_assert(eq(u32, no, (uint32_t)(LEAT_RULE__FIXED + i - 1)));
		else
			cr_assert(eq(u32, no, LEAT_RULE_INVALID));
	}
	cr_expect(eq(u64, leat_unwind_rules_refused(r),
		     20000u - LEAT_UNWIND_RULES_MAX + LEAT_RULE__FIXED));
	cr_expect(eq(u32, leat_unwind_rules_intern(r, sp_rule(80)), LEAT_RULE__FIXED + 9));
	leat_unwind_rules_free(&r);
}

/* ---- rows ---- */

static struct leat_unwind_table table_of(struct leat_rows *r)
{
	struct leat_unwind_table t = { 0 };

	cr_assert(zero(int, leat_rows_done(r, &t.blocks)));
	t.block_cnt = t.blocks[0].head.block_cnt;
	t.first_page = t.blocks[0].head.first_page;
	t.page_cnt = t.blocks[0].head.page_cnt;
	t.row_cnt = t.blocks[0].head.row_cnt;
	return t;
}

Test(unwind_rows, equal_neighbours_are_one_row)
{
	struct leat_rows r;
	struct leat_unwind_table t;

	cr_assert(zero(int, leat_rows_init(&r, 0x401000, 0x402000)));
	leat_rows_add(&r, 0x401000, 7);
	leat_rows_add(&r, 0x401004, 7);
	leat_rows_add(&r, 0x401008, 8);
	leat_rows_add(&r, 0x401008, 9); /* replaced */
	leat_rows_add(&r, 0x401010, 10);
	leat_rows_add(&r, 0x401010, 9);	 /* and so no row */
	leat_rows_add(&r, 0x401004, 11); /* backwards: dropped */
	leat_rows_add(&r, 0x500000, 12); /* outside: dropped */
	t = table_of(&r);
	cr_expect(eq(u32, t.row_cnt, 2));
	cr_expect(eq(u32, leat_unwind_table_rule(&t, 0x400fff), 0));
	cr_expect(eq(u32, leat_unwind_table_rule(&t, 0x401000), 7));
	cr_expect(eq(u32, leat_unwind_table_rule(&t, 0x401007), 7));
	cr_expect(eq(u32, leat_unwind_table_rule(&t, 0x401008), 9));
	cr_expect(eq(u32, leat_unwind_table_rule(&t, 0x40ffff), 9));
	cr_expect(eq(u32, leat_unwind_table_rule(&t, 0x410000), 0));
	free(t.blocks);
}

/* Against a plain list, over pages with no, few and many rows. */
Test(unwind_rows, every_address_is_found)
{
	static uint16_t want[6 << 16];
	struct leat_unwind_table t;
	struct leat_rows r;
	uint64_t at = 0, state = 1;
	uint16_t rule = 0;

	cr_assert(zero(int, leat_rows_init(&r, 0x10000, 0x70000)));
	while (at < sizeof(want) / 2) {
		uint64_t gap;

		state = state * 6364136223846793005u + 1442695040888963407u;
		gap = at < (1u << 16) || at > (5u << 16) ? 1 + (state >> 60)
							 : 1 + (state >> 33) % 60000;
		rule = (uint16_t)(1 + (state >> 40) % 30);
		leat_rows_add(&r, 0x10000 + at, rule);
		for (uint64_t i = 0; i < gap && at < sizeof(want) / 2; i++)
			want[at++] = rule;
	}
	t = table_of(&r);
	for (at = 0; at < sizeof(want) / 2; at++)
		cr_assert(eq(u32, leat_unwind_table_rule(&t, 0x10000 + at), want[at]), "%#lx",
			  (unsigned long)at);
	free(t.blocks);
}

Test(unwind_rows, empty_pages_share_a_block)
{
	struct leat_unwind_table t;
	struct leat_rows r;

	cr_assert(zero(int, leat_rows_init(&r, 0, 1000u << 16)));
	leat_rows_add(&r, 500u << 16, 3);
	leat_rows_add(&r, (500u << 16) + 1, 0);
	t = table_of(&r);
	cr_expect(eq(u32, t.block_cnt, 1 + 1000 + 2));
	cr_expect(eq(u32, leat_unwind_table_rule(&t, 500u << 16), 3));
	cr_expect(eq(u32, leat_unwind_table_rule(&t, (500u << 16) + 1), 0));
	cr_expect(eq(u32, leat_unwind_table_rule(&t, 499u << 16), 0));
	free(t.blocks);
}

Test(unwind_rows, a_maximum_keeps_what_is_right)
{
	const uint64_t pages = LEAT_UNWIND_BLOCKS_MAX * 16 / 65536 + 8;
	struct leat_unwind_table t;
	struct leat_rows r;
	uint64_t at;

	cr_assert(eq(int, leat_rows_init(&r, 16, 16), -EINVAL));
	cr_assert(eq(int, leat_rows_init(&r, 0, 1ull << 33), -EOVERFLOW));
	cr_assert(zero(int, leat_rows_init(&r, 0, pages << 16)));
	for (at = 0; at < pages << 16; at++)
		leat_rows_add(&r, at, 1 + (at & 1));
	cr_expect(eq(int, r.err, -EOVERFLOW));
	t = table_of(&r);
	cr_expect(le(sz, (size_t)t.block_cnt, LEAT_UNWIND_BLOCKS_MAX + pages + 1));
	for (at = 0; at < pages << 16; at += 4093) {
		uint32_t got = leat_unwind_table_rule(&t, at);

		cr_assert(got == 0 || got == 1 + (at & 1));
		cr_assert(got != 0 || at > (LEAT_UNWIND_BLOCKS_MAX - 64) * 16);
	}
	cr_expect(eq(u32, leat_unwind_table_rule(&t, (pages << 16) - 1), 0));
	free(t.blocks);
}

/* ---- the step ---- */

#define CODE  0x400000ull
#define STACK 0x7ffc00000000ull

struct rig {
	struct leat_unwind_rules *rules;
	struct leat_unwind_table t;
	uint64_t words[256];
	struct leat_unwind_piece piece;
	struct leat_unwind_map map;
	struct leat_unwind_space space;
	struct leat_unwind_sample s;
	struct leat_unwind_frame frames[64];
	size_t n;
};

/* Function i is at CODE + 64 * i, and has rules[i]. */
static void rig_init(struct rig *r, const struct leat_unwind_rule *rules, size_t cnt)
{
	struct leat_rows rows;

	memset(r, 0, sizeof(*r));
	cr_assert(zero(int, leat_unwind_rules_new(&r->rules)));
	cr_assert(zero(int, leat_rows_init(&rows, CODE, CODE + 4096)));
	for (size_t i = 0; i < cnt; i++)
		leat_rows_add(&rows, CODE + 64 * i, leat_unwind_rules_intern(r->rules, rules[i]));
	leat_rows_add(&rows, CODE + 64 * cnt, 0);
	r->t = table_of(&rows);
	r->piece = (struct leat_unwind_piece){ (const uint8_t *)r->words, STACK, sizeof(r->words) };
	r->map = (struct leat_unwind_map){ CODE, CODE + 4096, 0, &r->t };
	r->space = (struct leat_unwind_space){ &r->map, 1, r->rules };
	r->s.pieces = &r->piece;
	r->s.piece_cnt = 1;
	r->s.regs.r[7] = STACK + 256;
}

static void rig_fini(struct rig *r)
{
	free(r->t.blocks);
	leat_unwind_rules_free(&r->rules);
}

static enum leat_stack_result walk(struct rig *r, uint64_t pc)
{
	r->s.regs.r[16] = pc;
	return leat_unwind_stack(&r->space, &r->s, r->frames, 64, &r->n);
}

#define WORD(r, off) ((r)->words[(256 + (off)) / 8])

Test(unwind_step, return_addresses_belong_to_the_call)
{
	const struct leat_unwind_rule rules[] = { sp_rule(16),
						  sp_rule(8),
						  { .cfa = LEAT_CFA_STOP } };
	struct rig r;

	rig_init(&r, rules, 3);
	WORD(&r, 8) = CODE + 128; /* the first byte of function 2: the call was function 1's last */
	WORD(&r, 16) = CODE + 129;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_COMPLETE));
	cr_expect(eq(sz, r.n, 3));
	cr_expect(eq(u64, r.frames[1].pc, CODE + 128));
	cr_expect(eq(u64, r.frames[1].sp, STACK + 256 + 16));
	cr_expect(eq(u64, r.frames[2].pc, CODE + 129));
	cr_expect(r.frames[0].exact && !r.frames[1].exact && !r.frames[2].exact);
	/* The innermost one's pc is exact. */
	WORD(&r, 0) = CODE + 129;
	cr_expect(eq(int, walk(&r, CODE + 64), LEAT_STACK_COMPLETE));
	cr_expect(eq(sz, r.n, 2));
	rig_fini(&r);
}

Test(unwind_step, kinds_of_cfa_and_fp)
{
	const struct leat_unwind_rule rules[] = {
		{ LEAT_CFA_FP, LEAT_FP_CFA, -2, 16 * 256 },
		{ LEAT_CFA_SP_MEM, LEAT_FP_SP, 1, (24 * 16 + 1) * 256 },
		{ LEAT_CFA_FP_MEM, LEAT_FP_FP, 0, (-8 * 16) * 256 },
		{ .cfa = LEAT_CFA_REG + 10 },
		{ LEAT_CFA_PLT, LEAT_FP_SAME, 11, 8 * 256 },
		{ .cfa = LEAT_CFA_STOP },
	};
	struct rig r;

	rig_init(&r, rules, 6);
	/* by fp */
	r.s.regs.r[6] = STACK + 320;
	WORD(&r, 64) = STACK + 400;	  /* its caller's fp */
	WORD(&r, 72) = CODE + 64 * 2 + 5; /* to the one by memory at fp */
	WORD(&r, 400 - 256 - 8) = STACK + 480;
	WORD(&r, 400 - 256) = 77;
	WORD(&r, 480 - 256 - 8) = CODE + 64 * 5 + 1;
	cr_expect(eq(int, walk(&r, CODE + 3), LEAT_STACK_COMPLETE));
	cr_expect(eq(sz, r.n, 3));
	cr_expect(eq(u64, r.frames[1].sp, STACK + 336));
	cr_expect(eq(u64, r.frames[2].sp, STACK + 480));
	/* the word at sp + 24, plus 8 */
	WORD(&r, 24) = STACK + 472;
	cr_expect(eq(int, walk(&r, CODE + 64), LEAT_STACK_COMPLETE));
	cr_expect(eq(u64, r.frames[1].sp, STACK + 480));
	/* a register, which must be known */
	r.s.regs.r[10] = STACK + 480;
	cr_expect(eq(int, walk(&r, CODE + 192), LEAT_STACK_NO_UNWIND));
	r.s.regs.known = 1u << 10;
	cr_expect(eq(int, walk(&r, CODE + 192), LEAT_STACK_COMPLETE));
	/* and is not, further out */
	WORD(&r, 480 - 256 - 8) = CODE + 193;
	cr_expect(eq(int, walk(&r, CODE + 192), LEAT_STACK_NO_UNWIND));
	cr_expect(eq(sz, r.n, 2));
	/* a linkage table's entry: byte 10 and byte 11 */
	WORD(&r, 0) = CODE + 64 * 5 + 1;
	WORD(&r, 8) = CODE + 64 * 5 + 2;
	cr_expect(eq(int, walk(&r, CODE + 256 + 10), LEAT_STACK_COMPLETE));
	cr_expect(eq(u64, r.frames[1].pc, CODE + 64 * 5 + 1));
	cr_expect(eq(int, walk(&r, CODE + 256 + 11), LEAT_STACK_COMPLETE));
	cr_expect(eq(u64, r.frames[1].pc, CODE + 64 * 5 + 2));
	rig_fini(&r);
}

/* rbx is followed through frames that save it, and only read where it is needed. */
Test(unwind_step, rbx_is_found_where_it_was_saved)
{
	const struct leat_unwind_rule rules[] = {
		{ .cfa = LEAT_CFA_SP, .cfa_bx = 24 * 256 + 2 },
		{ .cfa = LEAT_CFA_REG + 3, .cfa_bx = 16 * 256 },
		{ .cfa = LEAT_CFA_STOP },
		{ .cfa = LEAT_CFA_SP, .cfa_bx = 24 * 256 + LEAT_BX_LOST },
		{ .cfa = LEAT_CFA_SP, .cfa_bx = 24 * 256 },
	};
	struct rig r;

	rig_init(&r, rules, 5);
	r.s.regs.known = 1u << 3;
	r.s.regs.r[3] = STACK + 800;
	WORD(&r, 8) = STACK + 500;
	WORD(&r, 16) = CODE + 64 + 1;
	WORD(&r, 500 + 16 - 256 - 4) = 0;
	r.words[(500 + 8) / 8] = CODE + 129; /* not aligned: no */
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_NO_UNWIND));
	WORD(&r, 8) = STACK + 512;
	r.words[(512 + 8) / 8] = CODE + 129;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_COMPLETE));
	cr_expect(eq(u64, r.frames[2].sp, STACK + 528));
	/* lost on the way; and never saved: still in its register */
	cr_expect(eq(int, walk(&r, CODE + 192), LEAT_STACK_NO_UNWIND));
	r.words[(800 + 8) / 8] = CODE + 129;
	cr_expect(eq(int, walk(&r, CODE + 256), LEAT_STACK_COMPLETE));
	cr_expect(eq(u64, r.frames[2].sp, STACK + 816));
	rig_fini(&r);
}

Test(unwind_step, a_signal_gives_all_registers_back)
{
	const struct leat_unwind_rule rules[] = { sp_rule(8),
						  { .cfa = LEAT_CFA_SIGNAL },
						  { .cfa = LEAT_CFA_REG + 12 },
						  { .cfa = LEAT_CFA_STOP } };
	struct rig r;

	rig_init(&r, rules, 4);
	WORD(&r, 0) = CODE + 65;
	/* the ucontext is at sp + 8 then */
	WORD(&r, 8 + 168) = CODE + 128; /* a function's first instruction: exact */
	WORD(&r, 8 + 160) = STACK + 16; /* below: another stack */
	WORD(&r, 8 + 120) = 1234;
	WORD(&r, 8 + 40 + 4 * 8) = STACK + 64; /* r12 */
	r.words[56 / 8] = CODE + 193;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_COMPLETE));
	cr_assert(eq(sz, r.n, 4));
	cr_expect(eq(u64, r.frames[2].pc, CODE + 128));
	cr_expect(eq(u64, r.frames[2].sp, STACK + 16));
	cr_expect(r.frames[2].exact && !r.frames[1].exact && !r.frames[3].exact);
	cr_expect(eq(u64, r.frames[3].sp, STACK + 64));
	rig_fini(&r);
}

Test(unwind_step, walks_end)
{
	const struct leat_unwind_rule rules[] = {
		sp_rule(8),
		sp_rule(0),
		{ LEAT_CFA_FP, LEAT_FP_LOST, 0, 16 * 256 },
		{ LEAT_CFA_SP, LEAT_FP_LOST, 0, 8 * 256 },
		{ LEAT_CFA_SP, LEAT_FP_EXACT, 0, 8 * 256 },
	};
	struct rig r;

	rig_init(&r, rules, 5);
	for (size_t i = 0; i < 256; i++)
		r.words[i] = CODE + 1;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_TRUNCATED));
	cr_expect(eq(sz, r.n, 64));
	cr_expect(eq(int, walk(&r, CODE + 64), LEAT_STACK_NO_UNWIND), "sp must grow");
	r.s.regs.r[7] = STACK + sizeof(r.words) - 16;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_BAD_MEMORY));
	cr_expect(eq(sz, r.n, 3));
	cr_expect(eq(int, walk(&r, 5), LEAT_STACK_NO_UNWIND), "outside all mappings");
	cr_expect(eq(sz, r.n, 1));
	r.s.regs.r[7] = STACK + 4;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_NO_UNWIND), "sp is aligned");
	r.s.regs.r[7] = STACK + 256;
	WORD(&r, 0) = CODE + 64 * 2 + 1;
	cr_expect(eq(int, walk(&r, CODE + 64 * 3), LEAT_STACK_NO_UNWIND), "fp is lost");
	WORD(&r, 0) = 17;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_NO_UNWIND), "no code so low");
	WORD(&r, 0) = 0;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_NO_UNWIND),
		  "a table's root is told by itself");
	WORD(&r, 0) = CODE; /* exact: not the byte before the code */
	cr_expect(eq(int, walk(&r, CODE + 64 * 4), LEAT_STACK_TRUNCATED));
	rig_fini(&r);
}

Test(unwind_step, without_a_table_by_frame_pointer)
{
	struct rig r;

	rig_init(&r, NULL, 0);
	r.map.table = NULL;
	r.s.regs.r[6] = STACK + 320;
	WORD(&r, 64) = STACK + 480;
	WORD(&r, 72) = CODE + 9;
	r.words[480 / 8] = 0;
	r.words[488 / 8] = CODE + 11;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_COMPLETE));
	cr_expect(eq(sz, r.n, 3));
	r.words[488 / 8] = 0;
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_COMPLETE));
	cr_expect(eq(sz, r.n, 2));
	r.s.regs.r[6] = STACK; /* below sp */
	cr_expect(eq(int, walk(&r, CODE), LEAT_STACK_NO_UNWIND));
	rig_fini(&r);
}
