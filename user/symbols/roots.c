/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/roots.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Functions of the C library that are looked into are smaller. */
#define FUNCTION_MAX ((size_t)32 << 10)
/* A table of names that is larger is not read for the sake of roots. */
#define NAMES_MAX ((uint64_t)64 << 20)
/* An entry point without an FDE: as far as the next function, and no further (glibc's has 61). */
#define ENTRY_MAX   64
#define TARGETS_MAX 256

enum name_use {
	USE_NONE = 0,
	USE_ROOT = 1,	 /* nothing calls it */
	USE_RETURNS = 2, /* a return into it is the outermost frame */
	USE_NO_CALL = 3, /* as USE_ROOT; entered by a return address that was made up */
	USE_END = 4,	 /* takes a result and ends */
	USE_START = 5,	 /* starts the program */
	USE_CREATE = 6,	 /* starts a thread */
};

static const struct {
	const char *name;
	enum name_use use;
	bool is_prefix;
} names[] = {
	{ "_start", USE_ROOT, false },
	{ "_start_c", USE_ROOT, false },
	{ "_dl_start_user", USE_ROOT, false },
	{ "__libc_start_main", USE_START, false },
	{ "__libc_start_call_main", USE_ROOT, false },
	{ "libc_start_main_stage2", USE_ROOT, false },
	{ "start_thread", USE_ROOT, false },
	{ "clone", USE_RETURNS, false },
	{ "__clone", USE_RETURNS, false },
	{ "__clone3", USE_RETURNS, false },
	{ "clone3", USE_RETURNS, false },
	{ "exit", USE_END, false },
	{ "_exit", USE_END, false },
	{ "pthread_exit", USE_END, false },
	{ "thrd_exit", USE_END, false },
	{ "pthread_create", USE_CREATE, false },
	{ "runtime.goexit", USE_NO_CALL, true },
	{ "runtime.rt0_go", USE_ROOT, true },
	{ "runtime.mstart", USE_ROOT, true },
	{ "_rt0_", USE_ROOT, true },
};

/* A symbol that something is to be done about. */
struct seed {
	uint64_t value, size;
	enum name_use use;
};

struct finder {
	struct leat_elf *elf;
	struct leat_roots *roots;
	struct seed seeds[8]; /* USE_START and USE_CREATE */
	size_t seed_cnt;
	uint8_t *code;	 /* FUNCTION_MAX bytes, of the function that is looked into */
	uint8_t *callee; /* the same, of one that it refers to */
};

static enum name_use use_of(const char *name)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i].name);

		if (strncmp(name, names[i].name, n) == 0 && (names[i].is_prefix || !name[n]))
			return names[i].use;
	}
	return USE_NONE;
}

static void add_range(struct leat_roots *r, uint64_t start, uint64_t end, enum name_use use)
{
	struct leat_root root = {
		.start = start,
		.end = end,
		.returns_only = use == USE_RETURNS,
		.no_call = use == USE_NO_CALL,
	};

	for (size_t i = 0; i < r->n; i++) {
		if (r->ranges[i].start == start && r->ranges[i].end == end)
			return;
	}
	if (r->n < LEAT_ROOTS_MAX && start < end)
		r->ranges[r->n++] = root;
}

static void add_end(struct leat_roots *r, uint64_t vaddr)
{
	for (size_t i = 0; i < r->end_cnt; i++) {
		if (r->ends[i] == vaddr)
			return;
	}
	if (r->end_cnt < LEAT_ARRAY_SIZE(r->ends))
		r->ends[r->end_cnt++] = vaddr;
}

/* The bounds of the function at @start: by its FDE, else as far as the symbol says. */
static int bounds(struct finder *f, uint64_t start, uint64_t size, uint64_t *end)
{
	uint64_t fde_start, fde_end;
	int err = leat_elf_fde_find(f->elf, start, &fde_start, &fde_end);

	if (err == -ENOMEM)
		return err;
	*end = start + size;
	if (!err && fde_start == start && fde_end > *end)
		*end = fde_end;
	return *end > start ? 0 : -ENOENT;
}

static int take_symbol(struct finder *f, const struct leat_elf_sym *sym)
{
	enum name_use use = use_of(sym->name);
	struct leat_roots *r = f->roots;
	uint64_t end;
	int err;

	if (use == USE_NONE)
		return 0;
	if (use == USE_END) {
		add_end(r, sym->value);
		return 0;
	}
	err = bounds(f, sym->value, sym->size, &end);
	if (err)
		return err == -ENOMEM ? err : 0;
	if (use == USE_CREATE || use == USE_START) {
		if (f->seed_cnt < LEAT_ARRAY_SIZE(f->seeds))
			f->seeds[f->seed_cnt++] =
				(struct seed){ sym->value, end - sym->value, use };
	}
	if (use != USE_CREATE)
		add_range(r, sym->value, end, use);
	return 0;
}

static int take_symbols(struct finder *f, bool dynamic)
{
	struct leat_elf_symtab t;
	struct leat_elf_sym sym;
	int err = leat_elf_symtab(f->elf, dynamic, &t);

	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < t.cnt && !err; i++) {
		leat_elf_sym_at(&t, i, &sym);
		if (sym.shndx != SHN_UNDEF && (sym.type == STT_FUNC || sym.type == STT_NOTYPE) &&
		    *sym.name)
			err = take_symbol(f, &sym);
	}
	return err;
}

static bool is_text(const struct leat_elf *e, uint64_t vaddr)
{
	for (size_t i = 0; i < leat_elf_phdr_cnt(e); i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(e, i);

		if (p->type == PT_LOAD && (p->flags & PF_X) && vaddr >= p->vaddr &&
		    vaddr - p->vaddr < p->filesz)
			return true;
	}
	return false;
}

/* The functions that one function refers to: calls and jumps, or addresses that it takes. */
struct targets {
	uint64_t at[TARGETS_MAX];
	size_t n;
};

static void add_target(struct targets *t, uint64_t at)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->at[i] == at)
			return;
	}
	if (t->n < TARGETS_MAX)
		t->at[t->n++] = at;
}

/*
 * Reads the bytes one by one, not as instructions: what is no reference leads nowhere, or to what
 * does not stand the proof.
 */
static void collect(const uint8_t *code, size_t n, uint64_t vaddr, bool taken, struct targets *out)
{
	for (size_t i = 0; i + 5 <= n; i++) {
		size_t len = 0;
		int32_t disp;

		if (!taken && (code[i] == 0xe8 || code[i] == 0xe9))
			len = 5; /* call, jmp */
		else if (taken && i + 7 <= n && (code[i] & 0xfb) == 0x48 && code[i + 1] == 0x8d &&
			 (code[i + 2] & 0xc7) == 0x05)
			len = 7; /* lea disp(%rip),%r64 */
		if (!len)
			continue;
		memcpy(&disp, code + i + len - 4, sizeof(disp));
		add_target(out, vaddr + i + len + (uint64_t)(int64_t)disp);
	}
}

/* Loads the function that starts at @vaddr; *@n is 0 when none does. */
static int load(struct finder *f, uint64_t vaddr, uint8_t *to, size_t *n)
{
	uint64_t start, end;
	int err;

	*n = 0;
	if (!is_text(f->elf, vaddr))
		return 0;
	err = leat_elf_fde_find(f->elf, vaddr, &start, &end);
	if (err == -ENOMEM)
		return err;
	if (err || start != vaddr || end - start > FUNCTION_MAX ||
	    leat_elf_copy_vaddr(f->elf, start, to, end - start))
		return 0;
	*n = end - start;
	return 0;
}

static void code_at(const uint8_t *code, size_t n, size_t at, uint64_t vaddr, struct leat_code *c)
{
	size_t before = at < LEAT_CODE_BEFORE ? at : LEAT_CODE_BEFORE;
	size_t after = n - at < LEAT_CODE_AFTER ? n - at : LEAT_CODE_AFTER;

	memset(c, 0, sizeof(*c));
	memcpy(c->before + LEAT_CODE_BEFORE - before, code + at - before, before);
	memcpy(c->after, code + at, after);
	c->before_len = (uint8_t)before;
	c->after_len = (uint8_t)after;
	c->vaddr = vaddr + at;
}

/* Calls through a pointer and gives the result to exit(), or to the system call of that name. */
static bool ends_result(const struct finder *f, const uint8_t *code, size_t n, uint64_t vaddr)
{
	uint16_t machine = leat_elf_machine(f->elf);
	struct leat_code c;

	for (size_t at = 2; at < n; at++) {
		code_at(code, n, at, vaddr, &c);
		if (leat_roots_is_end(f->roots, machine, &c))
			return true;
	}
	return false;
}

/*
 * glibc's start_thread: calls through a pointer, and ends by the system call exit, number 60, which
 * few functions make.
 */
static bool exits_thread(const uint8_t *code, size_t n)
{
	static const uint8_t number[] = { 0x3c, 0, 0, 0 };
	bool calls = false, exits = false;

	for (size_t i = 0; i + 7 <= n; i++) {
		calls |= code[i] == 0xff && ((code[i + 1] >> 3) & 7) == 2;
		if (exits || (code[i] & 0xf8) != 0xb8 || memcmp(code + i + 1, number, 4) != 0)
			continue;
		for (size_t k = i + 5; k + 2 <= n && k < i + 64 && !exits; k++)
			exits = code[k] == 0x0f && code[k + 1] == 0x05;
	}
	return calls && exits;
}

/* The function that calls main: what starts the program, or one that it calls. */
static int find_main_caller(struct finder *f, const struct seed *s)
{
	struct targets t = { .n = 0 };
	size_t n;
	int err = 0;

	if (s->size > FUNCTION_MAX || leat_elf_copy_vaddr(f->elf, s->value, f->code, s->size))
		return 0;
	collect(f->code, s->size, s->value, false, &t);
	collect(f->code, s->size, s->value, true, &t);
	for (size_t i = 0; i < t.n && !err; i++) {
		err = load(f, t.at[i], f->callee, &n);
		if (!err && n && ends_result(f, f->callee, n, t.at[i]))
			add_range(f->roots, t.at[i], t.at[i] + n, USE_ROOT);
	}
	return err;
}

/* The functions whose address one function takes, if they end a thread. */
static int find_taken(struct finder *f, const uint8_t *code, size_t n, uint64_t vaddr)
{
	struct targets t = { .n = 0 };
	size_t len;
	int err = 0;

	collect(code, n, vaddr, true, &t);
	for (size_t i = 0; i < t.n && !err; i++) {
		/* @code may be f->callee: it has served. */
		err = load(f, t.at[i], f->callee, &len);
		if (!err && len &&
		    (exits_thread(f->callee, len) || ends_result(f, f->callee, len, t.at[i])))
			add_range(f->roots, t.at[i], t.at[i] + len, USE_ROOT);
	}
	return err;
}

/* A thread's first function: its address is taken by pthread_create, or by one that it calls. */
static int find_thread_entry(struct finder *f, const struct seed *s)
{
	struct targets t = { .n = 0 };
	size_t n;
	int err;

	if (s->size > FUNCTION_MAX || leat_elf_copy_vaddr(f->elf, s->value, f->code, s->size))
		return 0;
	err = find_taken(f, f->code, s->size, s->value);
	collect(f->code, s->size, s->value, false, &t);
	for (size_t i = 0; i < t.n && !err; i++) {
		err = load(f, t.at[i], f->callee, &n);
		if (!err && n)
			err = find_taken(f, f->callee, n, t.at[i]);
	}
	return err;
}

static bool has_interpreter(const struct leat_elf *e)
{
	for (size_t i = 0; i < leat_elf_phdr_cnt(e); i++) {
		if (leat_elf_phdr_at(e, i)->type == PT_INTERP)
			return true;
	}
	return false;
}

/* Old linkers give libraries an entry point too, their first code, whatever that is. */
static bool is_started_at_entry(struct leat_elf *e, const char *base)
{
	if (leat_elf_type(e) == ET_EXEC || has_interpreter(e))
		return true;
	return strncmp(base, "ld-", 3) == 0 || strncmp(base, "ld.", 3) == 0 || !strstr(base, ".so");
}

static int find_entry(struct finder *f, const char *base)
{
	uint64_t entry = leat_elf_entry(f->elf), start, end;
	int err;

	if (!entry || !is_text(f->elf, entry) || !is_started_at_entry(f->elf, base))
		return 0;
	err = leat_elf_fde_find(f->elf, entry, &start, &end);
	if (err == -ENOMEM)
		return err;
	if (!err) {
		add_range(f->roots, start, end, USE_ROOT);
		return 0;
	}
	/* Assembly without an FDE: it ends where the next function with one begins. */
	for (end = entry + 1; end < entry + ENTRY_MAX; end++) {
		if (end % 16 == 0 && leat_elf_fde_find(f->elf, end, &start, &start) == 0)
			break;
	}
	add_range(f->roots, entry, end, USE_ROOT);
	return 0;
}

/* Whether the C library, or a run-time of its kind, may be in this file. */
static bool has_runtime(const struct leat_elf *e, const char *base)
{
	static const char *const bases[] = { "libc.", "libc-", "libpthread", "ld-musl", "libc6" };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(bases); i++) {
		if (strncmp(base, bases[i], strlen(bases[i])) == 0)
			return true;
	}
	return !strstr(base, ".so") &&
	       (!has_interpreter(e) || leat_elf_section_find(e, ".go.buildinfo") ||
		leat_elf_section_find(e, ".note.go.buildid"));
}

static bool has_small_names(const struct leat_elf *e)
{
	for (size_t i = 0; i < leat_elf_section_cnt(e); i++) {
		const struct leat_elf_section *s = leat_elf_section_at(e, i);

		if ((s->type == SHT_SYMTAB || s->type == SHT_STRTAB) && s->size > NAMES_MAX)
			return false;
	}
	return true;
}

static int find_in_runtime(struct finder *f)
{
	int err = 0;

	if (!has_small_names(f->elf))
		return 0;
	err = take_symbols(f, true);
	if (!err)
		err = take_symbols(f, false);
	if (err || leat_elf_machine(f->elf) != EM_X86_64)
		return err;
	f->code = malloc(2 * FUNCTION_MAX);
	if (!f->code)
		return -ENOMEM;
	f->callee = f->code + FUNCTION_MAX;
	for (size_t i = 0; i < f->seed_cnt && !err; i++) {
		const struct seed *s = &f->seeds[i];

		err = s->use == USE_START ? find_main_caller(f, s) : find_thread_entry(f, s);
	}
	free(f->code);
	return err;
}

int leat_roots_find(struct leat_roots *r, struct leat_elf *e, const char *base)
{
	struct finder f = { .elf = e, .roots = r };
	int err;

	memset(r, 0, sizeof(*r));
	err = find_entry(&f, base);
	if (!err && has_runtime(e, base))
		err = find_in_runtime(&f);
	return err;
}

const struct leat_root *leat_roots_at(const struct leat_roots *r, uint64_t vaddr, bool is_return)
{
	const struct leat_root *found = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct leat_root *root = &r->ranges[i];

		if (vaddr < root->start || vaddr >= root->end || (root->returns_only && !is_return))
			continue;
		/* What is known by name says more than a guess at where the entry point ends. */
		if (!found || root->no_call)
			found = root;
	}
	return found;
}

bool leat_roots_is_end(const struct leat_roots *r, uint16_t machine, const struct leat_code *c)
{
	uint64_t target;

	if (!leat_code_call(machine, c).indirect)
		return false;
	if (leat_code_is_thread_end(machine, c))
		return true;
	if (!leat_code_passes_result(machine, c, &target))
		return false;
	for (size_t i = 0; i < r->end_cnt; i++) {
		if (r->ends[i] == target)
			return true;
	}
	return false;
}
