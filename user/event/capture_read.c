/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/capture_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

void leat_chunks_init(struct leat_chunks *c)
{
	*c = (struct leat_chunks){ .fd = -1 };
}

void leat_chunks_fini(struct leat_chunks *c)
{
	ZSTD_freeDCtx(c->zstd);
	free(c->stored);
	free(c->raw);
	leat_chunks_init(c);
}

int leat_chunks_fail(struct leat_chunks *c, int err, const char *fmt, ...)
{
	va_list ap;

	if (c->text[0])
		return err;
	va_start(ap, fmt);
	vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
	return err;
}

/* Up to @n bytes, fewer only at the end of the file: *@got says. */
static int take(struct leat_chunks *c, void *p, size_t n, size_t *got)
{
	size_t have = 0;

	if (c->fd < 0) {
		have = c->mem_len - c->off < n ? c->mem_len - c->off : n;
		if (have)
			memcpy(p, c->mem + c->off, have);
	}
	while (c->fd >= 0 && have < n) {
		ssize_t rc = read(c->fd, (uint8_t *)p + have, n - have);

		if (rc < 0 && errno == EINTR)
			continue;
		if (rc < 0)
			return leat_chunks_fail(c, -errno, "cannot read it: %s", strerror(errno));
		if (!rc)
			break;
		have += (size_t)rc;
	}
	c->off += have;
	*got = have;
	return 0;
}

static int grow(uint8_t **p, size_t *cap, size_t n)
{
	uint8_t *q;

	if (n <= *cap)
		return 0;
	q = realloc(*p, n);
	if (!q)
		return -ENOMEM;
	*p = q;
	*cap = n;
	return 0;
}

/* ---- the header ---- */

static int check_header(struct leat_chunks *c, const struct leat_capture_header *h)
{
	if (memcmp(h->magic, LEAT_CAPTURE_MAGIC, sizeof(h->magic)) != 0)
		return leat_chunks_fail(c, -EBADMSG, "it is no capture file");
	if (h->byte_order == __builtin_bswap32(LEAT_CAPTURE_BYTE_ORDER))
		return leat_chunks_fail(c, -ENOTSUP,
					"it was recorded on a host of the other byte order");
	if (h->byte_order != LEAT_CAPTURE_BYTE_ORDER || h->checksum != leat_capture_header_sum(h))
		return leat_chunks_fail(c, -EBADMSG, "its header is corrupt");
	if (h->major != LEAT_CAPTURE_MAJOR)
		return leat_chunks_fail(c, -ENOTSUP,
					"it has version %u.%u of the format; this leat reads %u",
					h->major, h->minor, LEAT_CAPTURE_MAJOR);
	if (h->header_bytes < sizeof(*h) || h->header_bytes > LEAT_CAPTURE_MAX_HEADER)
		return leat_chunks_fail(c, -EBADMSG, "its header is corrupt");
	return 0;
}

/* What a newer minor version has put behind the header. */
static int skip_rest(struct leat_chunks *c, size_t n)
{
	uint8_t rest[LEAT_CAPTURE_MAX_HEADER];
	size_t got;
	int err = take(c, rest, n, &got);

	if (!err && got < n)
		err = leat_chunks_fail(c, -ENODATA, "it ends within its header");
	return err;
}

int leat_chunks_begin(struct leat_chunks *c)
{
	struct leat_capture_header h;
	size_t got;
	int err = take(c, &h, sizeof(h), &got);

	if (err)
		return err;
	if (!got)
		return leat_chunks_fail(c, -ENODATA, "it is empty");
	if (memcmp(h.magic, LEAT_CAPTURE_MAGIC, got < sizeof(h.magic) ? got : sizeof(h.magic)) != 0)
		return leat_chunks_fail(c, -EBADMSG, "it is no capture file");
	if (got < sizeof(h))
		return leat_chunks_fail(c, -ENODATA, "it ends within its header");
	err = check_header(c, &h);
	if (err)
		return err;
	c->major = h.major;
	c->minor = h.minor;
	err = skip_rest(c, h.header_bytes - sizeof(h));
	c->whole = c->off;
	return err;
}

/* ---- chunks ---- */

static int corrupt(struct leat_chunks *c, uint64_t off, const char *what)
{
	return leat_chunks_fail(c, -EBADMSG, "it is corrupt: %s in chunk %u, at byte %llu", what,
				c->seq, (unsigned long long)off);
}

static int check_chunk(struct leat_chunks *c, const struct leat_capture_chunk *h, uint64_t off)
{
	if (h->mark != LEAT_CAPTURE_CHUNK_MARK)
		return corrupt(c, off, "no mark");
	if (h->seq != c->seq)
		return corrupt(c, off, "wrong number");
	if (h->stored_bytes > LEAT_CAPTURE_MAX_CHUNK || h->raw_bytes > LEAT_CAPTURE_MAX_CHUNK)
		return corrupt(c, off, "too large a size");
	return 0;
}

static int decompress(struct leat_chunks *c, const struct leat_capture_chunk *h, uint64_t off)
{
	size_t n;

	if (h->codec == LEAT_CAPTURE_RAW)
		return h->stored_bytes == h->raw_bytes ? 0 : corrupt(c, off, "wrong size");
	if (h->codec != LEAT_CAPTURE_ZSTD)
		return corrupt(c, off, "unknown compression");
	if ((uint64_t)h->stored_bytes * LEAT_CAPTURE_MAX_RATIO < h->raw_bytes)
		return corrupt(c, off, "too high a ratio");
	if (!c->zstd)
		c->zstd = ZSTD_createDCtx();
	if (!c->zstd || grow(&c->raw, &c->raw_cap, h->raw_bytes + (size_t)1))
		return leat_chunks_fail(c, -ENOMEM, "out of memory");
	n = ZSTD_decompressDCtx(c->zstd, c->raw, h->raw_bytes, c->stored, h->stored_bytes);
	return ZSTD_isError(n) || n != h->raw_bytes ? corrupt(c, off, "broken compression") : 0;
}

int leat_chunks_next(struct leat_chunks *c, struct leat_chunk *out)
{
	struct leat_chunk k = { .off = c->off };
	size_t got;
	int err = take(c, &k.head, sizeof(k.head), &got);

	if (err || got < sizeof(k.head))
		return err;
	err = check_chunk(c, &k.head, k.off);
	if (err)
		return err;
	/* One byte more, so that it is memory when there is nothing in it. */
	if (grow(&c->stored, &c->stored_cap, k.head.stored_bytes + (size_t)1))
		return leat_chunks_fail(c, -ENOMEM, "out of memory");
	err = take(c, c->stored, k.head.stored_bytes, &got);
	if (err || got < k.head.stored_bytes)
		return err;
	if (leat_capture_chunk_sum(&k.head, c->stored) != k.head.checksum)
		return corrupt(c, k.off, "wrong checksum");
	err = decompress(c, &k.head, k.off);
	if (err)
		return err;
	k.data = k.head.codec == LEAT_CAPTURE_RAW ? c->stored : c->raw;
	c->seq++;
	c->cnt++;
	c->whole = c->off;
	*out = k;
	return 1;
}

int leat_chunks_more(struct leat_chunks *c)
{
	uint8_t byte;
	size_t got = 0;
	int err = take(c, &byte, 1, &got);

	return err ? err : got != 0;
}
