/* SPDX-License-Identifier: BSD-2-Clause */
/* What a file is, by its first bytes. */
#include <string.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "import/import.h"
#include "import/perf_head.h"
#include "import/proto_read.h"

#define MAX_LINES    10000 /* comments before the first line that tells */
#define PPROF_FIELDS 14	   /* of the outermost message */
#define LENGTH_TYPE  2

const char *leat_import_format_name(enum leat_import_format f)
{
	static const char *const names[] = { "unknown", "folded stacks", "pprof", "perf script" };

	return (unsigned int)f < LEAT_ARRAY_SIZE(names) ? names[f] : names[0];
}

/* Fields of a profile, one after the other, up to where the bytes end. */
static bool is_pprof(const char *p, size_t n, bool eof)
{
	struct leat_reader r = leat_reader_of(p, n);
	struct leat_proto_field f;
	size_t cnt = 0, messages = 0;
	int err = 0;

	while (leat_reader_left(&r)) {
		err = leat_proto_next(&r, &f);
		if (err)
			break;
		if (f.number > PPROF_FIELDS)
			return false;
		cnt++;
		messages += f.type == LENGTH_TYPE;
	}
	if (err == -EBADMSG || (err && eof && cnt < 2))
		return false;
	return messages && (cnt > 1 || !err);
}

static bool has_controls(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c < ' ' && c != '\n' && c != '\t' && c != '\r')
			return true;
	}
	return false;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A tab, blanks, an address. */
static bool is_frame(const char *p, size_t n)
{
	size_t i = 0, from;

	if (!n || *p != '\t')
		return false;
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	for (from = i; i < n && is_hex(p[i]);)
		i++;
	return i > from && (i == n || p[i] == ' ');
}

/* A number at its end, or at least a separator in it: the number's lack is then said. */
static bool is_folded(const char *p, size_t n)
{
	size_t i = n;

	while (i && p[i - 1] >= '0' && p[i - 1] <= '9')
		i--;
	return (i < n && i && p[i - 1] == ' ') || memchr(p, ';', n);
}

static enum leat_import_format of_line(const char *p, size_t n)
{
	struct leat_perf_head h;

	while (n && (p[n - 1] == '\r' || p[n - 1] == ' '))
		n--;
	if (!n || *p == '#' || *p == '<' || *p == '{')
		return LEAT_IMPORT_NONE;
	if (is_frame(p, n) || (leat_perf_head_parse(p, n, &h) && h.sure))
		return LEAT_IMPORT_PERF_SCRIPT;
	return *p != '\t' && is_folded(p, n) ? LEAT_IMPORT_FOLDED : LEAT_IMPORT_NONE;
}

static enum leat_import_format of_text(const char *p, size_t n, bool eof)
{
	enum leat_import_format f = LEAT_IMPORT_NONE;
	const char *end = p + n;

	for (size_t i = 0; f == LEAT_IMPORT_NONE && p < end && i < MAX_LINES; i++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		if (!nl && !eof && i)
			break; /* half a line */
		if (!i && (*p == '<' || *p == '{'))
			break; /* XML, HTML, JSON */
		f = of_line(p, (size_t)((nl ? nl : end) - p));
		p = nl ? nl + 1 : end;
	}
	return f;
}

enum leat_import_format leat_import_detect(const char *p, size_t n, bool eof)
{
	enum leat_import_format f;

	if (n >= 8 && (memcmp(p, "PERFILE2", 8) == 0 || memcmp(p, "2ELIFREP", 8) == 0))
		return LEAT_IMPORT_NONE;
	/* The first field of a profile begins as an empty line would. */
	if (has_controls(p, n) && is_pprof(p, n, eof))
		return LEAT_IMPORT_PPROF;
	f = memchr(p, '\0', n) ? LEAT_IMPORT_NONE : of_text(p, n, eof);
	return f == LEAT_IMPORT_NONE && is_pprof(p, n, eof) ? LEAT_IMPORT_PPROF : f;
}
