/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../support/sym_files.h"
#include "../support/tmpdir.h"
#include "symbols/kallsyms.h"

static const char text[] = "0000000000000000 A fixed_percpu_data\n"
			   "0000000000001000 A cpu_debug_store\n"
			   "ffffffff81000000 D data_at_the_start_of_code\n"
			   "ffffffff81000000 t a_local\n"
			   "ffffffff81000000 T _stext\n"
			   "ffffffff81000000 T _text_with_a_long_name\n"
			   "ffffffff81000100 T do_read\n"
			   "ffffffff81000180 t helper.isra.0\n"
			   "ffffffff81000200 T __strong_one\n"
			   "ffffffff81000200 W weak_one\n"
			   "ffffffff81000300 D some_data\n"
			   "ffffffff81000400 T last_function\n"
			   "ffffffff81000500 B _end\n"
			   "ffffffffc0002000 t mod_second\t[ext4]\n"
			   "ffffffffc0001000 t mod_first\t[ext4]\n"
			   "ffffffffc0001000 T mod_first_by_another_name\t[ext4]\n"
			   "ffffffffc0003000 d mod_data\t[ext4]\n"
			   "ffffffffc0100000 t bpf_prog_6deef7357e7b4530_sd_fw_egress\t[bpf]\n"
			   "ffffffffc0101000 t bpf_prog_6deef7357e7b4530\t[bpf]\n"
			   "ffffffffc0102000 t kprobe_page\t[__builtin__kprobes]\n";

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
	leat_sym_files_add(&f->files, LEAT_FILE_KALLSYMS, NULL, NULL,
			   leat_tmpdir_write(&f->dir, "kallsyms", s, n));
	f->p = leat_sym_profile();
	f->object = leat_sym_object(f->p, LEAT_OBJECT_KERNEL, "[kernel]");
}

static void teardown(struct fixture *f)
{
	leat_profile_free(&f->p);
	leat_tmpdir_fini(&f->dir);
}

static void resolve(struct fixture *f)
{
	cr_assert(eq(int, leat_symbols_resolve(f->p, &f->files.provider, NULL), 0));
}

static uint32_t frame(struct fixture *f, uint64_t addr, uint32_t flags)
{
	return leat_sym_frame(f->p, f->object, addr, flags | LEAT_FRAME_KERNEL);
}

struct row {
	uint64_t addr;
	const char *name; /* NULL: unnamed */
	enum leat_function_kind kind;
	const char *object;
};

static const struct row rows[] = {
	{ 0xffffffff80ffffff, NULL, LEAT_FUNCTION_KERNEL, "[kernel]" },
	/* Aliases: the first that is code, as the kernel sorted them. */
	{ 0xffffffff81000000, "a_local", LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffff810000ff, "a_local", LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffff81000100, "do_read", LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffff810001ff, "helper.isra.0", LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffff81000210, "__strong_one", LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffff81000310, NULL, LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffff810004ff, "last_function", LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffff81000500, NULL, LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffffc0000fff, NULL, LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffffc0001001, "mod_first", LEAT_FUNCTION_MODULE, "[ext4]" },
	{ 0xffffffffc0002fff, "mod_second", LEAT_FUNCTION_MODULE, "[ext4]" },
	{ 0xffffffffc0003001, NULL, LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffffc0100010, "sd_fw_egress", LEAT_FUNCTION_BPF, "[kernel]" },
	{ 0xffffffffc0101010, "bpf_prog_6deef7357e7b4530", LEAT_FUNCTION_BPF, "[kernel]" },
	{ 0xffffffffc0102010, "kprobe_page", LEAT_FUNCTION_KERNEL, "[kernel]" },
	{ 0xffffffffffffffff, NULL, LEAT_FUNCTION_KERNEL, "[kernel]" },
};

static void check_row(const struct leat_profile *p, uint32_t id, const struct row *r)
{
	const struct leat_function *fn = leat_sym_function(p, id);

	LEAT_EXPECT_NAME(p, id, r->name ? r->name : "[kernel]");
	cr_expect(eq(int, fn->unnamed, r->name ? LEAT_UNNAMED_NONE : LEAT_UNNAMED_STRIPPED), "%lx",
		  r->addr);
	cr_expect(eq(int, fn->kind, r->kind), "%lx", r->addr);
	cr_expect(eq(str, (char *)(uintptr_t)leat_profile_str(p, p->objects[fn->object].path),
		     (char *)(uintptr_t)r->object));
}

Test(kallsyms, names_kinds_and_modules)
{
	struct fixture f;
	uint32_t ids[LEAT_ARRAY_SIZE(rows)];

	setup(&f, text, sizeof(text) - 1);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++)
		ids[i] = frame(&f, rows[i].addr, 0);
	resolve(&f);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++)
		check_row(f.p, ids[i], &rows[i]);
	cr_expect(eq(u64, f.p->verdict.kptr_restricted, 0));
	teardown(&f);
}

/* Each alone: the reader stops early when nothing behind can matter. */
Test(kallsyms, one_address_at_a_time)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct fixture f;
		uint32_t id;

		setup(&f, text, sizeof(text) - 1);
		id = frame(&f, rows[i].addr, 0);
		resolve(&f);
		check_row(f.p, id, &rows[i]);
		teardown(&f);
	}
}

Test(kallsyms, return_address_belongs_to_the_call)
{
	struct fixture f;
	uint32_t id;

	setup(&f, text, sizeof(text) - 1);
	id = frame(&f, 0xffffffff81000180, LEAT_FRAME_RETURN);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, id, "do_read");
	teardown(&f);
}

Test(kallsyms, hidden_addresses)
{
	static const char hidden[] = "0000000000000000 T _stext\n0000000000000000 t do_read\n"
				     "0000000000000000 t mod\t[ext4]\n";
	struct fixture f;
	uint32_t id;

	setup(&f, hidden, sizeof(hidden) - 1);
	id = frame(&f, 0xffffffff81000180, 0);
	resolve(&f);
	LEAT_EXPECT_NAME(f.p, id, "[kernel]");
	cr_expect(eq(int, leat_sym_function(f.p, id)->unnamed, LEAT_UNNAMED_PERMISSION));
	cr_expect(eq(u64, f.p->verdict.kptr_restricted, 1));
	teardown(&f);
}

Test(kallsyms, file_that_cannot_be_had)
{
	struct fixture f;
	uint32_t id;

	setup(&f, text, 0);
	f.files.n = 0;
	leat_sym_files_fail(&f.files, LEAT_FILE_KALLSYMS, NULL, -EACCES);
	id = frame(&f, 0xffffffff81000180, 0);
	resolve(&f);
	cr_expect(eq(int, leat_sym_function(f.p, id)->unnamed, LEAT_UNNAMED_PERMISSION));
	cr_expect(eq(u64, f.p->verdict.objects_unreadable, 1));
	teardown(&f);
}

/* ---- a provider that gives the lines of some addresses ---- */

struct asked {
	struct leat_file_provider files; /* of the fixture */
	const char *lines;		 /* NULL: it cannot */
	struct leat_tmpdir *dir;
	uint64_t addr[8];
	size_t n;
	unsigned int opens;
};

static int asked_open(void *ctx, const struct leat_profile *p, const struct leat_object *o,
		      enum leat_file_what what, const char *arg, unsigned int n)
{
	struct asked *a = ctx;

	a->opens++;
	return a->files.open(a->files.ctx, p, o, what, arg, n);
}

static int asked_open_ksyms(void *ctx, const uint64_t *addr, size_t n)
{
	struct asked *a = ctx;

	cr_assert(le(sz, n, LEAT_ARRAY_SIZE(a->addr)));
	memcpy(a->addr, addr, n * sizeof(*addr));
	a->n = n;
	if (!a->lines)
		return -EPERM;
	return open(leat_tmpdir_write(a->dir, "lines", a->lines, strlen(a->lines)),
		    O_RDONLY | O_CLOEXEC);
}

static void ask(struct fixture *f, struct asked *a)
{
	const struct leat_file_provider prov = { .ctx = a,
						 .open = asked_open,
						 .open_ksyms = asked_open_ksyms };

	a->files = f->files.provider;
	a->dir = &f->dir;
	cr_assert(zero(int, leat_symbols_resolve(f->p, &prov, NULL)));
}

Test(kallsyms, some_lines_instead_of_the_file)
{
	struct asked a = { .lines = "ffffffff81000100 t as_the_kernel_says\n"
				    "ffffffff81000200 t at_the_call\n"
				    "ffffffffc0001000 t mod_first\t[ext4]\n" };
	struct fixture f;
	uint32_t ids[4];

	setup(&f, text, sizeof(text) - 1);
	ids[0] = frame(&f, 0xffffffffc0001010, 0);
	ids[1] = frame(&f, 0xffffffff81000100, 0);
	ids[2] = frame(&f, 0xffffffff81000300, LEAT_FRAME_RETURN);
	ids[3] = frame(&f, 0xffffffff810002ff, 0);
	ask(&f, &a);
	/* Ascending, each once, and of a return the call. */
	cr_assert(eq(sz, a.n, 3));
	cr_expect(eq(u64, a.addr[0], 0xffffffff81000100));
	cr_expect(eq(u64, a.addr[1], 0xffffffff810002ff));
	cr_expect(eq(u64, a.addr[2], 0xffffffffc0001010));
	cr_expect(eq(uint, a.opens, 0));
	LEAT_EXPECT_NAME(f.p, ids[0], "mod_first");
	cr_expect(eq(int, leat_sym_function(f.p, ids[0])->kind, LEAT_FUNCTION_MODULE));
	LEAT_EXPECT_NAME(f.p, ids[1], "as_the_kernel_says");
	LEAT_EXPECT_NAME(f.p, ids[2], "at_the_call");
	LEAT_EXPECT_NAME(f.p, ids[3], "at_the_call");
	teardown(&f);
}

Test(kallsyms, the_file_where_the_kernel_cannot_be_asked)
{
	struct asked a = { 0 };
	struct fixture f;
	uint32_t id;

	setup(&f, text, sizeof(text) - 1);
	id = frame(&f, 0xffffffff81000100, 0);
	ask(&f, &a);
	cr_expect(eq(sz, a.n, 1));
	cr_expect(eq(uint, a.opens, 1));
	LEAT_EXPECT_NAME(f.p, id, "do_read");
	teardown(&f);
}

Test(kallsyms, lines)
{
	static const char *const bad[] = {
		"",
		"x",
		"ffffffff81000000",
		"ffffffff81000000 ",
		"ffffffff81000000 T",
		"ffffffff81000000 T ",
		"ffffffff81000000  x",
		" ffffffff81000000 T a",
		"fffffffff81000000 T a",
		"g T a",
		"ffffffff81000000 T \t[m]",
	};
	struct leat_kline l;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(bad); i++)
		cr_expect(eq(int, leat_kline_parse(bad[i], strlen(bad[i]), &l), 0), "'%s'", bad[i]);
	cr_assert(leat_kline_parse("1f t a\t[m]", 10, &l));
	cr_expect(eq(u64, l.addr, 0x1f));
	cr_expect(eq(u16, l.name_len, 1));
	cr_expect(eq(u16, l.module_len, 1));
	cr_assert(leat_kline_parse("1F t a\t[m", 9, &l));
	cr_expect(eq(u64, l.addr, 0x1f));
	cr_expect(eq(u16, l.module_len, 0));
	cr_assert(leat_kline_parse("1 t a\t[]", 8, &l));
	cr_expect(eq(u16, l.module_len, 0));
}

/* Cut anywhere, nothing is read that is not there (the sanitizer looks), and no name is made up. */
Test(kallsyms, truncated_anywhere)
{
	uint64_t *addr;
	struct leat_spots spots;
	struct leat_ksym syms[3];

	addr = calloc(3, sizeof(*addr));
	addr[0] = 0xffffffff81000001;
	addr[1] = 0xffffffff81000101;
	addr[2] = 0xffffffffc0002001;
	cr_assert(eq(int, leat_spots_init(&spots, addr, 3), 0));
	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = malloc(n + 1);
		struct leat_kallsyms k;
		size_t used;

		memcpy(copy, text, n);
		memset(syms, 0, sizeof(syms));
		leat_kallsyms_init(&k, &spots, syms);
		used = leat_kallsyms_feed(&k, copy, n);
		cr_assert(le(sz, used, n));
		leat_kallsyms_end(&k);
		for (size_t i = 0; i < 3; i++)
			cr_assert(le(u64, syms[i].start, spots.addr[i]));
		leat_kallsyms_fini(&k);
		free(copy);
	}
	leat_spots_fini(&spots);
}

Test(kallsyms, overlong_names_are_cut)
{
	struct fixture f;
	char line[4096];
	int n = snprintf(line, sizeof(line), "ffffffff81000000 T ");
	uint32_t id;

	memset(line + n, 'x', 3000);
	line[n + 3000] = '\n';
	setup(&f, line, (size_t)n + 3001);
	id = frame(&f, 0xffffffff81000000, 0);
	resolve(&f);
	cr_expect(eq(sz, strlen(leat_sym_name(f.p, id)), 512));
	teardown(&f);
}

/* Sizes of tables as they are: many samples, a table of the usual size, in a few milliseconds. */
Test(kallsyms, every_function_of_a_large_table)
{
	enum { FUNCTIONS = 20000 };
	struct fixture f;
	struct leat_buf s;

	leat_buf_init(&s, 1 << 24);
	for (unsigned int i = 0; i < FUNCTIONS; i++)
		leat_buf_printf(&s, "%016lx t function_number_%u\n",
				0xffffffff81000000 + i * 0x100ul, i);
	setup(&f, s.data, s.len);
	for (unsigned int i = 0; i < FUNCTIONS; i += 7)
		frame(&f, 0xffffffff81000000 + i * 0x100ul + i % 0x100, 0);
	resolve(&f);
	for (unsigned int i = 0; i < f.p->frame_cnt; i++) {
		char want[32];

		snprintf(want, sizeof(want), "function_number_%u", i * 7);
		LEAT_EXPECT_NAME(f.p, i, want);
	}
	teardown(&f);
	leat_buf_fini(&s);
}
