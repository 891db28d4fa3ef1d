/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli/parse.h"
#include "cli/target.h"

#define STR(s)	  ((char *)(s))
#define MAX_WORDS 12

struct line {
	struct leat_cli_args args;
	struct leat_diag diag;
	char *words[MAX_WORDS + 1];
};

/* Parses and checks; the result of the check. */
static int check(struct line *l, ...)
{
	struct leat_cli_line line = { .verb = LEAT_CLI_RECORD, .argv = l->words };
	va_list ap;

	memset(&l->diag, 0, sizeof(l->diag));
	va_start(ap, l);
	while (line.argc < MAX_WORDS && (l->words[line.argc] = va_arg(ap, char *)))
		line.argc++;
	va_end(ap);
	leat_cli_args_init(&l->args);
	cr_assert(eq(int, leat_cli_parse(&line, &l->args, &l->diag), 0), "%s", l->diag.what);
	return leat_cli_check_record(&l->args, &l->diag);
}

#define CHECK(l, ...) check((l), __VA_ARGS__, NULL)

static void refused(struct line *l, int err, const char *what)
{
	cr_expect(eq(int, err, -EINVAL), "%s", what);
	cr_expect(eq(int, (int)l->diag.exit, LEAT_EXIT_USAGE));
	cr_expect(ne(ptr, strstr(l->diag.what, what), NULL), "%s", l->diag.what);
	cr_expect(gt(sz, strlen(l->diag.fix), 0), "%s", l->diag.what);
	leat_cli_args_fini(&l->args);
}

static void accepted(struct line *l, int err)
{
	cr_expect(eq(int, err, 0), "%s", l->diag.what);
	leat_cli_args_fini(&l->args);
}

Test(target, conflicts_are_refused)
{
	struct line l;

	refused(&l, CHECK(&l, "-a", "-p", "1"), "-a and -p exclude");
	refused(&l, CHECK(&l, "-a", "-t", "1"), "-a and -t exclude");
	refused(&l, CHECK(&l, "-a", "-n", "x"), "-a and -n exclude");
	refused(&l, CHECK(&l, "-a", "--cgroup", "x"), "-a and -G exclude");
	refused(&l, CHECK(&l, "-p", "1", "-U", "-K"), "-U and -K exclude");
	refused(&l, CHECK(&l, "-p", "1", "-F", "9", "-c", "9"), "-F and -c exclude");
	refused(&l, CHECK(&l, "-p", "1", "-q", "-v"), "-q and -v exclude");
	refused(&l, CHECK(&l, "--children", "--no-children", "--", "x"), "exclude");
	refused(&l, CHECK(&l, "-p", "1", "--", "x"), "-p and a command");
	refused(&l, CHECK(&l, "-a", "--", "x"), "-a and a command");
	refused(&l, CHECK(&l, "-u", "0", "--", "x"), "-u and a command");
	refused(&l, CHECK(&l, "-p", "1", "--propagate"), "--propagate: there is no command");
	refused(&l, CHECK(&l, "-p", "1", "--no-children"), "--no-children: there is no command");
	refused(&l, CHECK(&l, "-p", "1", "--idle"), "--idle: the idle CPU");
	refused(&l, CHECK(&l, "-p", "1", "-F", "50001"), "at most 50000, found '50001'");
}

/* Also where leat's own limit, or that of numbers, comes first. */
Test(target, frequency_above_the_kernels_limit_names_it)
{
	static const char *const values[] = { "1000001", "99999999", "99999999999999999999999" };
	struct line l = { .words = { STR("-p"), STR("1"), STR("-F") } };
	struct leat_cli_line line = { .verb = LEAT_CLI_RECORD, .argv = l.words, .argc = 4 };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(values); i++) {
		memset(&l.diag, 0, sizeof(l.diag));
		l.words[3] = STR(values[i]);
		leat_cli_args_init(&l.args);
		refused(&l, leat_cli_parse(&line, &l.args, &l.diag), values[i]);
		cr_expect(ne(ptr, strstr(l.diag.what, "at most 50000,"), NULL), "%s", l.diag.what);
		cr_expect(ne(ptr, strstr(l.diag.why, "perf_event_max_sample_rate"), NULL), "%s",
			  l.diag.why);
		cr_expect(eq(str, l.diag.alt, STR("")), "leat refuses it too");
	}
	memset(&l.diag, 0, sizeof(l.diag));
	l.words[3] = STR("0");
	leat_cli_args_init(&l.args);
	cr_expect(eq(int, leat_cli_parse(&line, &l.args, &l.diag), -EINVAL));
	cr_expect(ne(ptr, strstr(l.diag.what, "from 1 to 1000000"), NULL), "%s", l.diag.what);
	leat_cli_args_fini(&l.args);
}

Test(target, none_names_the_choices)
{
	struct line l;

	refused(&l, CHECK(&l, "-d", "10"), "no target");
	cr_expect(ne(ptr, strstr(l.diag.fix, "-p PID"), NULL));
	cr_expect(ne(ptr, strstr(l.diag.fix, "-a"), NULL));
	cr_expect(ne(ptr, strstr(l.diag.alt, "-- COMMAND"), NULL));
}

Test(target, combinations_that_make_sense)
{
	struct line l;

	accepted(&l, CHECK(&l, "-p", "1", "-n", "x", "-u", "0", "--cgroup", "/", "-C", "0"));
	accepted(&l, CHECK(&l, "-a", "-u", "0", "-C", "0", "--idle"));
	accepted(&l, CHECK(&l, "-C", "0", "--idle"));
	accepted(&l, CHECK(&l, "-C", "0", "--propagate", "--no-children", "--", "x"));
	accepted(&l, CHECK(&l, "-p", "1", "-F", "50000"));
	accepted(&l, CHECK(&l, "-u", "0", "-c", "7"));
}

Test(target, too_many)
{
	struct line l;
	char *big = calloc(1, 8 * (LEAT_LIVE_MAX_TARGETS + 1) + 16), *end = big;

	for (int i = 1; i <= LEAT_LIVE_MAX_TARGETS + 1; i++)
		end += snprintf(end, 16, i > 1 ? ",%d" : "%d", i);
	refused(&l, CHECK(&l, "-p", big), "more than 1024 targets");
	cr_expect(gt(sz, strlen(l.diag.why), 0));
	*strrchr(big, ',') = '\0';
	accepted(&l, CHECK(&l, "-p", big));
	free(big);
}

static struct leat_live_opts opts_of(struct line *l)
{
	struct leat_live_opts o;

	leat_cli_live_opts(&l->args, &o);
	return o;
}

Test(target, what_live_is_told)
{
	struct leat_live_opts o;
	struct line l;

	cr_assert(eq(
		int,
		CHECK(&l, "-p", "7", "-d", "10", "-F", "999", "--buffer", "4M", "--unwind", "fp"),
		0));
	o = opts_of(&l);
	cr_expect(eq(sz, o.target.pid_cnt, 1));
	cr_expect(eq(u64, o.freq_hz, 999));
	cr_expect(eq(u64, o.period, 0));
	cr_expect(eq(u64, o.duration_ns, 10000000000));
	cr_expect(eq(sz, o.ring_bytes, 4 << 20));
	cr_expect(eq(int, (int)o.unwind, LEAT_UNWIND_FP));
	cr_expect(eq(uint, o.max_stack, 127));
	cr_expect(eq(int, o.children, 0));
	cr_expect(eq(int, o.target.all, 0));
	leat_cli_args_fini(&l.args);
	cr_assert(eq(int, CHECK(&l, "-c", "1000", "-e", "page-faults", "-C", "0-1"), 0));
	o = opts_of(&l);
	cr_expect(eq(u64, o.freq_hz, 0));
	cr_expect(eq(u64, o.period, 1000));
	cr_expect(o.target.all);
	leat_cli_args_fini(&l.args);
	cr_assert(eq(int, CHECK(&l, "-a", "-u", "0"), 0));
	cr_expect(eq(int, opts_of(&l).target.all, 0));
	leat_cli_args_fini(&l.args);
}

Test(target, children_are_the_default_for_a_command)
{
	struct line l;

	cr_assert(eq(int, CHECK(&l, "--", "make"), 0));
	cr_expect(opts_of(&l).children);
	leat_cli_args_fini(&l.args);
	cr_assert(eq(int, CHECK(&l, "--no-children", "--", "make"), 0));
	cr_expect(eq(int, opts_of(&l).children, 0));
	leat_cli_args_fini(&l.args);
	cr_assert(eq(int, CHECK(&l, "-p", "1", "--children"), 0));
	cr_expect(opts_of(&l).children);
	leat_cli_args_fini(&l.args);
}

static void expect_text(struct line *l, const char *want)
{
	struct leat_buf b;

	leat_buf_init(&b, 4096);
	leat_cli_target_text(&l->args, &b);
	cr_expect(eq(str, b.data, STR(want)));
	leat_buf_fini(&b);
	leat_cli_args_fini(&l->args);
}

Test(target, text)
{
	struct line l;

	cr_assert(eq(int, CHECK(&l, "-p", "7"), 0));
	expect_text(&l, "demo (pid 7)");
	cr_assert(eq(int, CHECK(&l, "-p", "7,8,9"), 0));
	expect_text(&l, "demo (pid 7) and 2 more");
	cr_assert(eq(int, CHECK(&l, "-t", "9"), 0));
	expect_text(&l, "thread 9 of demo");
	cr_assert(eq(int, CHECK(&l, "-t", "9,10"), 0));
	expect_text(&l, "thread 9 of demo and 1 more");
	cr_assert(eq(int, CHECK(&l, "-p", "7", "-t", "9"), 0));
	expect_text(&l, "demo (pid 7) and 1 more");
	cr_assert(eq(int, CHECK(&l, "-n", "demo"), 0));
	expect_text(&l, "demo (pid 4242) and others like it");
	cr_assert(eq(int, CHECK(&l, "-u", "0"), 0));
	expect_text(&l, "the processes of a user");
	cr_assert(eq(int, CHECK(&l, "-a"), 0));
	expect_text(&l, "every process");
	cr_assert(eq(int, CHECK(&l, "--", "/bin/ma\033ke", "x"), 0));
	expect_text(&l, "the command ma\\x1bke");
}

Test(target, name_of_a_command)
{
	char name[32];
	uint32_t tgid = 1;
	struct line l;

	cr_assert(eq(int, CHECK(&l, "--", "/usr/bin/a-very-long-name-of-a-command-indeed"), 0));
	leat_cli_target_name(&l.args, name, &tgid);
	cr_expect(eq(str, name, STR("a-very-long-name-of-a-command-i")));
	cr_expect(eq(u32, tgid, 0));
	leat_cli_args_fini(&l.args);
}
