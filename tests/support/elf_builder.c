/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf_builder.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define SECTIONS_MAX 64
#define PHDRS_MAX    64
#define BYTES_MAX    ((size_t)64 << 20)

struct part {
	Elf64_Shdr h;
	uint8_t *data; /* NULL: SHT_NOBITS */
};

struct wanted_phdr {
	uint32_t type, flags;
	unsigned int section;
};

struct leat_eb {
	Elf64_Ehdr h;
	bool paged, no_sections;
	struct part parts[SECTIONS_MAX];
	unsigned int part_cnt;
	struct wanted_phdr phdrs[PHDRS_MAX];
	unsigned int phdr_cnt;
	struct leat_buf names;
	struct leat_buf syms, strs;
	struct leat_buf dynsyms, dynstrs;
	unsigned int rela_plt; /* section, 0: none */
};

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "elf_builder: %s\n", what);
	abort();
}

static void start_table(struct leat_buf *syms, struct leat_buf *strs)
{
	static const Elf64_Sym none;

	if (syms->len)
		return;
	leat_buf_add(syms, &none, sizeof(none));
	leat_buf_add(strs, "", 1);
}

struct leat_eb *leat_eb_new(uint16_t type, uint16_t machine)
{
	struct leat_eb *b = calloc(1, sizeof(*b));

	check(b, "no memory");
	memcpy(b->h.e_ident, ELFMAG, SELFMAG);
	b->h.e_ident[EI_CLASS] = ELFCLASS64;
	b->h.e_ident[EI_DATA] = ELFDATA2LSB;
	b->h.e_ident[EI_VERSION] = EV_CURRENT;
	b->h.e_type = type;
	b->h.e_machine = machine;
	b->h.e_version = EV_CURRENT;
	b->h.e_ehsize = sizeof(Elf64_Ehdr);
	b->h.e_phentsize = sizeof(Elf64_Phdr);
	b->h.e_shentsize = sizeof(Elf64_Shdr);
	leat_buf_init(&b->names, BYTES_MAX);
	leat_buf_init(&b->syms, BYTES_MAX);
	leat_buf_init(&b->strs, BYTES_MAX);
	leat_buf_init(&b->dynsyms, BYTES_MAX);
	leat_buf_init(&b->dynstrs, BYTES_MAX);
	leat_buf_add(&b->names, "", 1);
	b->part_cnt = 1;
	return b;
}

void leat_eb_free(struct leat_eb **b)
{
	if (!*b)
		return;
	for (unsigned int i = 0; i < (*b)->part_cnt; i++)
		free((*b)->parts[i].data);
	leat_buf_fini(&(*b)->names);
	leat_buf_fini(&(*b)->syms);
	leat_buf_fini(&(*b)->strs);
	leat_buf_fini(&(*b)->dynsyms);
	leat_buf_fini(&(*b)->dynstrs);
	free(*b);
	*b = NULL;
}

void leat_eb_entry(struct leat_eb *b, uint64_t entry)
{
	b->h.e_entry = entry;
}

void leat_eb_paged(struct leat_eb *b)
{
	b->paged = true;
}

void leat_eb_no_sections(struct leat_eb *b)
{
	b->no_sections = true;
}

unsigned int leat_eb_section(struct leat_eb *b, const char *name, uint32_t type, uint64_t flags,
			     uint64_t addr, const void *data, size_t n)
{
	struct part *p = &b->parts[b->part_cnt];

	check(b->part_cnt < SECTIONS_MAX, "too many sections");
	p->h.sh_name = (uint32_t)b->names.len;
	p->h.sh_type = type;
	p->h.sh_flags = flags;
	p->h.sh_addr = addr;
	p->h.sh_size = n;
	p->h.sh_addralign = 1;
	leat_buf_add(&b->names, name, strlen(name) + 1);
	if (type != SHT_NOBITS) {
		p->data = malloc(n ? n : 1);
		check(p->data, "no memory");
		if (n)
			memcpy(p->data, data, n);
	}
	if (flags & SHF_ALLOC)
		leat_eb_phdr(b, PT_LOAD,
			     PF_R | (flags & SHF_EXECINSTR ? PF_X : 0) |
				     (flags & SHF_WRITE ? PF_W : 0),
			     b->part_cnt);
	return b->part_cnt++;
}

void leat_eb_link(struct leat_eb *b, unsigned int section, uint32_t link, uint64_t entsize)
{
	b->parts[section].h.sh_link = link;
	b->parts[section].h.sh_entsize = entsize;
}

void leat_eb_align(struct leat_eb *b, unsigned int section, uint64_t align)
{
	b->parts[section].h.sh_addralign = align;
}

void leat_eb_phdr(struct leat_eb *b, uint32_t type, uint32_t flags, unsigned int section)
{
	check(b->phdr_cnt < PHDRS_MAX, "too many program headers");
	b->phdrs[b->phdr_cnt++] =
		(struct wanted_phdr){ .type = type, .flags = flags, .section = section };
}

static unsigned int add_sym(struct leat_buf *syms, struct leat_buf *strs, const char *name,
			    Elf64_Sym s)
{
	start_table(syms, strs);
	s.st_name = (uint32_t)strs->len;
	leat_buf_add(strs, name, strlen(name) + 1);
	leat_buf_add(syms, &s, sizeof(s));
	return (unsigned int)(syms->len / sizeof(s) - 1);
}

void leat_eb_sym(struct leat_eb *b, const char *name, uint64_t value, uint64_t size, uint8_t info,
		 uint16_t shndx)
{
	add_sym(&b->syms, &b->strs, name,
		(Elf64_Sym){
			.st_value = value, .st_size = size, .st_info = info, .st_shndx = shndx });
}

unsigned int leat_eb_dynsym(struct leat_eb *b, const char *name, uint64_t value, uint64_t size,
			    uint8_t info, uint16_t shndx)
{
	return add_sym(
		&b->dynsyms, &b->dynstrs, name,
		(Elf64_Sym){
			.st_value = value, .st_size = size, .st_info = info, .st_shndx = shndx });
}

/* All symbols in one bucket and one chain: enough to count them by. */
static void gnu_hash(struct leat_buf *out, size_t sym_cnt)
{
	uint32_t head[] = { 1, 1, 1, 0, UINT32_MAX, UINT32_MAX, sym_cnt > 1 ? 1 : 0 };

	leat_buf_add(out, head, sizeof(head));
	for (size_t i = 1; i < sym_cnt; i++) {
		uint32_t hash = (uint32_t)i * 2 + (i == sym_cnt - 1);

		leat_buf_add(out, &hash, sizeof(hash));
	}
}

static void sysv_hash(struct leat_buf *out, size_t sym_cnt)
{
	uint32_t words[] = { 1, (uint32_t)sym_cnt, sym_cnt > 1 ? 1 : 0 };

	leat_buf_add(out, words, sizeof(words));
	for (size_t i = 0; i < sym_cnt; i++) {
		uint32_t next = i && i + 1 < sym_cnt ? (uint32_t)i + 1 : 0;

		leat_buf_add(out, &next, sizeof(next));
	}
}

static uint64_t next_addr(uint64_t addr, size_t n)
{
	return (addr + n + 15) & ~(uint64_t)15;
}

void leat_eb_dynamic(struct leat_eb *b, uint64_t addr, enum leat_eb_hash hash)
{
	bool gnu = hash == LEAT_EB_HASH_GNU;
	unsigned int syms, strs, dynamic;
	struct leat_buf table;
	Elf64_Dyn dyn[5] = { 0 };

	start_table(&b->dynsyms, &b->dynstrs);
	leat_buf_init(&table, BYTES_MAX);
	if (hash == LEAT_EB_HASH_SYSV)
		sysv_hash(&table, b->dynsyms.len / sizeof(Elf64_Sym));
	else if (gnu)
		gnu_hash(&table, b->dynsyms.len / sizeof(Elf64_Sym));
	dyn[0] = (Elf64_Dyn){ .d_tag = DT_SYMTAB, .d_un.d_ptr = addr };
	syms = leat_eb_section(b, ".dynsym", SHT_DYNSYM, SHF_ALLOC, addr, b->dynsyms.data,
			       b->dynsyms.len);
	addr = next_addr(addr, b->dynsyms.len);
	dyn[1] = (Elf64_Dyn){ .d_tag = DT_STRTAB, .d_un.d_ptr = addr };
	dyn[2] = (Elf64_Dyn){ .d_tag = DT_STRSZ, .d_un.d_val = b->dynstrs.len };
	strs = leat_eb_section(b, ".dynstr", SHT_STRTAB, SHF_ALLOC, addr, b->dynstrs.data,
			       b->dynstrs.len);
	leat_eb_link(b, syms, strs, sizeof(Elf64_Sym));
	if (b->rela_plt)
		leat_eb_link(b, b->rela_plt, syms, sizeof(Elf64_Rela));
	addr = next_addr(addr, b->dynstrs.len);
	if (table.len) {
		dyn[3] = (Elf64_Dyn){ .d_tag = gnu ? DT_GNU_HASH : DT_HASH, .d_un.d_ptr = addr };
		leat_eb_section(b, gnu ? ".gnu.hash" : ".hash", gnu ? SHT_GNU_HASH : SHT_HASH,
				SHF_ALLOC, addr, table.data, table.len);
		addr = next_addr(addr, table.len);
	}
	dynamic = leat_eb_section(b, ".dynamic", SHT_DYNAMIC, SHF_ALLOC | SHF_WRITE, addr, dyn,
				  sizeof(dyn));
	leat_eb_link(b, dynamic, strs, sizeof(Elf64_Dyn));
	leat_eb_phdr(b, PT_DYNAMIC, PF_R | PF_W, dynamic);
	leat_buf_fini(&table);
}

void leat_eb_build_id(struct leat_eb *b, const void *id, size_t n)
{
	Elf64_Nhdr h = { .n_namesz = 4, .n_descsz = (uint32_t)n, .n_type = NT_GNU_BUILD_ID };
	struct leat_buf note;
	unsigned int s;

	leat_buf_init(&note, BYTES_MAX);
	leat_buf_add(&note, &h, sizeof(h));
	leat_buf_add(&note, "GNU", 4);
	leat_buf_add(&note, id, n);
	while (note.len % 4)
		leat_buf_char(&note, '\0');
	s = leat_eb_section(b, ".note.gnu.build-id", SHT_NOTE, 0, 0, note.data, note.len);
	leat_eb_align(b, s, 4);
	leat_eb_phdr(b, PT_NOTE, PF_R, s);
	leat_buf_fini(&note);
}

void leat_eb_debuglink(struct leat_eb *b, const char *name, uint32_t crc)
{
	struct leat_buf link;

	leat_buf_init(&link, BYTES_MAX);
	leat_buf_add(&link, name, strlen(name) + 1);
	while (link.len % 4)
		leat_buf_char(&link, '\0');
	leat_buf_add(&link, &crc, sizeof(crc));
	leat_eb_section(b, ".gnu_debuglink", SHT_PROGBITS, 0, 0, link.data, link.len);
	leat_buf_fini(&link);
}

static void put_insn(struct leat_buf *out, const char *op, size_t n, uint64_t disp)
{
	uint32_t low = (uint32_t)disp;

	leat_buf_add(out, op, n);
	leat_buf_add(out, &low, sizeof(low));
}

void leat_eb_plt(struct leat_eb *b, uint64_t addr, uint64_t got, const char *const *names,
		 size_t cnt)
{
	struct leat_buf code, rela;
	unsigned int s;

	leat_buf_init(&code, BYTES_MAX);
	leat_buf_init(&rela, BYTES_MAX);
	put_insn(&code, "\xff\x35", 2, got + 8 - (addr + 6));
	put_insn(&code, "\xff\x25", 2, got + 16 - (addr + 12));
	leat_buf_add(&code, "\x0f\x1f\x40\x00", 4);
	for (size_t i = 0; i < cnt; i++) {
		uint64_t slot = got + 8 * (3 + i), at = addr + code.len;
		uint8_t info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
		unsigned int sym = leat_eb_dynsym(b, names[i], 0, 0, info, SHN_UNDEF);
		Elf64_Rela r = { .r_offset = slot, .r_info = ELF64_R_INFO((uint64_t)sym, 7) };

		put_insn(&code, "\xff\x25", 2, slot - (at + 6));
		put_insn(&code, "\x68", 1, i);
		put_insn(&code, "\xe9", 1, addr - (at + 16));
		leat_buf_add(&rela, &r, sizeof(r));
	}
	s = leat_eb_section(b, ".plt", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, addr, code.data,
			    code.len);
	leat_eb_link(b, s, 0, 16);
	b->rela_plt = leat_eb_section(b, ".rela.plt", SHT_RELA, 0, 0, rela.data, rela.len);
	leat_buf_fini(&code);
	leat_buf_fini(&rela);
}

static void put_u32(struct leat_buf *out, uint64_t v)
{
	uint32_t low = (uint32_t)v;

	leat_buf_add(out, &low, sizeof(low));
}

/* CFA = rsp + 8, return address at CFA - 8; addresses pcrel|sdata4. */
static void put_cie(struct leat_buf *out)
{
	put_u32(out, 20);
	put_u32(out, 0);
	leat_buf_add(out, "\x01zR\0\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01\0\0", 16);
}

void leat_eb_eh_frame(struct leat_eb *b, uint64_t addr, const struct leat_eb_range *ranges,
		      size_t cnt)
{
	uint64_t frame = next_addr(addr, 12 + 8 * cnt), at;
	struct leat_buf hdr, eh;
	unsigned int s;

	leat_buf_init(&hdr, BYTES_MAX);
	leat_buf_init(&eh, BYTES_MAX);
	leat_buf_add(&hdr, "\x01\x1b\x03\x3b", 4);
	put_u32(&hdr, frame - (addr + 4));
	put_u32(&hdr, cnt);
	put_cie(&eh);
	for (size_t i = 0; i < cnt; i++) {
		at = frame + eh.len;
		put_u32(&hdr, ranges[i].start - addr);
		put_u32(&hdr, at - addr);
		put_u32(&eh, 20);
		put_u32(&eh, eh.len);
		put_u32(&eh, ranges[i].start - (at + 8));
		put_u32(&eh, ranges[i].size);
		leat_buf_add(&eh, "\0\0\0\0\0\0\0\0", 8);
	}
	put_u32(&eh, 0);
	s = leat_eb_section(b, ".eh_frame_hdr", SHT_PROGBITS, SHF_ALLOC, addr, hdr.data, hdr.len);
	leat_eb_phdr(b, PT_GNU_EH_FRAME, PF_R, s);
	leat_eb_section(b, ".eh_frame", SHT_PROGBITS, SHF_ALLOC, frame, eh.data, eh.len);
	leat_buf_fini(&hdr);
	leat_buf_fini(&eh);
}

static void finish_tables(struct leat_eb *b)
{
	unsigned int syms, names;

	if (b->syms.len) {
		syms = leat_eb_section(b, ".symtab", SHT_SYMTAB, 0, 0, b->syms.data, b->syms.len);
		leat_eb_section(b, ".strtab", SHT_STRTAB, 0, 0, b->strs.data, b->strs.len);
		leat_eb_link(b, syms, syms + 1, sizeof(Elf64_Sym));
	}
	names = leat_eb_section(b, ".shstrtab", SHT_STRTAB, 0, 0, NULL, 0);
	free(b->parts[names].data);
	b->parts[names].h.sh_size = b->names.len;
	b->parts[names].data = (uint8_t *)leat_buf_take(&b->names, NULL);
	b->h.e_shstrndx = (uint16_t)names;
}

static uint64_t place_part(const struct leat_eb *b, const struct part *p, uint64_t at)
{
	at = (at + 15) & ~(uint64_t)15;
	if (b->paged && (p->h.sh_flags & SHF_ALLOC))
		at += (p->h.sh_addr - at) & 4095;
	return at;
}

static uint64_t layout(struct leat_eb *b)
{
	uint64_t at = sizeof(b->h) + b->phdr_cnt * sizeof(Elf64_Phdr);

	for (unsigned int i = 1; i < b->part_cnt; i++) {
		struct part *p = &b->parts[i];

		if (b->no_sections && i == b->h.e_shstrndx)
			continue;
		at = place_part(b, p, at);
		p->h.sh_offset = at;
		at += p->h.sh_type == SHT_NOBITS ? 0 : p->h.sh_size;
	}
	at = (at + 15) & ~(uint64_t)15;
	b->h.e_phoff = b->phdr_cnt ? sizeof(b->h) : 0;
	b->h.e_phnum = (uint16_t)b->phdr_cnt;
	if (b->no_sections) {
		b->h.e_shstrndx = 0;
		return at;
	}
	b->h.e_shoff = at;
	b->h.e_shnum = (uint16_t)b->part_cnt;
	return at + b->part_cnt * sizeof(Elf64_Shdr);
}

static void write_headers(const struct leat_eb *b, uint8_t *out)
{
	memcpy(out, &b->h, sizeof(b->h));
	for (unsigned int i = 0; i < b->phdr_cnt; i++) {
		const Elf64_Shdr *s = &b->parts[b->phdrs[i].section].h;
		Elf64_Phdr p = {
			.p_type = b->phdrs[i].type,
			.p_flags = b->phdrs[i].flags,
			.p_offset = s->sh_offset,
			.p_vaddr = s->sh_addr,
			.p_paddr = s->sh_addr,
			.p_filesz = s->sh_type == SHT_NOBITS ? 0 : s->sh_size,
			.p_memsz = s->sh_size,
			.p_align = s->sh_addralign,
		};

		memcpy(out + sizeof(b->h) + i * sizeof(p), &p, sizeof(p));
	}
	for (unsigned int i = 0; i < b->h.e_shnum; i++)
		memcpy(out + b->h.e_shoff + i * sizeof(Elf64_Shdr), &b->parts[i].h,
		       sizeof(Elf64_Shdr));
}

uint8_t *leat_eb_done(struct leat_eb *b, size_t *n)
{
	uint8_t *out;

	finish_tables(b);
	check(b->parts[b->part_cnt - 1].data && !b->names.err && !b->syms.err && !b->strs.err &&
		      !b->dynsyms.err && !b->dynstrs.err,
	      "no memory");
	*n = layout(b);
	out = calloc(1, *n);
	check(out, "no memory");
	for (unsigned int i = 1; i < b->part_cnt; i++) {
		const struct part *p = &b->parts[i];

		if (p->data && (p->h.sh_offset || !b->no_sections))
			memcpy(out + p->h.sh_offset, p->data, p->h.sh_size);
	}
	write_headers(b, out);
	return out;
}
