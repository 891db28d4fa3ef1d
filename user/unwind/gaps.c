/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/gaps.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "unwind/x86.h"

#define STARTS_MAX  ((size_t)1 << 20)
#define SYMBOLS_MAX ((size_t)4 << 20)
#define ENTRY_BYTES 48 /* in which the entry point names main */

void leat_gaps_fini(struct leat_gaps *g)
{
	leat_flow_free(&g->flow);
	free(g->starts);
	free(g->ends);
	*g = (struct leat_gaps){ 0 };
}

static bool is_described(const struct leat_fdes *f, uint64_t vaddr)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->v[mid].start <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && vaddr < f->v[low - 1].end;
}

/* What there is no room for is found by looking at the code, or is not found. */
static int add(struct leat_gaps *g, const struct leat_fdes *fdes, uint64_t vaddr)
{
	if (g->start_cnt == STARTS_MAX || is_described(fdes, vaddr))
		return 0;
	if (LEAT_ARRAY_ROOM(g->starts, g->start_cap, g->start_cnt + 1, STARTS_MAX))
		return -ENOMEM;
	g->starts[g->start_cnt++] = vaddr;
	return 0;
}

static int add_symbols(struct leat_gaps *g, const struct leat_fdes *fdes, bool dynamic)
{
	struct leat_elf_symtab t;
	struct leat_elf_sym s;
	int err = leat_elf_symtab(g->elf, dynamic, &t);

	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < t.cnt && i < SYMBOLS_MAX && !err; i++) {
		leat_elf_sym_at(&t, i, &s);
		if ((s.type == STT_FUNC || s.type == STT_GNU_IFUNC) && s.shndx != SHN_UNDEF)
			err = add(g, fdes, s.value);
	}
	return err;
}

/*
 * The C library is told main's address as the first argument, by the entry point or by what that
 * calls (musl). Where to look next; 0 nowhere.
 */
static uint64_t find_main(struct leat_gaps *g, uint64_t vaddr)
{
	uint8_t code[ENTRY_BYTES];
	struct leat_x86_insn i;

	if (!vaddr || leat_elf_copy_vaddr(g->elf, vaddr, code, sizeof(code)))
		return 0;
	for (size_t at = 0; at < sizeof(code); at += i.len) {
		if (!leat_x86_decode(code + at, sizeof(code) - at, &i) || i.op == LEAT_X86_END)
			break;
		if (i.op == LEAT_X86_CALL || i.op == LEAT_X86_JUMP)
			return i.base == LEAT_X86_IP ? vaddr + at + i.len + (uint64_t)i.imm : 0;
		if (i.op != LEAT_X86_ADDRESS || i.reg != LEAT_X86_DI)
			continue;
		g->main = (uint64_t)i.imm + (i.base == LEAT_X86_IP ? vaddr + at + i.len : 0);
		return 0;
	}
	return 0;
}

static void add_main(struct leat_gaps *g)
{
	uint64_t vaddr = leat_elf_entry(g->elf);

	for (int hops = 0; hops < 3 && vaddr; hops++)
		vaddr = find_main(g, vaddr);
}

static bool never_returns(const char *name)
{
	static const char *const names[] = { "abort",
					     "exit",
					     "_exit",
					     "_Exit",
					     "quick_exit",
					     "__assert_fail",
					     "__assert",
					     "longjmp",
					     "_longjmp",
					     "siglongjmp",
					     "__longjmp_chk",
					     "pthread_exit",
					     "__stack_chk_fail",
					     "__chk_fail",
					     "__fortify_fail",
					     "__cxa_throw",
					     "__cxa_rethrow",
					     "__cxa_throw_bad_array_new_length",
					     "_Unwind_Resume",
					     "_ZSt9terminatev",
					     "err",
					     "errx",
					     "verr",
					     "verrx" };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return strncmp(name, "_ZSt", 4) == 0 && strstr(name, "__throw_") != NULL;
}

static int add_ends(struct leat_gaps *g)
{
	LEAT_FREE struct leat_elf_plt *plt = NULL;
	size_t n = 0;
	int err = leat_elf_plt(g->elf, &plt, &n);

	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < n; i++) {
		if (!never_returns(plt[i].name))
			continue;
		if (LEAT_ARRAY_ROOM(g->ends, g->end_cap, g->end_cnt + 1, STARTS_MAX))
			return -ENOMEM;
		g->ends[g->end_cnt++] = plt[i].vaddr;
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int leat_gaps_find(struct leat_gaps *g, const struct leat_fdes *fdes)
{
	size_t n = 0;
	int err = add_symbols(g, fdes, true);

	if (!err)
		err = add_symbols(g, fdes, false);
	if (!err)
		err = add_ends(g);
	if (err || !g->start_cnt)
		return err;
	qsort(g->starts, g->start_cnt, sizeof(*g->starts), by_value);
	for (size_t i = 0; i < g->start_cnt; i++)
		if (!n || g->starts[n - 1] != g->starts[i])
			g->starts[n++] = g->starts[i];
	g->start_cnt = n;
	return 0;
}

static size_t first_start(const struct leat_gaps *g, uint64_t vaddr)
{
	size_t low = 0, high = g->starts ? g->start_cnt : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (g->starts[mid] < vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int piece(struct leat_gaps *g, const struct leat_flow_code *c,
		 struct leat_unwind_rules *rules, struct leat_rows *rows)
{
	size_t described = 0;
	int err = g->flow ? 0 : leat_flow_new(&g->flow);

	if (!err)
		err = leat_flow_rows(g->flow, c, rules, rows, &described);
	if (!err)
		g->described += described;
	return err;
}

int leat_gaps_rows(struct leat_gaps *g, uint64_t start, uint64_t end, uint32_t other,
		   struct leat_unwind_rules *rules, struct leat_rows *rows)
{
	const uint64_t entry = leat_elf_entry(g->elf);
	int err = 0;

	if (!g->bytes)
		add_main(g);
	while (start < end && !err) {
		struct leat_flow_code c = { .vaddr = start, .other = other };

		c.n = end - start < LEAT_FLOW_PIECE ? end - start : LEAT_FLOW_PIECE;
		leat_rows_add(rows, start, other);
		start += c.n;
		if (g->bytes + c.n > LEAT_GAPS_MAX ||
		    leat_elf_at_vaddr(g->elf, c.vaddr, c.n, &c.code))
			continue;
		g->bytes += c.n;
		if (leat_flow_padding(c.code, c.n) == c.n)
			continue;
		c.starts = g->starts ? &g->starts[first_start(g, c.vaddr)] : NULL;
		c.start_cnt = first_start(g, c.vaddr + c.n) - first_start(g, c.vaddr);
		c.main = g->main;
		c.ends = g->ends;
		c.end_cnt = g->end_cnt;
		c.has_entry = entry != 0;
		c.entry = entry;
		err = piece(g, &c, rules, rows);
	}
	return err;
}
