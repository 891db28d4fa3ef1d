/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/intern.h"

#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define ALIGN 8
/* Blocks grow with what they hold, so that few of it is unused and there are few of them. */
#define FIRST_BLOCK ((size_t)1 << 14)
#define MAX_BLOCK   ((size_t)4 << 20)

/* Blocks are chained, newest first; slices are handed out of the newest. */
struct block {
	struct block *next;
	uint64_t data[];
};

struct item {
	const char *p;
	size_t n;
};

struct leat_intern {
	struct leat_index index;
	struct item *items;
	size_t cap;
	uint32_t max_cnt;
	size_t max_bytes;
	uint64_t refused_cnt;
	size_t used_bytes; /* by slices, their NUL and padding */
	size_t held_bytes; /* of blocks */
	struct block *blocks;
	char *at; /* free part of the newest block */
	size_t left;
};

int leat_intern_new(struct leat_intern **out, uint32_t max_cnt, size_t max_bytes)
{
	struct leat_intern *in = calloc(1, sizeof(*in));

	if (!in)
		return -ENOMEM;
	leat_index_init(&in->index);
	in->max_cnt = max_cnt;
	in->max_bytes = max_bytes;
	*out = in;
	return 0;
}

void leat_intern_free(struct leat_intern **in)
{
	struct block *next;

	if (!*in)
		return;
	leat_index_fini(&(*in)->index);
	free((*in)->items);
	for (struct block *b = (*in)->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	free(*in);
	*in = NULL;
}

static int add_block(struct leat_intern *in, size_t bytes)
{
	struct block *b = malloc(sizeof(*b) + bytes);

	if (!b)
		return -ENOMEM;
	b->next = in->blocks;
	in->blocks = b;
	leat_array_advise(b, sizeof(*b) + bytes);
	in->held_bytes += sizeof(*b) + bytes;
	in->at = (char *)b->data;
	in->left = bytes;
	return 0;
}

/* Copies the slice to where it stays. */
static int store(struct leat_intern *in, const void *p, size_t n, const char **out)
{
	size_t bytes;
	int err;

	if (__builtin_add_overflow(n, ALIGN, &bytes))
		return -EOVERFLOW;
	bytes &= ~(size_t)(ALIGN - 1); /* n + 1, rounded up */
	if (bytes > in->max_bytes - in->used_bytes)
		return -EOVERFLOW;
	if (bytes > in->left) {
		/* What is left of the block is lost: less than an eighth, for smaller slices. */
		size_t block = in->held_bytes > FIRST_BLOCK ? in->held_bytes : FIRST_BLOCK;

		block = block > MAX_BLOCK ? MAX_BLOCK : block;
		err = add_block(in, bytes > block / 8 ? bytes : block - sizeof(struct block));
		if (err)
			return err;
	}
	if (n)
		memcpy(in->at, p, n);
	memset(in->at + n, 0, bytes - n);
	*out = in->at;
	in->at += bytes;
	in->left -= bytes;
	in->used_bytes += bytes;
	return 0;
}

/* Short slices, which are most, without a call. */
static inline uint64_t hash_of(const void *p, size_t n)
{
	return n > XXH3_MIDSIZE_MAX ? leat_hash_bytes(p, n) : XXH3_64bits(p, n);
}

static inline bool same(const void *ctx, uint32_t value, const void *key)
{
	const struct item *have = &((const struct item *)ctx)[value];
	const struct item *want = key;

	return have->n == want->n && memcmp(have->p, want->p, want->n) == 0;
}

static inline uint32_t find(const struct leat_intern *in, const void *p, size_t n, uint64_t hash)
{
	struct item key = { .p = n ? p : "", .n = n };

	return leat_index_find(&in->index, hash, same, in->items, &key);
}

static int room_for_item(struct leat_intern *in, size_t cnt)
{
	int err;

	if (cnt <= in->cap)
		return 0;
	err = LEAT_ARRAY_ROOM(in->items, in->cap, cnt, in->max_cnt);
	if (!err)
		leat_array_advise(in->items, in->cap * sizeof(*in->items));
	return err;
}

static int add(struct leat_intern *in, const void *p, size_t n, uint64_t hash)
{
	size_t cnt = in->index.n;
	const char *kept;
	int err;

	if (cnt >= in->max_cnt)
		return -EOVERFLOW;
	/* Room first: after this only the arena can fail, and nothing has to be undone. */
	err = room_for_item(in, cnt + 1);
	if (err)
		return err;
	err = leat_index_reserve(&in->index, cnt + 1);
	if (err)
		return err;
	err = store(in, p, n, &kept);
	if (err)
		return err;
	in->items[cnt] = (struct item){ .p = kept, .n = n };
	return leat_index_add(&in->index, hash, (uint32_t)cnt);
}

int leat_intern_put(struct leat_intern *in, const void *p, size_t n, uint32_t *id)
{
	uint64_t hash = hash_of(p, n);
	uint32_t have = find(in, p, n, hash);
	int err;

	if (have == LEAT_INDEX_NONE) {
		have = leat_intern_count(in);
		err = add(in, p, n, hash);
		in->refused_cnt += err == -EOVERFLOW;
		if (err)
			return err;
	}
	*id = have;
	return 0;
}

int leat_intern_str(struct leat_intern *in, const char *s, uint32_t *id)
{
	return leat_intern_put(in, s, strlen(s), id);
}

int leat_intern_stack(struct leat_intern *in, const uint64_t *frames, size_t cnt, uint32_t *id)
{
	size_t bytes;

	if (__builtin_mul_overflow(cnt, sizeof(*frames), &bytes)) {
		in->refused_cnt++;
		return -EOVERFLOW;
	}
	return leat_intern_put(in, frames, bytes, id);
}

int leat_intern_find(const struct leat_intern *in, const void *p, size_t n, uint32_t *id)
{
	uint32_t have = find(in, p, n, hash_of(p, n));

	if (have == LEAT_INDEX_NONE)
		return -ENOENT;
	*id = have;
	return 0;
}

const void *leat_intern_at(const struct leat_intern *in, uint32_t id, size_t *n)
{
	if (n)
		*n = in->items[id].n;
	return in->items[id].p;
}

const uint64_t *leat_intern_stack_at(const struct leat_intern *in, uint32_t id, size_t *cnt)
{
	if (cnt)
		*cnt = in->items[id].n / sizeof(uint64_t);
	return (const uint64_t *)(const void *)in->items[id].p;
}

int leat_intern_each(const struct leat_intern *in,
		     int (*fn)(void *ctx, uint32_t id, const void *p, size_t n), void *ctx)
{
	int err = 0;

	for (uint32_t id = 0; id < leat_intern_count(in) && !err; id++)
		err = fn(ctx, id, in->items[id].p, in->items[id].n);
	return err;
}

uint64_t leat_intern_refused_cnt(const struct leat_intern *in)
{
	return in->refused_cnt;
}

uint32_t leat_intern_count(const struct leat_intern *in)
{
	return (uint32_t)in->index.n;
}

size_t leat_intern_bytes(const struct leat_intern *in)
{
	size_t bytes = sizeof(*in) + in->held_bytes + in->cap * sizeof(*in->items);

	if (in->index.slots)
		bytes += (in->index.mask + 1) * sizeof(*in->index.slots);
	return bytes;
}
