/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/elf_file.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../support/elf_builder.h"
#include "../support/tmpdir.h"

#define TEXT_BYTES 100000
#define TEXT_VADDR 0x401000
#define DATA_VADDR 0x600800

static uint8_t text_byte(size_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

static uint8_t *make(size_t *n)
{
	struct leat_eb *b = leat_eb_new(ET_EXEC, EM_X86_64);
	static uint8_t code[TEXT_BYTES];
	uint8_t *out;

	for (size_t i = 0; i < TEXT_BYTES; i++)
		code[i] = text_byte(i);
	leat_eb_section(b, ".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, DATA_VADDR, "data", 4);
	leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, TEXT_VADDR, code,
			TEXT_BYTES);
	leat_eb_section(b, ".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0x700000, NULL, 64);
	out = leat_eb_done(b, n);
	leat_eb_free(&b);
	return out;
}

static int file_of(const struct leat_tmpdir *d)
{
	size_t n;
	LEAT_FREE uint8_t *p = make(&n);

	return open(leat_tmpdir_write(d, "f", p, n), O_RDWR | O_CLOEXEC);
}

Test(elf_read, offsets_and_addresses_convert_both_ways)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	size_t n;
	LEAT_FREE uint8_t *p = make(&n);
	uint64_t text, off, vaddr;

	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, false), 0));
	text = leat_elf_section_find(e, ".text")->offset;
	cr_assert(eq(int, leat_elf_vaddr_to_offset(e, TEXT_VADDR + 5, &off), 0));
	cr_assert(eq(u64, off, text + 5));
	cr_assert(eq(int, leat_elf_offset_to_vaddr(e, text + TEXT_BYTES - 1, &vaddr), 0));
	cr_assert(eq(u64, vaddr, TEXT_VADDR + TEXT_BYTES - 1));
	cr_assert(eq(int, leat_elf_offset_to_vaddr(e, text + TEXT_BYTES, &vaddr), -ENOENT));
	cr_assert(eq(int, leat_elf_offset_to_vaddr(e, 0, &vaddr), -ENOENT));
	cr_assert(eq(int, leat_elf_vaddr_to_offset(e, TEXT_VADDR - 1, &off), -ENOENT));
	cr_assert(eq(int, leat_elf_vaddr_to_offset(e, 0x700000, &off), -ENOENT));
	cr_assert(eq(int, leat_elf_vaddr_to_offset(e, UINT64_MAX, &off), -ENOENT));
}

/* Where two segments claim a file offset, code is what is asked for. */
Test(elf_read, executable_segment_wins)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_eb *b = leat_eb_new(ET_EXEC, EM_X86_64);
	unsigned int text;
	uint64_t vaddr;
	uint8_t *p;
	Elf64_Phdr h;
	size_t n;

	text = leat_eb_section(b, ".x", SHT_PROGBITS, SHF_ALLOC, 0x1000, "abcd", 4);
	leat_eb_phdr(b, PT_LOAD, PF_R | PF_X, text);
	p = leat_eb_done(b, &n);
	leat_eb_free(&b);
	memcpy(&h, p + 64 + 56, sizeof(h));
	h.p_vaddr = 0x5000;
	memcpy(p + 64 + 56, &h, sizeof(h));
	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, true), 0));
	cr_assert(eq(int, leat_elf_offset_to_vaddr(e, h.p_offset + 1, &vaddr), 0));
	cr_assert(eq(u64, vaddr, 0x5001));
}

/* Reads of all sizes at places around the edges of the windows give the file's bytes. */
static void check_reads(struct leat_elf *e)
{
	static const size_t sizes[] = { 1, 8, 255, 256, 257, 5000, 40000 };
	static uint8_t copy[40000];
	const uint8_t *data;

	for (size_t at = 0; at < TEXT_BYTES; at += 61) {
		size_t n = sizes[at % LEAT_ARRAY_SIZE(sizes)];
		int want = at + n <= TEXT_BYTES ? 0 : -ENOENT;

		cr_assert(eq(int, leat_elf_at_vaddr(e, TEXT_VADDR + at, n, &data), want));
		cr_assert(eq(int, leat_elf_copy_vaddr(e, TEXT_VADDR + at, copy, n), want));
		if (want)
			continue;
		for (size_t i = 0; i<n; i += n> 300 ? 97 : 1) {
			cr_assert(eq(u8, data[i], text_byte(at + i)));
			cr_assert(eq(u8, copy[i], text_byte(at + i)));
		}
	}
}

Test(elf_read, reads_are_the_bytes_of_the_file)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_CLOSE int fd = -1;

	leat_tmpdir_init(&d);
	fd = file_of(&d);
	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	check_reads(e);
}

Test(elf_read, reads_are_the_bytes_of_the_memory)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	size_t n;
	uint8_t *p = make(&n);

	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, true), 0));
	check_reads(e);
}

Test(elf_read, what_was_read_stays)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	const uint8_t *first, *again, *large;
	LEAT_CLOSE int fd = -1;

	leat_tmpdir_init(&d);
	fd = file_of(&d);
	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	cr_assert(eq(int, leat_elf_at_vaddr(e, TEXT_VADDR + 100, 8, &first), 0));
	for (size_t at = 0; at < TEXT_BYTES - 8; at += 1000)
		cr_assert(eq(int, leat_elf_at_vaddr(e, TEXT_VADDR + at, 8, &again), 0));
	cr_assert(eq(int, leat_elf_at_vaddr(e, TEXT_VADDR + 100, 8, &again), 0));
	cr_assert(eq(ptr, (void *)first, (void *)again));
	cr_assert(eq(int, leat_elf_at_vaddr(e, TEXT_VADDR, 50000, &large), 0));
	cr_assert(eq(int, leat_elf_at_vaddr(e, TEXT_VADDR + 1000, 20000, &again), 0));
	cr_assert(eq(ptr, (void *)again, (void *)(large + 1000)));
}

Test(elf_read, room_ends_with_the_segment)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	const uint8_t *data;
	uint64_t room;
	size_t n;
	uint8_t *p = make(&n);

	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, true), 0));
	cr_assert(eq(int, leat_elf_room_at_vaddr(e, DATA_VADDR + 1, &room), 0));
	cr_assert(eq(u64, room, 3));
	cr_assert(eq(int, leat_elf_room_at_vaddr(e, DATA_VADDR + 4, &room), -ENOENT));
	cr_assert(eq(int, leat_elf_at_vaddr(e, DATA_VADDR, 4, &data), 0));
	cr_assert(eq(int, leat_elf_at_vaddr(e, DATA_VADDR, 5, &data), -ENOENT));
	cr_assert(eq(int, leat_elf_at_vaddr(e, DATA_VADDR + 4, 0, &data), -ENOENT));
	cr_assert(eq(int, leat_elf_at_vaddr(e, DATA_VADDR, 0, &data), 0));
}

/* No SIGBUS, no bytes that are not there. */
Test(elf_read, file_that_shrinks_is_no_data)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	const struct leat_elf_section *s;
	const uint8_t *data;
	LEAT_CLOSE int fd = -1;
	uint8_t copy[8];
	size_t n;

	leat_tmpdir_init(&d);
	fd = file_of(&d);
	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	cr_assert(eq(int, ftruncate(fd, 4096), 0));
	s = leat_elf_section_find(e, ".text");
	cr_assert(eq(int, leat_elf_section_data(e, s, &data, &n), -ENODATA));
	cr_assert(eq(int, leat_elf_at_vaddr(e, TEXT_VADDR + 9000, 8, &data), -ENODATA));
	cr_assert(eq(int, leat_elf_at_vaddr(e, TEXT_VADDR, 9000, &data), -ENODATA));
	cr_assert(eq(int, leat_elf_copy_vaddr(e, TEXT_VADDR + 9000, copy, 8), -ENODATA));
}

/* A sparse file may claim a section larger than what is ever held. */
Test(elf_read, memory_is_bounded)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	const struct leat_elf_section *s;
	const uint8_t *data;
	LEAT_CLOSE int fd = -1;
	Elf64_Ehdr h;
	Elf64_Shdr sh;
	size_t n;

	leat_tmpdir_init(&d);
	fd = file_of(&d);
	cr_assert(eq(sz, (size_t)pread(fd, &h, sizeof(h), 0), sizeof(h)));
	cr_assert(eq(sz, (size_t)pread(fd, &sh, sizeof(sh), (off_t)h.e_shoff + 64), sizeof(sh)));
	sh.sh_size = LEAT_ELF_HELD_MAX + 1;
	cr_assert(eq(sz, (size_t)pwrite(fd, &sh, sizeof(sh), (off_t)h.e_shoff + 64), sizeof(sh)));
	if (ftruncate(fd, (off_t)LEAT_ELF_HELD_MAX * 2) != 0)
		return; /* this file system has no files of that size */
	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	s = leat_elf_section_at(e, 1);
	cr_assert(eq(int, leat_elf_section_data(e, s, &data, &n), -EOVERFLOW));
}
