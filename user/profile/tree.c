/* SPDX-License-Identifier: BSD-2-Clause */
/* From samples to a tree, level by level, outermost first. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "profile/tree_order.h"

#define MAX_NODES   (64u << 20)
#define FIRST_SLOTS 1024

/* (parent, function) -> node, of one level. */
struct slot {
	uint64_t key;
	uint32_t node; /* 0: empty, for the root is nobody's child */
	uint32_t pad;
};

/* A sample on its way down. */
struct walker {
	uint32_t at;   /* node reached */
	uint32_t next; /* index into ids of the next function */
	uint32_t end;
	uint32_t sample;
};

/*
 * All samples go down one level at a time. A table of one level's nodes stays in the cache where
 * one of all nodes, a hundred times as large, would miss it at nearly every step: with 400,000
 * stacks and 2 million nodes this is a third of the time.
 */
struct builder {
	struct leat_profile *p;
	struct leat_tree *t;
	struct slot *slots;
	size_t mask;
	size_t used;   /* slots of this level */
	uint32_t *ids; /* functions of all samples, one after the other */
	size_t id_cnt;
	size_t id_cap;
	struct walker *walkers;
	size_t walker_cnt;
	uint64_t least;
	uint32_t narrow; /* index into ids: what stands on a node that has fewer */
};

static void builder_fini(struct builder *b)
{
	free(b->slots);
	free(b->ids);
	free(b->walkers);
}

static struct slot *slot_of(struct slot *slots, size_t mask, uint64_t key)
{
	size_t i = leat_hash_u64(key) & mask;

	while (slots[i].node && slots[i].key != key)
		i = (i + 1) & mask;
	return &slots[i];
}

static int grow(struct builder *b)
{
	size_t cnt = b->slots ? (b->mask + 1) * 2 : FIRST_SLOTS;
	struct slot *slots = calloc(cnt, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; b->slots && i <= b->mask; i++) {
		if (b->slots[i].node)
			*slot_of(slots, cnt - 1, b->slots[i].key) = b->slots[i];
	}
	free(b->slots);
	b->slots = slots;
	b->mask = cnt - 1;
	return 0;
}

static int add_node(struct leat_tree *t, uint32_t parent, uint32_t function)
{
	struct leat_node node = {
		.function = function,
		.parent = parent,
		.first_child = LEAT_ID_NONE,
		.next_sibling = LEAT_ID_NONE,
		.depth = parent == LEAT_ID_NONE ? 0 : t->nodes[parent].depth + 1,
	};
	int err = LEAT_ARRAY_ROOM(t->nodes, t->cap, t->n + 1, MAX_NODES);

	if (err)
		return err;
	t->nodes[t->n++] = node;
	if (node.depth > t->max_depth)
		t->max_depth = node.depth;
	return 0;
}

static int child_of(struct builder *b, uint32_t *node, uint32_t function)
{
	uint64_t key = (uint64_t)*node << 32 | function;
	struct slot *s = slot_of(b->slots, b->mask, key);
	int err;

	if (!s->node) {
		err = add_node(b->t, *node, function);
		if (err)
			return err;
		s->key = key;
		s->node = (uint32_t)(b->t->n - 1);
		*node = s->node;
		return ++b->used > b->mask / 2 ? grow(b) : 0;
	}
	*node = s->node;
	return 0;
}

/* One step for each sample. */
static int step(struct builder *b)
{
	memset(b->slots, 0, (b->mask + 1) * sizeof(*b->slots));
	b->used = 0;
	for (size_t i = 0; i < b->walker_cnt; i++) {
		struct walker *w = &b->walkers[i];
		int err = child_of(b, &w->at, b->ids[w->next++]);

		if (err)
			return err;
		b->t->nodes[w->at].total += b->p->samples[w->sample].value;
	}
	return 0;
}

/* Those that have arrived leave; those at nodes on which nothing is to stand have a last step. */
static void settle(struct builder *b)
{
	size_t left = 0;

	for (size_t i = 0; i < b->walker_cnt; i++) {
		struct walker w = b->walkers[i];
		struct leat_node *node = &b->t->nodes[w.at];

		if (w.next < w.end && node->total < b->least && w.next != b->narrow) {
			b->t->narrow += b->p->samples[w.sample].value;
			w.next = b->narrow;
			w.end = w.next + 1;
		}
		if (w.next < w.end)
			b->walkers[left++] = w;
		else
			node->self += b->p->samples[w.sample].value;
	}
	b->walker_cnt = left;
}

static int put_narrow(struct builder *b)
{
	int err = LEAT_ARRAY_ROOM(b->ids, b->id_cap, b->id_cnt + 1, LEAT_PROFILE_MAX_FRAME_IDS);

	b->narrow = (uint32_t)b->id_cnt;
	if (!err)
		err = leat_mark_function(b->p, "[too narrow]", &b->ids[b->id_cnt++]);
	return err;
}

/* A walker for each sample; each has one function at least. */
static int start(struct builder *b, const struct leat_tree_opts *o)
{
	int err = b->least ? put_narrow(b) : 0;

	if (err)
		return err;
	b->walkers = malloc((b->p->sample_cnt + 1) * sizeof(*b->walkers));
	if (!b->walkers)
		return -ENOMEM;
	for (size_t i = 0; i < b->p->sample_cnt; i++) {
		uint32_t first = (uint32_t)b->id_cnt;

		err = leat_stack_functions(b->p, &b->p->samples[i], o, &b->ids, &b->id_cnt,
					   &b->id_cap);
		if (err)
			return err;
		b->walkers[i] = (struct walker){ .next = first,
						 .end = (uint32_t)b->id_cnt,
						 .sample = (uint32_t)i };
	}
	b->walker_cnt = b->p->sample_cnt;
	return 0;
}

static int add_samples(struct builder *b, const struct leat_tree_opts *o)
{
	int err = start(b, o);

	if (!err)
		err = grow(b);
	while (!err && b->walker_cnt) {
		err = step(b);
		if (!err)
			settle(b);
	}
	return err;
}

static int add_root(struct builder *b)
{
	uint32_t id;
	int err = leat_mark_function(b->p, "all", &id);

	return err ? err : add_node(b->t, LEAT_ID_NONE, id);
}

static void sum_up(struct leat_tree *t)
{
	for (size_t i = 0; i < t->n; i++)
		t->nodes[i].total = 0;
	for (size_t i = t->n; i--;) {
		struct leat_node *node = &t->nodes[i];

		node->total += node->self;
		if (node->parent != LEAT_ID_NONE)
			t->nodes[node->parent].total += node->total;
	}
}

static int build(struct builder *b, const struct leat_tree_opts *o)
{
	int err = add_root(b);

	if (!err)
		err = add_samples(b, o);
	if (err)
		return err;
	sum_up(b->t);
	return leat_tree_order(b->t, b->p);
}

int leat_tree_build(struct leat_tree *t, struct leat_profile *p, const struct leat_tree_opts *o)
{
	struct leat_tree made = { .nodes = NULL };
	LEAT_AUTO(builder_fini)
	struct builder b = { .p = p, .t = &made, .least = o ? o->least : 0 };
	int err = build(&b, o);

	if (err) {
		leat_tree_fini(&made);
		return err;
	}
	*t = made;
	return 0;
}

void leat_tree_fini(struct leat_tree *t)
{
	free(t->nodes);
	memset(t, 0, sizeof(*t));
}
