/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/elf_file.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "../support/alloc.h"
#include "../support/elf_builder.h"
#include "../support/tmpdir.h"

#define FUNC ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)

/* A file with all that the reader knows. */
static uint8_t *whole_file(size_t *n)
{
	static const struct leat_eb_range ranges[] = { { 0x1000, 16 }, { 0x1010, 32 } };
	static const char *const names[] = { "puts", "malloc" };
	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
	static const uint8_t code[64];
	unsigned int text;
	uint8_t *out;

	leat_eb_entry(b, 0x1000);
	text = leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x1000, code,
			       sizeof(code));
	leat_eb_section(b, ".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0x9000, NULL, 4096);
	leat_eb_sym(b, "main", 0x1000, 16, FUNC, (uint16_t)text);
	leat_eb_sym(b, "helper", 0x1010, 32, FUNC, (uint16_t)text);
	leat_eb_dynsym(b, "exported", 0x1010, 32, FUNC, (uint16_t)text);
	leat_eb_plt(b, 0x2000, 0x8000, names, LEAT_ARRAY_SIZE(names));
	leat_eb_dynamic(b, 0x3000, LEAT_EB_HASH_GNU);
	leat_eb_eh_frame(b, 0x4000, ranges, LEAT_ARRAY_SIZE(ranges));
	leat_eb_build_id(b, "\1\2\3\4\5\6\7\10", 8);
	leat_eb_debuglink(b, "x.debug", 0x12345678);
	out = leat_eb_done(b, n);
	leat_eb_free(&b);
	return out;
}

Test(elf_file, headers_are_read)
{
	size_t n;
	LEAT_FREE uint8_t *p = whole_file(&n);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	const struct leat_elf_section *s;

	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, false), 0));
	cr_assert(eq(int, leat_elf_machine(e), EM_X86_64));
	cr_assert(eq(int, leat_elf_type(e), ET_DYN));
	cr_assert(eq(u64, leat_elf_entry(e), 0x1000));
	cr_assert(eq(u32, leat_elf_phdr_at(e, 0)->type, PT_LOAD));
	cr_assert(eq(u64, leat_elf_phdr_at(e, 0)->vaddr, 0x1000));
	cr_assert(eq(u64, leat_elf_phdr_at(e, 0)->filesz, 64));
	s = leat_elf_section_find(e, ".bss");
	cr_assert(ne(ptr, (void *)s, NULL));
	cr_assert(eq(u64, s->size, 4096));
	cr_assert(eq(u32, s->type, SHT_NOBITS));
	cr_assert(eq(ptr, (void *)leat_elf_section_at(e, 2), (void *)s));
	cr_assert(eq(ptr, (void *)leat_elf_section_find(e, ".nothing"), NULL));
	cr_assert(eq(str, (char *)leat_elf_section_at(e, leat_elf_section_cnt(e) - 1)->name,
		     (char *)".shstrtab"));
}

Test(elf_file, opens_by_descriptor_and_keeps_its_own)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_elf_symtab t;
	size_t n;
	LEAT_FREE uint8_t *p = whole_file(&n);
	int fd;

	leat_tmpdir_init(&d);
	fd = open(leat_tmpdir_write(&d, "f", p, n), O_RDONLY | O_CLOEXEC);
	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	close(fd);
	cr_assert(eq(int, leat_elf_symtab(e, false, &t), 0));
	cr_assert(eq(sz, t.cnt, 3));
}

Test(elf_file, what_is_no_regular_file_is_refused)
{
	LEAT_CLOSE int dir = open("/", O_RDONLY | O_CLOEXEC);
	LEAT_CLOSE int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	LEAT_CLOSE int zero = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct leat_elf *e = NULL;

	cr_assert(eq(int, leat_elf_open(&e, dir), -EBADMSG));
	cr_assert(eq(int, leat_elf_open(&e, null), -EBADMSG));
	cr_assert(eq(int, leat_elf_open(&e, zero), -EBADMSG));
	cr_assert(eq(int, leat_elf_open(&e, -1), -EBADF));
	cr_assert(eq(ptr, e, NULL));
}

Test(elf_file, no_descriptor_left_is_told)
{
	LEAT_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct rlimit was, now;
	struct leat_elf *e = NULL;
	int err;

	cr_assert(eq(int, getrlimit(RLIMIT_NOFILE, &was), 0));
	now = was;
	now.rlim_cur = 3;
	cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &now), 0));
	err = leat_elf_open(&e, fd);
	cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &was), 0));
	cr_assert(err == -EMFILE || err == -EINVAL);
	cr_assert(eq(ptr, e, NULL));
}

Test(elf_file, over_the_largest_size_is_refused)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	struct leat_elf *e = NULL;
	LEAT_CLOSE int fd = -1;

	leat_tmpdir_init(&d);
	fd = open(leat_tmpdir_path(&d, "f"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (ftruncate(fd, (off_t)LEAT_ELF_FILE_MAX + 1) != 0)
		return; /* this file system has no files of that size */
	cr_assert(eq(int, leat_elf_open(&e, fd), -EOVERFLOW));
}

struct patch {
	size_t at;
	char byte;
	int err;
};

ParameterizedTestParameters(elf_file, patched_header)
{
	static struct patch rows[] = {
		{ 0, 0, -EBADMSG },
		{ EI_CLASS, ELFCLASS32, -ENOTSUP },
		{ EI_DATA, ELFDATA2MSB, -ENOTSUP },
		{ EI_VERSION, 2, -EBADMSG },
		{ offsetof(Elf64_Ehdr, e_phentsize), 32, -EBADMSG },
		{ offsetof(Elf64_Ehdr, e_phoff) + 3, 1, -EBADMSG },
		{ offsetof(Elf64_Ehdr, e_phoff) + 7, (char)0xff, -EBADMSG },
		/* Without sections the rest is still there. */
		{ offsetof(Elf64_Ehdr, e_shentsize), 40, 0 },
		{ offsetof(Elf64_Ehdr, e_shoff) + 7, (char)0xff, 0 },
		{ offsetof(Elf64_Ehdr, e_shnum) + 1, (char)0x7f, 0 },
	};

	return cr_make_param_array(struct patch, rows, LEAT_ARRAY_SIZE(rows));
}

ParameterizedTest(struct patch *row, elf_file, patched_header)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	size_t n;
	LEAT_FREE uint8_t *p = whole_file(&n);

	p[row->at] = (uint8_t)row->byte;
	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, false), row->err));
	if (!row->err) {
		cr_assert(eq(sz, leat_elf_section_cnt(e), 0));
		cr_assert(gt(sz, leat_elf_phdr_cnt(e), 0));
	}
}

Test(elf_file, program_headers_counted_elsewhere_overflow)
{
	struct leat_elf *e = NULL;
	size_t n;
	LEAT_FREE uint8_t *p = whole_file(&n);

	memset(p + offsetof(Elf64_Ehdr, e_phnum), 0xff, 2);
	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, false), -EOVERFLOW));
}

/* e_shnum 0 and e_shstrndx SHN_XINDEX: both numbers are in section 0. */
Test(elf_file, extended_section_numbering)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	size_t n;
	LEAT_FREE uint8_t *p = whole_file(&n);
	Elf64_Ehdr h;
	Elf64_Shdr zero;

	memcpy(&h, p, sizeof(h));
	memcpy(&zero, p + h.e_shoff, sizeof(zero));
	zero.sh_size = h.e_shnum;
	zero.sh_link = h.e_shstrndx;
	h.e_shnum = 0;
	h.e_shstrndx = SHN_XINDEX;
	memcpy(p, &h, sizeof(h));
	memcpy(p + h.e_shoff, &zero, sizeof(zero));
	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, false), 0));
	cr_assert(eq(u64, leat_elf_section_cnt(e), zero.sh_size));
	cr_assert(ne(ptr, (void *)leat_elf_section_find(e, ".text"), NULL));
	leat_elf_free(&e);

	zero.sh_size = LEAT_ELF_SECTION_MAX + 1;
	memcpy(p + h.e_shoff, &zero, sizeof(zero));
	cr_assert(eq(int, leat_elf_open_mem(&e, p, n, false), 0));
	cr_assert(eq(sz, leat_elf_section_cnt(e), 0));
}

static void use_all(struct leat_elf *e)
{
	struct leat_elf_plt *plt = NULL;
	struct leat_build_id id;
	struct leat_elf_symtab t;
	struct leat_elf_sym sym;
	const uint8_t *data;
	const char *name;
	uint64_t a, b;
	uint32_t crc;
	size_t n;

	for (size_t i = 0; i < leat_elf_section_cnt(e); i++) {
		if (!leat_elf_section_data(e, leat_elf_section_at(e, i), &data, &n) && n)
			cr_assert(ge(int, data[0] + data[n - 1], 0));
	}
	for (int dynamic = 0; dynamic < 2; dynamic++) {
		if (leat_elf_symtab(e, dynamic, &t))
			continue;
		for (size_t i = 0; i < t.cnt; i++) {
			leat_elf_sym_at(&t, i, &sym);
			cr_assert(lt(sz, strlen(sym.name), 100));
		}
	}
	if (!leat_elf_build_id(e, &id))
		cr_assert(le(u8, id.len, LEAT_ELF_BUILD_ID_MAX));
	if (!leat_elf_debuglink(e, &name, &crc))
		cr_assert(gt(sz, strlen(name), 0));
	if (!leat_elf_fde_find(e, 0x1012, &a, &b))
		cr_assert(lt(u64, a, b));
	if (!leat_elf_plt(e, &plt, &n) && n)
		cr_assert(gt(sz, strlen(plt[n - 1].name), 0));
	free(plt);
}

Test(elf_file, truncation_at_every_length)
{
	size_t n;
	LEAT_FREE uint8_t *p = whole_file(&n);

	for (size_t len = 0; len <= n; len++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		/* A block of its own, so that a sanitizer sees a read past the end. */
		uint8_t *cut = malloc(len ? len : 1);

		memcpy(cut, p, len);
		if (!leat_elf_open_mem(&e, cut, len, true))
			use_all(e);
	}
}

/* Each byte of a valid file set to 0xff, then to 0. */
Test(elf_file, every_byte_damaged)
{
	size_t n;
	LEAT_FREE uint8_t *p = whole_file(&n);

	for (size_t at = 0; at < 2 * n; at++) {
		LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
		uint8_t was = p[at / 2];

		p[at / 2] = at & 1 ? 0 : 0xff;
		if (!leat_elf_open_mem(&e, p, n, false))
			use_all(e);
		p[at / 2] = was;
	}
}

Test(elf_file, every_allocation_failure_is_survived)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_CLOSE int fd = -1;
	size_t n;
	LEAT_FREE uint8_t *p = whole_file(&n);

	leat_tmpdir_init(&d);
	fd = open(leat_tmpdir_write(&d, "f", p, n), O_RDONLY | O_CLOEXEC);
	LEAT_ALLOC_EACH_FAILS {
		struct leat_elf *e = NULL;
		int err = leat_elf_open(&e, fd);

		if (!err)
			use_all(e);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		leat_elf_free(&e);
	}
}

Test(elf_file, memory_given_away_is_freed_on_failure)
{
	struct leat_elf *e = NULL;

	cr_assert(eq(int, leat_elf_open_mem(&e, calloc(1, 64), 64, true), -EBADMSG));
	leat_alloc_arm(2);
	cr_assert(eq(int, leat_elf_open_mem(&e, calloc(1, 64), 64, true), -ENOMEM));
	leat_alloc_disarm();
	leat_elf_free(&e);
}
