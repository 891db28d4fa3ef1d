/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile/mappings.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

/*
 * Items arrive in ascending order when /proc is read, and anywhere when code is loaded later. Those
 * wait in a short unsorted tail that is searched linearly and merged when it is full: with 100,000
 * mappings and 100 dlopen a second, sorting at each look-up would cost some percent of a CPU.
 */
#define TAIL_MAX    128
#define BLOCK_ITEMS 64

void leat_mappings_fini(struct leat_mappings *m)
{
	free(m->items);
	free(m->block_end);
	memset(m, 0, sizeof(*m));
}

static bool covers(const struct leat_mapping *it, uint64_t addr)
{
	return it->start <= addr && addr < it->end;
}

static bool overlaps(const struct leat_mapping *a, const struct leat_mapping *b)
{
	return a->start < b->end && b->start < a->end;
}

/* The same bytes of the same object at the same addresses, where both cover them. */
static bool same_place(const struct leat_mapping *a, const struct leat_mapping *b)
{
	return a->object == b->object && a->start - a->pgoff == b->start - b->pgoff;
}

/* How many of the sorted ones begin at @addr or before. */
static size_t upper_bound(const struct leat_mappings *m, uint64_t addr)
{
	size_t lo = 0, hi = m->sorted;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->items[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * The next sorted item below index @i that ends after @addr, or SIZE_MAX. Whole blocks that end
 * before are skipped, so one huge mapping at the bottom does not make each search linear.
 */
static size_t below(const struct leat_mappings *m, size_t i, uint64_t addr)
{
	while (i--) {
		if (i % BLOCK_ITEMS == BLOCK_ITEMS - 1 && m->block_end[i / BLOCK_ITEMS] <= addr) {
			i -= BLOCK_ITEMS - 1;
			continue;
		}
		if (m->items[i].end > addr)
			return i;
		if (addr - m->items[i].start >= m->max_span)
			break;
	}
	return SIZE_MAX;
}

static void note_block(struct leat_mappings *m, size_t i)
{
	uint64_t *end = &m->block_end[i / BLOCK_ITEMS];

	if (i % BLOCK_ITEMS == 0 || *end < m->items[i].end)
		*end = m->items[i].end;
}

/* Stable, by start: what came later stands later among equals. The tail is short. */
static void merge_tail(struct leat_mappings *m)
{
	struct leat_mapping tail[TAIL_MAX];
	size_t cnt = m->n - m->sorted;
	size_t to = m->n;
	size_t from = m->sorted;

	memcpy(tail, m->items + m->sorted, cnt * sizeof(*tail));
	for (size_t i = 1; i < cnt; i++) {
		struct leat_mapping it = tail[i];
		size_t j = i;

		for (; j && tail[j - 1].start > it.start; j--)
			tail[j] = tail[j - 1];
		tail[j] = it;
	}
	while (cnt) {
		if (from && m->items[from - 1].start > tail[cnt - 1].start)
			m->items[--to] = m->items[--from];
		else
			m->items[--to] = tail[--cnt];
	}
	m->sorted = m->n;
	for (size_t i = 0; i < m->n; i++)
		note_block(m, i);
}

static int append(struct leat_mappings *m, const struct leat_mapping *it)
{
	uint64_t span = it->end - it->start;
	size_t blocks = m->n / BLOCK_ITEMS + 1;
	int err = LEAT_ARRAY_ROOM(m->items, m->cap, m->n + 1, LEAT_MAPPINGS_MAX);

	if (!err)
		err = LEAT_ARRAY_ROOM(m->block_end, m->block_cap, blocks, LEAT_MAPPINGS_MAX);
	if (err)
		return err;
	if (m->n - m->sorted == TAIL_MAX)
		merge_tail(m);
	m->items[m->n] = *it;
	m->items[m->n++].seq = (uint32_t)m->added++ & INT32_MAX;
	if (m->sorted == m->n - 1 && (!m->sorted || m->items[m->n - 2].start <= it->start)) {
		note_block(m, m->sorted);
		m->sorted++;
	}
	m->max_end = it->end > m->max_end ? it->end : m->max_end;
	m->max_span = span > m->max_span ? span : m->max_span;
	m->changed_ns = it->from_ns > m->changed_ns ? it->from_ns : m->changed_ns;
	m->version++;
	return 0;
}

/*
 * Two different things in one place: of these, the one from /proc that was seen later cannot have
 * been there when the other one was.
 */
static void settle(struct leat_mappings *m, struct leat_mapping *item, size_t i)
{
	struct leat_mapping *have = &m->items[i];

	if (!overlaps(have, item) || same_place(have, item))
		return;
	if (item->from_proc && have->seen_ns <= item->seen_ns) {
		item->from_ns = item->seen_ns;
	} else if (have->from_proc && have->seen_ns > item->seen_ns && !have->from_ns) {
		have->from_ns = have->seen_ns;
		if (have->from_ns > m->changed_ns)
			m->changed_ns = have->from_ns;
	}
}

static void settle_all(struct leat_mappings *m, struct leat_mapping *item)
{
	size_t i;

	if (item->start >= m->max_end)
		return; /* above all others, as when /proc is read */
	for (i = below(m, upper_bound(m, item->end - 1), item->start); i != SIZE_MAX;
	     i = below(m, i, item->start))
		settle(m, item, i);
	for (i = m->sorted; i < m->n; i++)
		settle(m, item, i);
}

int leat_mappings_add(struct leat_mappings *m, const struct leat_mapping *item)
{
	struct leat_mapping it = *item;

	if (it.start >= it.end)
		return -EINVAL;
	it.seen_ns = it.from_ns;
	if (it.from_proc) {
		const struct leat_mapping *have = leat_mappings_find(m, it.start, it.seen_ns);

		if (have && same_place(have, &it) && have->end >= it.end &&
		    leat_mappings_find(m, it.end - 1, it.seen_ns) == have)
			return 0;
		it.from_ns = 0;
	}
	settle_all(m, &it);
	return append(m, &it);
}

int leat_mappings_inherit(struct leat_mappings *m, const struct leat_mappings *from, uint64_t ns)
{
	for (size_t i = 0; i < from->n; i++) {
		int err;

		if (from->items[i].from_ns > ns)
			continue;
		err = append(m, &from->items[i]);
		if (err)
			return err;
	}
	return 0;
}

int leat_mappings_split(struct leat_mappings *m, struct leat_mappings *from, uint64_t ns)
{
	size_t kept = 0;
	size_t n = from->n;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		if (from->items[i].seen_ns >= ns)
			err = append(m, &from->items[i]);
	}
	if (err || !m->n)
		return err;
	for (size_t i = 0; i < n; i++) {
		struct leat_mapping it = from->items[i];

		if (it.seen_ns < ns)
			from->items[kept++] = it;
		if (i + 1 == from->sorted)
			from->sorted = kept;
	}
	from->n = kept;
	for (size_t i = 0; i < from->sorted; i++)
		note_block(from, i);
	from->version++;
	return 0;
}

/* Of equal times, the one that came last. */
static bool is_newer(const struct leat_mapping *it, const struct leat_mapping *than)
{
	if (!than || it->from_ns != than->from_ns)
		return !than || it->from_ns > than->from_ns;
	return it->seq > than->seq;
}

const struct leat_mapping *leat_mappings_find(struct leat_mappings *m, uint64_t addr, uint64_t ns)
{
	const struct leat_mapping *best = NULL;
	size_t i;

	for (i = below(m, upper_bound(m, addr), addr); i != SIZE_MAX; i = below(m, i, addr)) {
		const struct leat_mapping *it = &m->items[i];

		if (it->from_ns <= ns && is_newer(it, best))
			best = it;
	}
	for (i = m->sorted; i < m->n; i++) {
		const struct leat_mapping *it = &m->items[i];

		if (covers(it, addr) && it->from_ns <= ns && is_newer(it, best))
			best = it;
	}
	return best;
}

bool leat_mappings_changed(struct leat_mappings *m, uint64_t addr, uint64_t first_ns,
			   uint64_t last_ns)
{
	const struct leat_mapping *before, *after;

	if (m->changed_ns <= first_ns)
		return false;
	before = leat_mappings_find(m, addr, first_ns);
	after = leat_mappings_find(m, addr, last_ns);
	if (before == after)
		return false;
	return !before || !after || !same_place(before, after);
}
