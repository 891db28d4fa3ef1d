/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/kallsyms, whole and cut into two reads: the same names, each at or below its address. And the
 * same bytes as what the kernel says of addresses, which is made into such lines.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/ksym_lines.h"

enum { SPOTS = 48 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int make_spots(struct leat_spots *s)
{
	static const uint64_t bases[] = { 0x1000, 0xffffffff81000000, 0xffffffffc0000000 };
	uint64_t *addr = malloc(SPOTS * sizeof(*addr));

	if (!addr)
		return -1;
	for (size_t i = 0; i < SPOTS; i++)
		addr[i] = bases[i / 16] + (i % 16) * 0x123;
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

static void said(const char *s, size_t n, const struct leat_spots *spots)
{
	const struct leat_ksym_text t = { s, n, 0xffffffff81000000, 0xffffffff82000000 };
	struct leat_ksym syms[SPOTS] = { 0 };
	struct leat_kallsyms k;
	struct leat_buf lines;

	leat_buf_init(&lines, 1 << 20);
	leat_kallsyms_init(&k, spots, syms);
	/* Of the first, which are no addresses of the kernel's, it need not say anything. */
	if (!leat_ksym_lines(spots->addr + 16, SPOTS - 16, &t, &lines)) {
		assert(leat_kallsyms_feed(&k, lines.data, lines.len) == lines.len);
		leat_kallsyms_end(&k);
		assert(k.line_cnt && k.line_cnt <= SPOTS - 16 && !k.zero_cnt);
		for (size_t i = 0; i < SPOTS; i++)
			assert(syms[i].start <= spots->addr[i]);
	}
	leat_kallsyms_fini(&k);
	leat_buf_fini(&lines);
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
	said((const char *)data, size, &spots);
	leat_kallsyms_fini(&whole);
	leat_kallsyms_fini(&cut);
	leat_spots_fini(&spots);
	return 0;
}
