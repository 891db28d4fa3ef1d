/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "symbols/ksym_lines.h"

#define AT 0xffffffff81000110ull

static bool parse(const char *s, struct leat_kline *l)
{
	return leat_ksym_parse(s, strlen(s), AT, l);
}

static void expect_text(const char *s, size_t n, const char *want)
{
	cr_expect(eq(sz, n, strlen(want)));
	cr_expect(zero(int, n ? memcmp(s, want, n) : 0), "%.*s is not %s", (int)n, s ? s : "",
		  want);
}

Test(ksym_lines, what_the_kernel_says)
{
	static const struct {
		const char *said, *name, *module;
		uint64_t start;
	} rows[] = {
		{ "do_read+0x0/0x1", "do_read", NULL, AT },
		{ "do_read+0x10/0x80", "do_read", NULL, AT - 0x10 },
		{ "helper.isra.0+0x110/0x80000", "helper.isra.0", NULL, AT - 0x110 },
		{ "odd+name$x+0x10/0x80", "odd+name$x", NULL, AT - 0x10 },
		{ "mod_first+0x10/0x80 [ext4]", "mod_first", "ext4", AT - 0x10 },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_kline l;

		cr_assert(parse(rows[i].said, &l), "%s", rows[i].said);
		cr_expect(eq(u64, l.addr, rows[i].start));
		cr_expect(eq(chr, l.type, 't'));
		expect_text(l.name, l.name_len, rows[i].name);
		expect_text(l.module, l.module_len, rows[i].module ? rows[i].module : "");
		cr_expect(eq(int, l.module != NULL, rows[i].module != NULL));
	}
}

Test(ksym_lines, what_is_no_name)
{
	static const char *const bad[] = {
		"",
		"0xffffffff81000110",
		"do_read",
		"do_read+",
		"do_read+0x",
		"do_read+0x10",
		"do_read+0x10/",
		"do_read+0x10/0x",
		"do_read+10/0x80",
		"do_read+0x10/80",
		"do_read+0xg/0x80",
		"do_read+0x10/0x80 ",
		"do_read+0x10/0x80 ext4",
		"do_read+0x10/0x80 []",
		"do_read+0x10/0x80 [ext4",
		"do_read+0x10/0x80[ext4]",
		"do_read+0x10/0x80 [a] [b]",
		"do_read+0x10/0x80x",
		"do read+0x10/0x80",
		"+0x10/0x80",
		" +0x10/0x80",
		/* Outside of the function; a size that the kernel has subtracted below zero. */
		"do_read+0x80/0x80",
		"do_read+0x81/0x80",
		"do_read+0x0/0x0",
		"do_read+0x10/0xfffffffffffff000",
		"do_read+0x11111111111111111/0x80",
		"do_read+0xffffffff81000110/0xffffffff82000000",
	};
	struct leat_kline l;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(bad); i++)
		cr_expect(not(parse(bad[i], &l)), "'%s'", bad[i]);
}

Test(ksym_lines, cut_anywhere)
{
	static const char whole[] = "mod_first+0x10/0x80 [ext4]";

	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		char *copy = malloc(n + 1);
		struct leat_kline l;

		memcpy(copy, whole, n);
		/* Its size may be cut to 0x8, which the offset is not in. */
		cr_expect(eq(int, leat_ksym_parse(copy, n, AT, &l),
			     n == strlen("mod_first+0x10/0x80")),
			  "%zu", n);
		free(copy);
	}
}

static const uint64_t addrs[] = { 0xffffffff81000100, 0xffffffff81000110, 0xffffffff81000200,
				  0xffffffffc0001010 };
static const char said[] = "do_read+0x0/0x80\n"
			   "do_read+0x10/0x80\n"
			   "other+0x80/0x100\n"
			   "mod_first+0x10/0x80 [ext4]\n";

static int lines(const char *s, size_t len, uint64_t start, uint64_t end, struct leat_buf *out)
{
	const struct leat_ksym_text t = {
		.s = s, .len = len, .text_start = start, .text_end = end
	};

	leat_buf_init(out, 4096);
	return leat_ksym_lines(addrs, LEAT_ARRAY_SIZE(addrs), &t, out);
}

Test(ksym_lines, a_line_for_each_function)
{
	struct leat_buf out;

	cr_assert(zero(
		int, lines(said, sizeof(said) - 1, 0xffffffff81000000, 0xffffffff81000201, &out)));
	expect_text(out.data, out.len,
		    "ffffffff81000100 t do_read\n"
		    "ffffffff81000180 t other\n"
		    "ffffffffc0001000 t mod_first\t[ext4]\n");
	leat_buf_fini(&out);
}

/* Addresses of data, and of the kernel's beginnings: only the file knows which is which. */
Test(ksym_lines, only_code_of_the_kernel)
{
	struct leat_buf out;

	cr_expect(eq(int,
		     lines(said, sizeof(said) - 1, 0xffffffff81000000, 0xffffffff81000200, &out),
		     -ENOENT));
	leat_buf_fini(&out);
	cr_expect(eq(int,
		     lines(said, sizeof(said) - 1, 0xffffffff81000101, 0xffffffff81000201, &out),
		     -ENOENT));
	leat_buf_fini(&out);
}

static int lines_of_one(const char *name, struct leat_buf *out)
{
	const uint64_t addr = 0xffffffffc0001010;
	char line[128];
	const struct leat_ksym_text t = {
		.s = line,
		.len = (size_t)snprintf(line, sizeof(line), "%s+0x10/0x80\n", name),
		.text_start = 0xffffffff81000000,
		.text_end = 0xffffffff82000000,
	};

	leat_buf_init(out, 4096);
	return leat_ksym_lines(&addr, 1, &t, out);
}

/* The kernel says nothing of [bpf]. */
Test(ksym_lines, bpf_outside_of_the_kernel)
{
	static const char *const bpf[] = {
		"bpf_prog_6deef7357e7b4530",  "bpf_prog_6deef7357e7b4530_sd_fw_egress",
		"bpf_trampoline_6442536467",  "bpf_dispatcher_xdp",
		"bpf__sched_ext_ops_enqueue",
	};
	static const char *const data[] = {
		"bpf_prog_fops",
		"bpf_prog_",
		"bpf_prog_6deef7357e7b453",
		"bpf_prog_6deef7357e7b453g_x",
		"bpf_prog_6deef7357e7b45301",
		"bpf_prog_6deef7357e7b4530x",
		"bpf_trampoline_",
		"bpf_trampoline_lock",
		"bpf_stats",
		"bpf",
		"jiffies",
	};
	struct leat_buf out;
	char want[128];

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(bpf); i++) {
		cr_assert(zero(int, lines_of_one(bpf[i], &out)), "%s", bpf[i]);
		snprintf(want, sizeof(want), "ffffffffc0001000 t %s\t[bpf]\n", bpf[i]);
		expect_text(out.data, out.len, want);
		leat_buf_fini(&out);
	}
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(data); i++) {
		cr_expect(eq(int, lines_of_one(data[i], &out), -ENOENT), "%s", data[i]);
		leat_buf_fini(&out);
	}
}

Test(ksym_lines, one_without_a_name)
{
	static const char hole[] = "do_read+0x0/0x80\n0xffffffff81000110\nother+0x80/0x100\n"
				   "mod_first+0x10/0x80 [ext4]\n";
	struct leat_buf out;

	cr_expect(eq(int,
		     lines(hole, sizeof(hole) - 1, 0xffffffff81000000, 0xffffffff81000201, &out),
		     -ENOENT));
	leat_buf_fini(&out);
}

Test(ksym_lines, fewer_lines_than_addresses)
{
	struct leat_buf out;

	for (size_t n = 0; n < sizeof(said) - 1; n++) {
		char *copy = malloc(n + 1);

		memcpy(copy, said, n);
		cr_expect(eq(int, lines(copy, n, 0xffffffff81000000, 0xffffffff81000201, &out),
			     -EBADMSG));
		leat_buf_fini(&out);
		free(copy);
	}
}

Test(ksym_lines, no_room)
{
	const struct leat_ksym_text t = { said, sizeof(said) - 1, 0xffffffff81000000,
					  0xffffffff81000201 };
	struct leat_buf out;

	leat_buf_init(&out, 40);
	cr_expect(eq(int, leat_ksym_lines(addrs, LEAT_ARRAY_SIZE(addrs), &t, &out), -EOVERFLOW));
	leat_buf_fini(&out);
}
