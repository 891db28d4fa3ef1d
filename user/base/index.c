/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/index.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

#define FIRST_SLOTS 32
#define MAX_VALUES  (1u << 31)

void leat_index_init(struct leat_index *ix)
{
	memset(ix, 0, sizeof(*ix));
}

void leat_index_fini(struct leat_index *ix)
{
	free(ix->slots);
	leat_index_init(ix);
}

void leat_index_reset(struct leat_index *ix)
{
	if (ix->slots)
		memset(ix->slots, 0, (ix->mask + 1) * sizeof(*ix->slots));
	ix->n = 0;
}

static void place(struct leat_index_slot *slots, size_t mask, struct leat_index_slot s)
{
	size_t i = s.tag & mask;

	while (slots[i].value)
		i = (i + 1) & mask;
	slots[i] = s;
}

/*
 * At most half of the slots are taken: one and a half probes to hit, two and a half to miss. The
 * place comes from the tag alone, so growth reads no hashes, and as an entry goes to where it was
 * or to that plus the old size, it reads and writes in order: it hardly misses the cache.
 */
static int grow_slots(struct leat_index *ix, size_t n)
{
	struct leat_index_slot *slots;
	size_t old = ix->slots ? ix->mask + 1 : 0;
	size_t cnt = old ? old : FIRST_SLOTS;

	while (cnt / 2 < n)
		cnt *= 2; /* at most 2^32: n was checked */
	slots = calloc(cnt, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	leat_array_advise(slots, cnt * sizeof(*slots));
	for (size_t i = 0; i < old; i++) {
		if (ix->slots[i].value)
			place(slots, cnt - 1, ix->slots[i]);
	}
	free(ix->slots);
	ix->slots = slots;
	ix->mask = cnt - 1;
	return 0;
}

int leat_index_reserve(struct leat_index *ix, size_t n)
{
	if (n > MAX_VALUES)
		return -EOVERFLOW;
	if (ix->slots && n <= (ix->mask + 1) / 2)
		return 0;
	return grow_slots(ix, n);
}

int leat_index_add(struct leat_index *ix, uint64_t hash, uint32_t value)
{
	struct leat_index_slot s = { .tag = leat_index_tag(hash), .value = value + 1 };
	int err;

	if (value != ix->n)
		return -EINVAL; /* dense: so that a caller's mistake does not go unseen */
	err = leat_index_reserve(ix, ix->n + 1);
	if (err)
		return err;
	place(ix->slots, ix->mask, s);
	ix->n++;
	return 0;
}
