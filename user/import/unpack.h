/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a file, with gzip or zstd around them taken off as they are read. Private to import/.
 * Not thread-safe.
 */
#ifndef LEAT_IMPORT_UNPACK_H
#define LEAT_IMPORT_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <zlib.h>

#include "base/cleanup.h"

typedef struct ZSTD_DCtx_s leat_zstd_dctx;

enum leat_packing {
	LEAT_PACKED_NOT = 0,
	LEAT_PACKED_GZIP = 1,
	LEAT_PACKED_ZSTD = 2,
};

struct leat_unpack {
	int fd; /* borrowed */
	enum leat_packing packing;
	uint8_t *in; /* as in the file, [at, n) not used yet */
	size_t at, n;
	uint64_t taken; /* bytes of the file, used up */
	bool eof;	/* the file has been read to its end */
	bool over;	/* nothing comes any more */
	bool cut;	/* it ended within what is packed */
	int err;	/* sticks */
	z_stream gzip;
	leat_zstd_dctx *zstd;
	size_t zstd_left; /* 0: between two frames */
};

/* Reads the first bytes, which tell the packing. -ENOMEM, or what read() said. */
int leat_unpack_init(struct leat_unpack *u, int fd) LEAT_MUST_USE;
void leat_unpack_fini(struct leat_unpack *u);
/* At most @n bytes (1 at least), 0 at the end of all. -EBADMSG damaged, near byte .taken; -ENOMEM, of read(). */
ssize_t leat_unpack_read(struct leat_unpack *u, void *p, size_t n) LEAT_MUST_USE;
const char *leat_packing_name(enum leat_packing p); /* "gzip", "zstd"; "" for none */

#endif
