/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/judge.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/world.h"

#define RET  LEAT_FRAME_RETURN
#define BAD  (LEAT_FRAME_RETURN | LEAT_FRAME_CHECKED | LEAT_FRAME_BAD_CALL)
#define ROOT (LEAT_FRAME_RETURN | LEAT_FRAME_CHECKED | LEAT_FRAME_ROOT)

enum { FILE_OBJECT, UNKNOWN_OBJECT, BLIND_OBJECT, KERNEL_OBJECT };

static struct leat_profile *p;
static uint64_t next_offset;

static void add_process(bool maps_known, enum leat_object_kind kind, uint32_t *id)
{
	struct leat_process proc = { .tgid = 1, .maps_known = maps_known };
	struct leat_object o = { .kind = kind };

	cr_assert(eq(int, leat_profile_process(p, &proc, &o.process), 0));
	cr_assert(eq(int, leat_profile_object(p, &o, id), 0));
}

static void init(void)
{
	uint32_t id;

	cr_assert(eq(int, leat_profile_new(&p), 0));
	add_process(true, LEAT_OBJECT_FILE, &id);
	add_process(true, LEAT_OBJECT_UNKNOWN, &id);
	add_process(false, LEAT_OBJECT_UNKNOWN, &id);
	add_process(true, LEAT_OBJECT_KERNEL, &id);
	next_offset = 1;
}

static void fini(void)
{
	leat_profile_free(&p);
}

TestSuite(judge, .init = init, .fini = fini);

static uint32_t frame(uint32_t object, uint32_t flags)
{
	uint32_t id;

	cr_assert(eq(int, leat_profile_frame(p, object, next_offset++, flags, &id), 0));
	p->frames[id].flags = flags;
	return id;
}

/* A sample of @value with user frames @ids; ends with 0xffffffff. */
static void sample(const uint32_t *ids, uint8_t uresult, uint64_t value)
{
	struct leat_stack s = { .uresult = uresult };
	struct leat_sample out = { .thread = LEAT_ID_NONE, .value = value };

	while (ids[s.uframe_cnt] != LEAT_ID_NONE)
		s.uframe_cnt++;
	cr_assert(eq(int, leat_profile_stack(p, &s, ids, &out.stack), 0));
	cr_assert(eq(int, leat_profile_sample(p, &out), 0));
}

static const struct leat_stack *judged(size_t i)
{
	return &p->stacks[p->samples[i].stack];
}

Test(judge, cases)
{
	static const struct {
		uint32_t object[4], flags[4];
		uint16_t n, want_n;
		uint8_t result, want;
	} rows[] = {
		/* nothing to object to */
		{ { 0, 0, 0 }, { 0, RET, RET }, 3, 3, LEAT_STACK_COMPLETE, LEAT_STACK_COMPLETE },
		{ { 0, 0, 0 }, { 0, RET, RET }, 3, 3, LEAT_STACK_TRUNCATED, LEAT_STACK_TRUNCATED },
		/* a root completes it, and what lies outside of it was invented */
		{ { 0, 0 }, { 0, ROOT }, 2, 2, LEAT_STACK_NO_UNWIND, LEAT_STACK_COMPLETE },
		{ { 0, 0, 0 }, { 0, ROOT, BAD }, 3, 2, LEAT_STACK_BAD_MEMORY, LEAT_STACK_COMPLETE },
		{ { 0, 0, 1 },
		  { ROOT, RET, RET },
		  3,
		  1,
		  LEAT_STACK_TRUNCATED,
		  LEAT_STACK_COMPLETE },
		/* a return address that is none */
		{ { 0, 0, 0 }, { 0, RET, BAD }, 3, 2, LEAT_STACK_COMPLETE, LEAT_STACK_BAD_CALL },
		{ { 0, 0, 0 }, { 0, BAD, ROOT }, 3, 1, LEAT_STACK_COMPLETE, LEAT_STACK_BAD_CALL },
		{ { 0, 0, 0 },
		  { 0, BAD | ROOT, RET },
		  3,
		  1,
		  LEAT_STACK_COMPLETE,
		  LEAT_STACK_BAD_CALL },
		/* outside of what is mapped */
		{ { 0, 1, 0 }, { 0, RET, RET }, 3, 1, LEAT_STACK_COMPLETE, LEAT_STACK_NO_UNWIND },
		{ { 0, 0, 1 }, { 0, RET, RET }, 3, 2, LEAT_STACK_TRUNCATED, LEAT_STACK_NO_UNWIND },
		/* of which not all is known */
		{ { 0, 2, 0 }, { 0, RET, RET }, 3, 3, LEAT_STACK_COMPLETE, LEAT_STACK_COMPLETE },
		/* the first frame is where it was, whatever that is */
		{ { 1, 0 }, { 0, RET }, 2, 2, LEAT_STACK_COMPLETE, LEAT_STACK_COMPLETE },
		{ { 0, 0 }, { BAD, RET }, 2, 2, LEAT_STACK_COMPLETE, LEAT_STACK_COMPLETE },
		/* where the mapping changed, the check read something else */
		{ { 0, 1, 0 },
		  { 0, BAD | LEAT_FRAME_REMAPPED, RET },
		  3,
		  3,
		  LEAT_STACK_COMPLETE,
		  LEAT_STACK_COMPLETE },
		{ { 0 }, { 0 }, 0, 0, LEAT_STACK_UNSENT, LEAT_STACK_UNSENT },
		/* the register of the frame pointer held 0: no chain was followed */
		{ { 0 }, { 0 }, 1, 1, LEAT_STACK_COMPLETE, LEAT_STACK_NO_UNWIND },
		{ { 2 }, { 0 }, 1, 1, LEAT_STACK_COMPLETE, LEAT_STACK_NO_UNWIND },
		{ { 0 }, { LEAT_FRAME_ROOT }, 1, 1, LEAT_STACK_COMPLETE, LEAT_STACK_COMPLETE },
		{ { 0 }, { 0 }, 1, 1, LEAT_STACK_COMPAT, LEAT_STACK_COMPAT },
		{ { 0, 0 },
		  { 0, RET | LEAT_FRAME_CHECKED },
		  2,
		  2,
		  LEAT_STACK_COMPLETE,
		  LEAT_STACK_COMPLETE },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		uint32_t ids[5];
		uint16_t n;

		for (n = 0; n < rows[i].n; n++)
			ids[n] = frame(rows[i].object[n], rows[i].flags[n]);
		ids[n] = LEAT_ID_NONE;
		sample(ids, rows[i].result, 1);
	}
	cr_assert(eq(int, leat_judge_stacks(p), 0));
	cr_assert(eq(sz, p->sample_cnt, LEAT_ARRAY_SIZE(rows)));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		cr_assert(eq(u16, judged(i)->uframe_cnt, rows[i].want_n), "row %zu", i);
		cr_assert(eq(u8, judged(i)->uresult, rows[i].want), "row %zu", i);
	}
}

Test(judge, kernel_frames_are_not_cut)
{
	uint32_t ids[] = { frame(KERNEL_OBJECT, LEAT_FRAME_KERNEL),
			   frame(KERNEL_OBJECT, LEAT_FRAME_KERNEL | BAD), frame(FILE_OBJECT, 0),
			   frame(FILE_OBJECT, BAD) };
	struct leat_stack s = { .kframe_cnt = 2, .uframe_cnt = 2, .uresult = LEAT_STACK_COMPLETE };
	struct leat_sample out = { .value = 1 };

	cr_assert(eq(int, leat_profile_stack(p, &s, ids, &out.stack), 0));
	cr_assert(eq(int, leat_profile_sample(p, &out), 0));
	cr_assert(eq(int, leat_judge_stacks(p), 0));
	cr_assert(eq(u16, judged(0)->kframe_cnt, 2));
	cr_assert(eq(u16, judged(0)->uframe_cnt, 1));
	cr_assert(eq(u8, judged(0)->uresult, LEAT_STACK_BAD_CALL));
}

Test(judge, stacks_cut_to_the_same_are_one)
{
	uint32_t a = frame(FILE_OBJECT, 0);
	uint32_t one[] = { a, frame(FILE_OBJECT, BAD), LEAT_ID_NONE };
	uint32_t two[] = { a, frame(FILE_OBJECT, BAD), LEAT_ID_NONE };

	sample(one, LEAT_STACK_COMPLETE, 3);
	sample(two, LEAT_STACK_TRUNCATED, 4);
	cr_assert(eq(int, leat_judge_stacks(p), 0));
	cr_assert(eq(sz, p->sample_cnt, 1));
	cr_assert(eq(u64, p->samples[0].value, 7));
	cr_assert(eq(int, leat_judge_stacks(p), 0), "again: nothing changes");
	cr_assert(eq(u64, p->samples[0].value, 7));
}

Test(judge, counts_are_weighted_and_made_from_scratch)
{
	struct leat_function named = { .name = 0 }, stripped = { .unnamed = LEAT_UNNAMED_STRIPPED };
	uint32_t a = frame(FILE_OBJECT, 0), b = frame(FILE_OBJECT, RET);
	uint32_t gone = frame(UNKNOWN_OBJECT, 0),
		 mixed = frame(UNKNOWN_OBJECT, LEAT_FRAME_REMAPPED);
	uint32_t ab[] = { a, b, LEAT_ID_NONE }, other[] = { gone, mixed, LEAT_ID_NONE };
	uint32_t kernel[] = { a };
	struct leat_stack ks = { .kframe_cnt = 1, .kresult = LEAT_STACK_TRUNCATED };
	struct leat_sample out = { .thread = LEAT_ID_NONE, .value = 5 };

	cr_assert(eq(int, leat_profile_function(p, &named, &p->frames[a].function), 0));
	cr_assert(eq(int, leat_profile_function(p, &stripped, &p->frames[b].function), 0));
	sample(ab, LEAT_STACK_COMPLETE, 10);
	sample(other, LEAT_STACK_TRUNCATED, 3);
	cr_assert(eq(int, leat_profile_stack(p, &ks, kernel, &out.stack), 0));
	cr_assert(eq(int, leat_profile_sample(p, &out), 0));
	for (int again = 0; again < 2; again++) {
		const struct leat_verdict *v = &p->verdict;

		cr_assert(eq(int, leat_judge_count(p), 0));
		cr_assert(eq(u64, v->taken, 18));
		cr_assert(eq(u64, v->stacks[LEAT_STACK_COMPLETE], 10));
		cr_assert(eq(u64, v->stacks[LEAT_STACK_TRUNCATED], 3));
		cr_assert(eq(u64, v->stacks[LEAT_STACK_NONE], 5));
		cr_assert(eq(u64, v->kstack_truncated, 5));
		cr_assert(eq(u64, v->frames, 31));
		cr_assert(eq(u64, v->user_frames, 26));
		cr_assert(eq(u64, v->frames_unnamed[LEAT_UNNAMED_STRIPPED], 10));
		cr_assert(eq(u64, v->frames_unnamed[LEAT_UNNAMED_UNMAPPED], 3));
		cr_assert(eq(u64, v->frames_unnamed[LEAT_UNNAMED_REMAPPED], 3));
		cr_assert(eq(u64, v->user_unnamed, 16));
	}
}

Test(judge, an_empty_profile)
{
	cr_assert(eq(int, leat_judge_stacks(p), 0));
	cr_assert(eq(int, leat_judge_count(p), 0));
	cr_assert(eq(u64, p->verdict.taken, 0));
}

Test(judge, a_failed_judgement_changes_nothing)
{
	uint32_t ids[] = { frame(FILE_OBJECT, 0), frame(FILE_OBJECT, BAD), LEAT_ID_NONE };

	sample(ids, LEAT_STACK_COMPLETE, 3);
	LEAT_ALLOC_EACH_FAILS {
		int err = leat_judge_stacks(p);

		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		cr_assert(eq(u16, judged(0)->uframe_cnt, err ? 2 : 1));
		cr_assert(eq(u64, leat_profile_total(p), 3));
	}
}
