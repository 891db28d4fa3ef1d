/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../support/alloc.h"
#include "../support/cfi_builder.h"
#include "unwind/unwind.h"

#define TEXT LEAT_CB_TEXT

struct built {
	struct leat_unwind_rules *rules;
	struct leat_unwind_table *t;
	struct leat_elf *e;
};

static int build(struct built *b, struct leat_cb *c)
{
	*b = (struct built){ .e = leat_cb_elf(c) };
	cr_assert(zero(int, leat_unwind_rules_new(&b->rules)));
	leat_cb_fini(c);
	return leat_unwind_table_build(&b->t, b->e, NULL, b->rules);
}

static void built_fini(struct built *b)
{
	leat_unwind_table_free(&b->t);
	leat_elf_free(&b->e);
	leat_unwind_rules_free(&b->rules);
}

static struct leat_unwind_rule rule_at(const struct built *b, uint64_t off)
{
	return leat_unwind_rules_all(b->rules)[leat_unwind_table_rule(b->t, TEXT + off)];
}

/* "sp+16 fp@-16": how a rule reads. */
static char *text_of(struct leat_unwind_rule r)
{
	static const char *const cfa[] = { "invalid", "stop", "signal", "frame", "plt", "switch",
					   "?",	      "?",    "sp",	"fp",	 "[sp", "[fp" };
	static const char *const fp[] = { "", " fp@cfa", " fp@fp", " fp@sp", " fp?" };
	static char text[4][64];
	static unsigned int next;
	char *s = text[next++ & 3];
	int n;

	if (r.cfa < LEAT_CFA_PLT)
		return snprintf(s, 64, "%s", cfa[r.cfa]) > 0 ? s : NULL;
	if (r.cfa >= LEAT_CFA_REG)
		n = snprintf(s, 64, "r%d%+d", r.cfa - LEAT_CFA_REG, leat_unwind_cfa_off(&r));
	else if (r.cfa == LEAT_CFA_PLT)
		return snprintf(s, 64, "plt%+d,%d", leat_unwind_cfa_off(&r), r.fp_off) > 0 ? s
											   : NULL;
	else if (r.cfa == LEAT_CFA_SP_MEM || r.cfa == LEAT_CFA_FP_MEM)
		n = snprintf(s, 64, "%s%+d]%+d", cfa[r.cfa], leat_unwind_mem_off(&r),
			     leat_unwind_mem_add(&r));
	else
		n = snprintf(s, 64, "%s%+d", cfa[r.cfa], leat_unwind_cfa_off(&r));
	n += snprintf(s + n, 64 - (size_t)n, "%s", fp[r.fp & LEAT_FP_KIND]);
	if ((r.fp & LEAT_FP_KIND) >= LEAT_FP_CFA && (r.fp & LEAT_FP_KIND) <= LEAT_FP_SP)
		n += snprintf(s + n, 64 - (size_t)n, "%+d", r.fp_off * 8);
	if (leat_unwind_bx(&r))
		n += snprintf(s + n, 64 - (size_t)n, " bx%u", leat_unwind_bx(&r));
	if (r.fp & LEAT_FP_EXACT)
		snprintf(s + n, 64 - (size_t)n, " exact");
	return s;
}

#define EXPECT_RULE(b, off, want)                                                                  \
	cr_expect(eq(str, text_of(rule_at(b, off)), (char *)(uintptr_t)(want)))

struct row {
	char name[40];
	uint8_t ins[48];
	uint8_t len;
	char at0[32], at4[32],
		at8[32]; /* rules at these offsets of the function; it has 16 bytes */
};

#define INS(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })
#define ADV4	 0x44

ParameterizedTestParameters(eh_frame, instructions)
{
	static struct row rows[] = {
		{ "nothing", INS(0), "sp+8", "sp+8", "sp+8" },
		{ "push rbp", INS(ADV4, 0x0e, 16, 0x86, 2), "sp+8", "sp+16 fp@cfa-16",
		  "sp+16 fp@cfa-16" },
		{ "push rbx", INS(ADV4, 0x0e, 16, 0x83, 2), "sp+8", "sp+16 bx2", "sp+16 bx2" },
		{ "def_cfa_register", INS(ADV4, 0x0d, 6, ADV4, 0x0c, 7, 8), "sp+8", "fp+8",
		  "sp+8" },
		{ "advance 1, 2", INS(0x02, 4, 0x0e, 16, 0x03, 4, 0, 0x0e, 24), "sp+8", "sp+16",
		  "sp+24" },
		{ "advance 4", INS(0x04, 4, 0, 0, 0, 0x0e, 16), "sp+8", "sp+16", "sp+16" },
		{ "set_loc", INS(0x01, 4, 0, 1, 0, 0, 0, 0, 0, 0x0e, 16), "sp+8", "sp+16",
		  "sp+16" },
		{ "set_loc backwards", INS(ADV4, 0x0e, 16, 0x01, 0, 0, 1, 0, 0, 0, 0, 0), "sp+8",
		  "invalid", "invalid" },
		{ "advance beyond the end", INS(ADV4, 0x0e, 16, 0x02, 200, 0x0e, 24), "sp+8",
		  "sp+16", "sp+16" },
		{ "remember", INS(0x0a, ADV4, 0x0e, 16, 0x86, 2, ADV4, 0x0b), "sp+8",
		  "sp+16 fp@cfa-16", "sp+8" },
		{ "restore without remember", INS(ADV4, 0x0b), "sp+8", "invalid", "invalid" },
		{ "restore", INS(0x86, 2, ADV4, 0xc6, ADV4, 0x86, 3), "sp+8 fp@cfa-16", "sp+8",
		  "sp+8 fp@cfa-24" },
		{ "extended", INS(0x05, 6, 2, ADV4, 0x06, 6, ADV4, 0x11, 6, 0x7e), "sp+8 fp@cfa-16",
		  "sp+8", "sp+8 fp@cfa+16" },
		{ "GNU negative offset", INS(0x2f, 6, 2), "sp+8 fp@cfa+16", "sp+8 fp@cfa+16",
		  "sp+8 fp@cfa+16" },
		{ "GNU args size", INS(0x2e, 0x80, 1, ADV4, 0x0e, 16), "sp+8", "sp+16", "sp+16" },
		{ "same value, undefined fp", INS(0x86, 2, 0x08, 6, ADV4, 0x07, 6), "sp+8",
		  "sp+8 fp?", "sp+8 fp?" },
		{ "register", INS(0x09, 6, 0, ADV4, 0x09, 6, 6), "sp+8 fp?", "sp+8", "sp+8" },
		{ "undefined return address", INS(ADV4, 0x07, 16), "sp+8", "stop", "stop" },
		{ "return address elsewhere", INS(0x90, 2), "invalid", "invalid", "invalid" },
		{ "return address in a register", INS(0x09, 16, 2), "invalid", "invalid",
		  "invalid" },
		{ "sp saved", INS(0x87, 3), "invalid", "invalid", "invalid" },
		{ "sp by value", INS(0x14, 7, 0), "sp+8", "sp+8", "sp+8" },
		{ "sp by another value", INS(0x14, 7, 1), "invalid", "invalid", "invalid" },
		{ "another register", INS(0x0c, 10, 0), "r10+0", "r10+0", "r10+0" },
		{ "no register", INS(0x0c, 40, 0), "invalid", "invalid", "invalid" },
		{ "signed forms", INS(0x12, 6, 0x7e, ADV4, 0x13, 0x7d), "fp+16", "fp+24", "fp+24" },
		{ "the word at rbp - 8", INS(0x0f, 3, 0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0),
		  "[fp-8]+0 fp@fp+0", "[fp-8]+0 fp@fp+0", "[fp-8]+0 fp@fp+0" },
		{ "the word at rsp + 40, plus 8", INS(0x0f, 5, 0x77, 40, 0x06, 0x23, 8),
		  "[sp+40]+8", "[sp+40]+8", "[sp+40]+8" },
		{ "offset after an expression", INS(0x0f, 3, 0x76, 0x78, 0x06, ADV4, 0x0e, 16),
		  "[fp-8]+0", "invalid", "invalid" },
		{ "linkage table",
		  INS(0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22),
		  "plt+8,11", "plt+8,11", "plt+8,11" },
		{ "linkage table, otherwise",
		  INS(0x0f, 11, 0x77, 8, 0x80, 0, 0x3e, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22),
		  "invalid", "invalid", "invalid" },
		{ "an index register",
		  INS(0x0f, 10, 0x77, 0, 0x79, 0, 0x38, 0x1e, 0x22, 0x06, 0x23, 8), "invalid",
		  "invalid", "invalid" },
		{ "kernel's frame",
		  INS(0x0f, 4, 0x77, 0xa0, 1, 0x06, 0x10, 6, 3, 0x77, 0xf8, 0, 0x10, 7, 3, 0x77,
		      0xa0, 1, 0x10, 16, 3, 0x77, 0xa8, 1),
		  "signal", "signal", "signal" },
		{ "val_expression of fp", INS(0x16, 6, 2, 0x76, 0), "sp+8 fp?", "sp+8 fp?",
		  "sp+8 fp?" },
		{ "unknown", INS(ADV4, 0x3f), "sp+8", "invalid", "invalid" },
		{ "cut operand", INS(ADV4, 0x0e), "sp+8", "invalid", "invalid" },
		{ "block beyond the end", INS(ADV4, 0x0f, 100, 0x77), "sp+8", "invalid",
		  "invalid" },
		{ "a frame too large", INS(ADV4, 0x0e, 0xff, 0xff, 0xff, 0x0f), "sp+8", "invalid",
		  "invalid" },
		{ "fp too far", INS(0x86, 0xff, 0xff, 0xff, 0x07), "sp+8 fp?", "sp+8 fp?",
		  "sp+8 fp?" },
	};

	return cr_make_param_array(struct row, rows, LEAT_ARRAY_SIZE(rows));
}

ParameterizedTest(struct row *row, eh_frame, instructions)
{
	for (int debug = 0; debug < 2; debug++) {
		struct built b;
		struct leat_cb c;

		/* The encoding of set_loc is the CIE's; debug_frame's is the same here. */
		leat_cb_init(&c, debug);
		leat_cb_cie(&c, NULL, 0);
		leat_cb_fde(&c, TEXT, 16, row->ins, row->len);
		cr_assert(zero(int, build(&b, &c)), "%s", row->name);
		cr_expect(eq(u32, b.t->sources,
			     (uint32_t)(debug ? LEAT_UNWIND_DEBUG_FRAME : LEAT_UNWIND_EH_FRAME)));
		cr_expect(eq(str, text_of(rule_at(&b, 0)), row->at0), "%s", row->name);
		cr_expect(eq(str, text_of(rule_at(&b, 4)), row->at4), "%s", row->name);
		cr_expect(eq(str, text_of(rule_at(&b, 8)), row->at8), "%s", row->name);
		EXPECT_RULE(&b, 17, "invalid");
		built_fini(&b);
	}
}

/* The kernel samples behind the system call that ends a signal's restorer. */
Test(eh_frame, a_signals_frame_goes_on_behind_its_last_byte)
{
	static const uint8_t kernels[] = { 0x0f, 4,    0x77, 0xa0, 1,	 0x06, 0x10, 6,
					   3,	 0x77, 0xf8, 0,	   0x10, 7,    3,    0x77,
					   0xa0, 1,    0x10, 16,   3,	 0x77, 0xa8, 1 };
	struct built b;
	struct leat_cb c;

	leat_cb_init(&c, false);
	leat_cb_cie(&c, NULL, 0);
	leat_cb_fde(&c, TEXT, 16, kernels, sizeof(kernels));
	leat_cb_fde(&c, TEXT + 32, 16, kernels, sizeof(kernels));
	leat_cb_fde(&c, TEXT + 48, 16, NULL, 0);
	cr_assert(zero(int, build(&b, &c)));
	EXPECT_RULE(&b, 15, "signal");
	EXPECT_RULE(&b, 16, "signal");
	EXPECT_RULE(&b, 17, "invalid");
	EXPECT_RULE(&b, 47, "signal");
	EXPECT_RULE(&b, 48, "sp+8");
	EXPECT_RULE(&b, 64, "invalid");
	built_fini(&b);
	leat_cb_fini(&c);
}

struct cie_row {
	char name[32];
	uint8_t bytes[40];
	uint8_t len;
	bool usable;
	bool augmented;
	char want[16];
};

#define DEF 0x0c, 7, 8, 0x90, 1

ParameterizedTestParameters(eh_frame, cies)
{
	static struct cie_row rows[] = {
		{ "version 1", INS(1, 0, 1, 0x78, 16, DEF), true, false, "sp+8" },
		{ "version 3", INS(3, 0, 1, 0x78, 16, DEF), true, false, "sp+8" },
		{ "version 4", INS(4, 0, 8, 0, 1, 0x78, 16, DEF), true, false, "sp+8" },
		{ "version 4, 4 bytes", INS(4, 0, 4, 0, 1, 0x78, 16, DEF), false, false, "" },
		{ "version 2", INS(2, 0, 1, 0x78, 16, DEF), false, false, "" },
		{ "eh", INS(1, 'e', 'h', 0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0x78, 16, DEF), true, false,
		  "sp+8" },
		{ "unknown letters", INS(1, 'x', 0, 1, 0x78, 16, DEF), false, false, "" },
		{ "z alone", INS(1, 'z', 0, 1, 0x78, 16, 0, DEF), true, true, "sp+8" },
		{ "zPLR",
		  INS(1, 'z', 'P', 'L', 'R', 0, 1, 0x78, 16, 7, 3, 9, 9, 9, 9, 0x1b, 4, DEF), true,
		  true, "sp+8" },
		{ "zRS", INS(1, 'z', 'R', 'S', 0, 1, 0x78, 16, 1, 4, DEF), true, true,
		  "sp+8 exact" },
		{ "zRB", INS(1, 'z', 'R', 'B', 0, 1, 0x78, 16, 1, 4, DEF), true, true, "sp+8" },
		{ "zRQ", INS(1, 'z', 'R', 'Q', 0, 1, 0x78, 16, 1, 4, DEF), false, true, "" },
		{ "augmentation too long", INS(1, 'z', 'R', 0, 1, 0x78, 16, 100, 4, DEF), false,
		  true, "" },
		{ "column 17", INS(1, 0, 1, 0x78, 17, DEF), false, false, "" },
		{ "no rule for the address", INS(1, 0, 1, 0x78, 16, 0x0c, 7, 8), true, false,
		  "invalid" },
		{ "location in a CIE", INS(1, 0, 1, 0x78, 16, 0x02, 4), false, false, "" },
		{ "empty", { 0 }, 0, false, false, "" },
	};

	return cr_make_param_array(struct cie_row, rows, LEAT_ARRAY_SIZE(rows));
}

ParameterizedTest(struct cie_row *row, eh_frame, cies)
{
	uint8_t fde[17] = { 0, 0, 1, 0, 0, 0, 0, 0, 16 };
	struct leat_cb c;
	struct built b;
	int err;

	leat_cb_init(&c, false);
	leat_cb_cie_raw(&c, row->bytes, row->len);
	leat_cb_entry(&c, (uint32_t)c.b.len + 4, fde, row->augmented ? 17 : 16);
	err = build(&b, &c);
	cr_expect(eq(int, err, row->usable ? 0 : -EBADMSG), "%s", row->name);
	if (!err)
		cr_expect(eq(str, text_of(rule_at(&b, 5)), row->want), "%s", row->name);
	built_fini(&b);
}

/* ---- several functions ---- */

static void push(struct leat_cb *c, uint64_t off, uint64_t size, uint8_t cfa)
{
	leat_cb_fde(c, TEXT + off, size, (uint8_t[]){ 0x0e, cfa }, 2);
}

Test(eh_frame, gaps_overlaps_and_disorder)
{
	struct leat_cb c;
	struct built b;

	leat_cb_init(&c, false);
	leat_cb_cie(&c, NULL, 0);
	push(&c, 0x30000, 0x10, 32); /* out of order, in another page */
	push(&c, 0x100, 0x100, 16);
	push(&c, 0x140, 0x20, 24);		   /* inside the one before */
	push(&c, 0x140, 0x20, 40);		   /* the same start: the first holds */
	push(&c, 0x300, 0, 48);			   /* nothing */
	leat_cb_fde(&c, 0, 0x1000, "", 1);	   /* dropped by the linker */
	leat_cb_fde(&c, LEAT_CB_FRAME, 16, "", 1); /* no code there */
	push(&c, 0x1fff0, 0x20020, 56);		   /* over two page ends; cut by the first one */
	cr_assert(zero(int, build(&b, &c)));
	EXPECT_RULE(&b, 0, "invalid");
	EXPECT_RULE(&b, 0xff, "invalid");
	EXPECT_RULE(&b, 0x100, "sp+16");
	EXPECT_RULE(&b, 0x13f, "sp+16");
	EXPECT_RULE(&b, 0x140, "sp+24");
	EXPECT_RULE(&b, 0x15f, "sp+24");
	EXPECT_RULE(&b, 0x160, "invalid");
	EXPECT_RULE(&b, 0x300, "invalid");
	EXPECT_RULE(&b, 0x1ffef, "invalid");
	EXPECT_RULE(&b, 0x1fff0, "sp+56");
	EXPECT_RULE(&b, 0x20000, "sp+56");
	EXPECT_RULE(&b, 0x2ffff, "sp+56");
	EXPECT_RULE(&b, 0x30000, "sp+32");
	EXPECT_RULE(&b, 0x30010, "invalid");
	EXPECT_RULE(&b, 0xfffff, "invalid");
	EXPECT_RULE(&b, 0x100000, "invalid");
	EXPECT_RULE(&b, ~0ull - TEXT, "invalid");
	cr_expect(eq(u64, b.t->cut_cnt, 2));
	built_fini(&b);
}

/* Each byte has a row of its own: 4,096 in a part, 65,536 in a page. */
Test(eh_frame, pages_full_of_rows)
{
	struct leat_buf ins;
	struct leat_cb c;
	struct built b;

	leat_buf_init(&ins, 1u << 20);
	leat_cb_init(&c, false);
	leat_cb_cie(&c, NULL, 0);
	for (unsigned int i = 0; i < 0x12000; i++) {
		leat_buf_char(&ins, 0x0e);
		leat_buf_char(&ins, (char)(8 + (i % 5) * 8));
		leat_buf_char(&ins, 0x41);
	}
	leat_cb_fde(&c, TEXT + 0x8000, 0x12000, ins.data, ins.len);
	cr_assert(zero(int, build(&b, &c)));
	for (unsigned int i = 0; i < 0x12000; i++) {
		struct leat_unwind_rule r = rule_at(&b, 0x8000 + i);

		cr_assert(eq(int, leat_unwind_cfa_off(&r), (int)(8 + (i % 5) * 8)), "%x", i);
	}
	EXPECT_RULE(&b, 0x7fff, "invalid");
	EXPECT_RULE(&b, 0x1a000, "invalid");
	cr_expect(eq(u32, b.t->row_cnt, 0x12001));
	leat_buf_fini(&ins);
	built_fini(&b);
}

/* ---- bad input ---- */

static struct leat_cb small(void)
{
	struct leat_cb c;

	leat_cb_init(&c, false);
	leat_cb_cie(&c, NULL, 0);
	push(&c, 0x100, 0x20, 16);
	leat_cb_fde(&c, TEXT + 0x200, 0x40,
		    (uint8_t[]){ 0x0a, 0x44, 0x0e, 16, 0x86, 2, 0x44, 0x0f, 3, 0x76, 0x78, 6, 0x44,
				 0x0b },
		    14);
	push(&c, 0x300, 0x20, 32);
	return c;
}

/* What is said of an address is either what the whole says, or nothing. */
Test(eh_frame, truncated_at_every_byte)
{
	struct leat_cb whole = small();
	const size_t n = whole.b.len;
	struct built want;

	cr_assert(zero(int, build(&want, &whole)));
	for (size_t len = 0; len < n; len++) {
		struct leat_cb c = small();
		struct built b;
		int err;

		c.b.len = len;
		err = build(&b, &c);
		cr_assert(err == 0 || err == -ENODATA || err == -EBADMSG);
		for (uint64_t off = 0xf0; !err && off < 0x340; off++) {
			uint32_t got = leat_unwind_table_rule(b.t, TEXT + off);

			if (got != LEAT_RULE_INVALID)
				cr_assert(eq(str, text_of(rule_at(&b, off)),
					     text_of(rule_at(&want, off))));
		}
		built_fini(&b);
	}
	built_fini(&want);
}

Test(eh_frame, every_byte_damaged_ends)
{
	struct leat_cb whole = small();
	const size_t n = whole.b.len;

	leat_cb_fini(&whole);
	for (size_t i = 0; i < n * 3; i++) {
		static const uint8_t bytes[] = { 0, 0x7f, 0xff };
		struct leat_cb c = small();
		struct built b;
		int err;

		c.b.data[i / 3] = (char)bytes[i % 3];
		err = build(&b, &c);
		cr_assert(err == 0 || err == -ENODATA || err == -EBADMSG, "%zu: %d", i, err);
		built_fini(&b);
	}
}

Test(eh_frame, pointers_to_no_cie_are_counted)
{
	uint8_t fde[17] = { 0, 0, 1, 0, 0, 0, 0, 0, 16 };
	struct leat_cb c;
	struct built b;

	leat_cb_init(&c, false);
	leat_cb_cie(&c, NULL, 0);
	push(&c, 0x100, 0x20, 16);
	leat_cb_entry(&c, 4, fde, sizeof(fde));	  /* itself */
	leat_cb_entry(&c, 200, fde, sizeof(fde)); /* before the section */
	leat_cb_entry(&c, ~0u, fde, sizeof(fde));
	cr_assert(zero(int, build(&b, &c)));
	cr_expect(eq(u64, b.t->bad_cnt, 3));
	cr_expect(eq(u64, b.t->func_cnt, 1));
	EXPECT_RULE(&b, 0, "invalid");
	EXPECT_RULE(&b, 0x100, "sp+16");
	built_fini(&b);
}

/* Terminators in the middle are no end: crtend.o's may come before what other objects add. */
Test(eh_frame, terminators_are_passed_over)
{
	struct leat_cb c;
	struct built b;

	leat_cb_init(&c, false);
	leat_cb_cie(&c, NULL, 0);
	push(&c, 0, 16, 16);
	leat_buf_add(&c.b, "\0\0\0\0", 4);
	push(&c, 32, 16, 24);
	cr_assert(zero(int, build(&b, &c)));
	EXPECT_RULE(&b, 0, "sp+16");
	EXPECT_RULE(&b, 32, "sp+24");
	built_fini(&b);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A million functions that all overlap, a flood of advances, a long CIE that all share. */
Test(eh_frame, hostile_sections_take_linear_time, .timeout = 120)
{
	double start = seconds();
	struct leat_buf ins;
	struct leat_cb c;
	struct built b;

	leat_buf_init(&ins, 64u << 20);
	for (unsigned int i = 0; i < 4000000; i++)
		leat_buf_char(&ins, 0x40); /* advance by nothing */
	leat_cb_init(&c, false);
	leat_cb_cie(&c, ins.data, 0);
	leat_cb_fde(&c, TEXT, 16, ins.data, ins.len);
	ins.len = 1000000;
	memset(ins.data, 0, ins.len);
	leat_cb_cie(&c, ins.data, ins.len);
	for (unsigned int i = 0; i < 1000000; i++)
		push(&c, 0x1000 + (i * 7919u) % 0xe0000, 0x10000, (uint8_t)(16 + (i & 3) * 8));
	cr_assert(zero(int, build(&b, &c)));
	cr_expect(lt(dbl, seconds() - start, 45.0));
	EXPECT_RULE(&b, 0, "sp+8");
	cr_expect(gt(u64, b.t->cut_cnt, 1000));
	leat_buf_fini(&ins);
	built_fini(&b);
}

Test(eh_frame, nested_states_are_bounded)
{
	uint8_t ins[64] = { 0x44, 0x0e, 16 };
	struct leat_cb c;
	struct built b;

	memset(ins + 3, 0x0a, 40);
	leat_cb_init(&c, false);
	leat_cb_cie(&c, NULL, 0);
	leat_cb_fde(&c, TEXT, 16, ins, 43);
	cr_assert(zero(int, build(&b, &c)));
	cr_expect(eq(u64, b.t->bad_cnt, 1));
	EXPECT_RULE(&b, 0, "sp+8");
	EXPECT_RULE(&b, 4, "invalid");
	built_fini(&b);
}

Test(eh_frame, failing_allocations)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_unwind_rules *rules = NULL;
		struct leat_unwind_table *t = NULL;
		struct leat_cb c;
		struct leat_elf *e;
		int err;

		leat_alloc_disarm();
		c = small();
		push(&c, 0x80, 16, 16); /* out of order: sorting needs memory */
		e = leat_cb_elf(&c);
		leat_alloc_arm(leat_nth_);
		err = leat_unwind_rules_new(&rules);
		if (!err)
			err = leat_unwind_table_build(&t, e, NULL, rules);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM, "%d", err);
		cr_assert(eq(int, err == 0, t != NULL));
		leat_unwind_table_free(&t);
		leat_unwind_rules_free(&rules);
		leat_elf_free(&e);
		leat_cb_fini(&c);
	}
}
