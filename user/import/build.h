/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A profile in the making, as all importers make it: names become frames, frames become stacks,
 * stacks become samples. Private to import/. One writer.
 */
#ifndef LEAT_IMPORT_BUILD_H
#define LEAT_IMPORT_BUILD_H

#include <stdbool.h>

#include "base/index.h"
#include "import/import.h"
#include "profile/profile.h"

#define LEAT_IMPORT_MAX_DEPTH  8192u /* frames of a stack; outer ones are cut, counted */
#define LEAT_IMPORT_MAX_EVENTS 1024u /* distinct event names of a file */
#define LEAT_IMPORT_MAX_TOTAL  ((uint64_t)1 << 61) /* of all values, so that no sum overflows */
#define LEAT_IMPORT_PERF_DEPTH 127u		   /* kernel.perf_event_max_stack's default */

/* What a module's name says about the code in it. */
enum leat_module_kind {
	LEAT_MODULE_NONE = 0, /* not told */
	LEAT_MODULE_FILE = 1,
	LEAT_MODULE_UNKNOWN = 2, /* "[unknown]" */
	LEAT_MODULE_KERNEL = 3,
	LEAT_MODULE_KMODULE = 4,
	LEAT_MODULE_BPF = 5,
	LEAT_MODULE_JIT = 6,
};

struct leat_build_name {
	const char *s; /* in the profile's strings */
	uint32_t n;
	uint32_t object;
	uint32_t flags; /* LEAT_NAME_* */
	uint32_t frame;
};

/* A line of text that is a frame, as it was seen before. */
#define LEAT_BUILD_LINE_BYTES 112
struct leat_build_line {
	uint64_t hash;
	uint32_t frame;
	uint32_t n; /* 0: none */
	char text[LEAT_BUILD_LINE_BYTES];
};
_Static_assert(sizeof(struct leat_build_line) == 128, "two lines of cache");

struct leat_build_event {
	uint32_t name; /* string id */
	bool period_varies;
	uint64_t period; /* of its samples; 0: not told */
	uint64_t samples;
	uint64_t total; /* of their values */
};

struct leat_build {
	struct leat_profile *p;
	struct leat_index names_ix, modules_ix, who_ix;
	struct leat_build_name *names;
	size_t name_cap;
	struct leat_build_module {
		uint32_t object;
		enum leat_module_kind kind;
		uint32_t path;
	} * modules;
	size_t module_cap;
	struct leat_build_who {
		uint32_t comm, pid, process;
		bool pair;
	} * who;
	size_t who_cap;
	struct leat_build_event *events;
	size_t event_cnt, event_cap;
	struct leat_build_line *lines; /* by hash; the later one stays */
	size_t line_slots, line_cnt;   /* a power of 2, or 0; how many were put there */
	const char *last_module;       /* in the profile's strings: lines in a row share theirs */
	size_t last_module_n;
	uint32_t last_module_id;
	/* the stack that is being read, innermost first */
	uint32_t *ids;
	size_t depth, ids_cap;
	uint64_t total; /* of all values */
	/* what the verdict will say */
	uint64_t unread;      /* lines that were not understood */
	uint64_t cut_deep;    /* frames beyond LEAT_IMPORT_MAX_DEPTH */
	uint64_t other_event; /* samples of events beyond LEAT_IMPORT_MAX_EVENTS */
	uint64_t labels;      /* of samples, for which there was no room */
	uint64_t lost;	      /* that the file itself says were lost */
	bool lost_told;	      /* the file says what was lost, if only that it was nothing */
	bool cut;	      /* the file ends in the middle of something */
};

int leat_build_init(struct leat_build *b) LEAT_MUST_USE;
void leat_build_fini(struct leat_build *b);

/* The object of a module by its path; "" is one too. */
int leat_build_module(struct leat_build *b, const char *s, size_t n,
		      uint32_t *module) LEAT_MUST_USE;

#define LEAT_NAME_KERNEL  1u /* told to be in the kernel (an address, a suffix) */
#define LEAT_NAME_INLINED 2u
#define LEAT_NAME_JIT	  4u
#define LEAT_NAME_MARK                                                                             \
	8u /* "[truncated]" and the like are marks (text that leat may have written) */
/*
 * The frame of a function that is known by its name: @name may be "[unknown]", then the module
 * stands for it. @module is what leat_build_module gave.
 */
int leat_build_frame(struct leat_build *b, const char *name, size_t n, uint32_t module,
		     uint32_t flags, uint32_t *frame) LEAT_MUST_USE;
/* What a function by that name in that module is; the name that it is shown as goes to @f. */
int leat_build_function(struct leat_build *b, const char *name, size_t n, uint32_t module,
			uint32_t flags, struct leat_function *f) LEAT_MUST_USE;
/* A frame that is a name alone, of a function that is known already. */
int leat_build_named(struct leat_build *b, uint32_t object, uint32_t function,
		     uint32_t *frame) LEAT_MUST_USE;

/* One frame more, further out. Beyond the maximum it is counted. 0 or -ENOMEM. */
int leat_build_push(struct leat_build *b, uint32_t frame) LEAT_MUST_USE;
/* The stack in ids[0..depth) as the profile has it: marks at its ends become results. */
int leat_build_stack(struct leat_build *b, uint8_t uresult, uint32_t *stack) LEAT_MUST_USE;
/* @pair: pid and tid are both known; else @pid is whichever it is. @thread: LEAT_ID_NONE if not. */
int leat_build_who(struct leat_build *b, const char *comm, size_t n, uint32_t pid, uint32_t tid,
		   bool pair, uint32_t *process, uint32_t *thread) LEAT_MUST_USE;
/* The event's index; LEAT_ID_NONE when there are too many. */
int leat_build_event(struct leat_build *b, const char *s, size_t n, uint32_t *event) LEAT_MUST_USE;
/* Adds a sample; -EOVERFLOW when the values add up to too much. */
int leat_build_sample(struct leat_build *b, const struct leat_sample *s) LEAT_MUST_USE;

/* "+0x1f" at the end of @s is an offset: the length without it. */
size_t leat_build_strip_offset(const char *s, size_t n);

/* No text comes any more: frees what only its lines need. */
void leat_build_forget_lines(struct leat_build *b);
/* Takes @from's samples, and what they need, into @to. */
int leat_build_merge(struct leat_build *to, const struct leat_build *from) LEAT_MUST_USE;
/*
 * Ends it: one event is chosen, threads come to their processes, everything is counted into the
 * verdict.
 */
int leat_build_finish(struct leat_build *b, const struct leat_import_opts *o,
		      struct leat_diag *d) LEAT_MUST_USE;

#endif
