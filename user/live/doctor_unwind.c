/* SPDX-License-Identifier: BSD-2-Clause */
/* leat doctor -p: how well the target's stacks can be walked, by what each of its binaries says. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "elf/elf_file.h"
#include "live/doctor.h"
#include "live/files_impl.h"
#include "live/maps.h"
#include "live/tables.h"
#include "unwind/frames.h"
#include "unwind/table.h"

/* Binaries that are looked at: a table takes some 10 ms for 40 MB. */
#define BINARIES_MAX 256
#define NAMED_MAX    4
#define LOOK_BYTES   65536u

struct binary {
	uint64_t dev, ino;
	enum leat_no_table why;
	char name[64];
};

struct look {
	uint32_t tgid;
	struct binary found[BINARIES_MAX];
	size_t n, more, tables, framed, anon;
	uint64_t code, covered; /* bytes */
	struct leat_unwind_rules *rules;
};

/* Bytes of a page from each row to the next one that a rule holds for. */
static uint64_t covered_in_page(const struct leat_unwind_table *t, const struct leat_unwind_page *p)
{
	const struct leat_unwind_row *last = NULL;
	uint64_t sum = 0;

	for (uint32_t i = p->first; i <= p->first + p->sub[LEAT_UNWIND_SUBS]; i++) {
		for (uint32_t k = 0; k < LEAT_UNWIND_BLOCK_ROWS; k++) {
			const struct leat_unwind_row *row = &t->blocks[i].rows[k];

			if (last && last->rule != LEAT_RULE_INVALID)
				sum += row->pc - last->pc;
			last = row;
		}
	}
	if (last && last->rule != LEAT_RULE_INVALID)
		sum += (1u << LEAT_UNWIND_PAGE_BITS) - last->pc;
	return sum;
}

static void count_code(struct look *l, const struct leat_elf *e, const struct leat_unwind_table *t)
{
	for (size_t i = 0; i < leat_elf_phdr_cnt(e); i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(e, i);

		if (p->type == PT_LOAD && p->flags & PF_X)
			l->code += p->memsz;
	}
	for (uint32_t i = 1; t && i <= t->page_cnt; i++)
		l->covered += covered_in_page(t, &t->blocks[i].page);
}

static bool is_framed(struct leat_elf *e)
{
	for (size_t i = 0; i < leat_elf_phdr_cnt(e); i++) {
		const struct leat_elf_phdr *p = leat_elf_phdr_at(e, i);

		const uint64_t n = p->filesz < LOOK_BYTES ? p->filesz : LOOK_BYTES;
		const uint8_t *code;

		if (p->type == PT_LOAD && p->flags & PF_X)
			return !leat_elf_at_vaddr(e, p->vaddr, n, &code) &&
			       leat_code_keeps_frames(code, (size_t)n, p->vaddr);
	}
	return false;
}

/* The table is built as a recording would; what stands in its way is the answer. */
static enum leat_no_table try_table(struct look *l, int fd)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_AUTO(leat_unwind_table_free) struct leat_unwind_table *t = NULL;
	int err = leat_elf_open(&e, fd);

	if (err == -EBADMSG && leat_file_is_foreign(fd))
		return leat_tables_why(-ENODATA, true);
	if (err)
		return leat_tables_why(err == -ENODATA ? -EBADMSG : err, false);
	err = leat_unwind_table_build(&t, e, NULL, l->rules);
	count_code(l, e, t);
	if (err) {
		const bool framed = is_framed(e);

		l->framed += framed;
		return leat_tables_why(err, framed);
	}
	l->tables++;
	if (t->err)
		return LEAT_NO_TABLE_TOO_LARGE;
	return t->bad_cnt ? LEAT_NO_TABLE_PARTLY : LEAT_NO_TABLE_NONE;
}

static enum leat_no_table look_at(struct look *l, const struct leat_maps_line *m, const char *path)
{
	const struct leat_file_want w = { .tgid = l->tgid,
					  .start = m->start,
					  .end = m->end,
					  .path = path,
					  .dev = m->dev,
					  .ino = m->ino };
	struct leat_build_id id;
	bool elf;
	LEAT_CLOSE int fd = leat_file_open_want(&w, &id, &elf);

	return fd < 0 ? leat_tables_why(fd, false) : try_table(l, fd);
}

static void add_mapping(struct look *l, const struct leat_maps_line *m)
{
	enum leat_mmap_kind kind = leat_maps_kind(m->path, m->path_len, m->ino);
	char path[LEAT_PATH_MAX];
	const char *slash;
	struct binary *b;

	l->anon += kind == LEAT_MMAP_ANON;
	if (kind != LEAT_MMAP_FILE)
		return;
	for (size_t i = 0; i < l->n; i++)
		if (l->found[i].dev == m->dev && l->found[i].ino == m->ino)
			return;
	if (l->n == BINARIES_MAX) {
		l->more++;
		return;
	}
	leat_maps_path(m->path, m->path_len, path, sizeof(path));
	slash = strrchr(path, '/');
	b = &l->found[l->n++];
	*b = (struct binary){ .dev = m->dev, .ino = m->ino };
	snprintf(b->name, sizeof(b->name), "%.63s", slash ? slash + 1 : path);
	b->why = look_at(l, m, path);
}

static int look_at_all(struct look *l, uint32_t via)
{
	LEAT_FREE char *text = NULL;
	char path[64];
	size_t len = 0, at = 0;
	int err;

	snprintf(path, sizeof(path), "/proc/%u/maps", via);
	err = leat_file_read_at(AT_FDCWD, path, 64u << 20, &text, &len);
	if (!err)
		err = leat_unwind_rules_new(&l->rules);
	while (!err && at < len) {
		const char *eol = memchr(text + at, '\n', len - at);
		const size_t n = eol ? (size_t)(eol - (text + at)) + 1 : len - at;
		struct leat_maps_line m;

		if (!leat_maps_parse(text + at, n, &m) && m.exec)
			add_mapping(l, &m);
		at += n;
	}
	leat_unwind_rules_free(&l->rules);
	return err;
}

/* Code whose callers nobody finds: no table, and no frame pointers either. */
static bool ends_stacks(enum leat_no_table why)
{
	return why > LEAT_NO_TABLE_FRAMES && why != LEAT_NO_TABLE_PARTLY &&
	       why != LEAT_NO_TABLE_TOO_LARGE;
}

static void name_bad_ones(struct leat_checks *c, const struct look *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct binary *b = &l->found[i];
		struct leat_check *k;

		if (!b->why || n++ >= NAMED_MAX)
			continue;
		k = leat_check_add(c, "unwind table");
		leat_check_value(k, "%s: %s", b->name, leat_no_table_name(b->why));
		if (ends_stacks(b->why))
			leat_check_bad(k, LEAT_CHECK_WARN, "stacks end in its code",
				       b->why == LEAT_NO_TABLE_NOTHING
					       ? "build it with -fasynchronous-unwind-tables"
					       : "");
	}
	if (n > NAMED_MAX)
		leat_check_value(leat_check_add(c, "unwind table"), "%zu more have none, or a part",
				 n - NAMED_MAX);
}

void leat_doctor_unwind(struct leat_checks *c)
{
	struct leat_check *k = leat_check_add(c, "unwind tables");
	LEAT_FREE struct look *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return;
	l->tgid = c->pid;
	err = look_at_all(l, c->via);
	if (err) {
		leat_check_value(k, "unknown (%s)", strerrorname_np(-err));
		return;
	}
	leat_check_value(k, "for %zu of its %zu binaries, %llu %% of their code%s%s", l->tables,
			 l->n, l->code ? (unsigned long long)(100 * l->covered / l->code) : 0ull,
			 l->anon ? "; code made at run time goes by frame pointer" : "",
			 l->more ? "; others were not looked at" : "");
	name_bad_ones(c, l);
	k = leat_check_add(c, "best --unwind");
	if (l->tables || !l->framed)
		leat_check_value(k, "table (the default)");
	else
		leat_check_value(k, "fp (its code has frame pointers and no unwind information)");
}
