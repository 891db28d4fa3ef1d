/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the program speaks, and how: standard output for what was asked for, standard error for the
 * rest. Text that comes from targets passes through leat_text_clean on its way. */
#ifndef LEAT_CLI_IO_H
#define LEAT_CLI_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"

#define LEAT_CLI_MAX_TEXT ((size_t)64 << 20)

struct leat_cli_args;

struct leat_cli_io {
	int out, err; /* file descriptors */
	bool err_tty;
	bool err_dumb;	/* a terminal that cannot move its cursor */
	bool color;	/* of messages on .err */
	bool out_color; /* of text on .out */
	bool quiet;
	bool line_active; /* a progress line stands on the terminal and has no newline */
	unsigned int columns;
};

/* By the terminal, the environment (NO_COLOR, TERM) and --color, -q, -v; sets the log sink. */
void leat_cli_io_init(struct leat_cli_io *io, const struct leat_cli_args *a);
/* A whole text to standard output: 0, or -errno; -EPIPE is for the caller to pass over. */
int leat_cli_io_out(struct leat_cli_io *io, const struct leat_buf *text) LEAT_MUST_USE;
/* A whole text to standard error; takes the progress line away first. Nothing can be done about
 * failure. */
void leat_cli_io_err(struct leat_cli_io *io, const struct leat_buf *text);
/* "leat: error: ..." with why, fix and or. @diag is empty when a library failed without words. */
void leat_cli_io_diag(struct leat_cli_io *io, const struct leat_diag *diag, int err);
void leat_cli_diag_text(struct leat_buf *b, const struct leat_diag *diag, int err, bool color);

/* Appends @s cleaned, at most @max_bytes of it and then "...". */
void leat_cli_clean(struct leat_buf *b, const char *s, size_t max_bytes);
/* "6,930" */
void leat_cli_count(struct leat_buf *b, uint64_t v);
/* "184 KB", "1.2 MB" */
void leat_cli_bytes(struct leat_buf *b, uint64_t bytes);
/* "10 s", "1.5 s", "2 min 5 s" */
void leat_cli_seconds(struct leat_buf *b, uint64_t ns);
/* Blank-separated words of @text, each line indented by @indent and filled to @width. */
void leat_cli_wrap(struct leat_buf *b, const char *text, unsigned int indent, unsigned int width);

#endif
