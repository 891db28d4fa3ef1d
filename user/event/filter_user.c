/* SPDX-License-Identifier: BSD-2-Clause */
/* From the tree of a filter to its program in user space. */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "event/filter_prog.h"

struct compiler {
	const struct leat_filter_tree *tree;
	struct leat_prog *prog;
	struct leat_filter_error *error;
	size_t free; /* code is filled from its end: an instruction knows those that follow it */
};

/* Where to go on. */
struct target {
	uint16_t if_true, if_false;
};

static void prog_free(void *program)
{
	struct leat_prog *pr = program;

	if (!pr)
		return;
	for (size_t i = 0; i < pr->owned_cnt; i++)
		free(pr->owned[i]);
	for (size_t i = 0; i < pr->glob_cnt; i++) {
		leat_glob_fini(pr->globs[i]);
		free(pr->globs[i]);
	}
	free(pr->owned);
	free(pr->globs);
	free(pr->code);
	free(pr);
}

static void prog_cleanup(struct leat_prog **pr)
{
	prog_free(*pr);
}

/* Memory that lives as long as the program, zeroed. */
static int own(struct leat_prog *pr, size_t bytes, void *out)
{
	void *p;
	int err = LEAT_ARRAY_ROOM(pr->owned, pr->owned_cap, pr->owned_cnt + 1, LEAT_PROG_MAX);

	if (err)
		return err;
	p = calloc(1, bytes ? bytes : 1);
	if (!p)
		return -ENOMEM;
	pr->owned[pr->owned_cnt++] = p;
	*(void **)out = p;
	return 0;
}

static uint16_t emit(struct compiler *c, const struct leat_insn *in, struct target to)
{
	struct leat_insn *code = &c->prog->code[--c->free];

	*code = *in;
	code->if_true = to.if_true;
	code->if_false = to.if_false;
	return (uint16_t)c->free;
}

/* ---- fields ---- */

static void needs(struct compiler *c, uint64_t bytes)
{
	if (bytes > c->prog->min_size)
		c->prog->min_size = bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)bytes;
}

/* The number of the slot that a field has. */
static int slot_of(struct compiler *c, const struct leat_filter_node *n, const struct leat_field *f,
		   uint32_t *slot)
{
	struct leat_prog *pr = c->prog;
	size_t i;

	for (i = 0; i < pr->fetch_cnt && pr->fetches[i].field.index != n->field.index;)
		i++;
	if (i == LEAT_FILTER_MAX_SLOTS)
		return leat_filter_refuse(c->error, n->column - 1, -EOVERFLOW,
					  "more than %u fields of variable place",
					  LEAT_FILTER_MAX_SLOTS);
	*slot = (uint32_t)i;
	if (i < pr->fetch_cnt)
		return 0;
	pr->fetches[pr->fetch_cnt++] = (struct leat_prog_fetch){
		.field = n->field,
		.location = (uint8_t)f->location,
		.kind = (uint8_t)n->kind,
		.at = f->offset,
	};
	if (!f->follows &&
	    (f->location == LEAT_LOCATION_DATA_LOC || f->location == LEAT_LOCATION_REL_LOC))
		needs(c, (uint64_t)f->offset + 4);
	return 0;
}

/* A string in place has at least its NUL, or it is not there. */
static int place_text(struct compiler *c, const struct leat_filter_node *n, struct leat_insn *in)
{
	const struct leat_field *f = leat_format_field_at(c->tree->format, n->field.index);

	in->at = f->offset;
	in->size = f->size;
	if (leat_filter_is_fixed(f)) {
		in->span = LEAT_SPAN_STATIC;
		needs(c, (uint64_t)f->offset + f->size);
		return 0;
	}
	/* Where it begins is found in each record. */
	if (f->follows) {
		in->span = LEAT_SPAN_SLOT;
		return slot_of(c, n, f, &in->at);
	}
	switch (f->location) {
	case LEAT_LOCATION_STRING:
	case LEAT_LOCATION_UTF16:
		in->span = LEAT_SPAN_REST;
		needs(c, (uint64_t)f->offset + (n->kind == LEAT_FILTER_UTF16 ? 2 : 1));
		return 0;
	case LEAT_LOCATION_TAIL:
		in->span = LEAT_SPAN_REST;
		needs(c, f->offset);
		return 0;
	default:
		in->span = LEAT_SPAN_SLOT;
		return slot_of(c, n, f, &in->at);
	}
}

static enum leat_load load_of(const struct leat_field *f)
{
	bool is_signed = f->type == LEAT_TYPE_INT;

	switch (f->size) {
	case 1:
		return is_signed ? LEAT_LOAD_I8 : LEAT_LOAD_U8;
	case 2:
		return is_signed ? LEAT_LOAD_I16 : LEAT_LOAD_U16;
	case 4:
		return is_signed ? LEAT_LOAD_I32 : LEAT_LOAD_U32;
	default:
		return LEAT_LOAD_U64;
	}
}

/* ---- tests ---- */

static struct target swapped(struct target to)
{
	return (struct target){ .if_true = to.if_false, .if_false = to.if_true };
}

static int number_insn(struct compiler *c, const struct leat_filter_node *n,
		       const struct leat_intervals *iv, struct leat_insn *in)
{
	struct leat_prog_range *ranges;
	int err;

	in->num.mask = n->masked ? n->mask : UINT64_MAX;
	if (iv->n == 1) {
		in->num.lo = iv->items[0].lo ^ iv->flip;
		in->num.span_len = iv->items[0].hi - iv->items[0].lo;
		return 0;
	}
	err = own(c->prog, iv->n * sizeof(*ranges), &ranges);
	if (err)
		return err;
	memcpy(ranges, iv->items, iv->n * sizeof(*ranges));
	in->op = LEAT_PROG_SET;
	in->ranges = ranges;
	in->n = (uint32_t)iv->n;
	in->num.lo = iv->flip;
	return 0;
}

static int compile_number(struct compiler *c, const struct leat_filter_node *n, struct target to,
			  uint16_t *entry)
{
	const struct leat_field *f = leat_format_field_at(c->tree->format, n->field.index);
	struct leat_insn in = { .op = LEAT_PROG_RANGE, .at = f->offset };
	struct leat_intervals iv = { .items = NULL };
	enum leat_load load = load_of(f);
	int err = 0;

	if (leat_filter_is_fixed(f)) {
		needs(c, (uint64_t)f->offset + f->size);
	} else {
		load = LEAT_LOAD_SLOT;
		err = slot_of(c, n, f, &in.at);
	}
	if (!err)
		err = leat_prog_intervals(c->tree, n, f->type == LEAT_TYPE_INT, &iv);
	if (n->op == LEAT_FILTER_NE)
		to = swapped(to);
	if (!err && iv.n) {
		err = number_insn(c, n, &iv, &in);
		in.op = (uint8_t)(in.op + load);
		*entry = err ? 0 : emit(c, &in, to);
	} else if (!err) {
		*entry = to.if_false; /* no value of the type can be meant */
	}
	free(iv.items);
	return err;
}

static int compile_float(struct compiler *c, const struct leat_filter_node *n, struct target to,
			 uint16_t *entry)
{
	const struct leat_field *f = leat_format_field_at(c->tree->format, n->field.index);
	bool single = f->size == sizeof(float);
	struct leat_insn in = { .op = single ? LEAT_PROG_F32 : LEAT_PROG_F64, .at = f->offset };
	int err = 0;

	if (leat_filter_is_fixed(f)) {
		needs(c, (uint64_t)f->offset + f->size);
	} else {
		in.op = LEAT_PROG_F_SLOT;
		err = slot_of(c, n, f, &in.at);
	}
	if (err)
		return err;
	if (n->op == LEAT_FILTER_NE)
		to = swapped(to);
	*entry = to.if_false;
	for (uint32_t i = n->value_cnt; i-- > 0;) {
		leat_prog_bounds(n, &c->tree->values[n->value + i], single, &in.real.lo,
				 &in.real.hi);
		*entry = emit(c, &in, (struct target){ to.if_true, *entry });
	}
	return 0;
}

/* The bytes that are compared with, and a NUL of the text's width. */
static int literal_of(struct compiler *c, const struct leat_filter_node *n,
		      const struct leat_filter_value *v, const uint8_t **lit, size_t *len)
{
	uint8_t *p;
	int err = own(c->prog, 2 * v->len + 2, &p);

	if (err)
		return err;
	*lit = p;
	if (n->kind == LEAT_FILTER_UTF16)
		return leat_filter_to_utf16(v->text, v->len, p, len);
	memcpy(p, v->text, v->len);
	*len = v->len;
	return 0;
}

/* Equality with text that is at least as long as one or two words, its NUL included. */
static void equal_insn(struct leat_insn *in)
{
	size_t with_nul = (size_t)in->n + 1;
	uint8_t mask[16] = { 0 };
	size_t words;

	if (in->span != LEAT_SPAN_STATIC)
		return;
	if (with_nul > in->size)
		with_nul = in->n; /* it fills the field: there is no NUL */
	words = with_nul <= 8 && in->size >= 8 ? 1 : with_nul <= 16 && in->size >= 16 ? 2 : 0;
	if (!words || with_nul > in->size)
		return;
	memset(mask, 0xff, with_nul);
	memcpy(in->eq.mask, mask, sizeof(mask));
	memset(mask, 0, sizeof(mask));
	memcpy(mask, in->lit, in->n);
	memcpy(in->eq.lit, mask, sizeof(mask));
	in->op = words == 1 ? LEAT_PROG_EQ8 : LEAT_PROG_EQ16;
}

static const uint8_t text_ops[LEAT_FILTER_OP__MAX][2] = {
	[LEAT_FILTER_EQ] = { LEAT_PROG_EQ, LEAT_PROG_EQ_W },
	[LEAT_FILTER_NE] = { LEAT_PROG_EQ, LEAT_PROG_EQ_W },
	[LEAT_FILTER_IN] = { LEAT_PROG_EQ, LEAT_PROG_EQ_W },
	[LEAT_FILTER_CONTAINS] = { LEAT_PROG_CONTAINS, LEAT_PROG_CONTAINS_W },
	[LEAT_FILTER_STARTS_WITH] = { LEAT_PROG_STARTS, LEAT_PROG_STARTS_W },
	[LEAT_FILTER_ENDS_WITH] = { LEAT_PROG_ENDS, LEAT_PROG_ENDS_W },
	[LEAT_FILTER_GLOB] = { LEAT_PROG_GLOB, LEAT_PROG_GLOB_W },
};

/* What a glob says that is nothing but text between stars; LEAT_FILTER_GLOB when it says more. */
static enum leat_filter_op glob_is(const struct leat_glob *g)
{
	size_t n = g->token_cnt;
	bool first = n && g->tokens[0].kind == LEAT_GLOB_STAR;
	bool last = n > 1 && g->tokens[n - 1].kind == LEAT_GLOB_STAR;

	for (size_t i = first; i + last < n; i++) {
		if (g->tokens[i].kind != LEAT_GLOB_UNIT)
			return LEAT_FILTER_GLOB;
	}
	if (first && n == 1)
		return LEAT_FILTER_STARTS_WITH; /* "*": with nothing */
	return first && last ? LEAT_FILTER_CONTAINS
	       : first	     ? LEAT_FILTER_ENDS_WITH
	       : last	     ? LEAT_FILTER_STARTS_WITH
			     : LEAT_FILTER_EQ;
}

/* The text of a glob that is text. */
static int glob_literal(struct compiler *c, const struct leat_glob *g, struct leat_insn *in)
{
	size_t at = 0;
	uint8_t *p;
	int err = own(c->prog, (g->token_cnt + 1) * g->width, &p);

	if (err)
		return err;
	for (size_t i = 0; i < g->token_cnt; i++) {
		if (g->tokens[i].kind != LEAT_GLOB_UNIT)
			continue;
		p[at++] = (uint8_t)g->tokens[i].unit;
		if (g->width == 2)
			p[at++] = (uint8_t)(g->tokens[i].unit >> 8);
	}
	in->lit = p;
	in->n = (uint32_t)at;
	return 0;
}

/* in->lit, in->n hold the pattern. */
static int glob_insn(struct compiler *c, struct leat_insn *in, uint8_t width)
{
	struct leat_prog *pr = c->prog;
	struct leat_glob *g;
	enum leat_filter_op op;
	int err = LEAT_ARRAY_ROOM(pr->globs, pr->glob_cap, pr->glob_cnt + 1, LEAT_PROG_MAX);

	if (err)
		return err;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	err = leat_glob_init(g, in->lit, in->n, width);
	if (err) {
		free(g);
		return err;
	}
	pr->globs[pr->glob_cnt++] = g;
	op = glob_is(g);
	if (op != LEAT_FILTER_GLOB) {
		in->op = text_ops[op][width - 1];
		return glob_literal(c, g, in);
	}
	in->glob = g;
	return 0;
}

static int text_insn(struct compiler *c, const struct leat_filter_node *n,
		     const struct leat_filter_value *v, struct leat_insn *in)
{
	bool wide = n->kind == LEAT_FILTER_UTF16;
	size_t len;
	int err;

	in->op = text_ops[n->op][wide];
	err = literal_of(c, n, v, &in->lit, &len);
	if (err)
		return err;
	in->n = (uint32_t)len;
	if (n->op == LEAT_FILTER_GLOB)
		err = glob_insn(c, in, wide ? 2 : 1);
	if (!err && in->op == LEAT_PROG_EQ)
		equal_insn(in);
	return err;
}

static int compile_text(struct compiler *c, const struct leat_filter_node *n, struct target to,
			uint16_t *entry)
{
	struct leat_insn place = { .op = 0 };
	int err = place_text(c, n, &place);

	if (n->op == LEAT_FILTER_NE)
		to = swapped(to);
	*entry = to.if_false;
	for (uint32_t i = n->value_cnt; !err && i-- > 0;) {
		struct leat_insn in = place;

		err = text_insn(c, n, &c->tree->values[n->value + i], &in);
		if (!err)
			*entry = emit(c, &in, (struct target){ to.if_true, *entry });
	}
	return err;
}

/* ---- conditions ---- */

/*
 * What a condition costs, roughly. That all fields are there is known before the first test, so
 * conditions can be tried in any order: cheap ones first.
 */
static unsigned int cost_of(const struct leat_filter_tree *t, uint32_t i)
{
	const struct leat_filter_node *n = &t->nodes[i];
	unsigned int most = 0;

	if (n->op > LEAT_FILTER_NOT) {
		if (n->kind < LEAT_FILTER_TEXT)
			return 0;
		return n->op < LEAT_FILTER_CONTAINS ? 1 : n->op == LEAT_FILTER_STARTS_WITH ? 1 : 2;
	}
	for (uint32_t child = n->first; child != LEAT_FILTER_NONE; child = t->nodes[child].next) {
		unsigned int cost = cost_of(t, child);

		most = cost > most ? cost : most;
	}
	return most;
}

static int compile_node(struct compiler *c, uint32_t i, struct target to, uint16_t *entry);

/* Instructions are made backwards: the dearest children first, of equal ones the last. */
static int compile_chain(struct compiler *c, const struct leat_filter_node *n, struct target to,
			 uint16_t *entry)
{
	bool is_and = n->op == LEAT_FILTER_AND;
	LEAT_FREE uint32_t *children = NULL;
	size_t cnt = 0;
	int err = 0;

	for (uint32_t i = n->first; i != LEAT_FILTER_NONE; i = c->tree->nodes[i].next)
		cnt++;
	children = calloc(cnt, sizeof(*children));
	if (!children)
		return -ENOMEM;
	cnt = 0;
	for (unsigned int cost = 0; cost <= 2; cost++) {
		for (uint32_t i = n->first; i != LEAT_FILTER_NONE; i = c->tree->nodes[i].next) {
			if (cost_of(c->tree, i) == cost)
				children[cnt++] = i;
		}
	}
	*entry = is_and ? to.if_true : to.if_false;
	while (cnt-- > 0 && !err) {
		struct target then = to;

		if (is_and)
			then.if_true = *entry;
		else
			then.if_false = *entry;
		err = compile_node(c, children[cnt], then, entry);
	}
	return err;
}

/* As deep as the expression's parentheses. */
static int compile_node(struct compiler *c, uint32_t i, struct target to, uint16_t *entry)
{
	const struct leat_filter_node *n = &c->tree->nodes[i];

	switch (n->op) {
	case LEAT_FILTER_AND:
	case LEAT_FILTER_OR:
		return compile_chain(c, n, to, entry);
	case LEAT_FILTER_NOT:
		return compile_node(c, n->first, swapped(to), entry);
	default:
		break;
	}
	if (n->kind == LEAT_FILTER_NUMBER)
		return compile_number(c, n, to, entry);
	if (n->kind == LEAT_FILTER_FLOAT)
		return compile_float(c, n, to, entry);
	return compile_text(c, n, to, entry);
}

/* An instruction for each value of a set, one for any other test: that many at most. */
static int compile(const struct leat_filter_tree *t, struct leat_filter_program *out,
		   struct leat_filter_error *e)
{
	LEAT_AUTO(prog_cleanup) struct leat_prog *pr = calloc(1, sizeof(*pr));
	struct compiler c = { .tree = t, .prog = pr, .error = e };
	struct target end = { .if_true = LEAT_PROG_TRUE, .if_false = LEAT_PROG_FALSE };
	int err;

	if (!pr)
		return -ENOMEM;
	pr->format = t->format;
	pr->n = t->node_cnt + t->value_cnt;
	pr->code = calloc(pr->n, sizeof(*pr->code));
	if (!pr->code)
		return -ENOMEM;
	c.free = pr->n;
	err = compile_node(&c, t->root, end, &pr->entry);
	if (err)
		return err;
	out->run = leat_prog_runner(pr);
	out->free = prog_free;
	out->self = LEAT_TAKE(pr);
	return 0;
}

static const struct leat_filter_backend user_backend = {
	.name = "user",
	.compile = compile,
};

const struct leat_filter_backend *leat_filter_user_backend(void)
{
	return &user_backend;
}
