/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/filter.h - which records of an event count.
 *
 *	prev_comm == "redis-server" && (next_pid > 1000 || !(flags & 4)) && filename contains "/etc"
 *
 *	expression := condition { ("&&" | "||") condition }	&& binds tighter than ||
 *	condition  := "!" condition | "(" expression ")" | field test
 *	test       := ("==" | "!=" | "<" | "<=" | ">" | ">=") value
 *	            | "&" number [test]			some bit is set; or: what is left, compared
 *	            | "in" (value ".." value | "{" item { "," item } "}")	item: value [".." value]
 *	            | ("contains" | "starts_with" | "ends_with") string | "~" glob
 *	field      := letters, digits, _ and .; any other name between backquotes
 *	value      := number (1000, 0x3e8, 01750, -1, 2.5) | name of an enum's value | string
 *	string     := "..." with \\ \" \n \t \r \xHH
 *	glob       := string with * ? [a-z] [!a-z], and \ before what stands for itself
 *
 * Numbers are compared as numbers, whatever their widths and signs. Text ends at its first NUL and
 * is compared by bytes; UTF-16 text by its 16-bit units, and what it is compared with is UTF-8. A
 * record in which some field of the expression is missing or cut short never passes, also under
 * "!", and is counted: what a filter says does not depend on the order of its conditions.
 *
 * Text becomes a tree, once, checked against a format. Back ends make programs of the tree: one
 * runs in user space, others (struct leat_filter_backend) wherever the records are.
 */
#ifndef LEAT_FILTER_H
#define LEAT_FILTER_H

#include <leat/event.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEAT_FILTER_MAX_BYTES  65535u /**< of an expression */
#define LEAT_FILTER_MAX_NODES  1024u
#define LEAT_FILTER_MAX_VALUES 4096u
#define LEAT_FILTER_MAX_DEPTH  32u /**< levels of the tree; of "(" and "!": twice that */
#define LEAT_FILTER_MAX_SLOTS  64u /**< distinct fields of variable place, in user space */
#define LEAT_FILTER_NONE       UINT32_MAX

struct leat_filter_tree;
struct leat_filter;

/** Why an expression was refused. */
struct leat_filter_error {
	size_t column; /**< byte of the expression, from 1; 0: none in particular */
	char text
		[512]; /**< one line, what was expected and what there is; "" when nothing failed */
};

enum leat_filter_op {
	LEAT_FILTER_AND = 0,  /**< all of its children */
	LEAT_FILTER_OR = 1,   /**< one of its children */
	LEAT_FILTER_NOT = 2,  /**< its only child not */
	LEAT_FILTER_EQ = 3,   /**< number, float, text: one value */
	LEAT_FILTER_NE = 4,   /**< the same */
	LEAT_FILTER_LT = 5,   /**< number, float: one value */
	LEAT_FILTER_LE = 6,   /**< the same */
	LEAT_FILTER_GT = 7,   /**< the same */
	LEAT_FILTER_GE = 8,   /**< the same */
	LEAT_FILTER_BITS = 9, /**< number: some bit of .mask is set; no value */
	LEAT_FILTER_IN = 10,  /**< one of the values or ranges */
	LEAT_FILTER_CONTAINS = 11,
	LEAT_FILTER_STARTS_WITH = 12,
	LEAT_FILTER_ENDS_WITH = 13,
	LEAT_FILTER_GLOB = 14,
	LEAT_FILTER_OP__MAX
};

/** What a field is compared as. */
enum leat_filter_kind {
	LEAT_FILTER_NUMBER = 0,
	LEAT_FILTER_FLOAT = 1,
	LEAT_FILTER_TEXT = 2,  /**< bytes up to the first NUL */
	LEAT_FILTER_UTF16 = 3, /**< UTF-16LE up to the first unit of 0 */
};

/** An integer of -2^63 .. 2^64 - 1. */
struct leat_filter_number {
	uint64_t bits; /**< two's complement */
	bool negative;
};

/** What a field is compared with; which members count follows from the node's kind. */
struct leat_filter_value {
	struct leat_filter_number lo, hi; /**< NUMBER, and FLOAT when .is_float is not set */
	double float_lo, float_hi;	  /**< FLOAT; ranges include their ends */
	bool is_float;			  /**< written as a float: 2.5 */
	bool is_range;			  /**< else both ends are the same */
	const char *text;		  /**< TEXT, UTF16: bytes, NUL-terminated, borrowed */
	size_t len;
};

/** A node of the tree. Plain data. */
struct leat_filter_node {
	enum leat_filter_op op;
	uint32_t first; /**< AND, OR, NOT: first child, else LEAT_FILTER_NONE */
	uint32_t next;	/**< next child of the same parent; LEAT_FILTER_NONE after the last */
	leat_field_ref field;
	enum leat_filter_kind kind;
	bool masked;	/**< of the field's value only the bits of .mask count */
	uint64_t mask;	/**< with BITS, and when .masked */
	uint32_t value; /**< index of the first value */
	uint32_t value_cnt;
	uint32_t height; /**< levels of the tree from here down: 1 for a test */
	uint32_t column; /**< where it stands in the expression, from 1 */
};

/** What belongs to parsing beside the text. Zeroed: nothing. */
struct leat_filter_opts {
	size_t sz; /**< sizeof(struct leat_filter_opts) */
	/**
	 * The value behind a name, for a field: 0 and *out, or -ENOENT. NULL: what the format
	 * knows of its enums.
	 */
	int (*name_value)(void *ctx, const struct leat_format *f, leat_field_ref field,
			  const char *name, struct leat_filter_number *out);
	void *ctx;
};

/* ---- the tree ---- */

/**
 * leat_filter_parse - make the tree of an expression, checked against a format.
 * @out:  the tree; unchanged on failure.
 * @f:    borrowed as long as the tree lives.
 * @text: the expression.
 * @o:    NULL: defaults.
 * @e:    NULL, or filled on failure.
 *
 * Ownership: the caller's, until leat_filter_tree_free.  Threads: caller serialises.
 * Errors:    -EINVAL syntax, or an operator that the field's type does not take, -ENOENT no such
 *            field or name, -EOVERFLOW over a maximum above, -E2BIG @o is of a later version, -ENOMEM.
 * Cost:      linear in the text, times the number of fields for an unknown name.
 */
int leat_filter_parse(struct leat_filter_tree **out, const struct leat_format *f, const char *text,
		      const struct leat_filter_opts *o, struct leat_filter_error *e);
/** leat_filter_tree_free - NULL is accepted in *@t; nulls the pointer. */
void leat_filter_tree_free(struct leat_filter_tree **t);
/** leat_filter_tree_root - index of the outermost node. */
uint32_t leat_filter_tree_root(const struct leat_filter_tree *t);
/** leat_filter_tree_node - the node behind an index, borrowed; NULL when out of range. */
const struct leat_filter_node *leat_filter_tree_node(const struct leat_filter_tree *t, uint32_t i);
/** leat_filter_tree_value - the value behind an index, borrowed; NULL when out of range. */
const struct leat_filter_value *leat_filter_tree_value(const struct leat_filter_tree *t,
						       uint32_t i);
/** leat_filter_tree_format - the format that it was parsed for. */
const struct leat_format *leat_filter_tree_format(const struct leat_filter_tree *t);
/** leat_filter_tree_equal - whether two trees say the same in the same order; columns do not count. */
bool leat_filter_tree_equal(const struct leat_filter_tree *a, const struct leat_filter_tree *b);
/**
 * leat_filter_tree_text - the tree as an expression, in one spelling; parsed again it is equal.
 * @out: NUL-terminated, the caller's: free() it.
 * Errors: -ENOMEM.
 */
int leat_filter_tree_text(const struct leat_filter_tree *t, char **out);

/* ---- back ends ---- */

/** What a back end makes of a tree. It stands alone: the tree may be freed before it. */
struct leat_filter_program {
	void *self;
	/** 1 passes, 0 does not, -ENODATA a field is missing. NULL: it runs elsewhere. */
	int (*run)(const void *self, const struct leat_record *r);
	void (*free)(void *self); /**< NULL: nothing to free */
};

/** Makes programs of trees. Supplied by leat, or by user code. */
struct leat_filter_backend {
	const char *name;
	/**
	 * Fills *@out. The format of the tree lives as long as the program.
	 * 0, -ENOTSUP with @e filled (the expression has something that it cannot do), -EOVERFLOW,
	 * -ENOMEM.
	 */
	int (*compile)(const struct leat_filter_tree *t, struct leat_filter_program *out,
		       struct leat_filter_error *e);
};

/**
 * leat_filter_user_backend - the one that runs in user space: a flat program, without recursion,
 * allocation or look-up of names when it runs.
 */
const struct leat_filter_backend *leat_filter_user_backend(void);

/* ---- filters ---- */

/**
 * leat_filter_new - a filter for records of a format, in user space.
 * As leat_filter_parse; @f must live as long as the filter.
 */
int leat_filter_new(struct leat_filter **out, const struct leat_format *f, const char *text,
		    struct leat_filter_error *e);
/**
 * leat_filter_from_tree - a filter from a tree, by a back end.
 * Errors: -EINVAL a program of @b does not run here; those of the back end.
 */
int leat_filter_from_tree(struct leat_filter **out, const struct leat_filter_tree *t,
			  const struct leat_filter_backend *b, struct leat_filter_error *e);
/** leat_filter_free - NULL is accepted in *@f; nulls the pointer. */
void leat_filter_free(struct leat_filter **f);
/** The first members of a filter, for the inline function below and for it alone. */
struct leat_filter_head {
	int (*run)(const void *self, const struct leat_record *r); /**< of its program */
	const void *self;
	uint64_t missing_cnt;
};

/**
 * leat_filter_matches - whether a record passes.
 *
 * Threads: caller serialises (it counts).
 * Cost:    inline: 1 to 2 ns for a comparison of a number; text by its length.
 */
static inline bool leat_filter_matches(struct leat_filter *f, const struct leat_record *r)
{
	struct leat_filter_head *h = (struct leat_filter_head *)f;
	int passes = h->run(h->self, r);

	if (__builtin_expect(passes < 0, 0))
		h->missing_cnt++;
	return passes > 0;
}

/** leat_filter_missing_cnt - records that did not pass because a field was missing or short. */
uint64_t leat_filter_missing_cnt(const struct leat_filter *f);

#ifdef __cplusplus
}
#endif

#endif
