/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes small ELF files (64-bit, little-endian) in memory, for tests:
 *
 *	struct leat_eb *b = leat_eb_new(ET_DYN, EM_X86_64);
 *	unsigned int text = leat_eb_section(b, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR,
 *					    0x1000, code, sizeof(code));
 *	leat_eb_sym(b, "main", 0x1000, 16, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), text);
 *	leat_eb_build_id(b, "\1\2\3\4", 4);
 *	bytes = leat_eb_done(b, &n);			(free() them)
 *	leat_eb_free(&b);
 *
 * Every section with SHF_ALLOC gets a PT_LOAD of its own. Mistakes and lack of memory end the
 * program: it is for tests only.
 */
#ifndef LEAT_TESTS_SUPPORT_ELF_BUILDER_H
#define LEAT_TESTS_SUPPORT_ELF_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leat_eb;

enum leat_eb_hash { LEAT_EB_HASH_SYSV, LEAT_EB_HASH_GNU, LEAT_EB_HASH_NONE };

/* One function, for .eh_frame. */
struct leat_eb_range {
	uint64_t start;
	uint32_t size;
};

struct leat_eb *leat_eb_new(uint16_t type, uint16_t machine);
void leat_eb_free(struct leat_eb **b);
void leat_eb_entry(struct leat_eb *b, uint64_t entry);
/* File offsets of SHF_ALLOC sections equal their addresses modulo 4096, as a loader wants it. */
void leat_eb_paged(struct leat_eb *b);
/* Leaves section headers out, as sstrip does. */
void leat_eb_no_sections(struct leat_eb *b);

/* Adds a section, copies @n bytes; for SHT_NOBITS @n is its size. Returns its index. */
unsigned int leat_eb_section(struct leat_eb *b, const char *name, uint32_t type, uint64_t flags,
			     uint64_t addr, const void *data, size_t n);
void leat_eb_link(struct leat_eb *b, unsigned int section, uint32_t link, uint64_t entsize);
void leat_eb_align(struct leat_eb *b, unsigned int section, uint64_t align);
/* A program header for what a section covers (PT_NOTE, PT_GNU_EH_FRAME, ...). */
void leat_eb_phdr(struct leat_eb *b, uint32_t type, uint32_t flags, unsigned int section);

/* A symbol of .symtab, which is made when there is one. @info: ELF64_ST_INFO. */
void leat_eb_sym(struct leat_eb *b, const char *name, uint64_t value, uint64_t size, uint8_t info,
		 uint16_t shndx);
/* A symbol of .dynsym; returns its index. All of them come before leat_eb_dynamic. */
unsigned int leat_eb_dynsym(struct leat_eb *b, const char *name, uint64_t value, uint64_t size,
			    uint8_t info, uint16_t shndx);
/* Makes .dynsym at @addr, .dynstr, the hash table and .dynamic after it, and PT_DYNAMIC. */
void leat_eb_dynamic(struct leat_eb *b, uint64_t addr, enum leat_eb_hash hash);

/* .note.gnu.build-id and PT_NOTE. */
void leat_eb_build_id(struct leat_eb *b, const void *id, size_t n);
void leat_eb_debuglink(struct leat_eb *b, const char *name, uint32_t crc);
/*
 * .plt at @addr (a resolver, then one lazy entry of 16 bytes per name), its slots from @got on (the
 * first three are the resolver's), .rela.plt. Calls leat_eb_dynsym; before leat_eb_dynamic.
 */
void leat_eb_plt(struct leat_eb *b, uint64_t addr, uint64_t got, const char *const *names,
		 size_t cnt);
/* .eh_frame_hdr at @addr, .eh_frame after it: one CIE, one FDE for each range (sorted by start). */
void leat_eb_eh_frame(struct leat_eb *b, uint64_t addr, const struct leat_eb_range *ranges,
		      size_t cnt);

/* The file. Once, at the end. */
uint8_t *leat_eb_done(struct leat_eb *b, size_t *n);

#endif
