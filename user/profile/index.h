/* SPDX-License-Identifier: BSD-2-Clause */
/* The look-up tables behind a profile; private to profile/. */
#ifndef LEAT_PROFILE_INDEX_H
#define LEAT_PROFILE_INDEX_H

#include "base/index.h"
#include "profile/profile.h"

/* Hash to id where not every id is in the index: the index numbers its own entries. */
struct leat_sparse_index {
	struct leat_index ix;
	uint32_t *ids;
	size_t cap;
};

struct leat_profile_index {
	struct leat_index frames;
	struct leat_index stacks;
	struct leat_index functions;
	struct leat_index threads;
	struct leat_sparse_index samples; /* those without a time */
	struct leat_sparse_index by_build_id;
	struct leat_sparse_index by_file; /* dev and ino */
	struct leat_sparse_index by_rest; /* path, or process */
};

void leat_sparse_fini(struct leat_sparse_index *s);
/* Room for one more, so that leat_sparse_add cannot fail. 0, -ENOMEM, -EOVERFLOW. */
int leat_sparse_room(struct leat_sparse_index *s) LEAT_MUST_USE;
int leat_sparse_add(struct leat_sparse_index *s, uint64_t hash, uint32_t id) LEAT_MUST_USE;

uint64_t leat_stack_hash(const struct leat_stack *s, const uint32_t *ids);
uint64_t leat_sample_hash(const struct leat_sample *s);

#endif
