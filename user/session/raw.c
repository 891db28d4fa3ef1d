/* SPDX-License-Identifier: BSD-2-Clause */
/* Stacks as they come, by hash, and the counts that wait for them. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "session/impl.h"

static bool raw_eq(const void *ctx, uint32_t value, const void *key)
{
	return ((const struct leat_raw *)ctx)[value].hash == *(const uint64_t *)key;
}

uint32_t leat_raw_find(const struct leat_session *s, uint64_t hash)
{
	/* The hash is a good one already: seeded, 64 bits. */
	uint32_t i = leat_index_find(&s->raw_index, hash, raw_eq, s->raws, &hash);

	return i == LEAT_INDEX_NONE ? LEAT_ID_NONE : i;
}

static int get(struct leat_session *s, uint64_t hash, uint32_t *raw)
{
	uint32_t i = leat_raw_find(s, hash);
	int err;

	if (i == LEAT_ID_NONE) {
		i = (uint32_t)s->raw_index.n;
		err = LEAT_ARRAY_ROOM(s->raws, s->raw_cap, (size_t)i + 1, LEAT_SESSION_MAX_RAW);
		if (!err)
			err = leat_index_add(&s->raw_index, hash, i);
		if (err)
			return err;
		s->raws[i] = (struct leat_raw){ .hash = hash, .pending = LEAT_ID_NONE };
	}
	*raw = i;
	return 0;
}

int leat_raw_put(struct leat_session *s, uint64_t hash, const struct leat_raw_view *v,
		 uint32_t *raw)
{
	size_t n = v ? (size_t)v->kframe_cnt + v->uframe_cnt : 0;
	struct leat_raw *to;
	uint32_t i;
	int err = get(s, hash, &i);

	if (err)
		return err;
	to = &s->raws[i];
	if (v && !to->known) {
		err = LEAT_ARRAY_ROOM(s->raw_frames, s->raw_frame_cap, s->raw_frame_cnt + n,
				      LEAT_SESSION_MAX_RAW_FRAMES);
		if (err)
			return err;
		to->first = (uint32_t)s->raw_frame_cnt;
		to->kframe_cnt = v->kframe_cnt;
		to->uframe_cnt = v->uframe_cnt;
		to->uresult = v->uresult;
		to->kresult = v->kresult;
		to->user_mode = v->user_mode;
		to->known = 1;
		if (n)
			memcpy(s->raw_frames + s->raw_frame_cnt, v->frames, n * sizeof(uint64_t));
		s->raw_frame_cnt += n;
	}
	*raw = i;
	return 0;
}

struct leat_raw_view leat_raw_view(const struct leat_session *s, uint32_t raw)
{
	const struct leat_raw *from = &s->raws[raw];

	return (struct leat_raw_view){
		.frames = (const uint8_t *)(s->raw_frames + from->first),
		.kframe_cnt = from->kframe_cnt,
		.uframe_cnt = from->uframe_cnt,
		.uresult = from->uresult,
		.kresult = from->kresult,
		.user_mode = from->user_mode,
	};
}

/* ---- waiting ---- */

/* How many of those that wait for one stack are looked at for an equal one. */
#define MERGE_LOOK 16

static bool merge(struct leat_session *s, uint32_t raw, const struct leat_hit *hit)
{
	uint32_t i = s->raws[raw].pending;

	for (int looked = 0; i != LEAT_ID_NONE && looked < MERGE_LOOK; looked++) {
		struct leat_hit *have = &s->pending[i].hit;

		if (!hit->ts_ns && !have->ts_ns && have->process == hit->process &&
		    have->tid == hit->tid) {
			have->count += hit->count;
			if (hit->first_ns < have->first_ns)
				have->first_ns = hit->first_ns;
			if (hit->last_ns > have->last_ns)
				have->last_ns = hit->last_ns;
			return true;
		}
		i = s->pending[i].next;
	}
	return false;
}

int leat_pending_add(struct leat_session *s, uint32_t raw, const struct leat_hit *hit)
{
	uint32_t i = s->pending_free;
	int err;

	if (merge(s, raw, hit))
		return 0;
	if (i != LEAT_ID_NONE) {
		s->pending_free = s->pending[i].next;
	} else {
		err = LEAT_ARRAY_ROOM(s->pending, s->pending_cap, s->pending_cnt + 1,
				      LEAT_SESSION_MAX_PENDING);
		if (err)
			return err;
		i = (uint32_t)s->pending_cnt++;
	}
	s->pending[i] = (struct leat_pending){ .hit = *hit, .next = s->raws[raw].pending };
	s->raws[raw].pending = i;
	return 0;
}

int leat_pending_resolve(struct leat_session *s, uint32_t raw, bool all)
{
	uint32_t i = s->raws[raw].pending;
	uint32_t kept = LEAT_ID_NONE;
	int err = 0;

	while (i != LEAT_ID_NONE) {
		struct leat_hit hit = s->pending[i].hit;
		uint32_t next = s->pending[i].next;

		if (all || s->p->processes[hit.process].announced) {
			int e = leat_place_raw(s, raw, &hit);

			err = err ? err : e;
			s->pending[i].next = s->pending_free;
			s->pending_free = i;
		} else {
			s->pending[i].next = kept;
			kept = i;
		}
		i = next;
	}
	s->raws[raw].pending = kept;
	return err;
}
