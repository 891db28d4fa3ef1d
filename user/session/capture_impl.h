/* SPDX-License-Identifier: BSD-2-Clause */
/* The chunks that hold a profile's names, as bytes; and what was read of them. Private to session/. */
#ifndef LEAT_SESSION_CAPTURE_IMPL_H
#define LEAT_SESSION_CAPTURE_IMPL_H

#include "base/buf.h"
#include "event/capture.h"
#include "session/capture.h"

/* Rows; numbers of other tables' rows are LEAT_ID_NONE where there is none. */
struct leat_row_process {
	uint32_t tgid;
	uint32_t exec_cnt;
	uint64_t start_ns;
	uint64_t from_ns;
};
_Static_assert(sizeof(struct leat_row_process) == 24, "file format");

#define LEAT_ROW_UNREADABLE 1u
#define LEAT_ROW_NO_TABLE   8 /* bits 8 to 15: enum leat_no_table */

struct leat_row_object {
	uint32_t kind; /* enum leat_object_kind */
	uint32_t path;
	uint32_t process;
	uint32_t flags;
	uint64_t dev;
	uint64_t ino;
	uint64_t ino_gen;
	uint64_t map_start;
	uint64_t map_end;
	uint64_t map_pgoff;
	uint32_t build_id_len;
	uint8_t build_id[20];
};
_Static_assert(sizeof(struct leat_row_object) == 88, "file format");

struct leat_row_function {
	uint32_t name;
	uint32_t raw;
	uint32_t object;
	uint32_t file;
	uint32_t line;
	uint16_t kind;	  /* enum leat_function_kind */
	uint16_t unnamed; /* enum leat_unnamed */
	uint64_t start;
};
_Static_assert(sizeof(struct leat_row_function) == 32, "file format");

struct leat_row_frame {
	uint32_t object;
	uint32_t flags; /* LEAT_FRAME_* */
	uint64_t offset;
	uint32_t function;
	uint32_t pad;
};
_Static_assert(sizeof(struct leat_row_frame) == 24, "file format");

/* ---- items (capture_items.c) ---- */

void leat_items_put_options(struct leat_buf *b, const struct leat_capture_options *o);
void leat_items_put_meta(struct leat_buf *b, const struct leat_profile *p);
void leat_items_put_verdict(struct leat_buf *b, const struct leat_verdict *v);
/* All of these: 0, -EBADMSG; unknown items are passed over. */
int leat_items_get_options(const void *p, size_t n, struct leat_capture_options *o) LEAT_MUST_USE;
int leat_items_get_meta(const void *p, size_t n, struct leat_profile *to) LEAT_MUST_USE;
/* Only what a replay cannot find out; *@taken: what the recording counted. */
int leat_items_get_verdict(const void *p, size_t n, struct leat_verdict *v,
			   uint64_t *taken) LEAT_MUST_USE;

/* ---- names (names.c) ---- */

/* The tables of a file, as they come; put into the profile when it stands. */
struct leat_names {
	uint32_t *strings; /* of the profile, by number in the file */
	size_t string_cnt, string_cap;
	struct leat_row_process *processes;
	size_t process_cnt, process_cap;
	struct leat_row_object *objects;
	size_t object_cnt, object_cap;
	struct leat_row_function *functions;
	size_t function_cnt, function_cap;
	struct leat_row_frame *frames;
	size_t frame_cnt, frame_cap;
};

void leat_names_fini(struct leat_names *n);
/* One chunk; its strings go into @to at once. 0, -EBADMSG, -EOVERFLOW (the maxima of a profile), -ENOMEM. */
int leat_names_read(struct leat_names *n, uint16_t kind, struct leat_reader *r,
		    struct leat_profile *to) LEAT_MUST_USE;
/* *@strange: names of places that are not in @p. -EBADMSG where numbers lead nowhere. */
int leat_names_apply(const struct leat_names *n, struct leat_profile *p,
		     uint64_t *strange) LEAT_MUST_USE;

#endif
