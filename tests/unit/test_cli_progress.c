/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/file.h"
#include "cli/progress.h"

#define STR(s) ((char *)(s))
#define S      1000000000ull

static void expect_line(const struct leat_live_progress *p, uint64_t duration, unsigned int columns,
			const char *want)
{
	struct leat_buf b;

	leat_buf_init(&b, 4096);
	leat_cli_progress_line(&b, p, duration, columns);
	cr_expect(eq(str, b.data, STR(want)));
	leat_buf_fini(&b);
}

Test(progress, line)
{
	struct leat_live_progress p = { .elapsed_ns = 7 * S,
					.samples = 6812,
					.stacks = 412,
					.ring_percent = 3,
					.self_percent = 0.42 };

	expect_line(&p, 10 * S, 200,
		    "  00:07 [#######...] 10.0 s   6,812 samples   0 lost   412 stacks   ring 3%   "
		    "self 0.4% cpu");
	expect_line(&p, 0, 200,
		    "  00:07   6,812 samples   0 lost   412 stacks   ring 3%   self 0.4% cpu");
	expect_line(&p, 0, 20, "  00:07   6,812 sam");
	p.elapsed_ns = 3725 * S;
	expect_line(&p, 0, 30, "  62:05   6,812 samples   0 l");
	p.elapsed_ns = 11 * S;
	expect_line(&p, 10 * S, 32, "  00:11 [##########] 10.0 s   6");
}

static void expect_head(const struct leat_cli_args *a, const char *want)
{
	struct leat_buf b;

	leat_buf_init(&b, 4096);
	leat_cli_progress_head(&b, a);
	cr_expect(eq(str, b.data, STR(want)));
	leat_buf_fini(&b);
}

Test(progress, head)
{
	uint32_t tgid = 4242;
	char command[] = "/usr/bin/make";
	char *argv[] = { command, NULL };
	struct leat_cli_args a;

	leat_cli_args_init(&a);
	a.all = true;
	expect_head(&a, "recording every process · 99 Hz · kernel and user · Ctrl-C to stop\n");
	a.all = false;
	a.pids = (struct leat_cli_ids){ .items = &tgid, .n = 1 };
	a.event = "cpu-clock";
	a.user_only = true;
	a.duration_ns = 10 * S;
	expect_head(&a, "recording demo (pid 4242) · 99 Hz · user · 10.0 s · "
			"Ctrl-C to stop earlier\n");
	a.pids.n = 0;
	a.command = argv;
	a.user_only = false;
	a.kernel_only = true;
	a.period = 1000;
	a.event = NULL;
	a.duration_ns = 0;
	expect_head(&a, "recording the command make · every 1000 events · kernel · "
			"Ctrl-C to stop\n");
}

/* What the callback writes to a terminal or to none. */
static char *written(bool tty, bool dumb, bool quiet)
{
	struct leat_cli_io io = {
		.err_tty = tty, .err_dumb = dumb, .quiet = quiet, .columns = 200
	};
	struct leat_live_progress p = { 0 };
	struct leat_cli_progress pr = { .io = &io };
	struct leat_cli_args a;
	FILE *f = tmpfile();
	char *text = NULL;

	cr_assert(ne(ptr, f, NULL));
	io.out = io.err = fileno(f);
	leat_cli_args_init(&a);
	a.all = true;
	pr.args = &a;
	for (int i = 0; i <= 20; i++) {
		p.elapsed_ns = (uint64_t)i * S / 20;
		leat_cli_progress_on(&pr, &p);
	}
	leat_cli_progress_end(&pr);
	cr_assert(eq(int, (int)lseek(io.err, 0, SEEK_SET), 0));
	cr_assert(eq(int, leat_file_read_fd(io.err, 1 << 16, &text, NULL), 0));
	fclose(f);
	return text;
}

static int count(const char *text, char c)
{
	int n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

Test(progress, terminal_sees_four_lines_a_second_at_most)
{
	char *text = written(true, false, false);

	/* Four lines in one second, and one carriage return that takes the last away. */
	cr_expect(eq(int, count(text, '\r'), 5), "%s", text);
	cr_expect(eq(int, count(text, '\n'), 1), "%s", text);
	cr_expect(eq(str, text + strlen(text) - 4, STR("\r\033[K")));
	free(text);
}

Test(progress, no_terminal_sees_the_head_alone)
{
	char *text = written(false, false, false), *dumb = written(true, true, false);
	char *quiet = written(true, false, true);

	cr_expect(eq(int, count(text, '\r'), 0));
	cr_expect(eq(int, count(text, '\n'), 1));
	cr_expect(eq(int, count(dumb, '\r'), 0));
	cr_expect(eq(str, quiet, STR("")));
	free(text);
	free(dumb);
	free(quiet);
}
