/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/common.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/text.h"

uint64_t leat_export_sample_ns(const struct leat_profile *p)
{
	return p->meta.time_based && p->meta.freq_hz ? 1000000000ull / p->meta.freq_hz : 0;
}

uint64_t leat_export_least(const struct leat_profile *p, const struct leat_export_opts *o,
			   double percent)
{
	double pct = o->min_width_percent == 0 ? percent : o->min_width_percent;

	return pct < 0 ? 0 : (uint64_t)((double)leat_profile_total(p) * pct / 100);
}

void leat_export_json(struct leat_buf *out, const struct leat_profile *p, uint32_t id)
{
	const char *s = leat_profile_str(p, id);

	leat_text_json(out, s, strlen(s));
}

void leat_export_xml(struct leat_buf *out, const struct leat_profile *p, uint32_t id)
{
	const char *s = leat_profile_str(p, id);

	leat_text_xml(out, s, strlen(s));
}

void leat_export_json_buf(struct leat_buf *out, const struct leat_buf *text)
{
	leat_text_json(out, text->len ? text->data : "", text->len);
	if (text->err && !out->err)
		out->err = text->err;
}

void leat_export_xml_buf(struct leat_buf *out, const struct leat_buf *text)
{
	if (text->len)
		leat_text_xml(out, text->data, text->len);
	if (text->err && !out->err)
		out->err = text->err;
}

const char *leat_export_module(const struct leat_profile *p, uint32_t object)
{
	return object < p->object_cnt ? leat_profile_str(p, p->objects[object].path) : "";
}

void leat_export_title(const struct leat_profile *p, const struct leat_export_opts *o,
		       struct leat_buf *out)
{
	const struct leat_meta *m = &p->meta;
	const char *given = o && o->title ? o->title : leat_profile_str(p, m->title);
	const char *event = leat_profile_str(p, m->event), *target = leat_profile_str(p, m->target);

	if (*given) {
		leat_buf_str(out, given);
		return;
	}
	leat_buf_printf(out, "%s%s%ssamples", m->time_based ? "CPU, " : "", event,
			*event ? " " : "");
	if (m->freq_hz)
		leat_buf_printf(out, " @ %" PRIu64 " Hz", m->freq_hz);
	else if (m->period)
		leat_buf_printf(out, ", one every %" PRIu64, m->period);
	if (m->duration_ns)
		leat_buf_printf(out, ", %.1f s", (double)m->duration_ns / 1e9);
	if (*target)
		leat_buf_printf(out, ", %s", target);
}

void leat_export_time(struct leat_buf *out, uint64_t real_ns)
{
	time_t seconds = (time_t)(real_ns / 1000000000);
	struct tm tm;
	char text[64];

	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		leat_buf_str(out, text);
}

void leat_export_count(struct leat_buf *out, uint64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, v);

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			leat_buf_char(out, ',');
		leat_buf_char(out, digits[i]);
	}
}

uint32_t leat_export_next(const struct leat_tree *t, uint32_t node, bool skip_children)
{
	const struct leat_node *n = &t->nodes[node];

	if (!skip_children && n->first_child != LEAT_ID_NONE)
		return n->first_child;
	while (n->next_sibling == LEAT_ID_NONE) {
		if (n->parent == LEAT_ID_NONE)
			return LEAT_ID_NONE;
		n = &t->nodes[n->parent];
	}
	return n->next_sibling;
}

static void add_places(struct leat_export_stack *x, const uint32_t *frames, const uint32_t *ids,
		       size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct leat_export_place *place = &x->places[x->n++];

		place->frame = frames ? frames[i] : LEAT_ID_NONE;
		place->function = ids[cnt - 1 - i];
	}
}

/*
 * leat_stack_functions() lists, outermost first: a mark where the user part is not complete, user
 * frames, a mark for the kernel part, kernel frames; a stack with nothing at all is one mark.
 */
int leat_export_stack(struct leat_export_stack *x, struct leat_profile *p,
		      const struct leat_sample *s)
{
	const struct leat_stack *st = &p->stacks[s->stack];
	const uint32_t *frames = leat_profile_stack_frames(p, st);
	size_t u = st->uframe_cnt, k = st->kframe_cnt, n = 0, umarks, kmarks;
	int err =
		leat_stack_functions(p, s, &(struct leat_tree_opts){ 0 }, &x->ids, &n, &x->id_cap);

	if (!err)
		err = LEAT_ARRAY_ROOM(x->places, x->cap, n, UINT32_MAX);
	if (err)
		return err;
	x->n = 0;
	umarks = leat_stack_mark(st->uresult) ? 1 : 0;
	kmarks = n - umarks - u - k;
	add_places(x, frames, x->ids + umarks + u + kmarks, k);
	add_places(x, NULL, x->ids + umarks + u, kmarks);
	add_places(x, frames ? frames + k : NULL, x->ids + umarks, u);
	add_places(x, NULL, x->ids, umarks);
	return 0;
}

void leat_export_stack_fini(struct leat_export_stack *x)
{
	free(x->places);
	free(x->ids);
	*x = (struct leat_export_stack){ 0 };
}

uint64_t leat_export_address(const struct leat_object *o, uint64_t offset)
{
	return o->kind == LEAT_OBJECT_FILE || o->kind == LEAT_OBJECT_VDSO
		       ? o->map_start - o->map_pgoff + offset
		       : offset;
}
