/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/maps.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#define DELETED	    " (deleted)"
#define DELETED_LEN (sizeof(DELETED) - 1)

struct cursor {
	const char *p;
	const char *end;
};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A hexadecimal number, then @stop, which is skipped. */
static int take_hex(struct cursor *c, char stop, uint64_t *out)
{
	uint64_t v = 0;
	const char *p = c->p;
	int d;

	for (; p < c->end && (d = hex_digit(*p)) >= 0; p++) {
		if (v >> 60)
			return -EOVERFLOW;
		v = v << 4 | (uint64_t)d;
	}
	if (p == c->p || p == c->end || *p != stop)
		return -EBADMSG;
	c->p = p + 1;
	*out = v;
	return 0;
}

/* A decimal number up to the line's end or a blank, which stays. */
static int take_dec(struct cursor *c, uint64_t *out)
{
	uint64_t v = 0;
	const char *p = c->p;

	for (; p < c->end && *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -EOVERFLOW;
	}
	if (p == c->p || (p < c->end && *p != ' '))
		return -EBADMSG;
	c->p = p;
	*out = v;
	return 0;
}

int leat_maps_parse(const char *s, size_t n, struct leat_maps_line *out)
{
	struct cursor c = { s, s + n };
	struct leat_maps_line l = { 0 };
	uint64_t dev_major, dev_minor;
	int err;

	if (n && s[n - 1] == '\n')
		c.end--;
	if ((err = take_hex(&c, '-', &l.start)) || (err = take_hex(&c, ' ', &l.end)))
		return err;
	if (l.end <= l.start || c.end - c.p < 5 || c.p[4] != ' ')
		return -EBADMSG;
	l.exec = c.p[2] == 'x';
	c.p += 5;
	if ((err = take_hex(&c, ' ', &l.pgoff)) || (err = take_hex(&c, ':', &dev_major)) ||
	    (err = take_hex(&c, ' ', &dev_minor)) || (err = take_dec(&c, &l.ino)))
		return err;
	if (dev_major > UINT32_MAX || dev_minor > UINT32_MAX)
		return -EOVERFLOW;
	l.dev = makedev((unsigned int)dev_major, (unsigned int)dev_minor);
	while (c.p < c.end && *c.p == ' ')
		c.p++;
	l.path = c.p;
	l.path_len = (size_t)(c.end - c.p);
	*out = l;
	return 0;
}

static bool has_prefix(const char *s, size_t n, const char *prefix)
{
	size_t len = strlen(prefix);

	return n >= len && memcmp(s, prefix, len) == 0;
}

static bool is_text(const char *s, size_t n, const char *text)
{
	return n == strlen(text) && memcmp(s, text, n) == 0;
}

bool leat_maps_is_memfd(const char *path, size_t n)
{
	return has_prefix(path, n, "/memfd:");
}

enum leat_mmap_kind leat_maps_kind(const char *path, size_t n, uint64_t ino)
{
	/* Memory that the kernel shows as a file of its own: /dev/zero stands for shared memory. */
	static const char *const anon[] = { "//", "/dev/zero", "/SYSV", "/anon_hugepage",
					    "/memfd:" };
	size_t i;

	if (is_text(path, n, "[vdso]"))
		return LEAT_MMAP_VDSO;
	if (is_text(path, n, "[vsyscall]"))
		return LEAT_MMAP_VSYSCALL;
	if (n == 0 || path[0] != '/')
		return LEAT_MMAP_ANON;
	for (i = 0; i < LEAT_ARRAY_SIZE(anon); i++) {
		if (has_prefix(path, n, anon[i]))
			return LEAT_MMAP_ANON;
	}
	return ino ? LEAT_MMAP_FILE : LEAT_MMAP_ANON;
}

bool leat_maps_is_deleted(const char *path, size_t n)
{
	return n > DELETED_LEN && memcmp(path + n - DELETED_LEN, DELETED, DELETED_LEN) == 0;
}

size_t leat_maps_path(const char *path, size_t n, char *out, size_t cap)
{
	size_t len = 0, i = 0;

	if (leat_maps_is_deleted(path, n))
		n -= DELETED_LEN;
	while (i < n && len + 1 < cap) {
		/* The kernel escapes the newline and nothing else. */
		if (n - i >= 4 && memcmp(path + i, "\\012", 4) == 0) {
			out[len++] = '\n';
			i += 4;
		} else if (path[i]) {
			out[len++] = path[i++];
		} else {
			break;
		}
	}
	out[len] = '\0';
	return len;
}
