/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ways through a piece of code. Functions are taken one by one, those whose begin is known first;
 * what one of them visits is marked, and unmarked when it is not believed.
 */
#include "unwind/flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "unwind/flow_state.h"
#include "unwind/x86.h"

#define ALIGNED	    16 /* compilers and assemblers begin functions there */
#define STEPS_MAX   2  /* visits for each byte of a piece: usually one for four */
#define QUIET_SHARE 4  /* so many functions with a return for each that is believed without */
#define STATES_MAX  (1u << 18) /* 24 MB; a piece has a quarter of that */
#define STARTS_MAX  (4u << 20)

/* What is known of a byte: nothing, or a state's number + FIRST. QUIET: of a function without return. */
enum { FREE = 0, INSIDE = 1, REFUSED = 2, QUIET = 3, FIRST = 4 };

#define IS_START   1 /* a symbol says that a function begins there */
#define NEVER_ENDS 2 /* one that does not return */

/* What is assumed of a function. */
struct way {
	bool tables;  /* code behind an indirect jump is where it leads to */
	bool far;     /* so is what comes behind padding there */
	bool through; /* a call before padding returns */
};

/* One after the other; of a guess, only the last two. */
static const struct way ways[] = {
	{ true, true, true }, { true, false, true }, { true, false, false }, { false, false, false }
};

#define WAY_GUESSED 2

struct flow {
	const struct leat_flow_code *c;
	uint32_t *at;	/* for each byte */
	uint8_t *place; /* for each byte: IS_START, NEVER_ENDS */
	struct leat_flow_state *states;
	size_t state_cnt, state_cap;
	uint32_t *work;
	size_t work_cnt, work_cap;
	uint32_t *seen; /* instructions of this function */
	size_t seen_cnt, seen_cap;
	uint32_t *called; /* where calls lead to: functions begin there */
	size_t called_cnt, called_cap;
	uint32_t *taken; /* whose address is taken, or that came to no return: perhaps */
	size_t taken_cnt, taken_cap;
	size_t group;	 /* state_cnt when this function was begun */
	size_t steps;	 /* left for the piece */
	uint32_t jump;	 /* its last indirect jump, + 1 */
	size_t behind;	 /* where to look for what it leads to */
	size_t returns;	 /* that proved right, joined code that is believed included */
	size_t believed; /* functions */
	bool leaves;	 /* this one jumps to where it is not followed */
	bool learnt;	 /* some that are called do not return */
	size_t group_called, group_taken;
	struct way way;
	int err;
};

struct leat_flow {
	struct flow f;
};

int leat_flow_new(struct leat_flow **out)
{
	LEAT_AUTO(leat_flow_free) struct leat_flow *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->f.at = malloc(LEAT_FLOW_PIECE * sizeof(*f->f.at));
	f->f.place = malloc(LEAT_FLOW_PIECE);
	if (!f->f.at || !f->f.place)
		return -ENOMEM;
	*out = LEAT_TAKE(f);
	return 0;
}

void leat_flow_free(struct leat_flow **fp)
{
	struct leat_flow *f = *fp;

	if (!f)
		return;
	free(f->f.at);
	free(f->f.place);
	free(f->f.states);
	free(f->f.work);
	free(f->f.seen);
	free(f->f.called);
	free(f->f.taken);
	free(f);
	*fp = NULL;
}

static bool decode(const struct flow *f, size_t off, struct leat_x86_insn *i)
{
	return leat_x86_decode(f->c->code + off, f->c->n - off, i);
}

size_t leat_flow_padding(const uint8_t *code, size_t n)
{
	struct leat_x86_insn i;
	size_t at = 0;

	while (at < n) {
		if (code[at] == 0xcc || code[at] == 0)
			at++;
		else if (leat_x86_decode(code + at, n - at, &i) && i.op == LEAT_X86_NOP &&
			 (i.len < 4 || memcmp(code + at, "\xf3\x0f\x1e\xfa", 4) != 0))
			/* endbr64 begins a function */
			at += i.len;
		else
			break;
	}
	return at;
}

static size_t padding_at(const struct flow *f, size_t off)
{
	return leat_flow_padding(f->c->code + off, f->c->n - off);
}

static bool is_place(const struct flow *f, size_t off)
{
	return (f->c->vaddr + off) % ALIGNED == 0;
}

/* Adds to a list; what cannot be added ends all of it. */
static void put(struct flow *f, uint32_t **v, size_t *n, size_t *cap, size_t off)
{
	if (LEAT_ARRAY_ROOM(*v, *cap, *n + 1, STARTS_MAX)) {
		f->err = -ENOMEM;
		return;
	}
	(*v)[(*n)++] = (uint32_t)off;
}

/* ---- one function ---- */

static uint32_t add_state(struct flow *f, const struct leat_flow_state *s)
{
	/* Most instructions leave all as it was. */
	if (f->state_cnt > f->group && !memcmp(&f->states[f->state_cnt - 1], s, sizeof(*s)))
		return (uint32_t)f->state_cnt - 1;
	if (LEAT_ARRAY_ROOM(f->states, f->state_cap, f->state_cnt + 1, STATES_MAX)) {
		f->err = -ENOMEM;
		return 0;
	}
	f->states[f->state_cnt] = *s;
	return (uint32_t)f->state_cnt++;
}

/* To an instruction where a way has led before. */
static bool join(struct flow *f, size_t off, const struct leat_flow_state *s)
{
	const uint32_t at = f->at[off] - FIRST;
	struct leat_flow_state both = f->states[at];

	if (both.signal || !leat_flow_meet(&both, s))
		return false;
	if (at < f->group) { /* believed already, and it says the same of sp */
		f->returns++;
		return true;
	}
	if (!memcmp(&both, &f->states[at], sizeof(both)))
		return true;
	f->at[off] = add_state(f, &both) + FIRST;
	put(f, &f->work, &f->work_cnt, &f->work_cap, off);
	return true;
}

/* A way leads to @off. False: it cannot. */
static bool go(struct flow *f, int64_t off, const struct leat_flow_state *s)
{
	if (off < 0 || (uint64_t)off >= f->c->n || f->at[off] == QUIET) {
		f->leaves = true; /* to other code: nothing is known of it here */
		return true;
	}
	if (f->at[off] == INSIDE || f->at[off] == REFUSED)
		return false;
	if ((f->place[off] & IS_START) && !leat_flow_is_level(s) && !s->outermost)
		return false;
	if (f->at[off] >= FIRST)
		return join(f, (size_t)off, s);
	f->at[off] = add_state(f, s) + FIRST;
	put(f, &f->seen, &f->seen_cnt, &f->seen_cap, (size_t)off);
	put(f, &f->work, &f->work_cnt, &f->work_cap, (size_t)off);
	return true;
}

/* The bytes of an instruction that others begin in are two ways to read the same code. */
static bool cover(struct flow *f, size_t off, size_t len)
{
	for (size_t i = off + 1; i < off + len; i++) {
		if (f->at[i] != FREE && f->at[i] != INSIDE)
			return false;
		f->at[i] = INSIDE;
	}
	return true;
}

static bool is_among(const uint64_t *v, size_t n, uint64_t vaddr)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (v[mid] < vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && v[low] == vaddr;
}

/*
 * A call before another function does not return; nor does one before padding, which is put before a
 * function, but for a loop that begins there. @target: in this piece, or outside of it.
 */
static bool ends_there(const struct flow *f, size_t next, int64_t target, bool direct)
{
	const struct leat_flow_code *c = f->c;

	const size_t pad = next < c->n ? padding_at(f, next) : 0;

	if (next + pad >= c->n || f->place[next + pad] & IS_START || (pad && !f->way.through))
		return true;
	if (direct && target >= 0 && (uint64_t)target < c->n)
		return f->place[target] & NEVER_ENDS;
	return direct && is_among(c->ends, c->end_cnt, c->vaddr + (uint64_t)target);
}

static bool follow_call(struct flow *f, size_t next, const struct leat_x86_insn *i,
			const struct leat_flow_state *s)
{
	const int64_t target = (int64_t)next + i->imm;
	const bool direct = i->base == LEAT_X86_IP;

	if (direct && target >= 0 && (uint64_t)target < f->c->n)
		put(f, &f->called, &f->called_cnt, &f->called_cap, (size_t)target);
	return ends_there(f, next, target, direct) || go(f, (int64_t)next, s);
}

static bool follow(struct flow *f, size_t off, const struct leat_x86_insn *i,
		   struct leat_flow_state *s)
{
	const size_t next = off + i->len;
	const int64_t target = i->base == LEAT_X86_IP ? (int64_t)next + i->imm : -1;

	switch (i->op) {
	case LEAT_X86_RET:
		f->returns++;
		return true;
	case LEAT_X86_END:
		return true;
	case LEAT_X86_JUMP:
		if (i->base == LEAT_X86_IP)
			return go(f, target, s);
		f->jump = (uint32_t)off + 1;
		f->leaves = true;
		if (!f->behind)
			f->behind = off + 1;
		return true;
	case LEAT_X86_BRANCH:
		return go(f, target, s) && go(f, (int64_t)next, s);
	case LEAT_X86_CALL:
		return follow_call(f, next, i, s);
	case LEAT_X86_ADDRESS:
		if (target >= 0 && (uint64_t)target < f->c->n && is_place(f, (size_t)target))
			put(f, &f->taken, &f->taken_cnt, &f->taken_cap, (size_t)target);
		return go(f, (int64_t)next, s);
	default:
		return go(f, (int64_t)next, s);
	}
}

static bool visit(struct flow *f, size_t off)
{
	struct leat_flow_state s = f->states[f->at[off] - FIRST];
	struct leat_x86_insn i;

	if (!f->steps || f->err || f->state_cnt + 8 > STATES_MAX)
		return false;
	f->steps--;
	return decode(f, off, &i) && cover(f, off, i.len) && leat_flow_step(&s, &i) &&
	       follow(f, off, &i, &s);
}

/* The first free byte behind this function's first indirect jump that may belong to it; 0: none. */
static size_t behind_jump(struct flow *f)
{
	while (f->way.tables && f->behind && f->behind < f->c->n) {
		const size_t off = f->behind, pad = f->at[off] == FREE ? padding_at(f, off) : 0;

		if (f->at[off] == REFUSED || f->at[off] == QUIET ||
		    ((f->place[off] & IS_START) && f->at[off] != INSIDE))
			return 0;
		if (f->at[off] == FREE && !pad)
			return off;
		if (pad && !f->way.far && is_place(f, off + pad))
			return 0; /* perhaps the next function */
		f->behind += pad ? pad : 1;
	}
	return 0;
}

/* Follows it to all its ends. */
static bool run(struct flow *f)
{
	for (;;) {
		struct leat_flow_state s;
		size_t behind;

		while (f->work_cnt)
			if (!visit(f, f->work[--f->work_cnt]))
				return false;
		behind = behind_jump(f);
		if (!behind)
			return true;
		s = f->states[f->at[f->jump - 1] - FIRST]; /* which may move */
		if (!go(f, (int64_t)behind, &s))
			return false;
	}
}

/* Takes back all marks of this function; @seen_cnt is left. */
static void unmark(struct flow *f, uint32_t to)
{
	struct leat_x86_insn i;

	for (size_t k = 0; k < f->seen_cnt; k++) {
		const size_t off = f->seen[k];

		f->at[off] = to;
		if (!decode(f, off, &i))
			continue;
		for (size_t b = off + 1; b < off + i.len && f->at[b] == INSIDE; b++)
			f->at[b] = to;
	}
	f->called_cnt = f->group_called;
	f->taken_cnt = f->group_taken;
	f->state_cnt = f->group;
}

/* What the last try has visited is not visited again: each piece of code is tried but once. */
static void refuse(struct flow *f)
{
	for (size_t k = 0; k < f->seen_cnt; k++)
		if (f->at[f->seen[k]] == FREE)
			f->at[f->seen[k]] = REFUSED;
}

enum trust {
	GUESSED, /* it is believed when it returns */
	KNOWN,	 /* a symbol says so: looked at again later, when it does not return */
	SURE,	 /* it is called */
};

/* One try: true when it ends everywhere as functions do. */
static bool try_way(struct flow *f, size_t off, const struct way *way)
{
	struct leat_flow_state s;

	f->way = *way;
	f->group = f->state_cnt;
	f->group_called = f->called_cnt;
	f->group_taken = f->taken_cnt;
	f->seen_cnt = f->work_cnt = 0;
	f->returns = 0;
	f->leaves = false;
	f->jump = 0;
	f->behind = 0;
	leat_flow_enter(&s);
	s.outermost = f->c->has_entry && f->c->entry == f->c->vaddr + off;
	if (go(f, (int64_t)off, &s) && run(f) && !f->err)
		return true;
	unmark(f, FREE);
	return false;
}

/* It is right, and comes to no return. */
static void end_quiet(struct flow *f, size_t off, enum trust trust)
{
	if (!f->leaves && trust != GUESSED && !(f->place[off] & NEVER_ENDS)) {
		f->place[off] |= NEVER_ENDS;
		f->learnt = true;
	}
	if (trust == SURE)
		return;
	unmark(f, QUIET);
	if (trust == KNOWN)
		put(f, &f->taken, &f->taken_cnt, &f->taken_cap, off);
}

/* A function may begin at @off. */
static void try(struct flow *f, size_t off, enum trust trust)
{
	size_t k = trust == GUESSED ? WAY_GUESSED : 0;

	if (f->at[off] == QUIET && trust == SURE)
		put(f, &f->taken, &f->taken_cnt, &f->taken_cap, off);
	if (f->at[off] != FREE || f->err)
		return;
	while (k < LEAT_ARRAY_SIZE(ways) && !f->err && !try_way(f, off, &ways[k]))
		k++;
	if (k == LEAT_ARRAY_SIZE(ways))
		refuse(f);
	else if (f->returns)
		f->believed++;
	else if (!f->err)
		end_quiet(f, off, trust);
}

static void try_called(struct flow *f)
{
	while (f->called_cnt)
		try(f, f->called[--f->called_cnt], SURE);
}

/* What nothing leads to, where functions begin. */
static void try_rest(struct flow *f)
{
	size_t off = 0;

	while (off < f->c->n && !f->err) {
		size_t pad;

		if (f->at[off] != FREE) {
			off++;
			continue;
		}
		pad = padding_at(f, off);
		off += pad;
		if (pad)
			continue;
		if (is_place(f, off) || !off) {
			try(f, off, GUESSED);
			try_called(f);
		}
		off++;
	}
}

/* Those that come to no return are believed where nearly all do. */
static void try_taken(struct flow *f)
{
	const size_t n = f->taken_cnt;
	size_t quiet = 0;

	for (size_t k = 0; k < n; k++)
		quiet += f->at[f->taken[k]] == QUIET;
	if (f->believed < quiet * QUIET_SHARE)
		return;
	for (size_t off = 0; off < f->c->n; off++)
		if (f->at[off] == QUIET)
			f->at[off] = FREE;
	for (size_t k = 0; k < n && !f->err; k++) {
		try(f, f->taken[k], SURE);
		try_called(f);
	}
}

/* ---- a piece ---- */

/*
 * mov $15,%eax; syscall: where a signal's handler returns to. What looks for it there looks at the
 * byte before, and the kernel is sampled behind it.
 */
static void find_restorers(struct flow *f)
{
	static const uint8_t insns[] = { 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	const uint8_t *code = f->c->code, *at = code;
	const struct leat_flow_state s = { .signal = true };

	f->group = f->state_cnt;
	while ((at = memmem(at, f->c->n - (size_t)(at - code), insns, sizeof(insns)))) {
		const size_t end = (size_t)(at - code) + sizeof(insns);
		const uint32_t mark = add_state(f, &s) + FIRST;
		size_t off = (size_t)(at - code);

		at++;
		if (off < 2 || memcmp(code + off - 2, "\x48\xc7", 2) != 0)
			continue;
		off -= off > 2 ? 3 : 2;
		for (; off <= end && off < f->c->n; off++)
			f->at[off] = mark;
	}
}

static void try_sure(struct flow *f, uint64_t vaddr)
{
	if (vaddr < f->c->vaddr || vaddr - f->c->vaddr >= f->c->n)
		return;
	try(f, (size_t)(vaddr - f->c->vaddr), SURE);
	try_called(f);
}

static void find_all(struct flow *f)
{
	const struct leat_flow_code *c = f->c;

	find_restorers(f);
	if (c->has_entry)
		try_sure(f, c->entry);
	if (c->main)
		try_sure(f, c->main);
	for (size_t k = 0; k < c->start_cnt && !f->err; k++) {
		try(f, (size_t)(c->starts[k] - c->vaddr), KNOWN);
		try_called(f);
	}
	try_rest(f);
	try_taken(f);
}

static size_t write_rows(const struct flow *f, struct leat_unwind_rules *rules,
			 struct leat_rows *out)
{
	const struct leat_flow_code *c = f->c;
	uint32_t last = UINT32_MAX, rule = c->other;
	size_t described = 0;

	for (size_t off = 0; off < c->n; off++) {
		const uint32_t at = f->at[off];

		if (at == INSIDE) {
			described += rule != c->other;
			continue;
		}
		if (at != last) {
			rule = at < FIRST ? c->other
					  : leat_unwind_rules_intern(
						    rules, leat_flow_rule(&f->states[at - FIRST]));
			leat_rows_add(out, c->vaddr + off, rule);
		}
		last = at;
		described += rule != c->other;
	}
	return described;
}

static void begin(struct flow *f)
{
	f->state_cnt = f->called_cnt = f->taken_cnt = 0;
	f->believed = 0;
	f->err = 0;
	f->learnt = false;
	f->steps = f->c->n * STEPS_MAX;
	memset(f->at, 0, f->c->n * sizeof(*f->at));
}

int leat_flow_rows(struct leat_flow *flow, const struct leat_flow_code *c,
		   struct leat_unwind_rules *rules, struct leat_rows *out, size_t *described)
{
	struct flow *f = &flow->f;

	f->c = c;
	memset(f->place, 0, c->n);
	for (size_t k = 0; k < c->start_cnt; k++)
		f->place[c->starts[k] - c->vaddr] = IS_START;
	begin(f);
	find_all(f);
	/* Once more, with what is known now of those that do not return. */
	if (f->learnt && !f->err) {
		begin(f);
		find_all(f);
	}
	if (f->err)
		return f->err;
	*described = write_rows(f, rules, out);
	leat_rows_add(out, c->vaddr + c->n, c->other);
	return 0;
}
