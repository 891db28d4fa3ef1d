/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The user stack of a sample by unwind tables (leat_step.h is the step, compiled for the host too).
 *
 * Return addresses come again from sample to sample, so each CPU remembers some of them with their
 * rules (remember.bpf.h): behind that lie the search for the mapping, and in its binary's table.
 * Entries hold under the tag of the process's mappings, which changes whenever one of them was
 * replaced; nothing is remembered of what was not found.
 *
 * A walk that comes to a binary whose table is not ready asks for it (leat_exe.state); what was
 * walked is dropped, and the sample goes to user space with its registers and a copy of its stack.
 */
#ifndef LEAT_BPF_TABLE_WALK_H
#define LEAT_BPF_TABLE_WALK_H

#include "leat_hash.h"
#include "gregs.bpf.h"
#include "remember.bpf.h"
#include "table_maps.bpf.h"
#include "window.bpf.h"

/* Frames in one call: 8 are 9,000 verified instructions more, 7 ms of every start, and gain 3 ns a frame. */
#define LEAT_TABLE_PART 4

/* What leat_table_lookup returns when there is no rule. */
#define LEAT_LOOKUP_NO_RANGE -1
#define LEAT_LOOKUP_NO_TABLE -2
#define LEAT_LOOKUP_BROKEN   -3 /* a map slot that must exist is missing */
#define LEAT_LOOKUP_FAILED   -4 /* none could be made; not remembered, for it is tried again */

/* Callee-saved registers lie below the return address: a window begins so much lower. */
#define LEAT_PUSHED_BYTES 64

struct leat_table_ctx {
	struct leat_scratch *s;
	void *table;
};

#define LEAT_STEP_CTX struct leat_table_ctx

static __always_inline const union leat_unwind_block *leat_step_block(struct leat_table_ctx *c,
								      __u32 i)
{
	return bpf_map_lookup_elem(c->table, &i);
}

/*
 * Makes the word at @addr readable. A frame's return address is read before the registers below it,
 * but not below sp, where a frame of many pages may have pages that nobody has touched.
 */
__attribute__((noinline)) int leat_table_fill(__u32 slot, __u64 addr)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	__u64 from = addr - LEAT_PUSHED_BYTES;

	if (!cfg.unwind || !s)
		return -1;
	if (from < s->tab.walk.sp)
		from = s->tab.walk.sp;
	if (from < addr && !leat_window_fill(slot, from) && addr - s->win.base < s->win.words)
		return 0;
	return leat_window_fill(slot, addr);
}

static __always_inline int leat_step_has(struct leat_table_ctx *c, __u64 addr, __u64 *out)
{
	return leat_window_word(c->s, addr, out);
}

static __always_inline int leat_step_word(struct leat_table_ctx *c, __u64 addr, __u64 *out)
{
	if (!leat_step_has(c, addr, out))
		return 0;
	return leat_table_fill(c->s->slot, addr) ? -1 : leat_step_has(c, addr, out);
}

static __always_inline int leat_step_reg(struct leat_table_ctx *c, __u32 no, __u64 *out)
{
	*out = c->s->tab.regs[no & (LEAT_GREGS - 1)];
	return 0;
}

#include "leat_step.h"

/*
 * The last range that begins at or below @pc, if it covers it. What is looked up next lies in the
 * same binary as a rule: that range is tried first, before a search that reads six on average.
 */
static __always_inline const struct leat_range *leat_range_of(struct leat_table_state *t, __u64 pc)
{
	const struct leat_range *r;
	__u32 at = t->space.first + t->range;

	if (t->range < t->space.cnt) {
		r = bpf_map_lookup_elem(&leat_ranges, &at);
		if (r && pc >= r->start && pc < r->end)
			return r;
	}

	t->low = t->space.first;
	t->high = t->space.first + t->space.cnt;
	for (int i = 0; i < LEAT_RANGE_STEPS && t->low < t->high; i++) {
		at = (__u32)(((__u64)t->low + t->high) / 2);
		r = bpf_map_lookup_elem(&leat_ranges, &at);
		if (!r)
			return NULL;
		if (r->start <= pc)
			t->low = at + 1;
		else
			t->high = at;
	}
	if (t->low == t->space.first)
		return NULL;
	at = t->low - 1;
	t->range = at - t->space.first;
	r = bpf_map_lookup_elem(&leat_ranges, &at);
	return r && pc >= r->start && pc < r->end ? r : NULL;
}

/* The number of the rule for @vaddr in the table of @exe. */
static __always_inline int leat_table_find(struct leat_scratch *s, struct leat_exe *e, __u32 exe,
					   __u64 vaddr)
{
	struct leat_table_ctx c = { .s = s };

	c.table = bpf_map_lookup_elem(&leat_tables, &exe);
	if (!c.table)
		return LEAT_LOOKUP_NO_TABLE;
	s->tab.walk.first_page = e->first_page;
	s->tab.walk.page_cnt = e->page_cnt;
	return (int)leat_unwind_find(&c, &s->tab.walk, vaddr);
}

static __always_inline int leat_exe_rule(struct leat_scratch *s, const struct leat_range *r,
					 __u64 pc)
{
	__u32 exe = r->exe;
	struct leat_exe *e = bpf_map_lookup_elem(&leat_exes, &exe);

	if (!e)
		return LEAT_RULE_INVALID;
	e->used_epoch = s->epoch;
	switch (e->state) {
	case LEAT_EXE_READY:
		return leat_table_find(s, e, exe, pc - r->bias);
	case LEAT_EXE_FRAME:
		return LEAT_RULE_FRAME;
	case LEAT_EXE_FAILED:
		return LEAT_LOOKUP_FAILED;
	case LEAT_EXE_UNKNOWN:
		e->state = LEAT_EXE_WANTED;
		s->tab.wake = 1;
		break;
	default:
		break;
	}
	return LEAT_LOOKUP_NO_TABLE;
}

/*
 * The rule that holds at @pc, by search, in tab.of; it is remembered. 0, or LEAT_LOOKUP_* when
 * there is none.
 */
__attribute__((noinline)) int leat_table_lookup(__u32 slot, __u64 pc)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	const union leat_rule_word *of;
	struct leat_rule_cache *cache;
	const struct leat_range *r;
	int no;

	if (!cfg.unwind || !s)
		return LEAT_LOOKUP_BROKEN;
	cache = leat_cache_of(s->cpu);
	if (!cache)
		return LEAT_LOOKUP_BROKEN;
	s->tab.misses++;
	r = leat_range_of(&s->tab, pc);
	if (!r)
		return LEAT_LOOKUP_NO_RANGE;
	no = leat_exe_rule(s, r, pc);
	if (no < 0)
		return no;
	of = bpf_map_lookup_elem(&leat_rules, &no);
	if (!of)
		return LEAT_LOOKUP_BROKEN;
	s->tab.of.word = of->word;
	leat_remember(cache, leat_remembered_key(s->tab.space.tag, pc), of->word);
	return 0;
}

/* How a walk ends at an address of which nothing is known. */
static __always_inline __u32 leat_table_stopped(struct leat_scratch *s, int why)
{
	/* A frame pointer that led nowhere: nothing that user space could know better. */
	if (why == LEAT_LOOKUP_BROKEN || why == LEAT_LOOKUP_FAILED ||
	    (why == LEAT_LOOKUP_NO_RANGE && s->tab.guessed))
		return LEAT_STACK_NO_UNWIND;
	s->tab.missing = why == LEAT_LOOKUP_NO_RANGE ? LEAT_MISSING_RANGE : LEAT_MISSING_TABLE;
	return LEAT_STACK_NO_TABLE;
}

/* From tab.walk to its caller by the rule in tab.of. */
__attribute__((noinline)) int leat_table_step(__u32 slot)
{
	struct leat_table_ctx c = { .s = leat_scratch_get(slot) };

	if (!cfg.unwind || !c.s)
		return LEAT_STACK_BROKEN;
	return (int)leat_unwind_apply(&c, &c.s->tab.walk, &c.s->tab.of.rule);
}

/* One frame: from tab.walk to its caller. LEAT_UNWIND_ON or how the stack ends. */
static __always_inline __u32 leat_table_frame(struct leat_scratch *s, struct leat_rule_cache *cache)
{
	struct leat_table_ctx c = { .s = s };
	const __u64 pc = leat_unwind_lookup_pc(&s->tab.walk);

	if (pc >= s->task.top)
		return LEAT_STACK_NO_UNWIND;
	if (!leat_recall(cache, leat_remembered_key(s->tab.space.tag, pc), &s->tab.of.word)) {
		int err = leat_table_lookup(s->slot, pc);

		if (err)
			return leat_table_stopped(s, err);
	}
	s->tab.guessed = s->tab.of.rule.cfa == LEAT_CFA_FRAME;
	if (leat_unwind_plain(&c, &s->tab.walk, &s->tab.of.rule))
		return LEAT_UNWIND_ON;
	return leat_table_step(s->slot);
}

/* The next LEAT_TABLE_PART frames; a global function, verified once (walk.bpf.h). */
__attribute__((noinline)) int leat_walk_table_part(__u32 slot)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	struct leat_rule_cache *cache;
	__u32 begin, cnt, i, result = LEAT_UNWIND_ON;
	__u64 hash, *out;

	if (!cfg.unwind || !s)
		return LEAT_STACK_BROKEN;
	cache = leat_cache_of(s->cpu);
	cnt = s->ucnt;
	begin = s->kcnt + cnt;
	if (!cache || begin > LEAT_MAX_FRAMES)
		return LEAT_STACK_BROKEN;
	out = &s->out.frames[begin];
	hash = s->hash;
	for (i = 0; i < LEAT_TABLE_PART; i++) {
		__u64 pc;

		/* How far apart frames lie says how much to read next. */
		s->ucnt = cnt + i;

		result = leat_table_frame(s, cache);
		if (result != LEAT_UNWIND_ON)
			break;
		if (cnt + i >= cfg.max_uframes) {
			result = LEAT_STACK_TRUNCATED;
			break;
		}
		pc = s->tab.walk.pc | (s->tab.walk.exact ? LEAT_PC_EXACT : 0);
		out[i] = pc;
		hash = leat_stack_hash_add(hash, pc);
	}
	s->hash = hash;
	s->ucnt = cnt + i;
	return (int)result;
}

/* The process's mappings; the last answer is kept while nobody changes any (leat_set_bits). */
static __always_inline void leat_space_read(struct leat_scratch *s)
{
	struct leat_space *space;
	__u32 tgid = s->tgid;

	if (s->tab.tgid == tgid && s->tab.gen == s->ctl_gen)
		return;
	space = s->in_ns ? bpf_map_lookup_elem(&leat_spaces, &tgid) : NULL;
	s->tab.tgid = tgid;
	s->tab.gen = s->ctl_gen;
	s->tab.space.tag = space ? space->tag : 0;
	s->tab.space.first = space ? space->first : 0;
	s->tab.space.cnt = space ? space->cnt : 0;
}

/* Before any frame of a sample. */
static __always_inline void leat_table_begin(struct leat_scratch *s)
{
	s->tab.missing = 0;
	s->tab.wake = 0;
	s->tab.guessed = 0;
	s->tab.misses = 0;
}

static __always_inline __u32 leat_walk_table(struct leat_scratch *s, struct leat_stats *st)
{
	__u32 result = LEAT_UNWIND_ON;

	leat_space_read(s);
	if (!s->tab.space.tag) {
		s->tab.missing = LEAT_MISSING_RANGE;
		return LEAT_STACK_NO_TABLE;
	}
	leat_unwind_begin(&s->tab.walk, s->regs.ip, s->regs.sp, s->regs.fp);
	for (int i = 0; i < LEAT_MAX_UFRAMES / LEAT_TABLE_PART + 1; i++) {
		result = leat_walk_table_part(s->slot);
		if (result != LEAT_UNWIND_ON)
			break;
	}
	if (s->ucnt > 1)
		leat_window_end(s, s->tab.walk.sp);
	LEAT_STAT_ADD(st, N_TABLE_FRAMES, s->ucnt);
	LEAT_STAT_ADD(st, N_TABLE_MISS, s->tab.misses);
	return result < LEAT_STACK__MAX ? result : LEAT_STACK_BROKEN;
}

#endif
