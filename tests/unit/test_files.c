/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of targets: one identity for each, held, verified; nothing but regular files is opened. */
#include "live/files.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/elf_file.h"
#include "live/files_impl.h"
#include "../support/tmpdir.h"

/* A mapping of @path, as the side band (@gen) or /proc (0) would tell it. */
static union {
	struct leat_rec_mmap m;
	char bytes[sizeof(struct leat_rec_mmap) + LEAT_PATH_MAX];
} rec;

static struct leat_rec_mmap *mapping(const char *path, uint32_t tgid)
{
	struct stat st = { 0 };

	memset(&rec, 0, sizeof(rec));
	stat(path, &st);
	rec.m.h.tgid = tgid;
	rec.m.start = 0x1000;
	rec.m.end = 0x2000;
	rec.m.dev = st.st_dev;
	rec.m.ino = st.st_ino;
	snprintf(rec.m.path, LEAT_PATH_MAX, "%s", path);
	return &rec.m;
}

static void self_exe(char *out, size_t cap)
{
	ssize_t n = readlink("/proc/self/exe", out, cap - 1);

	cr_assert(gt(int, (int)n, 0));
	out[n] = '\0';
}

/* Copies this program, which has a build id. */
static const char *copy_of_self(const struct leat_tmpdir *d, const char *name)
{
	static char data[1 << 20];
	LEAT_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, data, sizeof(data));

	cr_assert(gt(int, (int)n, 0));
	return leat_tmpdir_write(d, name, data, (size_t)n);
}

Test(files, one_identity_however_learned)
{
	LEAT_AUTO(leat_files_free) struct leat_files *f = NULL;
	struct leat_files_stats st;
	uint8_t id[LEAT_BUILD_ID_MAX];
	struct leat_rec_mmap *m;
	char path[4096];

	self_exe(path, sizeof(path));
	cr_assert(eq(int, leat_files_new(&f), 0));
	m = mapping(path, (uint32_t)getpid());
	leat_files_identify(f, m);
	cr_assert(eq(int, m->build_id_len, 20));
	memcpy(id, m->build_id, sizeof(id));
	/* The same file, told by its build id alone. */
	m = mapping("", 0);
	snprintf(m->path, LEAT_PATH_MAX, "%s", path);
	m->build_id_len = 20;
	memcpy(m->build_id, id, sizeof(id));
	leat_files_identify(f, m);
	cr_assert(ne(u64, m->ino, 0));
	leat_files_stats(f, &st);
	cr_assert(eq(u64, st.known, 1));
	cr_assert(eq(u64, st.held, 1));
}

Test(files, what_is_held_outlives_its_name)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	LEAT_AUTO(leat_files_free) struct leat_files *f = NULL;
	LEAT_AUTO(leat_profile_free) struct leat_profile *p = NULL;
	struct leat_object o = { .kind = LEAT_OBJECT_FILE, .process = LEAT_ID_NONE };
	struct leat_file_provider prov;
	struct leat_rec_mmap *m;
	const char *path;
	struct stat st;
	int fd;

	leat_tmpdir_init(&d);
	path = copy_of_self(&d, "prog");
	cr_assert(eq(int, leat_files_new(&f), 0));
	cr_assert(eq(int, leat_profile_new(&p), 0));
	m = mapping(path, 0);
	leat_files_identify(f, m);
	unlink(path);
	o.dev = m->dev;
	o.ino = m->ino;
	cr_assert(eq(int, leat_profile_string(p, path, strlen(path), &o.path), 0));
	prov = leat_files_provider(f);
	fd = prov.open(prov.ctx, p, &o, LEAT_FILE_BINARY, NULL, 0);
	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int, fstat(fd, &st), 0));
	cr_assert(eq(u64, st.st_ino, m->ino));
	close(fd);
}

Test(files, another_file_is_refused)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	struct leat_build_id id = { 0 };
	struct leat_file_want w = { 0 };
	bool elf;

	leat_tmpdir_init(&d);
	w.path = leat_tmpdir_write(&d, "x", "text", 4);
	w.ino = 1;
	cr_assert(eq(int, leat_file_open_want(&w, &id, &elf), -ESTALE));
	w.ino = 0;
	w.build_id = (const uint8_t *)"12345678901234567890";
	w.build_id_len = 20;
	cr_assert(eq(int, leat_file_open_want(&w, &id, &elf), -ESTALE));
	w.path = leat_tmpdir_path(&d, "not there");
	cr_assert(eq(int, leat_file_open_want(&w, &id, &elf), -ENOENT));
	/* Nothing is known but a name: that is no identity. */
	w = (struct leat_file_want){ .path = leat_tmpdir_path(&d, "x") };
	cr_assert(eq(int, leat_file_open_want(&w, &id, &elf), -ESTALE));
}

Test(files, regular_files_alone)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	const char *fifo;

	leat_tmpdir_init(&d);
	fifo = leat_tmpdir_path(&d, "fifo");
	cr_assert(eq(int, mkfifo(fifo, 0600), 0));
	cr_assert(eq(int, leat_file_open_in_root(-1, fifo, true), -EINVAL));
	cr_assert(eq(int, leat_file_open_in_root(-1, "/dev/null", true), -EINVAL));
	cr_assert(eq(int, leat_file_open_in_root(-1, d.path, true), -EINVAL));
}

/* A link below a root leads nowhere else, however it is written. */
Test(files, a_root_is_not_left)
{
	static const char *const links[] = { "/../../../../etc/passwd", "/etc/passwd" };
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;

	leat_tmpdir_init(&d);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(links); i++) {
		LEAT_CLOSE int root = open(d.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		const char *link = leat_tmpdir_path(&d, "link");

		cr_assert(eq(int, symlink(links[i], link), 0));
		cr_assert(eq(int, leat_file_open_in_root(root, "/link", true), -ENOENT));
		cr_assert(eq(int, leat_file_open_in_root(root, "/link", false), -EINVAL));
		unlink(link);
	}
}

Test(files, the_vdso)
{
	LEAT_AUTO(leat_files_free) struct leat_files *f = NULL;
	LEAT_AUTO(leat_profile_free) struct leat_profile *p = NULL;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_object o = { .kind = LEAT_OBJECT_VDSO, .process = LEAT_ID_NONE };
	struct leat_file_provider prov;
	int fd;

	cr_assert(eq(int, leat_files_new(&f), 0));
	cr_assert(eq(int, leat_profile_new(&p), 0));
	prov = leat_files_provider(f);
	fd = prov.open(prov.ctx, p, &o, LEAT_FILE_VDSO, NULL, 0);
	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	close(fd);
}

Test(files, arguments_that_climb)
{
	LEAT_AUTO(leat_files_free) struct leat_files *f = NULL;
	LEAT_AUTO(leat_profile_free) struct leat_profile *p = NULL;
	struct leat_object o = { .kind = LEAT_OBJECT_FILE, .process = LEAT_ID_NONE };
	struct leat_file_provider prov;

	cr_assert(eq(int, leat_files_new(&f), 0));
	cr_assert(eq(int, leat_profile_new(&p), 0));
	cr_assert(eq(int, leat_profile_string(p, "/bin/x", 6, &o.path), 0));
	prov = leat_files_provider(f);
	cr_assert(eq(int, prov.open(prov.ctx, p, &o, LEAT_FILE_DEBUGLINK, "a/b", 0), -EINVAL));
	cr_assert(eq(int, prov.open(prov.ctx, p, &o, LEAT_FILE_DEBUGLINK, "", 0), -EINVAL));
	cr_assert(eq(int, prov.open(prov.ctx, p, &o, LEAT_FILE_DEBUGLINK, "no-such.debug", 9),
		     -ENOENT));
	cr_assert(eq(int, prov.open(prov.ctx, p, &o, LEAT_FILE_BUILD_ID, "../../etc/passwd", 0),
		     -EINVAL));
	cr_assert(eq(int, prov.open(prov.ctx, p, &o, LEAT_FILE_PERF_MAP, NULL, 0), -ENOENT));
}

Test(files, freed_twice)
{
	char path[4096];

	self_exe(path, sizeof(path));
	for (int i = 0; i < 3; i++) {
		LEAT_AUTO(leat_files_free) struct leat_files *f = NULL;

		cr_assert(eq(int, leat_files_new(&f), 0));
		leat_files_identify(f, mapping(path, 0));
		leat_files_keep_root(f, (uint32_t)getpid());
		leat_files_keep_root(f, (uint32_t)getpid());
		leat_files_keep_root(f, 4194303);
		leat_files_free(&f);
		leat_files_free(&f);
	}
}
