/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exporters: one file per format, behind one ops table. They read a resolved, judged profile and
 * write bytes into a buffer; files are the caller's business. Same input, same bytes.
 */
#ifndef LEAT_EXPORT_EXPORT_H
#define LEAT_EXPORT_EXPORT_H

#include "base/buf.h"
#include "profile/profile.h"
#include "profile/tree.h"

#define LEAT_EXPORT_MAX_BYTES ((size_t)2 << 30)

struct leat_export_opts {
	const char *title; /* NULL: made from the profile's meta */
	struct leat_tree_opts tree;
	bool no_verdict;
	bool inverted;		  /* SVG: icicle */
	double min_width_percent; /* SVG: boxes narrower are left out and counted; default 0.1 */
};

struct leat_exporter {
	const char *format;    /* "html", "svg", "folded", "pprof", "speedscope", "script" */
	const char *extension; /* ".html", ".svg", ".folded", ".pb.gz", ".json", ".txt" */
	const char *help;
	bool binary;	   /* not for a terminal */
	bool needs_stream; /* wants samples with time */
	bool capture;	   /* no picture of a profile: the records themselves; .write is NULL */
	int (*write)(struct leat_profile *p, const struct leat_export_opts *o,
		     struct leat_buf *out);
};

/* NULL past the end. */
const struct leat_exporter *leat_exporter_at(size_t i);
const struct leat_exporter *leat_exporter_find(const char *format); /* NULL unknown */
const struct leat_exporter *leat_exporter_for_path(
	const char *path); /* by extension; NULL unknown */
/* "CPU, cpu-clock samples @ 99 Hz, 10.0 s, nginx (pid 4242)". */
void leat_export_title(const struct leat_profile *p, const struct leat_export_opts *o,
		       struct leat_buf *out);

#endif
