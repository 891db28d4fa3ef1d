/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/spots.h"

#include <errno.h>

/* Four buckets a spot: most symbols of a table fall into an empty one and are done. */
#define BUCKETS_PER_SPOT 4
#define BUCKETS_MIN	 64
#define BUCKETS_MAX	 ((size_t)1 << 20)

int leat_spots_init(struct leat_spots *s, uint64_t *addr, size_t n)
{
	size_t want = n * BUCKETS_PER_SPOT;
	unsigned int shift = 0;
	uint64_t span = addr[n - 1] - addr[0];
	size_t cnt, b = 0;
	uint32_t *first;

	*s = (struct leat_spots){ .addr = addr };
	if (n >= UINT32_MAX)
		return -EOVERFLOW;
	want = want < BUCKETS_MIN ? BUCKETS_MIN : want > BUCKETS_MAX ? BUCKETS_MAX : want;
	while ((span >> shift) >= want)
		shift++;
	cnt = (size_t)(span >> shift) + 1;
	first = malloc((cnt + 1) * sizeof(*first));
	if (!first)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)((addr[i] - addr[0]) >> shift);

		while (b <= at)
			first[b++] = (uint32_t)i;
	}
	while (b <= cnt)
		first[b++] = (uint32_t)n;
	s->n = n;
	s->first = first;
	s->bucket_cnt = cnt;
	s->shift = shift;
	return 0;
}

void leat_spots_fini(struct leat_spots *s)
{
	free(s->addr);
	free(s->first);
	*s = (struct leat_spots){ 0 };
}
