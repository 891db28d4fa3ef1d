/* SPDX-License-Identifier: BSD-2-Clause */
/* Names from a reader of symbols of user code. */
#include <leat/symbols.h>

#include <errno.h>
#include <string.h>

#include "symbols/demangle.h"
#include "symbols/symbols.h"
#include "symbols/table.h"

/* A frame that wants a name, and the best symbol so far. */
struct place {
	uint64_t at;
	uint64_t size; /* of the symbol; UINT64_MAX: none yet */
	uint32_t frame;
	uint32_t function;
};

struct reading {
	struct leat_profile *p;
	uint32_t object;
	struct place *places; /* sorted by .at */
	size_t n;
	struct leat_buf name; /* demangled */
};

static int by_at(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* The call, not what comes after it: that may belong to the next function. */
static uint64_t place_of(const struct leat_frame *f)
{
	bool is_return = (f->flags & LEAT_FRAME_RETURN) && !(f->flags & LEAT_FRAME_SIGNAL);

	return f->offset - (is_return && f->offset);
}

static bool is_wanted(const struct leat_frame *f, uint32_t object)
{
	return f->object == object && f->function == LEAT_ID_NONE &&
	       !(f->flags & (LEAT_FRAME_REMAPPED | LEAT_FRAME_BAD_CALL));
}

static int collect(struct reading *r)
{
	const struct leat_profile *p = r->p;
	size_t cnt = 0;

	for (size_t i = 0; i < p->frame_cnt; i++)
		cnt += is_wanted(&p->frames[i], r->object);
	r->places = calloc(cnt + 1, sizeof(*r->places));
	if (!r->places)
		return -ENOMEM;
	for (size_t i = 0; i < p->frame_cnt; i++) {
		if (!is_wanted(&p->frames[i], r->object))
			continue;
		r->places[r->n++] = (struct place){ .at = place_of(&p->frames[i]),
						    .size = UINT64_MAX,
						    .frame = (uint32_t)i,
						    .function = LEAT_ID_NONE };
	}
	qsort(r->places, r->n, sizeof(*r->places), by_at);
	return 0;
}

static size_t first_from(const struct reading *r, uint64_t at)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (r->places[mid].at < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static enum leat_function_kind kind_of(enum leat_object_kind kind)
{
	return kind == LEAT_OBJECT_KERNEL ? LEAT_FUNCTION_KERNEL
	       : kind == LEAT_OBJECT_JIT  ? LEAT_FUNCTION_JIT
					  : LEAT_FUNCTION_NATIVE;
}

static int add_function(struct reading *r, const struct leat_symbol *s, uint32_t *id)
{
	size_t len = s->name_len < LEAT_SYMBOL_NAME_MAX ? s->name_len : LEAT_SYMBOL_NAME_MAX;
	struct leat_function f = {
		.object = r->object,
		.file = LEAT_ID_NONE,
		.line = s->line,
		.kind = kind_of(r->p->objects[r->object].kind),
		.start = s->start,
	};
	int err = leat_profile_string(r->p, s->name, len, &f.raw);

	f.name = f.raw;
	leat_buf_reset(&r->name);
	if (!err && s->is_mangled && leat_demangle(s->name, len, &r->name))
		err = leat_profile_string(r->p, r->name.data, r->name.len, &f.name);
	if (!err && s->file)
		err = leat_profile_string(r->p, s->file, strlen(s->file), &f.file);
	return err ? err : leat_profile_function(r->p, &f, id);
}

static int take(struct reading *r, const struct leat_symbol *s)
{
	uint32_t function = LEAT_ID_NONE;
	int err;

	if (s->start >= s->end || !s->name_len)
		return 0;
	for (size_t i = first_from(r, s->start); i < r->n && r->places[i].at < s->end; i++) {
		struct place *at = &r->places[i];

		if (s->end - s->start >= at->size)
			continue;
		err = function == LEAT_ID_NONE ? add_function(r, s, &function) : 0;
		if (err)
			return err;
		at->size = s->end - s->start;
		at->function = function;
	}
	return 0;
}

static int read_all(struct reading *r, const struct leat_symbol_reader *reader)
{
	int more = reader->ops->reset ? reader->ops->reset(reader->self) : 0;

	if (more < 0)
		return more;
	for (uint32_t i = 0; i < LEAT_SYMBOLS_MAX_READ; i++) {
		struct leat_symbol s = { .name = NULL };
		int err;

		more = reader->ops->next(reader->self, &s);
		if (more <= 0)
			return more;
		err = take(r, &s);
		if (err)
			return err;
	}
	return -EOVERFLOW;
}

static void reading_fini(struct reading *r)
{
	free(r->places);
	leat_buf_fini(&r->name);
}

int leat_symbols_read(struct leat_profile *p, uint32_t object,
		      const struct leat_symbol_reader *reader, size_t *named)
{
	LEAT_AUTO(reading_fini) struct reading r = { .p = p, .object = object };
	size_t cnt = 0;
	int err;

	if (object >= p->object_cnt)
		return -ENOENT;
	leat_buf_init(&r.name, LEAT_DEMANGLE_OUT_MAX);
	err = collect(&r);
	if (!err && r.n)
		err = read_all(&r, reader);
	if (err)
		return err;
	for (size_t i = 0; i < r.n; i++) {
		if (r.places[i].function == LEAT_ID_NONE)
			continue;
		p->frames[r.places[i].frame].function = r.places[i].function;
		cnt++;
	}
	if (named)
		*named = cnt;
	return 0;
}

static int no_file(void *ctx, const struct leat_profile *p, const struct leat_object *o,
		   enum leat_file_what what, const char *arg, unsigned int n)
{
	(void)ctx;
	(void)p;
	(void)o;
	(void)what;
	(void)arg;
	(void)n;
	return -ENOENT;
}

int leat_symbols_finish(struct leat_profile *p)
{
	const struct leat_symbols_opts o = { .threads = 1 }; /* no file: nothing that takes long */
	struct leat_file_provider none = { .open = no_file };

	return leat_symbols_resolve(p, &none, &o);
}
