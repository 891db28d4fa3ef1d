/* SPDX-License-Identifier: BSD-2-Clause */
/* Locations of a pprof file become frames. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "import/pprof_impl.h"

#define MAX_LINES 1024 /* inlined into each other */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Other toolchains' build ids are no hexadecimal numbers: those are left out. */
static void put_build_id(struct leat_object *o, const struct leat_pprof_text *t)
{
	if (t->n % 2 || t->n / 2 > sizeof(o->build_id))
		return;
	for (size_t i = 0; i < t->n / 2; i++) {
		int hi = hex_digit(t->s[2 * i]), lo = hex_digit(t->s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return;
		o->build_id[i] = (uint8_t)(hi << 4 | lo);
	}
	o->build_id_len = (uint8_t)(t->n / 2);
}

static enum leat_object_kind object_kind(enum leat_module_kind m,
					 const struct leat_pprof_text *path)
{
	if (m == LEAT_MODULE_KERNEL || m == LEAT_MODULE_KMODULE || m == LEAT_MODULE_BPF)
		return LEAT_OBJECT_KERNEL;
	if (path->n == 6 && memcmp(path->s, "[vdso]", 6) == 0)
		return LEAT_OBJECT_VDSO;
	return m == LEAT_MODULE_FILE && path->s[0] != '[' ? LEAT_OBJECT_FILE : LEAT_OBJECT_NAMED;
}

static int map_object(struct leat_pprof *x, struct leat_pprof_mapping *m)
{
	struct leat_object o = { .map_start = m->start, .map_end = m->limit };
	struct leat_pprof_text path, build_id;
	int err = leat_pprof_string(x, m->file, &path);

	if (!err)
		err = leat_pprof_string(x, m->build_id, &build_id);
	if (!err)
		err = leat_build_module(x->b, path.s, path.n, &m->module);
	if (!err)
		err = leat_profile_string(x->b->p, path.n ? path.s : "", path.n, &o.path);
	if (err)
		return err;
	o.kind = object_kind(x->b->modules[m->module].kind, &path);
	if (o.kind == LEAT_OBJECT_NAMED) {
		m->object = x->b->modules[m->module].object;
		return 0;
	}
	if (o.kind == LEAT_OBJECT_FILE) {
		o.map_pgoff = m->offset;
		put_build_id(&o, &build_id);
	}
	return leat_profile_object(x->b->p, &o, &m->object);
}

/* "libfoo.so+0x1230", as leat calls what has no name. */
static int put_unnamed(struct leat_pprof *x, const struct leat_pprof_mapping *m, uint64_t offset,
		       struct leat_function *f)
{
	const char *path = m ? leat_profile_str(x->b->p, x->b->p->objects[m->object].path) : "";
	const char *slash = strrchr(path, '/');
	char text[300];
	int n;

	f->unnamed = *path ? LEAT_UNNAMED_STRIPPED : LEAT_UNNAMED_UNMAPPED;
	n = snprintf(text, sizeof(text), "%.255s+0x%llx",
		     !*path  ? "[unknown]"
		     : slash ? slash + 1
			     : path,
		     (unsigned long long)offset);
	return n < 0 ? -EINVAL : leat_profile_string(x->b->p, text, (size_t)n, &f->name);
}

struct line {
	const struct leat_pprof_function *fn; /* NULL: none told */
	bool inlined;
};

static int make_function(struct leat_pprof *x, const struct leat_pprof_location *l,
			 const struct leat_pprof_mapping *m, const struct line *line,
			 uint64_t offset, uint32_t *function)
{
	struct leat_pprof_text name = { "", 0 }, file = { "", 0 }, raw = { "", 0 };
	struct leat_function f;
	uint32_t module = m ? m->module : 0, flags = line->inlined ? LEAT_NAME_INLINED : 0;
	int err = 0;

	if (line->fn) {
		err = leat_pprof_string(x, line->fn->name, &name);
		if (!err)
			err = leat_pprof_string(x, line->fn->system_name, &raw);
		if (!err)
			err = leat_pprof_string(x, line->fn->file, &file);
	}
	if (!m && !l->address)
		flags |= LEAT_NAME_MARK;
	if (!err && !m)
		err = leat_build_module(x->b, "", 0, &module);
	if (!err)
		err = leat_build_function(x->b, name.s, name.n, module, flags, &f);
	if (!err && m && f.kind != LEAT_FUNCTION_MARK)
		f.object = m->object;
	if (!err && !line->fn)
		err = put_unnamed(x, m, offset, &f);
	if (!err && file.n)
		err = leat_profile_string(x->b->p, file.s, file.n, &f.file);
	if (!err && raw.n)
		err = leat_profile_string(x->b->p, raw.s, raw.n, &f.raw);
	if (err)
		return err;
	f.line = line->fn && line->fn->line <= UINT32_MAX ? (uint32_t)line->fn->line : 0;
	return leat_profile_function(x->b->p, &f, function);
}

/* By its address where that tells it from all others, else by its name. */
static int make_frame(struct leat_pprof *x, const struct leat_pprof_mapping *m,
		      const struct line *line, uint64_t offset, uint32_t function, uint32_t *frame)
{
	struct leat_profile *p = x->b->p;
	enum leat_object_kind kind = m ? p->objects[m->object].kind : LEAT_OBJECT_NAMED;
	uint32_t module;
	int err;

	if (kind != LEAT_OBJECT_NAMED && !line->inlined) {
		err = leat_profile_frame(p, m->object, offset,
					 kind == LEAT_OBJECT_KERNEL ? LEAT_FRAME_KERNEL : 0, frame);
		if (err)
			return err;
		if (p->frames[*frame].function == LEAT_ID_NONE)
			p->frames[*frame].function = function;
		if (p->frames[*frame].function == function)
			return 0;
	}
	err = m ? 0 : leat_build_module(x->b, "", 0, &module);
	if (err)
		return err;
	if (m)
		module = m->module;
	return leat_build_named(x->b, x->b->modules[module].object, function, frame);
}

static int add_line(struct leat_pprof *x, const struct leat_pprof_location *l,
		    const struct leat_pprof_mapping *m, const struct line *line)
{
	uint64_t offset = l->address;
	uint32_t function, frame;
	int err;

	if (m && (x->b->p->objects[m->object].kind == LEAT_OBJECT_FILE ||
		  x->b->p->objects[m->object].kind == LEAT_OBJECT_VDSO))
		offset = l->address - m->start + m->offset;
	err = make_function(x, l, m, line, offset, &function);
	if (!err)
		err = make_frame(x, m, line, offset, function, &frame);
	if (!err)
		err = LEAT_ARRAY_ROOM(x->frames, x->frame_cap, x->frame_cnt + 1,
				      LEAT_PROFILE_MAX_FRAMES);
	if (!err)
		x->frames[x->frame_cnt++] = frame;
	return err;
}

static int read_line(const struct leat_pprof *x, struct leat_reader r, struct line *line)
{
	struct leat_proto_field f;
	uint64_t id = 0;
	int err = 0;

	while (!err && leat_reader_left(&r)) {
		err = leat_proto_next(&r, &f);
		if (!err && f.number == 1)
			id = f.value;
	}
	if (err)
		return err;
	*line = (struct line){ .fn = leat_pprof_function(x, id) };
	return line->fn || !id ? 0 : -EBADMSG;
}

/* The last line is the function itself, those before are inlined into it. */
int leat_pprof_frames(struct leat_pprof *x, struct leat_pprof_location *l)
{
	struct leat_pprof_mapping *m = l->mapping ? leat_pprof_mapping(x, l->mapping) : NULL;
	struct line lines[2] = { { .fn = NULL } }; /* the one before, and this one */
	struct leat_reader r = l->body;
	struct leat_proto_field f;
	size_t cnt = 0;
	int err = l->mapping && !m ? -EBADMSG : 0;

	if (!err && m && m->object == LEAT_ID_NONE)
		err = map_object(x, m);
	l->first = (uint32_t)x->frame_cnt;
	while (!err && leat_reader_left(&r)) {
		err = leat_proto_next(&r, &f);
		if (err || f.number != 4)
			continue;
		if (cnt == MAX_LINES) {
			x->b->cut_deep++;
			continue;
		}
		err = f.type == 2 ? read_line(x, f.body, &lines[1]) : -EBADMSG;
		lines[0].inlined = true;
		if (!err && cnt++)
			err = add_line(x, l, m, &lines[0]);
		lines[0] = lines[1];
	}
	lines[0].inlined = false;
	if (!err)
		err = add_line(x, l, m, &lines[0]);
	l->cnt = (uint32_t)(x->frame_cnt - l->first);
	return err;
}
