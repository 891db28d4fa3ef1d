/* SPDX-License-Identifier: BSD-2-Clause */
/* Which symbol an address gets, on tables written here. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/elf_builder.h"
#include "../support/sym_files.h"
#include "../support/tmpdir.h"
#include "symbols/spots.h"
#include "symbols/table.h"

#define TEXT	0x1000
#define F(bind) ELF64_ST_INFO(STB_##bind, STT_FUNC)
#define N(bind) ELF64_ST_INFO(STB_##bind, STT_NOTYPE)

struct sym {
	const char *name;
	uint64_t value, size;
	uint8_t info;
	int where; /* 0: .text, 1: .data, else the index itself */
};

struct row {
	uint64_t at;
	const char *name; /* NULL: no symbol */
};

struct fixture {
	struct leat_tmpdir dir;
	struct leat_sym_files files;
	struct leat_profile *p;
	uint32_t object;
};

static struct leat_eb *start(unsigned int *text, unsigned int *data)
{
	static const uint8_t bytes[0x1000];
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);

	leat_eb_paged(b);
	*text = leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, TEXT, bytes,
				sizeof(bytes));
	*data = leat_eb_section(b, ".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x8000, bytes, 64);
	return b;
}

static uint16_t index_of(const struct sym *s, unsigned int text, unsigned int data)
{
	return (uint16_t)(s->where == 0 ? text : s->where == 1 ? data : (unsigned int)s->where);
}

static void setup(struct fixture *f, struct leat_eb *b)
{
	uint8_t *bytes;
	size_t n;

	bytes = leat_eb_done(b, &n);
	leat_eb_free(&b);
	leat_tmpdir_init(&f->dir);
	leat_sym_files_init(&f->files);
	leat_sym_files_add(&f->files, LEAT_FILE_BINARY, NULL, NULL,
			   strdup(leat_tmpdir_write(&f->dir, "t", bytes, n)));
	free(bytes);
	f->p = leat_sym_profile();
	f->object = leat_sym_object(f->p, LEAT_OBJECT_FILE, "/t");
}

static void teardown(struct fixture *f)
{
	free((char *)(uintptr_t)f->files.list[0].path);
	leat_profile_free(&f->p);
	leat_tmpdir_fini(&f->dir);
}

/* The offset of an address: of .text, as the builder has placed it. */
static uint64_t offset_of(const struct fixture *f, uint64_t vaddr)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_FREE char *bytes = NULL;
	uint64_t off = 0;
	size_t n = 0;
	FILE *file = fopen(f->files.list[0].path, "re");

	cr_assert(ne(ptr, file, NULL));
	bytes = malloc(1 << 20);
	n = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	cr_assert(eq(int, leat_elf_open_mem(&e, bytes, n, false), 0));
	cr_assert(eq(int, leat_elf_vaddr_to_offset(e, vaddr, &off), 0));
	return off;
}

static void check_rows(struct fixture *f, const struct row *rows, size_t n)
{
	uint32_t ids[32];

	for (size_t i = 0; i < n; i++)
		ids[i] = leat_sym_frame(f->p, f->object, offset_of(f, rows[i].at), 0);
	cr_assert(eq(int, leat_symbols_resolve(f->p, &f->files.provider, NULL), 0));
	for (size_t i = 0; i < n; i++)
		LEAT_EXPECT_NAME(f->p, ids[i], rows[i].name ? rows[i].name : "[t]");
}

static const struct sym syms[] = {
	{ "outer", 0x1000, 0x100, F(GLOBAL), 0 },
	{ "inner", 0x1040, 0x10, F(LOCAL), 0 },
	{ "weak", 0x1200, 0x10, F(WEAK), 0 },
	{ "global", 0x1200, 0x10, F(GLOBAL), 0 },
	{ "local", 0x1200, 0x10, F(LOCAL), 0 },
	{ "__alias", 0x1300, 0x10, F(GLOBAL), 0 },
	{ "alias", 0x1300, 0x10, F(GLOBAL), 0 },
	{ "_a", 0x1300, 0x10, F(GLOBAL), 0 },
	{ "exact", 0x1400, 0, F(GLOBAL), 0 },
	{ "label", 0x1500, 0x10, N(LOCAL), 0 },
	{ "function", 0x1500, 0x20, F(LOCAL), 0 },
	{ "object", 0x1600, 0x10, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0 },
	{ "undefined", 0x1610, 0x10, F(GLOBAL), SHN_UNDEF + 0 },
	{ "absolute", 0x1620, 0x10, F(GLOBAL), SHN_ABS },
	{ "data", 0x1630, 0x10, N(GLOBAL), 1 },
	{ "resolver", 0x1700, 0x10, ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC), 0 },
	{ ".L12", 0x1800, 0x10, N(LOCAL), 0 },
	{ "$x", 0x1810, 0x10, N(LOCAL), 0 },
	{ "", 0x1820, 0x10, F(LOCAL), 0 },
	{ "versioned@@V_1", 0x1900, 0x10, F(GLOBAL), 0 },
	{ "huge", 0x1f00, UINT64_MAX, F(LOCAL), 0 },
};

static const struct row rows[] = {
	{ 0x1000, "outer" },	{ 0x103f, "outer" },	 { 0x1040, "inner" },  { 0x104f, "inner" },
	{ 0x1050, "outer" },	{ 0x1100, NULL },	 { 0x1200, "global" }, { 0x120f, "global" },
	{ 0x1210, NULL },	{ 0x1300, "alias" },	 { 0x1400, "exact" },  { 0x1401, NULL },
	{ 0x1505, "function" }, { 0x1515, "function" },	 { 0x1600, NULL },     { 0x1625, NULL },
	{ 0x1635, NULL },	{ 0x1700, "resolver" },	 { 0x1800, NULL },     { 0x1810, NULL },
	{ 0x1820, NULL },	{ 0x1900, "versioned" }, { 0x1fff, "huge" },
};

static void add_all(struct leat_eb *b, bool backwards, unsigned int text, unsigned int data)
{
	size_t n = LEAT_ARRAY_SIZE(syms);

	for (size_t i = 0; i < n; i++) {
		const struct sym *s = &syms[backwards ? n - 1 - i : i];
		uint16_t shndx = strcmp(s->name, "undefined") == 0 ? SHN_UNDEF
								   : index_of(s, text, data);

		leat_eb_sym(b, s->name, s->value, s->size, s->info, shndx);
	}
}

Test(symtab, which_symbol_wins)
{
	/* In both orders: what is shown does not depend on the table's. */
	for (int backwards = 0; backwards < 2; backwards++) {
		struct fixture f;
		unsigned int text, data;
		struct leat_eb *b = start(&text, &data);

		add_all(b, backwards, text, data);
		setup(&f, b);
		check_rows(&f, rows, LEAT_ARRAY_SIZE(rows));
		teardown(&f);
	}
}

Test(symtab, label_with_an_fde_names_its_function)
{
	static const struct leat_eb_range ranges[] = { { 0x1100, 0x40 },
						       { 0x11ff, 0x11 },
						       { 0x1300, 0x40 } };
	static const struct row want[] = {
		{ 0x1100, "assembly" },	    { 0x113f, "assembly" }, { 0x1140, NULL },
		{ 0x1208, "__restore_rt" }, { 0x1310, "t+0x1300" }, { 0x1350, NULL },
	};
	struct fixture f;
	unsigned int text, data;
	struct leat_eb *b = start(&text, &data);

	leat_eb_sym(b, "assembly", 0x1100, 0, N(GLOBAL), (uint16_t)text);
	leat_eb_sym(b, "__restore_rt", 0x1200, 0, F(LOCAL), (uint16_t)text);
	/* A label in the middle of a function is not its name. */
	leat_eb_sym(b, "middle", 0x1304, 0, N(LOCAL), (uint16_t)text);
	leat_eb_eh_frame(b, 0x4000, ranges, LEAT_ARRAY_SIZE(ranges));
	setup(&f, b);
	check_rows(&f, want, LEAT_ARRAY_SIZE(want));
	teardown(&f);
}

Test(symtab, dynamic_symbols_without_section_headers)
{
	static const struct row want[] = { { 0x1000, "exported" }, { 0x1100, NULL } };
	struct fixture f;
	unsigned int text, data;
	struct leat_eb *b = start(&text, &data);

	leat_eb_dynsym(b, "exported", 0x1000, 0x20, F(GLOBAL), (uint16_t)text);
	leat_eb_dynamic(b, 0x5000, LEAT_EB_HASH_GNU);
	leat_eb_no_sections(b);
	setup(&f, b);
	check_rows(&f, want, LEAT_ARRAY_SIZE(want));
	teardown(&f);
}

Test(symtab, symtab_before_dynsym)
{
	static const struct row want[] = { { 0x1000, "static_name" }, { 0x1100, "only_dynamic" } };
	struct fixture f;
	unsigned int text, data;
	struct leat_eb *b = start(&text, &data);

	leat_eb_sym(b, "static_name", 0x1000, 0x20, F(LOCAL), (uint16_t)text);
	leat_eb_dynsym(b, "dynamic_name", 0x1000, 0x20, F(GLOBAL), (uint16_t)text);
	leat_eb_dynsym(b, "only_dynamic", 0x1100, 0x20, F(GLOBAL), (uint16_t)text);
	leat_eb_dynamic(b, 0x5000, LEAT_EB_HASH_GNU);
	setup(&f, b);
	check_rows(&f, want, LEAT_ARRAY_SIZE(want));
	teardown(&f);
}

/* Cut at every length: an error or fewer names, nothing else. */
Test(symtab, truncated_anywhere)
{
	struct fixture f;
	unsigned int text, data;
	struct leat_eb *b = start(&text, &data);
	LEAT_FREE uint8_t *bytes = NULL;
	size_t n;

	add_all(b, false, text, data);
	bytes = leat_eb_done(b, &n);
	leat_eb_free(&b);
	leat_tmpdir_init(&f.dir);
	for (size_t cut = 0; cut < n; cut += cut < 0x200 || cut > n - 0x500 ? 3 : 97) {
		const char *path = leat_tmpdir_write(&f.dir, "t", bytes, cut);

		leat_sym_files_init(&f.files);
		leat_sym_files_add(&f.files, LEAT_FILE_BINARY, NULL, NULL, path);
		f.p = leat_sym_profile();
		f.object = leat_sym_object(f.p, LEAT_OBJECT_FILE, "/t");
		leat_sym_frame(f.p, f.object, 0x1000, 0);
		leat_sym_frame(f.p, f.object, 0x1040, LEAT_FRAME_RETURN);
		cr_assert(eq(int, leat_symbols_check_calls(f.p, &f.files.provider), 0));
		cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, NULL), 0));
		leat_profile_free(&f.p);
	}
	leat_tmpdir_fini(&f.dir);
}

Test(symtab, hostile_sizes_end)
{
	enum { SYMBOLS = 20000, FRAMES = 4000 };
	struct fixture f;
	uint64_t text_off;
	unsigned int text, data;
	struct leat_eb *b = start(&text, &data);

	for (unsigned int i = 0; i < SYMBOLS; i++)
		leat_eb_sym(b, "everywhere", 0, UINT64_MAX, F(LOCAL), (uint16_t)text);
	setup(&f, b);
	text_off = offset_of(&f, TEXT);
	for (unsigned int i = 0; i < FRAMES; i++)
		leat_sym_frame(f.p, f.object, text_off + i, 0);
	cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, NULL), 0));
	LEAT_EXPECT_NAME(f.p, 0, "everywhere");
	teardown(&f);
}

Test(symtab, every_allocation_may_fail)
{
	struct leat_symbols_opts opts = { .threads = 1 };
	unsigned int text, data;
	struct leat_eb *b = start(&text, &data);
	struct fixture f;
	int err = 0;

	add_all(b, false, text, data);
	leat_eb_sym(b, "_ZN3foo3barEv", 0x1a00, 0x10, F(GLOBAL), (uint16_t)text);
	setup(&f, b);
	LEAT_ALLOC_EACH_FAILS {
		struct leat_profile *p;
		uint32_t o;

		leat_alloc_disarm();
		p = leat_sym_profile();
		o = leat_sym_object(p, LEAT_OBJECT_FILE, "/t");
		leat_sym_frame(p, o, offset_of(&f, 0x1000), 0);
		leat_sym_frame(p, o, offset_of(&f, 0x1a01), LEAT_FRAME_RETURN);
		leat_alloc_arm(leat_nth_);
		err = leat_symbols_check_calls(p, &f.files.provider);
		if (!err)
			err = leat_symbols_resolve(p, &f.files.provider, &opts);
		leat_alloc_disarm();
		cr_assert(eq(int, err == 0 || err == -ENOMEM, 1));
		leat_profile_free(&p);
	}
	cr_assert(eq(int, err, 0));
	teardown(&f);
}

Test(spots, found_by_any_start)
{
	static const uint64_t values[] = { 1, 2, 100, 5000, 5001, 1ull << 40, UINT64_MAX - 1 };
	size_t n = LEAT_ARRAY_SIZE(values);
	uint64_t *addr = malloc(sizeof(values));
	struct leat_spots s;

	memcpy(addr, values, sizeof(values));
	cr_assert(eq(int, leat_spots_init(&s, addr, n), 0));
	for (size_t i = 0; i < n; i++) {
		cr_expect(eq(sz, leat_spots_from(&s, values[i]), i));
		cr_expect(eq(sz, leat_spots_from(&s, values[i] + 1),
			     i + 1 < n && values[i + 1] == values[i] + 1 ? i + 1 : i + 1));
		cr_expect(eq(sz, leat_spots_from(&s, i ? values[i - 1] + 1 : 0), i));
	}
	leat_spots_fini(&s);
}
