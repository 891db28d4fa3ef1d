/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of real files: with and without sections, linkage tables, this very program. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../support/elf_builder.h"
#include "base/file.h"
#include "unwind/frames.h"
#include "unwind/plt.h"
#include "unwind/unwind.h"

static struct leat_unwind_table *table_of(struct leat_elf *e, struct leat_unwind_rules *rules)
{
	struct leat_unwind_table *t = NULL;

	cr_assert(zero(int, leat_unwind_table_build(&t, e, NULL, rules)));
	return t;
}

/* Stripped of its section headers, a file's FDEs are found through .eh_frame_hdr: the same rows. */
Test(unwind_files, with_and_without_sections_are_equal)
{
	LEAT_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *rules = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *a = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *b = NULL;
	LEAT_AUTO(leat_elf_free) struct leat_elf *with = NULL;
	LEAT_AUTO(leat_elf_free) struct leat_elf *without = NULL;
	Elf64_Ehdr *h;
	char *bytes;
	size_t n;

	cr_assert(zero(int, leat_unwind_rules_new(&rules)));
	cr_assert(zero(int, leat_file_read_fd(fd, (size_t)1 << 30, &bytes, &n)));
	cr_assert(zero(int, leat_elf_open_mem(&with, bytes, n, false)));
	a = table_of(with, rules);
	h = (Elf64_Ehdr *)bytes;
	h->e_shoff = 0;
	h->e_shnum = 0;
	cr_assert(zero(int, leat_elf_open_mem(&without, bytes, n, true)));
	b = table_of(without, rules);
	cr_expect(eq(u32, b->sources, LEAT_UNWIND_EH_FRAME));
	cr_expect(gt(u64, b->func_cnt, 50));
	cr_assert(eq(u32, a->page_cnt, b->page_cnt));
	for (uint64_t i = 0; i < (uint64_t)a->page_cnt << LEAT_UNWIND_PAGE_BITS; i++) {
		uint64_t at = ((uint64_t)a->first_page << LEAT_UNWIND_PAGE_BITS) + i;

		/* What only sections tell of: linkage tables without CFI. */
		if (leat_unwind_table_rule(b, at))
			cr_assert(eq(u32, leat_unwind_table_rule(a, at),
				     leat_unwind_table_rule(b, at)),
				  "at %lx", (unsigned long)at);
	}
}

Test(unwind_files, memory_is_at_most_4_2_bytes_a_row)
{
	LEAT_CLOSE int fd = open("/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY | O_CLOEXEC);
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *rules = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *t = NULL;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;

	cr_assert(ge(int, fd, 0));
	cr_assert(zero(int, leat_unwind_rules_new(&rules)));
	cr_assert(zero(int, leat_elf_open(&e, fd)));
	t = table_of(e, rules);
	cr_expect(gt(u32, t->row_cnt, 10000));
	cr_expect(lt(dbl, (double)leat_unwind_table_bytes(t) / t->row_cnt, 4.2));
	cr_expect(zero(u64, t->bad_cnt));
	cr_expect(zero(int, t->err));
}

Test(unwind_files, linkage_tables_are_read)
{
	/* as lld writes them: the resolver's entry, then one that is bound late, then nonsense */
	static const uint8_t code[48] = { 0xff, 0x35, 0, 0,    0,    0,	   0xff, 0x25, 0,
					  0,	0,    0, 0x0f, 0x1f, 0x40, 0,	 0xff, 0x25,
					  0,	0,    0, 0,    0x68, 0,	   0,	 0,    0,
					  0xe9, 0,    0, 0,    0,    0x90, 0xf4 };
	struct leat_unwind_table t = { .page_cnt = 1 };
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *rules = NULL;
	static const struct {
		uint8_t at;
		uint8_t off; /* 0: invalid */
	} want[] = { { 0, 16 }, { 5, 16 },  { 6, 24 }, { 12, 8 }, { 16, 8 },
		     { 22, 8 }, { 27, 16 }, { 32, 8 }, { 33, 0 }, { 47, 0 } };
	struct leat_rows rows;

	cr_assert(zero(int, leat_unwind_rules_new(&rules)));
	cr_assert(zero(int, leat_rows_init(&rows, 0, 4096)));
	leat_plt_rows(code, sizeof(code), 0, rules, &rows);
	cr_assert(zero(int, leat_rows_done(&rows, &t.blocks)));
	t.block_cnt = t.blocks[0].head.block_cnt;
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(want); i++) {
		const struct leat_unwind_rule *r =
			&leat_unwind_rules_all(rules)[leat_unwind_table_rule(&t, want[i].at)];

		cr_expect(eq(int, leat_unwind_cfa_off(r), want[i].off), "byte %d", want[i].at);
		cr_expect(eq(int, r->cfa, want[i].off ? LEAT_CFA_SP : LEAT_CFA_INVALID));
	}
	cr_expect(leat_plt_is_name(".plt.sec"));
	cr_expect(not(leat_plt_is_name(".text")));
	free(t.blocks);
}

/* The first page of an executable segment may hold the end of another one. */
Test(unwind_files, the_bias_is_that_of_the_executable_segment)
{
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_unwind_segment s[LEAT_UNWIND_SEGMENTS];
	const struct leat_elf_phdr *p = NULL;
	uint64_t bias = 0;
	uint8_t *bytes;
	size_t n;

	leat_eb_section(b, ".rodata", SHT_PROGBITS, SHF_ALLOC, 0x100, "abc", 3);
	leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x5100, "abc", 3);
	bytes = leat_eb_done(b, &n);
	leat_eb_free(&b);
	cr_assert(zero(int, leat_elf_open_mem(&e, bytes, n, true)));
	for (size_t i = 0; i < leat_elf_phdr_cnt(e); i++) {
		if (leat_elf_phdr_at(e, i)->flags & PF_X)
			p = leat_elf_phdr_at(e, i);
	}
	cr_assert(p != NULL);
	cr_assert(eq(sz, leat_unwind_segments(e, s), 1));
	cr_assert(zero(int, leat_unwind_bias(s, 1, 0x7f0000000000, p->offset & ~4095ull, &bias)));
	cr_expect(eq(u64, 0x7f0000000000 + (p->offset & 4095) - bias, p->vaddr));
	cr_expect(eq(int, leat_unwind_bias(s, 1, 0x7f0000000000, 1u << 20, &bias), -ENOENT));
}

Test(unwind_files, files_without_information_and_of_other_machines)
{
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *rules = NULL;
	struct leat_unwind_table *t = NULL;

	cr_assert(zero(int, leat_unwind_rules_new(&rules)));
	for (int other = 0; other < 2; other++) {
		struct leat_eb *b = leat_eb_new(ET_DYN, other ? EM_AARCH64 : EM_X86_64);
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		uint8_t *bytes;
		size_t n;

		leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x1000, "abc",
				3);
		bytes = leat_eb_done(b, &n);
		leat_eb_free(&b);
		cr_assert(zero(int, leat_elf_open_mem(&e, bytes, n, true)));
		cr_expect(eq(int, leat_unwind_table_build(&t, e, NULL, rules),
			     other ? -ENOTSUP : -ENODATA));
	}
	cr_expect(t == NULL);
}

/* The end of one and the begin of the other lie in one page of the file, which is mapped twice. */
Test(unwind_files, segments_that_share_a_page)
{
	static const struct leat_unwind_segment s[] = { { 0x1000, 0x2800, 0x1000 },
							{ 0x2000, 0x4000, 0x402000 } };
	uint64_t bias = 0;

	cr_assert(zero(int, leat_unwind_bias(s, 2, 0x7f0000001000, 0x1000, &bias)));
	cr_expect(eq(u64, bias, 0x7f0000000000));
	cr_assert(zero(int, leat_unwind_bias(s, 2, 0x7f0000402000, 0x2000, &bias)));
	cr_expect(eq(u64, bias, 0x7f0000000000));
	cr_assert(zero(int, leat_unwind_bias(s, 2, 0x7f0000403000, 0x3000, &bias)));
	cr_expect(eq(u64, bias, 0x7f0000000000));
}

/*
 * Functions of 32 bytes; the first @framed of them set up a frame, one as the compiler reorders it.
 * Those go on elsewhere, so that nothing else can be found out of them.
 */
static void put_functions(uint8_t *code, size_t n, size_t framed)
{
	static const uint8_t plain[] = { 0x55, 0x48, 0x89, 0xe5, 0x5d, 0xff, 0xe0 };
	static const uint8_t mixed[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xbe, 2,	   0,
					 0,    0,    0x48, 0x89, 0xe5, 0x5d, 0xff, 0xe0 };

	for (size_t i = 0; i < n; i++) {
		uint8_t *f = code + 32 * i;

		memset(f, 0x90, 32);
		if (i >= framed)
			f[0] = 0xc3;
		else if (i % 2)
			memcpy(f, mixed, sizeof(mixed));
		else
			memcpy(f, plain, sizeof(plain));
	}
}

Test(unwind_files, how_functions_begin_tells_of_frame_pointers)
{
	uint8_t code[32 * 20];

	put_functions(code, 20, 20);
	cr_expect(leat_code_keeps_frames(code, sizeof(code), 0x1000));
	put_functions(code, 20, 6);
	cr_expect(leat_code_keeps_frames(code, sizeof(code), 0x1000));
	/* Those with alloca have one in any case. */
	put_functions(code, 20, 4);
	cr_expect(not(leat_code_keeps_frames(code, sizeof(code), 0x1000)));
	put_functions(code, 20, 0);
	cr_expect(not(leat_code_keeps_frames(code, sizeof(code), 0x1000)));
	put_functions(code, 20, 20);
	for (size_t n = 0; n < 64; n++) {
		uint8_t *cut = malloc(n ? n : 1); /* so that a sanitizer sees a read behind it */

		cr_assert(cut != NULL);
		memcpy(cut, code, n);
		cr_expect(eq(int, leat_code_keeps_frames(cut, n, 0x1000), n >= 8));
		free(cut);
	}
}

/* The rule in the middle of a binary of which only the first function is described. */
static uint32_t rule_of_mostly_gaps(size_t framed)
{
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *rules = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *t = NULL;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	static const struct leat_eb_range start = { 0x1000, 32 };
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	uint8_t code[32 * 20], *bytes;
	size_t n;

	put_functions(code, 20, framed);
	leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x1000, code,
			sizeof(code));
	leat_eb_eh_frame(b, 0x5000, &start, 1);
	bytes = leat_eb_done(b, &n);
	leat_eb_free(&b);
	cr_assert(zero(int, leat_elf_open_mem(&e, bytes, n, true)));
	cr_assert(zero(int, leat_unwind_rules_new(&rules)));
	t = table_of(e, rules);
	cr_expect(ne(u32, leat_unwind_table_rule(t, 0x1000), LEAT_RULE_INVALID));
	return leat_unwind_table_rule(t, 0x1104);
}

Test(unwind_files, code_beside_the_start_files_goes_by_frame_pointer_if_it_has_any)
{
	cr_expect(eq(u32, rule_of_mostly_gaps(20), LEAT_RULE_FRAME));
	cr_expect(eq(u32, rule_of_mostly_gaps(2), LEAT_RULE_INVALID));
}

/* The rule in the middle of constants that lie behind the code, in one segment with it. */
static uint32_t rule_of_constants(bool has_sections)
{
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *rules = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *t = NULL;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	static const struct leat_eb_range all_code = { 0x1000, 0x1000 };
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	static uint8_t data[0x21000];
	unsigned int whole;
	uint8_t *bytes;
	size_t n;

	put_functions(data, sizeof(data) / 32, sizeof(data) / 32); /* whatever the constants are */
	whole = leat_eb_section(b, ".rodata", SHT_PROGBITS, SHF_ALLOC, 0x1000, data, sizeof(data));
	leat_eb_phdr(b, PT_LOAD, PF_R | PF_X, whole);
	if (has_sections)
		leat_eb_section(b, ".text", SHT_PROGBITS, SHF_EXECINSTR, 0x1000, data, 0x1000);
	leat_eb_eh_frame(b, 0x50000, &all_code, 1);
	bytes = leat_eb_done(b, &n);
	leat_eb_free(&b);
	cr_assert(zero(int, leat_elf_open_mem(&e, bytes, n, true)));
	cr_assert(zero(int, leat_unwind_rules_new(&rules)));
	t = table_of(e, rules);
	cr_expect(ge(u32, leat_unwind_table_rule(t, 0x1800), LEAT_RULE__FIXED));
	return leat_unwind_table_rule(t, 0x12004);
}

Test(unwind_files, constants_in_the_segment_of_the_code_are_none)
{
	cr_expect(eq(u32, rule_of_constants(true), LEAT_RULE_INVALID));
	cr_expect(eq(u32, rule_of_constants(false), LEAT_RULE_FRAME), "nobody knows what they are");
}
