/* SPDX-License-Identifier: BSD-2-Clause */
/* One self-contained HTML file: the template with its @MARKS@ filled in. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "export/common.h"
#include "export/formats.h"
#include "export/html_data.h"
#include "viewer_css.h"
#include "viewer_hash.h"
#include "viewer_html.h"
#include "viewer_js.h"

#define FALLBACK_ROWS 30
/*
 * Up to here all boxes are in the file, however narrow: 8 MB, which a browser shows in a second. Above,
 * a box that is a fifth of a pixel wide on a wide screen is not divided further.
 */
#define MAX_BOXES     ((size_t)1 << 20)
#define MIN_WIDTH_PCT 0.01

struct page {
	struct leat_profile *p;
	const struct leat_export_opts *o;
	const struct leat_tree *t;
	uint64_t least; /* samples of the narrowest box on which others stand */
	struct leat_buf *out;
};

static int put_title(struct page *x)
{
	struct leat_buf title;
	int err;

	leat_buf_init(&title, LEAT_EXPORT_MAX_BYTES);
	leat_export_title(x->p, x->o, &title);
	leat_export_xml_buf(x->out, &title);
	err = title.err;
	leat_buf_fini(&title);
	return err;
}

static void put_fact(struct page *x, const char *term, uint32_t id)
{
	if (!*leat_profile_str(x->p, id))
		return;
	leat_buf_printf(x->out, "<dt>%s</dt><dd>", term);
	leat_export_xml(x->out, x->p, id);
	leat_buf_str(x->out, "</dd>");
}

static void put_rate(struct page *x)
{
	const struct leat_meta *m = &x->p->meta;

	leat_buf_str(x->out, "<dt>Event</dt><dd>");
	leat_export_xml(x->out, x->p, m->event);
	if (m->freq_hz)
		leat_buf_printf(x->out, " @ %" PRIu64 " Hz", m->freq_hz);
	else if (m->period)
		leat_buf_printf(x->out, ", one sample every %" PRIu64, m->period);
	if (*leat_profile_str(x->p, m->event_note)) {
		leat_buf_str(x->out, " (");
		leat_export_xml(x->out, x->p, m->event_note);
		leat_buf_char(x->out, ')');
	}
	leat_buf_str(x->out, "</dd>");
}

static void put_narrow(struct page *x)
{
	if (!x->t->narrow)
		return;
	leat_buf_str(x->out, "; ");
	leat_export_count(x->out, x->t->narrow);
	leat_buf_str(x->out,
		     " of them are in [too narrow], which stands for all on a box of fewer than ");
	leat_export_count(x->out, x->least);
}

static void put_facts(struct page *x)
{
	const struct leat_meta *m = &x->p->meta;

	leat_buf_str(x->out, "<dl>");
	put_fact(x, "Target", m->target);
	put_rate(x);
	leat_buf_printf(x->out, "<dt>Duration</dt><dd>%.1f s</dd><dt>Samples</dt><dd>",
			(double)m->duration_ns / 1e9);
	leat_export_count(x->out, leat_profile_total(x->p));
	put_narrow(x);
	leat_buf_str(x->out, "</dd><dt>Lost</dt><dd>");
	leat_export_count(x->out, leat_verdict_lost(&x->p->verdict));
	leat_buf_printf(x->out, " (%.2f %%)</dd>", leat_verdict_lost_percent(&x->p->verdict));
	put_fact(x, "Unwinding", m->unwind);
	if (m->start_real_ns) {
		leat_buf_str(x->out, "<dt>Started</dt><dd>");
		leat_export_time(x->out, m->start_real_ns);
		leat_buf_str(x->out, "</dd>");
	}
	put_fact(x, "Command", m->command_line);
	put_fact(x, "Host", m->host);
	put_fact(x, "Kernel", m->kernel);
	put_fact(x, "System", m->os);
	put_fact(x, "Made by", m->version);
	leat_buf_str(x->out, "</dl>");
}

/* The verdict's first line is the summary, the rest and the facts are what opens. */
static int put_about(struct page *x)
{
	static const char *const classes[] = { "yes", "care", "no" };
	struct leat_buf text;
	const char *colon, *newline;
	int err;

	leat_buf_init(&text, LEAT_EXPORT_MAX_BYTES);
	if (!x->o->no_verdict)
		leat_profile_verdict_text(x->p, &text);
	err = text.err;
	newline = text.len ? strchr(text.data, '\n') : NULL;
	colon = text.len ? strchr(text.data, ':') : NULL;
	leat_buf_printf(x->out, "<details id=\"about\" class=\"%s\"><summary>",
			x->o->no_verdict ? "none" : classes[leat_verdict_trust(&x->p->verdict)]);
	if (newline && colon && colon < newline) {
		leat_buf_str(x->out, "<b>");
		leat_text_xml(x->out, text.data, (size_t)(colon - text.data));
		leat_buf_str(x->out, "</b>");
		leat_text_xml(x->out, colon, (size_t)(newline - colon));
	} else {
		leat_buf_str(x->out, "About this profile");
	}
	leat_buf_str(x->out, "</summary><div class=\"cols\">");
	put_facts(x);
	while (newline && newline[1]) {
		const char *line = newline + 1;

		leat_buf_str(x->out, line == strchr(text.data, '\n') + 1 ? "<pre>" : "\n");
		newline = strchr(line, '\n');
		leat_text_xml(x->out, line, newline ? (size_t)(newline - line) : strlen(line));
		if (!newline || !newline[1])
			leat_buf_str(x->out, "</pre>");
	}
	leat_buf_str(x->out, "</div></details>");
	leat_buf_fini(&text);
	return err;
}

static void put_cell(struct page *x, uint64_t v, uint64_t total)
{
	leat_buf_str(x->out, "<td class=\"num\">");
	leat_export_count(x->out, v);
	leat_buf_printf(x->out, " %.1f %%</td>", total ? 100.0 * (double)v / (double)total : 0.0);
}

static int put_noscript(struct page *x)
{
	uint64_t total = leat_profile_total(x->p);
	LEAT_FREE struct leat_top *top = NULL;
	size_t n = 0;
	int err = leat_top_build(x->p, &top, &n);

	if (err)
		return err;
	leat_buf_printf(x->out,
			"<table><caption>Scripts are off: the %d functions with most samples of "
			"their own</caption><thead><tr><th scope=\"col\" class=\"num\">Self</th>"
			"<th scope=\"col\" class=\"num\">Total</th><th scope=\"col\">Function</th>"
			"<th scope=\"col\">Module</th></tr></thead><tbody>",
			FALLBACK_ROWS);
	for (size_t i = 0; i < n && i < FALLBACK_ROWS; i++) {
		const struct leat_function *f = &x->p->functions[top[i].function];
		const char *module = leat_export_module(x->p, f->object);

		leat_buf_str(x->out, "<tr>");
		put_cell(x, top[i].self, total);
		put_cell(x, top[i].total, total);
		leat_buf_str(x->out, "<td>");
		leat_export_xml(x->out, x->p, f->name);
		leat_buf_str(x->out, "</td><td>");
		leat_text_xml(x->out, module, strlen(module));
		leat_buf_str(x->out, "</td></tr>");
	}
	leat_buf_str(x->out, "</tbody></table>");
	return 0;
}

static int put_data(struct page *x)
{
	return leat_html_data(x->p, x->t, x->out);
}

static int put_style(struct page *x)
{
	leat_buf_add(x->out, leat_viewer_css, leat_viewer_css_size);
	return 0;
}

static int put_script(struct page *x)
{
	leat_buf_add(x->out, leat_viewer_js, leat_viewer_js_size);
	return 0;
}

static int put_style_hash(struct page *x)
{
	leat_buf_str(x->out, LEAT_VIEWER_STYLE_HASH);
	return 0;
}

static int put_script_hash(struct page *x)
{
	leat_buf_str(x->out, LEAT_VIEWER_SCRIPT_HASH);
	return 0;
}

static const struct {
	const char *mark;
	int (*put)(struct page *x);
} marks[] = {
	{ "@TITLE@", put_title },	    { "@ABOUT@", put_about },
	{ "@NOSCRIPT@", put_noscript },	    { "@DATA@", put_data },
	{ "@STYLE@", put_style },	    { "@SCRIPT@", put_script },
	{ "@STYLE_HASH@", put_style_hash }, { "@SCRIPT_HASH@", put_script_hash },
};

/* Fills in the mark at @at and returns what follows it; an '@' that begins none is text. */
static const char *put_mark(struct page *x, const char *at, int *err)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(marks); i++) {
		size_t n = strlen(marks[i].mark);

		if (strncmp(at, marks[i].mark, n) != 0)
			continue;
		*err = marks[i].put(x);
		return at + n;
	}
	leat_buf_char(x->out, '@');
	return at + 1;
}

/* As many boxes as there can be: each frame of each stack a box of its own. */
static size_t boxes_at_most(const struct leat_profile *p)
{
	size_t sum = 0;

	for (size_t i = 0; i < p->sample_cnt; i++) {
		const struct leat_stack *s = &p->stacks[p->samples[i].stack];

		sum += (size_t)s->kframe_cnt + s->uframe_cnt;
	}
	return sum;
}

static uint64_t least_of(const struct leat_profile *p, const struct leat_export_opts *o)
{
	if (!o->min_width_percent && boxes_at_most(p) <= MAX_BOXES)
		return 0;
	return leat_export_least(p, o, MIN_WIDTH_PCT);
}

int leat_export_html(struct leat_profile *p, const struct leat_export_opts *o, struct leat_buf *out)
{
	const char *at = (const char *)leat_viewer_html;
	struct leat_tree tree = { 0 };
	struct page x = { .p = p, .o = o, .t = &tree, .least = least_of(p, o), .out = out };
	struct leat_tree_opts opts = o->tree;
	int err;

	opts.least = opts.least ? opts.least : x.least;
	x.least = opts.least;
	err = leat_tree_build(&tree, p, &opts);

	while (!err && at && *at) {
		const char *mark = strchr(at, '@');

		leat_buf_add(out, at, mark ? (size_t)(mark - at) : strlen(at));
		at = mark ? put_mark(&x, mark, &err) : NULL;
	}
	leat_tree_fini(&tree);
	return err ? err : out->err;
}
