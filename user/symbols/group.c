/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/group.h"

#include <errno.h>

static int compare_items(const void *a, const void *b)
{
	const struct leat_item *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->frame > y->frame) - (x->frame < y->frame);
}

void leat_items_sort(struct leat_item *items, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (compare_items(&items[i - 1], &items[i]) > 0) {
			qsort(items, n, sizeof(*items), compare_items);
			return;
		}
	}
}

static bool wanted(const struct leat_profile *p, const struct leat_frame *f, leat_group_want want)
{
	return f->object < p->object_cnt && want(p, f);
}

/* Counting sort by object: @next is where the next frame of each object goes. */
static void place(struct leat_groups *g, const struct leat_profile *p, leat_group_want want,
		  size_t *next)
{
	for (size_t i = 0; i < p->frame_cnt; i++) {
		const struct leat_frame *f = &p->frames[i];

		if (!wanted(p, f, want))
			continue;
		g->items[next[f->object]++] = (struct leat_item){
			.at = f->offset,
			.frame = (uint32_t)i,
			.spot = LEAT_ID_NONE,
		};
	}
}

int leat_groups_make(struct leat_groups *g, const struct leat_profile *p, leat_group_want want)
{
	LEAT_FREE size_t *next = calloc(p->object_cnt + 1, sizeof(*next));
	size_t total = 0, used = 0;

	*g = (struct leat_groups){ 0 };
	if (!next)
		return -ENOMEM;
	for (size_t i = 0; i < p->frame_cnt; i++) {
		if (wanted(p, &p->frames[i], want) && next[p->frames[i].object]++ == 0)
			used++;
	}
	for (size_t i = 0; i < p->object_cnt; i++)
		total += next[i];
	g->items = malloc((total + 1) * sizeof(*g->items));
	g->groups = malloc((used + 1) * sizeof(*g->groups));
	if (!g->items || !g->groups) {
		leat_groups_fini(g);
		return -ENOMEM;
	}
	total = 0;
	for (size_t i = 0; i < p->object_cnt; i++) {
		size_t n = next[i];

		next[i] = total;
		if (!n)
			continue;
		g->groups[g->n++] = (struct leat_group){
			.object = (uint32_t)i,
			.items = g->items + total,
			.n = n,
		};
		total += n;
	}
	place(g, p, want, next);
	return 0;
}

void leat_groups_fini(struct leat_groups *g)
{
	free(g->items);
	free(g->groups);
	*g = (struct leat_groups){ 0 };
}
