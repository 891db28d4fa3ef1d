/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a tracefs format file:
 *
 *	name: sched_process_exec
 *	ID: 365
 *	format:
 *		field:unsigned short common_type;	offset:0;	size:2;	signed:0;
 *		...
 *		field:__data_loc char[] filename;	offset:8;	size:4;	signed:0;
 *
 *	print fmt: "filename=%s", __get_str(filename)
 *
 * "print fmt" is always the last line, so a text without it was cut.
 */
#include "event/tracefs.h"

#include "event/format.h"

struct parse {
	struct leat_format *format;
	struct leat_span name;
	struct leat_span print;
	uint32_t id;
	bool has_name, has_id, has_format, has_print;
};

struct leat_span leat_span_trim(struct leat_span s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool leat_span_is(struct leat_span s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

bool leat_span_cut(struct leat_span *s, const char *prefix)
{
	const size_t n = strlen(prefix);

	if (s->n < n || memcmp(s->p, prefix, n) != 0)
		return false;
	*s = leat_span_trim((struct leat_span){ .p = s->p + n, .n = s->n - n });
	return true;
}

static bool number(struct leat_span s, uint32_t *out)
{
	uint64_t v = 0;

	if (!s.n || s.n > 10)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	if (v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* Takes the text up to the next @stop; false when there is none. */
static bool take(struct leat_span *s, char stop, struct leat_span *out)
{
	const char *at = s->n ? memchr(s->p, stop, s->n) : NULL;

	if (!at)
		return false;
	*out = (struct leat_span){ .p = s->p, .n = (size_t)(at - s->p) };
	s->n -= out->n + 1;
	s->p = at + 1;
	return true;
}

/* "offset:8;" */
static bool attribute(struct leat_span *line, const char *key, uint32_t *out)
{
	struct leat_span value;

	*line = leat_span_trim(*line);
	return leat_span_cut(line, key) && take(line, ';', &value) && number(value, out);
}

/* Not strndup: the text has no NUL behind it, and that may look for one. */
static char *copy_of(struct leat_span s)
{
	char *p = malloc(s.n + 1);

	if (!p)
		return NULL;
	memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

static int add_field(struct parse *ps, const struct leat_tracefs_decl *d, uint32_t offset)
{
	LEAT_FREE char *name = copy_of(d->name);
	LEAT_FREE char *type = copy_of(d->type);
	struct leat_field f = { .name = name, .type_name = type, .offset = offset };
	int err;

	if (!name || !type)
		return -ENOMEM;
	leat_tracefs_type(d, &f);
	err = leat_format_add(ps->format, &f);
	/* A name that comes twice, or sizes that contradict: no such file was written by a kernel. */
	return err == -EINVAL || err == -EEXIST ? -EBADMSG : err;
}

static int parse_field(struct parse *ps, struct leat_span line)
{
	struct leat_tracefs_decl d = { .cnt = 0 };
	struct leat_span text;
	uint32_t offset, is_signed = 0;

	if (!ps->has_format || !take(&line, ';', &text) || !leat_tracefs_declare(text, &d) ||
	    !attribute(&line, "offset:", &offset) || !attribute(&line, "size:", &d.size))
		return -EBADMSG;
	if (!attribute(&line, "signed:", &is_signed) || is_signed > 1 || leat_span_trim(line).n)
		return -EBADMSG;
	d.is_signed = is_signed;
	return add_field(ps, &d, offset);
}

static int parse_line(struct parse *ps, struct leat_span line)
{
	line = leat_span_trim(line);
	if (!line.n)
		return 0;
	if (leat_span_cut(&line, "field:"))
		return parse_field(ps, line);
	if (leat_span_cut(&line, "name:")) {
		ps->name = line;
		ps->has_name = line.n > 0;
		return 0;
	}
	if (leat_span_cut(&line, "ID:")) {
		ps->has_id = number(line, &ps->id);
		return ps->has_id ? 0 : -EBADMSG;
	}
	if (leat_span_is(line, "format:")) {
		ps->has_format = true;
		return 0;
	}
	return -EBADMSG;
}

static int parse_lines(struct parse *ps, struct leat_span text)
{
	while (text.n && !ps->has_print) {
		struct leat_span line, rest = text;
		int err;

		if (leat_span_cut(&rest, "print fmt:")) {
			ps->print = rest; /* may go on over several lines */
			ps->has_print = true;
			break;
		}
		if (!take(&text, '\n', &line))
			return -EBADMSG;
		err = parse_line(ps, line);
		if (err)
			return err;
	}
	return ps->has_name && ps->has_id && ps->has_format && ps->has_print ? 0 : -EBADMSG;
}

static int name_format(struct parse *ps)
{
	LEAT_FREE char *name = copy_of(ps->name);

	return name ? leat_format_rename(ps->format, name) : -ENOMEM;
}

int leat_tracefs_parse(const char *text, size_t len, struct leat_format **out, uint32_t *id)
{
	LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
	struct parse ps = { .id = 0 };
	int err;

	if (len > LEAT_TRACEFS_MAX_BYTES)
		return -EOVERFLOW;
	if (len && memchr(text, 0, len))
		return -EBADMSG;
	err = leat_format_new(&f, "");
	if (err)
		return err;
	ps.format = f;
	err = parse_lines(&ps, (struct leat_span){ .p = text, .n = len });
	if (!err)
		err = name_format(&ps);
	if (!err)
		err = leat_tracefs_print(f, ps.print);
	if (err)
		return err;
	if (id)
		*id = ps.id;
	*out = LEAT_TAKE(f);
	return 0;
}
