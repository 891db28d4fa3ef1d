/* SPDX-License-Identifier: BSD-2-Clause */
/* A picture that is complete without scripts; with them a click zooms and "Search" searches. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "export/common.h"
#include "export/formats.h"
#include "export/palette.h"
#include "viewer_svg.h"

#define WIDTH	      1200.0
#define MARGIN	      12.0
#define ROW	      18
#define HEAD	      74 /* title, verdict, legend */
#define FOOT	      34
#define CHAR	      6.7 /* of an 11 px monospace face */
#define MIN_WIDTH_PCT 0.1

struct picture {
	struct leat_profile *p;
	const struct leat_export_opts *o;
	struct leat_tree tree;
	double *x;	/* left edge of each node, in samples */
	uint32_t rows;	/* levels that are drawn */
	uint64_t least; /* samples below which a box is left out */
	uint64_t cut;	/* boxes left out, without those that stand on them */
	struct leat_buf *out;
};

/* Where each box lies, how deep the picture is, and what is too narrow. */
static int lay_out(struct picture *x)
{
	const struct leat_tree *t = &x->tree;
	LEAT_FREE double *next = calloc(t->n, sizeof(*next));

	x->x = calloc(t->n, sizeof(*x->x));
	if (!next || !x->x)
		return -ENOMEM;
	for (uint32_t i = 0; i != LEAT_ID_NONE; i = leat_export_next(t, i, false)) {
		const struct leat_node *n = &t->nodes[i];

		if (n->parent != LEAT_ID_NONE) {
			x->x[i] = next[n->parent];
			next[n->parent] += (double)n->total;
		}
		next[i] = x->x[i];
		if (n->total < x->least) {
			/* What stands on it is not counted again. */
			x->cut += t->nodes[n->parent].total >= x->least;
		} else if (n->depth + 1 > x->rows) {
			x->rows = n->depth + 1;
		}
	}
	return 0;
}

static void put_style_of(struct picture *x, const struct leat_palette *pal)
{
	leat_buf_printf(x->out, ".f text{fill:#%06x}.m rect{fill:#%06x}.m text{fill:#%06x}",
			pal->text, pal->match[0], pal->match[1]);
	for (unsigned int kind = 0; kind < LEAT_PALETTE_KINDS; kind++) {
		for (unsigned int step = 0; step < LEAT_PALETTE_SHADES; step++)
			leat_buf_printf(x->out, ".k%u%u{fill:#%06x}", kind, step,
					leat_palette_shade(pal, kind, step));
	}
}

static void put_style(struct picture *x)
{
	leat_buf_str(
		x->out,
		"<style>text{font:11px ui-monospace,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;"
		"fill:#1c2127}.bg{fill:#fff}.t{font:600 15px system-ui,\"DejaVu Sans\",sans-serif}"
		".s{font:12px system-ui,\"DejaVu Sans\",sans-serif;fill:#586069}"
		"#found,.f{cursor:pointer}.f rect{stroke:#fff;stroke-width:.6}"
		".f:hover rect{stroke:#111418}");
	put_style_of(x, &leat_palette_light);
	leat_buf_str(x->out, "@media(prefers-color-scheme:dark){text{fill:#dfe3e8}.bg{fill:#14171c}"
			     ".s{fill:#9aa4af}.f rect{stroke:#14171c}.f:hover rect{stroke:#fff}");
	put_style_of(x, &leat_palette_dark);
	leat_buf_str(x->out, "}</style>\n");
}

static void put_line(struct picture *x, const char *css, int y, const struct leat_buf *text)
{
	leat_buf_printf(x->out, "<text class=\"%s\" x=\"%g\" y=\"%d\">", css, MARGIN, y);
	leat_export_xml_buf(x->out, text);
	leat_buf_str(x->out, "</text>\n");
}

static void put_legend(struct picture *x)
{
	static const char *const names[LEAT_PALETTE_KINDS] = { "native code",	  "kernel",
							       "kernel module",	  "BPF",
							       "JIT code",	  "inlined",
							       "marks and groups" };
	bool present[LEAT_PALETTE_KINDS] = { false };
	double at = MARGIN;

	for (size_t i = 0; i < x->tree.n; i++)
		present[x->p->functions[x->tree.nodes[i].function].kind % LEAT_PALETTE_KINDS] =
			true;
	for (unsigned int kind = 0; kind < LEAT_PALETTE_KINDS; kind++) {
		if (!present[kind])
			continue;
		leat_buf_printf(
			x->out,
			"<rect class=\"k%u1\" x=\"%g\" y=\"53\" width=\"11\" height=\"11\" rx=\"2\"/>"
			"<text class=\"s\" x=\"%g\" y=\"63\">%s</text>\n",
			kind, at, at + 16, names[kind]);
		at += 34 + 6.6 * (double)strlen(names[kind]);
	}
	leat_buf_printf(x->out,
			"<text class=\"s\" id=\"found\" text-anchor=\"end\" x=\"%g\" y=\"63\"/>\n",
			WIDTH - MARGIN);
}

static void put_foot(struct picture *x, int y)
{
	const struct leat_meta *m = &x->p->meta;
	struct leat_buf text;

	leat_buf_init(&text, LEAT_EXPORT_MAX_BYTES);
	leat_export_count(&text, leat_profile_total(x->p));
	leat_buf_str(&text, " samples");
	if (x->cut) {
		leat_buf_str(&text, "; ");
		leat_export_count(&text, x->cut);
		leat_buf_str(&text, " boxes below ");
		leat_export_count(&text, x->least);
		leat_buf_str(&text, " samples, and what stands on them, are not drawn");
	}
	if (m->start_real_ns) {
		leat_buf_str(&text, "; ");
		leat_export_time(&text, m->start_real_ns);
	}
	for (int i = 0; i < 3; i++) {
		const char *s = leat_profile_str(x->p, i == 0	? m->host
						       : i == 1 ? m->kernel
								: m->version);

		if (*s)
			leat_buf_printf(&text, "; %s", s);
	}
	put_line(x, "s", y, &text);
	if (text.err)
		x->out->err = text.err;
	leat_buf_fini(&text);
}

static int put_head(struct picture *x, int height)
{
	struct leat_buf text;
	int err;

	leat_buf_init(&text, LEAT_EXPORT_MAX_BYTES);
	leat_buf_printf(
		x->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<!-- A flame graph by leat. Open it in a browser: a click zooms, Escape resets, "
		"/ searches. -->\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100%%\" "
		"viewBox=\"0 0 %g %d\" preserveAspectRatio=\"xMidYMin meet\" role=\"img\" "
		"aria-labelledby=\"title\">\n<title id=\"title\">",
		WIDTH, height);
	leat_export_title(x->p, x->o, &text);
	leat_export_xml_buf(x->out, &text);
	leat_buf_str(x->out, "</title>\n");
	put_style(x);
	leat_buf_printf(x->out, "<rect class=\"bg\" width=\"%g\" height=\"%d\"/>\n", WIDTH, height);
	put_line(x, "t", 22, &text);
	err = text.err;
	leat_buf_reset(&text);
	if (!x->o->no_verdict) {
		leat_verdict_line(&x->p->verdict, &text);
		put_line(x, "s", 42, &text);
	}
	put_legend(x);
	err = err ? err : text.err;
	leat_buf_fini(&text);
	return err;
}

/* The beginning of @name, as much as fits: by characters, not bytes. */
static void put_label(struct picture *x, const struct leat_buf *name, double width)
{
	size_t room = width < 6 ? 0 : (size_t)((width - 6) / CHAR), chars = 0, end = 0,
	       short_end = 0;

	if (room < 3)
		return;
	while (end < name->len) {
		uint32_t cp;
		size_t n = leat_text_utf8(name->data + end, name->len - end, &cp);

		if (chars == room - 1)
			short_end = end;
		if (chars == room)
			break;
		end += n ? n : 1;
		chars++;
	}
	leat_text_xml(x->out, name->data, end < name->len ? short_end : end);
	if (end < name->len)
		leat_buf_str(x->out, "\xe2\x80\xa6");
}

static void put_box(struct picture *x, uint32_t i, double y, struct leat_buf *name)
{
	const struct leat_node *n = &x->tree.nodes[i];
	const struct leat_function *f = &x->p->functions[n->function];
	const char *raw = leat_profile_str(x->p, f->name),
		   *module = leat_export_module(x->p, f->object);
	double total = (double)x->tree.nodes[0].total, scale = (WIDTH - 2 * MARGIN) / total;
	double left = MARGIN + x->x[i] * scale, width = (double)n->total * scale;

	leat_buf_reset(name);
	leat_text_clean(name, raw, strlen(raw));
	leat_buf_str(x->out, "<g class=\"f\"><title>");
	leat_export_xml_buf(x->out, name);
	leat_buf_char(x->out, '\n');
	leat_text_xml(x->out, module, strlen(module));
	leat_buf_str(x->out, *module ? "\n" : "");
	leat_export_count(x->out, n->total);
	leat_buf_printf(x->out, " samples, %.2f %%; self ", 100 * (double)n->total / total);
	leat_export_count(x->out, n->self);
	leat_buf_printf(
		x->out,
		"</title><rect class=\"k%u%u\" x=\"%.2f\" y=\"%g\" width=\"%.2f\" height=\"%d\" "
		"rx=\"1\"/><text x=\"%.2f\" y=\"%g\">",
		(unsigned int)f->kind % LEAT_PALETTE_KINDS, leat_palette_step(raw), left, y, width,
		ROW, left + 4, y + 12.5);
	put_label(x, name, width);
	leat_buf_str(x->out, "</text></g>\n");
}

static int put_boxes(struct picture *x)
{
	const struct leat_tree *t = &x->tree;
	struct leat_buf name;
	uint32_t i = 0;
	int err;

	leat_buf_init(&name, LEAT_EXPORT_MAX_BYTES);
	while (i != LEAT_ID_NONE && t->nodes[0].total) {
		const struct leat_node *n = &t->nodes[i];
		bool drawn = n->total >= x->least;

		if (drawn) {
			uint32_t row = x->o->inverted ? n->depth : x->rows - 1 - n->depth;

			put_box(x, i, HEAD + (double)row * ROW, &name);
		}
		i = leat_export_next(t, i, !drawn);
	}
	err = name.err;
	leat_buf_fini(&name);
	return err;
}

int leat_export_svg(struct leat_profile *p, const struct leat_export_opts *o, struct leat_buf *out)
{
	struct picture x = {
		.p = p, .o = o, .out = out, .least = leat_export_least(p, o, MIN_WIDTH_PCT)
	};
	struct leat_tree_opts opts = o->tree;
	int err, height;

	/* What stands on a box that is too narrow is too. */
	opts.least = x.least;
	err = leat_tree_build(&x.tree, p, &opts);

	if (!err)
		err = lay_out(&x);
	height = HEAD + (int)x.rows * ROW + FOOT;
	if (!err)
		err = put_head(&x, height);
	if (!err)
		err = put_boxes(&x);
	if (!err) {
		put_foot(&x, height - 14);
		leat_buf_str(out, "<script><![CDATA[\n");
		leat_buf_add(out, leat_viewer_svg, leat_viewer_svg_size);
		leat_buf_str(out, "]]></script>\n</svg>\n");
	}
	free(x.x);
	leat_tree_fini(&x.tree);
	return err ? err : out->err;
}
