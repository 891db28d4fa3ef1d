/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/rules.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"

#define SLOTS (LEAT_UNWIND_RULES_MAX * 2) /* so that half of them stay empty */
/*
 * The rules of prologues come again and again: of the million of libLLVM 96 % are found in
 * 4 KB, which stay in the first cache, where the slots do not.
 */
#define RECENT_BITS 8

struct leat_unwind_rules {
	struct leat_unwind_rule rules[LEAT_UNWIND_RULES_MAX];
	uint16_t slots[SLOTS]; /* number of a rule; 0: empty, for INVALID is not searched for */
	struct {
		uint64_t word; /* 0: nothing, for INVALID is not searched for */
		uint32_t no;
	} recent[1 << RECENT_BITS];
	uint32_t cnt;
	uint64_t refused;
};

_Static_assert(LEAT_UNWIND_RULES_MAX <= UINT16_MAX + 1, "numbers are 16 bits wide");
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "masked");

static uint64_t word_of(struct leat_unwind_rule rule)
{
	uint64_t w;

	memcpy(&w, &rule, sizeof(w));
	return w;
}

static uint32_t intern(struct leat_unwind_rules *r, struct leat_unwind_rule rule)
{
	const uint64_t word = word_of(rule);
	size_t i = leat_hash_u64(word) & (SLOTS - 1);

	for (; r->slots[i]; i = (i + 1) & (SLOTS - 1)) {
		if (word_of(r->rules[r->slots[i]]) == word)
			return r->slots[i];
	}
	if (r->cnt == LEAT_UNWIND_RULES_MAX) {
		r->refused++;
		return LEAT_RULE_INVALID;
	}
	r->rules[r->cnt] = rule;
	r->slots[i] = (uint16_t)r->cnt;
	/* After the rule itself: who reads up to the count finds it. */
	__atomic_store_n(&r->cnt, r->cnt + 1, __ATOMIC_RELEASE);
	return r->cnt - 1;
}

uint32_t leat_unwind_rules_intern(struct leat_unwind_rules *r, struct leat_unwind_rule rule)
{
	const uint64_t word = word_of(rule);
	const size_t i = (word * 0x9e3779b97f4a7c15ull) >> (64 - RECENT_BITS);

	if (rule.cfa == LEAT_CFA_INVALID)
		return LEAT_RULE_INVALID;
	if (r->recent[i].word == word)
		return r->recent[i].no;
	r->recent[i].no = intern(r, rule);
	/* One that was refused is refused, and counted, each time. */
	r->recent[i].word = r->recent[i].no == LEAT_RULE_INVALID ? 0 : word;
	return r->recent[i].no;
}

int leat_unwind_rules_new(struct leat_unwind_rules **out)
{
	static const struct leat_unwind_rule fixed[LEAT_RULE__FIXED] = {
		[LEAT_RULE_STOP] = { .cfa = LEAT_CFA_STOP },
		[LEAT_RULE_SIGNAL] = { .cfa = LEAT_CFA_SIGNAL },
		/* [fp] is the caller's fp, the word behind it the return address. */
		[LEAT_RULE_FRAME] = { LEAT_CFA_FRAME, LEAT_FP_CFA, -2, 16 << 8 | LEAT_BX_LOST },
		[LEAT_RULE_SWITCH] = { LEAT_CFA_SWITCH, LEAT_FP_CFA, -2, 16 << 8 | LEAT_BX_LOST },
	};
	struct leat_unwind_rules *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->cnt = 1; /* INVALID is all zero */
	for (uint32_t i = 1; i < LEAT_RULE__FIXED; i++)
		leat_unwind_rules_intern(r, fixed[i]);
	*out = r;
	return 0;
}

void leat_unwind_rules_free(struct leat_unwind_rules **r)
{
	free(*r);
	*r = NULL;
}

const struct leat_unwind_rule *leat_unwind_rules_all(const struct leat_unwind_rules *r)
{
	return r->rules;
}

uint32_t leat_unwind_rules_cnt(const struct leat_unwind_rules *r)
{
	return __atomic_load_n(&r->cnt, __ATOMIC_ACQUIRE);
}

uint64_t leat_unwind_rules_refused(const struct leat_unwind_rules *r)
{
	return r->refused;
}
