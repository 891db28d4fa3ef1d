/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of names in "print fmt": __print_symbolic(REC->vec, { 0, "HI" }, { 1, "TIMER" }) and
 * __print_flags(REC->flags, "|", { 1, "A" }). The first argument must be one field, in casts and
 * parentheses at most; else the values are not the field's.
 */
#include "event/tracefs.h"

#include "base/array.h"
#include "event/format.h"

struct table {
	struct leat_value_name *names;
	size_t n;
	size_t cap;
};

struct scan {
	const char *p;
	const char *end;
	char *texts; /* names, unescaped and NUL-terminated, point in here */
	size_t texts_len;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static char peek(struct scan *s)
{
	while (s->p < s->end && is_blank(*s->p))
		s->p++;
	return s->p < s->end ? *s->p : '\0';
}

static bool expect(struct scan *s, char c)
{
	if (peek(s) != c)
		return false;
	s->p++;
	return true;
}

/* A string literal; adjacent ones are one. Room for it is there: it is shorter than its source. */
static const char *literal(struct scan *s)
{
	char *out = s->texts + s->texts_len;
	size_t n = 0;

	if (peek(s) != '"')
		return NULL;
	while (peek(s) == '"') {
		for (s->p++; s->p < s->end && *s->p != '"'; s->p++) {
			if (*s->p == '\\' && s->end - s->p > 1)
				s->p++;
			out[n++] = *s->p;
		}
		if (s->p == s->end)
			return NULL;
		s->p++;
	}
	out[n++] = '\0';
	s->texts_len += n;
	return out;
}

/* To behind the brace that closes an entry. */
static bool skip_entry(struct scan *s)
{
	bool quoted = false;

	for (; s->p < s->end; s->p++) {
		if (*s->p == '\\' && quoted && s->end - s->p > 1)
			s->p++;
		else if (*s->p == '"')
			quoted = !quoted;
		else if (*s->p == '}' && !quoted) {
			s->p++;
			return true;
		}
	}
	return false;
}

/* "{ 1, "TIMER" }". 0, also when the value is no constant; -EBADMSG: cut. */
static int entry(struct scan *s, struct table *t)
{
	struct leat_value_name name = { .name = NULL };
	int err;

	if (leat_tracefs_const(&s->p, s->end, &name.value) && expect(s, ','))
		name.name = literal(s);
	if (!name.name || peek(s) != '}')
		return skip_entry(s) ? 0 : -EBADMSG;
	s->p++;
	err = LEAT_ARRAY_ROOM(t->names, t->cap, t->n + 1, LEAT_FORMAT_MAX_NAMES);
	if (err)
		return err;
	t->names[t->n++] = name;
	return 0;
}

/* Removes casts and parentheses around "REC->field". */
static bool field_of(struct leat_span arg, struct leat_span *out)
{
	size_t open = 0, i;

	for (;;) {
		arg = leat_span_trim(arg);
		if (leat_span_cut(&arg, "REC->"))
			break;
		if (!arg.n || arg.p[0] != '(')
			return false;
		for (i = 1; i < arg.n && (is_blank(arg.p[i]) || arg.p[i] == '_' ||
					  arg.p[i] == '*' || (arg.p[i] | 0x20) >= 'a');
		     i++)
			if (arg.p[i] == ')')
				break;
		if (i > 1 && i < arg.n && arg.p[i] == ')') {
			arg = (struct leat_span){ .p = arg.p + i + 1, .n = arg.n - i - 1 };
			continue;
		}
		open++;
		arg = (struct leat_span){ .p = arg.p + 1, .n = arg.n - 1 };
	}
	while (open && arg.n && arg.p[arg.n - 1] == ')') {
		arg = leat_span_trim((struct leat_span){ .p = arg.p, .n = arg.n - 1 });
		open--;
	}
	for (i = 0; i < arg.n; i++)
		if (!((arg.p[i] | 0x20) >= 'a' && (arg.p[i] | 0x20) <= 'z') && arg.p[i] != '_' &&
		    !(arg.p[i] >= '0' && arg.p[i] <= '9'))
			return false;
	*out = arg;
	return arg.n && !open;
}

/* The first argument, up to its comma. */
static bool argument(struct scan *s, struct leat_span *out)
{
	const char *first = s->p;
	int depth = 0;

	for (; s->p < s->end; s->p++) {
		if (*s->p == '(')
			depth++;
		else if (*s->p == ')' && depth-- == 0)
			return false;
		else if (*s->p == ',' && !depth)
			break;
	}
	if (s->p == s->end)
		return false;
	*out = (struct leat_span){ .p = first, .n = (size_t)(s->p++ - first) };
	return true;
}

static size_t index_of(const struct leat_format *f, struct leat_span name)
{
	size_t i;

	for (i = 0; i < leat_format_field_cnt(f); i++)
		if (leat_span_is(name, leat_format_field_at(f, i)->name))
			break;
	return i;
}

/* What stands behind the opening parenthesis of a table. 0 also when it is of no use. */
static int table(struct scan *s, struct leat_format *f, bool is_flags)
{
	LEAT_FREE struct leat_value_name *names = NULL;
	struct table t = { .names = NULL };
	struct leat_span arg, name;
	int err = 0;
	size_t i;

	s->texts_len = 0;
	if (!argument(s, &arg) || !field_of(arg, &name))
		return 0;
	if (is_flags && (!literal(s) || !expect(s, ',')))
		return 0;
	i = index_of(f, name);
	while (!err && expect(s, '{')) {
		err = entry(s, &t);
		if (!err && !expect(s, ','))
			break;
	}
	names = t.names;
	if (err == -ENOMEM)
		return err;
	/* A table that was cut would name some values and not others. */
	if (err || !expect(s, ')') || !t.n || i == leat_format_field_cnt(f))
		return 0;
	return leat_format_name_values(f, i, names, (uint32_t)t.n, is_flags);
}

static bool starts(const struct scan *s, const char *word)
{
	const size_t n = strlen(word);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, word, n) == 0;
}

int leat_tracefs_print(struct leat_format *f, struct leat_span print)
{
	static const struct {
		const char *call;
		bool is_flags;
	} calls[] = {
		{ "__print_symbolic(", false },
		{ "__print_symbolic_u64(", false },
		{ "__print_flags(", true },
		{ "__print_flags_u64(", true },
	};
	LEAT_FREE char *texts = malloc(print.n + 1);
	struct scan s = { .p = print.p, .end = print.p + print.n, .texts = texts };
	int err = 0;

	if (!texts)
		return -ENOMEM;
	while (s.p < s.end && !err) {
		size_t i = 0;

		if (*s.p != '_') {
			s.p++;
			continue;
		}
		while (i < LEAT_ARRAY_SIZE(calls) && !starts(&s, calls[i].call))
			i++;
		if (i == LEAT_ARRAY_SIZE(calls)) {
			while (s.p < s.end && *s.p == '_')
				s.p++;
			continue;
		}
		s.p += strlen(calls[i].call);
		err = table(&s, f, calls[i].is_flags);
	}
	return err;
}
