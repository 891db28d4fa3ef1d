/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "cli/signals.h"
#include "cli/stored_names.h"
#include "event/capture.h"
#include "import/import.h"
#include "session/capture.h"

/* Enough to tell any kind of file by. */
#define PEEK_BYTES 64

void leat_cli_loaded_init(struct leat_cli_loaded *l)
{
	*l = (struct leat_cli_loaded){ .profile = NULL };
	leat_buf_init(&l->notes, LEAT_CLI_MAX_TEXT);
}

void leat_cli_loaded_fini(struct leat_cli_loaded *l)
{
	leat_profile_free(&l->profile);
	leat_buf_fini(&l->notes);
}

const char *leat_cli_input(const struct leat_cli_call *c, const char *verb, struct leat_diag *diag)
{
	const struct leat_cli_strs *words = &c->args->operands;

	if (words->n == 1)
		return words->items[0];
	leat_diag_set(diag, -EINVAL, LEAT_EXIT_USAGE, "%s: expected one input file, found %s", verb,
		      words->n ? "several" : "none");
	leat_diag_fix(diag, "leat %s run.leat%s", verb,
		      strcmp(verb, "convert") == 0 ? " -o flame.html" : "");
	return NULL;
}

/* ---- what it is ---- */

static const char *shown(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static int bad(struct leat_diag *d, const char *path, int err, const char *why)
{
	leat_diag_set(d, err, err == -EINTR ? LEAT_EXIT_ABORTED : LEAT_EXIT_INPUT,
		      err == -EINTR ? "interrupted" : "cannot use '%s'", shown(path));
	leat_diag_why(d, "%s", why);
	return err;
}

static int bad_open(struct leat_diag *d, const char *path, int err)
{
	leat_diag_set(d, err, LEAT_EXIT_FAILURE, "cannot open '%s' (%s)", shown(path),
		      strerrorname_np(-err));
	leat_diag_why(d, "%s", strerror(-err));
	return err;
}

static int open_input(const char *path, struct leat_diag *d)
{
	LEAT_CLOSE int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
						   : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return bad_open(d, path, -errno);
	if (S_ISDIR(st.st_mode))
		return bad(d, path, -EISDIR, "it is a directory");
	if (isatty(fd))
		return bad(d, path, -EINVAL, "it is a terminal");
	return LEAT_TAKE_FD(fd);
}

/* The first bytes of a pipe, which stay there: they are copied into another one. */
static ssize_t peek_pipe(int fd, void *buf, size_t n)
{
	ssize_t got = -1;
	int copy[2];

	if (pipe2(copy, O_CLOEXEC) != 0)
		return -1;
	if (tee(fd, copy[1], n, 0) >= 0) {
		close(copy[1]);
		copy[1] = -1;
		got = read(copy[0], buf, n);
	}
	close(copy[0]);
	if (copy[1] >= 0)
		close(copy[1]);
	return got;
}

/* The first bytes, without taking them: whoever reads on begins at the beginning. */
static size_t peek(int fd, void *buf, size_t n)
{
	ssize_t got = -1;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return 0;
	if (S_ISFIFO(st.st_mode))
		got = peek_pipe(fd, buf, n);
	else if (S_ISSOCK(st.st_mode))
		got = recv(fd, buf, n, MSG_PEEK);
	else
		got = pread(fd, buf, n, lseek(fd, 0, SEEK_CUR));
	return got > 0 ? (size_t)got : 0;
}

/* Another tool's profile, or no profile at all: the importer says which, and why. */
static int load_other(int fd, const char *path, struct leat_cli_loaded *out, struct leat_diag *d)
{
	struct leat_import_opts o = {
		.times = out->times,
		.periods = out->periods,
		.event = out->event,
	};

	return leat_import_fd_opts(fd, shown(path), &o, &out->profile, d);
}

/* ---- capture files ---- */

static void note(struct leat_buf *b, uint64_t n, const char *text)
{
	if (!n)
		return;
	leat_buf_str(b, "  note: ");
	leat_cli_count(b, n);
	leat_buf_printf(b, " %s\n", text);
}

static void add_notes(struct leat_buf *b, const struct leat_replayed *r)
{
	const struct leat_capture_info *i = &r->info;

	if (!i->complete)
		leat_buf_str(b, "  note: the file is incomplete: leat died, or it was cut; what is "
				"there is shown\n");
	if (!i->complete && !r->named)
		leat_buf_str(b,
			     "  note: names are written last: these were looked up on this host, "
			     "in files that are still what was recorded\n");
	else if (!r->named)
		leat_buf_str(b, "  note: it does not hold the names of all functions; files stand "
				"for them\n");
	note(b, i->lost, "records could not be written when it was recorded");
	note(b, i->skipped_chunks, "chunks are of a kind that this leat does not know");
	note(b, i->skipped_events, "events have a format that this leat does not know");
	note(b, i->skipped, "records are of events that this leat does not know");
	note(b, r->strange_names, "names belong to code that is in no stack");
	if (r->taken && r->taken != r->profile->verdict.taken) {
		leat_buf_str(b, "  note: the recording counted ");
		leat_cli_count(b, r->taken);
		leat_buf_str(b, " samples, and its replay ");
		leat_cli_count(b, r->profile->verdict.taken);
		leat_buf_char(b, '\n');
	}
}

static void replay_fini(struct leat_replay **r)
{
	leat_replay_free(r);
}

static int load_capture(int fd, const char *path, struct leat_cli_loaded *out, struct leat_diag *d)
{
	LEAT_AUTO(replay_fini) struct leat_replay *r = NULL;
	struct leat_replay_opts o = { .stop = leat_cli_signals_stop(),
				      .check = leat_cli_stored_check,
				      .name = leat_cli_stored_name };
	struct leat_replayed got;
	int err = leat_replay_new(&r);

	if (err)
		return bad_open(d, path, err);
	err = leat_capture_open_fd(leat_replay_capture(r), fd);
	if (!err)
		err = leat_replay_run(r, &o, &got);
	if (err == -ENOMEM)
		return leat_diag_set(d, err, LEAT_EXIT_FAILURE, "out of memory");
	if (err)
		return bad(d, path, err, leat_replay_error(r));
	out->profile = got.profile;
	if (out->event &&
	    strcmp(out->event, leat_profile_str(got.profile, got.profile->meta.event)) != 0) {
		leat_diag_set(d, -ENOENT, LEAT_EXIT_USAGE, "no event %.64s in it", out->event);
		leat_diag_why(d, "it holds: %s",
			      leat_profile_str(got.profile, got.profile->meta.event));
		return -ENOENT;
	}
	out->by_thread = got.by_thread;
	add_notes(&out->notes, &got);
	return 0;
}

int leat_cli_load_profile(const char *path, struct leat_cli_loaded *out, struct leat_diag *diag)
{
	uint8_t head[PEEK_BYTES];
	LEAT_CLOSE int fd = open_input(path, diag);
	size_t n;

	if (fd < 0)
		return fd;
	n = peek(fd, head, sizeof(head));
	/* A file that is cut within its first bytes was one all the same. */
	if (n && memcmp(head, LEAT_CAPTURE_MAGIC, n < 8 ? n : 8) == 0)
		return load_capture(fd, path, out, diag);
	if (!n)
		return bad(diag, path, -ENODATA, "it is empty");
	return load_other(fd, path, out, diag);
}
