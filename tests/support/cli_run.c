/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli_run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/commands.h"

#define MAX_ARGS  64
#define MAX_BYTES (8 << 20)

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Puts a memory file in the place of @fd; returns what stood there. */
static int catch_fd(int fd, int *file)
{
	int old = dup(fd);

	*file = memfd_create("caught", 0);
	if (old < 0 || *file < 0 || dup2(*file, fd) < 0)
		die("cannot catch output");
	return old;
}

static char *release_fd(int fd, int old, int file)
{
	char *text = NULL;

	if (dup2(old, fd) < 0 || lseek(file, 0, SEEK_SET) != 0 ||
	    leat_file_read_fd(file, MAX_BYTES, &text, NULL))
		die("cannot read output");
	close(old);
	close(file);
	return text;
}

void leat_cli_run_argv(struct leat_cli_result *r, int argc, char **argv)
{
	int out_file, err_file, out, err;

	fflush(stdout);
	fflush(stderr);
	out = catch_fd(STDOUT_FILENO, &out_file);
	err = catch_fd(STDERR_FILENO, &err_file);
	r->status = leat_cli_main(argc, argv);
	r->err = release_fd(STDERR_FILENO, err, err_file);
	r->out = release_fd(STDOUT_FILENO, out, out_file);
}

void leat_cli_run(struct leat_cli_result *r, ...)
{
	char leat[] = "leat", *argv[MAX_ARGS + 1] = { leat };
	int argc = 1;
	va_list ap;

	va_start(ap, r);
	while (argc < MAX_ARGS && (argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	leat_cli_run_argv(r, argc, argv);
}

void leat_cli_result_fini(struct leat_cli_result *r)
{
	free(r->out);
	free(r->err);
	*r = (struct leat_cli_result){ 0 };
}
