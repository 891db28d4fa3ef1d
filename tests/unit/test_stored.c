/* SPDX-License-Identifier: BSD-2-Clause */
/* Files for a stored recording: only what is still what was recorded. */
#include "live/stored.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/tmpdir.h"
#include "base/file.h"
#include "live/files_impl.h"
#include "live/procfs.h"

struct world {
	struct leat_profile *p;
	struct leat_stored *s;
	struct leat_file_provider files;
};

/* As recorded in this boot, until @until_ns of the real time. */
static void world_init(struct world *w, const char *boot, uint64_t until_ns)
{
	*w = (struct world){ .p = NULL };
	cr_assert(eq(int, leat_profile_new(&w->p), 0));
	cr_assert(eq(int, leat_profile_string(w->p, boot, strlen(boot), &w->p->meta.boot), 0));
	w->p->meta.start_real_ns = until_ns - 1000;
	w->p->meta.duration_ns = 1000;
	cr_assert(eq(int, leat_stored_new(&w->s, w->p), 0));
	w->files = leat_stored_provider(w->s);
}

static void world_fini(struct world *w)
{
	leat_stored_free(&w->s);
	leat_stored_free(&w->s);
	leat_profile_free(&w->p);
}

static const char *this_boot(void)
{
	static char boot[LEAT_BOOT_ID_LEN];

	leat_procfs_boot(boot);
	cr_assert(eq(sz, strlen(boot), 36));
	return boot;
}

/* Opens and closes: 0, or why not. */
static int ask(const struct world *w, const struct leat_object *o, enum leat_file_what what)
{
	LEAT_CLOSE int fd = w->files.open(w->files.ctx, w->p, o, what, NULL, 0);

	return fd < 0 ? fd : 0;
}

static struct leat_object object_of(struct world *w, const char *path)
{
	struct leat_object o = { .kind = LEAT_OBJECT_FILE, .process = LEAT_ID_NONE };
	struct stat st;

	cr_assert(eq(int, stat(path, &st), 0));
	cr_assert(eq(int, leat_profile_string(w->p, path, strlen(path), &o.path), 0));
	o.dev = st.st_dev;
	o.ino = st.st_ino;
	return o;
}

static const char *copy_of_self(const struct leat_tmpdir *d, struct leat_build_id *id)
{
	LEAT_CLOSE int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	LEAT_FREE char *data = NULL;
	size_t n;

	cr_assert(eq(int, leat_file_inspect(fd, id), 1));
	cr_assert(eq(int, lseek(fd, 0, SEEK_SET) == 0, 1));
	cr_assert(eq(int, leat_file_read_fd(fd, 64 << 20, &data, &n), 0));
	return leat_tmpdir_write(d, "program", data, n);
}

Test(stored, a_build_id_is_enough_in_any_boot)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	struct leat_build_id id;
	struct leat_object o;
	const char *path;
	struct world w;

	leat_tmpdir_init(&d);
	path = copy_of_self(&d, &id);
	world_init(&w, "another", 1000);
	o = object_of(&w, path);
	o.dev = o.ino = 0;
	o.build_id_len = id.len;
	memcpy(o.build_id, id.bytes, id.len);
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_BINARY), 0));
	o.build_id[3] ^= 1;
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_BINARY), -ESTALE));
	world_fini(&w);
}

Test(stored, an_inode_counts_in_the_same_boot_and_unchanged)
{
	LEAT_AUTO(leat_tmpdir_fini) struct leat_tmpdir d;
	uint64_t now;
	struct leat_object o;
	const char *path;
	struct world w;

	leat_tmpdir_init(&d);
	path = leat_tmpdir_write(&d, "program", "text", 4);
	now = leat_clock_real_ns() + 1000000000;
	world_init(&w, this_boot(), now);
	o = object_of(&w, path);
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_BINARY), 0));
	o.ino++;
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_BINARY), -ESTALE));
	o.ino = 0;
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_BINARY), -ESTALE));
	world_fini(&w);
	/* Recorded before it was written. */
	world_init(&w, this_boot(), now - 3600000000000);
	o = object_of(&w, path);
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_BINARY), -ESTALE));
	world_fini(&w);
	world_init(&w, "", now);
	o = object_of(&w, path);
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_BINARY), -ESTALE));
	world_fini(&w);
}

Test(stored, the_kernel_is_that_of_this_boot)
{
	struct leat_object o = { .kind = LEAT_OBJECT_KERNEL };
	struct world w;

	world_init(&w, "another", 1000);
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_KALLSYMS), -ESTALE));
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_VDSO), -ESTALE));
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_PERF_MAP), -ESTALE));
	world_fini(&w);
	world_init(&w, this_boot(), 1000);
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_KALLSYMS), 0));
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_VDSO), 0));
	world_fini(&w);
}

/* BPF programs come and go: where one was, none is named. */
Test(stored, the_kernels_symbols_name_no_bpf_program)
{
	struct leat_object o = { .kind = LEAT_OBJECT_KERNEL };
	LEAT_FREE char *text = NULL;
	struct world w;
	const char *named = NULL;
	size_t n, lines = 0;
	int fd;

	world_init(&w, this_boot(), 1000);
	fd = w.files.open(w.files.ctx, w.p, &o, LEAT_FILE_KALLSYMS, NULL, 0);
	cr_assert(ge(int, fd, 0));
	cr_assert(eq(int, leat_file_read_fd(fd, (size_t)256 << 20, &text, &n), 0));
	close(fd);
	/* One assertion for all lines: each costs more than its line. */
	for (char *line = text, *end = text + n, *eol; line < end && !named; line = eol + 1) {
		eol = memchr(line, '\n', (size_t)(end - line));
		if (!eol)
			break;
		if (line[17] != 'd' && memmem(line, (size_t)(eol - line), "\t[bpf]", 6))
			named = line;
		lines++;
	}
	cr_expect(eq(ptr, (void *)named, NULL), "%.100s", named ? named : "");
	cr_expect(gt(sz, lines, 1000));
	world_fini(&w);
}

/* A perf map of this very process, which nobody has added to. */
Test(stored, a_perf_map_counts_while_nothing_was_added)
{
	struct leat_object o = { .kind = LEAT_OBJECT_JIT };
	struct leat_process proc = { .tgid = (uint32_t)getpid(),
				     .ns_tgid = (uint32_t)getpid(),
				     .uid = geteuid() };
	struct leat_proc_info self;
	struct world w;
	char path[64];
	FILE *f;

	cr_assert(eq(int, leat_procfs_read((uint32_t)getpid(), &self), 0));
	proc.start_ns = self.start_ns;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	f = fopen(path, "we");
	cr_assert(ne(ptr, f, NULL));
	fputs("1000 10 made\n", f);
	fclose(f);
	world_init(&w, this_boot(), leat_clock_real_ns() + 1000000000);
	cr_assert(eq(int, leat_profile_process(w.p, &proc, &o.process), 0));
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_PERF_MAP), 0));
	/* Another process has its number now. */
	w.p->processes[o.process].start_ns -= 1000000000;
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_PERF_MAP), -ESTALE));
	world_fini(&w);
	world_init(&w, this_boot(), leat_clock_real_ns() - 3600000000000);
	cr_assert(eq(int, leat_profile_process(w.p, &proc, &o.process), 0));
	cr_expect(eq(int, ask(&w, &o, LEAT_FILE_PERF_MAP), -ESTALE));
	world_fini(&w);
	unlink(path);
}
