/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/options.h"

#define RED   "\033[1;31m"
#define PLAIN "\033[0m"
#define ERASE "\r\033[K"

static bool env_set(const char *name)
{
	const char *v = getenv(name);

	return v && *v;
}

static bool dumb_terminal(void)
{
	const char *term = getenv("TERM");

	return !term || !*term || strcmp(term, "dumb") == 0;
}

static unsigned int columns_of(int fd)
{
	struct winsize ws = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &ws) != 0 || ws.ws_col < 20)
		return 80;
	return ws.ws_col;
}

static bool wants_color(const struct leat_cli_args *a, int fd)
{
	if (a->color != LEAT_CLI_WHEN_AUTO)
		return a->color == LEAT_CLI_WHEN_ALWAYS;
	return isatty(fd) && !env_set("NO_COLOR") && !dumb_terminal();
}

static void log_line(void *ctx, enum leat_log_level level, const char *line)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	struct leat_cli_io *io = ctx;
	struct leat_buf b;

	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	leat_buf_printf(&b, "leat: %s: ", level <= LEAT_LOG_DEBUG ? names[level] : "note");
	leat_text_clean(&b, line, strlen(line));
	leat_buf_char(&b, '\n');
	leat_cli_io_err(io, &b);
	leat_buf_fini(&b);
}

void leat_cli_io_init(struct leat_cli_io *io, const struct leat_cli_args *a)
{
	unsigned int level = LEAT_LOG_WARN + a->verbose;

	*io = (struct leat_cli_io){ .out = STDOUT_FILENO, .err = STDERR_FILENO };
	io->err_tty = isatty(io->err);
	io->err_dumb = dumb_terminal();
	io->color = wants_color(a, io->err);
	io->out_color = wants_color(a, io->out);
	io->quiet = a->quiet;
	io->columns = columns_of(io->err);
	if (a->quiet)
		level = LEAT_LOG_ERROR;
	leat_log_set_sink(log_line, io, level < LEAT_LOG_DEBUG ? level : LEAT_LOG_DEBUG);
}

int leat_cli_io_out(struct leat_cli_io *io, const struct leat_buf *text)
{
	if (text->err)
		return text->err;
	return leat_file_write_all(io->out, text->data, text->len);
}

void leat_cli_io_err(struct leat_cli_io *io, const struct leat_buf *text)
{
	if (io->line_active) {
		io->line_active = false;
		if (leat_file_write_all(io->err, ERASE, strlen(ERASE)))
			return;
	}
	if (text->len && leat_file_write_all(io->err, text->data, text->len))
		return;
}

/* The lines of @text, the first behind @label, the others below it. */
static void labelled(struct leat_buf *b, const char *label, const char *text)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, "\n");

		leat_buf_str(b, first ? label : "       ");
		leat_text_clean(b, text, len);
		leat_buf_char(b, '\n');
		first = false;
		text += len + (text[len] == '\n');
	}
}

void leat_cli_diag_text(struct leat_buf *b, const struct leat_diag *diag, int err, bool color)
{
	leat_buf_printf(b, "leat: %serror:%s ", color ? RED : "", color ? PLAIN : "");
	if (diag->err) {
		size_t len = strcspn(diag->what, "\n");

		leat_text_clean(b, diag->what, len);
		leat_buf_char(b, '\n');
		labelled(b, "  why: ", diag->what[len] ? diag->what + len + 1 : "");
	} else {
		const char *name = strerrorname_np(-err);

		leat_buf_printf(b, "%s (%s)\n", strerror(-err), name ? name : "unknown");
		labelled(b, "  why: ", "leat did not expect this here");
		labelled(b, "  fix: ", "run it again with -vv and report what it says");
	}
	labelled(b, "  why: ", diag->why);
	labelled(b, "  fix: ", diag->fix);
	labelled(b, "  or:  ", diag->alt);
}

void leat_cli_io_diag(struct leat_cli_io *io, const struct leat_diag *diag, int err)
{
	struct leat_buf b;

	leat_buf_init(&b, LEAT_CLI_MAX_TEXT);
	leat_cli_diag_text(&b, diag, err, io->color);
	leat_cli_io_err(io, &b);
	leat_buf_fini(&b);
}

/* The length of at most @max bytes of @s that does not end within a character. */
static size_t cut_at(const char *s, size_t max)
{
	size_t n = strlen(s);

	if (n <= max)
		return n;
	n = max;
	while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

void leat_cli_clean(struct leat_buf *b, const char *s, size_t max_bytes)
{
	size_t n = cut_at(s, max_bytes);

	leat_text_clean(b, s, n);
	if (s[n])
		leat_buf_str(b, "...");
}

void leat_cli_count(struct leat_buf *b, uint64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v);

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			leat_buf_char(b, ',');
		leat_buf_char(b, digits[i]);
	}
}

void leat_cli_bytes(struct leat_buf *b, uint64_t bytes)
{
	static const char *const units[] = { "B", "KB", "MB", "GB" };
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 999.5 && u + 1 < LEAT_ARRAY_SIZE(units)) {
		v /= 1000;
		u++;
	}
	leat_buf_printf(b, "%.*f %s", u > 1 && v < 9.95 ? 1 : 0, v, units[u]);
}

void leat_cli_seconds(struct leat_buf *b, uint64_t ns)
{
	uint64_t s = ns / 1000000000u;

	if (s >= 60)
		leat_buf_printf(b, "%llu min %llu s", (unsigned long long)s / 60,
				(unsigned long long)s % 60);
	else
		leat_buf_printf(b, "%.1f s", (double)ns / 1e9);
}

void leat_cli_wrap(struct leat_buf *b, const char *text, unsigned int indent, unsigned int width)
{
	unsigned int column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column && column + 1 + len > width) {
			leat_buf_char(b, '\n');
			column = 0;
		}
		if (!column) {
			leat_buf_printf(b, "%*s", (int)indent, "");
			column = indent;
		} else {
			leat_buf_char(b, ' ');
			column++;
		}
		leat_buf_add(b, text, len);
		column += (unsigned int)len;
		text += len;
		while (*text == ' ')
			text++;
	}
	leat_buf_char(b, '\n');
}
