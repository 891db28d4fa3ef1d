/* SPDX-License-Identifier: BSD-2-Clause */
/* The order of a tree's nodes. Private to profile/. */
#ifndef LEAT_PROFILE_TREE_ORDER_H
#define LEAT_PROFILE_TREE_ORDER_H

#include "profile/tree.h"

/*
 * Links each node's children in the order of their names, and puts the nodes into preorder: the
 * same tree has the same node ids, whatever order its samples came in. Parents stand before their
 * children already. 0 or -ENOMEM (nodes unchanged but for their links).
 */
int leat_tree_order(struct leat_tree *t, const struct leat_profile *p) LEAT_MUST_USE;

#endif
