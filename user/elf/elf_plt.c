/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for PLT entries. The layouts of linkers differ (lazy, now, IBT; bfd, gold, lld, mold), but
 * an entry always ends in a jump through its GOT slot, and a relocation of that slot has the name.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "elf/elf_impl.h"

#define SLOTS_MAX   ((size_t)1 << 22) /* relocations with a name */
#define ENTRIES_MAX ((size_t)1 << 22)

struct slot {
	uint64_t vaddr; /* of the GOT entry */
	const char *name;
};

struct work {
	struct leat_elf *e;
	struct leat_elf_symtab syms;
	struct slot *slots;
	size_t slot_cnt, slot_cap;
	struct leat_elf_plt *entries;
	size_t cnt, cap;
};

static int by_vaddr(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

_Static_assert(offsetof(struct slot, vaddr) == 0, "by_vaddr");
_Static_assert(offsetof(struct leat_elf_plt, vaddr) == 0, "by_vaddr");

static int add_slots(struct work *w, const struct leat_elf_section *s)
{
	struct leat_elf_sym sym;
	const uint8_t *data;
	size_t len;
	int err = leat_elf_section_data(w->e, s, &data, &len);

	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t at = 0; len - at >= sizeof(Elf64_Rela); at += sizeof(Elf64_Rela)) {
		Elf64_Rela rela;
		uint32_t type;

		memcpy(&rela, data + at, sizeof(rela));
		type = ELF64_R_TYPE(rela.r_info);
		if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT) ||
		    ELF64_R_SYM(rela.r_info) >= w->syms.cnt)
			continue;
		leat_elf_sym_at(&w->syms, ELF64_R_SYM(rela.r_info), &sym);
		if (!*sym.name)
			continue;
		err = LEAT_ARRAY_ROOM(w->slots, w->slot_cap, w->slot_cnt + 1, SLOTS_MAX);
		if (err)
			return err;
		w->slots[w->slot_cnt++] = (struct slot){ .vaddr = rela.r_offset, .name = sym.name };
	}
	return 0;
}

/* The relocations of the dynamic linker: those whose symbols are in .dynsym. */
static int collect_slots(struct work *w)
{
	const struct leat_elf *e = w->e;

	for (size_t i = 0; i < e->section_cnt; i++) {
		const struct leat_elf_section *s = &e->sections[i];
		int err;

		if (s->type != SHT_RELA || s->entsize != sizeof(Elf64_Rela) ||
		    s->link >= e->section_cnt || e->sections[s->link].type != SHT_DYNSYM)
			continue;
		err = add_slots(w, s);
		if (err)
			return err;
	}
	if (w->slot_cnt)
		qsort(w->slots, w->slot_cnt, sizeof(*w->slots), by_vaddr);
	return 0;
}

/*
 * Length of the instructions up to and with the indirect jump, 0 when there is none; the slot is
 * *@disp from their end. [endbr64] [mov $index,%r11d (mold)] [bnd] jmp *disp(%rip)
 */
static size_t decode(const uint8_t *p, size_t n, int32_t *disp)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t at = 0;

	if (n >= sizeof(endbr64) && memcmp(p, endbr64, sizeof(endbr64)) == 0)
		at = sizeof(endbr64);
	if (n - at >= 6 && p[at] == 0x41 && p[at + 1] == 0xbb)
		at += 6;
	if (n - at >= 1 && p[at] == 0xf2)
		at++;
	if (n - at < 6 || p[at] != 0xff || p[at + 1] != 0x25)
		return 0;
	memcpy(disp, p + at + 2, sizeof(*disp));
	return at + 6;
}

static int add_entry(struct work *w, uint64_t vaddr, uint64_t size, uint64_t slot_vaddr)
{
	struct slot key = { .vaddr = slot_vaddr };
	const struct slot *slot = NULL;
	int err;

	if (w->slot_cnt)
		slot = bsearch(&key, w->slots, w->slot_cnt, sizeof(key), by_vaddr);
	if (!slot)
		return 0;
	err = LEAT_ARRAY_ROOM(w->entries, w->cap, w->cnt + 1, ENTRIES_MAX);
	if (err)
		return err;
	w->entries[w->cnt++] =
		(struct leat_elf_plt){ .vaddr = vaddr, .size = size, .name = slot->name };
	return 0;
}

static int scan(struct work *w, const struct leat_elf_section *s)
{
	/* .plt.got has entries of 8 bytes without endbr64, of 16 with it, whatever it says. */
	size_t step = s->entsize == 8 || strcmp(s->name, ".plt.got") == 0 ? 8 : 16;
	const uint8_t *data;
	size_t len, size, used;
	int32_t disp = 0;
	int err = leat_elf_section_data(w->e, s, &data, &len);

	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t at = 0; at < len; at += size) {
		used = decode(data + at, len - at, &disp);
		size = used > step ? 16 : step;
		size = size < len - at ? size : len - at;
		if (!used)
			continue;
		err = add_entry(w, s->addr + at, size,
				s->addr + at + used + (uint64_t)(int64_t)disp);
		if (err)
			return err;
	}
	return 0;
}

static int collect(struct work *w)
{
	static const char *const names[] = { ".plt", ".plt.sec", ".plt.got" };
	int err = leat_elf_symtab(w->e, true, &w->syms);

	if (err)
		return err == -ENOMEM ? err : 0; /* a static program */
	err = collect_slots(w);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(names) && !err; i++) {
		const struct leat_elf_section *s = leat_elf_section_find(w->e, names[i]);

		if (s && s->type == SHT_PROGBITS)
			err = scan(w, s);
	}
	if (!err && w->cnt)
		qsort(w->entries, w->cnt, sizeof(*w->entries), by_vaddr);
	return err;
}

int leat_elf_plt(struct leat_elf *e, struct leat_elf_plt **out, size_t *cnt)
{
	struct work w = { .e = e };
	int err = 0;

	if (e->machine == EM_X86_64)
		err = collect(&w);
	free(w.slots);
	if (err) {
		free(w.entries);
		return err;
	}
	*out = w.entries;
	*cnt = w.cnt;
	return 0;
}
