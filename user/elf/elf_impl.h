/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of elf/ share. */
#ifndef LEAT_ELF_ELF_IMPL_H
#define LEAT_ELF_ELF_IMPL_H

#include "base/index.h"
#include "elf/elf_file.h"

/* A piece of the file in memory. */
struct leat_elf_chunk {
	struct leat_elf_chunk *next;
	uint64_t off;
	size_t len;
	uint8_t data[];
};

struct leat_elf_cached {
	const uint8_t *data; /* NULL: not fetched yet */
	size_t len;
};

struct leat_elf {
	int fd;		    /* -1: in memory */
	const uint8_t *mem; /* NULL: by fd */
	bool owned;	    /* mem */
	uint64_t size;
	uint64_t held; /* bytes in memory */

	uint16_t type;
	uint16_t machine;
	uint64_t entry;
	struct leat_elf_phdr *phdrs;
	size_t phdr_cnt;
	struct leat_elf_section *sections;
	size_t section_cnt;
	struct leat_elf_cached *cached; /* by section; NULL until the first is asked for */

	bool cie_known; /* the encoding of addresses by the CIE that was read last */
	uint8_t cie_enc;
	uint64_t cie_vaddr;

	struct leat_elf_chunk *chunks; /* large pieces and unpacked sections */
	struct leat_index window_index;
	struct leat_elf_chunk **windows; /* by window_index */
	size_t windows_cap;
};

/*
 * @n bytes at file offset @off, borrowed until leat_elf_free. -EBADMSG outside the file, -ENODATA
 * file has become shorter, -EOVERFLOW, -ENOMEM, -errno.
 */
int leat_elf_fetch(struct leat_elf *e, uint64_t off, uint64_t n,
		   const uint8_t **data) LEAT_MUST_USE;
/* Memory for @n bytes that lives as long as @e and counts against LEAT_ELF_HELD_MAX. */
int leat_elf_hold(struct leat_elf *e, uint64_t n, struct leat_elf_chunk **out) LEAT_MUST_USE;
/* Takes the newest of them back. */
void leat_elf_unhold(struct leat_elf *e);
void leat_elf_release(struct leat_elf *e); /* what was fetched and held */

/* Undoes SHF_COMPRESSED. */
int leat_elf_unpack(struct leat_elf *e, const uint8_t *in, size_t in_len, const uint8_t **data,
		    size_t *len) LEAT_MUST_USE;
const struct leat_elf_phdr *leat_elf_phdr_find(const struct leat_elf *e, uint32_t type);
/* Length of the part of @s that ends with a NUL: inside it every string ends. */
size_t leat_elf_strs_len(const uint8_t *s, size_t n);

#endif
