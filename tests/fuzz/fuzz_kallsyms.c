/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/kallsyms, whole and cut into two reads: the same names, each at or below its address. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/kallsyms.h"

enum { SPOTS = 48 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int make_spots(struct leat_spots *s)
{
	static const uint64_t bases[] = { 0xffffffff81000000, 0xffffffffc0000000, 0x1000 };
	uint64_t *addr = malloc(SPOTS * sizeof(*addr));

	if (!addr)
		return -1;
	for (size_t i = 0; i < SPOTS; i++)
		addr[i] = bases[(2 + 3 - i / 16) % 3] + (i % 16) * 0x123;
	return leat_spots_init(s, addr, SPOTS);
}

static void feed(struct leat_kallsyms *k, const char *s, size_t n, size_t cut)
{
	size_t used = leat_kallsyms_feed(k, s, cut);

	assert(used <= cut);
	used += leat_kallsyms_feed(k, s + used, n - used);
	assert(used <= n);
	leat_kallsyms_end(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct leat_ksym a[SPOTS] = { 0 }, b[SPOTS] = { 0 };
	struct leat_kallsyms whole, cut;
	struct leat_spots spots;

	if (make_spots(&spots))
		return 0;
	leat_kallsyms_init(&whole, &spots, a);
	leat_kallsyms_init(&cut, &spots, b);
	feed(&whole, (const char *)data, size, size);
	feed(&cut, (const char *)data, size, size / 2);
	for (size_t i = 0; i < SPOTS; i++) {
		assert(a[i].start <= spots.addr[i]);
		assert(a[i].start == b[i].start && a[i].name_len == b[i].name_len);
		if (!a[i].start)
			continue;
		assert(a[i].name + a[i].name_len <= whole.text.len);
		assert(memcmp(whole.text.data + a[i].name, cut.text.data + b[i].name,
			      a[i].name_len) == 0);
	}
	leat_kallsyms_fini(&whole);
	leat_kallsyms_fini(&cut);
	leat_spots_fini(&spots);
	return 0;
}
