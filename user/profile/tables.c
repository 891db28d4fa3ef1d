/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions, frames, stacks and samples: interned, with dense ids. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "profile/index.h"

static uint64_t mix(uint64_t hash, uint64_t v)
{
	return leat_hash_u64(hash ^ v) + v;
}

/* ---- functions ---- */

static bool function_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct leat_function *have = &((const struct leat_function *)ctx)[value];
	const struct leat_function *want = key;

	return have->name == want->name && have->object == want->object &&
	       have->kind == want->kind && have->unnamed == want->unnamed &&
	       have->start == want->start && have->file == want->file && have->line == want->line;
}

int leat_profile_function(struct leat_profile *p, const struct leat_function *f, uint32_t *id)
{
	uint64_t hash = mix(0, (uint64_t)f->name << 32 | f->object);
	uint32_t have;
	int err;

	hash = mix(hash, (uint64_t)f->kind << 32 | (uint64_t)f->unnamed);
	hash = mix(hash, f->start);
	hash = mix(hash, (uint64_t)f->file << 32 | f->line);
	have = leat_index_find(&p->ix->functions, hash, function_eq, p->functions, f);
	if (have == LEAT_INDEX_NONE) {
		have = (uint32_t)p->function_cnt;
		err = LEAT_ARRAY_ROOM(p->functions, p->function_cap, p->function_cnt + 1,
				      LEAT_PROFILE_MAX_FUNCTIONS);
		if (!err)
			err = leat_index_add(&p->ix->functions, hash, have);
		if (err)
			return err;
		p->functions[p->function_cnt++] = *f;
	}
	*id = have;
	return 0;
}

/* ---- frames ---- */

static bool frame_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct leat_frame *have = &((const struct leat_frame *)ctx)[value];
	const struct leat_frame *want = key;

	/* What the check has found out since is no part of what a frame is. */
	return have->offset == want->offset && have->object == want->object &&
	       ((have->flags ^ want->flags) & LEAT_FRAME_IDENTITY) == 0;
}

static uint64_t frame_hash(const struct leat_frame *f)
{
	return mix(f->offset, (uint64_t)f->object << 32 | (f->flags & LEAT_FRAME_IDENTITY));
}

uint32_t leat_profile_frame_find(const struct leat_profile *p, uint32_t object, uint64_t offset,
				 uint32_t flags)
{
	struct leat_frame f = { .object = object, .flags = flags, .offset = offset };
	uint32_t have = leat_index_find(&p->ix->frames, frame_hash(&f), frame_eq, p->frames, &f);

	return have == LEAT_INDEX_NONE ? LEAT_ID_NONE : have;
}

int leat_profile_frame(struct leat_profile *p, uint32_t object, uint64_t offset, uint32_t flags,
		       uint32_t *id)
{
	struct leat_frame f = {
		.object = object, .flags = flags, .offset = offset, .function = LEAT_ID_NONE
	};
	uint64_t hash = frame_hash(&f);
	uint32_t have = leat_index_find(&p->ix->frames, hash, frame_eq, p->frames, &f);
	int err;

	if (have == LEAT_INDEX_NONE) {
		have = (uint32_t)p->frame_cnt;
		err = LEAT_ARRAY_ROOM(p->frames, p->frame_cap, p->frame_cnt + 1,
				      LEAT_PROFILE_MAX_FRAMES);
		if (!err)
			err = leat_index_add(&p->ix->frames, hash, have);
		if (err)
			return err;
		p->frames[p->frame_cnt++] = f;
	}
	*id = have;
	return 0;
}

/* ---- stacks ---- */

static size_t stack_len(const struct leat_stack *s)
{
	return (size_t)s->kframe_cnt + s->uframe_cnt;
}

uint64_t leat_stack_hash(const struct leat_stack *s, const uint32_t *ids)
{
	uint64_t shape = (uint64_t)s->kframe_cnt << 48 | (uint64_t)s->uframe_cnt << 32 |
			 (uint64_t)s->uresult << 16 | (uint64_t)s->kresult << 8 | s->pending;

	return mix(shape, stack_len(s) ? leat_hash_bytes(ids, stack_len(s) * sizeof(*ids)) : 0);
}

struct stack_key {
	const struct leat_stack *s;
	const uint32_t *ids;
};

static bool stack_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct leat_profile *p = ctx;
	const struct leat_stack *have = &p->stacks[value];
	const struct stack_key *want = key;

	return have->kframe_cnt == want->s->kframe_cnt && have->uframe_cnt == want->s->uframe_cnt &&
	       have->uresult == want->s->uresult && have->kresult == want->s->kresult &&
	       have->pending == want->s->pending &&
	       (!stack_len(have) || memcmp(p->frame_ids + have->first, want->ids,
					   stack_len(have) * sizeof(*want->ids)) == 0);
}

static int add_stack(struct leat_profile *p, const struct stack_key *key, uint64_t hash)
{
	size_t n = stack_len(key->s);
	struct leat_stack s = *key->s;
	int err;

	err = LEAT_ARRAY_ROOM(p->stacks, p->stack_cap, p->stack_cnt + 1, LEAT_PROFILE_MAX_STACKS);
	if (!err)
		err = LEAT_ARRAY_ROOM(p->frame_ids, p->frame_id_cap, p->frame_id_cnt + n,
				      LEAT_PROFILE_MAX_FRAME_IDS);
	if (!err)
		err = leat_index_add(&p->ix->stacks, hash, (uint32_t)p->stack_cnt);
	if (err)
		return err;
	s.first = (uint32_t)p->frame_id_cnt;
	if (n)
		memcpy(p->frame_ids + p->frame_id_cnt, key->ids, n * sizeof(*key->ids));
	p->frame_id_cnt += n;
	p->stacks[p->stack_cnt++] = s;
	return 0;
}

int leat_profile_stack(struct leat_profile *p, const struct leat_stack *s, const uint32_t *ids,
		       uint32_t *id)
{
	struct stack_key key = { .s = s, .ids = ids };
	uint64_t hash = leat_stack_hash(s, ids);
	uint32_t have = leat_index_find(&p->ix->stacks, hash, stack_eq, p, &key);
	int err;

	if (have == LEAT_INDEX_NONE) {
		have = (uint32_t)p->stack_cnt;
		err = add_stack(p, &key, hash);
		if (err)
			return err;
	}
	*id = have;
	return 0;
}

const uint32_t *leat_profile_stack_frames(const struct leat_profile *p, const struct leat_stack *s)
{
	static const uint32_t none;

	return p->frame_ids ? p->frame_ids + s->first : &none;
}

/* ---- samples ---- */

uint64_t leat_sample_hash(const struct leat_sample *s)
{
	uint64_t hash = mix(0, (uint64_t)s->process << 32 | s->thread);

	hash = mix(hash, (uint64_t)s->stack << 32 | s->attrs);
	return mix(hash, (uint64_t)s->kind << 16 | s->cpu);
}

struct sample_tables {
	const struct leat_sample *samples;
	const uint32_t *ids;
};

static bool sample_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct sample_tables *t = ctx;
	const struct leat_sample *have = &t->samples[t->ids[value]];
	const struct leat_sample *want = key;

	return have->process == want->process && have->thread == want->thread &&
	       have->stack == want->stack && have->kind == want->kind && have->cpu == want->cpu &&
	       have->attrs == want->attrs;
}

static uint32_t find_sample(const struct leat_profile *p, const struct leat_sample *s,
			    uint64_t hash)
{
	const struct leat_sparse_index *ix = &p->ix->samples;
	struct sample_tables t = { .samples = p->samples, .ids = ix->ids };
	uint32_t at = leat_index_find(&ix->ix, hash, sample_eq, &t, s);

	return at == LEAT_INDEX_NONE ? LEAT_ID_NONE : ix->ids[at];
}

int leat_profile_sample_id(struct leat_profile *p, const struct leat_sample *s, uint32_t *id)
{
	uint64_t hash = 0;
	uint32_t have = LEAT_ID_NONE;
	int err;

	if (!s->ts_ns) {
		hash = leat_sample_hash(s);
		have = find_sample(p, s, hash);
	}
	if (have != LEAT_ID_NONE) {
		p->samples[have].value += s->value;
		*id = have;
		return 0;
	}
	err = LEAT_ARRAY_ROOM(p->samples, p->sample_cap, p->sample_cnt + 1,
			      LEAT_PROFILE_MAX_SAMPLES);
	if (!err && !s->ts_ns)
		err = leat_sparse_add(&p->ix->samples, hash, (uint32_t)p->sample_cnt);
	if (err)
		return err;
	*id = (uint32_t)p->sample_cnt;
	p->samples[p->sample_cnt++] = *s;
	return 0;
}

int leat_profile_sample(struct leat_profile *p, const struct leat_sample *s)
{
	uint32_t id;

	return leat_profile_sample_id(p, s, &id);
}

/* ---- stacks cut after the fact ---- */

/* All memory that restacking needs, so that it cannot stop half-way. */
struct restack {
	uint32_t *to; /* new id of each stack */
	struct leat_index stacks;
	struct leat_sparse_index samples;
};

static void restack_fini(struct restack *r)
{
	free(r->to);
	leat_index_fini(&r->stacks);
	leat_sparse_fini(&r->samples);
}

static int restack_init(struct restack *r, const struct leat_profile *p)
{
	int err = leat_index_reserve(&r->stacks, p->stack_cnt);

	if (!err)
		err = leat_index_reserve(&r->samples.ix, p->sample_cnt);
	if (err)
		return err;
	r->samples.ids = calloc(p->sample_cnt + 1, sizeof(*r->samples.ids));
	r->to = calloc(p->stack_cnt + 1, sizeof(*r->to));
	if (!r->to || !r->samples.ids)
		return -ENOMEM;
	r->samples.cap = p->sample_cnt + 1;
	return 0;
}

static int merge_stacks(struct leat_profile *p, const struct leat_stack *cut, struct restack *r)
{
	size_t n = p->stack_cnt;

	leat_index_fini(&p->ix->stacks);
	p->ix->stacks = r->stacks;
	leat_index_init(&r->stacks);
	p->stack_cnt = 0;
	for (size_t i = 0; i < n; i++) {
		struct leat_stack s = cut[i];
		struct stack_key key = { .s = &s, .ids = p->frame_ids + s.first };
		uint64_t hash = leat_stack_hash(&s, key.ids);
		uint32_t id = leat_index_find(&p->ix->stacks, hash, stack_eq, p, &key);

		if (id == LEAT_INDEX_NONE) {
			int err = leat_index_add(&p->ix->stacks, hash, (uint32_t)p->stack_cnt);

			if (err)
				return err;
			id = (uint32_t)p->stack_cnt;
			p->stacks[p->stack_cnt++] = s;
		}
		r->to[i] = id;
	}
	return 0;
}

static int merge_samples(struct leat_profile *p, struct restack *r)
{
	struct leat_sparse_index old = p->ix->samples;
	size_t n = p->sample_cnt;

	p->ix->samples = r->samples;
	r->samples = old; /* freed with the rest */
	p->sample_cnt = 0;
	for (size_t i = 0; i < n; i++) {
		struct leat_sample s = p->samples[i];
		int err;

		s.stack = r->to[s.stack];
		err = leat_profile_sample(p, &s); /* room is there: it cannot fail */
		if (err)
			return err;
	}
	return 0;
}

int leat_profile_restack(struct leat_profile *p, const struct leat_stack *cut)
{
	LEAT_AUTO(restack_fini) struct restack r = { .to = NULL };
	int err = restack_init(&r, p);

	if (!err)
		err = merge_stacks(p, cut, &r);
	return err ? err : merge_samples(p, &r);
}
