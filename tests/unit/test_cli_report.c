/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>

#include "cli/hint.h"
#include "cli/report.h"

#define STR(s) ((char *)(s))

/* A verdict that gives no cause for a hint. */
static const struct leat_verdict good = {
	.wanted = 1000,
	.taken = 1000,
	.frames = 1000,
	.stacks = { [LEAT_STACK_COMPLETE] = 1000 },
};

static void expect_hint_at(const struct leat_verdict *v, uint64_t freq_hz, const char *part)
{
	struct leat_buf b;
	const char *text;

	leat_buf_init(&b, 4096);
	leat_cli_hint(&b, v, freq_hz);
	text = b.data ? b.data : "";
	if (part) {
		cr_expect(ne(ptr, strstr(text, part), NULL), "\"%s\"", text);
		cr_expect(eq(ptr, strchr(text, '\n'), (void *)(text + strlen(text) - 1)), "%s",
			  text);
	} else {
		cr_expect(eq(str, STR(text), STR("")));
	}
	leat_buf_fini(&b);
}

static void expect_hint(const struct leat_verdict *v, const char *part)
{
	expect_hint_at(v, 99, part);
}

Test(report, no_hint_for_a_good_profile)
{
	struct leat_verdict v = good;

	expect_hint(&v, NULL);
	v.stacks[LEAT_STACK_NONE] = 5000;
	v.stacks[LEAT_STACK_TRUNCATED] = 100;
	v.frames_unnamed[LEAT_UNNAMED_STRIPPED] = 100;
	expect_hint(&v, NULL);
}

Test(report, hint_about_loss)
{
	struct leat_verdict v = good;

	v.wanted = 1200;
	v.kernel[LEAT_STAT_SEEN] = 1200;
	v.kernel[LEAT_STAT_COUNTED] = 1000;
	v.kernel[LEAT_STAT_L_RING_FULL] = 200;
	expect_hint(&v, "--buffer");
	v.kernel[LEAT_STAT_L_RING_FULL] = 0;
	v.kernel[LEAT_STAT_SEEN] = 1000;
	v.kernel_skipped = 200;
	expect_hint(&v,
		    "did not run leat's program for 17% of the samples: another tracing program "
		    "on these CPUs, or a rate that the timer cannot keep\n");
	expect_hint_at(&v, 10000, "the timer cannot keep\n");
	expect_hint_at(&v, 10001, "the timer cannot keep: take a lower -F\n");
}

Test(report, hint_about_stacks)
{
	struct leat_verdict v = good;

	v.stacks[LEAT_STACK_COMPLETE] = 590;
	v.stacks[LEAT_STACK_NO_UNWIND] = 400;
	v.stacks[LEAT_STACK_BAD_CALL] = 10;
	expect_hint(&v, "41% of user stacks end early");
	v.stacks[LEAT_STACK_NO_UNWIND] = 0;
	v.stacks[LEAT_STACK_BAD_CALL] = 0;
	v.stacks[LEAT_STACK_TRUNCATED] = 410;
	expect_hint(&v, "--max-stack 512");
}

Test(report, hint_about_memory_for_tables)
{
	struct leat_verdict v = good;

	v.stacks[LEAT_STACK_COMPLETE] = 590;
	v.stacks[LEAT_STACK_NO_TABLE] = 410;
	v.tables_need_bytes = (8 << 20) + 1;
	expect_hint(&v, NULL);
	v.tables_evicted = 5;
	expect_hint(&v, "41% of user stacks end early: there was no memory for their unwind "
			"tables: take --unwind-memory 9M\n");
	v.tables_need_bytes = 8 << 20;
	expect_hint(&v, "--unwind-memory 8M\n");
	v.stacks[LEAT_STACK_NO_TABLE] = 41;
	expect_hint(&v, NULL);
	/* A file of a leat that did not say it. */
	v.stacks[LEAT_STACK_NO_TABLE] = 410;
	v.tables_need_bytes = 0;
	expect_hint(&v, NULL);
}

Test(report, no_hint_about_a_handful_of_stacks)
{
	struct leat_verdict v = good;

	v.stacks[LEAT_STACK_COMPLETE] = 0;
	v.stacks[LEAT_STACK_NO_UNWIND] = 19;
	expect_hint(&v, NULL);
	v.stacks[LEAT_STACK_NO_UNWIND] = 20;
	expect_hint(&v, "100% of user stacks end early");
}

Test(report, hint_about_names)
{
	struct leat_verdict v = good;

	v.frames_unnamed[LEAT_UNNAMED_JIT] = 300;
	v.frames_unnamed[LEAT_UNNAMED_STRIPPED] = 100;
	expect_hint(&v, "40% of frames have no name; most of them: compiled at run time");
	v.frames_unnamed[LEAT_UNNAMED_STRIPPED] = 400;
	expect_hint(&v, "debug symbols");
	v.kptr_restricted = 1;
	expect_hint(&v, "kptr_restrict");
	v = good;
	v.frames_unnamed[LEAT_UNNAMED_REMAPPED] = 400;
	expect_hint(&v, NULL);
}

Test(report, hint_about_few_samples)
{
	struct leat_verdict v = good;

	v.taken = v.wanted = 50;
	v.stacks[LEAT_STACK_COMPLETE] = 50;
	expect_hint(&v, "few samples");
}

Test(report, hint_without_any_figures)
{
	struct leat_verdict v = { 0 };

	expect_hint(&v, "few samples");
}

static void expect_child(const struct leat_live_child *c, const char *want)
{
	struct leat_buf b;

	leat_buf_init(&b, 4096);
	leat_cli_report_child(&b, c);
	cr_expect(eq(str, b.data ? b.data : STR(""), STR(want)));
	leat_buf_fini(&b);
}

Test(report, child)
{
	struct leat_live_child c = { .exited = true, .status = SIGKILL };

	expect_child(&c, "");
	c = (struct leat_live_child){ 0 };
	c.started = true;
	expect_child(&c, "  command: still running\n");
	c.exited = true;
	expect_child(&c, "  command: exited with status 0\n");
	c.status = 3 << 8;
	expect_child(&c, "  command: exited with status 3\n");
	c.status = SIGSEGV;
	expect_child(&c, "  command: ended by signal 11 (SIGSEGV)\n");
	c.status = 60;
	expect_child(&c, "  command: ended by signal 60 (SIG?)\n");
}
