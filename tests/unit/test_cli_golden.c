/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command line answers, word for word: tests/golden/cli/NAME.txt holds the command in its
 * first line ("$ leat record -p abc", with "LEAT_FAKE=word " before it where the layer below has to
 * fail), then both outputs and the exit status. GOLDEN_UPDATE=1 writes them again.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "../support/cli_run.h"
#include "base/buf.h"
#include "base/file.h"

#define STR(s)	 ((char *)(s))
#define GOLDEN	 "tests/golden/cli"
#define MAX_ARGS 32

/* Splits at blanks; @line is cut up. Takes a leading LEAT_FAKE=... into the environment. */
static int split(char *line, char **argv)
{
	int argc = 0;

	unsetenv("LEAT_FAKE");
	for (char *w; (w = strsep(&line, " ")) && argc < MAX_ARGS;) {
		if (strncmp(w, "LEAT_FAKE=", 10) == 0)
			setenv("LEAT_FAKE", w + 10, 1);
		else
			argv[argc++] = w;
	}
	argv[argc] = NULL;
	return argc;
}

static void transcript(const char *command, struct leat_buf *b)
{
	struct leat_cli_result r = { 0 };
	char *line = strdup(command), *argv[MAX_ARGS + 1];
	int argc = split(line, argv);

	leat_cli_run_argv(&r, argc, argv);
	leat_buf_printf(b, "$ %s\n%s--- stderr\n%s--- exit %d\n", command, r.out, r.err, r.status);
	leat_cli_result_fini(&r);
	free(line);
}

static void check(const char *name)
{
	LEAT_FREE char *want = NULL;
	char path[PATH_MAX], command[1024];
	struct leat_buf b;

	snprintf(path, sizeof(path), "%s/%s", GOLDEN, name);
	cr_assert(eq(int, leat_file_read_at(AT_FDCWD, path, 1 << 20, &want, NULL), 0), "%s", path);
	cr_assert(eq(int, strncmp(want, "$ ", 2), 0), "%s", path);
	snprintf(command, sizeof(command), "%.*s", (int)strcspn(want + 2, "\n"), want + 2);
	leat_buf_init(&b, 1 << 20);
	transcript(command, &b);
	if (getenv("GOLDEN_UPDATE")) {
		FILE *f = fopen(path, "we");

		cr_assert(ne(ptr, f, NULL));
		fwrite(b.data, 1, b.len, f);
		fclose(f);
	} else {
		cr_expect(eq(str, b.data, want), "%s", path);
	}
	leat_buf_fini(&b);
}

Test(golden, transcripts)
{
	DIR *d = opendir(GOLDEN);
	const struct dirent *e;
	int n = 0;

	cr_assert(ne(ptr, d, NULL), "run from the root of the source tree");
	while ((e = readdir(d))) {
		if (!strstr(e->d_name, ".txt"))
			continue;
		check(e->d_name);
		n++;
	}
	closedir(d);
	cr_expect(gt(int, n, 20));
}
