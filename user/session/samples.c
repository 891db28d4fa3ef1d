/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts, stacks and samples. A sample is a stack and a count of its own in one record. */
#include <errno.h>

#include "base/hash.h"
#include "session/impl.h"

enum { COUNT_HASH, COUNT_COUNT, COUNT_START, COUNT_FIRST, COUNT_LAST };
const char *const leat_count_fields[] = { "stack_hash", "count",    "?proc.start_ns",
					  "?first_ns",	"?last_ns", NULL };
enum {
	STACK_HASH,
	STACK_KFRAMES,
	STACK_UFRAMES,
	STACK_URESULT,
	STACK_KRESULT,
	STACK_USER_MODE,
	STACK_FRAMES,
	SAMPLE_COUNT,
	SAMPLE_START
};
const char *const leat_stack_fields[] = {
	"stack_hash", "kframe_cnt", "uframe_cnt", "uresult",
	"?kresult",   "?user_mode", "frames",	  NULL,
};
const char *const leat_sample_fields[] = {
	"stack_hash", "kframe_cnt", "uframe_cnt", "uresult",	    "?kresult",
	"?user_mode", "frames",	    "?count",	  "?proc.start_ns", NULL,
};

static void read_stack(struct leat_reading *rd, struct leat_raw_view *v)
{
	const struct leat_hook *hook = rd->hook;
	struct leat_slice frames;
	uint32_t kcnt = leat_field_u32(rd, STACK_KFRAMES);
	uint32_t ucnt = leat_field_u32(rd, STACK_UFRAMES);

	v->uresult = (uint8_t)leat_field_u32(rd, STACK_URESULT);
	v->kresult = (uint8_t)leat_field_u32(rd, STACK_KRESULT);
	v->user_mode = (uint8_t)leat_field_u32(rd, STACK_USER_MODE);
	v->kframe_cnt = (uint16_t)kcnt;
	v->uframe_cnt = (uint16_t)ucnt;
	frames = leat_get_slice(hook->format, hook->refs[STACK_FRAMES], rd->r);
	v->frames = frames.data;
	if (!rd->err &&
	    (kcnt + ucnt > LEAT_SESSION_MAX_FRAMES || frames.len / sizeof(uint64_t) < kcnt + ucnt))
		rd->err = -ENODATA;
}

/* From here on the sample counts as taken; what cannot be kept is taken back. */
static void take(struct leat_session *s, const struct leat_hit *hit)
{
	s->taken += hit->count;
	s->p->processes[hit->process].samples += hit->count;
}

static int find_process(struct leat_session *s, const struct leat_record *r, uint64_t start_ns,
			struct leat_hit *hit)
{
	int err = leat_incarnation_get(s, r->tgid, hit->first_ns, start_ns, &hit->process);

	if (err)
		s->lost += hit->count;
	else
		take(s, hit);
	return err;
}

/* Waits for its stack or its process, or is placed as well as it can be now. */
static int wait_or_place(struct leat_session *s, uint32_t raw, const struct leat_hit *hit)
{
	if (s->raws[raw].known && s->p->processes[hit->process].announced)
		return leat_place_raw(s, raw, hit);
	if (leat_pending_add(s, raw, hit) == 0)
		return 0;
	return leat_place_raw(s, raw, hit);
}

static int add_count(struct leat_session *s, uint64_t hash, const struct leat_hit *hit)
{
	uint32_t raw = leat_raw_find(s, hash);

	if (raw == LEAT_ID_NONE) {
		if (leat_raw_put(s, hash, NULL, &raw))
			return leat_place_unsent(s, hit, LEAT_STACK_UNSENT);
		if (s->hooks.on_stack_missing)
			s->hooks.on_stack_missing(s->hooks.ctx, hash);
	}
	return wait_or_place(s, raw, hit);
}

int leat_on_count(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_reading rd = { .hook = ctx, .r = r };
	struct leat_session *s = rd.hook->s;
	uint64_t hash = leat_field_u64(&rd, COUNT_HASH);
	uint64_t start_ns = leat_field_u64(&rd, COUNT_START);
	struct leat_hit hit = {
		.tid = r->tid,
		.first_ns = leat_field_u64(&rd, COUNT_FIRST),
		.last_ns = leat_field_u64(&rd, COUNT_LAST),
		.count = leat_field_u64(&rd, COUNT_COUNT),
		.cpu = UINT16_MAX,
	};
	int err;

	(void)ev;
	if (leat_reading_failed(&rd) || !hit.count)
		return 0;
	hit.last_ns = hit.last_ns ? hit.last_ns : r->ts_ns;
	if (!hit.first_ns || hit.first_ns > hit.last_ns)
		hit.first_ns = hit.last_ns;
	err = find_process(s, r, start_ns, &hit);
	return err ? err : add_count(s, hash, &hit);
}

/* Once an epoch each stack comes again: nothing to do. One that does not fit stays unknown. */
int leat_on_stack(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_reading rd = { .hook = ctx, .r = r };
	struct leat_session *s = rd.hook->s;
	uint64_t hash = leat_field_u64(&rd, STACK_HASH);
	struct leat_raw_view v;
	uint32_t raw;
	int err;

	(void)ev;
	raw = rd.err ? LEAT_ID_NONE : leat_raw_find(s, hash);
	if (raw != LEAT_ID_NONE && s->raws[raw].known)
		return 0;
	read_stack(&rd, &v);
	if (leat_reading_failed(&rd))
		return 0;
	err = leat_raw_put(s, hash, &v, &raw);
	if (err)
		return err == -EOVERFLOW ? 0 : err;
	return s->raws[raw].pending == LEAT_ID_NONE ? 0 : leat_pending_resolve(s, raw, false);
}

static int add_sample(struct leat_session *s, uint64_t hash, const struct leat_raw_view *v,
		      const struct leat_hit *hit)
{
	uint32_t raw;
	int err;

	if (!hash)
		hash = leat_hash_bytes(v->frames,
				       ((size_t)v->kframe_cnt + v->uframe_cnt) * sizeof(uint64_t)) ^
		       ((uint64_t)v->kframe_cnt << 8 | v->user_mode);
	if (leat_raw_put(s, hash, v, &raw))
		return leat_place(s, LEAT_ID_NONE, v, hit); /* no room to keep it: it is here now */
	err = wait_or_place(s, raw, hit);
	if (!err && s->raws[raw].pending != LEAT_ID_NONE)
		err = leat_pending_resolve(s, raw, false);
	return err;
}

int leat_on_sample(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_reading rd = { .hook = ctx, .r = r };
	struct leat_session *s = rd.hook->s;
	uint64_t hash = leat_field_u64(&rd, STACK_HASH);
	uint64_t start_ns = leat_field_u64(&rd, SAMPLE_START);
	struct leat_hit hit = {
		.tid = r->tid,
		.first_ns = r->ts_ns,
		.last_ns = r->ts_ns,
		.count = leat_field_u64(&rd, SAMPLE_COUNT),
		.ts_ns = s->opts.stream ? r->ts_ns : 0,
		.cpu = s->opts.stream ? r->cpu : UINT16_MAX,
	};
	struct leat_raw_view v;
	bool broken;
	int err;

	(void)ev;
	if (!hit.count)
		hit.count = 1;
	if (leat_reading_failed(&rd))
		return 0;
	/* A sample whose stack does not decode is a sample all the same. */
	read_stack(&rd, &v);
	broken = leat_reading_failed(&rd);
	err = find_process(s, r, start_ns, &hit);
	if (err)
		return err;
	if (broken)
		return leat_place_unsent(s, &hit, LEAT_STACK_BROKEN);
	return add_sample(s, hash, &v, &hit);
}
