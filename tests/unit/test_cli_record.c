/* SPDX-License-Identifier: BSD-2-Clause */
/* The verb record against a layer "live" that is known (tests/support/fake_live.c). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "../support/alloc.h"
#include "../support/cli_run.h"
#include "../support/fake_live.h"
#include "../support/tmpdir.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/outputs.h"

#define STR(s) ((char *)(s))

static struct leat_tmpdir dir;
static struct leat_cli_result r;

static void setup(void)
{
	leat_tmpdir_init(&dir);
	cr_assert(eq(int, chdir(dir.path), 0));
	unsetenv("LEAT_FAKE");
	unsetenv("SUDO_UID");
}

static void teardown(void)
{
	leat_cli_result_fini(&r);
	cr_assert(eq(int, chdir("/"), 0));
	leat_tmpdir_fini(&dir);
}

TestSuite(record, .init = setup, .fini = teardown);

#define RUN(...)                                                                                   \
	do {                                                                                       \
		leat_cli_result_fini(&r);                                                          \
		leat_cli_run(&r, __VA_ARGS__, NULL);                                               \
	} while (0)
#define HAS(text, part) cr_expect(ne(ptr, strstr((text), (part)), NULL), "%s", (text))

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static int entries(void)
{
	DIR *d = opendir(".");
	int n = -2;

	cr_assert(ne(ptr, d, NULL));
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

Test(record, writes_and_says_so)
{
	RUN("record", "-p", "4242", "-d", "10", "-o", "flame.folded");
	cr_expect(eq(int, r.status, 0));
	cr_expect(eq(str, r.out, STR("")));
	HAS(r.err, "recording demo (pid 4242) · 99 Hz");
	HAS(r.err, "wrote flame.folded (");
	HAS(r.err, "1,000 samples of cpu-clock, 3 stacks, 10.0 s\n");
	HAS(r.err, "  hottest: parse_header 60.0% · memcpy 30.0% · [kernel] tcp_sendmsg 10.0%\n");
	HAS(r.err, "  trust: ");
	cr_expect(eq(ptr, strstr(r.err, "note:"), NULL), "%s", r.err);
	cr_expect(eq(int, entries(), 1));
}

Test(record, every_format_by_its_extension)
{
	RUN("record", "-p", "1", "-o", "a.html", "-o", "b.svg", "-o", "c.folded", "-o", "d.pb.gz",
	    "-o", "e.json", "-o", "f.txt", "--summary", "v.json", "-q");
	cr_expect(eq(int, r.status, 0));
	cr_expect(eq(str, r.err, STR("")));
	cr_expect(eq(int, entries(), 7));
	cr_expect(leat_fake_last()->opts.stream, "the format script wants time");
}

Test(record, default_name)
{
	RUN("record", "-p", "4242", "-q");
	cr_expect(eq(int, r.status, 0));
	RUN("record", "-p", "4242", "-q", "-f", "svg");
	cr_expect(eq(int, r.status, 0));
	RUN("record", "-p", "4242", "-q");
	cr_expect(eq(int, entries(), 3));
}

Test(record, default_name_is_plain)
{
	struct tm tm = { .tm_year = 125, .tm_mon = 0, .tm_mday = 31, .tm_hour = 23, .tm_sec = 9 };
	char name[192];

	leat_cli_default_name(name, sizeof(name), "nginx", 4242, &tm, ".html");
	cr_expect(eq(str, name, STR("leat-nginx-4242-20250131-230009.html")));
	leat_cli_default_name(name, sizeof(name), "../a b;\n\xff", 0, &tm, ".svg");
	cr_expect(eq(str, name, STR("leat-..-a-b----20250131-230009.svg")));
	leat_cli_default_name(name, sizeof(name), "", 0, &tm, ".svg");
	cr_expect(eq(str, name, STR("leat-leat-20250131-230009.svg")));
}

Test(record, standard_output_is_folded_and_clean)
{
	RUN("record", "-p", "1", "-o", "-");
	cr_expect(eq(int, r.status, 0));
	HAS(r.out, "main;parse_header 600");
	HAS(r.err, "wrote standard output");
	cr_expect(eq(int, entries(), 0));
}

Test(record, format_without_extension)
{
	RUN("record", "-p", "1", "-o", "plain", "-f", "folded", "-q");
	cr_expect(eq(int, r.status, 0));
	RUN("record", "-p", "1", "-o", "a.txt", "-f", "folded", "-q");
	cr_expect(eq(int, r.status, 0));
	RUN("record", "-p", "1", "-o", "a.html", "-o", "-", "-f", "svg", "-q");
	cr_expect(eq(int, r.status, 0));
	HAS(r.out, "<svg");
}

Test(record, refused_outputs)
{
	static const struct {
		const char *a, *b, *c, *d, *part;
	} rows[] = {
		{ "-o", "a.foo", NULL, NULL, "no format is known for the name 'a.foo'" },
		{ "-o", "plain", NULL, NULL, "no format is known" },
		{ "-o", ".", NULL, NULL, "'.' is a directory" },
		{ "-o", "a.html", "-f", "svg", "says html" },
		{ "-o", "a.html", "-o", "./a.html", "are the same file" },
		{ "-o", "-", "-o", "-", "standard output is named twice" },
		{ "-o", "-", "--summary", "-", "standard output is named twice" },
		{ "-o", "a.html", "--summary", "a.html", "are the same file" },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		RUN("record", "-p", "1", (char *)rows[i].a, (char *)rows[i].b, (char *)rows[i].c,
		    (char *)rows[i].d);
		cr_expect(eq(int, r.status, LEAT_EXIT_USAGE), "%s", r.err);
		HAS(r.err, rows[i].part);
		HAS(r.err, "  fix: ");
	}
	cr_expect(eq(uint, leat_fake_last()->calls, 0), "nothing was recorded");
	cr_expect(eq(int, entries(), 0));
}

Test(record, unwritable_output_is_found_before_recording)
{
	RUN("record", "-p", "1", "-o", "b.html", "-o", "none/a.html");
	cr_expect(eq(int, r.status, LEAT_EXIT_FAILURE));
	HAS(r.err, "the directory 'none' does not exist");
	cr_expect(eq(uint, leat_fake_last()->calls, 0));
	cr_expect(eq(int, entries(), 0));
}

Test(record, one_failing_output_does_not_lose_the_others)
{
	RUN("record", "-p", "1", "-o", "/dev/full", "-f", "folded", "-o", "b.folded");
	cr_expect(eq(int, r.status, LEAT_EXIT_FAILURE));
	HAS(r.err, "cannot write '/dev/full' (ENOSPC)");
	HAS(r.err, "wrote b.folded");
	cr_expect(exists("b.folded"));
}

Test(record, exit_status_by_class)
{
	static const struct {
		const char *fake;
		int status;
	} rows[] = { { "privilege", 3 }, { "gone", 4 },	 { "idle", 5 },
		     { "system", 6 },	 { "event", 2 }, { "silent", 1 } };

	leat_tmpdir_write(&dir, "old.html", "old", 3);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		setenv("LEAT_FAKE", rows[i].fake, 1);
		RUN("record", "-p", "1", "-o", "old.html");
		cr_expect(eq(int, r.status, rows[i].status), "%s", rows[i].fake);
		HAS(r.err, "leat: error: ");
		RUN("record", "-p", "1", "-o", "new.html", "-q");
		HAS(r.err, "leat: error: ");
	}
	cr_expect(eq(int, entries(), 1), "no file, no temporary file, and the old one stays");
}

Test(record, failure_without_words)
{
	setenv("LEAT_FAKE", "silent", 1);
	RUN("record", "-p", "1", "-o", "a.html");
	HAS(r.err, "Input/output error (EIO)");
}

Test(record, unknown_event_is_guessed)
{
	setenv("LEAT_FAKE", "event", 1);
	RUN("record", "-p", "1", "-e", "cycels", "-o", "a.html");
	HAS(r.err, "did you mean -e cycles?");
	HAS(r.err, "leat list");
}

Test(record, loss_above_the_limit)
{
	setenv("LEAT_FAKE", "lossy", 1);
	RUN("record", "-p", "1", "-o", "a.html", "--max-loss", "5");
	cr_expect(eq(int, r.status, LEAT_EXIT_LOSS));
	HAS(r.err, "--max-loss allows 5 %");
	cr_expect(exists("a.html"));
	RUN("record", "-p", "1", "-o", "a.html", "--max-loss", "50%");
	cr_expect(eq(int, r.status, 0));
	RUN("record", "-p", "1", "-o", "a.html");
	cr_expect(eq(int, r.status, 0));
}

Test(record, command_and_its_status)
{
	RUN("record", "-o", "a.html", "--", "sh", "-c", "exit 3");
	cr_expect(eq(int, r.status, 0));
	HAS(r.err, "command: exited with status 3");
	RUN("record", "--propagate", "-o", "a.html", "--", "sh", "-c", "exit 3");
	cr_expect(eq(int, r.status, 3));
	RUN("record", "--propagate", "-o", "a.html", "--", "sh", "-c", "kill -TERM $$");
	cr_expect(eq(int, r.status, 128 + 15));
	HAS(r.err, "ended by signal 15 (SIGTERM)");
	setenv("LEAT_FAKE", "idle", 1);
	RUN("record", "--propagate", "-o", "a.html", "--", "sh", "-c", "exit 3");
	cr_expect(eq(int, r.status, 3));
	HAS(r.err, "command: exited with status 3");
	RUN("record", "--propagate", "-o", "a.html", "--", "true");
	cr_expect(eq(int, r.status, 5));
}

/* Killed before its exec: that is no end of the command's. */
Test(record, command_that_never_began)
{
	setenv("LEAT_FAKE", "nostart", 1);
	RUN("record", "-o", "a.html", "--", "/no/such/command");
	cr_expect(eq(int, r.status, LEAT_EXIT_TARGET));
	cr_expect(eq(ptr, strstr(r.err, "command: "), NULL), "%s", r.err);
	RUN("record", "--propagate", "-o", "a.html", "--", "/no/such/command");
	cr_expect(eq(int, r.status, LEAT_EXIT_TARGET));
	cr_expect(eq(ptr, strstr(r.err, "ended by signal"), NULL), "%s", r.err);
}

/* The event that was taken stands at the end; the start does not promise the one asked for. */
Test(record, event_is_told_at_the_end)
{
	char *start;

	RUN("record", "-p", "1", "-e", "page-faults", "-o", "a.html");
	HAS(r.err, "samples of page-faults, ");
	start = strchr(r.err, '\n');
	cr_assert(ne(ptr, start, NULL));
	*start = '\0';
	cr_expect(eq(ptr, strstr(r.err, "page-faults"), NULL), "%s", r.err);
}

Test(record, names_of_targets_are_cleaned)
{
	setenv("LEAT_FAKE", "hostile two", 1);
	RUN("record", "-p", "1", "-o", "a.html");
	cr_expect(eq(ptr, strpbrk(r.err, "\033\007"), NULL), "%s", r.err);
	HAS(r.err, "evil");
}

Test(record, another_event_than_asked_for_is_said)
{
	setenv("LEAT_FAKE", "note", 1);
	RUN("record", "-p", "1", "-o", "a.html");
	HAS(r.err, "  event: the PMU is busy: cpu-clock taken\n");
}

Test(record, summary_is_json)
{
	RUN("record", "-p", "1", "-o", "a.html", "--summary", "-", "-q");
	cr_expect(eq(int, r.out[0], '{'));
	HAS(r.out, "\"taken\"");
}

Test(record, command_line_is_told_quoted)
{
	RUN("record", "-p", "1", "--title", "it's \"x\"", "-o", "a.html", "-q");
	/* The text itself is gone by now; what the page holds is the exporter's business. */
	cr_expect(ne(ptr, (void *)leat_fake_last()->opts.command_line, NULL));
}

/* Texts are made in memory: each allocation that fails is an error with a message, never a crash. */
Test(record, failed_allocations_of_other_verbs)
{
	static const char *const lines[][4] = {
		{ "leat", "help", "record" },	 { "leat", "help", "--man", "record" },
		{ "leat", "completion", "zsh" }, { "leat", "doctor", "--json" },
		{ "leat", "list", "c*" },	 { "leat", "record", "-p", "x" }
	};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), out = dup(1), err = dup(2);

	dup2(null, 1);
	dup2(null, 2);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(lines); i++) {
		int argc = lines[i][3] ? 4 : 3, status = 0;

		LEAT_ALLOC_EACH_FAILS {
			status = leat_cli_main(argc, (char **)lines[i]);
			leat_alloc_disarm();
			cr_expect(le(int, status, 2), "%s", lines[i][1]);
		}
	}
	dup2(out, 1);
	dup2(err, 2);
	close(null);
	close(out);
	close(err);
}
