/* SPDX-License-Identifier: BSD-2-Clause */
/* Names from an ELF file and the files that belong to it. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "symbols/debug_file.h"
#include "symbols/job.h"
#include "symbols/table.h"

enum { TABLES_MAX = 3 };

struct binary {
	struct leat_job *job;
	struct leat_elf *elf;
	struct leat_elf *debug;	 /* separate debug file, or .gnu_debugdata */
	struct leat_cand *cands; /* by spot */
	struct leat_label *labels;
	struct leat_table tables[TABLES_MAX];
	unsigned int table_cnt;
};

/* A malformed file is no error of the resolution, lack of memory is. */
static int only_fatal(int err)
{
	return err == -ENOMEM ? err : 0;
}

static bool other_build(const struct leat_object *o, struct leat_elf *e)
{
	struct leat_build_id id;

	return o->build_id_len && leat_elf_build_id(e, &id) == 0 &&
	       (id.len != o->build_id_len || memcmp(id.bytes, o->build_id, id.len) != 0);
}

/* The frame offset of an address in the file's own terms. */
static uint64_t to_offset(const struct binary *b, uint64_t vaddr)
{
	uint64_t off;

	return leat_elf_vaddr_to_offset(b->elf, vaddr, &off) ? 0 : off;
}

static int add_symbol(struct binary *b, uint64_t start, struct leat_found *f, uint32_t *id)
{
	f->start = to_offset(b, start);
	f->kind = LEAT_FUNCTION_NATIVE;
	return leat_job_add(b->job, f, id);
}

static bool is_same(const struct leat_cand *a, const struct leat_cand *b)
{
	return a->name_cnt && b->name_cnt && a->value == b->value && a->size == b->size &&
	       a->names[0] == b->names[0] && a->table == b->table;
}

/* Turns the candidates of the newest table into functions. Neighbours mostly share one. */
static int settle(struct binary *b, const struct leat_table *t)
{
	struct leat_job *j = b->job;
	uint32_t id = LEAT_ID_NONE;
	size_t of = 0; /* the spot that @id was made for */

	for (size_t i = 0; i < j->spots.n; i++) {
		struct leat_found f = { .raw = j->text.len };
		int err;

		if (j->done[i] || !b->cands[i].name_cnt)
			continue;
		if (id == LEAT_ID_NONE || !is_same(&b->cands[i], &b->cands[of])) {
			id = LEAT_ID_NONE;
			of = i;
			err = leat_table_cand_name(t, &b->cands[i], &j->text);
			f.raw_len = j->text.len - f.raw;
			if (err == 0)
				err = add_symbol(b, b->cands[i].value, &f, &id);
			if (only_fatal(err) || j->text.err)
				return err;
		}
		if (id != LEAT_ID_NONE)
			leat_job_set(j, i, id);
	}
	return 0;
}

/* Looks into one table for what is still open. -ENOENT: there is no such table. */
static int use_table(struct binary *b, struct leat_elf *e, bool dynamic)
{
	struct leat_job *j = b->job;
	struct leat_table *t = &b->tables[b->table_cnt];
	struct leat_scan scan = {
		.spots = &j->spots,
		.cands = b->cands,
		.labels = b->labels,
		.done = j->done,
	};
	int err = leat_table_open(t, e, dynamic);

	if (err)
		return err;
	if (!t->cnt)
		return -ENOENT;
	t->number = (uint8_t)b->table_cnt++;
	memset(b->cands, 0, j->spots.n * sizeof(*b->cands));
	err = leat_table_scan(t, &scan);
	if (err == -ENOMEM)
		return err;
	return settle(b, t);
}

/*
 * .symtab has what .dynsym has, so the latter is looked at only for a file that was stripped. A
 * debug file is complete too; .gnu_debugdata leaves out what is in .dynsym.
 */
static int use_tables(struct binary *b)
{
	struct leat_job *j = b->job;
	int err = use_table(b, b->elf, false);

	if (err == -ENOMEM || !leat_job_is_open(j))
		return only_fatal(err);
	if (err && leat_job_object(j)->kind == LEAT_OBJECT_FILE) {
		err = leat_debug_file_open(j->files, leat_job_object(j), b->elf, &b->debug);
		if (err == -ENOENT)
			err = leat_elf_debugdata(b->elf, &b->debug);
		if (!err)
			err = use_table(b, b->debug, false);
		if (err == -ENOMEM)
			return err;
	}
	return leat_job_is_open(j) ? only_fatal(use_table(b, b->elf, true)) : 0;
}

static bool in_plt(const struct binary *b, uint64_t addr)
{
	for (size_t i = 0; i < leat_elf_section_cnt(b->elf); i++) {
		const struct leat_elf_section *s = leat_elf_section_at(b->elf, i);

		if (addr >= s->addr && addr - s->addr < s->size && s->type == SHT_PROGBITS &&
		    strncmp(s->name, ".plt", 4) == 0)
			return true;
	}
	return false;
}

static bool any_in_plt(const struct binary *b)
{
	const struct leat_job *j = b->job;

	for (size_t i = 0; i < j->spots.n; i++) {
		if (!j->done[i] && in_plt(b, j->spots.addr[i]))
			return true;
	}
	return false;
}

static int name_plt(struct binary *b, const struct leat_elf_plt *entry)
{
	struct leat_job *j = b->job;
	struct leat_found f = { .raw = j->text.len };
	uint32_t id = LEAT_ID_NONE;

	for (size_t i = leat_spots_from(&j->spots, entry->vaddr);
	     i < j->spots.n && j->spots.addr[i] - entry->vaddr < entry->size; i++) {
		int err;

		if (j->done[i])
			continue;
		if (id == LEAT_ID_NONE) {
			leat_buf_add(&j->text, entry->name,
				     strnlen(entry->name, LEAT_SYMBOL_NAME_MAX));
			leat_buf_str(&j->text, "@plt");
			f.raw_len = j->text.len - f.raw;
			err = add_symbol(b, entry->vaddr, &f, &id);
			if (err)
				return err;
		}
		leat_job_set(j, i, id);
	}
	return 0;
}

static int use_plt(struct binary *b)
{
	LEAT_FREE struct leat_elf_plt *plt = NULL;
	size_t cnt = 0;
	int err;

	if (!any_in_plt(b))
		return 0;
	err = leat_elf_plt(b->elf, &plt, &cnt);
	if (err)
		return only_fatal(err);
	for (size_t i = 0; i < cnt && !err; i++)
		err = name_plt(b, &plt[i]);
	return err;
}

/*
 * Assembly code mostly has no size but a label, and an FDE that starts there; one byte before it
 * for a signal trampoline, so that unwinders find it by its return address minus one.
 */
static bool is_labelled(const struct leat_label *l, uint64_t start)
{
	return l->known && (l->value == start || l->value == start + 1);
}

/* A function that only .eh_frame knows: shown by where it starts, one box for all of it. */
static int name_start(struct binary *b, size_t spot, uint64_t start, uint32_t *id)
{
	struct leat_job *j = b->job;
	const struct leat_label *l = &b->labels[spot];
	struct leat_found f = { .raw = j->text.len };
	const char *base;
	size_t len;

	if (is_labelled(l, start)) {
		struct leat_cand c = { .names = { l->name }, .name_cnt = 1 };

		if (leat_table_cand_name(&b->tables[l->table], &c, &j->text) == 0) {
			f.raw_len = j->text.len - f.raw;
			return add_symbol(b, start, &f, id);
		}
	}
	base = leat_object_base(j->files->profile, leat_job_object(j), &len);
	f.shown = j->text.len;
	leat_buf_add(&j->text, base, len);
	leat_buf_char(&j->text, '+');
	leat_buf_hex(&j->text, start);
	f.shown_len = j->text.len - f.shown;
	f.unnamed = LEAT_UNNAMED_STRIPPED;
	return add_symbol(b, start, &f, id);
}

static int use_fdes(struct binary *b)
{
	struct leat_job *j = b->job;
	uint64_t start = 0, end = 0;
	uint32_t id = LEAT_ID_NONE;

	for (size_t i = 0; i < j->spots.n; i++) {
		uint64_t addr = j->spots.addr[i];
		int err;

		if (j->done[i])
			continue;
		if (id == LEAT_ID_NONE || addr < start || addr >= end) {
			id = LEAT_ID_NONE;
			err = leat_elf_fde_find(b->elf, addr, &start, &end);
			if (err == -ENODATA)
				return 0; /* nor will it know another one */
			if (!err)
				err = name_start(b, i, start, &id);
			if (only_fatal(err) || j->text.err)
				return err;
		}
		if (id != LEAT_ID_NONE)
			leat_job_set(j, i, id);
	}
	return 0;
}

static int name_all(struct binary *b)
{
	size_t n = b->job->spots.n;
	int err;

	b->cands = malloc(n * sizeof(*b->cands));
	b->labels = calloc(n, sizeof(*b->labels));
	if (!b->cands || !b->labels)
		return -ENOMEM;
	err = use_tables(b);
	if (!err)
		err = use_plt(b);
	if (!err && leat_job_is_open(b->job))
		err = use_fdes(b);
	return err;
}

/* Items' offsets in the file become addresses as the file's own tables have them. */
static void to_vaddrs(struct binary *b)
{
	struct leat_group *g = &b->job->group;

	for (size_t i = 0; i < g->n; i++) {
		if (leat_elf_offset_to_vaddr(b->elf, g->items[i].at, &g->items[i].at))
			g->items[i].at = UINT64_MAX;
	}
}

static void run(struct binary *b)
{
	struct leat_job *j = b->job;

	to_vaddrs(b);
	j->cause = LEAT_UNNAMED_STRIPPED;
	j->err = leat_job_make_spots(j);
	if (!j->err && j->spots.n)
		j->err = name_all(b);
	free(b->cands);
	free(b->labels);
}

/* Memory that only looks like a file: code that a JIT compiler has put there. */
static bool is_anonymous(const struct leat_profile *p, const struct leat_object *o)
{
	static const char *const paths[] = { "/memfd:",	  "//anon", "/anon_hugepage",
					     "/dev/zero", "/SYSV",  "/dev/shm/" };
	const char *path = leat_profile_str(p, o->path);

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(paths); i++) {
		if (strncmp(path, paths[i], strlen(paths[i])) == 0)
			return true;
	}
	return false;
}

static void run_as_jit(struct leat_job *j)
{
	const struct leat_object *o = leat_job_object(j);

	for (size_t i = 0; i < j->group.n; i++)
		j->group.items[i].at += o->map_start - o->map_pgoff;
	leat_job_perf_map(j);
}

void leat_job_binary(struct leat_job *j)
{
	const struct leat_object *o = leat_job_object(j);
	LEAT_AUTO(leat_elf_free) struct leat_elf *elf = NULL;
	struct binary b = { .job = j };
	LEAT_CLOSE int fd = -1;
	int err;

	fd = leat_opener_open(j->files, o,
			      o->kind == LEAT_OBJECT_VDSO ? LEAT_FILE_VDSO : LEAT_FILE_BINARY, NULL,
			      0);
	err = fd < 0 ? fd : leat_elf_open(&elf, fd);
	if (err == -ENOMEM) {
		j->err = err;
		return;
	}
	if (err && is_anonymous(j->files->profile, o)) {
		run_as_jit(j);
		return;
	}
	if (err || other_build(o, elf)) {
		j->unreadable = true;
		j->cause = fd < 0 ? leat_unnamed_of_errno(fd) : LEAT_UNNAMED_BAD_FILE;
		return;
	}
	b.elf = elf;
	run(&b);
	leat_elf_free(&b.debug);
}
