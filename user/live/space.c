/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"

void leat_codes_fini(struct leat_codes *c)
{
	free(c->v);
	*c = (struct leat_codes){ 0 };
}

/* The first one that ends above @addr; n when there is none. */
static size_t first_above(const struct leat_codes *c, uint64_t addr)
{
	size_t low = 0, high = c->n;

	/* Mappings that are read from /proc come in order. */
	if (!c->n || c->v[c->n - 1].end <= addr)
		return c->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->v[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct leat_code *leat_codes_find(const struct leat_codes *c, uint64_t addr)
{
	size_t i = first_above(c, addr);

	return i < c->n && c->v[i].start <= addr ? &c->v[i] : NULL;
}

static bool same(const struct leat_code *a, const struct leat_code *b)
{
	return a->start == b->start && a->end == b->end && a->pgoff == b->pgoff && a->exe == b->exe;
}

/* Makes room for @add at @at in place of the @drop that lie there. */
static int splice(struct leat_codes *c, size_t at, size_t drop, size_t add)
{
	if (LEAT_ARRAY_ROOM(c->v, c->cap, c->n - drop + add, LEAT_CODE_MAX))
		return -ENOMEM;
	memmove(c->v + at + add, c->v + at + drop, (c->n - at - drop) * sizeof(*c->v));
	c->n += add - drop;
	return 0;
}

bool leat_codes_map(struct leat_codes *c, const struct leat_code *m)
{
	size_t from = first_above(c, m->start), to = from, n = 0;
	struct leat_code parts[3];

	if (m->start >= m->end || (from < c->n && same(&c->v[from], m)))
		return false;
	while (to < c->n && c->v[to].start < m->end)
		to++;
	if (to > from && c->v[from].start < m->start) {
		parts[n] = c->v[from];
		parts[n++].end = m->start;
	}
	parts[n++] = *m;
	if (to > from && c->v[to - 1].end > m->end) {
		parts[n] = c->v[to - 1];
		parts[n].pgoff += m->end - parts[n].start;
		parts[n++].start = m->end;
	}
	if (splice(c, from, to - from, n)) {
		c->refused++;
		return false;
	}
	memcpy(c->v + from, parts, n * sizeof(*parts));
	return true;
}

int leat_codes_copy(struct leat_codes *to, const struct leat_codes *from)
{
	if (LEAT_ARRAY_ROOM(to->v, to->cap, from->n, LEAT_CODE_MAX))
		return -ENOMEM;
	if (from->n)
		memcpy(to->v, from->v, from->n * sizeof(*to->v));
	to->n = from->n;
	return 0;
}

uint64_t leat_codes_hash(const struct leat_codes *c, size_t n)
{
	uint64_t h = n;

	for (size_t i = 0; i < n; i++) {
		const struct leat_code *m = &c->v[i];

		h = leat_hash_u64(h ^ m->start) + m->end;
		h = leat_hash_u64(h ^ m->pgoff) + m->exe;
	}
	h = leat_hash_u64(h);
	return h ? h : 1;
}
