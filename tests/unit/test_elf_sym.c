/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

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

/* @cnt symbols "sym1".. in .dynsym, values 0x1000 + 16 i. */
static struct leat_eb *with_dynsyms(unsigned int cnt, enum leat_eb_hash hash)
{
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_AARCH64);
	char name[16];

	for (unsigned int i = 1; i <= cnt; i++) {
		snprintf(name, sizeof(name), "sym%u", i);
		leat_eb_dynsym(b, name, 0x1000 + 16 * i, 16, FUNC, 1);
	}
	leat_eb_dynamic(b, 0x10000, hash);
	return b;
}

static void check_dynsyms(struct leat_elf *e, unsigned int cnt)
{
	struct leat_elf_symtab t;
	struct leat_elf_sym s;
	char name[16];

	cr_assert(eq(int, leat_elf_symtab(e, true, &t), 0));
	cr_assert(eq(sz, t.cnt, cnt + 1));
	for (unsigned int i = 1; i <= cnt; i++) {
		snprintf(name, sizeof(name), "sym%u", i);
		leat_elf_sym_at(&t, i, &s);
		cr_assert(eq(str, (char *)s.name, name));
		cr_assert(eq(u64, s.value, 0x1000 + 16 * i));
	}
}

Test(elf_sym, symbols_of_symtab)
{
	struct leat_eb *b = leat_eb_new(ET_REL, EM_X86_64);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_elf_symtab t;
	struct leat_elf_sym s;

	leat_eb_sym(b, "f", 0x10, 8, ELF64_ST_INFO(STB_WEAK, STT_GNU_IFUNC), 7);
	e = finish(b);
	cr_assert(eq(int, leat_elf_symtab(e, true, &t), -ENOENT));
	cr_assert(eq(int, leat_elf_symtab(e, false, &t), 0));
	cr_assert(eq(sz, t.cnt, 2));
	leat_elf_sym_at(&t, 0, &s);
	cr_assert(eq(str, (char *)s.name, (char *)""));
	leat_elf_sym_at(&t, 1, &s);
	cr_assert(eq(str, (char *)s.name, (char *)"f"));
	cr_assert(eq(u64, s.value, 0x10));
	cr_assert(eq(u64, s.size, 8));
	cr_assert(eq(int, s.type, STT_GNU_IFUNC));
	cr_assert(eq(int, s.bind, STB_WEAK));
	cr_assert(eq(int, s.shndx, 7));
}

Test(elf_sym, dynsym_with_and_without_sections)
{
	static const enum leat_eb_hash hashes[] = { LEAT_EB_HASH_GNU, LEAT_EB_HASH_SYSV };
	static const unsigned int cnts[] = { 0, 1, 2, 500 };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(cnts) * 4; i++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		struct leat_eb *b = with_dynsyms(cnts[i / 4], hashes[i & 1]);

		if (i & 2)
			leat_eb_no_sections(b);
		e = finish(b);
		cr_assert(eq(int, !leat_elf_section_cnt(e), !!(i & 2)));
		check_dynsyms(e, cnts[i / 4]);
	}
}

Test(elf_sym, without_hash_and_sections_there_is_no_count)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_eb *b = with_dynsyms(3, LEAT_EB_HASH_NONE);
	struct leat_elf_symtab t;

	leat_eb_no_sections(b);
	e = finish(b);
	cr_assert(eq(int, leat_elf_symtab(e, true, &t), -ENOENT));
	cr_assert(eq(int, leat_elf_symtab(e, false, &t), -ENOENT));
}

/* Program headers of a debug file describe what is not in it. */
Test(elf_sym, dynamic_table_of_a_debug_file_is_absent)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_eb *b = with_dynsyms(3, LEAT_EB_HASH_GNU);
	struct leat_elf_symtab t;
	uint8_t *p;
	size_t n;
	Elf64_Ehdr h;

	p = leat_eb_done(b, &n);
	leat_eb_free(&b);
	memcpy(&h, p, sizeof(h));
	for (size_t i = 1; i < h.e_shnum - 1u; i++)
		memcpy(p + h.e_shoff + i * 64 + 4, &(uint32_t){ SHT_NOBITS }, 4);
	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, true), 0));
	cr_assert(eq(int, leat_elf_symtab(e, true, &t), -ENOENT));
}

/* Without sections all depends on PT_DYNAMIC: each byte damaged, the file cut at each length. */
Test(elf_sym, damaged_dynamic_table_stays_inside_the_file)
{
	static const enum leat_eb_hash hashes[] = { LEAT_EB_HASH_GNU, LEAT_EB_HASH_SYSV };

	for (size_t h = 0; h < LEAT_ARRAY_SIZE(hashes); h++) {
		struct leat_eb *b = with_dynsyms(3, hashes[h]);
		LEAT_FREE uint8_t *p = NULL;
		size_t n;

		leat_eb_no_sections(b);
		p = leat_eb_done(b, &n);
		leat_eb_free(&b);
		for (size_t i = 64; i < n * 4; i++) {
			static const uint8_t bytes[] = { 0, 0x30, 0xff };
			LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
			uint8_t *copy = malloc(n);
			struct leat_elf_symtab t;
			struct leat_elf_sym s;

			memcpy(copy, p, n);
			if (i >= n)
				copy[(i - n) / 3] = bytes[i % 3];
			if (leat_elf_open_mem(&e, copy, i < n ? i : n, true))
				continue;
			if (leat_elf_symtab(e, true, &t))
				continue;
			for (size_t k = 0; k < t.cnt; k++) {
				leat_elf_sym_at(&t, k, &s);
				cr_assert(lt(sz, strlen(s.name), n));
			}
		}
	}
}

Test(elf_sym, names_outside_the_strings_are_empty)
{
	static const Elf64_Sym syms[3] = { { 0 }, { .st_name = 1 }, { .st_name = 4 } };
	struct leat_eb *b = leat_eb_new(ET_REL, EM_X86_64);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	unsigned int symtab, strtab;
	struct leat_elf_symtab t;
	struct leat_elf_sym s;

	symtab = leat_eb_section(b, ".symtab", SHT_SYMTAB, 0, 0, syms, sizeof(syms));
	strtab = leat_eb_section(b, ".strtab", SHT_STRTAB, 0, 0, "\0ab\0open", 8);
	leat_eb_link(b, symtab, strtab, sizeof(syms[0]));
	e = finish(b);
	cr_assert(eq(int, leat_elf_symtab(e, false, &t), 0));
	cr_assert(eq(sz, t.strs_len, 4));
	leat_elf_sym_at(&t, 1, &s);
	cr_assert(eq(str, (char *)s.name, (char *)"ab"));
	leat_elf_sym_at(&t, 2, &s);
	cr_assert(eq(str, (char *)s.name, (char *)""));
}

Test(elf_sym, malformed_tables_are_refused)
{
	static const uint32_t links[] = { 0, 1, 2, 99 };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(links) + 1; i++) {
		struct leat_eb *b = leat_eb_new(ET_REL, EM_X86_64);
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		struct leat_elf_symtab t;
		bool wrong_size = i == LEAT_ARRAY_SIZE(links);

		leat_eb_section(b, ".symtab", SHT_SYMTAB, 0, 0, (uint8_t[24]){ 0 }, 24);
		leat_eb_section(b, ".x", SHT_PROGBITS, 0, 0, "", 1);
		leat_eb_section(b, ".strtab", SHT_STRTAB, 0, 0, "", 1);
		leat_eb_link(b, 1, wrong_size ? 3 : links[i], wrong_size ? 16 : 24);
		e = finish(b);
		cr_assert(eq(int, leat_elf_symtab(e, false, &t), -EBADMSG));
	}
}

/* This very program, as the linker made it, against what the loader thinks. */
Test(elf_sym, own_program_has_main)
{
	LEAT_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_elf_symtab t;
	struct leat_elf_sym s;
	bool found = false;

	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	cr_assert(eq(int, leat_elf_symtab(e, false, &t), 0));
	for (size_t i = 0; i < t.cnt; i++) {
		leat_elf_sym_at(&t, i, &s);
		found |= strcmp(s.name, "leat_elf_symtab") == 0 && s.type == STT_FUNC;
	}
	cr_assert(found);
	cr_assert(eq(int, leat_elf_symtab(e, true, &t), 0));
	cr_assert(gt(sz, t.cnt, 10));
}
