/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/export.h - profiles as files: the formats that leat has, and those of user code.
 *
 *	const struct leat_exporter *e = leat_exporter_find("folded");
 *	char *data;
 *	size_t len;
 *
 *	err = leat_export_write(e, profile, NULL, &data, &len);
 *
 * An exporter of user code is a struct leat_exporter whose .write reads the profile through
 * leat/profile.h and appends to the buffer; it is used in the same way.
 */
#ifndef LEAT_EXPORT_H
#define LEAT_EXPORT_H

#include <leat/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where an exporter writes. The first error sticks, later calls do nothing. */
struct leat_buf;

/** What the outermost levels of a tree are. */
struct leat_tree_opts {
	/**
	 * First level: the value of this attribute, as "pod=web-7", or "[no pod]"; NULL: none. Of
	 * html, svg, folded and speedscope; pprof has all attributes as labels of its samples.
	 */
	const char *by_attribute;
	bool by_process; /**< next level: the process, when there is more than one */
	bool by_thread;	 /**< next level: the thread */
	uint64_t least;	 /**< samples: on a node with fewer stands "[too narrow]" alone; 0: none */
};

/** How to write. Zeroed: the defaults. */
struct leat_export_opts {
	const char *title; /**< NULL: made from what was recorded */
	struct leat_tree_opts tree;
	bool no_verdict;
	bool inverted; /**< pictures: the innermost function above */
	/**
	 * Of the picture: what stands on boxes that are narrower is left out, and how much is said.
	 * Negative: nothing is. 0: svg 0.1; html 0.01, and nothing up to a million boxes.
	 */
	double min_width_percent;
};

/** A format. */
struct leat_exporter {
	const char *format;    /**< "html", "svg", "folded", "pprof", "speedscope", "script" */
	const char *extension; /**< ".html", ".svg", ".folded", ".pb.gz", ".json", ".txt" */
	const char *help;      /**< a line */
	bool binary;	       /**< not for a terminal */
	bool needs_stream;     /**< wants samples with time */
	bool capture;	       /**< the records themselves, while they come; .write is NULL */
	/** Appends to @out; same input, same bytes. 0, -ENOMEM, -EOVERFLOW, or another -errno. */
	int (*write)(struct leat_profile *p, const struct leat_export_opts *o,
		     struct leat_buf *out);
};

/** leat_exporter_at - the i-th format that leat has; NULL past the end. */
const struct leat_exporter *leat_exporter_at(size_t i);
/** leat_exporter_find - by name; NULL unknown. */
const struct leat_exporter *leat_exporter_find(const char *format);
/** leat_exporter_for_path - by a file's extension; NULL unknown. */
const struct leat_exporter *leat_exporter_for_path(const char *path);

/**
 * leat_export_write - the bytes of a profile in a format.
 * @p:    with symbols resolved; an exporter may add names of marks to it.
 * @o:    NULL: defaults.
 * @data: NUL-terminated, the caller's: free() it.
 * @len:  bytes without the NUL.
 *
 * Threads: caller serialises @p.
 * Errors:  -EINVAL a format that is no picture of a profile (.capture), -EOVERFLOW more than
 *          2 GiB, -ENOMEM, those of the exporter.
 */
int leat_export_write(const struct leat_exporter *e, struct leat_profile *p,
		      const struct leat_export_opts *o, char **data, size_t *len);

/** leat_buf_add - append bytes. */
void leat_buf_add(struct leat_buf *b, const void *p, size_t n);
/** leat_buf_str - append a string. */
void leat_buf_str(struct leat_buf *b, const char *s);
/** leat_buf_u64 - append a number in decimal. */
void leat_buf_u64(struct leat_buf *b, uint64_t v);
/** leat_text_json - append a string as JSON, with its quotes; what it holds acts on nothing. */
void leat_text_json(struct leat_buf *b, const char *s, size_t n);
/** leat_text_xml - append a string as text for XML and HTML. */
void leat_text_xml(struct leat_buf *b, const char *s, size_t n);
/** leat_text_clean - append a string as UTF-8 without control characters. */
void leat_text_clean(struct leat_buf *b, const char *s, size_t n);

#ifdef __cplusplus
}
#endif

#endif
