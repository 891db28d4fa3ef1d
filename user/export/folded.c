/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "process;outer;...;inner count", one line for each distinct stack, sorted by bytes; before the
 * process "key=value" when an attribute tells samples apart. Kernel functions end in "_[k]", by which flame graph tools colour them.
 */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"
#include "base/text.h"
#include "export/formats.h"

#define MAX_IDS	   ((size_t)UINT32_MAX)
#define KEY_IDS	   2	/* ranks in a key */
#define DEEP_IDS   1024 /* stacks come from targets: this bounds the recursion */
#define NAME_ENDS  0
#define STACK_ENDS 1

/*
 * A name and what follows it, ';' or the end of the stack. No text of one is the beginning of
 * another's, so lines are in the order of their bytes when they are in that of their tokens.
 */
struct token {
	uint32_t function;
	uint32_t end; /* NAME_ENDS or STACK_ENDS */
};

struct line {
	uint64_t key;	/* scratch: the ranks by which it is sorted just now */
	uint32_t first; /* into ids */
	uint32_t n;
	uint64_t count;
};

/* Samples that are one line: they differ in the process's pid, in time or CPU. */
struct group {
	uint32_t sample; /* the first of them */
	uint32_t pad;
	uint64_t count;
};

struct folding {
	struct leat_profile *p;
	bool by_thread;
	bool by_attribute;
	struct group *groups;
	size_t group_cap;
	struct leat_index groups_ix;
	size_t line_cnt;
	uint32_t *ids; /* of all samples: first functions, then the ranks of their tokens */
	size_t id_cnt;
	size_t id_cap;
	struct line *lines;
	struct leat_buf names; /* of all functions, cleaned once */
	size_t *name_ends;     /* by function */
	struct token *tokens;  /* by rank */
	size_t token_cnt;
	uint32_t *ranks; /* by function and end */
	struct leat_buf path;
	size_t *ends; /* by depth: where the text of the path to there ends */
	size_t end_cap;
};

static void folding_fini(struct folding *f)
{
	free(f->groups);
	leat_index_fini(&f->groups_ix);
	free(f->ids);
	free(f->lines);
	leat_buf_fini(&f->names);
	free(f->name_ends);
	free(f->tokens);
	free(f->ranks);
	leat_buf_fini(&f->path);
	free(f->ends);
}

static bool is_kernel(enum leat_function_kind kind)
{
	return kind == LEAT_FUNCTION_KERNEL || kind == LEAT_FUNCTION_MODULE ||
	       kind == LEAT_FUNCTION_BPF;
}

static bool group_eq(const void *ctx, uint32_t value, const void *key)
{
	const struct folding *f = ctx;
	const struct leat_sample *have = &f->p->samples[f->groups[value].sample];
	const struct leat_sample *want = key;

	return have->stack == want->stack && (!f->by_thread || have->thread == want->thread) &&
	       (!f->by_attribute || have->attrs == want->attrs) &&
	       f->p->processes[have->process].comm == f->p->processes[want->process].comm;
}

static int add_group(struct folding *f, uint32_t sample)
{
	const struct leat_sample *s = &f->p->samples[sample];
	uint64_t hash = leat_hash_u64((uint64_t)f->p->processes[s->process].comm << 32 | s->stack);
	uint32_t id = leat_index_find(&f->groups_ix, hash, group_eq, f, s);
	int err;

	if (id != LEAT_INDEX_NONE) {
		f->groups[id].count += s->value;
		return 0;
	}
	id = (uint32_t)f->groups_ix.n;
	err = LEAT_ARRAY_ROOM(f->groups, f->group_cap, (size_t)id + 1, LEAT_PROFILE_MAX_SAMPLES);
	if (!err)
		err = leat_index_add(&f->groups_ix, hash, id);
	if (!err)
		f->groups[id] = (struct group){ .sample = sample, .count = s->value };
	return err;
}

/* The functions of each line, outermost first. */
static int put_samples(struct folding *f, const struct leat_tree_opts *o)
{
	int err = 0;

	for (size_t i = 0; !err && i < f->p->sample_cnt; i++)
		err = add_group(f, (uint32_t)i);
	f->line_cnt = f->groups_ix.n;
	f->lines = malloc((f->line_cnt + 1) * sizeof(*f->lines));
	if (err || !f->lines)
		return err ? err : -ENOMEM;
	for (size_t i = 0; !err && i < f->line_cnt; i++) {
		size_t first = f->id_cnt;

		err = leat_stack_functions(f->p, &f->p->samples[f->groups[i].sample], o, &f->ids,
					   &f->id_cnt, &f->id_cap);
		if (!err && f->id_cnt > MAX_IDS)
			err = -EOVERFLOW;
		f->lines[i] = (struct line){ .first = (uint32_t)first,
					     .n = (uint32_t)(f->id_cnt - first),
					     .count = f->groups[i].count };
	}
	free(f->groups);
	f->groups = NULL;
	leat_index_fini(&f->groups_ix);
	return err;
}

/* A function occurs in many places. */
static int clean_names(struct folding *f)
{
	f->name_ends = calloc(f->p->function_cnt + 1, sizeof(*f->name_ends));
	if (!f->name_ends)
		return -ENOMEM;
	for (size_t i = 0; i < f->p->function_cnt; i++) {
		const char *name = leat_profile_str(f->p, f->p->functions[i].name);

		leat_text_folded(&f->names, name, strlen(name));
		if (is_kernel(f->p->functions[i].kind))
			leat_buf_str(&f->names, "_[k]");
		f->name_ends[i] = f->names.len;
	}
	return f->names.err;
}

static const char *name_of(const struct folding *f, uint32_t function, size_t *n)
{
	size_t from = function ? f->name_ends[function - 1] : 0;

	*n = f->name_ends[function] - from;
	return *n ? f->names.data + from : "";
}

static int compare_tokens(const struct folding *f, const struct token *a, const struct token *b)
{
	size_t n, m;
	const char *x = name_of(f, a->function, &n), *y = name_of(f, b->function, &m);
	int c = memcmp(x, y, n < m ? n : m), after_x, after_y;

	if (c)
		return c;
	/* The shorter one goes on with ';' or nothing, the longer one with its next byte. */
	after_x = n > m ? (unsigned char)x[m] : a->end == NAME_ENDS ? ';' : -1;
	after_y = m > n ? (unsigned char)y[n] : b->end == NAME_ENDS ? ';' : -1;
	return after_x < after_y ? -1 : after_x > after_y;
}

static int by_text(const void *a, const void *b, void *ctx)
{
	return compare_tokens(ctx, a, b);
}

/* Every token that occurs. */
static int collect_tokens(struct folding *f)
{
	size_t cnt = 2 * f->p->function_cnt;

	f->ranks = calloc(cnt + 1, sizeof(*f->ranks));
	f->tokens = malloc((cnt + 1) * sizeof(*f->tokens));
	if (!f->ranks || !f->tokens)
		return -ENOMEM;
	for (size_t i = 0; i < f->line_cnt; i++) {
		const struct line *l = &f->lines[i];

		for (size_t k = 0; k < l->n; k++)
			f->ranks[2 * (size_t)f->ids[l->first + k] + (k + 1 == l->n)] = 1;
	}
	for (size_t i = 0; i < cnt; i++) {
		if (f->ranks[i])
			f->tokens[f->token_cnt++] = (struct token){ (uint32_t)(i / 2), i % 2 };
	}
	return 0;
}

/* Functions that differ may look alike: their tokens have one rank. Ranks begin at 1. */
static void rank_tokens(struct folding *f)
{
	size_t kept = 0;

	qsort_r(f->tokens, f->token_cnt, sizeof(*f->tokens), by_text, f);
	for (size_t i = 0; i < f->token_cnt; i++) {
		struct token t = f->tokens[i];

		if (!i || compare_tokens(f, &f->tokens[kept - 1], &t))
			f->tokens[kept++] = t;
		f->ranks[2 * (size_t)t.function + t.end] = (uint32_t)kept;
	}
	for (size_t i = 0; i < f->line_cnt; i++) {
		const struct line *l = &f->lines[i];

		for (size_t k = 0; k < l->n; k++)
			f->ids[l->first + k] =
				f->ranks[2 * (size_t)f->ids[l->first + k] + (k + 1 == l->n)];
	}
}

/* ---- order ---- */

static int by_key(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static int by_ranks(const void *a, const void *b, void *ctx)
{
	const struct line *x = a, *y = b;
	const struct folding *f = ctx;
	size_t n = x->n < y->n ? x->n : y->n;

	for (size_t i = 0; i < n; i++) {
		uint32_t r = f->ids[x->first + i], s = f->ids[y->first + i];

		if (r != s)
			return r < s ? -1 : 1;
	}
	return x->n < y->n ? -1 : x->n > y->n;
}

/* Two ranks at a time; 0 behind the end. True: the lines are in order already. */
static bool load_keys(const struct folding *f, struct line *lines, size_t n, size_t depth)
{
	bool sorted = true;

	for (size_t i = 0; i < n; i++) {
		struct line *l = &lines[i];
		const uint32_t *ids = f->ids + l->first;

		l->key = depth < l->n ? (uint64_t)ids[depth] << 32 : 0;
		l->key |= depth + 1 < l->n ? ids[depth + 1] : 0;
		sorted &= !i || lines[i - 1].key <= l->key;
	}
	return sorted;
}

/* Sorts lines that agree in their first @depth ranks. */
static void sort_from(const struct folding *f, struct line *lines, size_t n, size_t depth)
{
	size_t end;

	if (depth >= DEEP_IDS) {
		qsort_r(lines, n, sizeof(*lines), by_ranks, (void *)f);
		return;
	}
	if (!load_keys(f, lines, n, depth))
		qsort(lines, n, sizeof(*lines), by_key);
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && lines[end].key == lines[i].key; end++)
			;
		/* A key that ends in 0 holds the end of the stack. */
		if (end - i > 1 && (uint32_t)lines[i].key)
			sort_from(f, lines + i, end - i, depth + KEY_IDS);
	}
}

/* ---- text ---- */

/* The path holds the line before: what both begin with stays. */
static int put_path(struct folding *f, const struct line *l, const struct line *before)
{
	const uint32_t *ids = f->ids + l->first, *old = f->ids + (before ? before->first : 0);
	size_t same = 0, most = before ? (l->n < before->n ? l->n : before->n) : 0;
	int err = LEAT_ARRAY_ROOM(f->ends, f->end_cap, l->n, MAX_IDS);

	if (err)
		return err;
	while (same < most && ids[same] == old[same])
		same++;
	f->path.len = same ? f->ends[same - 1] : 0;
	for (size_t i = same; i < l->n; i++) {
		size_t n;
		const char *name = name_of(f, f->tokens[ids[i] - 1].function, &n);

		leat_buf_add(&f->path, name, n);
		if (i + 1 < l->n)
			leat_buf_char(&f->path, ';');
		f->ends[i] = f->path.len;
	}
	return f->path.err;
}

static int put_lines(struct folding *f, struct leat_buf *out)
{
	const struct line *before = NULL;
	uint64_t count = 0;
	int err = 0;

	for (size_t i = 0; !err && i < f->line_cnt; i++) {
		const struct line *l = &f->lines[i];

		count += l->count;
		if (i + 1 < f->line_cnt && !by_ranks(l, l + 1, f))
			continue;
		err = put_path(f, l, before);
		before = l;
		leat_buf_add(out, f->path.len ? f->path.data : "", f->path.len);
		leat_buf_char(out, ' ');
		leat_buf_u64(out, count);
		leat_buf_char(out, '\n');
		count = 0;
	}
	return err;
}

int leat_export_folded(struct leat_profile *p, const struct leat_export_opts *o,
		       struct leat_buf *out)
{
	struct leat_tree_opts opts = { .by_process = true,
				       .by_thread = o && o->tree.by_thread,
				       .by_attribute = o ? o->tree.by_attribute : NULL };
	LEAT_AUTO(folding_fini)
	struct folding f = { .p = p,
			     .by_thread = opts.by_thread,
			     .by_attribute = opts.by_attribute };
	int err;

	leat_buf_init(&f.names, LEAT_EXPORT_MAX_BYTES);
	leat_buf_init(&f.path, LEAT_EXPORT_MAX_BYTES);
	err = put_samples(&f, &opts);
	if (!err)
		err = clean_names(&f);
	if (!err)
		err = collect_tokens(&f);
	if (err)
		return err;
	rank_tokens(&f);
	sort_from(&f, f.lines, f.line_cnt, 0);
	err = put_lines(&f, out);
	return err ? err : out->err;
}
