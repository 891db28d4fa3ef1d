/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/perf_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "symbols/hex.h"
#include "symbols/job.h"

#define PIECE_BYTES ((size_t)256 << 10)
/* Visits of spots: lines that all cover the same code must not cost minutes. */
#define VISITS_MAX	((uint64_t)16 << 20)
#define VISITS_MAX_SPOT ((uint64_t)1024) /* so often may the code at one address be replaced */

static bool is_exhausted(const struct leat_perf_scan *s)
{
	return s->visits > VISITS_MAX + VISITS_MAX_SPOT * s->spots->n;
}

/* A number and the blanks behind it; NULL when there is none. */
static const char *read_number(const char *s, const char *end, uint64_t *out)
{
	const char *p;

	if (end - s > 2 && s[0] == '0' && (s[1] | 0x20) == 'x')
		s += 2;
	p = leat_hex_read(s, end, out);
	if (p == s || p == end || *p != ' ')
		return NULL;
	while (p < end && *p == ' ')
		p++;
	return p;
}

static void read_line(struct leat_perf_scan *s, const char *p, const char *end, uint64_t off)
{
	const struct leat_spots *spots = s->spots;
	const char *line = p, *stop;
	uint64_t start, size;

	p = read_number(p, end, &start);
	if (p)
		p = read_number(p, end, &size);
	if (!p || p == end) {
		s->bad_cnt++;
		return;
	}
	s->line_cnt++;
	for (size_t i = leat_spots_from(spots, start);
	     i < spots->n && spots->addr[i] - start < size; i++) {
		s->visits++;
		if (is_exhausted(s))
			return;
		stop = memchr(p, 0, (size_t)(end - p));
		stop = stop ? stop : end;
		while (stop > p && (stop[-1] == '\r' || stop[-1] == ' '))
			stop--;
		s->lines[i] = (struct leat_perf_line){
			.start = start,
			.name_off = off + (uint64_t)(p - line),
			.name_len = stop - p > (ptrdiff_t)LEAT_PERF_MAP_NAME_MAX
					    ? LEAT_PERF_MAP_NAME_MAX
					    : (uint32_t)(stop - p),
		};
	}
}

size_t leat_perf_map_lines(struct leat_perf_scan *s, const char *text, size_t n, uint64_t off,
			   bool last)
{
	const char *p = text, *end = text + n;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (!nl && !last)
			break;
		nl = nl ? nl : end;
		if (nl > p)
			read_line(s, p, nl, off + (uint64_t)(p - text));
		p = nl < end ? nl + 1 : end;
	}
	return (size_t)(p - text);
}

/* A line longer than a piece is no line. */
int leat_perf_map_scan(struct leat_perf_scan *s, int fd)
{
	LEAT_FREE char *piece = malloc(PIECE_BYTES);
	uint64_t off = 0;
	bool skipping = false;

	if (!piece)
		return -ENOMEM;
	while (off < LEAT_PERF_MAP_MAX && !is_exhausted(s)) {
		ssize_t got = pread(fd, piece, PIECE_BYTES, (off_t)off);
		const char *nl;
		size_t used;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : 0;
		if (skipping) {
			nl = memchr(piece, '\n', (size_t)got);
			skipping = !nl;
			off += nl ? (uint64_t)(nl + 1 - piece) : (uint64_t)got;
			continue;
		}
		used = leat_perf_map_lines(s, piece, (size_t)got, off, false);
		if (!used && (size_t)got < PIECE_BYTES) {
			/* The last line, without its newline: cut off in the middle of writing. */
			leat_perf_map_lines(s, piece, (size_t)got, off, true);
			return 0;
		}
		skipping = !used;
		s->bad_cnt += !used;
		off += used ? used : (uint64_t)got;
	}
	return -EOVERFLOW;
}

/* One function for each run of spots with the same line. */
static int add_names(struct leat_job *j, const struct leat_perf_scan *s, int fd)
{
	char name[LEAT_PERF_MAP_NAME_MAX];
	uint32_t id = LEAT_ID_NONE;

	for (size_t i = 0; i < j->spots.n; i++) {
		const struct leat_perf_line *l = &s->lines[i];
		struct leat_found f = { .start = l->start, .kind = LEAT_FUNCTION_JIT };
		ssize_t got;
		int err;

		if (!l->name_len)
			continue;
		if (i && id != LEAT_ID_NONE && s->lines[i - 1].name_off == l->name_off &&
		    s->lines[i - 1].name_len) {
			leat_job_set(j, i, id);
			continue;
		}
		id = LEAT_ID_NONE;
		got = pread(fd, name, l->name_len, (off_t)l->name_off);
		if (got <= 0)
			continue;
		f.raw = f.shown = j->text.len;
		f.raw_len = f.shown_len = (size_t)got;
		leat_buf_add(&j->text, name, (size_t)got);
		err = leat_job_add(j, &f, &id);
		if (err)
			return err;
		leat_job_set(j, i, id);
	}
	return 0;
}

void leat_job_perf_map(struct leat_job *j)
{
	struct leat_perf_scan s = { .spots = &j->spots };
	LEAT_FREE struct leat_perf_line *lines = NULL;
	LEAT_CLOSE int fd = -1;

	j->cause = LEAT_UNNAMED_JIT;
	j->err = leat_job_make_spots(j);
	if (j->err || !j->spots.n)
		return;
	fd = leat_opener_open(j->files, leat_job_object(j), LEAT_FILE_PERF_MAP, NULL, 0);
	if (fd < 0)
		return;
	lines = calloc(j->spots.n, sizeof(*lines));
	if (!lines) {
		j->err = -ENOMEM;
		return;
	}
	s.lines = lines;
	j->err = leat_perf_map_scan(&s, fd);
	if (j->err && j->err != -ENOMEM)
		j->err = 0; /* what could be read counts */
	if (!j->err)
		j->err = add_names(j, &s, fd);
}
