/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dictionary of rules that all tables share (leat_unwind.h). Append only: a number once given
 * keeps its meaning, so the kernel's copy is brought up to date by what is new. One writer; a
 * reader that has seen a count may read the rules below it at any time.
 */
#ifndef LEAT_UNWIND_RULES_H
#define LEAT_UNWIND_RULES_H

#include <stdint.h>

#include "base/cleanup.h"
#include "leat_unwind.h"

struct leat_unwind_rules;

/* A dictionary with the fixed rules. 0 or -ENOMEM. */
int leat_unwind_rules_new(struct leat_unwind_rules **out) LEAT_MUST_USE;
void leat_unwind_rules_free(struct leat_unwind_rules **r);
/*
 * The number of @rule, which is added when it is new. LEAT_RULE_INVALID when the dictionary is full:
 * a frame is lost then, and counted by leat_unwind_rules_refused(), but no rule is wrong.
 */
uint32_t leat_unwind_rules_intern(struct leat_unwind_rules *r, struct leat_unwind_rule rule);
/* leat_unwind_rules_cnt() rules; the pointer stays valid, and lives as long as @r. */
const struct leat_unwind_rule *leat_unwind_rules_all(const struct leat_unwind_rules *r);
uint32_t leat_unwind_rules_cnt(const struct leat_unwind_rules *r);
uint64_t leat_unwind_rules_refused(const struct leat_unwind_rules *r);

#endif
