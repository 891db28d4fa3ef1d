/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text file in pieces, each parsed by one of two threads. The pieces are cut where no entry goes
 * on, and go to the parsers in turns: what a parser gets depends on the file alone, so the profile
 * is the same at every run. Private to import/.
 */
#ifndef LEAT_IMPORT_CHUNKS_H
#define LEAT_IMPORT_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "import/unpack.h"

#define LEAT_CHUNK_BYTES   ((size_t)1 << 20)
#define LEAT_CHUNK_MAX	   ((size_t)16 << 20) /* of one entry */
#define LEAT_CHUNK_PARSERS 2

struct leat_chunk {
	const char *p;
	size_t n;
	bool last;	/* the file ends with it */
	uint64_t lines; /* set by the parser: how many there were, or where it failed (from 1) */
};

struct leat_chunk_text {
	struct leat_unpack *from; /* what comes behind @head */
	const char *head;	  /* read already, to be parsed before the rest; borrowed */
	size_t head_n;
	bool eof; /* @head reaches to the end of the file */
	/* Where the text up to @n may be cut: how much of it is whole entries, 0 none. */
	size_t (*cut)(const char *p, size_t n);
	/* 0 or a negative errno; calls for one parser come one after the other. */
	int (*parse)(void *ctx, unsigned int parser, struct leat_chunk *c);
	void *ctx;
};

/*
 * Reads and parses all of it. 0, or the first error in order of the file, with the line that it
 * is in (0: not in one). -EOVERFLOW with line 0... of LEAT_CHUNK_MAX: an entry is too long.
 */
int leat_chunks_run(const struct leat_chunk_text *t, uint64_t *line) LEAT_MUST_USE;

#endif
