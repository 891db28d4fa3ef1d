/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/judge.h"

#include <errno.h>
#include <string.h>

/*
 * A frame that no caller can have left there ends its stack. Not where mappings are not all known:
 * then it may well be code. Not where the mapping changed: then the check read other code.
 */
static uint8_t cut_result(const struct leat_profile *p, const struct leat_frame *f)
{
	const struct leat_object *o = &p->objects[f->object];

	if (!(f->flags & LEAT_FRAME_RETURN) || f->flags & LEAT_FRAME_REMAPPED)
		return LEAT_STACK_NONE;
	if (f->flags & LEAT_FRAME_BAD_CALL)
		return LEAT_STACK_BAD_CALL;
	if (o->kind == LEAT_OBJECT_UNKNOWN && p->processes[o->process].maps_known)
		return LEAT_STACK_NO_UNWIND;
	return LEAT_STACK_NONE;
}

/*
 * From the innermost frame out: the first root completes the stack, the first wrong one cuts it.
 * A walk that ended where it began followed no chain: the frame pointer was 0 because its register
 * held some other value, in code that keeps no frame pointers.
 */
static void judge_stack(const struct leat_profile *p, struct leat_stack *s)
{
	const uint32_t *ids = leat_profile_stack_frames(p, s) + s->kframe_cnt;

	for (uint16_t i = 0; i < s->uframe_cnt; i++) {
		const struct leat_frame *f = &p->frames[ids[i]];
		uint8_t result = i ? cut_result(p, f) : LEAT_STACK_NONE;

		if (result != LEAT_STACK_NONE) {
			s->uframe_cnt = i;
			s->uresult = result;
		} else if (f->flags & LEAT_FRAME_ROOT) {
			s->uframe_cnt = (uint16_t)(i + 1);
			s->uresult = LEAT_STACK_COMPLETE;
		}
	}
	if (s->uresult == LEAT_STACK_COMPLETE && s->uframe_cnt == 1 &&
	    !(p->frames[ids[0]].flags & LEAT_FRAME_ROOT))
		s->uresult = LEAT_STACK_NO_UNWIND;
}

int leat_judge_stacks(struct leat_profile *p)
{
	LEAT_FREE struct leat_stack *cut = malloc((p->stack_cnt + 1) * sizeof(*cut));

	if (!cut)
		return -ENOMEM;
	if (p->stack_cnt)
		memcpy(cut, p->stacks, p->stack_cnt * sizeof(*cut));
	for (size_t i = 0; i < p->stack_cnt; i++)
		judge_stack(p, &cut[i]);
	return leat_profile_restack(p, cut);
}

/* Why a frame has no name; one that nobody tried to name counts as stripped. */
static enum leat_unnamed unnamed_of(const struct leat_profile *p, const struct leat_frame *f)
{
	if (f->function != LEAT_ID_NONE)
		return p->functions[f->function].unnamed;
	if (f->flags & LEAT_FRAME_REMAPPED)
		return LEAT_UNNAMED_REMAPPED;
	if (p->objects[f->object].kind == LEAT_OBJECT_UNKNOWN)
		return LEAT_UNNAMED_UNMAPPED;
	return LEAT_UNNAMED_STRIPPED;
}

static void count_frames(struct leat_profile *p, const struct leat_stack *s, uint64_t value)
{
	const uint32_t *ids = leat_profile_stack_frames(p, s);
	struct leat_verdict *v = &p->verdict;

	v->frames += value * ((uint64_t)s->kframe_cnt + s->uframe_cnt);
	v->user_frames += value * s->uframe_cnt;
	for (size_t i = 0; i < (size_t)s->kframe_cnt + s->uframe_cnt; i++) {
		enum leat_unnamed u = unnamed_of(p, &p->frames[ids[i]]);

		if (u == LEAT_UNNAMED_NONE || (unsigned int)u >= LEAT_UNNAMED__MAX)
			continue;
		v->frames_unnamed[u] += value;
		if (i >= s->kframe_cnt)
			v->user_unnamed += value;
	}
}

int leat_judge_count(struct leat_profile *p)
{
	struct leat_verdict *v = &p->verdict;

	v->taken = leat_profile_total(p);
	memset(v->stacks, 0, sizeof(v->stacks));
	memset(v->frames_unnamed, 0, sizeof(v->frames_unnamed));
	v->kstack_truncated = v->kstack_bad = 0;
	v->frames = v->user_frames = v->user_unnamed = 0;
	for (size_t i = 0; i < p->sample_cnt; i++) {
		const struct leat_stack *s = &p->stacks[p->samples[i].stack];
		uint64_t value = p->samples[i].value;

		v->stacks[s->uresult < LEAT_STACK__MAX ? s->uresult : LEAT_STACK_BROKEN] += value;
		if (s->kresult == LEAT_STACK_TRUNCATED)
			v->kstack_truncated += value;
		else if (s->kresult > LEAT_STACK_TRUNCATED)
			v->kstack_bad += value;
		count_frames(p, s, value);
	}
	return 0;
}
