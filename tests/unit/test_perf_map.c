/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/sym_files.h"
#include "../support/tmpdir.h"
#include "symbols/perf_map.h"

struct fixture {
	struct leat_tmpdir dir;
	struct leat_sym_files files;
	struct leat_profile *p;
	uint32_t object;
};

static void setup(struct fixture *f, const char *s, size_t n)
{
	leat_tmpdir_init(&f->dir);
	leat_sym_files_init(&f->files);
	leat_sym_files_add(&f->files, LEAT_FILE_PERF_MAP, NULL, NULL,
			   leat_tmpdir_write(&f->dir, "perf-1.map", s, n));
	f->p = leat_sym_profile();
	f->object = leat_sym_object(f->p, LEAT_OBJECT_JIT, "[jit]");
}

static void teardown(struct fixture *f)
{
	leat_profile_free(&f->p);
	leat_tmpdir_fini(&f->dir);
}

/* The name at @addr; NULL when it has none. */
static char *name_at(const char *s, uint64_t addr)
{
	static char name[LEAT_PERF_MAP_NAME_MAX + 1];
	struct fixture f;
	uint32_t id;
	bool named;

	setup(&f, s, strlen(s));
	id = leat_sym_frame(f.p, f.object, addr, 0);
	cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, NULL), 0));
	named = leat_sym_function(f.p, id)->unnamed == LEAT_UNNAMED_NONE;
	cr_expect(eq(int, leat_sym_function(f.p, id)->kind, LEAT_FUNCTION_JIT));
	snprintf(name, sizeof(name), "%s", leat_sym_name(f.p, id));
	teardown(&f);
	return named ? name : NULL;
}

struct row {
	const char *text;
	uint64_t addr;
	const char *name;
};

static const struct row rows[] = {
	{ "1000 10 f\n", 0x1000, "f" },
	{ "1000 10 f\n", 0x100f, "f" },
	{ "1000 10 f\n", 0x1010, NULL },
	{ "1000 10 f\n", 0xfff, NULL },
	{ "0x1000 0x10 f\n", 0x1001, "f" },
	{ "00001000 010 f\n", 0x1001, "f" },
	{ "1000 10 JS:*run /app/x.js:1:2\n", 0x1001, "JS:*run /app/x.js:1:2" },
	{ "1000 10   spaced name  \n", 0x1001, "spaced name" },
	{ "1000 10 dos\r\n", 0x1001, "dos" },
	{ "1000 10 no newline", 0x1001, "no newline" },
	{ "1000 10 old\n2000 10 b\n1000 20 new\n", 0x1001, "new" },
	{ "1000 20 old\n1010 8 inner\n", 0x1012, "inner" },
	{ "1000 20 old\n1010 8 inner\n", 0x1018, "old" },
	{ "1000 0 empty\n", 0x1000, NULL },
	{ "1000 10\n", 0x1001, NULL },
	{ "1000 10 \n", 0x1001, NULL },
	{ "1000  f\n1000 10 g\n", 0x1001, "g" },
	{ "zzz\n\n\n1000 10 f\n", 0x1001, "f" },
	{ "10000000000001000 10 f\n", 0x1001, NULL },
	{ "-1000 10 f\n", 0x1001, NULL },
	{ "fffffffffffff000 ffffffffffffffff f\n", 0xfffffffffffff001, "f" },
	{ "1000 10 _ZN3foo3barEv\n", 0x1001, "_ZN3foo3barEv" },
	{ "", 0x1001, NULL },
};

Test(perf_map, lines)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		char *name = name_at(rows[i].text, rows[i].addr);

		cr_expect(eq(int, name != NULL, rows[i].name != NULL), "%zu: %s", i, rows[i].text);
		if (name && rows[i].name)
			cr_expect(eq(str, name, (char *)(uintptr_t)rows[i].name));
	}
}

Test(perf_map, nul_ends_a_name)
{
	struct fixture f;
	uint32_t id;

	setup(&f, "1000 10 ab\0cd\n", 14);
	id = leat_sym_frame(f.p, f.object, 0x1000, 0);
	cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, NULL), 0));
	LEAT_EXPECT_NAME(f.p, id, "ab");
	teardown(&f);
}

static void add_many(struct leat_buf *s, char c, size_t n)
{
	while (n--)
		leat_buf_char(s, c);
}

Test(perf_map, long_names_are_cut)
{
	struct leat_buf s;

	leat_buf_init(&s, 1 << 20);
	leat_buf_str(&s, "1000 10 ");
	add_many(&s, 'n', 10000);
	cr_expect(eq(sz, strlen(name_at(s.data, 0x1000)), LEAT_PERF_MAP_NAME_MAX));
	leat_buf_fini(&s);
}

Test(perf_map, lines_longer_than_a_piece_are_passed_over)
{
	struct leat_buf s;

	leat_buf_init(&s, 1 << 20);
	leat_buf_str(&s, "1000 10 ");
	add_many(&s, 'n', 700000);
	leat_buf_str(&s, "\n2000 10 after\n");
	cr_expect(eq(str, name_at(s.data, 0x2000), (char *)(uintptr_t) "after"));
	leat_buf_fini(&s);
}

Test(perf_map, names_on_both_sides_of_a_piece)
{
	enum { LINES = 40000 };
	struct fixture f;
	struct leat_buf s;

	leat_buf_init(&s, 1 << 24);
	for (unsigned int i = 0; i < LINES; i++)
		leat_buf_printf(&s, "%x 10 LazyCompile:~function_%u\n", 0x10000 + i * 16, i);
	setup(&f, s.data, s.len);
	for (unsigned int i = 0; i < LINES; i += 3)
		leat_sym_frame(f.p, f.object, 0x10000 + i * 16, 0);
	cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, NULL), 0));
	for (unsigned int i = 0; i < f.p->frame_cnt; i++) {
		char want[64];

		snprintf(want, sizeof(want), "LazyCompile:~function_%u", i * 3);
		LEAT_EXPECT_NAME(f.p, i, want);
	}
	teardown(&f);
	leat_buf_fini(&s);
}

/* Lines that all cover all samples: bounded, and soon done. */
Test(perf_map, hostile_overlaps_end)
{
	enum { LINES = 60000, FRAMES = 20000 };
	struct fixture f;
	struct leat_buf s;

	leat_buf_init(&s, 1 << 24);
	for (unsigned int i = 0; i < LINES; i++)
		leat_buf_printf(&s, "0 ffffffff f%u\n", i);
	setup(&f, s.data, s.len);
	for (unsigned int i = 0; i < FRAMES; i++)
		leat_sym_frame(f.p, f.object, 0x1000 + i, 0);
	cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, NULL), 0));
	cr_expect(eq(int, leat_sym_function(f.p, 0)->unnamed, LEAT_UNNAMED_NONE));
	teardown(&f);
	leat_buf_fini(&s);
}

Test(perf_map, memory_file_is_looked_up_by_address)
{
	struct fixture f;
	struct leat_object o = {
		.kind = LEAT_OBJECT_FILE,
		.map_start = 0x7f0000001000,
		.map_end = 0x7f0000003000,
		.map_pgoff = 0x2000,
		.ino = 7,
	};
	static const char text[] = "7f0000001100 20 jitted\n";
	static const char path[] = "/memfd:doublemapper (deleted)";
	uint32_t object, id;

	setup(&f, text, sizeof(text) - 1);
	/* Bytes that are no ELF file. */
	leat_sym_files_add(&f.files, LEAT_FILE_BINARY, NULL, NULL,
			   leat_tmpdir_write(&f.dir, "memfd", "\x90\x90\x90", 3));
	cr_assert(eq(int, leat_profile_string(f.p, path, sizeof(path) - 1, &o.path), 0));
	cr_assert(eq(int, leat_profile_object(f.p, &o, &object), 0));
	id = leat_sym_frame(f.p, object, 0x2110, 0);
	cr_assert(eq(int, leat_symbols_resolve(f.p, &f.files.provider, NULL), 0));
	LEAT_EXPECT_NAME(f.p, id, "jitted");
	teardown(&f);
}
