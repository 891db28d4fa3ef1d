/* SPDX-License-Identifier: BSD-2-Clause */
#include "sym_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf/elf_file.h"

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "test support: %s\n", what);
	abort();
}

static int open_file(void *ctx, const struct leat_profile *p, const struct leat_object *o,
		     enum leat_file_what what, const char *arg, unsigned int n)
{
	struct leat_sym_files *f = ctx;
	int fd;

	(void)n;
	f->asked++;
	for (size_t i = 0; i < f->n; i++) {
		const struct leat_sym_file *s = &f->list[i];

		if (s->what != what || (s->arg && (!arg || strcmp(s->arg, arg) != 0)) ||
		    (s->object && strcmp(s->object, leat_profile_str(p, o->path)) != 0))
			continue;
		if (!s->path)
			return s->err;
		fd = open(s->path, O_RDONLY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}

void leat_sym_files_init(struct leat_sym_files *f)
{
	memset(f, 0, sizeof(*f));
	f->provider = (struct leat_file_provider){ .ctx = f, .open = open_file };
}

static void add(struct leat_sym_files *f, const struct leat_sym_file *s)
{
	must(f->n < LEAT_ARRAY_SIZE(f->list), "too many files");
	f->list[f->n++] = *s;
}

void leat_sym_files_add(struct leat_sym_files *f, enum leat_file_what what, const char *object,
			const char *arg, const char *path)
{
	add(f, &(struct leat_sym_file){ .what = what, .object = object, .arg = arg, .path = path });
}

void leat_sym_files_fail(struct leat_sym_files *f, enum leat_file_what what, const char *object,
			 int err)
{
	add(f, &(struct leat_sym_file){ .what = what, .object = object, .err = err });
}

struct leat_profile *leat_sym_profile(void)
{
	struct leat_profile *p = NULL;

	must(leat_profile_new(&p) == 0, "profile");
	return p;
}

uint32_t leat_sym_object(struct leat_profile *p, enum leat_object_kind kind, const char *path)
{
	struct leat_object o = { .kind = kind };
	uint32_t id = 0;

	must(leat_profile_string(p, path, strlen(path), &o.path) == 0, "string");
	must(leat_profile_object(p, &o, &id) == 0, "object");
	return id;
}

uint32_t leat_sym_frame(struct leat_profile *p, uint32_t object, uint64_t offset, uint32_t flags)
{
	uint32_t id = 0;

	must(leat_profile_frame(p, object, offset, flags, &id) == 0, "frame");
	return id;
}

const struct leat_function *leat_sym_function(const struct leat_profile *p, uint32_t frame)
{
	must(frame < p->frame_cnt && p->frames[frame].function < p->function_cnt, "no function");
	return &p->functions[p->frames[frame].function];
}

char *leat_sym_name(const struct leat_profile *p, uint32_t frame)
{
	return (char *)(uintptr_t)leat_profile_str(p, leat_sym_function(p, frame)->name);
}

static bool find(struct leat_elf *e, bool dynamic, const char *name, struct leat_elf_sym *out)
{
	struct leat_elf_symtab t;

	if (leat_elf_symtab(e, dynamic, &t))
		return false;
	for (size_t i = 0; i < t.cnt; i++) {
		leat_elf_sym_at(&t, i, out);
		if (out->shndx && strcmp(out->name, name) == 0)
			return true;
	}
	return false;
}

static bool look_up(const char *path, const char *symbol, uint64_t *off, uint64_t *size)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct leat_elf_sym sym = { 0 };

	must(fd >= 0 && leat_elf_open(&e, fd) == 0, path);
	if (!find(e, false, symbol, &sym) && !find(e, true, symbol, &sym))
		return false;
	*size = sym.size;
	return leat_elf_vaddr_to_offset(e, sym.value, off) == 0;
}

uint64_t leat_sym_offset_of(const char *path, const char *symbol)
{
	uint64_t off = 0, size;

	return look_up(path, symbol, &off, &size) ? off : 0;
}

uint64_t leat_sym_size_of(const char *path, const char *symbol)
{
	uint64_t off, size = 0;

	return look_up(path, symbol, &off, &size) ? size : 0;
}

void leat_sym_sh(const char *fmt, ...)
{
	char cmd[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	must(n > 0 && (size_t)n < sizeof(cmd), "command too long");
	must(system(cmd) == 0, cmd);
}

bool leat_sym_have(const char *program)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "command -v %s >/dev/null 2>&1", program);
	return system(cmd) == 0;
}
