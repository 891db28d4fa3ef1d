/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "profile/tree.h"

struct tally {
	struct leat_top *by_function;
	uint32_t *last; /* sample + 1 in which the function was last met: recursion counts once */
	size_t cnt;
	uint32_t *ids;
	size_t n;
	size_t cap;
};

static void tally_fini(struct tally *t)
{
	free(t->by_function);
	free(t->last);
	free(t->ids);
}

/* Marks are functions too, and come as stacks are read. */
static int make_room(struct tally *t, size_t cnt)
{
	size_t to = cnt + cnt / 4 + 16;
	struct leat_top *tops;
	uint32_t *last;

	if (cnt <= t->cnt)
		return 0;
	tops = realloc(t->by_function, to * sizeof(*tops));
	if (!tops)
		return -ENOMEM;
	t->by_function = tops;
	last = realloc(t->last, to * sizeof(*last));
	if (!last)
		return -ENOMEM;
	t->last = last;
	memset(tops + t->cnt, 0, (to - t->cnt) * sizeof(*tops));
	memset(last + t->cnt, 0, (to - t->cnt) * sizeof(*last));
	t->cnt = to;
	return 0;
}

static int add_sample(struct tally *t, struct leat_profile *p, size_t i)
{
	uint64_t value = p->samples[i].value;
	int err;

	t->n = 0;
	err = leat_stack_functions(p, &p->samples[i], NULL, &t->ids, &t->n, &t->cap);
	if (!err)
		err = make_room(t, p->function_cnt);
	if (err)
		return err;
	for (size_t j = 0; j < t->n; j++) {
		uint32_t f = t->ids[j];

		if (t->last[f] == (uint32_t)i + 1)
			continue;
		t->last[f] = (uint32_t)i + 1;
		t->by_function[f].total += value;
	}
	t->by_function[t->ids[t->n - 1]].self += value;
	return 0;
}

static int by_weight(const void *a, const void *b, void *ctx)
{
	const struct leat_profile *p = ctx;
	const struct leat_top *x = a, *y = b;
	const struct leat_function *fx = &p->functions[x->function];
	const struct leat_function *fy = &p->functions[y->function];
	int c;

	if (x->self != y->self)
		return x->self > y->self ? -1 : 1;
	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	c = strcmp(leat_profile_str(p, fx->name), leat_profile_str(p, fy->name));
	if (c)
		return c;
	if (fx->start != fy->start)
		return fx->start < fy->start ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

int leat_top_build(struct leat_profile *p, struct leat_top **out, size_t *n)
{
	LEAT_AUTO(tally_fini) struct tally t = { .cnt = 0 };
	size_t kept = 0;
	int err = make_room(&t, p->function_cnt + 1);

	for (size_t i = 0; !err && i < p->sample_cnt; i++)
		err = add_sample(&t, p, i);
	if (err)
		return err;
	for (size_t i = 0; i < t.cnt; i++) {
		struct leat_top top = t.by_function[i];

		/* A mark counts where it stands for the code itself, not at a stack's outer end. */
		if (!top.total || (p->functions[i].kind == LEAT_FUNCTION_MARK && !top.self))
			continue;
		top.function = (uint32_t)i;
		t.by_function[kept++] = top;
	}
	if (kept)
		qsort_r(t.by_function, kept, sizeof(*t.by_function), by_weight, p);
	*out = LEAT_TAKE(t.by_function);
	*n = kept;
	return 0;
}
