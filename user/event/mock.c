/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/mock.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "event/wire.h"

#define MAX_RECORDS  (16u << 20)
#define MAX_BYTES    ((size_t)1 << 30)
#define BATCH	     256 /* records a poll */
#define RECORD_ALIGN 8	 /* as a ring has them */

struct item {
	uint64_t ts_ns;
	size_t offset;
	uint32_t size;
	uint32_t seq; /* equal times keep the order of insertion */
};

struct leat_mock {
	struct item *items;
	size_t n;
	size_t cap;
	size_t next; /* first that was not delivered yet */
	uint8_t *bytes;
	size_t len;
	size_t bytes_cap;
	bool sorted;
	bool started;
	struct leat_source_stats stats;
};

int leat_mock_new(struct leat_mock **out)
{
	struct leat_mock *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	*out = m;
	return 0;
}

void leat_mock_free(struct leat_mock **m)
{
	if (!*m)
		return;
	free((*m)->items);
	free((*m)->bytes);
	free(*m);
	*m = NULL;
}

int leat_mock_push(struct leat_mock *m, const void *rec, size_t size)
{
	size_t room = (size + RECORD_ALIGN - 1) & ~(size_t)(RECORD_ALIGN - 1);
	struct item it = { .ts_ns = 0, .offset = m->len, .size = (uint32_t)size };
	struct leat_rec h;
	int err;

	if (size > UINT32_MAX - RECORD_ALIGN)
		return -EOVERFLOW;
	err = LEAT_ARRAY_ROOM(m->items, m->cap, m->n + 1, MAX_RECORDS);
	if (!err)
		err = LEAT_ARRAY_ROOM(m->bytes, m->bytes_cap, m->len + room, MAX_BYTES);
	if (err)
		return err;
	if (size)
		memcpy(m->bytes + m->len, rec, size);
	if (size >= sizeof(h)) {
		memcpy(&h, rec, sizeof(h));
		it.ts_ns = h.ts_ns;
	}
	it.seq = (uint32_t)m->n;
	m->items[m->n++] = it;
	m->len += room;
	m->sorted = false;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int mock_open(void *self, struct leat_bus *bus)
{
	(void)self;
	return leat_wire_register_all(bus);
}

static int mock_start(void *self)
{
	struct leat_mock *m = self;

	m->started = true;
	return 0;
}

/* Those that do not decode are counted, and passed over. */
static int mock_next(void *self, uint64_t until_ns, struct leat_record *out)
{
	struct leat_mock *m = self;

	if (!m->started)
		return 0;
	if (!m->sorted && m->n > m->next)
		qsort(m->items + m->next, m->n - m->next, sizeof(*m->items), by_time);
	m->sorted = true;
	while (m->next < m->n && m->items[m->next].ts_ns <= until_ns) {
		const struct item *it = &m->items[m->next++];

		if (leat_wire_record(m->bytes + it->offset, it->size, out)) {
			m->stats.malformed++;
			continue;
		}
		m->stats.records++;
		m->stats.bytes += it->size;
		return 1;
	}
	return 0;
}

static int mock_poll(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	struct leat_mock *m = self;
	size_t from = m->next;
	struct leat_record r;

	while (m->next - from < BATCH && mock_next(m, until_ns, &r) > 0)
		leat_wire_dispatch(bus, &r);
	*more = m->next - from >= BATCH;
	return (int)(m->next - from);
}

static int mock_stop(void *self)
{
	(void)self;
	return 0;
}

static void mock_close(void *self)
{
	((struct leat_mock *)self)->started = false;
}

static void mock_stats(const void *self, struct leat_source_stats *out)
{
	*out = ((const struct leat_mock *)self)->stats;
}

static int mock_fd(const void *self)
{
	(void)self;
	return -1;
}

static const struct leat_source_ops mock_ops = {
	.name = "mock",
	.open = mock_open,
	.start = mock_start,
	.poll = mock_poll,
	.stop = mock_stop,
	.close = mock_close,
	.stats = mock_stats,
	.poll_fd = mock_fd,
	.next = mock_next,
	.header_size = sizeof(struct leat_rec),
};

struct leat_source leat_mock_source(struct leat_mock *m)
{
	return (struct leat_source){ .ops = &mock_ops, .self = m };
}
