/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile/tree_order.h"

#include <errno.h>
#include <string.h>

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By name, then object, then what else tells two functions apart: never by the order of arrival. */
static int by_name(const void *a, const void *b, void *ctx)
{
	const struct leat_profile *p = ctx;
	const struct leat_function *x = &p->functions[*(const uint32_t *)a];
	const struct leat_function *y = &p->functions[*(const uint32_t *)b];
	int c = x->name == y->name
			? 0
			: strcmp(leat_profile_str(p, x->name), leat_profile_str(p, y->name));

	if (!c && x->object != y->object) {
		uint32_t px = x->object == LEAT_ID_NONE ? 0 : p->objects[x->object].path;
		uint32_t py = y->object == LEAT_ID_NONE ? 0 : p->objects[y->object].path;

		c = strcmp(leat_profile_str(p, px), leat_profile_str(p, py));
	}
	if (!c)
		c = compare_u64(x->kind, y->kind);
	if (!c)
		c = compare_u64(x->start, y->start);
	if (!c)
		c = compare_u64(x->line, y->line);
	return c ? c : compare_u64(*(const uint32_t *)a, *(const uint32_t *)b);
}

/* The position of each function that is used, in the order of by_name; free() *@out. */
static int rank_functions(const struct leat_profile *p, const struct leat_tree *t, uint32_t **out)
{
	LEAT_FREE uint32_t *used = malloc((p->function_cnt + 1) * sizeof(*used));
	LEAT_FREE uint32_t *rank = calloc(p->function_cnt + 1, sizeof(*rank));
	size_t n = 0;

	if (!used || !rank)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		if (!rank[t->nodes[i].function]) {
			rank[t->nodes[i].function] = 1;
			used[n++] = t->nodes[i].function;
		}
	}
	qsort_r(used, n, sizeof(*used), by_name, (void *)p);
	for (size_t i = 0; i < n; i++)
		rank[used[i]] = (uint32_t)i;
	*out = LEAT_TAKE(rank);
	return 0;
}

/* Node ids in order of their functions' rank, by counting; free() *@out. */
static int order_nodes(const struct leat_profile *p, const struct leat_tree *t, uint32_t **out)
{
	LEAT_FREE uint32_t *rank = NULL;
	LEAT_FREE uint32_t *start = calloc(p->function_cnt + 2, sizeof(*start));
	LEAT_FREE uint32_t *order = malloc(t->n * sizeof(*order));
	int err;

	if (!start || !order)
		return -ENOMEM;
	err = rank_functions(p, t, &rank);
	if (err)
		return err;
	for (size_t i = 0; i < t->n; i++)
		start[rank[t->nodes[i].function] + 1]++;
	for (size_t i = 0; i < p->function_cnt; i++)
		start[i + 1] += start[i];
	for (size_t i = 0; i < t->n; i++)
		order[start[rank[t->nodes[i].function]]++] = (uint32_t)i;
	*out = LEAT_TAKE(order);
	return 0;
}

/* Pushed to the front of their parent's list from the last to the first. */
static void link_children(struct leat_tree *t, const uint32_t *order)
{
	for (size_t i = t->n; i--;) {
		struct leat_node *node = &t->nodes[order[i]];

		if (node->parent == LEAT_ID_NONE)
			continue;
		node->next_sibling = t->nodes[node->parent].first_child;
		t->nodes[node->parent].first_child = order[i];
	}
}

/* What comes after @i in preorder; LEAT_ID_NONE after the last. */
static uint32_t next_in_preorder(const struct leat_tree *t, uint32_t i)
{
	if (t->nodes[i].first_child != LEAT_ID_NONE)
		return t->nodes[i].first_child;
	while (i != LEAT_ID_NONE && t->nodes[i].next_sibling == LEAT_ID_NONE)
		i = t->nodes[i].parent;
	return i == LEAT_ID_NONE ? i : t->nodes[i].next_sibling;
}

static uint32_t renamed(const uint32_t *to, uint32_t i)
{
	return i == LEAT_ID_NONE ? i : to[i];
}

/* Nodes in preorder: the same tree has the same ids, whatever order its samples came in. */
static int renumber(struct leat_tree *t, uint32_t *to)
{
	struct leat_node *nodes = malloc(t->n * sizeof(*nodes));
	uint32_t n = 0;

	if (!nodes)
		return -ENOMEM;
	for (uint32_t i = 0; i != LEAT_ID_NONE; i = next_in_preorder(t, i))
		to[i] = n++;
	for (size_t i = 0; i < t->n; i++) {
		struct leat_node node = t->nodes[i];

		node.parent = renamed(to, node.parent);
		node.first_child = renamed(to, node.first_child);
		node.next_sibling = renamed(to, node.next_sibling);
		nodes[to[i]] = node;
	}
	free(t->nodes);
	t->nodes = nodes;
	t->cap = t->n;
	return 0;
}

int leat_tree_order(struct leat_tree *t, const struct leat_profile *p)
{
	LEAT_FREE uint32_t *order = NULL;
	int err = order_nodes(p, t, &order);

	if (err)
		return err;
	link_children(t, order);
	return renumber(t, order); /* no longer needed: takes the new ids */
}
