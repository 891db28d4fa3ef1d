/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/folded.h"

#include <errno.h>
#include <string.h>

#define KERNEL_SUFFIX "_[k]"
#define SUFFIX_N      4

/*
 * Lines are nearly always sorted, and each shares its beginning with the one before: only what
 * differs is looked up. 119 MB of 200,000 stacks so cost a third.
 */
struct folded {
	struct leat_build *b;
	const char *last; /* the line before, in the same chunk */
	size_t last_n;
	uint32_t module, process;
	uint32_t frames[LEAT_IMPORT_MAX_DEPTH]; /* outermost first */
	size_t ends[LEAT_IMPORT_MAX_DEPTH +
		    1]; /* behind the separator of the process, of each frame */
	size_t depth;
	bool has_process;
	uint64_t cut; /* frames of this line that are too many */
};

size_t leat_folded_cut(const char *p, size_t n)
{
	const char *nl = memrchr(p, '\n', n);

	return nl ? (size_t)(nl + 1 - p) : 0;
}

static size_t common(const char *a, const char *b, size_t n)
{
	size_t i = 0;

	for (; i + sizeof(uint64_t) <= n; i += sizeof(uint64_t)) {
		uint64_t x, y;

		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		if (x != y)
			return i + (size_t)__builtin_ctzll(x ^ y) / 8;
	}
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

static int put_frame(struct folded *x, const char *s, size_t n)
{
	uint32_t flags = LEAT_NAME_MARK;

	if (x->depth == LEAT_IMPORT_MAX_DEPTH) {
		x->cut++;
		return 0;
	}
	if (n >= SUFFIX_N && s[n - 1] == ']' && s[n - SUFFIX_N] == '_' && s[n - 3] == '[') {
		char c = s[n - 2];

		if (c == 'k' || c == 'i' || c == 'j') {
			flags = c == 'k'   ? LEAT_NAME_KERNEL
				: c == 'i' ? LEAT_NAME_INLINED
					   : LEAT_NAME_JIT;
			n -= SUFFIX_N;
		}
	}
	return leat_build_frame(x->b, s, n, x->module, flags, &x->frames[x->depth++]);
}

static int put_process(struct folded *x, const char *s, size_t n)
{
	uint32_t thread;

	x->has_process = true;
	return leat_build_who(x->b, s, n, 0, 0, false, &x->process, &thread);
}

/* Frames of @s[0..n), as far as they are not those of the line before. */
static int put_path(struct folded *x, const char *s, size_t n)
{
	size_t same = x->cut ? 0 : common(s, x->last, n < x->last_n ? n : x->last_n), at;
	int err = 0;

	while (x->depth && x->ends[x->depth] > same)
		x->depth--;
	if (!x->depth && x->ends[0] > same)
		x->has_process = false;
	at = x->has_process ? x->ends[x->depth] : 0;
	x->cut = 0;
	while (!err && at <= n) {
		const char *sep = memchr(s + at, ';', n - at);
		size_t end = sep ? (size_t)(sep - s) : n;
		bool first = !x->has_process;

		err = first ? put_process(x, s + at, end - at) : put_frame(x, s + at, end - at);
		/* What the line ends with has no separator: the next one may go on there. */
		x->ends[first ? 0 : x->depth] = end + 1;
		at = end + 1;
	}
	return err;
}

/* The count behind the last blank; false: none. */
static bool parse_count(const char *s, size_t n, size_t *path_n, uint64_t *count)
{
	size_t i = n;
	uint64_t v = 0;

	while (i && s[i - 1] >= '0' && s[i - 1] <= '9')
		i--;
	if (i == n || !i || (s[i - 1] != ' ' && s[i - 1] != '\t'))
		return false;
	for (size_t k = i; k < n; k++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s[k] - '0'), &v))
			return false;
	}
	*path_n = i - 1;
	*count = v;
	return true;
}

/* What is wrong with the end of a line. */
static const char *wrong_count(const char *s, size_t n)
{
	const char *word = memrchr(s, ' ', n), *end = s + n;
	bool digits = false, others = false;

	word = word ? word + 1 : s;
	for (const char *c = word; c < end; c++) {
		digits |= *c >= '0' && *c <= '9';
		others |= !((*c >= '0' && *c <= '9') || strchr("+-.eE", *c));
	}
	if (word == s || others || !digits)
		return "no count at its end";
	if (memchr(word, '.', (size_t)(end - word)) || memchr(word, 'e', (size_t)(end - word)))
		return "its count is no whole number";
	return *word == '-' ? "its count is negative" : "its count is too large";
}

/* Innermost first, as the profile has them. */
static int add_sample(struct folded *x, uint64_t count)
{
	struct leat_sample s = {
		.process = x->process, .thread = LEAT_ID_NONE, .cpu = UINT16_MAX, .value = count
	};
	uint32_t event;
	int err = leat_build_event(x->b, "", 0, &event);

	x->b->depth = 0;
	for (size_t i = x->depth; !err && i--;)
		err = leat_build_push(x->b, x->frames[i]);
	if (!err)
		err = leat_build_stack(x->b, x->cut ? LEAT_STACK_TRUNCATED : LEAT_STACK_NONE,
				       &s.stack);
	x->b->cut_deep += x->cut;
	return err ? err : leat_build_sample(x->b, &s);
}

static int parse_line(struct folded *x, const char *s, size_t n, const char **why)
{
	uint64_t count;
	size_t path_n;
	int err;

	if (!parse_count(s, n, &path_n, &count)) {
		*why = wrong_count(s, n);
		return -EBADMSG;
	}
	err = put_path(x, s, path_n);
	x->last = s;
	x->last_n = path_n;
	return err || !count ? err : add_sample(x, count);
}

static int parse_lines(struct folded *x, struct leat_chunk *c, const char **why)
{
	const char *p = c->p, *end = c->p + c->n;
	int err = 0;

	while (!err && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);

		c->lines++;
		while (n && (p[n - 1] == '\r' || p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		if (n && *p != '#')
			err = parse_line(x, p, n, why);
		/* The last line may have been cut, in its count too. */
		if (!nl) {
			x->b->cut = true;
			err = err == -EBADMSG && c->lines > 1 ? 0 : err;
		}
		p = nl ? nl + 1 : end;
	}
	return err;
}

int leat_folded_parse(struct leat_build *b, struct leat_chunk *c, const char **why)
{
	LEAT_FREE struct folded *x = malloc(sizeof(*x));
	int err;

	if (!x)
		return -ENOMEM;
	x->b = b;
	x->last = "";
	x->last_n = x->depth = 0;
	x->has_process = false;
	x->cut = 0;
	err = leat_build_module(b, "", 0, &x->module);
	return err ? err : parse_lines(x, c, why);
}
