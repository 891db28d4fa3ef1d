/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "live/procfs.h"

/* The @nth blank-separated word after @s, 0 the first; NULL when there are fewer. */
static const char *word_at(const char *s, const char *end, unsigned int nth)
{
	for (;;) {
		while (s < end && *s == ' ')
			s++;
		if (s >= end || *s == '\n')
			return NULL;
		if (nth-- == 0)
			return s;
		while (s < end && *s != ' ')
			s++;
	}
}

static int number(const char *s, const char *end, uint64_t *out)
{
	uint64_t v = 0;
	const char *p = s;

	if (!s)
		return -EBADMSG;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -EOVERFLOW;
	}
	if (p == s)
		return -EBADMSG;
	*out = v;
	return 0;
}

static int number32(const char *s, const char *end, uint32_t *out)
{
	uint64_t v;
	int err = number(s, end, &v);

	if (err)
		return err;
	if (v > UINT32_MAX)
		return -EOVERFLOW;
	*out = (uint32_t)v;
	return 0;
}

int leat_procfs_parse_stat(const char *s, size_t n, struct leat_proc_stat *out)
{
	struct leat_proc_stat st = { 0 };
	uint64_t user, system;
	const char *end = s + n, *open_paren = memchr(s, '(', n), *close_paren, *state;
	size_t len;
	int err;

	/* The name may hold anything, parentheses too: the last one closes it. */
	close_paren = n ? memrchr(s, ')', n) : NULL;
	if (!open_paren || !close_paren || close_paren < open_paren)
		return -EBADMSG;
	len = (size_t)(close_paren - open_paren - 1);
	if (len > sizeof(st.comm) - 1)
		len = sizeof(st.comm) - 1;
	memcpy(st.comm, open_paren + 1, len);
	state = word_at(close_paren + 1, end, 0);
	if (!state)
		return -EBADMSG;
	st.state = *state;
	if ((err = number32(s, end, &st.pid)) ||
	    (err = number32(word_at(close_paren + 1, end, 1), end, &st.ppid)) ||
	    (err = number32(word_at(close_paren + 1, end, 6), end, &st.flags)) ||
	    (err = number(word_at(close_paren + 1, end, 13), end, &user)) ||
	    (err = number(word_at(close_paren + 1, end, 14), end, &system)) ||
	    (err = number32(word_at(close_paren + 1, end, 17), end, &st.threads)) ||
	    (err = number(word_at(close_paren + 1, end, 19), end, &st.start_ticks)))
		return err;
	st.waited_ticks = user + system;
	*out = st;
	return 0;
}

/* The last number of a line, and how many there are. */
static int last_number(const char *s, const char *end, uint32_t *last, uint32_t *cnt)
{
	*cnt = 0;
	while (s < end) {
		while (s < end && (*s == '\t' || *s == ' '))
			s++;
		if (s < end && number32(s, end, last))
			return -EBADMSG;
		if (s < end)
			(*cnt)++;
		while (s < end && *s >= '0' && *s <= '9')
			s++;
		if (s < end && *s != '\t' && *s != ' ')
			return -EBADMSG;
	}
	return 0;
}

static uint64_t hex_number(const char *s, const char *end)
{
	uint64_t v = 0;

	for (; s < end; s++) {
		if (*s >= '0' && *s <= '9')
			v = v << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			v = v << 4 | (uint64_t)(*s - 'a' + 10);
		else
			break;
	}
	return v;
}

static void status_line(const char *key, size_t key_len, const char *s, const char *end,
			struct leat_proc_status *st)
{
	uint64_t v;

#define IS(name) (key_len == sizeof(name) - 1 && memcmp(key, name, key_len) == 0)
	while (s < end && (*s == '\t' || *s == ' '))
		s++;
	if (IS("Tgid"))
		(void)number32(s, end, &st->tgid);
	else if (IS("PPid"))
		(void)number32(s, end, &st->ppid);
	else if (IS("Uid")) {
		const char *euid = memchr(s, '\t', (size_t)(end - s));

		(void)number32(s, end, &st->real_uid);
		(void)number32(euid ? euid + 1 : s, end, &st->uid);
	} else if (IS("NStgid"))
		(void)last_number(s, end, &st->ns_tgid, &st->ns_depth);
	else if (IS("CapEff"))
		st->cap_eff = hex_number(s, end);
	else if (IS("Seccomp"))
		(void)number32(s, end, &st->seccomp);
	else if (IS("VmHWM") && !number(s, end, &v) && v < UINT64_MAX / 1024)
		st->rss_peak_bytes = v * 1024;
#undef IS
}

int leat_procfs_parse_status(const char *s, size_t n, struct leat_proc_status *out)
{
	struct leat_proc_status st = { 0 };
	const char *end = s + n;

	while (s < end) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));
		const char *colon;

		if (!eol)
			eol = end;
		colon = memchr(s, ':', (size_t)(eol - s));
		if (colon)
			status_line(s, (size_t)(colon - s), colon + 1, eol, &st);
		s = eol + 1;
	}
	if (!st.tgid)
		return -EBADMSG;
	*out = st;
	return 0;
}

static int cpu_number(const char **s, const char *end, uint32_t *out)
{
	int err = number32(*s, end, out);

	while (*s < end && **s >= '0' && **s <= '9')
		(*s)++;
	return err;
}

int leat_procfs_parse_cpus(const char *s, size_t n, uint32_t *out, size_t max, size_t *cnt)
{
	const char *end = s + n;
	size_t have = 0;

	*cnt = 0;
	if (!s || !n)
		return 0;
	while (end > s && (end[-1] == '\n' || end[-1] == '\0'))
		end--;
	while (s < end) {
		uint32_t a = 0, b, i;

		if (cpu_number(&s, end, &a))
			return -EBADMSG;
		b = a;
		if (s < end && *s == '-') {
			s++;
			if (s == end || cpu_number(&s, end, &b) || b < a)
				return -EBADMSG;
		}
		if (b - a >= max - have)
			return -EOVERFLOW;
		for (i = 0; i <= b - a; i++)
			out[have++] = a + i;
		if (s < end && (*s++ != ',' || s == end))
			return -EBADMSG;
	}
	*cnt = have;
	return 0;
}
