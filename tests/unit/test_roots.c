/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outermost frames, found in programs that are run: each prints where its main, its thread and
 * its signal handler return to, and that is where the roots must be.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/sym_files.h"
#include "../support/tmpdir.h"
#include "elf/elf_file.h"
#include "symbols/roots.h"

static const char source[] =
	"#include <pthread.h>\n"
	"#include <signal.h>\n"
	"#include <stdio.h>\n"
	"#include <string.h>\n"
	"static void place(const char *what, unsigned long addr)\n"
	"{\n"
	"	FILE *f = fopen(\"/proc/self/maps\", \"r\");\n"
	"	char line[512], path[256];\n"
	"	unsigned long start, end, off;\n"
	"	while (fgets(line, sizeof(line), f)) {\n"
	"		if (sscanf(line, \"%lx-%lx %*s %lx %*s %*s %255s\", &start, &end, &off, path) == 4 &&\n"
	"		    addr >= start && addr < end)\n"
	"			printf(\"%s %lx %s\\n\", what, addr - start + off, path);\n"
	"	}\n"
	"	fclose(f);\n"
	"}\n"
	"static void *thread(void *arg)\n"
	"{\n"
	"	place(\"thread\", (unsigned long)__builtin_return_address(0));\n"
	"	return arg;\n"
	"}\n"
	"static void handler(int sig)\n"
	"{\n"
	"	(void)sig;\n"
	"	place(\"signal\", (unsigned long)__builtin_return_address(0));\n"
	"}\n"
	"int main(void)\n"
	"{\n"
	"	pthread_t t;\n"
	"	place(\"main\", (unsigned long)__builtin_return_address(0));\n"
	"	pthread_create(&t, NULL, thread, NULL);\n"
	"	pthread_join(t, NULL);\n"
	"	signal(SIGUSR1, handler);\n"
	"	raise(SIGUSR1);\n"
	"	return 0;\n"
	"}\n";

struct place {
	char what[16];
	char path[256];
	unsigned long off;
	uint32_t frame;
};

struct fixture {
	struct leat_tmpdir dir;
	struct leat_sym_files files;
	struct leat_profile *p;
	struct place places[3]; /* main, thread, signal */
};

static void setup(struct fixture *f, const char *build)
{
	char cmd[160];
	FILE *out;

	leat_tmpdir_init(&f->dir);
	leat_sym_files_init(&f->files);
	f->p = leat_sym_profile();
	leat_tmpdir_write(&f->dir, "t.c", source, sizeof(source) - 1);
	leat_sym_sh("cd %s && %s", f->dir.path, build);
	snprintf(cmd, sizeof(cmd), "%s/t", f->dir.path);
	out = popen(cmd, "r");
	for (size_t i = 0; i < 3; i++) {
		struct place *pl = &f->places[i];

		cr_assert(eq(int, fscanf(out, "%15s %lx %255s", pl->what, &pl->off, pl->path), 3));
		leat_sym_files_add(&f->files, LEAT_FILE_BINARY, pl->path, NULL, pl->path);
		pl->frame = leat_sym_frame(f->p, leat_sym_object(f->p, LEAT_OBJECT_FILE, pl->path),
					   pl->off, LEAT_FRAME_RETURN);
	}
	pclose(out);
}

static void teardown(struct fixture *f)
{
	leat_profile_free(&f->p);
	leat_tmpdir_fini(&f->dir);
}

static void check(const char *build)
{
	struct fixture f;

	setup(&f, build);
	cr_assert(eq(int, leat_symbols_check_calls(f.p, &f.files.provider), 0));
	cr_expect(eq(u64, f.p->verdict.ret_bad, 0));
	for (size_t i = 0; i < 2; i++)
		cr_expect(eq(int, !!(f.p->frames[f.places[i].frame].flags & LEAT_FRAME_ROOT), 1),
			  "%s of %s", f.places[i].what, build);
	cr_expect(eq(int, !!(f.p->frames[f.places[2].frame].flags & LEAT_FRAME_ROOT), 0));
	cr_expect(eq(int, !!(f.p->frames[f.places[2].frame].flags & LEAT_FRAME_SIGNAL), 1));
	teardown(&f);
}

Test(roots, dynamic_program)
{
	check("gcc -O1 -pthread -o t t.c");
}

Test(roots, static_program)
{
	check("gcc -O1 -pthread -static -o t t.c");
}

Test(roots, static_position_independent_program)
{
	check("gcc -O1 -pthread -static-pie -o t t.c");
}

Test(roots, signal_trampoline_is_named_at_its_own_address)
{
	struct fixture f;

	setup(&f, "gcc -O1 -pthread -static -o t t.c");
	cr_assert(eq(int, leat_symbols_check_calls(f.p, &f.files.provider), 0));
	cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, NULL), 0));
	LEAT_EXPECT_NAME(f.p, f.places[2].frame, "__restore_rt");
	LEAT_EXPECT_NAME(f.p, f.places[1].frame, "start_thread");
	LEAT_EXPECT_NAME(f.p, f.places[0].frame, "__libc_start_call_main");
	teardown(&f);
}

/* The entry point of a program, of a position-independent one, and of the dynamic linker. */
static void check_entry(const char *path, bool expected)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_CLOSE int fd = open(path, O_RDONLY);
	const char *base = strrchr(path, '/') + 1;
	struct leat_roots r;
	const struct leat_root *root;

	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	cr_assert(eq(int, leat_roots_find(&r, e, base), 0));
	root = leat_roots_at(&r, leat_elf_entry(e), false);
	cr_expect(eq(int, root != NULL, expected), "%s", path);
	if (root)
		cr_expect(le(u64, root->end - root->start, 256));
}

Test(roots, entry_points)
{
	struct leat_tmpdir dir;

	leat_tmpdir_init(&dir);
	leat_tmpdir_write(&dir, "t.c", source, sizeof(source) - 1);
	leat_sym_sh(
		"cd %s && gcc -no-pie -s -pthread -o fixed t.c && gcc -pie -pthread -o pie t.c && "
		"gcc -shared -fPIC -Wl,-e,main -o lib.so t.c",
		dir.path);
	check_entry(leat_tmpdir_path(&dir, "fixed"), true);
	check_entry(leat_tmpdir_path(&dir, "pie"), true);
	/* What old linkers write there is no entry point. */
	check_entry(leat_tmpdir_path(&dir, "lib.so"), false);
	if (access("/lib64/ld-linux-x86-64.so.2", R_OK) == 0)
		check_entry("/lib64/ld-linux-x86-64.so.2", true);
	leat_tmpdir_fini(&dir);
}

Test(roots, go_names)
{
	struct leat_tmpdir dir;
	struct leat_sym_files files;
	struct leat_profile *p = leat_sym_profile();
	uint32_t object, frame;
	char path[128];
	uint64_t off;

	leat_tmpdir_init(&dir);
	leat_sym_sh(
		"cd %s && printf '.section .go.buildinfo,\"a\"\\n.byte 1\\n.text\\n.globl _start, "
		"\"runtime.goexit.abi0\"\\n.type \"runtime.goexit.abi0\",@function\\n_start: nop\\n"
		".p2align 4\\n\"runtime.goexit.abi0\": nop\\n call _start\\n nop\\n"
		".size \"runtime.goexit.abi0\",.-\"runtime.goexit.abi0\"\\n' > t.s && "
		"gcc -nostdlib -static -o t t.s",
		dir.path);
	snprintf(path, sizeof(path), "%s/t", dir.path);
	leat_sym_files_init(&files);
	leat_sym_files_add(&files, LEAT_FILE_BINARY, NULL, NULL, path);
	object = leat_sym_object(p, LEAT_OBJECT_FILE, path);
	off = leat_sym_offset_of(path, "runtime.goexit.abi0");
	frame = leat_sym_frame(p, object, off + 1, LEAT_FRAME_RETURN);
	cr_assert(eq(int, leat_symbols_check_calls(p, &files.provider), 0));
	/* Its return address was never pushed by a call. */
	cr_expect(eq(u32, p->frames[frame].flags,
		     LEAT_FRAME_RETURN | LEAT_FRAME_CHECKED | LEAT_FRAME_ROOT));
	leat_profile_free(&p);
	leat_tmpdir_fini(&dir);
}
