/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of a profile, by object. */
#ifndef LEAT_SYMBOLS_GROUP_H
#define LEAT_SYMBOLS_GROUP_H

#include "base/cleanup.h"
#include "profile/profile.h"

struct leat_item {
	uint64_t at;	/* frame offset; what it is turned into is the user's business */
	uint32_t frame; /* into profile->frames */
	uint32_t spot;	/* for the user; LEAT_ID_NONE */
};

struct leat_group {
	uint32_t object;
	uint32_t pad;
	struct leat_item *items;
	size_t n; /* over 0 */
};

struct leat_groups {
	struct leat_item *items;
	struct leat_group *groups; /* by object id */
	size_t n;
};

typedef bool (*leat_group_want)(const struct leat_profile *p, const struct leat_frame *f);

/* Groups the frames that @want accepts. Frames of no known object never are. 0 or -ENOMEM. */
int leat_groups_make(struct leat_groups *g, const struct leat_profile *p,
		     leat_group_want want) LEAT_MUST_USE;
void leat_groups_fini(struct leat_groups *g);
/* Sorts by .at; fast on what is sorted already. */
void leat_items_sort(struct leat_item *items, size_t n);

#endif
