/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbol tables: by section, and for the dynamic one by PT_DYNAMIC. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "elf/elf_impl.h"

#define DYNAMIC_MAX ((uint64_t)1 << 20) /* bytes of PT_DYNAMIC that are looked at */

_Static_assert(sizeof(Elf64_Sym) == 24, "symbol of the gABI");

static void set_strs(struct leat_elf_symtab *t, const uint8_t *strs, size_t len)
{
	t->strs = (const char *)strs;
	t->strs_len = leat_elf_strs_len(strs, len);
}

static int from_section(struct leat_elf *e, const struct leat_elf_section *s,
			struct leat_elf_symtab *out)
{
	struct leat_elf_symtab t = { 0 };
	const uint8_t *strs;
	size_t len;
	int err;

	if (s->entsize != sizeof(Elf64_Sym) || s->link >= e->section_cnt ||
	    e->sections[s->link].type != SHT_STRTAB)
		return -EBADMSG;
	err = leat_elf_section_data(e, s, &t.syms, &len);
	if (err)
		return err;
	t.cnt = len / sizeof(Elf64_Sym);
	err = leat_elf_section_data(e, &e->sections[s->link], &strs, &len);
	if (err)
		return err;
	set_strs(&t, strs, len);
	*out = t;
	return 0;
}

struct dynamic {
	uint64_t symtab, strtab, strsz, hash, gnu_hash; /* 0: not there */
};

static void read_dynamic(const uint8_t *data, size_t n, struct dynamic *d)
{
	for (size_t i = 0; i < n / sizeof(Elf64_Dyn); i++) {
		Elf64_Dyn dyn;

		memcpy(&dyn, data + i * sizeof(dyn), sizeof(dyn));
		switch (dyn.d_tag) {
		case DT_NULL:
			return;
		case DT_SYMTAB:
			d->symtab = dyn.d_un.d_ptr;
			break;
		case DT_STRTAB:
			d->strtab = dyn.d_un.d_ptr;
			break;
		case DT_STRSZ:
			d->strsz = dyn.d_un.d_val;
			break;
		case DT_HASH:
			d->hash = dyn.d_un.d_ptr;
			break;
		case DT_GNU_HASH:
			d->gnu_hash = dyn.d_un.d_ptr;
			break;
		}
	}
}

static int u32_at(struct leat_elf *e, uint64_t vaddr, uint32_t *out)
{
	const uint8_t *data;
	int err = leat_elf_at_vaddr(e, vaddr, sizeof(*out), &data);

	if (err)
		return err == -ENOENT ? -EBADMSG : err;
	memcpy(out, data, sizeof(*out));
	return 0;
}

/*
 * The table has no count. Its last symbol is in the chain of the largest bucket, at that chain's
 * end. All addresses are sums of an address and less than 2^36, and looked up before use.
 */
static int count_gnu_hash(struct leat_elf *e, uint64_t at, uint64_t max, uint64_t *cnt)
{
	uint32_t buckets, first, bloom, last = 0, hash;
	const uint8_t *data;
	int err;

	if ((err = u32_at(e, at, &buckets)) || (err = u32_at(e, at + 4, &first)) ||
	    (err = u32_at(e, at + 8, &bloom)))
		return err;
	at += 16 + (uint64_t)bloom * 8;
	err = leat_elf_at_vaddr(e, at, (size_t)buckets * 4, &data);
	if (err)
		return err == -ENOENT ? -EBADMSG : err;
	for (size_t i = 0; i < buckets; i++) {
		uint32_t head;

		memcpy(&head, data + i * 4, sizeof(head));
		last = head > last ? head : last;
	}
	*cnt = first;
	if (last < first)
		return 0; /* no symbol is exported */
	at += (uint64_t)buckets * 4;
	do {
		err = u32_at(e, at + (uint64_t)(last - first) * 4, &hash);
		if (err)
			return err;
		last++;
	} while (!(hash & 1) && last < max);
	*cnt = last;
	return 0;
}

static int count_symbols(struct leat_elf *e, const struct dynamic *d, uint64_t max, uint64_t *cnt)
{
	uint32_t chains;
	int err;

	if (d->gnu_hash)
		return count_gnu_hash(e, d->gnu_hash, max, cnt);
	if (!d->hash)
		return -ENOENT;
	err = u32_at(e, d->hash + 4, &chains);
	if (!err)
		*cnt = chains;
	return err;
}

static int from_dynamic(struct leat_elf *e, struct leat_elf_symtab *out)
{
	const struct leat_elf_phdr *p = leat_elf_phdr_find(e, PT_DYNAMIC);
	struct leat_elf_symtab t = { 0 };
	struct dynamic d = { 0 };
	const uint8_t *data;
	uint64_t room, cnt;
	int err;

	if (!p)
		return -ENOENT;
	room = p->filesz < DYNAMIC_MAX ? p->filesz : DYNAMIC_MAX;
	err = leat_elf_fetch(e, p->offset, room, &data);
	if (err)
		return err;
	read_dynamic(data, room, &d);
	if (!d.symtab || leat_elf_room_at_vaddr(e, d.symtab, &room))
		return -ENOENT;
	err = count_symbols(e, &d, room / sizeof(Elf64_Sym), &cnt);
	if (err)
		return err;
	t.cnt = cnt < room / sizeof(Elf64_Sym) ? cnt : room / sizeof(Elf64_Sym);
	err = leat_elf_at_vaddr(e, d.symtab, t.cnt * sizeof(Elf64_Sym), &t.syms);
	if (err)
		return err;
	if (leat_elf_room_at_vaddr(e, d.strtab, &room))
		return -EBADMSG;
	room = d.strsz < room ? d.strsz : room;
	err = leat_elf_at_vaddr(e, d.strtab, room, &data);
	if (err)
		return err;
	set_strs(&t, data, room);
	*out = t;
	return 0;
}

/* In a debug file program headers describe what the file does not hold. */
static bool lacks_dynamic(const struct leat_elf *e)
{
	const struct leat_elf_section *s = leat_elf_section_find(e, ".dynamic");

	return s && s->type == SHT_NOBITS;
}

int leat_elf_symtab(struct leat_elf *e, bool dynamic, struct leat_elf_symtab *out)
{
	uint32_t type = dynamic ? SHT_DYNSYM : SHT_SYMTAB;
	int err = -ENOENT;

	for (size_t i = 0; i < e->section_cnt && err == -ENOENT; i++) {
		if (e->sections[i].type == type)
			err = from_section(e, &e->sections[i], out);
	}
	if (err && err != -ENOMEM && dynamic && !lacks_dynamic(e)) {
		int second = from_dynamic(e, out);

		err = second == -ENOENT ? err : second;
	}
	return err;
}

void leat_elf_sym_at(const struct leat_elf_symtab *t, size_t i, struct leat_elf_sym *out)
{
	Elf64_Sym s;

	memcpy(&s, t->syms + i * sizeof(s), sizeof(s));
	out->name = s.st_name < t->strs_len ? t->strs + s.st_name : "";
	out->value = s.st_value;
	out->size = s.st_size;
	out->type = ELF64_ST_TYPE(s.st_info);
	out->bind = ELF64_ST_BIND(s.st_info);
	out->shndx = s.st_shndx;
}
