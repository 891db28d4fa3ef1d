/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every picture and table is made from: stacks folded into a tree of functions, outermost
 * first, and totals by function. Deterministic: children sorted by name, then object.
 */
#ifndef LEAT_PROFILE_TREE_H
#define LEAT_PROFILE_TREE_H

#include <leat/export.h> /* struct leat_tree_opts */

#include "profile/profile.h"

struct leat_node {
	uint32_t
		function; /* into profile->functions; roots and process levels are MARK functions */
	uint32_t parent;  /* LEAT_ID_NONE for the root */
	uint32_t first_child;
	uint32_t next_sibling;
	uint32_t depth;
	uint32_t pad;
	uint64_t self;	/* samples that end here */
	uint64_t total; /* self and below */
};

struct leat_tree {
	struct leat_node *nodes; /* in preorder; nodes[0] is the root "all" */
	size_t n, cap;
	uint32_t max_depth;
	uint64_t narrow; /* samples in a "[too narrow]", for opts.least */
};

struct leat_top {
	uint32_t function;
	uint32_t pad;
	uint64_t self;	/* samples in which it is innermost */
	uint64_t total; /* samples in which it occurs, once each (recursion counts once) */
};

/*
 * Adds a "[truncated]" (or "[no unwind information]", "[bad memory]", ...) function at the outer end of stacks that are
 * not complete, "[unknown]" where a stack has no frames, and "[too narrow]" on a node of fewer
 * samples than @o->least, in the place of all that would stand there: nothing is dropped. The
 * profile must be resolved (every frame has a function). It may add MARK functions to @p.
 */
int leat_tree_build(struct leat_tree *t, struct leat_profile *p,
		    const struct leat_tree_opts *o) LEAT_MUST_USE;
void leat_tree_fini(struct leat_tree *t);
/*
 * Functions by self, then total, the highest first, then name; free() *@out. Marks are left out but
 * where they are innermost ("[unknown]", "[frames lost]").
 */
int leat_top_build(struct leat_profile *p, struct leat_top **out, size_t *n) LEAT_MUST_USE;
/*
 * One sample's display stack, outermost first, marks included, process and thread by @o (NULL:
 * neither); used by the tree, folded and script output alike. Appends function ids to *@ids: at
 * least one.
 */
int leat_stack_functions(struct leat_profile *p, const struct leat_sample *s,
			 const struct leat_tree_opts *o, uint32_t **ids, size_t *n,
			 size_t *cap) LEAT_MUST_USE;
/* A function that is no code, "all", "[truncated]": one for each name. */
int leat_mark_function(struct leat_profile *p, const char *name, uint32_t *id) LEAT_MUST_USE;
/* The mark for a user stack that ended so, "[truncated]"; NULL: nothing is missing. */
const char *leat_stack_mark(uint8_t uresult);

#endif
