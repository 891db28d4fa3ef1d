/* SPDX-License-Identifier: BSD-2-Clause */
/* Compression of whole buffers. Private to export/. */
#ifndef LEAT_EXPORT_DEFLATE_H
#define LEAT_EXPORT_DEFLATE_H

#include <stdbool.h>

#include "base/buf.h"

struct leat_deflate_opts {
	bool gzip; /* with a gzip header that holds neither name nor time; else zlib's */
	int level; /* 1..9 */
};

/* Appends @raw, compressed, to @out. 0, -ENOMEM, -EOVERFLOW (over 2 GB). */
int leat_deflate(struct leat_buf *out, const struct leat_buf *raw,
		 struct leat_deflate_opts o) LEAT_MUST_USE;

#endif
