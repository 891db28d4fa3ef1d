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
	free(ix->hashes);
	leat_index_init(ix);
}

void leat_index_reset(struct leat_index *ix)
{
	if (ix->slots)
		memset(ix->slots, 0, (ix->mask + 1) * sizeof(*ix->slots));
	ix->n = 0;
}

static void place(struct leat_index_slot *slots, size_t mask, uint64_t hash, uint32_t value)
{
	size_t i = (size_t)hash & mask;

	while (slots[i].value)
		i = (i + 1) & mask;
	slots[i].tag = (uint32_t)(hash >> 32);
	slots[i].value = value + 1;
}

/* At most half of the slots are taken: one and a half probes to hit, two and a half to miss. */
static int grow_slots(struct leat_index *ix, size_t n)
{
	struct leat_index_slot *slots;
	size_t cnt = ix->slots ? ix->mask + 1 : FIRST_SLOTS;

	while (cnt / 2 < n)
		cnt *= 2; /* at most 2^32: n was checked */
	slots = calloc(cnt, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t v = 0; v < ix->n; v++)
		place(slots, cnt - 1, ix->hashes[v], (uint32_t)v);
	free(ix->slots);
	ix->slots = slots;
	ix->mask = cnt - 1;
	return 0;
}

int leat_index_reserve(struct leat_index *ix, size_t n)
{
	int err;

	if (n > MAX_VALUES)
		return -EOVERFLOW;
	err = LEAT_ARRAY_ROOM(ix->hashes, ix->hashes_cap, n, MAX_VALUES);
	if (err)
		return err;
	if (ix->slots && n <= (ix->mask + 1) / 2)
		return 0;
	return grow_slots(ix, n);
}

int leat_index_add(struct leat_index *ix, uint64_t hash, uint32_t value)
{
	if (value != ix->n)
		return -EINVAL; /* growth finds the hash by the value */
	if (!ix->slots || ix->n == ix->hashes_cap || ix->n >= (ix->mask + 1) / 2) {
		int err = leat_index_reserve(ix, ix->n + 1);

		if (err)
			return err;
	}
	ix->hashes[ix->n++] = hash;
	place(ix->slots, ix->mask, hash, value);
	return 0;
}
