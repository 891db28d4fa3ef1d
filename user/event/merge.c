/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/merge.h"

#include <leat/data_ref.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/array.h"

#define MAX_INPUTS 65536u

/* A record that waits in its source's window: the bytes are a copy. */
struct held {
	struct leat_record rec;
	uint64_t seq; /* of arrival: decides between equal times */
};

struct input {
	struct leat_source s;
	struct leat_record head; /* the next one; of a source without a window, borrowed */
	uint64_t window_ns;
	uint64_t seen_ns; /* the youngest that it has handed out */
	bool empty;	  /* nothing more in this round */
	/* only with a window */
	struct held *held; /* a heap, the oldest first */
	size_t held_cnt, held_cap;
	uint64_t seq;
	void *last; /* bytes of the head */
};

/* Inputs that have a head, as a heap: what is compared lies together. */
struct place {
	uint64_t ts_ns;
	uint32_t input;
	uint32_t pad;
};

struct leat_merge {
	struct input *inputs;
	size_t n, cap;
	struct place *heap;
	size_t heap_cnt, heap_cap;
	uint64_t reached_ns; /* the youngest that has gone out */
	uint64_t late;
	int err; /* the first of this round */
};

int leat_merge_new(struct leat_merge **out)
{
	struct leat_merge *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	*out = m;
	return 0;
}

void leat_merge_free(struct leat_merge **m)
{
	if (!*m)
		return;
	for (size_t i = 0; i < (*m)->n; i++) {
		struct input *in = &(*m)->inputs[i];

		for (size_t k = 0; k < in->held_cnt; k++)
			free((void *)(uintptr_t)in->held[k].rec.data);
		free(in->held);
		free(in->last);
	}
	free((*m)->inputs);
	free((*m)->heap);
	free(*m);
	*m = NULL;
}

int leat_merge_add(struct leat_merge *m, struct leat_source s)
{
	int err = LEAT_ARRAY_ROOM(m->inputs, m->cap, m->n + 1, MAX_INPUTS);

	/* Each has one place in the heap at most: it never grows while records flow. */
	if (!err)
		err = LEAT_ARRAY_ROOM(m->heap, m->heap_cap, m->n + 1, MAX_INPUTS);
	if (err)
		return err;
	m->inputs[m->n++] = (struct input){ .s = s };
	return 0;
}

uint64_t leat_merge_late(const struct leat_merge *m)
{
	return m->late;
}

/* ---- what waits in a window ---- */

static bool held_before(const struct held *a, const struct held *b)
{
	return a->rec.ts_ns != b->rec.ts_ns ? a->rec.ts_ns < b->rec.ts_ns : a->seq < b->seq;
}

static int hold(struct input *in, const struct leat_record *r)
{
	struct held h = { .rec = *r, .seq = in->seq };
	void *copy;
	size_t i;
	int err = LEAT_ARRAY_ROOM(in->held, in->held_cap, in->held_cnt + 1, LEAT_MERGE_MAX_HELD);

	if (err)
		return err;
	copy = malloc(r->size ? r->size : 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, r->data, r->size);
	h.rec.data = copy;
	in->seq++;
	for (i = in->held_cnt++; i && held_before(&h, &in->held[(i - 1) / 2]); i = (i - 1) / 2)
		in->held[i] = in->held[(i - 1) / 2];
	in->held[i] = h;
	return 0;
}

/* The oldest becomes the head. */
static void release(struct input *in)
{
	struct held last = in->held[--in->held_cnt];
	size_t i = 0, child;

	free(in->last);
	in->head = in->held[0].rec;
	in->last = (void *)(uintptr_t)in->head.data;
	while ((child = 2 * i + 1) < in->held_cnt) {
		if (child + 1 < in->held_cnt && held_before(&in->held[child + 1], &in->held[child]))
			child++;
		if (!held_before(&in->held[child], &last))
			break;
		in->held[i] = in->held[child];
		i = child;
	}
	in->held[i] = last;
}

/* Nothing that the source still has may be older: its window has passed over it. */
static bool is_due(const struct input *in, uint64_t until_ns)
{
	uint64_t ts = in->held[0].rec.ts_ns, mark = in->empty ? until_ns : in->seen_ns;

	if (in->held_cnt == LEAT_MERGE_MAX_HELD || (in->empty && until_ns == UINT64_MAX))
		return true;
	return mark >= in->window_ns && ts <= mark - in->window_ns;
}

static int take(struct input *in, uint64_t until_ns, struct leat_record *r)
{
	int n = in->empty ? 0 : in->s.ops->next(in->s.self, until_ns, r);

	if (n <= 0)
		in->empty = true;
	else if (r->ts_ns > in->seen_ns)
		in->seen_ns = r->ts_ns;
	return n;
}

/* 1: the head is the next record; 0: none in this round; or -errno. */
static int advance_window(struct input *in, uint64_t until_ns)
{
	struct leat_record r;
	int n = 1, err = 0;

	while (n > 0 && !(in->held_cnt && is_due(in, until_ns))) {
		n = take(in, until_ns, &r);
		err = n < 0 ? n : err;
		if (n > 0 && (err = hold(in, &r)))
			return err;
	}
	if (!in->held_cnt || !is_due(in, until_ns))
		return err;
	release(in);
	return 1;
}

static int advance(struct input *in, uint64_t until_ns)
{
	if (in->window_ns || in->held_cnt)
		return advance_window(in, until_ns);
	return take(in, until_ns, &in->head);
}

/* ---- the heap of heads ---- */

static bool place_before(const struct place *a, const struct place *b)
{
	return a->ts_ns != b->ts_ns ? a->ts_ns < b->ts_ns : a->input < b->input;
}

/* Puts @p where it belongs from the top down. */
static void sink(struct leat_merge *m, struct place p)
{
	struct place *heap = m->heap;
	size_t i = 0, child;

	while ((child = 2 * i + 1) < m->heap_cnt) {
		if (child + 1 < m->heap_cnt && place_before(&heap[child + 1], &heap[child]))
			child++;
		if (!place_before(&heap[child], &p))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = p;
}

static void rise(struct leat_merge *m, struct place p)
{
	size_t i;

	for (i = m->heap_cnt++; i && place_before(&p, &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
		m->heap[i] = m->heap[(i - 1) / 2];
	m->heap[i] = p;
}

/* The input's next head, if it has one. */
static bool pull(struct leat_merge *m, uint32_t i, uint64_t until_ns, struct place *p)
{
	int n = advance(&m->inputs[i], until_ns);

	if (n < 0 && !m->err)
		m->err = n;
	if (n <= 0)
		return false;
	*p = (struct place){ .ts_ns = m->inputs[i].head.ts_ns, .input = i };
	return true;
}

static void fill(struct leat_merge *m, uint64_t until_ns)
{
	struct place p;

	m->heap_cnt = 0;
	m->err = 0;
	for (uint32_t i = 0; i < m->n; i++) {
		struct input *in = &m->inputs[i];

		in->empty = false;
		in->window_ns = in->s.ops->window_ns ? in->s.ops->window_ns(in->s.self) : 0;
		if (pull(m, i, until_ns, &p))
			rise(m, p);
	}
}

static void deliver(struct leat_merge *m, struct leat_bus *bus, const struct input *in)
{
	const struct leat_record *r = &in->head;

	if (r->ts_ns < m->reached_ns)
		m->late++;
	else
		m->reached_ns = r->ts_ns;
	leat_data_ref_move(leat_bus_header(bus), 0, in->s.ops->header_size);
	leat_bus_dispatch(bus, r);
}

int leat_merge_round(struct leat_merge *m, struct leat_bus *bus, uint64_t until_ns)
{
	struct place p;
	int sum = 0;

	fill(m, until_ns);
	while (m->heap_cnt) {
		uint32_t i = m->heap[0].input;

		deliver(m, bus, &m->inputs[i]);
		sum += sum < INT_MAX;
		if (!pull(m, i, until_ns, &p))
			p = m->heap[--m->heap_cnt];
		if (m->heap_cnt)
			sink(m, p);
	}
	return m->err ? m->err : sum;
}
