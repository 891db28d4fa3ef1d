/* SPDX-License-Identifier: BSD-2-Clause */
/* Names for frames of real binaries, made here, in all the ways that binaries come. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "../support/sym_files.h"
#include "../support/tmpdir.h"
#include "elf/elf_file.h"

#define LIB "/usr/lib/libthing.so.1"

static const char source[] =
	"int shared(int x);\n"
	"__attribute__((noinline)) static int hidden(int x) { return x * 3 + 1; }\n"
	"__attribute__((noinline)) static int second(int x) { return hidden(x) ^ 5; }\n"
	"int shared(int x) { return hidden(x) + second(x + 1); }\n"
	"int abs_of(int x) { return __builtin_abs(x); }\n"
	"extern int puts(const char *);\n"
	"int say(int x) { return puts(\"x\") + x; }\n";

struct fixture {
	struct leat_tmpdir dir;
	struct leat_sym_files files;
	struct leat_profile *p;
	uint32_t object;
	char lib[128]; /* with all its symbols */
};

static void setup(struct fixture *f, const char *flags)
{
	leat_tmpdir_init(&f->dir);
	leat_tmpdir_write(&f->dir, "t.c", source, sizeof(source) - 1);
	leat_sym_sh(
		"gcc -O2 -fno-inline -fno-ipa-icf -fPIC -shared -Wl,--build-id=sha1 %s -o %s/lib.so %s/t.c",
		flags, f->dir.path, f->dir.path);
	snprintf(f->lib, sizeof(f->lib), "%s/lib.so", f->dir.path);
	leat_sym_files_init(&f->files);
	f->p = leat_sym_profile();
	f->object = leat_sym_object(f->p, LEAT_OBJECT_FILE, LIB);
}

static void teardown(struct fixture *f)
{
	leat_profile_free(&f->p);
	leat_tmpdir_fini(&f->dir);
}

static const char *in_dir(struct fixture *f, const char *name)
{
	return leat_tmpdir_path(&f->dir, name);
}

static void resolve(struct fixture *f)
{
	int err = leat_symbols_resolve(f->p, &f->files.provider, NULL);

	cr_assert(eq(int, err, 0));
}

/* A frame at @more bytes into a function of the unstripped library. */
static uint32_t frame_in(struct fixture *f, const char *symbol, uint64_t more, uint32_t flags)
{
	uint64_t off = leat_sym_offset_of(f->lib, symbol);

	cr_assert(ne(u64, off, 0));
	return leat_sym_frame(f->p, f->object, off + more, flags);
}

static void check_layout(const char *flags)
{
	struct fixture f;
	uint32_t a, b, c, d;

	setup(&f, flags);
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, f.lib);
	a = frame_in(&f, "hidden", 0, 0);
	b = frame_in(&f, "hidden", 2, 0);
	c = frame_in(&f, "shared", 5, LEAT_FRAME_RETURN);
	/* One past the end of a function that ends in a call: still that function. */
	d = frame_in(&f, "second", leat_sym_size_of(f.lib, "second"), LEAT_FRAME_RETURN);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, a, "hidden");
	cr_expect(eq(u32, f.p->frames[a].function, f.p->frames[b].function));
	cr_expect(eq(u64, leat_sym_function(f.p, a)->start, leat_sym_offset_of(f.lib, "hidden")));
	cr_expect(eq(int, leat_sym_function(f.p, a)->kind, LEAT_FUNCTION_NATIVE));
	LEAT_EXPECT_NAME(f.p, c, "shared");
	LEAT_EXPECT_NAME(f.p, d, "second");
	cr_expect(eq(u64, f.p->verdict.objects, 1));
	cr_expect(eq(u64, f.p->verdict.objects_unreadable, 0));
	teardown(&f);
}

Test(resolve, symtab_names_static_functions)
{
	check_layout("");
}

Test(resolve, addresses_and_offsets_differ)
{
	/* Code a page or more away from where it is in the file. */
	check_layout("-Wl,-z,separate-code -Wl,--section-start=.text=0x203000");
}

Test(resolve, lld_layout)
{
	if (!leat_sym_have("ld.lld"))
		cr_skip("no ld.lld");
	check_layout("-fuse-ld=lld");
}

Test(resolve, mold_layout)
{
	if (!leat_sym_have("mold"))
		cr_skip("no mold");
	check_layout("-fuse-ld=mold");
}

Test(resolve, stripped_has_dynamic_names_and_starts)
{
	struct fixture f;
	uint32_t known, hidden, more, second;
	char expected[64];
	uint64_t vaddr;

	setup(&f, "");
	leat_sym_sh("strip -o %s/stripped.so %s", f.dir.path, f.lib);
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, in_dir(&f, "stripped.so"));
	known = frame_in(&f, "shared", 1, 0);
	hidden = frame_in(&f, "hidden", 0, 0);
	more = frame_in(&f, "hidden", 3, 0);
	second = frame_in(&f, "second", 1, 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, known, "shared");
	vaddr = leat_sym_offset_of(f.lib, "hidden");
	snprintf(expected, sizeof(expected), "libthing.so.1+0x%lx", vaddr);
	LEAT_EXPECT_NAME(f.p, hidden, expected);
	cr_expect(eq(u32, f.p->frames[hidden].function, f.p->frames[more].function));
	cr_expect(ne(u32, f.p->frames[hidden].function, f.p->frames[second].function));
	cr_expect(eq(int, leat_sym_function(f.p, hidden)->unnamed, LEAT_UNNAMED_STRIPPED));
	cr_expect(eq(u32, leat_sym_function(f.p, hidden)->raw, LEAT_ID_NONE));
	teardown(&f);
}

Test(resolve, plt_entries_are_named)
{
	struct fixture f;
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_FREE struct leat_elf_plt *plt = NULL;
	LEAT_CLOSE int fd = -1;
	size_t cnt = 0, i;
	uint64_t off = 0;
	uint32_t frame;

	setup(&f, "-Wl,-z,lazy");
	fd = open(f.lib, O_RDONLY);
	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	cr_assert(eq(int, leat_elf_plt(e, &plt, &cnt), 0));
	for (i = 0; i < cnt && strcmp(plt[i].name, "puts") != 0; i++)
		;
	cr_assert(lt(sz, i, cnt));
	cr_assert(eq(int, leat_elf_vaddr_to_offset(e, plt[i].vaddr, &off), 0));
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, f.lib);
	frame = leat_sym_frame(f.p, f.object, off + 3, 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, frame, "puts@plt");
	cr_expect(eq(int, leat_sym_function(f.p, frame)->unnamed, LEAT_UNNAMED_NONE));
	teardown(&f);
}

/* "ab/cdef....debug" of the library. */
static void build_id_path(const char *lib, char *out, size_t n)
{
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	LEAT_CLOSE int fd = open(lib, O_RDONLY);
	struct leat_build_id id;
	size_t at;

	cr_assert(eq(int, leat_elf_open(&e, fd), 0));
	cr_assert(eq(int, leat_elf_build_id(e, &id), 0));
	at = (size_t)snprintf(out, n, ".build-id/%02x/", id.bytes[0]);
	for (unsigned int i = 1; i < id.len; i++)
		at += (size_t)snprintf(out + at, n - at, "%02x", id.bytes[i]);
	snprintf(out + at, n - at, ".debug");
}

static void split(struct fixture *f)
{
	leat_sym_sh("cd %s && objcopy --only-keep-debug lib.so lib.debug && "
		    "strip --strip-all -o stripped.so lib.so && "
		    "objcopy --add-gnu-debuglink=lib.debug stripped.so linked.so",
		    f->dir.path);
}

Test(resolve, debug_file_by_build_id)
{
	struct fixture f;
	char path[128];
	uint32_t frame;

	setup(&f, "");
	split(&f);
	build_id_path(f.lib, path, sizeof(path));
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, in_dir(&f, "stripped.so"));
	leat_sym_files_add(&f.files, LEAT_FILE_BUILD_ID, LIB, path, in_dir(&f, "lib.debug"));
	frame = frame_in(&f, "hidden", 1, 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, frame, "hidden");
	teardown(&f);
}

Test(resolve, debug_file_of_another_build_is_refused)
{
	struct fixture f;
	uint32_t frame;

	setup(&f, "");
	split(&f);
	leat_sym_sh("cd %s && gcc -O1 -fPIC -shared -Wl,--build-id=sha1 -o other.so t.c",
		    f.dir.path);
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, in_dir(&f, "linked.so"));
	leat_sym_files_add(&f.files, LEAT_FILE_BUILD_ID, LIB, NULL, in_dir(&f, "other.so"));
	leat_sym_files_add(&f.files, LEAT_FILE_DEBUGLINK, LIB, NULL, in_dir(&f, "other.so"));
	frame = frame_in(&f, "hidden", 1, 0);
	resolve(&f);
	cr_expect(eq(int, leat_sym_function(f.p, frame)->unnamed, LEAT_UNNAMED_STRIPPED));
	teardown(&f);
}

Test(resolve, debug_file_by_link)
{
	struct fixture f;
	uint32_t frame;

	setup(&f, "");
	split(&f);
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, in_dir(&f, "linked.so"));
	leat_sym_files_add(&f.files, LEAT_FILE_DEBUGLINK, LIB, "lib.debug",
			   in_dir(&f, "lib.debug"));
	frame = frame_in(&f, "second", 1, 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, frame, "second");
	teardown(&f);
}

static void check_crc(bool same)
{
	struct fixture f;
	uint32_t frame;

	setup(&f, "-Wl,--build-id=none");
	split(&f);
	if (!same)
		leat_sym_sh("cd %s && printf x >> lib.debug", f.dir.path);
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, in_dir(&f, "linked.so"));
	leat_sym_files_add(&f.files, LEAT_FILE_DEBUGLINK, LIB, "lib.debug",
			   in_dir(&f, "lib.debug"));
	frame = frame_in(&f, "second", 1, 0);
	resolve(&f);
	cr_expect(eq(int, leat_sym_function(f.p, frame)->unnamed,
		     same ? LEAT_UNNAMED_NONE : LEAT_UNNAMED_STRIPPED));
	teardown(&f);
}

Test(resolve, link_without_build_id_needs_its_crc)
{
	check_crc(true);
	check_crc(false);
}

Test(resolve, mini_debug_information)
{
	struct fixture f;
	uint32_t hidden, known;

	setup(&f, "");
	split(&f);
	leat_sym_sh(
		"cd %s && objcopy -S --remove-section .comment --keep-symbol=hidden lib.debug mini "
		"&& xz -f mini && objcopy --add-section .gnu_debugdata=mini.xz stripped.so mini.so",
		f.dir.path);
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, in_dir(&f, "mini.so"));
	hidden = frame_in(&f, "hidden", 1, 0);
	known = frame_in(&f, "shared", 1, 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, hidden, "hidden");
	LEAT_EXPECT_NAME(f.p, known, "shared");
	teardown(&f);
}

Test(resolve, replaced_file_names_nothing)
{
	struct fixture f;
	struct leat_object o = { .kind = LEAT_OBJECT_FILE, .build_id_len = 4 };
	uint32_t id, frame;

	setup(&f, "");
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, NULL, NULL, f.lib);
	cr_assert(eq(int, leat_profile_string(f.p, "/opt/a b (deleted)", 18, &o.path), 0));
	cr_assert(eq(int, leat_profile_object(f.p, &o, &id), 0));
	frame = leat_sym_frame(f.p, id, leat_sym_offset_of(f.lib, "shared"), 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, frame, "[a b]");
	cr_expect(eq(int, leat_sym_function(f.p, frame)->unnamed, LEAT_UNNAMED_BAD_FILE));
	cr_expect(eq(int, !!(f.p->objects[id].unreadable), 1));
	cr_expect(eq(u64, f.p->verdict.objects_unreadable, 1));
	teardown(&f);
}

static void check_failure(int err, enum leat_unnamed cause)
{
	struct fixture f;
	uint32_t frame;

	setup(&f, "");
	leat_sym_files_fail(&f.files, LEAT_FILE_BINARY, LIB, err);
	frame = frame_in(&f, "shared", 0, 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, frame, "[libthing.so.1]");
	cr_expect(eq(int, leat_sym_function(f.p, frame)->unnamed, cause));
	cr_expect(eq(int, !!(f.p->objects[f.object].unreadable), 1));
	teardown(&f);
}

Test(resolve, causes_of_files_that_cannot_be_had)
{
	check_failure(-ENOENT, LEAT_UNNAMED_FILE_GONE);
	check_failure(-ESTALE, LEAT_UNNAMED_FILE_GONE);
	check_failure(-EACCES, LEAT_UNNAMED_PERMISSION);
	check_failure(-EPERM, LEAT_UNNAMED_PERMISSION);
	check_failure(-EMFILE, LEAT_UNNAMED_BAD_FILE);
}

Test(resolve, file_that_is_no_elf)
{
	struct fixture f;
	uint32_t frame;

	setup(&f, "");
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, in_dir(&f, "t.c"));
	frame = frame_in(&f, "shared", 0, 0);
	resolve(&f);
	cr_expect(eq(int, leat_sym_function(f.p, frame)->unnamed, LEAT_UNNAMED_BAD_FILE));
	teardown(&f);
}

Test(resolve, kinds_without_files)
{
	struct fixture f;
	uint32_t unknown, remapped, jit;

	setup(&f, "");
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, f.lib);
	unknown = leat_sym_frame(f.p, leat_sym_object(f.p, LEAT_OBJECT_UNKNOWN, "[unknown]"), 7, 0);
	jit = leat_sym_frame(f.p, leat_sym_object(f.p, LEAT_OBJECT_JIT, "[jit]"), 7, 0);
	remapped = frame_in(&f, "shared", 0, LEAT_FRAME_REMAPPED);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, unknown, "[unknown]");
	cr_expect(eq(int, leat_sym_function(f.p, unknown)->unnamed, LEAT_UNNAMED_UNMAPPED));
	LEAT_EXPECT_NAME(f.p, jit, "[jit]");
	cr_expect(eq(int, leat_sym_function(f.p, jit)->unnamed, LEAT_UNNAMED_JIT));
	LEAT_EXPECT_NAME(f.p, remapped, "[libthing.so.1]");
	cr_expect(eq(int, leat_sym_function(f.p, remapped)->unnamed, LEAT_UNNAMED_REMAPPED));
	teardown(&f);
}

Test(resolve, outside_any_segment)
{
	struct fixture f;
	uint32_t frame;

	setup(&f, "");
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, f.lib);
	frame = leat_sym_frame(f.p, f.object, 1ull << 40, LEAT_FRAME_RETURN);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, frame, "[libthing.so.1]");
	teardown(&f);
}

/* The image that the kernel has given this very process. */
static size_t write_vdso(struct fixture *f)
{
	const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *h = (const Elf64_Ehdr *)image;

	if (!image)
		return 0;
	/* Section headers are at its end. */
	leat_tmpdir_write(&f->dir, "vdso", image, h->e_shoff + (size_t)h->e_shnum * h->e_shentsize);
	return h->e_shoff;
}

Test(resolve, vdso_functions)
{
	struct fixture f;
	uint32_t object, frame;

	setup(&f, "");
	if (!write_vdso(&f))
		cr_skip("no vDSO");
	leat_sym_files_add(&f.files, LEAT_FILE_VDSO, NULL, NULL, in_dir(&f, "vdso"));
	object = leat_sym_object(f.p, LEAT_OBJECT_VDSO, "[vdso]");
	frame = leat_sym_frame(
		f.p, object, leat_sym_offset_of(in_dir(&f, "vdso"), "__vdso_clock_gettime") + 1, 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, frame, "__vdso_clock_gettime");
	teardown(&f);
}

/* What was named stays, what came since is named, and the counters are those of all of it. */
Test(resolve, second_time)
{
	struct fixture f;
	uint32_t first, second;

	setup(&f, "");
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, f.lib);
	first = frame_in(&f, "shared", 1, 0);
	resolve(&f);
	second = frame_in(&f, "hidden", 1, 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, first, "shared");
	LEAT_EXPECT_NAME(f.p, second, "hidden");
	cr_expect(eq(u64, f.p->verdict.objects, 1));
	teardown(&f);
}

Test(resolve, cplusplus_and_options)
{
	static const char cpp[] = "namespace n { __attribute__((noinline)) int twice(int x, char) "
				  "{ return x * 2; } }\nint x = n::twice(1, 'a');\n";
	struct leat_symbols_opts raw = { .no_demangle = true };

	for (int round = 0; round < 2; round++) {
		struct fixture f;
		uint32_t frame;

		setup(&f, "");
		leat_tmpdir_write(&f.dir, "t.cc", cpp, sizeof(cpp) - 1);
		leat_sym_sh("cd %s && g++ -O1 -fPIC -shared -o lib.so t.cc", f.dir.path);
		leat_sym_files_add(&f.files, LEAT_FILE_BINARY, LIB, NULL, f.lib);
		frame = frame_in(&f, "_ZN1n5twiceEic", 1, 0);
		cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, round ? &raw : NULL),
			     0));
		LEAT_EXPECT_NAME(f.p, frame, round ? "_ZN1n5twiceEic" : "n::twice(int, char)");
		cr_expect(eq(str,
			     (char *)(uintptr_t)leat_profile_str(
				     f.p, leat_sym_function(f.p, frame)->raw),
			     (char *)(uintptr_t) "_ZN1n5twiceEic"));
		teardown(&f);
	}
}

Test(resolve, threads_and_one_thread_agree)
{
	struct leat_symbols_opts opts = { .threads = 1 };
	char *names[2][600] = { 0 };

	for (unsigned int round = 0; round < 2; round++) {
		struct fixture f;
		uint64_t off;

		setup(&f, "");
		off = leat_sym_offset_of(f.lib, "hidden") & ~(uint64_t)0xff;
		leat_sym_files_add(&f.files, LEAT_FILE_BINARY, NULL, NULL, f.lib);
		for (unsigned int i = 0; i < 600; i++) {
			char path[32];

			snprintf(path, sizeof(path), "/lib/%u.so", i % 40);
			leat_sym_frame(f.p, leat_sym_object(f.p, LEAT_OBJECT_FILE, path), off + i,
				       0);
		}
		opts.threads = round ? 4 : 1;
		cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, &opts), 0));
		for (unsigned int i = 0; i < 600; i++)
			names[round][i] = strdup(leat_sym_name(f.p, i));
		teardown(&f);
	}
	for (unsigned int i = 0; i < 600; i++) {
		cr_expect(eq(str, names[0][i], names[1][i]));
		free(names[0][i]);
		free(names[1][i]);
	}
}
