/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "process;outer;...;inner count", one line for each distinct stack, sorted by bytes. Kernel
 * functions end in "_[k]", by which flame graph tools colour them.
 */
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "export/formats.h"

#define MAX_LINES (64u << 20)

struct line {
	size_t offset; /* into the text */
	size_t len;
	uint64_t count;
};

struct folding {
	struct leat_profile *p;
	struct leat_tree tree;
	struct leat_buf text;
	struct line *lines;
	size_t n;
	size_t cap;
	size_t *ends; /* by depth: where the text of the path to there ends */
	struct leat_buf path;
	struct leat_buf names; /* of all functions, cleaned once */
	size_t *name_ends;     /* by function */
};

static void folding_fini(struct folding *f)
{
	leat_tree_fini(&f->tree);
	leat_buf_fini(&f->text);
	leat_buf_fini(&f->path);
	leat_buf_fini(&f->names);
	free(f->lines);
	free(f->ends);
	free(f->name_ends);
}

static bool is_kernel(enum leat_function_kind kind)
{
	return kind == LEAT_FUNCTION_KERNEL || kind == LEAT_FUNCTION_MODULE ||
	       kind == LEAT_FUNCTION_BPF;
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

static void put_function(struct folding *f, uint32_t function)
{
	size_t from = function ? f->name_ends[function - 1] : 0;

	if (f->name_ends[function] > from)
		leat_buf_add(&f->path, f->names.data + from, f->name_ends[function] - from);
}

/* The path of a node is its parent's, which stands in the buffer still, and its own name. */
static int put_node(struct folding *f, const struct leat_node *node)
{
	size_t parent_end = node->depth > 1 ? f->ends[node->depth - 1] : 0;
	int err;

	f->path.len = parent_end;
	if (node->depth > 1)
		leat_buf_char(&f->path, ';');
	put_function(f, node->function);
	f->ends[node->depth] = f->path.len;
	if (f->path.err || !node->self)
		return f->path.err;
	err = LEAT_ARRAY_ROOM(f->lines, f->cap, f->n + 1, MAX_LINES);
	if (err)
		return err;
	f->lines[f->n++] =
		(struct line){ .offset = f->text.len, .len = f->path.len, .count = node->self };
	leat_buf_add(&f->text, f->path.data, f->path.len);
	return f->text.err;
}

static int put_nodes(struct folding *f)
{
	int err = 0;

	f->ends = calloc((size_t)f->tree.max_depth + 1, sizeof(*f->ends));
	if (!f->ends)
		return -ENOMEM;
	for (size_t i = 1; i < f->tree.n && !err; i++)
		err = put_node(f, &f->tree.nodes[i]);
	return err;
}

static int compare(const struct folding *f, const struct line *a, const struct line *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int c = n ? memcmp(f->text.data + a->offset, f->text.data + b->offset, n) : 0;

	if (c)
		return c;
	return a->len < b->len ? -1 : a->len > b->len;
}

static int by_text(const void *a, const void *b, void *ctx)
{
	return compare(ctx, a, b);
}

/* Functions that differ may look alike: their lines are one. */
static void put_lines(const struct folding *f, struct leat_buf *out)
{
	uint64_t count = 0;

	for (size_t i = 0; i < f->n; i++) {
		count += f->lines[i].count;
		if (i + 1 < f->n && compare(f, &f->lines[i], &f->lines[i + 1]) == 0)
			continue;
		leat_buf_add(out, f->text.data + f->lines[i].offset, f->lines[i].len);
		leat_buf_char(out, ' ');
		leat_buf_u64(out, count);
		leat_buf_char(out, '\n');
		count = 0;
	}
}

int leat_export_folded(struct leat_profile *p, const struct leat_export_opts *o,
		       struct leat_buf *out)
{
	LEAT_AUTO(folding_fini) struct folding f = { .p = p };
	struct leat_tree_opts opts = { .by_process = true, .by_thread = o && o->tree.by_thread };
	int err;

	leat_buf_init(&f.text, LEAT_EXPORT_MAX_BYTES);
	leat_buf_init(&f.path, LEAT_EXPORT_MAX_BYTES);
	leat_buf_init(&f.names, LEAT_EXPORT_MAX_BYTES);
	err = leat_tree_build(&f.tree, p, &opts);
	if (!err)
		err = clean_names(&f);
	if (!err)
		err = put_nodes(&f);
	if (err)
		return err;
	if (f.n)
		qsort_r(f.lines, f.n, sizeof(*f.lines), by_text, &f);
	put_lines(&f, out);
	return out->err;
}
