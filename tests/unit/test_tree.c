/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile/tree.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"
#include "base/buf.h"
#include "base/hash.h"

static struct leat_profile *p;
static struct leat_buf out;

static void init(void)
{
	static const char *const names[] = { "web", "db", "web" };

	cr_assert(eq(int, leat_profile_new(&p), 0));
	leat_buf_init(&out, 1 << 20);
	for (uint32_t i = 0; i < LEAT_ARRAY_SIZE(names); i++) {
		struct leat_process proc = { .tgid = 10 + i };
		uint32_t id;

		cr_assert(
			eq(int, leat_profile_string(p, names[i], strlen(names[i]), &proc.comm), 0));
		cr_assert(eq(int, leat_profile_process(p, &proc, &id), 0));
	}
}

static void fini(void)
{
	leat_profile_free(&p);
	leat_buf_fini(&out);
}

TestSuite(tree, .init = init, .fini = fini);

/* The frame of a function with a name of one letter. */
static uint32_t frame(char name)
{
	struct leat_function f = { .raw = LEAT_ID_NONE,
				   .object = LEAT_ID_NONE,
				   .file = LEAT_ID_NONE };
	uint32_t id;

	if (name >= 'A' && name <= 'Z')
		f.kind = LEAT_FUNCTION_KERNEL;
	cr_assert(eq(int, leat_profile_string(p, &name, 1, &f.name), 0));
	cr_assert(eq(int, leat_profile_frame(p, 0, (uint64_t)name, 0, &id), 0));
	if (name != '?')
		cr_assert(eq(int, leat_profile_function(p, &f, &p->frames[id].function), 0));
	return id;
}

/* @stack: outermost first, capital letters are kernel frames. */
static void sample(uint32_t process, const char *stack, uint64_t value, uint8_t uresult)
{
	struct leat_stack s = { .uresult = uresult };
	struct leat_sample smp = { .process = process, .thread = LEAT_ID_NONE, .value = value };
	uint32_t ids[32];
	size_t n = strlen(stack);

	for (size_t i = 0; i < n; i++) {
		char c = stack[n - 1 - i];

		ids[i] = frame(c);
		if (c >= 'A' && c <= 'Z')
			s.kframe_cnt++;
		else
			s.uframe_cnt++;
	}
	cr_assert(eq(int, leat_profile_stack(p, &s, ids, &smp.stack), 0));
	cr_assert(eq(int, leat_profile_sample(p, &smp), 0));
}

/* One line a node: depth as dots, name, self, total. */
static char *picture(const struct leat_tree *t)
{
	leat_buf_reset(&out);
	for (size_t i = 0; i < t->n; i++) {
		const struct leat_node *n = &t->nodes[i];

		for (uint32_t d = 0; d < n->depth; d++)
			leat_buf_char(&out, '.');
		leat_buf_printf(&out, "%s %llu/%llu\n",
				leat_profile_str(p, p->functions[n->function].name),
				(unsigned long long)n->self, (unsigned long long)n->total);
	}
	return out.data;
}

static char *tree_of(const struct leat_tree_opts *o)
{
	struct leat_tree t;
	char *text;

	cr_assert(eq(int, leat_tree_build(&t, p, o), 0));
	for (uint32_t i = 0; i < t.n; i++) { /* links agree with the order */
		uint64_t below = 0;

		for (uint32_t c = t.nodes[i].first_child; c != LEAT_ID_NONE;
		     c = t.nodes[c].next_sibling) {
			cr_assert(gt(u32, c, i));
			cr_assert(eq(u32, t.nodes[c].parent, i));
			below += t.nodes[c].total;
		}
		cr_assert(eq(u64, t.nodes[i].total, t.nodes[i].self + below));
		cr_assert(le(u32, t.nodes[i].depth, t.max_depth));
	}
	text = picture(&t);
	leat_tree_fini(&t);
	leat_tree_fini(&t);
	return text;
}

Test(tree, stacks_are_folded_from_the_outside)
{
	sample(0, "mb", 1, LEAT_STACK_COMPLETE);
	sample(0, "ma", 2, LEAT_STACK_COMPLETE);
	sample(0, "m", 4, LEAT_STACK_COMPLETE);
	sample(1, "maa", 8, LEAT_STACK_COMPLETE);
	cr_assert(eq(str, tree_of(NULL),
		     (char *)"all 0/15\n"
			     ".m 4/15\n"
			     "..a 2/10\n"
			     "...a 8/8\n"
			     "..b 1/1\n"));
}

Test(tree, processes_of_one_name_are_one_box)
{
	sample(0, "m", 1, LEAT_STACK_COMPLETE);
	sample(1, "m", 2, LEAT_STACK_COMPLETE);
	sample(2, "m", 4, LEAT_STACK_COMPLETE);
	cr_assert(eq(str, tree_of(&(struct leat_tree_opts){ .by_process = true }),
		     (char *)"all 0/7\n.db 0/2\n..m 2/2\n.web 0/5\n..m 5/5\n"));
}

Test(tree, what_is_missing_is_marked)
{
	static const struct {
		uint8_t result;
		const char *mark;
	} rows[] = {
		{ LEAT_STACK_TRUNCATED, "[truncated]" },
		{ LEAT_STACK_BAD_MEMORY, "[bad memory]" },
		{ LEAT_STACK_NO_UNWIND, "[no unwind information]" },
		{ LEAT_STACK_COMPAT, "[32-bit task]" },
		{ LEAT_STACK_BAD_CALL, "[cut: not a return address]" },
		{ LEAT_STACK_UNSENT, "[frames lost]" },
		{ LEAT_STACK_BROKEN, "[frames lost]" },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		char want[128];

		fini();
		init();
		sample(0, "mK", 1, rows[i].result);
		snprintf(want, sizeof(want), "all 0/1\n.%s 0/1\n..m 0/1\n...K 1/1\n", rows[i].mark);
		cr_assert(eq(str, tree_of(NULL), want));
		cr_assert(eq(str, (char *)leat_stack_mark(rows[i].result), (char *)rows[i].mark));
	}
	cr_assert(eq(ptr, (void *)leat_stack_mark(LEAT_STACK_NONE), NULL));
	cr_assert(eq(ptr, (void *)leat_stack_mark(LEAT_STACK_COMPLETE), NULL));
	cr_assert(eq(str, (char *)leat_stack_mark(200), (char *)"[unknown]"));
}

Test(tree, a_stack_of_nothing_and_a_frame_without_a_function)
{
	sample(0, "", 1, LEAT_STACK_NONE);
	sample(0, "", 2, LEAT_STACK_UNSENT);
	sample(0, "m?", 4, LEAT_STACK_COMPLETE);
	cr_assert(eq(str, tree_of(NULL),
		     (char *)"all 0/7\n"
			     ".[frames lost] 2/2\n"
			     ".[unknown] 1/1\n"
			     ".m 0/4\n"
			     "..[unknown] 4/4\n"));
}

Test(tree, a_kernel_stack_that_was_cut_is_marked_where_it_ends)
{
	struct leat_stack s = { .kframe_cnt = 1,
				.uframe_cnt = 1,
				.uresult = LEAT_STACK_COMPLETE,
				.kresult = LEAT_STACK_TRUNCATED };
	uint32_t ids[] = { frame('K'), frame('m') };
	struct leat_sample smp = { .thread = LEAT_ID_NONE, .value = 1 };

	cr_assert(eq(int, leat_profile_stack(p, &s, ids, &smp.stack), 0));
	cr_assert(eq(int, leat_profile_sample(p, &smp), 0));
	cr_assert(eq(str, tree_of(NULL), (char *)"all 0/1\n.m 0/1\n..[truncated] 0/1\n...K 1/1\n"));
}

Test(tree, an_empty_profile_is_a_root)
{
	struct leat_top *top;
	size_t n;

	cr_assert(eq(str, tree_of(NULL), (char *)"all 0/0\n"));
	cr_assert(eq(int, leat_top_build(p, &top, &n), 0));
	cr_assert(eq(sz, n, 0));
	free(top);
}

/* Samples pushed in two orders, with functions and stacks numbered differently. */
Test(tree, does_not_depend_on_the_order_of_arrival)
{
	LEAT_FREE char *first = NULL;

	for (int pass = 0; pass < 2; pass++) {
		fini();
		init();
		for (uint64_t i = 0; i < 500; i++) {
			uint64_t k = leat_hash_u64(pass ? 499 - i : i);
			char stack[9] = { 0 };

			for (int j = 0; j < 8; j++)
				stack[j] = (char)('a' + (k >> (j * 3)) % 5);
			stack[2 + k % 6] = 0;
			sample(k % 3, stack, 1 + k % 7, LEAT_STACK_COMPLETE);
		}
		if (pass)
			cr_assert(eq(str, tree_of(&(struct leat_tree_opts){ .by_process = true }),
				     first));
		else
			first = strdup(tree_of(&(struct leat_tree_opts){ .by_process = true }));
	}
}

/* ---- top ---- */

static char *top_of(void)
{
	struct leat_top *top = NULL;
	size_t n = 0;

	cr_assert(eq(int, leat_top_build(p, &top, &n), 0));
	leat_buf_reset(&out);
	for (size_t i = 0; i < n; i++)
		leat_buf_printf(&out, "%s %llu/%llu ",
				leat_profile_str(p, p->functions[top[i].function].name),
				(unsigned long long)top[i].self, (unsigned long long)top[i].total);
	free(top);
	return out.data;
}

Test(top, recursion_counts_once, .init = init, .fini = fini)
{
	sample(0, "mrrr", 5, LEAT_STACK_COMPLETE);
	sample(1, "mr", 2, LEAT_STACK_TRUNCATED);
	sample(1, "m", 1, LEAT_STACK_COMPLETE);
	cr_assert(eq(str, top_of(), (char *)"r 7/7 m 1/8 "));
}

Test(top, equal_weights_are_in_order_of_names_and_marks_stay_out, .init = init, .fini = fini)
{
	sample(0, "mb", 1, LEAT_STACK_NO_UNWIND);
	sample(0, "ma", 1, LEAT_STACK_NO_UNWIND);
	sample(0, "", 1, LEAT_STACK_UNSENT);
	cr_assert(eq(str, top_of(), (char *)"[frames lost] 1/1 a 1/1 b 1/1 m 0/2 "));
}

/* What would stand on a node that is too small is one box: totals stay what they were. */
Test(tree, nothing_stands_on_a_node_below_the_least)
{
	struct leat_tree_opts o = { .least = 10 };
	struct leat_tree t = { 0 };

	sample(0, "abc", 6, LEAT_STACK_COMPLETE);
	sample(0, "abd", 3, LEAT_STACK_COMPLETE);
	sample(0, "a", 1, LEAT_STACK_COMPLETE);
	sample(0, "xy", 10, LEAT_STACK_COMPLETE);
	cr_assert(eq(int, leat_tree_build(&t, p, &o), 0));
	cr_expect(eq(str, picture(&t),
		     (char *)"all 0/20\n.a 1/10\n..b 0/9\n...[too narrow] 9/9\n.x 0/10\n..y "
			     "10/10\n"));
	cr_expect(eq(u64, t.narrow, 9));
	leat_tree_fini(&t);
}

Test(tree, survives_each_failing_allocation)
{
	sample(0, "mab", 1, LEAT_STACK_TRUNCATED);
	sample(1, "mac", 1, LEAT_STACK_COMPLETE);
	LEAT_ALLOC_EACH_FAILS {
		struct leat_tree t = { .nodes = NULL };
		struct leat_top *top = NULL;
		size_t n;
		int err = leat_tree_build(&t, p, &(struct leat_tree_opts){ .by_process = true });

		if (!err)
			err = leat_top_build(p, &top, &n);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		leat_tree_fini(&t);
		free(top);
	}
}
