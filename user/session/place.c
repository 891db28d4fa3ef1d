/* SPDX-License-Identifier: BSD-2-Clause */
/* From addresses to (object, offset), by what was mapped when the samples were taken. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "session/impl.h"

/* A stack being placed. */
struct placing {
	struct leat_session *s;
	struct leat_mappings *maps;
	uint32_t process;
	bool in_kernel; /* where the sample fell */
	uint64_t first_ns;
	uint64_t last_ns;
};

static int kernel_object(struct leat_session *s, uint32_t *id)
{
	struct leat_object o = { .kind = LEAT_OBJECT_KERNEL };
	int err;

	if (s->kernel_object == LEAT_ID_NONE) {
		err = leat_profile_string(s->p, "[kernel]", 8, &o.path);
		if (!err)
			err = leat_profile_object(s->p, &o, &s->kernel_object);
		if (err)
			return err;
	}
	*id = s->kernel_object;
	return 0;
}

static int unknown_object(struct leat_session *s, uint32_t process, uint32_t *id)
{
	struct leat_object o = { .kind = LEAT_OBJECT_UNKNOWN, .process = process };
	int err;

	if (s->inc[process].unknown == LEAT_ID_NONE) {
		err = leat_profile_string(s->p, "[unknown]", 9, &o.path);
		if (!err)
			err = leat_profile_object(s->p, &o, &s->inc[process].unknown);
		if (err)
			return err;
	}
	*id = s->inc[process].unknown;
	return 0;
}

static int place_kernel(struct placing *pl, uint64_t addr, bool is_return, uint32_t *id)
{
	uint32_t object;
	int err = kernel_object(pl->s, &object);

	if (err)
		return err;
	return leat_profile_frame(pl->s->p, object, addr,
				  LEAT_FRAME_KERNEL | (is_return ? LEAT_FRAME_RETURN : 0), id);
}

/*
 * While the kernel loads a program, the task's user registers are still those of the program that
 * called exec, and nothing of the new one is mapped there.
 */
static const struct leat_mapping *before_exec(struct placing *pl, uint64_t addr)
{
	uint32_t old = pl->s->inc[pl->process].exec_of;
	uint64_t exec_ns = pl->s->p->processes[pl->process].from_ns;
	struct leat_mappings *maps;
	uint64_t until_ns;

	if (old == LEAT_ID_NONE || !pl->in_kernel)
		return NULL;
	maps = leat_maps_of(pl->s, old, &until_ns);
	return leat_mappings_find(maps, addr, exec_ns < until_ns ? exec_ns : until_ns);
}

/*
 * A return address may be the first byte behind its object: it is looked up by the call before it.
 * Where another thing was mapped between the first and the last sample, nothing is claimed.
 */
static int place_user(struct placing *pl, uint64_t addr, bool is_return, uint32_t *id)
{
	uint64_t at = is_return && addr ? addr - 1 : addr;
	const struct leat_mapping *map = NULL;
	uint32_t flags = is_return ? LEAT_FRAME_RETURN : 0;
	uint32_t object;
	int err;

	if (leat_mappings_changed(pl->maps, at, pl->first_ns, pl->last_ns))
		flags |= LEAT_FRAME_REMAPPED;
	else
		map = leat_mappings_find(pl->maps, at, pl->last_ns);
	if (!map && !is_return && !(flags & LEAT_FRAME_REMAPPED))
		map = before_exec(pl, at);
	if (map)
		return leat_profile_frame(pl->s->p, map->object, addr - map->start + map->pgoff,
					  flags, id);
	err = unknown_object(pl->s, pl->process, &object);
	return err ? err : leat_profile_frame(pl->s->p, object, addr, flags, id);
}

static uint64_t frame_at(const struct leat_raw_view *v, size_t i)
{
	uint64_t addr;

	memcpy(&addr, v->frames + i * sizeof(addr), sizeof(addr));
	return addr;
}

/*
 * The first frame of each part is where the task was, exactly: of the user part too when the sample
 * fell into the kernel, for that is where the system call or fault returns to.
 */
static int place_frames(struct placing *pl, const struct leat_raw_view *v, uint32_t *ids)
{
	size_t i;
	int err = 0;

	for (i = 0; !err && i < v->kframe_cnt; i++)
		err = place_kernel(pl, frame_at(v, i), i != 0, &ids[i]);
	for (; !err && i < (size_t)v->kframe_cnt + v->uframe_cnt; i++) {
		const uint64_t pc = frame_at(v, i);
		const bool is_return = i != v->kframe_cnt && !(pc & LEAT_PC_EXACT);

		err = place_user(pl, pc & ~LEAT_PC_EXACT, is_return, &ids[i]);
	}
	return err;
}

/* The part that was asked for; a user part only where there can be one. */
static struct leat_raw_view wanted_part(const struct leat_session *s, uint32_t process,
					const struct leat_raw_view *v)
{
	struct leat_raw_view part = *v;

	if (s->opts.user_only) {
		part.frames += (size_t)part.kframe_cnt * sizeof(uint64_t);
		part.kframe_cnt = 0;
		part.kresult = LEAT_STACK_NONE;
	}
	if (s->opts.kernel_only) {
		part.uframe_cnt = 0;
		part.uresult = LEAT_STACK_NONE;
	}
	if (!part.uframe_cnt && s->p->processes[process].flags & LEAT_PROCESS_KTHREAD)
		part.uresult = LEAT_STACK_NONE;
	return part;
}

static int place_stack(struct leat_session *s, const struct leat_raw_view *v,
		       const struct leat_hit *hit, uint32_t *stack)
{
	struct leat_raw_view part = wanted_part(s, hit->process, v);
	struct leat_stack st = {
		.kframe_cnt = part.kframe_cnt,
		.uframe_cnt = part.uframe_cnt,
		.uresult = part.uresult < LEAT_STACK__MAX ? part.uresult : LEAT_STACK_BROKEN,
		.kresult = part.kresult < LEAT_STACK__MAX ? part.kresult : LEAT_STACK_BROKEN,
	};
	struct placing pl = { .s = s, .process = hit->process, .in_kernel = v->kframe_cnt != 0 };
	uint64_t until_ns;
	int err;

	pl.maps = leat_maps_of(s, hit->process, &until_ns);
	pl.first_ns = hit->first_ns < until_ns ? hit->first_ns : until_ns;
	pl.last_ns = hit->last_ns < until_ns ? hit->last_ns : until_ns;
	err = place_frames(&pl, &part, s->ids);
	return err ? err : leat_profile_stack(s->p, &st, s->ids, stack);
}

static int add_sample(struct leat_session *s, const struct leat_hit *hit, uint32_t stack,
		      uint32_t *sample)
{
	struct leat_sample out = {
		.process = hit->process,
		.thread = LEAT_ID_NONE,
		.stack = stack,
		.cpu = hit->cpu,
		.value = hit->count,
		.ts_ns = hit->ts_ns,
	};
	int err = 0;

	if (s->opts.per_thread)
		err = leat_profile_thread(s->p, hit->process, hit->tid, &out.thread);
	return err ? err : leat_profile_sample_id(s->p, &out, sample);
}

/* What cannot be kept in full is kept as far as it can. */
static int lose(struct leat_session *s, const struct leat_hit *hit, int err)
{
	s->taken -= hit->count;
	s->p->processes[hit->process].samples -= hit->count;
	s->lost += hit->count;
	return err;
}

int leat_place_unsent(struct leat_session *s, const struct leat_hit *hit, uint8_t uresult)
{
	struct leat_stack st = { .uresult = uresult, .pending = uresult == LEAT_STACK_UNSENT };
	uint32_t stack, sample;
	int err = leat_profile_stack(s->p, &st, s->ids, &stack);

	if (!err)
		err = add_sample(s, hit, stack, &sample);
	return err ? lose(s, hit, err) : 0;
}

/* ---- what was placed before ---- */

struct placed_key {
	uint32_t process;
	uint32_t raw;
};

static bool placed_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct leat_placed *have = &((const struct leat_placed *)ctx)[value];
	const struct placed_key *want = key;

	return have->process == want->process && have->raw == want->raw;
}

static uint64_t placed_hash(uint32_t process, uint32_t raw)
{
	return leat_hash_u64((uint64_t)process << 32 | raw);
}

static struct leat_placed *find_placed(const struct leat_session *s, uint32_t process, uint32_t raw)
{
	struct placed_key key = { .process = process, .raw = raw };
	uint32_t i = leat_index_find(&s->placed_index, placed_hash(process, raw), placed_eq,
				     s->placed, &key);

	return i == LEAT_INDEX_NONE ? NULL : &s->placed[i];
}

/* Both then and now all samples were taken after the last change that is known. */
static bool still_holds(struct leat_session *s, const struct leat_placed *pl,
			const struct leat_hit *hit)
{
	uint64_t until_ns;
	const struct leat_mappings *maps = leat_maps_of(s, hit->process, &until_ns);
	uint64_t changed_ns = maps->changed_ns < until_ns ? maps->changed_ns : until_ns;
	uint64_t first_ns = pl->first_ns < hit->first_ns ? pl->first_ns : hit->first_ns;

	return pl->version == maps->version && changed_ns <= first_ns;
}

/* No memory for it is no error: the next one is placed anew. */
static void remember(struct leat_session *s, struct leat_placed *pl, const struct leat_placed *now)
{
	uint32_t i = (uint32_t)s->placed_index.n;

	if (pl) {
		*pl = *now;
		return;
	}
	if (LEAT_ARRAY_ROOM(s->placed, s->placed_cap, (size_t)i + 1, LEAT_SESSION_MAX_PLACED) ||
	    leat_index_add(&s->placed_index, placed_hash(now->process, now->raw), i))
		return;
	s->placed[i] = *now;
}

static int place_anew(struct leat_session *s, uint32_t raw, const struct leat_raw_view *v,
		      const struct leat_hit *hit, struct leat_placed *have)
{
	struct leat_placed now = { .process = hit->process, .raw = raw, .first_ns = hit->first_ns };
	uint64_t until_ns;
	int err = place_stack(s, v, hit, &now.stack);

	if (err == -EOVERFLOW)
		return leat_place_unsent(s, hit, LEAT_STACK_UNSENT);
	if (!err)
		err = add_sample(s, hit, now.stack, &now.sample);
	if (err)
		return lose(s, hit, err);
	if (raw == LEAT_ID_NONE)
		return 0;
	now.version = leat_maps_of(s, hit->process, &until_ns)->version;
	if (s->opts.per_thread || hit->ts_ns)
		now.sample = LEAT_ID_NONE;
	remember(s, have, &now);
	return 0;
}

int leat_place(struct leat_session *s, uint32_t raw, const struct leat_raw_view *v,
	       const struct leat_hit *hit)
{
	struct leat_placed *have = raw == LEAT_ID_NONE ? NULL : find_placed(s, hit->process, raw);
	uint32_t sample;
	int err;

	if (!have || !still_holds(s, have, hit))
		return place_anew(s, raw, v, hit, have);
	if (have->sample != LEAT_ID_NONE && !hit->ts_ns) {
		s->p->samples[have->sample].value += hit->count;
		return 0;
	}
	err = add_sample(s, hit, have->stack, &sample);
	return err ? lose(s, hit, err) : 0;
}

int leat_place_raw(struct leat_session *s, uint32_t raw, const struct leat_hit *hit)
{
	struct leat_raw_view v;

	if (!s->raws[raw].known)
		return leat_place_unsent(s, hit, LEAT_STACK_UNSENT);
	v = leat_raw_view(s, raw);
	return leat_place(s, raw, &v, hit);
}
