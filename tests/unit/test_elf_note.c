/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/elf_builder.h"
#include "../support/tmpdir.h"
#include "base/buf.h"
#include "elf/elf_file.h"

static const uint8_t id20[20] = { 0xaa, 1,  2,	3,  4,	5,  6,	7,  8,	9,
				  10,	11, 12, 13, 14, 15, 16, 17, 18, 0xbb };

static void put_note(struct leat_buf *b, const char *name, uint32_t name_len, uint32_t type,
		     const void *desc, uint32_t n, size_t align)
{
	uint32_t h[] = { name_len, n, type };

	leat_buf_add(b, h, sizeof(h));
	leat_buf_add(b, name, name_len);
	while (b->len % align)
		leat_buf_char(b, '\0');
	leat_buf_add(b, desc, n);
	while (b->len % align)
		leat_buf_char(b, '\0');
}

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

Test(elf_note, id_stands_behind_other_notes)
{
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;
	struct leat_build_id id;

	leat_buf_init(&b, 1000);
	put_note(&b, "Linux", 6, 0x100, "abc", 3, 4);
	put_note(&b, "GNU", 4, NT_GNU_ABI_TAG, "0123456789abcdef", 16, 4);
	put_note(&b, "GN", 3, NT_GNU_BUILD_ID, "wrong owner", 11, 4);
	put_note(&b, "", 0, 77, "", 0, 4);
	put_note(&b, "GNU", 4, NT_GNU_BUILD_ID, id20, 20, 4);
	cr_assert(eq(int, leat_elf_notes_build_id(b.data, b.len, &id), 0));
	cr_assert(eq(u8, id.len, 20));
	cr_assert(memcmp(id.bytes, id20, 20) == 0);
	for (size_t n = 0; n < b.len; n++) {
		LEAT_FREE char *cut = malloc(n + 1);

		memcpy(cut, b.data, n);
		cr_assert(eq(int, leat_elf_notes_build_id(cut, n, &id), -ENOENT));
	}
}

Test(elf_note, only_lengths_that_fit_are_ids)
{
	for (uint32_t n = 0; n <= 32; n++) {
		LEAT_AUTO(leat_buf_fini) struct leat_buf b;
		struct leat_build_id id = { 0 };
		bool fits = n >= 1 && n <= LEAT_ELF_BUILD_ID_MAX;
		uint8_t bytes[32] = { 1, 2 };

		leat_buf_init(&b, 1000);
		put_note(&b, "GNU", 4, NT_GNU_BUILD_ID, bytes, n, 4);
		cr_assert(eq(int, leat_elf_notes_build_id(b.data, b.len, &id), fits ? 0 : -ENOENT));
		cr_assert(eq(u8, id.len, fits ? n : 0));
	}
}

Test(elf_note, huge_sizes_are_no_notes)
{
	struct leat_build_id id;
	uint32_t h[] = { UINT32_MAX, UINT32_MAX, NT_GNU_BUILD_ID, 0 };

	cr_assert(eq(int, leat_elf_notes_build_id(h, sizeof(h), &id), -ENOENT));
	h[0] = 4;
	cr_assert(eq(int, leat_elf_notes_build_id(h, sizeof(h), &id), -ENOENT));
}

/* GNU properties are padded to 8; the id may share their segment. */
Test(elf_note, segment_aligned_to_eight)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_AUTO(leat_buf_fini) struct leat_buf b;
	struct leat_eb *eb = leat_eb_new(ET_DYN, EM_X86_64);
	struct leat_build_id id;
	unsigned int s;

	leat_buf_init(&b, 1000);
	put_note(&b, "GNU", 4, NT_GNU_PROPERTY_TYPE_0, "0123456789ab", 12, 8);
	put_note(&b, "GNU", 4, NT_GNU_BUILD_ID, id20, 20, 8);
	s = leat_eb_section(eb, ".note", SHT_NOTE, 0, 0, b.data, b.len);
	leat_eb_align(eb, s, 8);
	leat_eb_phdr(eb, PT_NOTE, PF_R, s);
	e = finish(eb);
	cr_assert(eq(int, leat_elf_build_id(e, &id), 0));
	cr_assert(memcmp(id.bytes, id20, 20) == 0);
}

Test(elf_note, id_from_segment_or_section)
{
	for (int i = 0; i < 4; i++) {
		struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		struct leat_build_id id;
		struct leat_buf note;

		leat_buf_init(&note, 100);
		put_note(&note, "GNU", 4, NT_GNU_BUILD_ID, id20, 20, 4);
		if (i == 1)
			leat_eb_section(b, ".note", SHT_NOTE, 0, 0, note.data, note.len);
		else if (i)
			leat_eb_build_id(b, id20, 20);
		if (i == 3)
			leat_eb_no_sections(b);
		e = finish(b);
		cr_assert(eq(int, leat_elf_build_id(e, &id), i ? 0 : -ENOENT));
		leat_buf_fini(&note);
	}
}

Test(elf_note, debuglink_is_name_and_crc)
{
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	const char *name;
	uint32_t crc;

	leat_eb_debuglink(b, "libfoo.so.debug", 0xcafef00d);
	e = finish(b);
	cr_assert(eq(int, leat_elf_debuglink(e, &name, &crc), 0));
	cr_assert(eq(str, (char *)name, (char *)"libfoo.so.debug"));
	cr_assert(eq(u32, crc, 0xcafef00d));
}

Test(elf_note, debuglink_malformed_or_missing)
{
	static const struct {
		const char *data;
		size_t n;
		int err;
	} rows[] = {
		{ NULL, 0, -ENOENT },		{ "", 0, -EBADMSG },
		{ "abcd", 4, -EBADMSG },	{ "abc", 4, -EBADMSG },
		{ "abc\0\1\2\3", 7, -EBADMSG }, { "\0\0\0\0\1\2\3\4", 8, -EBADMSG },
		{ "abc\0\1\2\3\4", 8, 0 },	{ "a\0\0\0\1\2\3\4", 8, 0 },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		const char *name;
		uint32_t crc;

		if (rows[i].data)
			leat_eb_section(b, ".gnu_debuglink", SHT_PROGBITS, 0, 0, rows[i].data,
					rows[i].n);
		e = finish(b);
		cr_assert(eq(int, leat_elf_debuglink(e, &name, &crc), rows[i].err));
	}
}

Test(elf_note, crc_is_crc32)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	static char large[200000];
	LEAT_CLOSE int fd = -1;
	uint32_t crc = 0;

	/* The check value of CRC-32/ISO-HDLC. */
	cr_assert(eq(u32, leat_elf_debuglink_crc("123456789", 9), 0xcbf43926));
	cr_assert(eq(u32, leat_elf_debuglink_crc("", 0), 0));
	leat_tmpdir_init(&d);
	memset(large, 'x', sizeof(large));
	fd = open(leat_tmpdir_write(&d, "f", large, sizeof(large)), O_RDONLY | O_CLOEXEC);
	cr_assert(eq(int, leat_elf_debuglink_crc_fd(fd, &crc), 0));
	cr_assert(eq(u32, crc, leat_elf_debuglink_crc(large, sizeof(large))));
	cr_assert(eq(int, leat_elf_debuglink_crc_fd(-1, &crc), -EBADF));
	leat_alloc_arm(1);
	cr_assert(eq(int, leat_elf_debuglink_crc_fd(fd, &crc), -ENOMEM));
	leat_alloc_disarm();
}
