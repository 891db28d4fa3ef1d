/* SPDX-License-Identifier: BSD-2-Clause */
/* Chunks of a capture file, one after the other: bounded, checked, decompressed. Private to event/. */
#ifndef LEAT_EVENT_CAPTURE_READ_H
#define LEAT_EVENT_CAPTURE_READ_H

#include "event/capture.h"

typedef struct ZSTD_DCtx_s leat_zstd_dctx;

struct leat_chunks {
	int fd;		    /* -1: from memory */
	const uint8_t *mem; /* borrowed */
	size_t mem_len;
	uint64_t off;	/* bytes of the file, read so far */
	uint64_t whole; /* of them, up to the end of the last whole chunk, or of the header */
	uint32_t seq;	/* of the next chunk */
	uint64_t chain;
	uint64_t cnt;

	uint8_t *stored; /* as in the file */
	size_t stored_cap;
	uint8_t *raw; /* decompressed; aligned to LEAT_CAPTURE_ALIGN */
	size_t raw_cap;
	leat_zstd_dctx *zstd;
	char text[160]; /* what is wrong */
	uint16_t major, minor;
};

/* A whole chunk, checked; .data until the next one. */
struct leat_chunk {
	struct leat_capture_chunk head;
	const uint8_t *data; /* head.raw_bytes */
	uint64_t off;	     /* where it begins in the file */
};

void leat_chunks_init(struct leat_chunks *c);
void leat_chunks_fini(struct leat_chunks *c);
/* The file's header. -EBADMSG, -ENOTSUP, -ENODATA, of read(2); the text says which. */
int leat_chunks_begin(struct leat_chunks *c) LEAT_MUST_USE;
/* 1: a chunk; 0: the file ends, or within a chunk; -EBADMSG, -ENOMEM, of read(2). */
int leat_chunks_next(struct leat_chunks *c, struct leat_chunk *out) LEAT_MUST_USE;
/* Whether there is anything left. 1, 0, -errno. */
int leat_chunks_more(struct leat_chunks *c) LEAT_MUST_USE;
/* Keeps the first text; returns @err. */
int leat_chunks_fail(struct leat_chunks *c, int err, const char *fmt, ...) LEAT_PRINTF(3, 4);

#endif
