/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/maps.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

static const char libc_line[] = "7f6f1dd92000-7f6f1dee8000 r-xp 00026000 fe:01 326269"
				"                     /usr/lib/x86_64-linux-gnu/libc.so.6\n";

Test(maps, a_file)
{
	struct leat_maps_line l;

	cr_assert(eq(int, leat_maps_parse(libc_line, strlen(libc_line), &l), 0));
	cr_assert(eq(u64, l.start, 0x7f6f1dd92000));
	cr_assert(eq(u64, l.end, 0x7f6f1dee8000));
	cr_assert(eq(u64, l.pgoff, 0x26000));
	cr_assert(eq(u64, l.dev, makedev(0xfe, 1)));
	cr_assert(eq(u64, l.ino, 326269));
	cr_assert(l.exec);
	cr_assert(eq(sz, l.path_len, strlen("/usr/lib/x86_64-linux-gnu/libc.so.6")));
	cr_assert(eq(int, memcmp(l.path, "/usr/lib/x86_64", 15), 0));
}

/* Every length that cuts something off: an error, or a line with a shorter path. */
Test(maps, cut_at_every_length)
{
	const size_t need = strlen("7f6f1dd92000-7f6f1dee8000 r-xp 00026000 fe:01 3");

	for (size_t n = 0; n < strlen(libc_line); n++) {
		struct leat_maps_line l = { .start = 77 };
		int err = leat_maps_parse(libc_line, n, &l);

		if (n < need) {
			cr_assert(eq(int, err, -EBADMSG), "at length %zu", n);
			cr_assert(eq(u64, l.start, 77));
		} else {
			cr_assert(eq(int, err, 0), "at length %zu", n);
			cr_assert(l.path_len <= n);
		}
	}
}

Test(maps, no_path)
{
	static const char line[] = "00400000-00401000 rwxp 00000000 00:00 0";
	struct leat_maps_line l;

	cr_assert(eq(int, leat_maps_parse(line, strlen(line), &l), 0));
	cr_assert(eq(sz, l.path_len, 0));
	cr_assert(l.exec);
}

struct bad {
	const char line[96];
	int err;
};

ParameterizedTestParameters(maps, malformed)
{
	static struct bad cases[] = {
		{ "", -EBADMSG },
		{ "\n", -EBADMSG },
		{ "-1000 r-xp 00000000 00:00 0", -EBADMSG },
		{ "1000-1000 r-xp 00000000 00:00 0", -EBADMSG },
		{ "2000-1000 r-xp 00000000 00:00 0", -EBADMSG },
		{ "1000-2000 r-x 00000000 00:00 0", -EBADMSG },
		{ "1000-2000  r-xp 00000000 00:00 0", -EBADMSG },
		{ "1000-2000 r-xp 00000000 0000 0", -EBADMSG },
		{ "1000-2000 r-xp 00000000 00:00 x", -EBADMSG },
		{ "1000-2000 r-xp 00000000 00:00 0x", -EBADMSG },
		{ "1000-20000000000000000 r-xp 00000000 00:00 0", -EOVERFLOW },
		{ "1000-2000 r-xp 00000000 100000000:00 0", -EOVERFLOW },
		{ "1000-2000 r-xp 00000000 00:00 18446744073709551616", -EOVERFLOW },
	};

	return cr_make_param_array(struct bad, cases, LEAT_ARRAY_SIZE(cases));
}

ParameterizedTest(struct bad *p, maps, malformed)
{
	struct leat_maps_line l;

	cr_assert(eq(int, leat_maps_parse(p->line, strlen(p->line), &l), p->err), "%s", p->line);
}

Test(maps, largest_numbers)
{
	static const char line[] = "fffffffffffff000-ffffffffffffffff --xp ffffffffffffffff "
				   "ffffffff:ffffffff 18446744073709551615 x";
	struct leat_maps_line l;

	cr_assert(eq(int, leat_maps_parse(line, strlen(line), &l), 0));
	cr_assert(eq(u64, l.end, UINT64_MAX));
	cr_assert(eq(u64, l.ino, UINT64_MAX));
}

struct kind {
	char path[64];
	uint64_t ino;
	enum leat_mmap_kind kind;
};

ParameterizedTestParameters(maps, kinds)
{
	static struct kind cases[] = {
		{ "/usr/bin/ls", 5, LEAT_MMAP_FILE },
		{ "/usr/bin/ls", 0, LEAT_MMAP_ANON },
		{ "", 0, LEAT_MMAP_ANON },
		{ "[vdso]", 0, LEAT_MMAP_VDSO },
		{ "[vsyscall]", 0, LEAT_MMAP_VSYSCALL },
		{ "[heap]", 0, LEAT_MMAP_ANON },
		{ "[anon:jit code]", 0, LEAT_MMAP_ANON },
		{ "[vdso] ", 0, LEAT_MMAP_ANON },
		{ "//anon", 0, LEAT_MMAP_ANON },
		{ "anon_inode:[perf_event]", 9, LEAT_MMAP_ANON },
		{ "/dev/zero", 7, LEAT_MMAP_ANON },
		{ "/SYSV00000000 (deleted)", 7, LEAT_MMAP_ANON },
		{ "/anon_hugepage (deleted)", 7, LEAT_MMAP_ANON },
		{ "/memfd:doublemapper (deleted)", 7, LEAT_MMAP_ANON },
		{ "/memory/lib.so", 7, LEAT_MMAP_FILE },
	};

	return cr_make_param_array(struct kind, cases, LEAT_ARRAY_SIZE(cases));
}

ParameterizedTest(struct kind *p, maps, kinds)
{
	cr_assert(eq(int, (int)leat_maps_kind(p->path, strlen(p->path), p->ino), (int)p->kind),
		  "%s", p->path);
}

Test(maps, memfd)
{
	cr_assert(leat_maps_is_memfd("/memfd:x", 8));
	cr_assert(not(leat_maps_is_memfd("/memfd", 6)));
	cr_assert(not(leat_maps_is_memfd("", 0)));
}

struct path {
	char in[64];
	char out[64];
	int deleted;
};

ParameterizedTestParameters(maps, paths)
{
	static struct path cases[] = {
		{ "/usr/lib/a b.so", "/usr/lib/a b.so", 0 },
		{ "/tmp/x (deleted)", "/tmp/x", 1 },
		{ "/tmp/x (deleted) (deleted)", "/tmp/x (deleted)", 1 },
		{ " (deleted)", " (deleted)", 0 },
		{ "/tmp/a\\012b", "/tmp/a\nb", 0 },
		{ "/tmp/a\\01", "/tmp/a\\01", 0 },
		{ "/tmp/a\\\\012", "/tmp/a\\\n", 0 },
		{ "", "", 0 },
	};

	return cr_make_param_array(struct path, cases, LEAT_ARRAY_SIZE(cases));
}

ParameterizedTest(struct path *p, maps, paths)
{
	char out[64];

	cr_assert(eq(sz, leat_maps_path(p->in, strlen(p->in), out, sizeof(out)), strlen(p->out)));
	cr_assert(eq(str, (char *)out, (char *)p->out));
	cr_assert(eq(int, leat_maps_is_deleted(p->in, strlen(p->in)), p->deleted));
}

Test(maps, path_is_cut)
{
	char out[5];

	cr_assert(eq(sz, leat_maps_path("/abcdefgh", 9, out, sizeof(out)), 4));
	cr_assert(eq(str, (char *)out, (char *)"/abc"));
	cr_assert(eq(sz, leat_maps_path("/abcdefgh", 9, out, 1), 0));
	cr_assert(eq(str, (char *)out, (char *)""));
}
