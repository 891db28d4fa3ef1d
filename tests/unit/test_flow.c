/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules that are found by following instructions. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "unwind/flow.h"
#include "unwind/unwind.h"
#include "unwind/x86.h"

#define BASE 0x10000u

/* clang-format off */
static const uint8_t code[] = {
	/* 00 f0: frame by rsp */
	0x55, 0x53, 0x48, 0x83, 0xec, 0x18, 0xbd, 0x01, 0x00, 0x00, 0x00, 0xe8, 0x10, 0x00, 0x00, 0x00,
	0x48, 0x83, 0xc4, 0x18, 0x5b, 0x5d, 0xc3, 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00,
	/* 20 f1: returns */
	0xc3, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0f, 0x1f, 0x40, 0x00,
	/* 30 aligned: sp is kept in memory */
	0x55, 0x48, 0x89, 0xe0, 0x48, 0x83, 0xec, 0x04, 0x48, 0x83, 0xe4, 0xf0, 0x48, 0x89, 0x04, 0x24,
	0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x40, 0x90, 0x48, 0x89, 0xec, 0x5c, 0x5d, 0xc3, 0x66, 0x90,
	/* 50 table: an indirect jump to what follows */
	0x53, 0xff, 0xe0, 0x48, 0x83, 0xc0, 0x01, 0x5b, 0xc3, 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00,
	/* 60 unbalanced */
	0x58, 0x59, 0xc3, 0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00, 0x66, 0x90,
	/* 70 start: clears rbp */
	0x31, 0xed, 0x48, 0x89, 0xe7, 0xe8, 0x86, 0xff, 0xff, 0xff, 0xf4, 0x0f, 0x1f, 0x44, 0x00, 0x00,
	/* 80 dies: calls start */
	0x53, 0xe8, 0xea, 0xff, 0xff, 0xff, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00,
	/* 90 after */
	0x51, 0x51, 0x51, 0x48, 0x83, 0xc4, 0x18, 0xc3, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00,
	/* a0 restorer */
	0x90, 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00,
	/* b0 spins: does not return */
	0x53, 0xe8, 0x6a, 0xff, 0xff, 0xff, 0xeb, 0xf9, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00,
	/* c0 alloca: by rbp */
	0x55, 0x48, 0x89, 0xe5, 0x48, 0x29, 0xfc, 0xe8, 0x54, 0xff, 0xff, 0xff, 0xc9, 0xc3, 0x66, 0x90,
};
/* clang-format on */

struct found {
	struct leat_unwind_rules *rules;
	struct leat_unwind_table table;
	size_t described;
	int err;
};

static void find(struct found *f, const uint8_t *bytes, size_t n, const uint64_t *starts,
		 size_t start_cnt)
{
	LEAT_AUTO(leat_flow_free) struct leat_flow *flow = NULL;
	LEAT_AUTO(leat_rows_fini) struct leat_rows rows;
	const struct leat_flow_code c = { .code = bytes,
					  .n = n,
					  .vaddr = BASE,
					  .starts = starts,
					  .start_cnt = start_cnt,
					  .has_entry = true,
					  .entry = BASE + 0x70 };

	memset(f, 0, sizeof(*f));
	cr_assert(zero(int, leat_unwind_rules_new(&f->rules)));
	cr_assert(zero(int, leat_flow_new(&flow)));
	cr_assert(zero(int, leat_rows_init(&rows, BASE, BASE + 0x1000)));
	f->err = leat_flow_rows(flow, &c, f->rules, &rows, &f->described);
	cr_assert(zero(int, leat_rows_done(&rows, &f->table.blocks)));
	f->table.block_cnt = (uint32_t)rows.block_cnt;
	f->table.first_page = rows.first_page;
	f->table.page_cnt = rows.page_cnt;
}

static void done(struct found *f)
{
	free(f->table.blocks);
	leat_unwind_rules_free(&f->rules);
}

static struct leat_unwind_rule rule_at(const struct found *f, uint32_t off)
{
	return leat_unwind_rules_all(f->rules)[leat_unwind_table_rule(&f->table, BASE + off)];
}

static void expect(const struct found *f, uint32_t off, uint8_t cfa, int32_t cfa_off, uint8_t fp)
{
	const struct leat_unwind_rule r = rule_at(f, off);

	cr_expect(eq(u8, r.cfa, cfa), "cfa at %x", off);
	cr_expect(eq(i32, leat_unwind_cfa_off(&r), cfa_off), "offset at %x", off);
	cr_expect(eq(u8, r.fp, fp), "fp at %x", off);
}

Test(flow, keeps_the_distance_to_the_frame)
{
	struct found f;

	find(&f, code, sizeof(code), NULL, 0);
	cr_assert(zero(int, f.err));
	expect(&f, 0x00, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&f, 0x01, LEAT_CFA_SP, 16, LEAT_FP_CFA);
	expect(&f, 0x06, LEAT_CFA_SP, 48, LEAT_FP_CFA);
	expect(&f, 0x0f, LEAT_CFA_SP, 48, LEAT_FP_CFA);
	expect(&f, 0x15, LEAT_CFA_SP, 16, LEAT_FP_CFA);
	expect(&f, 0x16, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&f, 0x20, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&f, 0xc7, LEAT_CFA_FP, 16, LEAT_FP_CFA);
	expect(&f, 0xcd, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	cr_expect(eq(i16, rule_at(&f, 0x06).fp_off, -2));
	cr_expect(eq(u32,
		     leat_unwind_bx(&(struct leat_unwind_rule){ .cfa_bx = rule_at(&f, 6).cfa_bx }),
		     3));
	done(&f);
}

Test(flow, aligned_stack_goes_by_the_word_that_keeps_it)
{
	struct found f;
	struct leat_unwind_rule r;

	find(&f, code, sizeof(code), NULL, 0);
	expect(&f, 0x38, LEAT_CFA_SP, 20, LEAT_FP_CFA);
	r = rule_at(&f, 0x48);
	cr_expect(eq(u8, r.cfa, LEAT_CFA_SP_MEM));
	cr_expect(eq(i32, leat_unwind_mem_off(&r), 0x40));
	cr_expect(eq(i32, leat_unwind_mem_add(&r), 16));
	expect(&f, 0x4c, LEAT_CFA_SP, 16, LEAT_FP_CFA);
	done(&f);
}

Test(flow, what_is_no_function_has_no_rule)
{
	struct found f;

	find(&f, code, sizeof(code), NULL, 0);
	for (uint32_t off = 0x60; off < 0x70; off++)
		expect(&f, off, LEAT_CFA_INVALID, 0, 0);
	/* Padding, and one that does not return: nobody says that it is one. */
	expect(&f, 0x17, LEAT_CFA_INVALID, 0, 0);
	expect(&f, 0xb1, LEAT_CFA_INVALID, 0, 0);
	done(&f);
}

Test(flow, symbols_are_believed_where_most_functions_return)
{
	const uint64_t starts[] = { BASE + 0x50, BASE + 0xb0 };
	struct found f;

	find(&f, code, sizeof(code), starts, 2);
	expect(&f, 0xb1, LEAT_CFA_SP, 16, LEAT_FP_SAME);
	expect(&f, 0x53, LEAT_CFA_SP, 16, LEAT_FP_SAME);
	expect(&f, 0x58, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	done(&f);
}

Test(flow, begin_of_all_and_what_never_returns)
{
	const uint64_t starts[] = { BASE + 0x80 };
	struct found f;

	find(&f, code, sizeof(code), starts, 1);
	expect(&f, 0x72, LEAT_CFA_STOP, 0, 0);
	expect(&f, 0x79, LEAT_CFA_STOP, 0, 0);
	/* What follows a call that does not return is another function. */
	expect(&f, 0x90, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&f, 0x93, LEAT_CFA_SP, 32, LEAT_FP_SAME);
	done(&f);
}

Test(flow, restorer_of_signals)
{
	struct found f;

	find(&f, code, sizeof(code), NULL, 0);
	for (uint32_t off = 0xa0; off <= 0xaa; off++)
		cr_expect(eq(u8, rule_at(&f, off).cfa, LEAT_CFA_SIGNAL), "at %x", off);
	expect(&f, 0xab, LEAT_CFA_INVALID, 0, 0);
	done(&f);
}

/* The bytes of a cut piece lie at the end of their memory, so that a sanitizer sees a read behind it. */
Test(flow, cut_anywhere)
{
	for (size_t n = 1; n < sizeof(code); n++) {
		uint8_t *cut = malloc(n);
		struct found f;

		cr_assert(cut != NULL);
		memcpy(cut, code, n);
		find(&f, cut, n, NULL, 0);
		cr_expect(zero(int, f.err));
		cr_expect(le(sz, f.described, n));
		done(&f);
		free(cut);
	}
}

/* Every byte another one, again and again: no crash, and all of it within a time. */
Test(flow, any_bytes, .timeout = 60)
{
	const size_t n = 65536;
	uint8_t *bytes = malloc(n);
	uint64_t x = 1;

	cr_assert(bytes != NULL);
	for (int round = 0; round < 16; round++) {
		struct found f;

		for (size_t i = 0; i < n; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			bytes[i] = (uint8_t)(x >> 33) & (round % 2 ? 0xff : 0x5f);
		}
		find(&f, bytes, n, NULL, 0);
		cr_expect(zero(int, f.err));
		done(&f);
	}
	free(bytes);
}

/* A function that pushes in each instruction, and one that jumps back to each: bounded, not quick. */
Test(flow, worst_ones_end, .timeout = 60)
{
	const size_t n = LEAT_FLOW_PIECE;
	uint8_t *bytes = malloc(n);
	struct found f;

	cr_assert(bytes != NULL);
	memset(bytes, 0x50, n);
	find(&f, bytes, n, NULL, 0);
	cr_expect(zero(int, f.err));
	done(&f);
	for (size_t i = 0; i + 8 <= n; i += 8)
		memcpy(bytes + i, "\x48\x83\xc0\x01\x53\x5b\x74\xf8", 8);
	find(&f, bytes, n, NULL, 0);
	cr_expect(zero(int, f.err));
	done(&f);
	free(bytes);
}

static const struct {
	uint8_t bytes[15];
	uint8_t len, op, reg;
} insns[] = {
	{ { 0x41, 0x57 }, 2, LEAT_X86_PUSH, 15 },
	{ { 0x5d }, 1, LEAT_X86_POP, LEAT_X86_BP },
	{ { 0x48, 0x81, 0xec, 0, 1, 0, 0 }, 7, LEAT_X86_ADD, LEAT_X86_SP },
	{ { 0x48, 0x8d, 0x65, 0xd8 }, 4, LEAT_X86_LEA, LEAT_X86_SP },
	{ { 0x48, 0x8d, 0x3d, 1, 2, 3, 4 }, 7, LEAT_X86_ADDRESS, LEAT_X86_DI },
	{ { 0x48, 0x8b, 0x6c, 0x24, 8 }, 5, LEAT_X86_LOAD, LEAT_X86_BP },
	{ { 0x48, 0x89, 0x1c, 0x24 }, 4, LEAT_X86_STORE, LEAT_X86_BX },
	{ { 0x66, 0x66, 0x48, 0xe8, 0, 0, 0, 0 }, 8, LEAT_X86_CALL, LEAT_X86_NONE },
	{ { 0x0f, 0x85, 0, 0, 0, 0 }, 6, LEAT_X86_BRANCH, LEAT_X86_NONE },
	{ { 0xf3, 0xc3 }, 2, LEAT_X86_RET, LEAT_X86_NONE },
	{ { 0xff, 0x24, 0xc5, 0, 0, 0, 0 }, 7, LEAT_X86_JUMP, LEAT_X86_NONE },
	{ { 0x62, 0xf1, 0xfe, 0x48, 0x6f, 0x46, 1 }, 7, LEAT_X86_OTHER, LEAT_X86_NONE },
	{ { 0xc4, 0xe3, 0x7d, 0x39, 0xc1, 1 }, 6, LEAT_X86_OTHER, LEAT_X86_NONE },
	{ { 0x49, 0xbf, 1, 2, 3, 4, 5, 6, 7, 8 }, 10, LEAT_X86_ADDRESS, 15 },
	{ { 0xf7, 0xc7, 1, 0, 0, 0 }, 6, LEAT_X86_OTHER, LEAT_X86_NONE },
	{ { 0x66, 0x0f, 0x3a, 0x63, 0xc1, 8 }, 6, LEAT_X86_OTHER, LEAT_X86_NONE },
	{ { 0x0f, 0x0b }, 2, LEAT_X86_END, LEAT_X86_NONE },
};

Test(x86, instructions)
{
	struct leat_x86_insn i;

	for (size_t k = 0; k < LEAT_ARRAY_SIZE(insns); k++) {
		cr_assert(leat_x86_decode(insns[k].bytes, sizeof(insns[k].bytes), &i), "%zu", k);
		cr_expect(eq(u8, i.len, insns[k].len), "length of %zu", k);
		cr_expect(eq(u8, i.op, insns[k].op), "kind of %zu", k);
		cr_expect(eq(u8, i.reg, insns[k].reg), "register of %zu", k);
		for (size_t n = 0; n < insns[k].len; n++) {
			uint8_t *cut = malloc(n ? n : 1);

			cr_assert(cut != NULL);
			memcpy(cut, insns[k].bytes, n);
			cr_expect(not(leat_x86_decode(cut, n, &i)), "%zu bytes of %zu", n, k);
			free(cut);
		}
	}
}

/* bh is written, and not rdi; with a prefix it is dil. */
Test(x86, small_registers)
{
	struct leat_x86_insn i;

	cr_assert(leat_x86_decode((const uint8_t[]){ 0xb7, 1 }, 2, &i));
	cr_expect(eq(u16, i.writes, 1u << LEAT_X86_BX));
	cr_assert(leat_x86_decode((const uint8_t[]){ 0x40, 0xb7, 1 }, 3, &i));
	cr_expect(eq(u16, i.writes, 1u << LEAT_X86_DI));
}
