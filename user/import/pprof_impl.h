/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of a pprof file while it is read. Private to import/pprof*.c. */
#ifndef LEAT_IMPORT_PPROF_IMPL_H
#define LEAT_IMPORT_PPROF_IMPL_H

#include "import/build.h"
#include "import/proto_read.h"

struct leat_pprof_text {
	const char *s; /* into the file */
	size_t n;
};

/* Strings are indices into the file's table, checked when they are used. */
struct leat_pprof_type {
	uint64_t type, unit;
};

struct leat_pprof_mapping {
	uint64_t id, start, limit, offset, file, build_id;
	uint32_t object; /* LEAT_ID_NONE until it is used */
	uint32_t module; /* of leat_build_module */
};

struct leat_pprof_function {
	uint64_t id, name, system_name, file, line;
};

struct leat_pprof_location {
	uint64_t id, mapping, address;
	struct leat_reader body; /* lines are read when it is first used */
	uint32_t first, cnt;	 /* in frames; cnt 0: not yet */
};

struct leat_pprof {
	struct leat_build *b;
	struct leat_reader whole;
	const char *name;
	size_t at; /* byte of the field that is being read */
	struct leat_pprof_text *strings;
	size_t string_cnt, string_cap;
	struct leat_pprof_type *types;
	size_t type_cnt, type_cap;
	struct leat_pprof_mapping *mappings;
	size_t mapping_cnt, mapping_cap;
	struct leat_pprof_function *functions;
	size_t function_cnt, function_cap;
	struct leat_pprof_location *locations;
	size_t location_cnt, location_cap;
	uint32_t *frames; /* of locations, innermost first */
	size_t frame_cnt, frame_cap;
	uint64_t *comments;
	size_t comment_cnt, comment_cap;
	struct leat_index mapping_ix, function_ix, location_ix;
	struct leat_pprof_type period_type;
	uint64_t time_ns, duration_ns, period, default_type;
	size_t value; /* which of a sample's values counts */
};

void leat_pprof_fini(struct leat_pprof *x);
int leat_pprof_each(struct leat_pprof *x,
		    int (*fn)(struct leat_pprof *, struct leat_proto_field *)) LEAT_MUST_USE;
int leat_pprof_string(const struct leat_pprof *x, uint64_t i,
		      struct leat_pprof_text *out) LEAT_MUST_USE;
bool leat_pprof_is(const struct leat_pprof *x, uint64_t i, const char *what);
/* NULL: there is none. */
struct leat_pprof_mapping *leat_pprof_mapping(const struct leat_pprof *x, uint64_t id);
struct leat_pprof_function *leat_pprof_function(const struct leat_pprof *x, uint64_t id);
struct leat_pprof_location *leat_pprof_location(const struct leat_pprof *x, uint64_t id);

/* Which of a sample's values counts. */
int leat_pprof_choose(struct leat_pprof *x, const struct leat_import_opts *o,
		      struct leat_diag *d) LEAT_MUST_USE;
int leat_pprof_take_sample(struct leat_pprof *x, struct leat_proto_field *f) LEAT_MUST_USE;
/* Fills l->first, l->cnt. */
int leat_pprof_frames(struct leat_pprof *x, struct leat_pprof_location *l) LEAT_MUST_USE;
/* Times, the event, and what leat's own comments say. */
int leat_pprof_meta(struct leat_pprof *x) LEAT_MUST_USE;

#endif
