/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/unwind.h"

#include <string.h>

/* What the step asks. */
struct host {
	const union leat_unwind_block *blocks;
	uint32_t block_cnt;
	const struct leat_unwind_sample *sample;
};

#define LEAT_STEP_CTX struct host

static const union leat_unwind_block *leat_step_block(const struct host *h, uint32_t i)
{
	return i < h->block_cnt ? &h->blocks[i] : NULL;
}

static int leat_step_word(const struct host *h, __u64 addr, __u64 *out)
{
	const struct leat_unwind_sample *s = h->sample;
	uint64_t word;

	for (size_t i = 0; i < s->piece_cnt; i++) {
		const struct leat_unwind_piece *p = &s->pieces[i];
		uint64_t off = addr - p->addr;

		if (addr < p->addr || off > p->len || p->len - off < sizeof(*out))
			continue;
		memcpy(out, p->data + off, sizeof(*out));
		return 0;
	}
	if (!s->word || s->word(s->ctx, addr, &word))
		return -1;
	*out = word;
	return 0;
}

static int leat_step_has(const struct host *h, __u64 addr, __u64 *out)
{
	return leat_step_word(h, addr, out);
}

static int leat_step_reg(const struct host *h, __u32 no, __u64 *out)
{
	const struct leat_unwind_regs *regs = &h->sample->regs;

	if (no >= LEAT_UNWIND_REGS || !(regs->known >> no & 1))
		return -1;
	*out = regs->r[no];
	return 0;
}

#include "leat_step.h"

static const struct leat_unwind_map *map_of(const struct leat_unwind_space *s, uint64_t pc)
{
	size_t low = 0, high = s->map_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->maps[mid].start <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	return low && pc < s->maps[low - 1].end ? &s->maps[low - 1] : NULL;
}

static void use_table(struct host *h, struct leat_unwind_walk *w, const struct leat_unwind_table *t)
{
	h->blocks = t->blocks;
	h->block_cnt = t->block_cnt;
	w->first_page = t->first_page;
	w->page_cnt = t->page_cnt;
}

uint32_t leat_unwind_table_rule(const struct leat_unwind_table *t, uint64_t vaddr)
{
	struct leat_unwind_walk w;
	struct host h = { 0 };

	use_table(&h, &w, t);
	return leat_unwind_find(&h, &w, vaddr);
}

/* From one frame to the next, or how the stack ends. */
static uint32_t step(struct host *h, const struct leat_unwind_space *space,
		     struct leat_unwind_walk *w)
{
	const uint64_t pc = leat_unwind_lookup_pc(w);
	const struct leat_unwind_map *m = map_of(space, pc);
	uint32_t rule = LEAT_RULE_FRAME;

	if (!m)
		return LEAT_STACK_NO_UNWIND;
	if (m->table) {
		use_table(h, w, m->table);
		rule = leat_unwind_find(h, w, pc - m->bias);
	}
	if (rule >= leat_unwind_rules_cnt(space->rules))
		return LEAT_STACK_NO_UNWIND;
	if (leat_unwind_plain(h, w, &leat_unwind_rules_all(space->rules)[rule]))
		return LEAT_UNWIND_ON;
	return leat_unwind_apply(h, w, &leat_unwind_rules_all(space->rules)[rule]);
}

enum leat_stack_result leat_unwind_stack_on(const struct leat_unwind_space *space,
					    const struct leat_unwind_sample *sample,
					    struct leat_unwind_walk *w,
					    struct leat_unwind_frame *frames, size_t max,
					    size_t *frame_cnt)
{
	struct host h = { .sample = sample };
	const uint64_t *r = sample->regs.r;
	size_t n = *frame_cnt;

	if (!n) {
		leat_unwind_begin(w, r[16], r[7], r[6]);
		frames[n++] =
			(struct leat_unwind_frame){ .pc = w->pc, .sp = w->sp, .exact = w->exact };
	}
	for (;;) {
		uint32_t result;

		*frame_cnt = n;
		result = step(&h, space, w);
		if (result != LEAT_UNWIND_ON)
			return (enum leat_stack_result)result;
		if (n == max)
			return LEAT_STACK_TRUNCATED;
		frames[n++] =
			(struct leat_unwind_frame){ .pc = w->pc, .sp = w->sp, .exact = w->exact };
	}
}

enum leat_stack_result leat_unwind_stack(const struct leat_unwind_space *space,
					 const struct leat_unwind_sample *sample,
					 struct leat_unwind_frame *frames, size_t max,
					 size_t *frame_cnt)
{
	struct leat_unwind_walk w = { 0 };

	*frame_cnt = 0;
	return leat_unwind_stack_on(space, sample, &w, frames, max, frame_cnt);
}
