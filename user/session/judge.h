/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * After the recording, before exporters: cuts stacks at frames outside executable mappings
 * (LEAT_STACK_NO_UNWIND) and at return addresses with no call before them (LEAT_STACK_BAD_CALL),
 * decides which stacks are complete, counts everything into the verdict, weighted by samples.
 */
#ifndef LEAT_SESSION_JUDGE_H
#define LEAT_SESSION_JUDGE_H

#include "profile/profile.h"

/* LEAT_FRAME_BAD_CALL/_CHECKED are set on frames already (symbols); rewrites stacks and samples. */
int leat_judge_stacks(struct leat_profile *p) LEAT_MUST_USE;
/* Counts stacks by result and frames by name into p->verdict, from scratch (callable again). */
int leat_judge_count(struct leat_profile *p) LEAT_MUST_USE;

#endif
