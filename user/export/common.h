/* SPDX-License-Identifier: BSD-2-Clause */
/* What several exporters need. Private to export/. */
#ifndef LEAT_EXPORT_COMMON_H
#define LEAT_EXPORT_COMMON_H

#include "export/export.h"

/* Nanoseconds of CPU that one sample stands for; 0 when it does not stand for time. */
uint64_t leat_export_sample_ns(const struct leat_profile *p);
/* Samples that the narrowest box of a picture has; @percent: of all, when @o leaves it open. */
uint64_t leat_export_least(const struct leat_profile *p, const struct leat_export_opts *o,
			   double percent);
/* A string of the profile as JSON (with quotes) or XML text, cleaned; "" for LEAT_ID_NONE. */
void leat_export_json(struct leat_buf *out, const struct leat_profile *p, uint32_t id);
void leat_export_xml(struct leat_buf *out, const struct leat_profile *p, uint32_t id);
/* What a buffer holds, as JSON or XML text. An error of @text goes on to @out. */
void leat_export_json_buf(struct leat_buf *out, const struct leat_buf *text);
void leat_export_xml_buf(struct leat_buf *out, const struct leat_buf *text);
/* "file path" of the object, "" without one. Borrowed. */
const char *leat_export_module(const struct leat_profile *p, uint32_t object);
/* A stack as it is shown, innermost first. */
struct leat_export_stack {
	struct leat_export_place {
		uint32_t frame; /* LEAT_ID_NONE for marks */
		uint32_t function;
	} * places;
	size_t n;
	size_t cap;
	uint32_t *ids; /* scratch */
	size_t id_cap;
};

/* Fills @x anew with the stack of @s, marks ("[truncated]") included. */
int leat_export_stack(struct leat_export_stack *x, struct leat_profile *p,
		      const struct leat_sample *s) LEAT_MUST_USE;
void leat_export_stack_fini(struct leat_export_stack *x);
/* Where a frame lay in memory, by the one place where its object was mapped that is known. */
uint64_t leat_export_address(const struct leat_object *o, uint64_t offset);
/* "2026-11-23 19:12:07 UTC". */
void leat_export_time(struct leat_buf *out, uint64_t real_ns);
/* "1,234,567". */
void leat_export_count(struct leat_buf *out, uint64_t v);
/* Next node in preorder, parents before children; LEAT_ID_NONE after the last. */
uint32_t leat_export_next(const struct leat_tree *t, uint32_t node, bool skip_children);

#endif
