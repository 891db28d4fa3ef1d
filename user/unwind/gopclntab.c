/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sp's distance means: CFA = sp + distance + 8. The caller's fp lies at CFA - 16 when the
 * function has begun with "push rbp" (Go 1.21 and later; before, it is stored an instruction after
 * sp has moved, so it counts as lost). Functions of the runtime that change stacks are known by
 * name, for no table says where the other stack is:
 *
 *	systemstack, asmcgocall, keep the frame of the stack that they leave in rbp, so they are left
 *	cgocallback, and those	 by it
 *	that call the vDSO
 *	mcall, morestack	the goroutine is put aside; what runs on is the scheduler: a root
 *	goexit, mstart, rt0_go	roots, which the table marks as such from Go 1.17 on
 *	asyncPreempt, sigpanic	were put in by a signal's handler: their caller's pc is exact
 *	others that write sp	(gogo, ...) have no rule
 */
#include "unwind/gopclntab.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"

#define ALIGN_MAX 32 /* functions begin at multiples of it */
#define MAGIC_12  0xfffffffbu
#define MAGIC_116 0xfffffffau
#define MAGIC_118 0xfffffff0u
#define MAGIC_120 0xfffffff1u

/* Bits of a function's flag. */
#define FLAG_TOP_FRAME 1u
#define FLAG_SP_WRITE  2u

#define GO_FUNCS_MAX ((uint64_t)4 << 20)
#define CODE_MAX     ((uint64_t)512 << 20)
#define HEAD_TEXT    24 /* where 1.18 to 1.25 say where the text begins */
/* Words of runtime.moduledata before .text: pcHeader, six slices, findfunctab, minpc, maxpc. */
#define MODULE_TEXT_WORD 22

static bool is_offsets(const struct leat_gopcln *g)
{
	return g->magic == MAGIC_118 || g->magic == MAGIC_120;
}

static bool word_at(const struct leat_gopcln *g, uint64_t off, uint64_t *out)
{
	if (off > g->len || g->len - off < sizeof(*out))
		return false;
	memcpy(out, g->data + off, sizeof(*out));
	return true;
}

static bool u32_at(const struct leat_gopcln *g, uint64_t off, uint32_t *out)
{
	if (off > g->len || g->len - off < sizeof(*out))
		return false;
	memcpy(out, g->data + off, sizeof(*out));
	return true;
}

/* ---- header ---- */

static bool parse_offsets(struct leat_gopcln *g)
{
	/* nfunc, nfiles, [text,] names, cu, files, pctab, functab */
	size_t skip = is_offsets(g) ? 1 : 0;

	if (is_offsets(g) && !word_at(g, HEAD_TEXT, &g->text))
		return false;
	return word_at(g, 24 + 8 * skip, &g->names_off) &&
	       word_at(g, 24 + 8 * (skip + 3), &g->pctab_off) &&
	       word_at(g, 24 + 8 * (skip + 4), &g->functab_off) && g->names_off < g->len &&
	       g->pctab_off < g->len && g->functab_off < g->len;
}

int leat_gopcln_parse(struct leat_gopcln *g, const void *data, size_t len, uint64_t text)
{
	uint64_t room;

	*g = (struct leat_gopcln){ .data = data, .len = len };
	if (!u32_at(g, 0, &g->magic) || !word_at(g, 8, &g->func_cnt))
		return -EBADMSG;
	if (g->magic != MAGIC_12 && g->magic != MAGIC_116 && !is_offsets(g))
		return -ENOTSUP;
	if (g->data[4] || g->data[5])
		return -EBADMSG;
	g->min_lc = g->data[6];
	if (g->min_lc != 1 || g->data[7] != 8)
		return -ENOTSUP;
	if (g->magic == MAGIC_12) {
		g->functab_off = 16;
	} else if (!parse_offsets(g)) {
		return -EBADMSG;
	}
	room = (g->len - g->functab_off) / (is_offsets(g) ? 8 : 16);
	if (g->func_cnt > GO_FUNCS_MAX)
		return -EOVERFLOW;
	if (!g->func_cnt || g->func_cnt >= room)
		return -EBADMSG;
	if (is_offsets(g) && !g->text)
		g->text = text;
	return 0;
}

/* ---- functions ---- */

/* Start of function @i (cnt: the end of the last one), and the place of what is said of it. */
static bool function_at(const struct leat_gopcln *g, uint64_t i, uint64_t *pc, uint64_t *func)
{
	uint32_t pc32, func32 = 0;
	uint64_t off = 0;

	if (is_offsets(g)) {
		if (!u32_at(g, g->functab_off + i * 8, &pc32) ||
		    (i < g->func_cnt && !u32_at(g, g->functab_off + i * 8 + 4, &func32)))
			return false;
		*pc = g->text + pc32;
		off = func32;
	} else if (!word_at(g, g->functab_off + i * 16, pc) ||
		   (i < g->func_cnt && !word_at(g, g->functab_off + i * 16 + 8, &off))) {
		return false;
	}
	*func = g->magic == MAGIC_12 ? off : g->functab_off + off;
	return *func < g->len;
}

int leat_gopcln_scan(struct leat_gopcln *g, struct leat_fdes *out)
{
	uint64_t start, end, func, next_func;
	int err;

	if (g->len > UINT32_MAX)
		return -EOVERFLOW;
	for (uint64_t i = 0; i < g->func_cnt; i++) {
		if (!function_at(g, i, &start, &func) || !function_at(g, i + 1, &end, &next_func) ||
		    start >= end) {
			g->bad_cnt++;
			continue;
		}
		err = LEAT_ARRAY_ROOM(out->v, out->cap, out->n + 1, LEAT_CFI_FDES_MAX);
		if (err)
			return err;
		out->v[out->n++] = (struct leat_fde){
			.start = start, .end = end, .ins = (uint32_t)func, .source = g->source
		};
	}
	return 0;
}

struct func {
	uint32_t pcsp; /* place of its table in pctab */
	uint32_t flag;
	const char *name; /* NUL-terminated, "" when not readable */
};

static const char *name_at(const struct leat_gopcln *g, uint64_t off)
{
	uint64_t at = g->names_off + off; /* 1.2: from the start of all */

	if (at < off || at >= g->len || !memchr(g->data + at, 0, g->len - at))
		return "";
	return (const char *)g->data + at;
}

static bool read_func(const struct leat_gopcln *g, uint64_t at, struct func *f)
{
	const uint64_t entry_bytes = is_offsets(g) ? 4 : 8;
	/* entry, name, args, deferreturn, pcsp, pcfile, pcln, npcdata, cu, [start line,] id, flag */
	const uint64_t flag_at = at + 36 + (g->magic == MAGIC_120 ? 4 : 0) + 1;
	uint32_t name;

	f->flag = 0;
	if (!u32_at(g, at + entry_bytes, &name) || !u32_at(g, at + entry_bytes + 12, &f->pcsp))
		return false;
	if (is_offsets(g)) {
		if (flag_at >= g->len)
			return false;
		f->flag = g->data[flag_at];
	}
	f->name = name_at(g, name);
	return true;
}

/* The same function in either calling convention. Asked of each function, and nearly never so. */
static inline bool is_named(const struct func *f, const char *name)
{
	const size_t n = strlen(name);

	return f->name[0] == name[0] && strncmp(f->name, name, n) == 0 &&
	       (!f->name[n] || strcmp(f->name + n, ".abi0") == 0);
}

/*
 * Functions that run a part of themselves on another stack, and use rbp for nothing else meanwhile.
 * Before 1.17 time.now was an ordinary one, and there were no flags.
 */
static bool keeps_frame(const struct func *f)
{
	if (is_named(f, "runtime.systemstack") || is_named(f, "runtime.asmcgocall"))
		return true;
	return (f->flag & FLAG_SP_WRITE) &&
	       (is_named(f, "runtime.cgocallback") || is_named(f, "runtime.nanotime1") ||
		is_named(f, "time.now") || is_named(f, "runtime.vgetrandom1"));
}

enum kind { PLAIN, INJECTED, ROOT, SIGRETURN, SWITCHES, PARKS, RESUMES, UNKNOWN };

static enum kind kind_of(const struct func *f)
{
	if (is_named(f, "runtime.sigreturn__sigaction") || is_named(f, "runtime.sigreturn"))
		return SIGRETURN;
	if (strncmp(f->name, "runtime.sigtramp", 16) == 0)
		return PLAIN; /* marked as a root, but what it has interrupted is above */
	if (keeps_frame(f))
		return SWITCHES;
	if (is_named(f, "runtime.asyncPreempt") || is_named(f, "runtime.sigpanic"))
		return INJECTED;
	if (is_named(f, "runtime.mcall") || is_named(f, "runtime.morestack"))
		return PARKS;
	if (is_named(f, "runtime.gogo") || is_named(f, "gogo"))
		return RESUMES;
	if ((f->flag & FLAG_TOP_FRAME) || is_named(f, "runtime.goexit") ||
	    is_named(f, "runtime.rt0_go") || is_named(f, "runtime.mstart") ||
	    strncmp(f->name, "_rt0_", 5) == 0)
		return ROOT;
	return f->flag & FLAG_SP_WRITE ? UNKNOWN : PLAIN;
}

/* Whether the code at @pc is these bytes. */
static bool code_is(const struct leat_gopcln *g, uint64_t pc, const void *bytes, size_t n)
{
	return g->code && pc >= g->code_vaddr && pc - g->code_vaddr < g->code_len &&
	       g->code_len - (pc - g->code_vaddr) >= n &&
	       memcmp(g->code + (pc - g->code_vaddr), bytes, n) == 0;
}

/* ---- rows ---- */

struct go_run {
	const struct leat_gopcln *g;
	struct leat_unwind_rules *rules;
	struct leat_rows *out;
	uint64_t start;
	enum kind kind;
	bool decided;  /* what pushed is about */
	bool pushed;   /* the caller's fp is at CFA - 16 */
	uint64_t load; /* of PARKS, RESUMES: where it loads sp */
};

static bool next_varint(struct leat_reader *r, uint32_t *out)
{
	uint64_t v;

	if (leat_reader_uleb128(r, &v) || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

static uint32_t plain_rule(struct go_run *x, uint64_t pc, int64_t distance)
{
	struct leat_unwind_rule r = { .cfa = LEAT_CFA_SP };

	if (distance < 0 || distance > LEAT_CFA_OFF_MAX - 8 || distance % 8)
		return LEAT_RULE_INVALID;
	/* Go saves no rbx. */
	r.cfa_bx = (int32_t)(distance + 8) * 256 + LEAT_BX_LOST;
	if (distance && !x->decided) {
		x->decided = true;
		x->pushed = distance == 8 && code_is(x->g, pc - 1, "\x55", 1);
	}
	if (distance) {
		r.fp = x->pushed ? LEAT_FP_CFA : LEAT_FP_LOST;
		r.fp_off = x->pushed ? -2 : 0;
	}
	/* A signal's handler has made a call of it: what it returns to is no return address. */
	if (x->kind == INJECTED)
		r.fp |= LEAT_FP_EXACT;
	return leat_unwind_rules_intern(x->rules, r);
}

static uint32_t rule_at(struct go_run *x, uint64_t pc, int64_t distance)
{
	uint32_t plain;

	switch (x->kind) {
	case ROOT:
		return LEAT_RULE_STOP;
	case SIGRETURN:
		return LEAT_RULE_SIGNAL;
	case PLAIN:
	case INJECTED:
		return plain_rule(x, pc, distance);
	case SWITCHES:
	case PARKS:
	case RESUMES:
		plain = plain_rule(x, pc, distance);
		if (!distance || !x->pushed)
			return distance ? LEAT_RULE_INVALID : plain;
		return LEAT_RULE_SWITCH;
	default:
		return LEAT_RULE_INVALID;
	}
}

/* "mov (%reg), %rsp", "mov n(%reg), %rsp": from the next instruction on it is another stack. */
static bool loads_sp(const struct leat_gopcln *g, uint64_t pc)
{
	uint8_t mode;

	if (!code_is(g, pc, "\x48\x8b", 2) && !code_is(g, pc, "\x49\x8b", 2))
		return false;
	if (g->code_len - (pc - g->code_vaddr) < 3)
		return false;
	mode = g->code[pc - g->code_vaddr + 2] & 0xf8;
	return mode == 0x20 || mode == 0x60;
}

/*
 * "push rbp; mov rbp, rsp" in a function that changes stacks: before the second one rbp still is the
 * caller's, and sp is where the table says.
 */
static void put(struct go_run *x, uint64_t pc, uint64_t end, int64_t distance)
{
	uint32_t rule = rule_at(x, pc, distance);

	if (rule == LEAT_RULE_SWITCH && pc == x->start + 1) {
		if (!code_is(x->g, pc, "\x48\x89\xe5", 3))
			rule = LEAT_RULE_INVALID;
		leat_rows_add(x->out, pc, plain_rule(x, pc, distance));
		pc += 3;
	}
	if (pc >= end)
		return;
	leat_rows_add(x->out, pc, rule);
	if (x->load < end)
		leat_rows_add(x->out, x->load < pc ? pc : x->load + 1,
			      x->kind == PARKS ? LEAT_RULE_STOP : LEAT_RULE_INVALID);
}

/* All three functions are shorter in every Go; what a file claims of them may be any length. */
#define LOAD_WITHIN 4096u

/* Where the code of a function ends for a search: in the code that there is. */
static uint64_t search_end(const struct leat_gopcln *g, uint64_t start, uint64_t end)
{
	uint64_t left;

	if (!g->code || start < g->code_vaddr || start - g->code_vaddr >= g->code_len)
		return start;
	left = g->code_len - (start - g->code_vaddr);
	left = left < LOAD_WITHIN ? left : LOAD_WITHIN;
	return end > start && end - start > left ? start + left : end;
}

/*
 * Until mcall loads sp the goroutine's frame is in rbp, and morestack and gogo have none. From then on
 * mcall and morestack are the outermost frame of the scheduler's stack, for what they call does not
 * return; gogo is on the stack of whom it resumes. Where no load is found, nothing is known, but of a
 * gogo that the table says leaves that to another function.
 */
static void find_load(struct go_run *x, uint64_t end, uint32_t flag)
{
	x->load = UINT64_MAX;
	if (x->kind != PARKS && x->kind != RESUMES)
		return;
	end = search_end(x->g, x->start, end);
	for (uint64_t pc = x->start; pc < end; pc++) {
		if (loads_sp(x->g, pc)) {
			x->load = pc;
			return;
		}
	}
	x->kind = x->kind == RESUMES && is_offsets(x->g) && !(flag & FLAG_SP_WRITE) ? PLAIN
										    : UNKNOWN;
}

bool leat_gopcln_rows(const struct leat_gopcln *g, const struct leat_fde *f, uint64_t end,
		      struct leat_unwind_rules *rules, struct leat_rows *out)
{
	struct go_run x = { .g = g, .rules = rules, .out = out, .start = f->start };
	struct leat_reader r = leat_reader_of(g->data, g->len);
	uint64_t pc = f->start, next;
	int64_t distance = -1;
	uint32_t change, units;
	bool ended = false;
	struct func func;

	if (!read_func(g, f->ins, &func) ||
	    leat_reader_seek(&r, g->pctab_off + func.pcsp < g->len ? g->pctab_off + func.pcsp
								   : g->len)) {
		leat_rows_add(out, pc, LEAT_RULE_INVALID);
		return false;
	}
	x.kind = kind_of(&func);
	find_load(&x, end, func.flag);
	/* A handler returns to its first byte, and is looked up one below: there is padding. */
	if (x.kind == SIGRETURN && pc)
		leat_rows_add(out, pc - 1, LEAT_RULE_SIGNAL);
	if (x.kind == ROOT || x.kind == SIGRETURN || x.kind == UNKNOWN || !func.pcsp) {
		leat_rows_add(out, pc,
			      func.pcsp || x.kind == ROOT ? rule_at(&x, pc, 0) : LEAT_RULE_INVALID);
		return true;
	}
	while (pc < end) {
		if (!next_varint(&r, &change))
			break;
		/* Where the code ends; padding follows up to the next function. */
		if (!change && pc != f->start) {
			ended = end - pc < ALIGN_MAX;
			break;
		}
		if (!next_varint(&r, &units) || !units)
			break;
		distance += change & 1 ? -(int64_t)(change >> 1) - 1 : (int64_t)(change >> 1);
		next = pc + (uint64_t)units * g->min_lc;
		put(&x, pc, next < end ? next : end, distance);
		pc = next;
	}
	if (pc < end)
		leat_rows_add(out, pc, LEAT_RULE_INVALID);
	return ended || pc >= end;
}

/* ---- where it is ---- */

static bool looks_like(const uint8_t *p)
{
	uint32_t magic;

	memcpy(&magic, p, sizeof(magic));
	return (magic == MAGIC_12 || magic == MAGIC_116 || magic == MAGIC_118 ||
		magic == MAGIC_120) &&
	       p[4] == 0 && p[5] == 0 && p[6] == 1 && p[7] == 8;
}

/* In a file without sections: aligned to 8, in what is loaded and holds no code. */
static int search(struct leat_elf *e, const uint8_t **data, size_t *len)
{
	struct leat_gopcln try;

	for (size_t i = 0; i < leat_elf_phdr_cnt(e); i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(e, i);
		const uint8_t *d;
		int err;

		if (p->type != PT_LOAD || (p->flags & PF_X) || p->filesz < 16)
			continue;
		err = leat_elf_at_vaddr(e, p->vaddr, p->filesz, &d);
		if (err == -ENOMEM)
			return err;
		if (err)
			continue;
		for (uint64_t at = (0 - p->vaddr) & 7; at + 16 <= p->filesz; at += 8) {
			if (!looks_like(d + at) ||
			    leat_gopcln_parse(&try, d + at, p->filesz - at, 1))
				continue;
			*data = d + at;
			*len = p->filesz - at;
			return 0;
		}
	}
	return -ENOENT;
}

static const struct leat_elf_section *table_section(const struct leat_elf *e)
{
	const struct leat_elf_section *s = leat_elf_section_find(e, ".gopclntab");

	return s ? s : leat_elf_section_find(e, ".data.rel.ro.gopclntab");
}

static int find(struct leat_elf *e, const uint8_t **data, size_t *len)
{
	const struct leat_elf_section *s = table_section(e);

	if (s)
		return leat_elf_section_data(e, s, data, len);
	return leat_elf_section_cnt(e) ? -ENOENT : search(e, data, len);
}

/* Since 1.26 the table does not say where the text begins. */
static uint64_t text_by_entry(const struct leat_gopcln *g, const struct leat_elf *e)
{
	uint64_t func, start;
	struct func f;

	for (uint64_t i = 0; i < g->func_cnt; i++) {
		if (function_at(g, i, &start, &func) && read_func(g, func, &f) &&
		    strcmp(f.name, "_rt0_amd64_linux") == 0)
			return leat_elf_entry(e) - (start - g->text);
	}
	return 0;
}

static uint64_t text_by_symbol(struct leat_elf *e)
{
	struct leat_elf_symtab t;
	struct leat_elf_sym s;

	if (leat_elf_symtab(e, false, &t))
		return 0;
	for (size_t i = 0; i < t.cnt; i++) {
		leat_elf_sym_at(&t, i, &s);
		if (strcmp(s.name, "runtime.text") == 0)
			return s.value;
	}
	return 0;
}

/* In a position-independent file the word at @vaddr may be its relocation's; 0: it is not. */
static uint64_t relocated(struct leat_elf *e, uint64_t vaddr)
{
	const struct leat_elf_section *s = leat_elf_section_find(e, ".rela.dyn");
	const uint8_t *d;
	size_t n;

	if (!s || leat_elf_section_data(e, s, &d, &n))
		return 0;
	for (size_t at = 0; at + sizeof(Elf64_Rela) <= n; at += sizeof(Elf64_Rela)) {
		Elf64_Rela r;

		memcpy(&r, d + at, sizeof(r));
		if (r.r_offset == vaddr && ELF64_R_TYPE(r.r_info) == R_X86_64_RELATIVE)
			return (uint64_t)r.r_addend;
	}
	return 0;
}

static uint64_t text_by_module(struct leat_elf *e)
{
	const struct leat_elf_section *s = leat_elf_section_find(e, ".go.module");
	const uint8_t *d;
	uint64_t text;
	size_t n;

	if (!s || leat_elf_section_data(e, s, &d, &n) || n < 8 * (MODULE_TEXT_WORD + 1))
		return 0;
	memcpy(&text, d + 8 * MODULE_TEXT_WORD, sizeof(text));
	return text ? text : relocated(e, s->addr + 8 * MODULE_TEXT_WORD);
}

/* Until 1.25 the table says it, and in a position-independent file by a relocation. */
static uint64_t text_by_table(struct leat_elf *e)
{
	const struct leat_elf_section *s = table_section(e);

	return s ? relocated(e, s->addr + HEAD_TEXT) : 0;
}

static bool is_code(const struct leat_elf *e, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < leat_elf_phdr_cnt(e); i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(e, i);

		if (p->type == PT_LOAD && (p->flags & PF_X) && start >= p->vaddr &&
		    end - p->vaddr <= p->memsz)
			return true;
	}
	return false;
}

/* Whether the functions lie in the file's code when the text begins at @text. */
static bool text_fits(struct leat_gopcln *g, const struct leat_elf *e, uint64_t text)
{
	uint64_t first, last, func;

	if (!text)
		return false;
	g->text = text;
	return function_at(g, 0, &first, &func) && function_at(g, g->func_cnt, &last, &func) &&
	       first < last && is_code(e, first, last);
}

static bool find_text(struct leat_gopcln *g, struct leat_elf *e)
{
	if (!is_offsets(g))
		return true;
	if (g->text)
		return text_fits(g, e, g->text);
	return text_fits(g, e, text_by_symbol(e)) || text_fits(g, e, text_by_module(e)) ||
	       text_fits(g, e, text_by_table(e)) ||
	       (g->text = 0, text_fits(g, e, text_by_entry(g, e)));
}

/* The code itself, to see how functions begin. */
static void find_code(struct leat_gopcln *g, struct leat_elf *e)
{
	uint64_t first, last, func, room;

	if (!function_at(g, 0, &first, &func) || !function_at(g, g->func_cnt, &last, &func) ||
	    first >= last || leat_elf_room_at_vaddr(e, first, &room))
		return;
	room = room < last - first ? room : last - first;
	if (room > CODE_MAX || leat_elf_at_vaddr(e, first, room, &g->code))
		g->code = NULL;
	g->code_vaddr = first;
	g->code_len = g->code ? room : 0;
}

int leat_gopcln_open(struct leat_gopcln *g, struct leat_elf *e)
{
	const uint8_t *data;
	size_t len;
	int err = find(e, &data, &len);

	if (!err)
		err = leat_gopcln_parse(g, data, len, 0);
	if (err)
		return err;
	if (!find_text(g, e))
		return -EBADMSG;
	find_code(g, e);
	return 0;
}
