/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening: the ELF header, program headers, section headers. */
#include "elf/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "elf/elf_impl.h"

_Static_assert(sizeof(Elf64_Ehdr) == 64, "ELF header of the gABI");
_Static_assert(sizeof(Elf64_Phdr) == 56, "program header of the gABI");
_Static_assert(sizeof(Elf64_Shdr) == 64, "section header of the gABI");

size_t leat_elf_strs_len(const uint8_t *s, size_t n)
{
	const uint8_t *nul = n ? memrchr(s, 0, n) : NULL;

	return nul ? (size_t)(nul - s) + 1 : 0;
}

static int check_ehdr(const Elf64_Ehdr *h)
{
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return -EBADMSG;
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOTSUP;
	if (h->e_ident[EI_VERSION] != EV_CURRENT)
		return -EBADMSG;
	if (h->e_phnum && h->e_phentsize != sizeof(Elf64_Phdr))
		return -EBADMSG;
	/* The real number stands elsewhere: core files only, of which nothing is wanted. */
	if (h->e_phnum == PN_XNUM)
		return -EOVERFLOW;
	return 0;
}

static int read_phdrs(struct leat_elf *e, const Elf64_Ehdr *h)
{
	LEAT_FREE Elf64_Phdr *raw = NULL;
	int err;

	if (!h->e_phnum)
		return 0;
	raw = calloc(h->e_phnum, sizeof(*raw));
	e->phdrs = calloc(h->e_phnum, sizeof(*e->phdrs));
	if (!raw || !e->phdrs)
		return -ENOMEM;
	err = leat_elf_copy(e, h->e_phoff, raw, h->e_phnum * sizeof(*raw));
	if (err)
		return err;
	for (size_t i = 0; i < h->e_phnum; i++) {
		e->phdrs[i] = (struct leat_elf_phdr){
			.type = raw[i].p_type,
			.flags = raw[i].p_flags,
			.offset = raw[i].p_offset,
			.vaddr = raw[i].p_vaddr,
			.filesz = raw[i].p_filesz,
			.memsz = raw[i].p_memsz,
			.align = raw[i].p_align,
		};
	}
	e->phdr_cnt = h->e_phnum;
	return 0;
}

/* Number of sections and index of their names: in section 0 when too large for the header. */
static int section_counts(const struct leat_elf *e, const Elf64_Ehdr *h, uint64_t *cnt,
			  uint64_t *names)
{
	Elf64_Shdr zero;
	int err;

	*cnt = h->e_shnum;
	*names = h->e_shstrndx;
	if (!h->e_shoff || h->e_shentsize != sizeof(zero))
		return -EBADMSG;
	if (*cnt && *names != SHN_XINDEX)
		return 0;
	err = leat_elf_copy(e, h->e_shoff, &zero, sizeof(zero));
	if (err)
		return err;
	if (!*cnt)
		*cnt = zero.sh_size;
	if (*names == SHN_XINDEX)
		*names = zero.sh_link;
	return *cnt <= LEAT_ELF_SECTION_MAX ? 0 : -EBADMSG;
}

/* Names are wanted for nearly all that is asked; without them a section has the name "". */
static int name_sections(struct leat_elf *e, const Elf64_Shdr *raw, uint64_t names)
{
	const uint8_t *strs = NULL;
	size_t len = 0;
	int err;

	if (names < e->section_cnt && raw[names].sh_type == SHT_STRTAB) {
		err = leat_elf_fetch(e, raw[names].sh_offset, raw[names].sh_size, &strs);
		if (err == -ENOMEM)
			return err;
		len = err ? 0 : leat_elf_strs_len(strs, raw[names].sh_size);
	}
	for (size_t i = 0; i < e->section_cnt; i++)
		e->sections[i].name = raw[i].sh_name < len ? (const char *)strs + raw[i].sh_name
							   : "";
	return 0;
}

static int read_sections(struct leat_elf *e, const Elf64_Ehdr *h)
{
	LEAT_FREE Elf64_Shdr *raw = NULL;
	uint64_t cnt, names;
	int err;

	err = section_counts(e, h, &cnt, &names);
	if (err || !cnt)
		return err;
	if (h->e_shoff > e->size || cnt > (e->size - h->e_shoff) / sizeof(*raw))
		return -EBADMSG; /* before memory is taken */
	raw = calloc(cnt, sizeof(*raw));
	e->sections = calloc(cnt, sizeof(*e->sections));
	if (!raw || !e->sections)
		return -ENOMEM;
	err = leat_elf_copy(e, h->e_shoff, raw, cnt * sizeof(*raw));
	if (err)
		return err;
	for (size_t i = 0; i < cnt; i++) {
		e->sections[i] = (struct leat_elf_section){
			.type = raw[i].sh_type,
			.link = raw[i].sh_link,
			.flags = raw[i].sh_flags,
			.addr = raw[i].sh_addr,
			.offset = raw[i].sh_offset,
			.size = raw[i].sh_size,
			.entsize = raw[i].sh_entsize,
			.align = raw[i].sh_addralign,
		};
	}
	e->section_cnt = cnt;
	return name_sections(e, raw, names);
}

/* Reads the headers; owns @e from here on. */
static int open_headers(struct leat_elf *e, struct leat_elf **out)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *mine = e;
	Elf64_Ehdr h;
	int err;

	if (mine->size < sizeof(h))
		return -EBADMSG;
	err = leat_elf_copy(mine, 0, &h, sizeof(h));
	if (err)
		return err;
	err = check_ehdr(&h);
	if (err)
		return err;
	mine->type = h.e_type;
	mine->machine = h.e_machine;
	mine->entry = h.e_entry;
	err = read_phdrs(mine, &h);
	if (err)
		return err;
	err = read_sections(mine, &h);
	if (err && err != -EBADMSG)
		return err;
	*out = LEAT_TAKE(mine);
	return 0;
}

int leat_elf_open(struct leat_elf **out, int fd)
{
	struct leat_elf *e;
	struct stat st;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if ((uint64_t)st.st_size > LEAT_ELF_FILE_MAX)
		return -EOVERFLOW;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->size = (uint64_t)st.st_size;
	e->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (e->fd < 0) {
		err = -errno;
		free(e);
		return err;
	}
	return open_headers(e, out);
}

int leat_elf_open_mem(struct leat_elf **out, const void *p, size_t n, bool take)
{
	struct leat_elf *e = calloc(1, sizeof(*e));

	if (!e) {
		if (take)
			free((void *)p);
		return -ENOMEM;
	}
	e->fd = -1;
	e->mem = p;
	e->owned = take;
	e->size = n;
	return open_headers(e, out);
}

void leat_elf_free(struct leat_elf **e)
{
	if (!*e)
		return;
	leat_elf_release(*e);
	if ((*e)->fd >= 0)
		close((*e)->fd);
	if ((*e)->owned)
		free((void *)(*e)->mem);
	free((*e)->phdrs);
	free((*e)->sections);
	free((*e)->cached);
	free(*e);
	*e = NULL;
}

uint16_t leat_elf_machine(const struct leat_elf *e)
{
	return e->machine;
}

uint16_t leat_elf_type(const struct leat_elf *e)
{
	return e->type;
}

uint64_t leat_elf_entry(const struct leat_elf *e)
{
	return e->entry;
}

size_t leat_elf_phdr_cnt(const struct leat_elf *e)
{
	return e->phdr_cnt;
}

const struct leat_elf_phdr *leat_elf_phdr_at(const struct leat_elf *e, size_t i)
{
	return &e->phdrs[i];
}

const struct leat_elf_phdr *leat_elf_phdr_find(const struct leat_elf *e, uint32_t type)
{
	for (size_t i = 0; i < e->phdr_cnt; i++) {
		if (e->phdrs[i].type == type)
			return &e->phdrs[i];
	}
	return NULL;
}

size_t leat_elf_section_cnt(const struct leat_elf *e)
{
	return e->section_cnt;
}

const struct leat_elf_section *leat_elf_section_at(const struct leat_elf *e, size_t i)
{
	return &e->sections[i];
}

const struct leat_elf_section *leat_elf_section_find(const struct leat_elf *e, const char *name)
{
	for (size_t i = 0; i < e->section_cnt; i++) {
		if (strcmp(e->sections[i].name, name) == 0)
			return &e->sections[i];
	}
	return NULL;
}
