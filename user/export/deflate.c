/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/deflate.h"

#include <errno.h>
#include <limits.h>
#include <zlib.h>

int leat_deflate(struct leat_buf *out, const struct leat_buf *raw, struct leat_deflate_opts o)
{
	z_stream z = { .next_in = (Bytef *)raw->data };
	gz_header head = { .os = 255 }; /* unknown: the same bytes on every system */
	LEAT_FREE Bytef *bytes = NULL;
	size_t bound;
	int rc;

	if (raw->len > INT_MAX)
		return -EOVERFLOW;
	z.avail_in = (uInt)raw->len;
	if (deflateInit2(&z, o.level, Z_DEFLATED, MAX_WBITS + (o.gzip ? 16 : 0), MAX_MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	if (o.gzip)
		deflateSetHeader(&z, &head);
	bound = deflateBound(&z, (uLong)raw->len);
	bytes = malloc(bound);
	z.next_out = bytes;
	z.avail_out = (uInt)bound;
	rc = bytes ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
	if (rc == Z_STREAM_END)
		leat_buf_add(out, bytes, z.total_out);
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : -ENOMEM;
}
