/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program of a filter in user space. An instruction tests one field and names the next
 * instruction for either result; fields are known to be there before the first one runs.
 */
#ifndef LEAT_EVENT_FILTER_PROG_H
#define LEAT_EVENT_FILTER_PROG_H

#include "event/filter.h"

/* Where a verdict stands in place of an instruction. */
#define LEAT_PROG_FALSE 0xfffeu
#define LEAT_PROG_TRUE	0xffffu
#define LEAT_PROG_MAX	(LEAT_FILTER_MAX_NODES + LEAT_FILTER_MAX_VALUES)

/* How a number is loaded: the first part of an operation's name. */
enum leat_load {
	LEAT_LOAD_U8 = 0,
	LEAT_LOAD_U16,
	LEAT_LOAD_U32,
	LEAT_LOAD_U64,
	LEAT_LOAD_I8,
	LEAT_LOAD_I16,
	LEAT_LOAD_I32,
	LEAT_LOAD_SLOT,
	LEAT_LOAD__MAX
};

enum leat_prog_op {
	LEAT_PROG_RANGE = 0,		    /* + load: (value & mask) - a <= b */
	LEAT_PROG_SET = LEAT_LOAD__MAX,	    /* + load: in one of the ranges */
	LEAT_PROG_F32 = 2 * LEAT_LOAD__MAX, /* low <= value <= high */
	LEAT_PROG_F64,
	LEAT_PROG_F_SLOT,
	LEAT_PROG_EQ8, /* text in at least 8 bytes, masked and compared whole */
	LEAT_PROG_EQ16,
	LEAT_PROG_EQ,
	LEAT_PROG_STARTS,
	LEAT_PROG_ENDS,
	LEAT_PROG_CONTAINS,
	LEAT_PROG_GLOB,
	LEAT_PROG_EQ_W, /* the same for UTF-16 */
	LEAT_PROG_STARTS_W,
	LEAT_PROG_ENDS_W,
	LEAT_PROG_CONTAINS_W,
	LEAT_PROG_GLOB_W,
};

/* Where the bytes of a text are. */
enum leat_span {
	LEAT_SPAN_STATIC = 0, /* at, size */
	LEAT_SPAN_REST,	      /* from at to the record's end */
	LEAT_SPAN_SLOT,	      /* slot number at */
};

struct leat_prog_range {
	uint64_t lo, hi;
};

/* One cache line. */
struct leat_insn {
	uint8_t op;
	uint8_t span;
	uint16_t if_true;
	uint16_t if_false;
	uint32_t at; /* bytes from the record's start, or number of the slot */
	uint32_t size;
	uint32_t n; /* bytes of the literal, or ranges */
	union {
		struct {
			uint64_t mask;
			uint64_t
				lo; /* RANGE: lowest; SET: what is flipped so that order is unsigned */
			uint64_t span_len; /* RANGE: highest - lowest */
		} num;
		struct {
			double lo, hi;
		} real;
		struct {
			uint64_t lit[2], mask[2];
		} eq;
	};
	union {
		const uint8_t *lit; /* followed by a NUL (UTF-16: two), owned by the program */
		const struct leat_prog_range *ranges; /* sorted, disjoint */
		const struct leat_glob *glob;
	};
};

/* A field of variable place, found before the program runs. */
struct leat_prog_slot {
	const uint8_t *p;
	uint64_t n; /* bytes; of a number: its value; of a float: its bits as a double */
};

struct leat_prog_fetch {
	leat_field_ref field;
	uint8_t location;
	uint8_t kind; /* enum leat_filter_kind */
	uint32_t at;
};

/* A program that is one test of one number, as most are: all that it needs, side by side. */
struct leat_prog_one {
	uint32_t at;
	uint32_t passes; /* when the number is in the range: 1, else 0 */
	uint64_t mask, lo, span_len;
};

struct leat_prog {
	struct leat_prog_one one;
	const struct leat_format *format; /* borrowed: of fields that its readers find */
	struct leat_insn *code;		  /* LEAT_PROG_MAX of them are not needed: the last .n */
	size_t cap, n;
	uint16_t entry;	   /* index into code, or a verdict */
	uint32_t min_size; /* a shorter record lacks a field of fixed place */
	struct leat_prog_fetch fetches[LEAT_FILTER_MAX_SLOTS];
	size_t fetch_cnt;
	void **owned; /* literals and ranges */
	size_t owned_cnt, owned_cap;
	struct leat_glob **globs;
	size_t glob_cnt, glob_cap;
};

/* What the compiler makes of a test of numbers: disjoint sorted ranges of an unsigned order. */
struct leat_intervals {
	struct leat_prog_range *items;
	size_t n;
	uint64_t flip; /* xor: makes signed order unsigned */
};

/* The values for which the test of @n holds (of NE: for which it does not). Caller frees .items. */
int leat_prog_intervals(const struct leat_filter_tree *t, const struct leat_filter_node *n,
			bool is_signed, struct leat_intervals *out) LEAT_MUST_USE;
/* Bounds of one value of a test of floats, the ends included; *lo > *hi: none. */
void leat_prog_bounds(const struct leat_filter_node *n, const struct leat_filter_value *v,
		      bool single, double *lo, double *hi);
/* The function that runs it, once it is complete. */
int (*leat_prog_runner(struct leat_prog *pr))(const void *program, const struct leat_record *r);

#endif
