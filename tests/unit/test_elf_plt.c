/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/elf_builder.h"
#include "elf/elf_file.h"

#define FUNC ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)

static struct leat_elf *finish(struct leat_eb *b)
{
	struct leat_elf *e = NULL;
	uint8_t *p;
	size_t n;

	p = leat_eb_done(b, &n);
	leat_eb_free(&b);
	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, true), 0));
	return e;
}

static struct leat_eb *lazy(uint16_t machine)
{
	static const char *const names[] = { "puts", "malloc", "free" };
	struct leat_eb *b = leat_eb_new(ET_DYN, machine);

	leat_eb_plt(b, 0x2000, 0x8000, names, LEAT_ARRAY_SIZE(names));
	leat_eb_dynamic(b, 0x3000, LEAT_EB_HASH_GNU);
	return b;
}

Test(elf_plt, lazy_entries_have_names_and_the_resolver_none)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = finish(lazy(EM_X86_64));
	static const char *const names[] = { "puts", "malloc", "free" };
	LEAT_FREE struct leat_elf_plt *plt = NULL;
	size_t cnt;

	cr_assert(eq(int, leat_elf_plt(e, &plt, &cnt), 0));
	cr_assert(eq(sz, cnt, 3));
	for (size_t i = 0; i < cnt; i++) {
		cr_assert(eq(u64, plt[i].vaddr, 0x2010 + 16 * i));
		cr_assert(eq(u64, plt[i].size, 16));
		cr_assert(eq(str, (char *)plt[i].name, (char *)names[i]));
	}
}

Test(elf_plt, none_of_another_machine_or_without_sections)
{
	for (int i = 0; i < 3; i++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		struct leat_eb *b = i == 2 ? leat_eb_new(ET_EXEC, EM_X86_64)
					   : lazy(i ? EM_X86_64 : EM_AARCH64);
		struct leat_elf_plt *plt = (void *)1;
		size_t cnt = 7;

		if (i == 1)
			leat_eb_no_sections(b);
		e = finish(b);
		cr_assert(eq(int, leat_elf_plt(e, &plt, &cnt), 0));
		cr_assert(eq(sz, cnt, 0));
		cr_assert(eq(ptr, plt, NULL));
	}
}

/*
 * What the linkers write (from files of binutils 2.40, gold 1.16, lld 14, mold 1.10, gcc 12). The
 * displacement is set by the test: every entry jumps through the slot of the one symbol.
 */
struct form {
	char what[40];
	char section[12];
	size_t entsize; /* as the section header has it */
	size_t header;	/* bytes before the first entry */
	char code[16];
	size_t len;  /* of an entry */
	size_t disp; /* where the displacement is; 0: the entry has no slot */
};

ParameterizedTestParameters(elf_plt, forms)
{
	static struct form rows[] = {
		{ "bfd, gold, lld: lazy", ".plt", 16, 16,
		  "\xff\x25____\x68\0\0\0\0\xe9\xe0\xff\xff\xff", 16, 2 },
		{ "bfd: lazy IBT, named by .plt.sec", ".plt", 16, 16,
		  "\xf3\x0f\x1e\xfa\x68\0\0\0\0\xf2\xe9\xe1\xff\xff\xff\x90", 16, 0 },
		{ "bfd: IBT with bnd", ".plt.sec", 16, 0,
		  "\xf3\x0f\x1e\xfa\xf2\xff\x25____\x0f\x1f\x44\0\0", 16, 7 },
		{ "bfd, lld: IBT", ".plt.sec", 16, 0,
		  "\xf3\x0f\x1e\xfa\xff\x25____\x66\x0f\x1f\x44\0\0", 16, 6 },
		{ "bfd: now", ".plt.got", 8, 0, "\xff\x25____\x66\x90", 8, 2 },
		{ "bfd: now, wrong size of entry", ".plt.got", 16, 0, "\xff\x25____\x66\x90", 8,
		  2 },
		{ "bfd: now, IBT", ".plt.got", 16, 0,
		  "\xf3\x0f\x1e\xfa\xff\x25____\x66\x0f\x1f\x44\0\0", 16, 6 },
		{ "mold: lazy", ".plt", 16, 32, "\xf3\x0f\x1e\xfa\x41\xbb\0\0\0\0\xff\x25____", 16,
		  12 },
		{ "mold: now", ".plt.got", 16, 0,
		  "\xf3\x0f\x1e\xfa\xff\x25____\xcc\xcc\xcc\xcc\xcc\xcc", 16, 6 },
	};

	return cr_make_param_array(struct form, rows, LEAT_ARRAY_SIZE(rows));
}

#define ENTRIES 3

static struct leat_elf *build(const struct form *f)
{
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	Elf64_Rela rela = { .r_offset = 0x8018, .r_info = ELF64_R_INFO(1ull, R_X86_64_GLOB_DAT) };
	uint8_t code[32 + 16 * ENTRIES] = { 0 };
	unsigned int s;

	for (size_t i = 0; i < ENTRIES; i++) {
		size_t at = f->header + i * f->len;
		int32_t disp = (int32_t)(rela.r_offset - (0x2000 + at + f->disp + 4));

		memcpy(code + at, f->code, f->len);
		if (f->disp)
			memcpy(code + at + f->disp, &disp, 4);
	}
	s = leat_eb_section(b, f->section, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x2000, code,
			    f->header + ENTRIES * f->len);
	leat_eb_link(b, s, 0, f->entsize);
	leat_eb_dynsym(b, "the_name", 0, 0, FUNC, SHN_UNDEF);
	s = leat_eb_section(b, ".rela.dyn", SHT_RELA, 0, 0, &rela, sizeof(rela));
	leat_eb_link(b, s, s + 1, sizeof(rela)); /* .dynsym comes next */
	leat_eb_dynamic(b, 0x3000, LEAT_EB_HASH_GNU);
	return finish(b);
}

ParameterizedTest(struct form *row, elf_plt, forms)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = build(row);
	LEAT_FREE struct leat_elf_plt *plt = NULL;
	size_t cnt;

	cr_assert(eq(int, leat_elf_plt(e, &plt, &cnt), 0), "%s", row->what);
	cr_assert(eq(sz, cnt, row->disp ? ENTRIES : 0), "%s", row->what);
	for (size_t i = 0; i < cnt; i++) {
		cr_assert(eq(u64, plt[i].vaddr, 0x2000 + row->header + i * row->len), "%s",
			  row->what);
		cr_assert(eq(u64, plt[i].size, row->len), "%s", row->what);
		cr_assert(eq(str, (char *)plt[i].name, (char *)"the_name"), "%s", row->what);
	}
}

Test(elf_plt, sections_are_sorted_by_address)
{
	struct leat_eb *b = lazy(EM_X86_64);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_FREE struct leat_elf_plt *plt = NULL;
	/* Before .plt in memory, after it in the table of sections: the slot of "puts". */
	uint8_t code[8] = { 0xff, 0x25, 0, 0, 0, 0, 0x66, 0x90 };
	int32_t disp = 0x8018 - (0x1000 + 6);
	size_t cnt;

	memcpy(code + 2, &disp, 4);
	leat_eb_section(b, ".plt.got", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x1000, code, 8);
	e = finish(b);
	cr_assert(eq(int, leat_elf_plt(e, &plt, &cnt), 0));
	cr_assert(eq(sz, cnt, 4));
	for (size_t i = 1; i < cnt; i++)
		cr_assert(lt(u64, plt[i - 1].vaddr, plt[i].vaddr));
	cr_assert(eq(str, (char *)plt[0].name, (char *)"puts"));
}

Test(elf_plt, every_allocation_failure_is_reported)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_elf_plt *plt = NULL;
		struct leat_elf *e;
		size_t cnt;
		int err;

		leat_alloc_disarm();
		e = finish(lazy(EM_X86_64));
		leat_alloc_arm(leat_nth_);
		err = leat_elf_plt(e, &plt, &cnt);
		leat_alloc_disarm();
		cr_assert(eq(int, err, leat_alloc_failed() ? -ENOMEM : 0));
		free(plt);
		leat_elf_free(&e);
	}
}
