/* SPDX-License-Identifier: BSD-2-Clause */
/* An ELF file: everything that can be asked of it, from memory and from a descriptor. */
#include <assert.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elf/elf_file.h"

#define UNPACKED_MAX ((uint64_t)4 << 20) /* so that a bomb, which is legal, does not eat the time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

static bool is_bomb(const struct leat_elf_section *s, const uint8_t *file, size_t size)
{
	Elf64_Chdr h;

	if (!(s->flags & SHF_COMPRESSED) || s->offset > size || sizeof(h) > size - s->offset)
		return false;
	memcpy(&h, file + s->offset, sizeof(h));
	return h.ch_size > UNPACKED_MAX;
}

static void use_sections(struct leat_elf *e, const uint8_t *file, size_t size)
{
	const uint8_t *data;
	size_t n;

	for (size_t i = 0; i < leat_elf_section_cnt(e) && i < 64; i++) {
		const struct leat_elf_section *s = leat_elf_section_at(e, i);

		if (is_bomb(s, file, size) || leat_elf_section_data(e, s, &data, &n))
			continue;
		sink += n ? data[0] + data[n - 1] : 0;
		sink += strlen(s->name);
	}
}

static uint64_t use_symbols(struct leat_elf *e, bool dynamic)
{
	struct leat_elf_symtab t;
	struct leat_elf_sym s;
	uint64_t start, end;

	if (leat_elf_symtab(e, dynamic, &t))
		return 0;
	for (size_t i = 0; i < t.cnt; i++) {
		leat_elf_sym_at(&t, i, &s);
		sink += strlen(s.name);
		if (!leat_elf_fde_find(e, s.value, &start, &end))
			assert(start <= s.value && s.value < end);
	}
	return t.cnt;
}

static void use_addresses(struct leat_elf *e)
{
	const uint8_t *data;
	uint64_t off, vaddr, start, end;

	for (size_t i = 0; i < leat_elf_phdr_cnt(e) && i < 64; i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(e, i);

		if (!leat_elf_offset_to_vaddr(e, p->offset, &vaddr) &&
		    !leat_elf_vaddr_to_offset(e, vaddr, &off))
			sink += off;
		if (!leat_elf_at_vaddr(e, p->vaddr, 16, &data))
			sink += data[15];
		for (uint64_t at = 0; at < 64; at += 8)
			sink += !leat_elf_fde_find(e, p->vaddr + at, &start, &end);
	}
}

static void use_identity(struct leat_elf *e)
{
	struct leat_elf *mini = NULL;
	struct leat_build_id id;
	const char *name;
	uint32_t crc;

	if (!leat_elf_build_id(e, &id))
		assert(id.len && id.len <= LEAT_ELF_BUILD_ID_MAX);
	if (!leat_elf_debuglink(e, &name, &crc))
		sink += strlen(name) + crc;
	if (!leat_elf_debugdata(e, &mini))
		sink += use_symbols(mini, false);
	leat_elf_free(&mini);
}

static void use_plt(struct leat_elf *e)
{
	struct leat_elf_plt *plt;
	size_t cnt;

	if (leat_elf_plt(e, &plt, &cnt))
		return;
	for (size_t i = 0; i < cnt; i++) {
		assert(i == 0 || plt[i - 1].vaddr <= plt[i].vaddr);
		sink += strlen(plt[i].name);
	}
	free(plt);
}

static uint64_t use(struct leat_elf *e, const uint8_t *file, size_t size)
{
	uint64_t syms;

	use_addresses(e);
	use_identity(e);
	use_plt(e);
	syms = use_symbols(e, true) + use_symbols(e, false);
	use_sections(e, file, size);
	return syms;
}

/* What leat_elf_symtab unpacks is a section too. */
static bool has_bomb(const struct leat_elf *e, const uint8_t *file, size_t size)
{
	for (size_t i = 0; i < leat_elf_section_cnt(e); i++) {
		if (is_bomb(leat_elf_section_at(e, i), file, size))
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_elf *e = NULL;
	uint64_t syms, again;
	int fd;

	if (leat_elf_open_mem(&e, data, size, false))
		return 0;
	if (has_bomb(e, data, size)) {
		leat_elf_free(&e);
		return 0;
	}
	syms = use(e, data, size);
	leat_elf_free(&e);

	fd = memfd_create("fuzz_elf", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size || leat_elf_open(&e, fd))
		abort();
	again = use(e, data, size);
	leat_elf_free(&e);
	close(fd);
	assert(syms == again);
	return 0;
}
