/* SPDX-License-Identifier: BSD-2-Clause */
/* What sections hold: as it is, or unpacked (zlib, zstd, xz). */
#include <elf.h>
#include <errno.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "elf/elf_impl.h"

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

/* Deflate cannot do better (zlib's technical details), so a larger claim is a lie. */
#define ZLIB_RATIO_MAX 1032

/* Of the unpacked .gnu_debugdata; a distribution's largest are some MB. */
#define DEBUGDATA_MAX	((size_t)256 << 20)
#define XZ_MEMORY_MAX	((uint64_t)128 << 20)
#define XZ_OUTPUT_BYTES ((size_t)64 << 10)

static int unzlib(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
	uLong took = in_len;
	uLongf made = out_len;
	int err = uncompress2(out, &made, in, &took);

	if (err == Z_MEM_ERROR)
		return -ENOMEM;
	return err == Z_OK && made == out_len ? 0 : -EBADMSG;
}

static int unzstd(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len)
{
	size_t made = ZSTD_decompress(out, out_len, in, in_len);

	return !ZSTD_isError(made) && made == out_len ? 0 : -EBADMSG;
}

int leat_elf_unpack(struct leat_elf *e, const uint8_t *in, size_t in_len, const uint8_t **data,
		    size_t *len)
{
	struct leat_elf_chunk *c;
	Elf64_Chdr h;
	int err;

	if (in_len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, in, sizeof(h));
	in += sizeof(h);
	in_len -= sizeof(h);
	if (h.ch_type != ELFCOMPRESS_ZLIB && h.ch_type != ELFCOMPRESS_ZSTD)
		return -ENOTSUP;
	if (h.ch_type == ELFCOMPRESS_ZLIB && h.ch_size / ZLIB_RATIO_MAX > in_len)
		return -EBADMSG;
	err = leat_elf_hold(e, h.ch_size, &c);
	if (err)
		return err;
	if (h.ch_type == ELFCOMPRESS_ZLIB)
		err = unzlib(in, in_len, c->data, h.ch_size);
	else
		err = unzstd(in, in_len, c->data, h.ch_size);
	if (err) {
		leat_elf_unhold(e);
		return err;
	}
	*data = c->data;
	*len = h.ch_size;
	return 0;
}

int leat_elf_section_data(struct leat_elf *e, const struct leat_elf_section *s,
			  const uint8_t **data, size_t *len)
{
	size_t i = (size_t)(s - e->sections);
	const uint8_t *bytes;
	size_t n = s->size;
	int err;

	if (s->type == SHT_NOBITS)
		return -ENODATA;
	if (!e->cached)
		e->cached = calloc(e->section_cnt, sizeof(*e->cached));
	if (!e->cached)
		return -ENOMEM;
	if (!e->cached[i].data) {
		err = leat_elf_fetch(e, s->offset, s->size, &bytes);
		if (!err && (s->flags & SHF_COMPRESSED))
			err = leat_elf_unpack(e, bytes, s->size, &bytes, &n);
		if (err)
			return err;
		e->cached[i] = (struct leat_elf_cached){ .data = bytes, .len = n };
	}
	*data = e->cached[i].data;
	*len = e->cached[i].len;
	return 0;
}

static int xz_error(lzma_ret ret)
{
	switch (ret) {
	case LZMA_MEM_ERROR:
		return -ENOMEM;
	case LZMA_MEMLIMIT_ERROR:
		return -EOVERFLOW;
	default:
		return -EBADMSG;
	}
}

static int unxz(const uint8_t *in, size_t in_len, struct leat_buf *out)
{
	LEAT_FREE uint8_t *piece = malloc(XZ_OUTPUT_BYTES);
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret ret;

	if (!piece)
		return -ENOMEM;
	ret = lzma_stream_decoder(&s, XZ_MEMORY_MAX, 0);
	s.next_in = in;
	s.avail_in = in_len;
	while (ret == LZMA_OK && !out->err) {
		s.next_out = piece;
		s.avail_out = XZ_OUTPUT_BYTES;
		ret = lzma_code(&s, LZMA_FINISH);
		leat_buf_add(out, piece, XZ_OUTPUT_BYTES - s.avail_out);
	}
	lzma_end(&s);
	if (out->err)
		return out->err;
	return ret == LZMA_STREAM_END ? 0 : xz_error(ret);
}

int leat_elf_debugdata(struct leat_elf *e, struct leat_elf **out)
{
	const struct leat_elf_section *s = leat_elf_section_find(e, ".gnu_debugdata");
	LEAT_AUTO(leat_buf_fini) struct leat_buf plain;
	const uint8_t *packed;
	size_t n;
	int err;

	leat_buf_init(&plain, DEBUGDATA_MAX);
	if (!s)
		return -ENOENT;
	err = leat_elf_section_data(e, s, &packed, &n);
	if (err)
		return err;
	err = unxz(packed, n, &plain);
	if (err)
		return err;
	packed = (const uint8_t *)leat_buf_take(&plain, &n);
	return leat_elf_open_mem(out, packed, n, true);
}
