/* SPDX-License-Identifier: BSD-2-Clause */
/* A perf map: names lie inside the file, and one line at a time gives what all at once give. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/perf_map.h"

enum { SPOTS = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int make_spots(struct leat_spots *s)
{
	uint64_t *addr = malloc(SPOTS * sizeof(*addr));

	if (!addr)
		return -1;
	for (size_t i = 0; i < SPOTS; i++)
		addr[i] = i < SPOTS / 2 ? 0x1000 + i * 7 : UINT64_MAX - SPOTS + i;
	return leat_spots_init(s, addr, SPOTS);
}

static void in_pieces(struct leat_perf_scan *s, const char *p, size_t n)
{
	size_t at = 0;

	while (at < n) {
		const char *nl = memchr(p + at, '\n', n - at);
		size_t len = nl ? (size_t)(nl + 1 - p) - at : n - at;

		at += leat_perf_map_lines(s, p + at, len, at, !nl);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_perf_line a[SPOTS] = { 0 }, b[SPOTS] = { 0 };
	struct leat_spots spots;
	struct leat_perf_scan whole = { .spots = &spots, .lines = a };
	struct leat_perf_scan pieces = { .spots = &spots, .lines = b };

	if (make_spots(&spots))
		return 0;
	assert(leat_perf_map_lines(&whole, (const char *)data, size, 0, true) == size);
	in_pieces(&pieces, (const char *)data, size);
	assert(whole.line_cnt == pieces.line_cnt && whole.bad_cnt == pieces.bad_cnt);
	for (size_t i = 0; i < SPOTS; i++) {
		assert(a[i].name_off + a[i].name_len <= size);
		assert(a[i].name_len <= LEAT_PERF_MAP_NAME_MAX);
		assert(a[i].start == b[i].start && a[i].name_off == b[i].name_off &&
		       a[i].name_len == b[i].name_len);
		assert(!a[i].name_len || a[i].start <= spots.addr[i]);
	}
	leat_spots_fini(&spots);
	return 0;
}
