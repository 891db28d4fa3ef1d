/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/html_data.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "export/common.h"
#include "export/deflate.h"
#include "export/name_sort.h"
#include "export/palette.h"

#define PREFIX_MAX 4095		       /* two characters of 6 bits */
#define PACK_FROM  ((size_t)256 << 10) /* bytes of names; fewer stay readable in the file */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Dense numbers for sparse ids, in the order in which they are first asked for. */
struct numbering {
	uint32_t *number; /* by id; 0: none yet */
	uint32_t *ids;	  /* by number - 1 */
	uint32_t n;
};

struct data {
	const struct leat_profile *p;
	const struct leat_tree *t;
	struct leat_buf *out;
	struct numbering functions; /* sorted by name */
	struct numbering modules;
	struct numbering files;
};

static void numbering_fini(struct numbering *x)
{
	free(x->number);
	free(x->ids);
	*x = (struct numbering){ 0 };
}

static int numbering_init(struct numbering *x, size_t id_cnt)
{
	x->number = calloc(id_cnt + 1, sizeof(*x->number));
	x->ids = malloc((id_cnt + 1) * sizeof(*x->ids));
	return x->number && x->ids ? 0 : -ENOMEM;
}

/* From 1 on. */
static uint32_t number_of(struct numbering *x, uint32_t id)
{
	if (!x->number[id]) {
		x->ids[x->n] = id;
		x->number[id] = ++x->n;
	}
	return x->number[id];
}

static void put_varint(struct leat_buf *out, uint64_t v)
{
	char text[16];
	size_t n = 0;

	do {
		text[n++] = alphabet[(v & 31) | (v > 31 ? 32 : 0)];
		v >>= 5;
	} while (v);
	leat_buf_add(out, text, n);
}

/* The functions that the tree shows, sorted by name so that neighbours share their beginnings. */
static int number_functions(struct data *d)
{
	struct numbering *x = &d->functions;
	LEAT_FREE struct leat_name *names = NULL;

	for (size_t i = 0; i < d->t->n; i++)
		number_of(x, d->t->nodes[i].function);
	names = malloc((x->n + 1) * sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (uint32_t i = 0; i < x->n; i++) {
		names[i].id = x->ids[i];
		names[i].s = leat_profile_str(d->p, d->p->functions[x->ids[i]].name);
	}
	leat_name_sort(names, x->n);
	for (uint32_t i = 0; i < x->n; i++) {
		x->ids[i] = names[i].id;
		x->number[names[i].id] = i + 1;
	}
	return 0;
}

static void put_functions(struct data *d)
{
	uint32_t last = LEAT_ID_NONE;

	leat_buf_printf(d->out, "\"functionCnt\":%" PRIu32 ",\"functions\":\"", d->functions.n);
	for (uint32_t i = 0; i < d->functions.n; i++) {
		const struct leat_function *f = &d->p->functions[d->functions.ids[i]];
		bool has_source = f->file != LEAT_ID_NONE && *leat_profile_str(d->p, f->file);

		put_varint(d->out,
			   (uint64_t)f->kind << 2 | (has_source ? 2 : 0) | (f->name != last));
		put_varint(d->out, f->object < d->p->object_cnt
					   ? number_of(&d->modules, d->p->objects[f->object].path)
					   : 0);
		if (has_source) {
			put_varint(d->out, number_of(&d->files, f->file) - 1);
			put_varint(d->out, f->line);
		}
		last = f->name;
	}
	leat_buf_str(d->out, "\",");
}

/* Bytes at the start of both, ending between characters; *@units as JavaScript counts them. */
static size_t shared_prefix(const struct leat_buf *a, const struct leat_buf *b, unsigned int *units)
{
	size_t n = a->len < b->len ? a->len : b->len, k = 0;

	if (n > PREFIX_MAX)
		n = PREFIX_MAX;
	while (k < n && a->data[k] == b->data[k])
		k++;
	while (k > 0 && k < b->len && (b->data[k] & 0xc0) == 0x80)
		k--;
	*units = 0;
	for (size_t i = 0; i < k; i++) {
		unsigned char c = (unsigned char)b->data[i];

		*units += (c & 0xc0) == 0x80 ? 0 : c >= 0xf0 ? 2 : 1;
	}
	return k;
}

/* Each name but its beginning shared with the one before, in lines. */
static int list_names(struct data *d, struct leat_buf *lines)
{
	struct leat_buf names[2];
	uint32_t last = LEAT_ID_NONE;
	int now = 0, err;

	for (int i = 0; i < 2; i++)
		leat_buf_init(&names[i], LEAT_EXPORT_MAX_BYTES);
	for (uint32_t i = 0; i < d->functions.n; i++) {
		const struct leat_function *f = &d->p->functions[d->functions.ids[i]];
		const char *name = leat_profile_str(d->p, f->name);
		struct leat_buf *b = &names[now];
		unsigned int units;
		size_t same;

		if (f->name == last)
			continue;
		leat_buf_reset(b);
		leat_text_clean(b, name, strlen(name));
		same = shared_prefix(&names[!now], b, &units);
		if (last != LEAT_ID_NONE)
			leat_buf_char(lines, '\n');
		leat_buf_char(lines, alphabet[units >> 6]);
		leat_buf_char(lines, alphabet[units & 63]);
		if (b->len > same)
			leat_buf_add(lines, b->data + same, b->len - same);
		last = f->name;
		now = !now;
	}
	err = names[0].err ? names[0].err : names[1].err;
	leat_buf_fini(&names[0]);
	leat_buf_fini(&names[1]);
	return err ? err : lines->err;
}

static void put_base64(struct leat_buf *out, const struct leat_buf *bytes)
{
	const unsigned char *s = (const unsigned char *)bytes->data;

	for (size_t i = 0; i < bytes->len; i += 3) {
		size_t n = bytes->len - i < 3 ? bytes->len - i : 3;
		uint32_t v = (uint32_t)s[i] << 16 | (n > 1 ? (uint32_t)s[i + 1] << 8 : 0) |
			     (n > 2 ? s[i + 2] : 0);
		char text[4];

		for (int k = 0; k < 4; k++)
			text[k] = alphabet[v >> (18 - 6 * k) & 63];
		leat_buf_add(out, text, n + 1);
	}
}

static int put_names(struct data *d)
{
	struct leat_buf lines, packed;
	int err;

	leat_buf_init(&lines, LEAT_EXPORT_MAX_BYTES);
	leat_buf_init(&packed, LEAT_EXPORT_MAX_BYTES);
	err = list_names(d, &lines);
	if (!err && lines.len > PACK_FROM)
		err = leat_deflate(&packed, &lines, (struct leat_deflate_opts){ .level = 3 });
	err = err ? err : packed.err;
	leat_buf_printf(d->out, "\"packed\":%s,\"names\":", packed.len ? "true" : "false");
	if (packed.len) {
		leat_buf_char(d->out, '"');
		put_base64(d->out, &packed);
		leat_buf_char(d->out, '"');
	} else {
		leat_export_json_buf(d->out, &lines);
	}
	leat_buf_char(d->out, ',');
	leat_buf_fini(&lines);
	leat_buf_fini(&packed);
	return err;
}

static void put_strings(struct data *d, const char *key, const struct numbering *x)
{
	leat_buf_printf(d->out, "\"%s\":[", key);
	for (uint32_t i = 0; i < x->n; i++) {
		if (i)
			leat_buf_char(d->out, ',');
		leat_export_json(d->out, d->p, x->ids[i]);
	}
	leat_buf_str(d->out, "],");
}

static void put_nodes(struct data *d)
{
	const struct leat_tree *t = d->t;
	uint32_t level = UINT32_MAX; /* so that the root is one below */

	leat_buf_printf(d->out, "\"nodeCnt\":%zu,\"nodes\":\"", t->n);
	for (uint32_t i = 0; i != LEAT_ID_NONE; i = leat_export_next(t, i, false)) {
		const struct leat_node *n = &t->nodes[i];

		put_varint(d->out, (uint64_t)(level + 1 - n->depth) << 1 | (n->self != 0));
		put_varint(d->out, d->functions.number[n->function] - 1);
		if (n->self)
			put_varint(d->out, n->self);
		level = n->depth;
	}
	leat_buf_str(d->out, "\",");
}

int leat_html_data(struct leat_profile *p, const struct leat_tree *t, struct leat_buf *out)
{
	struct data d = { .p = p, .t = t, .out = out };
	size_t string_cnt = leat_intern_count(p->strings);
	int err = numbering_init(&d.functions, p->function_cnt);

	if (!err)
		err = numbering_init(&d.modules, string_cnt);
	if (!err)
		err = numbering_init(&d.files, string_cnt);
	if (!err)
		err = number_functions(&d);
	if (!err) {
		leat_buf_printf(out, "{\"version\":1,\"sampleNs\":%" PRIu64 ",",
				leat_export_sample_ns(p));
		put_functions(&d);
		err = put_names(&d);
		put_strings(&d, "modules", &d.modules);
		put_strings(&d, "files", &d.files);
		put_nodes(&d);
		leat_buf_str(out, "\"palette\":{\"light\":");
		leat_palette_json(&leat_palette_light, out);
		leat_buf_str(out, ",\"dark\":");
		leat_palette_json(&leat_palette_dark, out);
		leat_buf_str(out, "}}");
	}
	numbering_fini(&d.functions);
	numbering_fini(&d.modules);
	numbering_fini(&d.files);
	return err ? err : out->err;
}
