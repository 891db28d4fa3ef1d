/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../support/elf_builder.h"
#include "base/buf.h"
#include "elf/elf_file.h"

#define HDR   0x4000ull
#define FRAME 0x5000ull

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

Test(elf_eh, finds_the_function_that_covers_an_address)
{
	static const struct leat_eb_range ranges[] = {
		{ 0x1000, 16 }, { 0x1010, 32 }, { 0x1100, 1 }, { 0x2000, 0x1000 }
	};
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;

	leat_eb_no_sections(b);
	leat_eb_eh_frame(b, HDR, ranges, LEAT_ARRAY_SIZE(ranges));
	e = finish(b);
	for (uint64_t pc = 0xff0; pc < 0x3010; pc++) {
		uint64_t start = 7, end = 7;
		int err = leat_elf_fde_find(e, pc, &start, &end);
		bool covered = false;

		for (size_t i = 0; i < LEAT_ARRAY_SIZE(ranges); i++) {
			if (pc < ranges[i].start || pc - ranges[i].start >= ranges[i].size)
				continue;
			covered = true;
			cr_assert(eq(u64, start, ranges[i].start));
			cr_assert(eq(u64, end, ranges[i].start + ranges[i].size));
		}
		cr_assert(eq(int, err, covered ? 0 : -ENOENT));
		cr_assert(covered || (start == 7 && end == 7));
	}
}

Test(elf_eh, without_a_table_there_is_no_data)
{
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	uint64_t start, end;

	leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC, 0x1000, "abc", 3);
	e = finish(b);
	cr_assert(eq(int, leat_elf_fde_find(e, 0x1000, &start, &end), -ENODATA));
}

/* A hand-made table of one row, and what its FDE and CIE look like. */
struct made {
	char name[32];
	char hdr[4]; /* version and encodings */
	char cie[40];
	size_t cie_len;
	char fde[16]; /* start and size */
	size_t fde_len;
	int err;
};

#define CIE(...) { __VA_ARGS__ }, sizeof((char[]){ __VA_ARGS__ })
#define STD_HDR                                                                                    \
	{                                                                                          \
		1, 0x1b, 3, 0x3b                                                                   \
	}
/* FDE addresses as 8 bytes: start 0x1000, size 0x20. */
#define ABS8 { 0, 0x10, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0 }, 16

ParameterizedTestParameters(elf_eh, encodings)
{
	static struct made rows[] = {
		{ "absolute", STD_HDR, CIE(1, 0, 1, 0x78, 16), ABS8, 0 },
		{ "version 3", STD_HDR, CIE(3, 'z', 'R', 0, 1, 0x78, 16, 1, 4), ABS8, 0 },
		{ "udata4",
		  STD_HDR,
		  CIE(1, 'z', 'R', 0, 1, 0x78, 16, 1, 3),
		  { 0, 0x10, 0, 0, 0x20, 0, 0, 0 },
		  8,
		  0 },
		{ "udata2",
		  STD_HDR,
		  CIE(1, 'z', 'R', 0, 1, 0x78, 16, 1, 2),
		  { 0, 0x10, 0x20, 0 },
		  4,
		  0 },
		{ "sdata2",
		  STD_HDR,
		  CIE(1, 'z', 'R', 0, 1, 0x78, 16, 1, 10),
		  { 0, 0x10, 0x20, 0 },
		  4,
		  0 },
		{ "uleb128",
		  STD_HDR,
		  CIE(1, 'z', 'R', 0, 1, 0x78, 16, 1, 1),
		  { (char)0x80, 0x20, 0x20 },
		  3,
		  0 },
		{ "sleb128",
		  STD_HDR,
		  CIE(1, 'z', 'R', 0, 1, 0x78, 16, 1, 9),
		  { (char)0x80, 0x20, 0x20 },
		  3,
		  0 },
		{ "sdata8", STD_HDR, CIE(1, 'z', 'R', 0, 1, 0x78, 16, 1, 12), ABS8, 0 },
		{ "personality and LSDA before", STD_HDR,
		  CIE(1, 'z', 'P', 'L', 'R', 0, 1, 0x78, 16, 7, 3, 9, 9, 9, 9, 0x1b, 4), ABS8, 0 },
		{ "signal frame", STD_HDR, CIE(1, 'z', 'S', 'B', 'R', 0, 1, 0x78, 16, 1, 4), ABS8,
		  0 },
		{ "indirect", STD_HDR, CIE(1, 'z', 'R', 0, 1, 0x78, 16, 1, (char)0x9b), ABS8,
		  -ENOTSUP },
		{ "text relative", STD_HDR, CIE(1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x2b), ABS8,
		  -ENOTSUP },
		{ "unknown letter", STD_HDR, CIE(1, 'z', 'Q', 'R', 0, 1, 0x78, 16, 1, 4), ABS8,
		  -ENOTSUP },
		{ "old eh", STD_HDR, CIE(1, 'e', 'h', 0, 1, 0x78, 16), ABS8, -ENOTSUP },
		{ "version 9", STD_HDR, CIE(9, 0, 1, 0x78, 16), ABS8, -ENOTSUP },
		{ "format 7", STD_HDR, CIE(1, 'z', 'R', 0, 1, 0x78, 16, 1, 7), ABS8, -EBADMSG },
		{ "no end of augmentation", STD_HDR, CIE(1, 'z', 'R'), ABS8, -EBADMSG },
		{ "empty CIE", STD_HDR, { 0 }, 0, ABS8, -EBADMSG },
		{ "cut FDE", STD_HDR, CIE(1, 0, 1, 0x78, 16), { 0, 0x10 }, 2, -EBADMSG },
		{ "wraps",
		  STD_HDR,
		  CIE(1, 0, 1, 0x78, 16),
		  { 0, 0x10, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1 },
		  16,
		  -EBADMSG },
		{ "version of the table",
		  { 2, 0x1b, 3, 0x3b },
		  CIE(1, 0, 1, 0x78, 16),
		  ABS8,
		  -ENODATA },
		{ "other table", { 1, 0x1b, 3, 0x3c }, CIE(1, 0, 1, 0x78, 16), ABS8, -ENODATA },
		{ "no count", { 1, 0x1b, -1, 0x3b }, CIE(1, 0, 1, 0x78, 16), ABS8, -ENODATA },
		{ "odd pointer", { 1, 0x17, 3, 0x3b }, CIE(1, 0, 1, 0x78, 16), ABS8, -EBADMSG },
	};

	return cr_make_param_array(struct made, rows, LEAT_ARRAY_SIZE(rows));
}

static void put_u32(struct leat_buf *b, uint64_t v)
{
	leat_buf_add(b, &(uint32_t){ (uint32_t)v }, 4);
}

static struct leat_elf *build(const struct made *m)
{
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	struct leat_buf hdr, eh;
	unsigned int s;

	leat_buf_init(&hdr, 1000);
	leat_buf_init(&eh, 1000);
	put_u32(&eh, 4 + m->cie_len);
	put_u32(&eh, 0);
	leat_buf_add(&eh, m->cie, m->cie_len);
	leat_buf_add(&hdr, m->hdr, 4);
	put_u32(&hdr, FRAME - HDR - 4);
	put_u32(&hdr, 1);
	put_u32(&hdr, 0x1000 - HDR);
	put_u32(&hdr, FRAME + eh.len - HDR);
	put_u32(&eh, 4 + m->fde_len);
	put_u32(&eh, eh.len);
	leat_buf_add(&eh, m->fde, m->fde_len);
	s = leat_eb_section(b, ".eh_frame_hdr", SHT_PROGBITS, SHF_ALLOC, HDR, hdr.data, hdr.len);
	leat_eb_phdr(b, PT_GNU_EH_FRAME, PF_R, s);
	leat_eb_section(b, ".eh_frame", SHT_PROGBITS, SHF_ALLOC, FRAME, eh.data, eh.len);
	leat_buf_fini(&hdr);
	leat_buf_fini(&eh);
	return finish(b);
}

ParameterizedTest(struct made *row, elf_eh, encodings)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = build(row);
	uint64_t start = 0, end = 0;

	cr_assert(eq(int, leat_elf_fde_find(e, 0x1005, &start, &end), row->err), "%s", row->name);
	if (row->err)
		return;
	cr_assert(eq(u64, start, 0x1000), "%s", row->name);
	cr_assert(eq(u64, end, 0x1020), "%s", row->name);
}

/* Every length of a CIE and of an FDE that is too short for what is wanted of them. */
Test(elf_eh, entries_cut_at_every_length)
{
	struct made whole = { "", STD_HDR,
			      CIE(3, 'z', 'P', 'L', 'R', 0, 1, 0x78, 16, 7, 3, 9, 9, 9, 9, 0x1b, 4),
			      ABS8, 0 };

	for (size_t n = 0; n < whole.cie_len + whole.fde_len; n++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		struct made m = whole;
		uint64_t start, end;

		if (n < whole.cie_len)
			m.cie_len = n;
		else
			m.fde_len = n - whole.cie_len;
		e = build(&m);
		cr_assert(eq(int, leat_elf_fde_find(e, 0x1005, &start, &end), -EBADMSG));
	}
}

/* Each byte of the table, the CIE and the FDE damaged, and the file cut at each length. */
Test(elf_eh, damage_is_an_error_or_another_function)
{
	static const struct leat_eb_range ranges[] = { { 0x1000, 16 }, { 0x1010, 32 } };
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	LEAT_FREE uint8_t *p = NULL;
	size_t n;

	leat_eb_no_sections(b);
	leat_eb_eh_frame(b, HDR, ranges, LEAT_ARRAY_SIZE(ranges));
	p = leat_eb_done(b, &n);
	leat_eb_free(&b);
	for (size_t i = 64; i < n * 3; i++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		static const uint8_t bytes[] = { 0, 0xff };
		uint64_t start, end;
		uint8_t *copy = malloc(n);
		size_t len = i < n ? i : n;

		memcpy(copy, p, n);
		if (i >= n)
			copy[(i - n) / 2] = bytes[i & 1];
		if (leat_elf_open_mem(&e, copy, len, true))
			continue;
		if (!leat_elf_fde_find(e, 0x1015, &start, &end))
			cr_assert(start <= 0x1015 && end > 0x1015);
	}
}

/* This very program: the function of an address, as the compiler described it. */
Test(elf_eh, own_functions_are_found)
{
	LEAT_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_elf_symtab t;
	struct leat_elf_sym s;
	uint64_t start, end;
	size_t found = 0;

	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	cr_assert(eq(int, leat_elf_symtab(e, false, &t), 0));
	for (size_t i = 0; i < t.cnt; i++) {
		leat_elf_sym_at(&t, i, &s);
		if (s.type != STT_FUNC || strncmp(s.name, "leat_elf_", 9) != 0 || s.size < 2)
			continue;
		cr_assert(eq(int, leat_elf_fde_find(e, s.value + s.size - 1, &start, &end), 0));
		cr_assert(eq(u64, start, s.value));
		cr_assert(eq(u64, end, s.value + s.size));
		found++;
	}
	cr_assert(gt(sz, found, 10));
}
