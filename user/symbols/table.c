/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/table.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

/* 64 kiB at a time: stays in the cache, and the pread is not felt. */
#define PIECE_SYMS 2730
/* How far below its code a symbol without a size may lie. */
#define LABEL_REACH ((uint64_t)64 << 10)
/*
 * Visits of spots in one pass. Real tables need a few for each spot, labels some more; only symbols
 * that overlap each other without end come to this (50 ms).
 */
#define VISITS_MAX	((uint64_t)16 << 20)
#define VISITS_MAX_SPOT ((uint64_t)64)
/* First read of a name: nearly all C++ and Rust names fit. */
#define NAME_GUESS 256

static int from_sections(struct leat_table *t, const struct leat_elf *e, uint32_t type)
{
	for (size_t i = 0; i < leat_elf_section_cnt(e); i++) {
		const struct leat_elf_section *s = leat_elf_section_at(e, i);
		const struct leat_elf_section *strs;

		if (s->type != type)
			continue;
		if (s->entsize != sizeof(Elf64_Sym) || s->link >= leat_elf_section_cnt(e) ||
		    (s->flags & SHF_COMPRESSED))
			return -EBADMSG;
		strs = leat_elf_section_at(e, s->link);
		if (strs->type != SHT_STRTAB || (strs->flags & SHF_COMPRESSED))
			return -EBADMSG;
		t->syms_off = s->offset;
		t->cnt = s->size / sizeof(Elf64_Sym);
		t->strs_off = strs->offset;
		t->strs_len = strs->size;
		return 0;
	}
	return -ENOENT;
}

int leat_table_open(struct leat_table *t, struct leat_elf *e, bool dynamic)
{
	int err;

	*t = (struct leat_table){ .elf = e };
	err = from_sections(t, e, dynamic ? SHT_DYNSYM : SHT_SYMTAB);
	if (!err || !dynamic)
		return err;
	err = leat_elf_symtab(e, true, &t->mem);
	t->cnt = err ? 0 : t->mem.cnt;
	return err;
}

struct pass {
	const struct leat_elf *elf;
	const struct leat_scan *scan;
	const struct leat_spots *spots;
	uint64_t visits;
	uint8_t table;
};

static uint8_t bind_rank(uint8_t info)
{
	switch (ELF64_ST_BIND(info)) {
	case STB_GLOBAL:
	case STB_GNU_UNIQUE:
		return 2;
	case STB_WEAK:
		return 1;
	default:
		return 0;
	}
}

/* < 0: the new one is better, > 0: the old one, 0: aliases. */
static int compare(const struct leat_cand *old, const struct leat_cand *new)
{
	if (old->is_func != new->is_func)
		return old->is_func - new->is_func;
	/* One without a size has matched exactly; one with a size says more. */
	if (!old->size != !new->size)
		return old->size ? 1 : -1;
	if (old->size != new->size)
		return old->size < new->size ? 1 : -1;
	if (old->value != new->value)
		return old->value > new->value ? 1 : -1;
	return old->bind - new->bind;
}

static void offer(struct leat_cand *c, const struct leat_cand *new)
{
	int order = c->name_cnt ? compare(c, new) : -1;

	if (order < 0)
		*c = *new;
	else if (order == 0 && c->name_cnt < LEAT_CAND_NAMES)
		c->names[c->name_cnt++] = new->names[0];
}

static void offer_sized(struct pass *p, const struct leat_cand *new)
{
	const struct leat_spots *s = p->spots;
	uint64_t span = new->size ? new->size : 1;

	for (size_t i = leat_spots_from(s, new->value); i < s->n && s->addr[i] - new->value < span;
	     i++) {
		p->visits++;
		if (!p->scan->done[i])
			offer(&p->scan->cands[i], new);
	}
}

static void offer_label(struct pass *p, const struct leat_cand *new)
{
	const struct leat_spots *s = p->spots;

	for (size_t i = leat_spots_from(s, new->value);
	     i < s->n && s->addr[i] - new->value < LABEL_REACH; i++) {
		struct leat_label *l = &p->scan->labels[i];

		p->visits++;
		if (p->scan->done[i] || (l->known && l->value >= new->value))
			continue;
		*l = (struct leat_label){
			.value = new->value,
			.name = new->names[0],
			.table = p->table,
			.known = 1,
		};
	}
}

/* Whether a symbol without a type lies in code. */
static bool in_code(const struct leat_elf *e, uint16_t shndx)
{
	return shndx < leat_elf_section_cnt(e) &&
	       (leat_elf_section_at(e, shndx)->flags & SHF_EXECINSTR);
}

static void visit(struct pass *p, const Elf64_Sym *sym)
{
	uint8_t type = ELF64_ST_TYPE(sym->st_info);
	const struct leat_spots *s = p->spots;
	bool is_func = type == STT_FUNC || type == STT_GNU_IFUNC;
	uint64_t span = sym->st_size ? sym->st_size : LABEL_REACH;
	struct leat_cand new;
	size_t i;

	if ((!is_func && type != STT_NOTYPE) || sym->st_shndx == SHN_UNDEF ||
	    sym->st_shndx >= SHN_LORESERVE)
		return;
	/* Most symbols end here. */
	i = leat_spots_from(s, sym->st_value);
	if (i == s->n || s->addr[i] - sym->st_value >= span)
		return;
	if (!is_func && !in_code(p->elf, sym->st_shndx))
		return;
	new = (struct leat_cand){
		.value = sym->st_value,
		.size = sym->st_size,
		.names = { sym->st_name },
		.name_cnt = 1,
		.is_func = is_func,
		.bind = bind_rank(sym->st_info),
		.table = p->table,
	};
	offer_sized(p, &new);
	if (!sym->st_size)
		offer_label(p, &new);
}

static int scan_piece(struct pass *p, const uint8_t *syms, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		Elf64_Sym sym;

		memcpy(&sym, syms + i * sizeof(sym), sizeof(sym));
		visit(p, &sym);
	}
	return p->visits > VISITS_MAX + VISITS_MAX_SPOT * p->spots->n ? -EOVERFLOW : 0;
}

int leat_table_scan(const struct leat_table *t, const struct leat_scan *scan)
{
	struct pass p = { .elf = t->elf, .scan = scan, .spots = scan->spots, .table = t->number };
	LEAT_FREE Elf64_Sym *piece = NULL;
	size_t n = PIECE_SYMS;
	int err = 0;

	if (!t->mem.syms) {
		piece = malloc(PIECE_SYMS * sizeof(*piece));
		if (!piece)
			return -ENOMEM;
	}
	for (uint64_t at = 0; at < t->cnt && !err; at += n) {
		n = t->cnt - at < n ? t->cnt - at : n;
		if (t->mem.syms) {
			err = scan_piece(&p, t->mem.syms + at * sizeof(Elf64_Sym), n);
			continue;
		}
		err = leat_elf_copy(t->elf, t->syms_off + at * sizeof(Elf64_Sym), piece,
				    n * sizeof(Elf64_Sym));
		if (!err)
			err = scan_piece(&p, (const uint8_t *)piece, n);
	}
	return err;
}

static int string_in_memory(const struct leat_table *t, uint32_t name, struct leat_buf *out)
{
	if (name >= t->mem.strs_len)
		return -EBADMSG;
	leat_buf_add(out, t->mem.strs + name, strnlen(t->mem.strs + name, LEAT_SYMBOL_NAME_MAX));
	return out->err;
}

int leat_table_string(const struct leat_table *t, uint32_t name, struct leat_buf *out)
{
	char small[NAME_GUESS];
	LEAT_FREE char *large = NULL;
	size_t room, n;
	int err;

	if (t->mem.syms)
		return string_in_memory(t, name, out);
	if (name >= t->strs_len)
		return -EBADMSG;
	room = t->strs_len - name;
	n = room < sizeof(small) ? room : sizeof(small);
	err = leat_elf_copy(t->elf, t->strs_off + name, small, n);
	if (err)
		return err;
	if (memchr(small, 0, n) || n == room) {
		leat_buf_add(out, small, strnlen(small, n));
		return out->err;
	}
	n = room < LEAT_SYMBOL_NAME_MAX ? room : LEAT_SYMBOL_NAME_MAX;
	large = malloc(n);
	if (!large)
		return -ENOMEM;
	err = leat_elf_copy(t->elf, t->strs_off + name, large, n);
	if (err)
		return err;
	leat_buf_add(out, large, strnlen(large, n));
	return out->err;
}

static size_t underscores(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] == '_')
		i++;
	return i;
}

/* Whether alias @a is shown rather than @b: as perf does, fewer leading underscores, then longer. */
static bool is_better_alias(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t a_under = underscores(a, a_len), b_under = underscores(b, b_len);

	if (a_under != b_under)
		return a_under < b_under;
	if (a_len != b_len)
		return a_len > b_len;
	return memcmp(a, b, a_len) < 0;
}

/* Labels that assemblers leave behind, and marks between code and data: no functions. */
static bool is_label(const char *s, size_t n)
{
	return n && (s[0] == '$' || (n > 1 && s[0] == '.' && s[1] == 'L'));
}

int leat_table_cand_name(const struct leat_table *t, const struct leat_cand *c,
			 struct leat_buf *out)
{
	size_t start = out->len, best_len = 0;

	/* The best so far stands at @start, the next one behind it. */
	for (size_t i = 0; i < c->name_cnt; i++) {
		size_t at = out->len, n;
		int err = leat_table_string(t, c->names[i], out);

		if (err)
			return err;
		n = out->len - at;
		if (n && !is_label(out->data + at, n) &&
		    (!best_len ||
		     is_better_alias(out->data + at, n, out->data + start, best_len))) {
			memmove(out->data + start, out->data + at, n);
			best_len = n;
		}
		out->len = start + best_len;
	}
	return best_len ? 0 : -EBADMSG;
}
