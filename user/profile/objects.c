/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects by identity: one file is one object, however much of its identity was told each time. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "profile/index.h"

void leat_sparse_fini(struct leat_sparse_index *s)
{
	leat_index_fini(&s->ix);
	free(s->ids);
	s->ids = NULL;
	s->cap = 0;
}

int leat_sparse_room(struct leat_sparse_index *s)
{
	int err = LEAT_ARRAY_ROOM(s->ids, s->cap, s->ix.n + 1, UINT32_MAX / 2);

	return err ? err : leat_index_reserve(&s->ix, s->ix.n + 1);
}

int leat_sparse_add(struct leat_sparse_index *s, uint64_t hash, uint32_t id)
{
	int err = leat_sparse_room(s);

	if (err)
		return err;
	s->ids[s->ix.n] = id;
	return leat_index_add(&s->ix, hash, (uint32_t)s->ix.n);
}

static bool has_build_id(const struct leat_object *o)
{
	return o->build_id_len != 0;
}

/* Device 0 is a real one (anonymous file systems), inode 0 is none. */
static bool has_file(const struct leat_object *o)
{
	return o->ino != 0;
}

static uint64_t kind_seed(const struct leat_object *o)
{
	return leat_hash_u64((uint64_t)o->kind + 1);
}

static uint64_t hash_build_id(const struct leat_object *o)
{
	return kind_seed(o) ^ leat_hash_bytes(o->build_id, o->build_id_len);
}

static uint64_t hash_file(const struct leat_object *o)
{
	return kind_seed(o) ^ leat_hash_u64(o->ino + leat_hash_u64(o->dev));
}

static bool is_of_process(const struct leat_object *o)
{
	return o->kind == LEAT_OBJECT_JIT || o->kind == LEAT_OBJECT_UNKNOWN;
}

static uint64_t hash_rest(const struct leat_object *o)
{
	uint64_t process = is_of_process(o) ? (uint64_t)o->process + 1 : 0;

	return kind_seed(o) ^ leat_hash_u64(process << 32 | o->path);
}

struct tables {
	const struct leat_object *objects;
	const uint32_t *ids;
};

static bool build_id_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct tables *t = ctx;
	const struct leat_object *have = &t->objects[t->ids[value]];
	const struct leat_object *want = key;

	return have->kind == want->kind && have->build_id_len == want->build_id_len &&
	       memcmp(have->build_id, want->build_id, want->build_id_len) == 0;
}

/* Build ids that differ say that the file was written anew in place. */
static bool file_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct tables *t = ctx;
	const struct leat_object *have = &t->objects[t->ids[value]];
	const struct leat_object *want = key;

	if (have->kind != want->kind || have->dev != want->dev || have->ino != want->ino)
		return false;
	if (have->ino_gen && want->ino_gen && have->ino_gen != want->ino_gen)
		return false;
	return !has_build_id(have) || !has_build_id(want);
}

static bool rest_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct tables *t = ctx;
	const struct leat_object *have = &t->objects[t->ids[value]];
	const struct leat_object *want = key;

	return have->kind == want->kind && have->path == want->path &&
	       (!is_of_process(want) || have->process == want->process) &&
	       !has_build_id(want) == !has_build_id(have) && !has_file(want) == !has_file(have);
}

static uint32_t find_in(const struct leat_profile *p, const struct leat_sparse_index *s,
			uint64_t hash, leat_index_eq eq, const struct leat_object *o)
{
	struct tables t = { .objects = p->objects, .ids = s->ids };
	uint32_t at = leat_index_find(&s->ix, hash, eq, &t, o);

	return at == LEAT_INDEX_NONE ? LEAT_ID_NONE : s->ids[at];
}

static uint32_t find(const struct leat_profile *p, const struct leat_object *o)
{
	uint32_t id = LEAT_ID_NONE;

	if (has_build_id(o))
		id = find_in(p, &p->ix->by_build_id, hash_build_id(o), build_id_eq, o);
	if (id == LEAT_ID_NONE && has_file(o))
		id = find_in(p, &p->ix->by_file, hash_file(o), file_eq, o);
	if (!has_build_id(o) && !has_file(o))
		id = find_in(p, &p->ix->by_rest, hash_rest(o), rest_eq, o);
	return id;
}

/* Takes over what @have lacks; an object is known by all parts of its identity. */
static int complete(struct leat_profile *p, uint32_t id, const struct leat_object *o)
{
	struct leat_object *have = &p->objects[id];
	int err;

	if (has_build_id(o) && !has_build_id(have)) {
		err = leat_sparse_add(&p->ix->by_build_id, hash_build_id(o), id);
		if (err)
			return err;
		have->build_id_len = o->build_id_len;
		memcpy(have->build_id, o->build_id, sizeof(have->build_id));
	}
	if (has_file(o) && !has_file(have)) {
		err = leat_sparse_add(&p->ix->by_file, hash_file(o), id);
		if (err)
			return err;
		have->dev = o->dev;
		have->ino = o->ino;
		have->ino_gen = o->ino_gen;
	}
	return 0;
}

static int reserve(struct leat_profile *p)
{
	int err = LEAT_ARRAY_ROOM(p->objects, p->object_cap, p->object_cnt + 1,
				  LEAT_PROFILE_MAX_OBJECTS);

	if (!err)
		err = leat_sparse_room(&p->ix->by_build_id);
	if (!err)
		err = leat_sparse_room(&p->ix->by_file);
	if (!err)
		err = leat_sparse_room(&p->ix->by_rest);
	return err;
}

static int add(struct leat_profile *p, const struct leat_object *o, uint32_t id)
{
	int err = 0;

	p->objects[p->object_cnt++] = *o;
	if (has_build_id(o))
		err = leat_sparse_add(&p->ix->by_build_id, hash_build_id(o), id);
	if (!err && has_file(o))
		err = leat_sparse_add(&p->ix->by_file, hash_file(o), id);
	if (!err && !has_build_id(o) && !has_file(o))
		err = leat_sparse_add(&p->ix->by_rest, hash_rest(o), id);
	return err;
}

int leat_profile_object(struct leat_profile *p, const struct leat_object *o, uint32_t *id)
{
	uint32_t have;
	int err;

	if (o->build_id_len > sizeof(o->build_id))
		return -EINVAL;
	have = find(p, o);
	if (have != LEAT_ID_NONE) {
		err = complete(p, have, o);
	} else {
		have = (uint32_t)p->object_cnt;
		err = reserve(p); /* after this nothing fails half-way */
		if (!err)
			err = add(p, o, have);
	}
	if (err)
		return err;
	*id = have;
	return 0;
}
