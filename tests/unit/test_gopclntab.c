/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "../support/elf_builder.h"
#include "base/buf.h"
#include "unwind/gopclntab.h"
#include "unwind/unwind.h"

#define CODE 0x401000ull

struct fn {
	const char *name;
	uint8_t flag;
	uint8_t pcsp[24]; /* ends with its 0 */
	uint8_t code[64]; /* of 64 bytes */
};

static void u32(struct leat_buf *b, uint64_t v)
{
	leat_buf_add(b, &(uint32_t){ (uint32_t)v }, 4);
}

static void u64(struct leat_buf *b, uint64_t v)
{
	leat_buf_add(b, &v, 8);
}

static void put_header(struct leat_buf *b, uint32_t magic, size_t cnt, const uint64_t *offsets)
{
	u32(b, magic);
	leat_buf_add(b, "\0\0\1\x08", 4);
	u64(b, cnt);
	if (magic == 0xfffffffbu)
		return;
	u64(b, 1); /* files */
	if (magic >= 0xfffffff0u && magic <= 0xfffffff1u)
		u64(b, 0); /* text: not said */
	for (size_t i = 0; i < 5; i++)
		u64(b, offsets[i]);
}

/* One function of what is in a version's table, after its entry: name, pcsp and the flag. */
static void put_func(struct leat_buf *b, uint32_t magic, uint64_t entry, uint64_t name,
		     uint64_t pcsp, uint8_t flag)
{
	bool offsets = magic == 0xfffffff0u || magic == 0xfffffff1u;

	if (offsets)
		u32(b, entry - CODE);
	else
		u64(b, entry);
	u32(b, name);
	u32(b, 0);
	u32(b, 0);
	u32(b, pcsp);
	for (int i = 0; i < (magic == 0xfffffff1u ? 5 : 4); i++)
		u32(b, 0);
	leat_buf_char(b, 0);
	leat_buf_char(b, (char)flag);
	leat_buf_char(b, 0);
	leat_buf_char(b, 0);
}

/* A table of @cnt functions of 64 bytes each. */
static void make(struct leat_buf *b, uint32_t magic, const struct fn *fns, size_t cnt)
{
	const bool first = magic == 0xfffffffbu;
	const bool offsets = magic == 0xfffffff0u || magic == 0xfffffff1u;
	const size_t head = first ? 16 : offsets ? 72 : 64, row = offsets ? 8 : 16;
	const size_t func = (offsets ? 4 : 8) + 16 + 4 * (magic == 0xfffffff1u ? 5 : 4) + 4;
	const size_t tab = head, funcs = tab + cnt * row + 8, names = funcs + cnt * func;
	const size_t pctab = names + cnt * 64;
	const uint64_t at[5] = { names, names, names, pctab, tab };

	leat_buf_init(b, 1u << 20);
	put_header(b, magic, cnt, at);
	for (size_t i = 0; i <= cnt; i++) {
		uint64_t place = funcs + i * func - (first ? 0 : tab);

		if (offsets)
			u32(b, i * 64);
		else
			u64(b, CODE + i * 64);
		if (i == cnt)
			break;
		if (offsets)
			u32(b, place);
		else
			u64(b, place);
	}
	while (b->len < funcs)
		leat_buf_char(b, 0);
	for (size_t i = 0; i < cnt; i++)
		put_func(b, magic, CODE + i * 64, i * 64 + (first ? names : 0),
			 1 + i * 24 + (first ? pctab : 0), fns[i].flag);
	for (size_t i = 0; i < cnt; i++) {
		char name[64] = { 0 };

		memcpy(name, fns[i].name, strlen(fns[i].name));
		leat_buf_add(b, name, 64);
	}
	leat_buf_char(b, 0);
	for (size_t i = 0; i < cnt; i++)
		leat_buf_add(b, fns[i].pcsp, 24);
}

static const struct fn functions[] = {
	/* push rbp (1 byte), sub 16 (4), body, pop, ret */
	{ "main.main", 0, { 2, 1, 16, 4, 32, 40, 47, 19, 0 }, { 0x55 } },
	/* the old way: sub 24 at once */
	{ "main.old", 0, { 2, 4, 48, 50, 47, 10, 0 }, { 0x48, 0x83, 0xec, 0x18 } },
	{ "runtime.goexit.abi0", 1, { 2, 64, 0 }, { 0 } },
	{ "runtime.systemstack.abi0", 2, { 2, 1, 16, 50, 15, 13, 0 }, { 0x55, 0x48, 0x89, 0xe5 } },
	{ "runtime.mcall",
	  2,
	  { 2, 1, 16, 50, 15, 13, 0 },
	  { 0x55, 0x48, 0x89, 0xe5, [10] = 0x49, 0x8b, 0x66, 0x38 } },
	{ "runtime.morestack.abi0", 2, { 2, 64, 0 }, { [8] = 0x48, 0x8b, 0x63, 0x38 } },
	{ "runtime.asyncPreempt.abi0", 0, { 2, 1, 16, 63, 0 }, { 0x55 } },
	{ "runtime.sigreturn__sigaction.abi0", 0, { 2, 64, 0 }, { 0 } },
	{ "main.odd", 0, { 2, 10, 6, 54, 0 }, { 0 } }, /* sp by 3 bytes */
	{ "main.end", 0, { 2, 8, 0 }, { 0 } },	       /* the table ends early */
	{ "runtime.nanotime1.abi0",
	  2,
	  { 2, 1, 16, 50, 15, 13, 0 },
	  { 0x55, 0x48, 0x89, 0xe5, [20] = 0x48, 0x8b, 0x62, 0x38 } },
	{ "gogo", 2, { 2, 64, 0 }, { [8] = 0x48, 0x8b, 0x23 } },
	{ "runtime.mcall.abi0", 2, { 2, 1, 16, 50, 15, 13, 0 }, { 0x55, 0x48, 0x89, 0xe5 } },
	{ "runtime.gogo.abi0", 0, { 2, 64, 0 }, { 0 } },
	{ "runtime.writes_sp", 2, { 2, 1, 16, 50, 15, 13, 0 }, { 0x55, 0x48, 0x89, 0xe5 } },
};
#define CNT LEAT_ARRAY_SIZE(functions)

struct rig {
	struct leat_buf b;
	struct leat_gopcln g;
	struct leat_unwind_rules *rules;
	struct leat_unwind_table t;
	uint8_t code[CNT * 64];
};

static void rig_open(struct rig *r, uint32_t magic)
{
	struct leat_fdes fdes = { 0 };
	struct leat_rows rows;

	*r = (struct rig){ 0 };
	make(&r->b, magic, functions, CNT);
	for (size_t i = 0; i < CNT; i++)
		memcpy(r->code + i * 64, functions[i].code, 64);
	cr_assert(zero(int, leat_gopcln_parse(&r->g, r->b.data, r->b.len, CODE)));
	r->g.code = r->code;
	r->g.code_vaddr = CODE;
	r->g.code_len = sizeof(r->code);
	cr_assert(zero(int, leat_gopcln_scan(&r->g, &fdes)));
	cr_assert(eq(sz, fdes.n, CNT));
	cr_assert(zero(int, leat_unwind_rules_new(&r->rules)));
	cr_assert(zero(int, leat_rows_init(&rows, CODE, CODE + CNT * 64)));
	for (size_t i = 0; i < CNT; i++)
		cr_expect(eq(int,
			     leat_gopcln_rows(&r->g, &fdes.v[i], fdes.v[i].end, r->rules, &rows),
			     i != 9));
	cr_assert(zero(int, leat_rows_done(&rows, &r->t.blocks)));
	r->t.block_cnt = r->t.blocks[0].head.block_cnt;
	r->t.first_page = r->t.blocks[0].head.first_page;
	r->t.page_cnt = 1;
	free(fdes.v);
}

static void rig_close(struct rig *r)
{
	free(r->t.blocks);
	leat_unwind_rules_free(&r->rules);
	leat_buf_fini(&r->b);
}

static const struct leat_unwind_rule *at(const struct rig *r, size_t fn, uint64_t off)
{
	return leat_unwind_rules_all(r->rules) +
	       leat_unwind_table_rule(&r->t, CODE + fn * 64 + off);
}

static void expect(const struct rig *r, size_t fn, uint64_t off, enum leat_cfa_kind cfa,
		   int cfa_off, enum leat_fp_kind fp)
{
	const struct leat_unwind_rule *rule = at(r, fn, off);

	cr_expect(eq(int, rule->cfa, cfa), "%s+%d", functions[fn].name, (int)off);
	if (cfa == LEAT_CFA_SP)
		cr_expect(eq(int, leat_unwind_cfa_off(rule), cfa_off), "%s+%d", functions[fn].name,
			  (int)off);
	if (cfa == LEAT_CFA_SP)
		cr_expect(eq(int, rule->fp &LEAT_FP_KIND, fp), "%s+%d", functions[fn].name,
			  (int)off);
}

static uint32_t versions[] = { 0xfffffffb, 0xfffffffa, 0xfffffff0, 0xfffffff1 };

ParameterizedTestParameters(gopclntab, every_version)
{
	return cr_make_param_array(uint32_t, versions, LEAT_ARRAY_SIZE(versions));
}

ParameterizedTest(uint32_t *magic, gopclntab, every_version)
{
	struct rig r;

	rig_open(&r, *magic);
	expect(&r, 0, 0, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&r, 0, 1, LEAT_CFA_SP, 16, LEAT_FP_CFA);
	expect(&r, 0, 5, LEAT_CFA_SP, 32, LEAT_FP_CFA);
	expect(&r, 0, 44, LEAT_CFA_SP, 32, LEAT_FP_CFA);
	expect(&r, 0, 45, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&r, 1, 3, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&r, 1, 4, LEAT_CFA_SP, 32, LEAT_FP_LOST);
	expect(&r, 2, 0, LEAT_CFA_STOP, 0, 0);
	expect(&r, 3, 1, LEAT_CFA_SP, 16, LEAT_FP_CFA);
	expect(&r, 3, 4, LEAT_CFA_SWITCH, 0, 0);
	expect(&r, 3, 50, LEAT_CFA_SWITCH, 0, 0);
	expect(&r, 3, 51, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&r, 4, 0, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&r, 4, 1, LEAT_CFA_SP, 16, LEAT_FP_CFA);
	expect(&r, 4, 10, LEAT_CFA_SWITCH, 0, 0);
	expect(&r, 4, 11, LEAT_CFA_STOP, 0, 0);
	expect(&r, 4, 63, LEAT_CFA_STOP, 0, 0);
	expect(&r, 5, 8, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&r, 5, 9, LEAT_CFA_STOP, 0, 0);
	cr_expect(eq(int, at(&r, 6, 5)->fp &LEAT_FP_EXACT, LEAT_FP_EXACT));
	expect(&r, 6, 63, LEAT_CFA_SIGNAL, 0, 0);
	expect(&r, 7, 0, LEAT_CFA_SIGNAL, 0, 0);
	expect(&r, 8, 9, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&r, 8, 10, LEAT_CFA_INVALID, 0, 0);
	expect(&r, 9, 7, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&r, 9, 8, LEAT_CFA_INVALID, 0, 0);
	expect(&r, 11, 8, LEAT_CFA_SP, 8, LEAT_FP_SAME);
	expect(&r, 11, 9, LEAT_CFA_INVALID, 0, 0);
	/* No load of sp is found. */
	expect(&r, 12, 0, LEAT_CFA_INVALID, 0, 0);
	expect(&r, 12, 10, LEAT_CFA_INVALID, 0, 0);
	if (*magic >= 0xfffffff0u && *magic <= 0xfffffff1u) {
		expect(&r, 10, 1, LEAT_CFA_SP, 16, LEAT_FP_CFA);
		expect(&r, 10, 30, LEAT_CFA_SWITCH, 0, 0);
		expect(&r, 10, 51, LEAT_CFA_SP, 8, LEAT_FP_SAME);
		expect(&r, 13, 10, LEAT_CFA_SP, 8, LEAT_FP_SAME);
		expect(&r, 14, 30, LEAT_CFA_INVALID, 0, 0);
	}
	rig_close(&r);
}

Test(gopclntab, other_versions_and_words_are_refused)
{
	struct leat_gopcln g;
	struct leat_buf b;

	make(&b, 0xfffffff1u, functions, CNT);
	cr_expect(zero(int, leat_gopcln_parse(&g, b.data, b.len, CODE)));
	b.data[0] = (char)0xf2;
	cr_expect(eq(int, leat_gopcln_parse(&g, b.data, b.len, CODE), -ENOTSUP));
	b.data[0] = (char)0xf1;
	b.data[7] = 4;
	cr_expect(eq(int, leat_gopcln_parse(&g, b.data, b.len, CODE), -ENOTSUP));
	b.data[7] = 8;
	b.data[4] = 1;
	cr_expect(eq(int, leat_gopcln_parse(&g, b.data, b.len, CODE), -EBADMSG));
	b.data[4] = 0;
	memset(b.data + 8, 0xff, 8);
	cr_expect(eq(int, leat_gopcln_parse(&g, b.data, b.len, CODE), -EOVERFLOW));
	leat_buf_fini(&b);
}

ParameterizedTestParameters(gopclntab, truncated_at_every_byte)
{
	return cr_make_param_array(uint32_t, versions, LEAT_ARRAY_SIZE(versions));
}

/* A function is described as in the whole table, or not at all. */
ParameterizedTest(uint32_t *magic, gopclntab, truncated_at_every_byte)
{
	struct rig whole;

	rig_open(&whole, *magic);
	for (size_t len = 0; len < whole.b.len; len++) {
		uint8_t *cut = malloc(len + 1);
		struct leat_unwind_table t = { .page_cnt = 1 };
		struct leat_fdes fdes = { 0 };
		struct leat_gopcln g;
		struct leat_rows rows;

		memcpy(cut, whole.b.data, len);
		if (!leat_gopcln_parse(&g, cut, len, CODE)) {
			g.code = whole.code;
			g.code_vaddr = CODE;
			g.code_len = sizeof(whole.code);
			cr_assert(zero(int, leat_gopcln_scan(&g, &fdes)));
			cr_assert(zero(int, leat_rows_init(&rows, CODE, CODE + CNT * 64)));
			for (size_t i = 0; i < fdes.n; i++)
				(void)leat_gopcln_rows(&g, &fdes.v[i], fdes.v[i].end, whole.rules,
						       &rows);
			cr_assert(zero(int, leat_rows_done(&rows, &t.blocks)));
			t.block_cnt = t.blocks[0].head.block_cnt;
			t.first_page = t.blocks[0].head.first_page;
			for (uint64_t a = CODE; a < CODE + 64; a++) {
				uint32_t got = leat_unwind_table_rule(&t, a);

				cr_assert(got == 0 || got == leat_unwind_table_rule(&whole.t, a));
			}
		}
		free(t.blocks);
		free(fdes.v);
		free(cut);
	}
	rig_close(&whole);
}

#define TABLE  0x800000ull
#define MODULE 0x900000ull

/* With relocations of @len bytes. */
static struct leat_elf *pie(const Elf64_Rela *relas, size_t len)
{
	static const uint8_t zeros[8 * 23], code[CNT * 64];
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	struct leat_elf *e = NULL;
	struct leat_buf table;
	uint8_t *bytes;
	size_t n;

	make(&table, 0xfffffff1u, functions, CNT);
	leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, CODE, code,
			sizeof(code));
	leat_eb_section(b, ".gopclntab", SHT_PROGBITS, SHF_ALLOC, TABLE, table.data, table.len);
	leat_eb_section(b, ".go.module", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, MODULE, zeros,
			sizeof(zeros));
	leat_eb_section(b, ".rela.dyn", SHT_RELA, 0, 0, relas, len);
	leat_buf_fini(&table);
	bytes = leat_eb_done(b, &n);
	leat_eb_free(&b);
	cr_assert(zero(int, leat_elf_open_mem(&e, bytes, n, true)));
	return e;
}

/* A stripped position-independent file of cgo's: only relocations say where the text is. */
Test(gopclntab, the_text_by_its_relocation)
{
	for (int by_module = 0; by_module < 2; by_module++) {
		const uint64_t at = by_module ? MODULE + 8 * 22 : TABLE + 24;
		const Elf64_Rela relas[] = { { TABLE, R_X86_64_RELATIVE, 0x77 },
					     { at, R_X86_64_GLOB_DAT, 0x78 },
					     { at, R_X86_64_RELATIVE, CODE } };
		struct leat_elf *e = pie(relas, sizeof(relas));
		struct leat_gopcln g;

		cr_assert(zero(int, leat_gopcln_open(&g, e)));
		cr_expect(eq(u64, g.text, CODE));
		leat_elf_free(&e);
		e = pie(relas, sizeof(relas) - 1);
		cr_expect(eq(int, leat_gopcln_open(&g, e), -EBADMSG), "the last one is cut off");
		leat_elf_free(&e);
	}
}
