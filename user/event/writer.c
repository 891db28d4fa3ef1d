/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A writer is one step a field, in the order of the format: a label ("name=", ",\"name\":"), how to
 * find the bytes, how to write them. Fields that follow variable ones are found on the way, for the
 * writer visits each of these anyway.
 */
#include <leat/writer.h>

#include "base/cleanup.h"
#include "event/out.h"
#include "event/place.h"

enum form {
	FORM_UINT = 0,
	FORM_INT,
	FORM_BOOL,
	FORM_POINTER,
	FORM_TIME,
	FORM_ENUM,
	FORM_FLAGS,
	FORM_FLOAT,
	FORM_GUID,
	FORM_TEXT,  /* all of the field */
	FORM_UTF16, /* all of the field */
	FORM_BYTES, /* all of the field */
};

/* Labels up to this long are copied by two loads, for memory behind them is theirs. */
#define LABEL_WORD 16

struct step {
	struct leat_place place;
	char *label;
	uint32_t label_len;
	uint8_t form;
	bool is_list;	  /* several elements, in brackets */
	bool is_variable; /* others may follow it */
	uint32_t name_cnt;
	struct leat_value_name *names; /* of FORM_ENUM by value, of FORM_FLAGS in the given order */
};

struct leat_writer {
	bool json;
	uint64_t short_cnt;
	size_t n;
	struct step steps[];
};

/* ---- compiling ---- */

static enum form integer_form(const struct leat_field *f)
{
	if (f->name_cnt)
		return f->names_are_flags ? FORM_FLAGS : FORM_ENUM;
	switch (f->type) {
	case LEAT_TYPE_INT:
		return FORM_INT;
	case LEAT_TYPE_BOOL:
		return FORM_BOOL;
	case LEAT_TYPE_POINTER:
		return FORM_POINTER;
	case LEAT_TYPE_TIME:
		return FORM_TIME;
	default:
		return FORM_UINT;
	}
}

static enum form form_of(const struct leat_field *f, const struct leat_place *pl)
{
	const bool is_array = !pl->is_scalar;

	if (leat_place_is_utf16(pl) && f->type == LEAT_TYPE_CHAR)
		return FORM_UTF16;
	if (f->type == LEAT_TYPE_CHAR)
		return FORM_TEXT;
	if (f->type == LEAT_TYPE_UINT && f->elem_size == 1 && is_array && !f->name_cnt)
		return FORM_BYTES;
	if (f->type == LEAT_TYPE_FLOAT)
		return FORM_FLOAT;
	if (f->type == LEAT_TYPE_GUID)
		return FORM_GUID;
	return pl->is_integer ? integer_form(f) : FORM_BYTES;
}

static int by_value(const void *a, const void *b)
{
	const struct leat_value_name *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* The format's own texts are not kept. */
static int copy_names(struct step *s, const struct leat_field *f)
{
	s->names = calloc(f->name_cnt, sizeof(*s->names));
	if (!s->names)
		return -ENOMEM;
	for (; s->name_cnt < f->name_cnt; s->name_cnt++) {
		struct leat_value_name *name = &s->names[s->name_cnt];

		name->value = f->names[s->name_cnt].value;
		name->name = strdup(f->names[s->name_cnt].name);
		if (!name->name)
			return -ENOMEM;
	}
	if (!f->names_are_flags)
		qsort(s->names, s->name_cnt, sizeof(*s->names), by_value);
	return 0;
}

/* "name=" or "\"name\":", with what divides it from the field before. */
static int make_label(struct step *s, const char *name, bool json, bool first)
{
	const size_t cap = 6 * strlen(name) + LABEL_WORD;
	struct leat_out o;

	s->label = calloc(1, cap);
	if (!s->label)
		return -ENOMEM;
	o = (struct leat_out){ .p = s->label, .end = s->label + cap };
	leat_out_char(&o, json ? (first ? '{' : ',') : ' ');
	if (!json && first)
		o.p--;
	if (json)
		leat_out_text(&o, LEAT_OUT_JSON, name, strlen(name));
	else
		leat_out_add(&o, name, strlen(name));
	leat_out_char(&o, json ? ':' : '=');
	s->label_len = (uint32_t)(o.p - s->label);
	return 0;
}

static int compile(struct leat_writer *w, const struct leat_format *f, size_t i)
{
	const struct leat_field *field = &f->fields[i];
	struct step *s = &w->steps[i];
	int err;

	s->place = f->places[i];
	s->form = (uint8_t)form_of(field, &s->place);
	s->is_variable = field->location == LEAT_LOCATION_STRING ||
			 field->location == LEAT_LOCATION_UTF16 ||
			 field->location == LEAT_LOCATION_LEN_ARRAY;
	s->is_list = !s->place.is_scalar && s->form < FORM_TEXT;
	if (leat_place_is_described(&s->place) && s->place.size > sizeof(uint32_t))
		s->is_list = true;
	err = make_label(s, field->name, w->json, i == 0);
	if (!err && field->name_cnt && (s->form == FORM_ENUM || s->form == FORM_FLAGS))
		err = copy_names(s, field);
	return err;
}

int leat_writer_new(struct leat_writer **out, const struct leat_format *f,
		    enum leat_writer_kind kind)
{
	LEAT_AUTO(leat_writer_free) struct leat_writer *w = NULL;
	int err = 0;

	if (kind != LEAT_WRITER_TEXT && kind != LEAT_WRITER_JSON)
		return -EINVAL;
	w = calloc(1, sizeof(*w) + f->n * sizeof(w->steps[0]));
	if (!w)
		return -ENOMEM;
	w->json = kind == LEAT_WRITER_JSON;
	w->n = f->n;
	for (size_t i = 0; i < f->n && !err; i++)
		err = compile(w, f, i);
	if (err)
		return err;
	*out = LEAT_TAKE(w);
	return 0;
}

void leat_writer_free(struct leat_writer **w)
{
	if (!*w)
		return;
	for (size_t i = 0; i < (*w)->n; i++) {
		struct step *s = &(*w)->steps[i];

		for (uint32_t k = 0; k < s->name_cnt; k++)
			free((char *)s->names[k].name);
		free(s->names);
		free(s->label);
	}
	free(*w);
	*w = NULL;
}

uint64_t leat_writer_short_cnt(const struct leat_writer *w)
{
	return w->short_cnt;
}

/* ---- writing ---- */

static void put_integer(struct leat_out *o, const struct step *s, uint64_t v)
{
	if (s->place.type == LEAT_TYPE_INT)
		leat_out_i64(o, (int64_t)v);
	else
		leat_out_u64(o, v);
}

static void put_name(struct leat_out *o, bool json, const char *name)
{
	leat_out_text(o, json ? LEAT_OUT_JSON : LEAT_OUT_BARE, name, strlen(name));
}

static void put_enum(struct leat_out *o, const struct step *s, bool json, uint64_t v)
{
	const struct leat_value_name key = { .value = v };
	const struct leat_value_name *found =
		bsearch(&key, s->names, s->name_cnt, sizeof(key), by_value);

	if (found)
		put_name(o, json, found->name);
	else
		put_integer(o, s, v);
}

/*
 * Names are joined here, so that they are escaped as one text. What does not fit is shown in hex. Its
 * memory is not to burden the frame of who calls it.
 */
static __attribute__((noinline)) void put_flags(struct leat_out *o, const struct step *s, bool json,
						uint64_t v)
{
	char text[512];
	struct leat_out t = { .p = text, .end = text + sizeof(text) - 20 };

	for (uint32_t i = 0; i < s->name_cnt; i++) {
		const struct leat_value_name *name = &s->names[i];
		const size_t len = strlen(name->name);

		if ((name->value & v) != name->value || (!name->value && (v || t.p != text)))
			continue;
		if (len + 1 > (size_t)(t.end - t.p))
			break;
		if (t.p != text)
			leat_out_char(&t, '|');
		leat_out_add(&t, name->name, len);
		v &= ~name->value;
	}
	t.end += 20;
	if (v || t.p == text) {
		if (t.p != text)
			leat_out_char(&t, '|');
		if (v)
			leat_out_hex(&t, v);
		else
			leat_out_char(&t, '0');
	}
	leat_out_text(o, json ? LEAT_OUT_JSON : LEAT_OUT_BARE, text, (size_t)(t.p - text));
}

static void put_quotes(struct leat_out *o, bool json)
{
	if (json)
		leat_out_char(o, '"');
}

static void put_float(struct leat_out *o, const struct step *s, bool json, const void *p)
{
	const double v = leat_place_load_f64(p, s->place.elem);

	if (json && v - v != 0) /* NaN and infinite have no form in JSON */
		leat_out_add(o, "null", 4);
	else
		leat_out_f64(o, v, s->place.elem == sizeof(float));
}

/* One number, GUID or the like. */
static void put_element(struct leat_out *o, const struct step *s, bool json, const void *p)
{
	uint64_t v = 0;

	if (s->place.is_integer)
		v = leat_place_load(&s->place, p);
	switch ((enum form)s->form) {
	case FORM_UINT:
		leat_out_u64(o, v);
		return;
	case FORM_INT:
		leat_out_i64(o, (int64_t)v);
		return;
	case FORM_BOOL:
		leat_out_add(o, v ? "true" : "false", v ? 4 : 5);
		return;
	case FORM_TIME:
		if (json)
			leat_out_u64(o, v);
		else
			leat_out_time(o, v);
		return;
	case FORM_ENUM:
		put_enum(o, s, json, v);
		return;
	case FORM_FLAGS:
		put_flags(o, s, json, v);
		return;
	case FORM_FLOAT:
		put_float(o, s, json, p);
		return;
	default:
		break;
	}
	put_quotes(o, json);
	if (s->form == FORM_POINTER)
		leat_out_hex(o, v);
	else
		leat_out_guid(o, p);
	put_quotes(o, json);
}

/* The whole of a text or of bytes. */
static void put_whole(struct leat_out *o, const struct step *s, enum leat_out_text how,
		      struct leat_slice v)
{
	if (s->form == FORM_TEXT) {
		/* A string in place was cut when it was found. */
		if (s->place.location != LEAT_LOCATION_STRING)
			v.len = leat_len_string(v.data, v.len);
		leat_out_text(o, how, v.data, v.len);
	} else if (s->form == FORM_UTF16) {
		leat_out_utf16(o, how, v.data, leat_len_utf16(v.data, v.len));
	} else {
		put_quotes(o, how == LEAT_OUT_JSON);
		leat_out_bytes(o, v.data, v.len);
		put_quotes(o, how == LEAT_OUT_JSON);
	}
}

static void put_missing(struct leat_writer *w, struct leat_out *o)
{
	w->short_cnt++;
	leat_out_add(o, w->json ? "null" : "?", w->json ? 4 : 1);
}

static void put_list(struct leat_writer *w, struct leat_out *o, const struct step *s,
		     struct leat_slice v)
{
	const uint8_t *p = v.data;

	leat_out_char(o, '[');
	for (size_t at = 0; v.len - at >= s->place.elem && !o->full; at += s->place.elem) {
		if (at)
			leat_out_char(o, ',');
		put_element(o, s, w->json, p + at);
	}
	leat_out_char(o, ']');
}

/* An array of descriptors: what each names, in brackets. */
static void put_descriptors(struct leat_writer *w, struct leat_out *o, const struct step *s,
			    const struct leat_record *r, struct leat_slice v)
{
	const size_t first = (size_t)((const uint8_t *)v.data - (const uint8_t *)r->data);

	leat_out_char(o, '[');
	for (size_t at = 0; at < v.len && !o->full; at += sizeof(uint32_t)) {
		struct leat_slice e;

		if (at)
			leat_out_char(o, ',');
		if (!leat_place_described(&s->place, first + at, r, &e))
			put_missing(w, o);
		else if (s->form >= FORM_TEXT)
			put_whole(o, s, w->json ? LEAT_OUT_JSON : LEAT_OUT_QUOTED, e);
		else
			put_list(w, o, s, e);
	}
	leat_out_char(o, ']');
}

static inline void put_label(struct leat_out *o, const struct step *s)
{
	if (s->label_len <= LABEL_WORD && o->end - o->p >= LABEL_WORD) {
		memcpy(o->p, s->label, LABEL_WORD);
		o->p += s->label_len;
	} else {
		leat_out_add(o, s->label, s->label_len);
	}
}

static void put_value(struct leat_writer *w, struct leat_out *o, const struct step *s,
		      const struct leat_record *r, struct leat_slice v)
{
	if (s->form == FORM_UINT && !s->is_list)
		leat_out_u64(o, leat_place_load(&s->place, v.data));
	else if (!s->is_list && s->form < FORM_TEXT)
		put_element(o, s, w->json, v.data);
	else if (!s->is_list)
		put_whole(o, s, w->json ? LEAT_OUT_JSON : LEAT_OUT_BARE, v);
	else if (leat_place_is_described(&s->place) && s->place.size > sizeof(uint32_t))
		put_descriptors(w, o, s, r, v);
	else
		put_list(w, o, s, v);
}

/* As leat_place_slice, which it spares where there is nothing to search. */
static inline bool find(const struct step *s, uint64_t base, const struct leat_record *r,
			struct leat_slice *v)
{
	const uint64_t at = base + s->place.offset;

	if (!s->place.is_scalar)
		return leat_place_slice(&s->place, base, r, v);
	if (at + s->place.size > r->size)
		return false;
	*v = (struct leat_slice){ .data = (const uint8_t *)r->data + at, .len = s->place.size };
	return true;
}

/* Where a field that follows this one is counted from; past the record's end: nowhere. */
static uint64_t end_of(const struct step *s, const struct leat_record *r, struct leat_slice v)
{
	uint64_t end = (uint64_t)((const uint8_t *)v.data - (const uint8_t *)r->data) + v.len;

	if (s->place.location == LEAT_LOCATION_STRING)
		return end + 1;
	return s->place.location == LEAT_LOCATION_UTF16 ? end + 2 : end;
}

int leat_writer_write(struct leat_writer *w, const struct leat_record *r, char *buf, size_t cap,
		      size_t *len)
{
	struct leat_out o = { .p = buf, .end = buf + cap };
	uint64_t after = 0; /* end of the last variable field */

	for (size_t i = 0; i < w->n; i++) {
		const struct step *s = &w->steps[i];
		const uint64_t base = s->place.skip_cnt ? after : 0;
		struct leat_slice v;
		bool found = base <= r->size && find(s, base, r, &v);

		put_label(&o, s);
		if (found)
			put_value(w, &o, s, r, v);
		else
			put_missing(w, &o);
		if (s->is_variable)
			after = found ? end_of(s, r, v) : UINT64_MAX;
	}
	if (w->json)
		leat_out_add(&o, w->n ? "}" : "{}", w->n ? 1 : 2);
	if (o.full)
		return -EOVERFLOW;
	*len = (size_t)(o.p - buf);
	return 0;
}
