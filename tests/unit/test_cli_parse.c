/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdarg.h>

#include "../support/alloc.h"
#include "cli/parse.h"
#include "export/export.h"

#define STR(s) ((char *)(s))

#define MAX_WORDS 16

struct parsed {
	struct leat_cli_args args;
	struct leat_diag diag;
	int err;
	char *words[MAX_WORDS + 1];
};

static void parse(struct parsed *p, enum leat_cli_verb_id verb, ...)
{
	struct leat_cli_line line = { .verb = verb, .argv = p->words };
	va_list ap;

	memset(&p->diag, 0, sizeof(p->diag));
	va_start(ap, verb);
	while (line.argc < MAX_WORDS && (p->words[line.argc] = va_arg(ap, char *)))
		line.argc++;
	va_end(ap);
	leat_cli_args_init(&p->args);
	p->err = leat_cli_parse(&line, &p->args, &p->diag);
}

static void done(struct parsed *p)
{
	leat_cli_args_fini(&p->args);
}

#define RECORD(p, ...) parse((p), LEAT_CLI_RECORD, __VA_ARGS__, NULL)

Test(parse, defaults)
{
	struct parsed p;

	parse(&p, LEAT_CLI_RECORD, NULL);
	cr_assert(eq(int, p.err, 0));
	cr_expect(eq(u64, p.args.freq_hz, 99));
	cr_expect(eq(u64, p.args.max_stack, 127));
	cr_expect(eq(u64, p.args.duration_ns, 0));
	cr_expect(eq(u64, p.args.given, 0));
	done(&p);
}

Test(parse, all_forms_of_a_value)
{
	static const char *const forms[][2] = {
		{ "-p4242", NULL }, { "-p", "4242" }, { "--pid=4242", NULL }, { "--pid", "4242" }
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(forms); i++) {
		struct parsed p;

		RECORD(&p, (char *)forms[i][0], (char *)forms[i][1]);
		cr_assert(eq(int, p.err, 0), "%s: %s", forms[i][0], p.diag.what);
		cr_assert(eq(sz, p.args.pids.n, 1));
		cr_expect(eq(u32, p.args.pids.items[0], 4242));
		cr_expect(leat_cli_given(&p.args, LEAT_CLI_OPT_PID));
		done(&p);
	}
}

Test(parse, short_flags_stand_together)
{
	struct parsed p;

	RECORD(&p, "-aqUd10");
	cr_assert(eq(int, p.err, 0), "%s", p.diag.what);
	cr_expect(eq(int, p.args.all &&p.args.quiet &&p.args.user_only, 1));
	cr_expect(eq(u64, p.args.duration_ns, 10000000000));
	done(&p);
}

Test(parse, every_option_of_record)
{
	struct parsed p;

	RECORD(&p, "-p", "1,2", "-p3", "-n", "nginx*", "--cgroup=/a", "-C", "0-1", "-e", "cycles",
	       "-o", "a.html", "-o", "-", "-f", "folded");
	cr_assert(eq(int, p.err, 0), "%s", p.diag.what);
	cr_expect(eq(sz, p.args.pids.n, 3));
	cr_expect(eq(str, (char *)p.args.names.items[0], STR("nginx*")));
	cr_expect(eq(str, (char *)p.args.cgroups.items[0], STR("/a")));
	cr_expect(eq(sz, p.args.cpus.n, 2));
	cr_expect(eq(str, (char *)p.args.event, STR("cycles")));
	cr_expect(eq(sz, p.args.outputs.n, 2));
	cr_expect(eq(str, (char *)p.args.format->format, STR("folded")));
	done(&p);
	RECORD(&p, "-u", "root", "-F", "999", "--max-loss", "2.5", "--buffer", "4M", "--max-stack",
	       "512", "--unwind=fp", "--title", "T", "--summary", "s.json", "-vv");
	cr_assert(eq(int, p.err, 0), "%s", p.diag.what);
	cr_expect(eq(sz, p.args.uids.n, 1));
	cr_expect(eq(u64, p.args.freq_hz, 999));
	cr_expect(epsilon_eq(dbl, p.args.max_loss_percent, 2.5, 1e-9));
	cr_expect(eq(u64, p.args.buffer_bytes, 4 << 20));
	cr_expect(eq(u64, p.args.max_stack, 512));
	cr_expect(eq(uint, p.args.unwind, 1));
	cr_expect(eq(str, (char *)p.args.title, STR("T")));
	cr_expect(eq(str, (char *)p.args.summary, STR("s.json")));
	cr_expect(eq(uint, p.args.verbose, 2));
	done(&p);
	RECORD(&p, "--children", "--no-children", "--idle", "--no-kthreads", "--stream", "-K",
	       "--per-thread", "--anonymize", "--propagate", "-c", "1000", "--color", "never");
	cr_assert(eq(int, p.err, 0), "%s", p.diag.what);
	cr_expect(eq(int,
		     p.args.children &&p.args.no_children &&p.args.idle &&p.args.no_kthreads &&p
			     .args.stream &&p.args.kernel_only &&p.args.per_thread &&p.args
			     .anonymize &&p.args.propagate,
		     1));
	cr_expect(eq(u64, p.args.period, 1000));
	cr_expect(eq(uint, p.args.color, LEAT_CLI_WHEN_NEVER));
	done(&p);
}

Test(parse, command_keeps_its_own_options)
{
	struct parsed p;

	RECORD(&p, "-d", "5", "--", "make", "-j4", "--help", "-p", "x");
	cr_assert(eq(int, p.err, 0), "%s", p.diag.what);
	cr_expect(eq(str, p.args.command[0], STR("make")));
	cr_expect(eq(str, p.args.command[4], STR("x")));
	cr_expect(eq(ptr, p.args.command[5], NULL));
	cr_expect(eq(sz, p.args.pids.n, 0));
	done(&p);
}

Test(parse, help_ends_it)
{
	struct parsed p;

	RECORD(&p, "-p", "1", "-h", "--nonsense");
	cr_expect(eq(int, p.err, 0));
	cr_expect(p.args.help);
	done(&p);
}

Test(parse, operands_of_other_verbs)
{
	struct parsed p;

	parse(&p, LEAT_CLI_LIST, "cpu*", "--json", "--", "-x", NULL);
	cr_assert(eq(int, p.err, 0), "%s", p.diag.what);
	cr_assert(eq(sz, p.args.operands.n, 2));
	cr_expect(eq(str, (char *)p.args.operands.items[1], STR("-x")));
	cr_expect(p.args.json);
	done(&p);
}

struct refused {
	const char *words[3];
	const char *what; /* part of it */
	const char *fix;  /* part of it, or NULL */
};

static void check_refused(enum leat_cli_verb_id verb, const struct refused *r)
{
	struct parsed p;

	parse(&p, verb, r->words[0], r->words[1], r->words[2], NULL);
	cr_expect(eq(int, p.err, -EINVAL), "%s", r->words[0]);
	cr_expect(eq(int, (int)p.diag.exit, LEAT_EXIT_USAGE), "%s", r->words[0]);
	cr_expect(ne(ptr, strstr(p.diag.what, r->what), NULL), "%s: %s", r->words[0], p.diag.what);
	if (r->fix)
		cr_expect(ne(ptr, strstr(p.diag.fix, r->fix), NULL), "%s: %s", r->words[0],
			  p.diag.fix);
	done(&p);
}

Test(parse, refused_options)
{
	static const struct refused rows[] = {
		{ { "--frequenzy", "4" }, "--frequenzy: unknown option", "--frequency" },
		{ { "--frequenzy=4" }, "--frequenzy: unknown option", "--frequency" },
		{ { "-Z" }, "-Z: unknown option", NULL },
		{ { "-aZ" }, "-Z: unknown option", NULL },
		{ { "-g" }, "-g: unknown option", "leave it out" },
		{ { "--json" }, "--json: unknown option of leat record", NULL },
		{ { "-p" }, "the end of the command line", "write -p PID" },
		{ { "--quiet=yes" }, "--quiet: takes no argument, found 'yes'", "alone" },
		{ { "-F", "99", "-F1" }, "-F: given twice", "leave one" },
		{ { "nginx" }, "unexpected argument 'nginx'", "-n 'nginx'" },
		{ { "4242" }, "unexpected argument '4242'", "-p 4242" },
		{ { "--" }, "expected a command", "-- COMMAND" },
		{ { "-f", "htm" }, "unknown format 'htm'", "html" },
		{ { "-f", "" }, "unknown format ''", NULL },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++)
		check_refused(LEAT_CLI_RECORD, &rows[i]);
}

Test(parse, refused_values)
{
	static const struct refused rows[] = {
		{ { "-p", "nginx" }, "found 'nginx'", "-n 'nginx'" },
		{ { "-p", "0" }, "from 1 to 4194304", "pgrep" },
		{ { "-p", "99999999999" }, "found '99999999999'", "pgrep -a NAME" },
		{ { "-p", "-5" }, "found '-5'", "pgrep -a NAME" },
		{ { "-p", "" }, "found ''", "pgrep" },
		{ { "-t", "x" }, "-t: expected thread ids", "/proc/PID/task" },
		{ { "-d", "0" }, "-d: expected a duration", "-d 10" },
		{ { "-d", "-5" }, "found '-5'", "-d 10" },
		{ { "-d", "99999999h" }, "-d: expected", NULL },
		{ { "-F", "0" }, "from 1 to 1000000", "-F 99" },
		{ { "-F", "1000001" }, "expected at most 50000, found", NULL },
		{ { "-F", "abc" }, "found 'abc'", NULL },
		{ { "-c", "0" }, "-c: expected", "-c 1000000" },
		{ { "--max-stack", "513" }, "from 1 to 512", "--max-stack 127" },
		{ { "-C", "99999" }, "found '99999'", "cpu/online" },
		{ { "-u", "99999999999" }, "found '99999999999'", "id -u NAME" },
		{ { "--max-loss", "101" }, "from 0 to 100", "--max-loss 1" },
		{ { "--buffer", "1" }, "from 64K to 1G", "--buffer 4M" },
		{ { "--max-stack", "0" }, "from 1 to 512", NULL },
		{ { "--buffer", "2G" }, "from 64K to 1G", NULL },
		{ { "-C", "3-1" }, "a list of CPUs", NULL },
		{ { "-u", "no-such-user" }, "no user 'no-such-user'", "id -u" },
		{ { "--unwind", "dwarf" }, "auto, fp or table", NULL },
		{ { "--color", "blue" }, "auto, always or never", NULL },
		{ { "-o", "" }, "the name of a file", NULL },
		{ { "--title", "" }, "some text", NULL },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++)
		check_refused(LEAT_CLI_RECORD, &rows[i]);
}

Test(parse, refused_for_other_verbs)
{
	static const struct refused doctor = { { "x" }, "unexpected argument 'x'", NULL };
	static const struct refused version = { { "-p", "1" },
						"unknown option of leat version",
						NULL };

	check_refused(LEAT_CLI_DOCTOR, &doctor);
	check_refused(LEAT_CLI_VERSION, &version);
}

Test(parse, long_argument_is_refused)
{
	struct parsed p;
	char *big = calloc(1, 10000);

	memset(big, 'x', 9999);
	RECORD(&p, "--title", big);
	cr_expect(eq(int, p.err, -EINVAL));
	done(&p);
	RECORD(&p, big);
	cr_expect(eq(int, p.err, -EINVAL));
	done(&p);
	big[0] = big[1] = '-';
	RECORD(&p, big);
	cr_expect(eq(int, p.err, -EINVAL));
	done(&p);
	free(big);
}

Test(parse, failed_allocations)
{
	LEAT_ALLOC_EACH_FAILS {
		struct parsed p;
		bool failed;

		RECORD(&p, "-p", "1,2,3,4,5,6,7,8,9,10,11,12", "-o", "a.html", "-n", "x");
		failed = leat_alloc_failed();
		leat_alloc_disarm();
		cr_expect(eq(int, p.err, failed ? -ENOMEM : 0));
		if (failed)
			cr_expect(eq(int, (int)p.diag.exit, LEAT_EXIT_FAILURE));
		done(&p);
	}
}
