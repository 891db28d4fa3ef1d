/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounded reader of ELF files that nobody vouches for. 64-bit little-endian only (x86-64, arm64,
 * riscv64); others are -ENOTSUP. Everything it hands out is borrowed until leat_elf_free.
 *
 * Nothing is mapped, for a mapped file that shrinks is a SIGBUS: headers are read at open, the rest
 * by pread when it is asked for, and kept. At most LEAT_ELF_HELD_MAX bytes per file; -EOVERFLOW
 * beyond. A file that has become shorter since open is -ENODATA.
 *
 * Threads: functions that take a const struct leat_elf may run at the same time; the others fetch,
 * and the caller serialises them with all others.
 */
#ifndef LEAT_ELF_ELF_FILE_H
#define LEAT_ELF_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define LEAT_ELF_BUILD_ID_MAX 20
#define LEAT_ELF_FILE_MAX     (64ull << 30) /* bytes of a file */
#define LEAT_ELF_HELD_MAX     (1ull << 30)  /* bytes of it in memory, unpacked sections included */
#define LEAT_ELF_SECTION_MAX  (1u << 18)    /* a table with more counts as malformed */

struct leat_elf;

struct leat_elf_phdr {
	uint32_t type;
	uint32_t flags;
	uint64_t offset, vaddr, filesz, memsz, align;
};

struct leat_elf_section {
	const char *name; /* "" when the name is malformed */
	uint32_t type;
	uint32_t link;
	uint64_t flags, addr, offset, size, entsize, align;
};

struct leat_elf_sym {
	const char *name; /* "" when malformed */
	uint64_t value;	  /* st_value */
	uint64_t size;
	uint8_t type; /* STT_* */
	uint8_t bind; /* STB_* */
	uint16_t shndx;
};

struct leat_build_id {
	uint8_t len; /* 0: none */
	uint8_t bytes[LEAT_ELF_BUILD_ID_MAX];
};

/*
 * leat_elf_open - check an ELF file and read its headers.
 * @fd: a regular file; stays the caller's and may be closed at once (a duplicate is kept).
 *
 * A section table that is malformed or missing is no error: there are no sections then, and what
 * program headers can tell is still told.
 * Errors: -EBADMSG malformed, -ENOTSUP class or byte order, -EOVERFLOW over LEAT_ELF_FILE_MAX,
 * -ENOMEM, -errno of fstat/dup/pread.
 */
int leat_elf_open(struct leat_elf **out, int fd) LEAT_MUST_USE;
/*
 * The same on bytes in memory (vDSO, .gnu_debugdata, tests), of which nothing is copied; borrowed,
 * or owned (free) when @take, on failure too.
 */
int leat_elf_open_mem(struct leat_elf **out, const void *p, size_t n, bool take) LEAT_MUST_USE;
void leat_elf_free(struct leat_elf **e);

uint16_t leat_elf_machine(const struct leat_elf *e);
uint16_t leat_elf_type(const struct leat_elf *e);
uint64_t leat_elf_entry(const struct leat_elf *e);
size_t leat_elf_phdr_cnt(const struct leat_elf *e);
const struct leat_elf_phdr *leat_elf_phdr_at(const struct leat_elf *e, size_t i);
size_t leat_elf_section_cnt(const struct leat_elf *e);
const struct leat_elf_section *leat_elf_section_at(const struct leat_elf *e, size_t i);
/* NULL when there is none of that name. */
const struct leat_elf_section *leat_elf_section_find(const struct leat_elf *e, const char *name);
/*
 * The section's bytes; SHF_COMPRESSED (zlib, zstd) is undone. -ENODATA SHT_NOBITS, -EBADMSG outside
 * the file or wrongly packed, -ENOTSUP unknown packing. @s is one of this file's.
 */
int leat_elf_section_data(struct leat_elf *e, const struct leat_elf_section *s,
			  const uint8_t **data, size_t *len) LEAT_MUST_USE;

/* Bytes at a file offset into the caller's memory: one pread, nothing is kept. -EBADMSG outside the file. */
int leat_elf_copy(const struct leat_elf *e, uint64_t off, void *to, size_t n) LEAT_MUST_USE;

/* File offset <-> virtual address by PT_LOAD (p_vaddr may differ from p_offset). -ENOENT outside. */
int leat_elf_offset_to_vaddr(const struct leat_elf *e, uint64_t off, uint64_t *vaddr) LEAT_MUST_USE;
int leat_elf_vaddr_to_offset(const struct leat_elf *e, uint64_t vaddr, uint64_t *off) LEAT_MUST_USE;
/*
 * Bytes of the file at a virtual address; -ENOENT when not backed by the file. Kept in windows of
 * 16 kiB (a small @n), or as the piece that was asked for.
 */
int leat_elf_at_vaddr(struct leat_elf *e, uint64_t vaddr, size_t n,
		      const uint8_t **data) LEAT_MUST_USE;
/* The same into the caller's memory, and nothing is kept: one pread. For many scattered reads. */
int leat_elf_copy_vaddr(const struct leat_elf *e, uint64_t vaddr, void *to, size_t n) LEAT_MUST_USE;
/* Bytes that the file has from @vaddr to the end of its segment. -ENOENT when none. */
int leat_elf_room_at_vaddr(const struct leat_elf *e, uint64_t vaddr, uint64_t *n) LEAT_MUST_USE;

/* From PT_NOTE, else from SHT_NOTE sections. -ENOENT when there is none (or a longer one). */
int leat_elf_build_id(struct leat_elf *e, struct leat_build_id *out) LEAT_MUST_USE;
/*
 * .gnu_debuglink: file name (borrowed) and CRC. -ENOENT. The name is the file's word: it may hold
 * "/" and "..", which the caller refuses.
 */
int leat_elf_debuglink(struct leat_elf *e, const char **name, uint32_t *crc) LEAT_MUST_USE;
/* The mini debug information inside .gnu_debugdata (xz), opened; own it. -ENOENT: there is none. */
int leat_elf_debugdata(struct leat_elf *e, struct leat_elf **out) LEAT_MUST_USE;

/*
 * Iterates over .symtab or .dynsym (found by type, or for .dynsym without section headers through
 * PT_DYNAMIC). The fast path of the symbol index: no allocation, names borrowed. -ENOENT: none.
 */
struct leat_elf_symtab {
	const uint8_t *syms; /* Elf64_Sym[] */
	size_t cnt;
	const char *strs;
	size_t strs_len; /* the last byte is known to be NUL, or it is 0 */
};
int leat_elf_symtab(struct leat_elf *e, bool dynamic, struct leat_elf_symtab *out) LEAT_MUST_USE;
/* @i below cnt. */
void leat_elf_sym_at(const struct leat_elf_symtab *t, size_t i, struct leat_elf_sym *out);

/*
 * The function (FDE) that covers @vaddr according to .eh_frame_hdr's search table: its start, and
 * its end from the FDE. -ENOENT when no function covers it, -ENODATA when there is no table.
 */
int leat_elf_fde_find(struct leat_elf *e, uint64_t vaddr, uint64_t *start,
		      uint64_t *end) LEAT_MUST_USE;

/* One PLT entry range: .plt, .plt.sec, .plt.got with the dynamic symbol each entry jumps to. */
struct leat_elf_plt {
	uint64_t vaddr;
	uint64_t size;
	const char *name; /* borrowed symbol name, without "@plt" */
};
/*
 * Sorted by vaddr; free() *@out (NULL when cnt is 0). cnt 0 is no error. x86-64 only (others: none).
 * Needs section headers. Entries that jump nowhere by name (the resolver, IFUNCs) are left out.
 */
int leat_elf_plt(struct leat_elf *e, struct leat_elf_plt **out, size_t *cnt) LEAT_MUST_USE;

/* Parses a note blob (also /sys/kernel/notes) for NT_GNU_BUILD_ID. -ENOENT. */
int leat_elf_notes_build_id(const void *p, size_t n, struct leat_build_id *out) LEAT_MUST_USE;
/* CRC-32 of a debug file as .gnu_debuglink wants it. */
uint32_t leat_elf_debuglink_crc(const void *p, size_t n);
/* The same of all of a file. -errno of read. Moves @fd's position. */
int leat_elf_debuglink_crc_fd(int fd, uint32_t *crc) LEAT_MUST_USE;

#endif
