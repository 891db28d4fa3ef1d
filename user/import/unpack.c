/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/unpack.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#define IN_BYTES    ((size_t)128 << 10)
#define MAGIC_BYTES 4

static const uint8_t gzip_magic[] = { 0x1f, 0x8b, 0x08 };
static const uint8_t zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

const char *leat_packing_name(enum leat_packing p)
{
	return p == LEAT_PACKED_GZIP ? "gzip" : p == LEAT_PACKED_ZSTD ? "zstd" : "";
}

static ssize_t read_fd(struct leat_unpack *u, void *p, size_t n)
{
	ssize_t got;

	do {
		got = read(u->fd, p, n);
	} while (got < 0 && errno == EINTR);
	if (!got)
		u->eof = true;
	return got < 0 ? -errno : got;
}

/* At least @want bytes at hand, unless the file ends. */
static int refill(struct leat_unpack *u, size_t want)
{
	memmove(u->in, u->in + u->at, u->n - u->at);
	u->n -= u->at;
	u->at = 0;
	while (!u->eof && u->n < want) {
		ssize_t got = read_fd(u, u->in + u->n, IN_BYTES - u->n);

		if (got < 0)
			return (int)got;
		u->n += (size_t)got;
	}
	return 0;
}

static bool begins_with(const struct leat_unpack *u, const uint8_t *magic, size_t n)
{
	return u->n - u->at >= n && memcmp(u->in + u->at, magic, n) == 0;
}

static int begin(struct leat_unpack *u)
{
	int err = refill(u, MAGIC_BYTES);

	if (err)
		return err;
	if (begins_with(u, gzip_magic, sizeof(gzip_magic))) {
		if (inflateInit2(&u->gzip, 15 + 16) != Z_OK)
			return -ENOMEM;
		u->packing = LEAT_PACKED_GZIP;
	} else if (begins_with(u, zstd_magic, sizeof(zstd_magic))) {
		u->zstd = ZSTD_createDCtx();
		if (!u->zstd)
			return -ENOMEM;
		u->packing = LEAT_PACKED_ZSTD;
	}
	return 0;
}

int leat_unpack_init(struct leat_unpack *u, int fd)
{
	int err;

	*u = (struct leat_unpack){ .fd = fd, .in = malloc(IN_BYTES) };
	err = u->in ? begin(u) : -ENOMEM;
	if (err)
		leat_unpack_fini(u);
	return err;
}

void leat_unpack_fini(struct leat_unpack *u)
{
	if (u->packing == LEAT_PACKED_GZIP)
		inflateEnd(&u->gzip);
	ZSTD_freeDCtx(u->zstd);
	free(u->in);
	*u = (struct leat_unpack){ .fd = -1 };
}

static ssize_t read_plain(struct leat_unpack *u, void *p, size_t n)
{
	size_t left = u->n - u->at;

	if (!left)
		return u->eof ? 0 : read_fd(u, p, n);
	n = n < left ? n : left;
	memcpy(p, u->in + u->at, n);
	u->at += n;
	return (ssize_t)n;
}

/* Several members one after the other are one text; what follows the last of them is not ours. */
static int next_member(struct leat_unpack *u)
{
	int err = refill(u, sizeof(gzip_magic));

	if (!err && !begins_with(u, gzip_magic, sizeof(gzip_magic)))
		u->over = true;
	else if (!err && inflateReset(&u->gzip) != Z_OK)
		err = -EBADMSG;
	return err;
}

/* Bytes that came out; 0 when more must be read. */
static ssize_t step_gzip(struct leat_unpack *u, void *p, size_t n)
{
	z_stream *z = &u->gzip;
	int rc, err = 0;

	z->next_in = u->in + u->at;
	z->avail_in = (uInt)(u->n - u->at);
	z->next_out = p;
	z->avail_out = (uInt)n;
	rc = inflate(z, Z_NO_FLUSH);
	u->taken += u->n - u->at - z->avail_in;
	u->at = u->n - z->avail_in;
	if (rc == Z_STREAM_END)
		err = next_member(u);
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		err = rc == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	return err ? err : (ssize_t)(n - z->avail_out);
}

static ssize_t step_zstd(struct leat_unpack *u, void *p, size_t n)
{
	ZSTD_inBuffer in = { .src = u->in, .size = u->n, .pos = u->at };
	ZSTD_outBuffer out = { .dst = p, .size = n };
	size_t rc;

	if (!u->zstd_left && u->at == u->n && u->eof) {
		u->over = true;
		return 0;
	}
	rc = ZSTD_decompressStream(u->zstd, &out, &in);
	u->taken += in.pos - u->at;
	u->at = in.pos;
	if (ZSTD_isError(rc))
		return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
	u->zstd_left = rc;
	return (ssize_t)out.pos;
}

static ssize_t read_packed(struct leat_unpack *u, void *p, size_t n)
{
	bool gzip = u->packing == LEAT_PACKED_GZIP;
	ssize_t got = 0;

	while (!got && !u->over) {
		int err = u->at == u->n ? refill(u, 1) : 0;

		if (err)
			return err;
		got = gzip ? step_gzip(u, p, n) : step_zstd(u, p, n);
		if (!got && !u->over && u->eof && u->at == u->n)
			u->over = u->cut = true;
	}
	return got;
}

ssize_t leat_unpack_read(struct leat_unpack *u, void *p, size_t n)
{
	ssize_t got = u->err;

	if (!got)
		got = u->packing == LEAT_PACKED_NOT ? read_plain(u, p, n) : read_packed(u, p, n);
	u->err = got < 0 ? (int)got : 0;
	return got;
}
