/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf maps: what a JIT compiler writes about its code, a line "START SIZE NAME" for each piece,
 * numbers in hexadecimal, the name to the end of the line. Code is replaced as it runs: a later
 * line wins over an earlier one. Written by the target, so nothing in it is believed.
 */
#ifndef LEAT_SYMBOLS_PERF_MAP_H
#define LEAT_SYMBOLS_PERF_MAP_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "symbols/spots.h"

#define LEAT_PERF_MAP_MAX      ((uint64_t)4 << 30) /* bytes that are looked at */
#define LEAT_PERF_MAP_NAME_MAX 4096u		   /* bytes; the rest is cut */

/* The last line that covers a spot. */
struct leat_perf_line {
	uint64_t start;
	uint64_t name_off; /* in the file */
	uint32_t name_len; /* 0: none */
	uint32_t pad;
};

struct leat_perf_scan {
	const struct leat_spots *spots;
	struct leat_perf_line *lines; /* by spot */
	uint64_t line_cnt;	      /* well-formed ones */
	uint64_t bad_cnt;	      /* others */
	uint64_t visits;	      /* private */
};

/*
 * Reads whole lines of @text, which stands at @off in the file; a last one without a newline counts
 * when @last. Returns how many bytes were used.
 */
size_t leat_perf_map_lines(struct leat_perf_scan *s, const char *text, size_t n, uint64_t off,
			   bool last);
/* All of a file, in pieces. -EOVERFLOW: more than is looked at; what was found until then stays. */
int leat_perf_map_scan(struct leat_perf_scan *s, int fd) LEAT_MUST_USE;

#endif
