/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/format.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "event/place.h"

int leat_format_new(struct leat_format **out, const char *name)
{
	struct leat_format *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->name = strdup(name);
	if (!f->name) {
		free(f);
		return -ENOMEM;
	}
	*out = f;
	return 0;
}

void leat_format_free(struct leat_format **f)
{
	if (!*f)
		return;
	for (size_t i = 0; i < (*f)->n; i++) {
		free((char *)(*f)->fields[i].name);
		free((char *)(*f)->fields[i].type_name);
		free((void *)(*f)->fields[i].names);
	}
	free((*f)->fields);
	free((*f)->places);
	free((*f)->skips);
	free((*f)->name);
	free(*f);
	*f = NULL;
}

bool leat_type_is_integer(enum leat_type type)
{
	return type == LEAT_TYPE_UINT || type == LEAT_TYPE_INT || type == LEAT_TYPE_POINTER ||
	       type == LEAT_TYPE_BOOL || type == LEAT_TYPE_TIME;
}

static bool is_int_size(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static bool elem_is_valid(enum leat_type type, uint32_t elem)
{
	switch (type) {
	case LEAT_TYPE_UINT:
	case LEAT_TYPE_INT:
	case LEAT_TYPE_BOOL:
		return is_int_size(elem);
	case LEAT_TYPE_TIME:
		return elem == 8;
	case LEAT_TYPE_CHAR:
		return elem == 1 || elem == 2;
	case LEAT_TYPE_FLOAT:
	case LEAT_TYPE_POINTER:
		return elem == 4 || elem == 8;
	case LEAT_TYPE_GUID:
		return elem == 16;
	case LEAT_TYPE_BYTES:
		return elem != 0;
	}
	return false;
}

static bool bits_are_valid(const struct leat_field *f)
{
	return leat_type_is_integer(f->type) && is_int_size(f->size) && f->elem_size == f->size &&
	       f->bit_width && (uint32_t)f->bit_offset + f->bit_width <= 8 * f->size;
}

/* An array field's size is a multiple of its element's; a descriptor is four bytes. */
static bool field_is_valid(const struct leat_field *f)
{
	uint32_t end;

	if (!f->name || !*f->name || __builtin_add_overflow(f->offset, f->size, &end))
		return false;
	if (f->name_cnt && (!f->names || !leat_type_is_integer(f->type)))
		return false;
	if (f->elem_size > UINT16_MAX && f->location != LEAT_LOCATION_STATIC)
		return false;
	switch (f->location) {
	case LEAT_LOCATION_STATIC:
		return f->size && elem_is_valid(f->type, f->elem_size) &&
		       f->size % f->elem_size == 0;
	case LEAT_LOCATION_STRING:
	case LEAT_LOCATION_UTF16:
		return f->size == 0;
	case LEAT_LOCATION_DATA_LOC:
	case LEAT_LOCATION_REL_LOC:
		return f->size % 4 == 0 && elem_is_valid(f->type, f->elem_size);
	case LEAT_LOCATION_TAIL:
	case LEAT_LOCATION_LEN_ARRAY:
		return f->size == 0 && elem_is_valid(f->type, f->elem_size);
	case LEAT_LOCATION_BITS:
		return bits_are_valid(f);
	}
	return false;
}

static bool is_variable(const struct leat_field *f)
{
	return f->location == LEAT_LOCATION_STRING || f->location == LEAT_LOCATION_UTF16 ||
	       f->location == LEAT_LOCATION_LEN_ARRAY;
}

static uint32_t default_elem(const struct leat_field *f)
{
	if (f->location == LEAT_LOCATION_STATIC || f->location == LEAT_LOCATION_BITS)
		return f->size;
	return f->location == LEAT_LOCATION_UTF16 ? 2 : 1;
}

static struct leat_place place_of(const struct leat_format *f, const struct leat_field *field)
{
	struct leat_place pl = {
		.offset = field->offset,
		.size = field->size,
		.elem = field->elem_size,
		.location = (uint8_t)field->location,
		.type = (uint8_t)field->type,
		.is_integer = leat_type_is_integer(field->type) && is_int_size(field->elem_size),
		.is_scalar = (field->location == LEAT_LOCATION_STATIC ||
			      field->location == LEAT_LOCATION_BITS) &&
			     field->size == field->elem_size,
	};
	uint32_t width = field->location == LEAT_LOCATION_BITS ? field->bit_width : 8 * pl.elem;

	if (pl.is_integer) {
		pl.right = (uint8_t)(64 - width);
		pl.left = field->type == LEAT_TYPE_INT ? 0x80 : 0;
		if (field->location == LEAT_LOCATION_BITS)
			pl.left |= (uint8_t)(8 * pl.elem - field->bit_offset - width);
	}
	if (field->follows) {
		const struct leat_place *last = &f->places[f->last_variable];

		pl.skip_from = last->skip_from;
		pl.skip_cnt = last->skip_cnt + 1;
	} else {
		pl.skip_from = (uint16_t)f->skip_cnt; /* where a chain of its own would begin */
	}
	return pl;
}

/* One block: the table, then the texts. */
static int copy_names(const struct leat_field *field, const struct leat_value_name **out)
{
	const size_t cnt = field->name_cnt;
	size_t bytes = cnt * sizeof(struct leat_value_name);
	struct leat_value_name *names;
	char *text;

	if (!cnt) {
		*out = NULL;
		return 0;
	}
	for (size_t i = 0; i < cnt; i++)
		bytes += strlen(field->names[i].name) + 1;
	names = malloc(bytes);
	if (!names)
		return -ENOMEM;
	text = (char *)(names + cnt);
	for (size_t i = 0; i < cnt; i++) {
		size_t len = strlen(field->names[i].name) + 1;

		names[i] = (struct leat_value_name){ .value = field->names[i].value, .name = text };
		if (field->type != LEAT_TYPE_INT && field->elem_size < 8)
			names[i].value &= (1ull << (8 * field->elem_size)) - 1;
		memcpy(text, field->names[i].name, len);
		text += len;
	}
	*out = names;
	return 0;
}

static int make_room(struct leat_format *f)
{
	int err = LEAT_ARRAY_ROOM(f->fields, f->fields_cap, f->n + 1, LEAT_FORMAT_MAX_FIELDS);

	if (!err)
		err = LEAT_ARRAY_ROOM(f->places, f->places_cap, f->n + 1, LEAT_FORMAT_MAX_FIELDS);
	if (!err)
		err = LEAT_ARRAY_ROOM(f->skips, f->skips_cap, f->skip_cnt + 1,
				      LEAT_FORMAT_MAX_FIELDS);
	return err;
}

static void append(struct leat_format *f, const struct leat_field *field)
{
	f->fields[f->n] = *field;
	f->places[f->n] = place_of(f, field);
	if (is_variable(field)) {
		f->skips[f->skip_cnt++] = (struct leat_skip){
			.gap = field->offset,
			.elem = (uint16_t)field->elem_size,
			.location = (uint8_t)field->location,
		};
		f->last_variable = (uint16_t)f->n;
	}
	f->n++;
}

int leat_format_add(struct leat_format *f, const struct leat_field *field)
{
	LEAT_FREE char *name = NULL;
	LEAT_FREE char *type_name = NULL;
	struct leat_field copy = *field;
	int err;

	if (!copy.elem_size)
		copy.elem_size = default_elem(&copy);
	if (!field_is_valid(&copy) || (copy.follows && !f->skip_cnt))
		return -EINVAL;
	if (leat_format_find(f, field->name).index != LEAT_FIELD_REF_NONE)
		return -EEXIST;
	if (copy.name_cnt > LEAT_FORMAT_MAX_NAMES)
		return -EOVERFLOW;
	err = make_room(f);
	if (err)
		return err;
	name = strdup(field->name);
	type_name = strdup(field->type_name ? field->type_name : "");
	if (!name || !type_name)
		return -ENOMEM;
	err = copy_names(&copy, &copy.names);
	if (err)
		return err;
	copy.name = LEAT_TAKE(name);
	copy.type_name = LEAT_TAKE(type_name);
	append(f, &copy);
	return 0;
}

size_t leat_format_field_cnt(const struct leat_format *f)
{
	return f->n;
}

const struct leat_field *leat_format_field_at(const struct leat_format *f, size_t i)
{
	return i < f->n ? &f->fields[i] : NULL;
}

static leat_field_ref ref_of(const struct leat_format *f, size_t i)
{
	const struct leat_place *pl = &f->places[i];
	leat_field_ref ref = { .index = (uint16_t)i };

	if (!pl->is_integer || !pl->is_scalar || pl->skip_cnt)
		return ref;
	ref.left = pl->left;
	ref.right = pl->right;
	ref.end = pl->offset + pl->size;
	return ref;
}

leat_field_ref leat_format_find(const struct leat_format *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->fields[i].name, name) == 0)
			return ref_of(f, i);
	}
	return (leat_field_ref){ .index = LEAT_FIELD_REF_NONE };
}

int leat_format_ref(const struct leat_format *f, const char *name, leat_field_ref *out)
{
	*out = leat_format_find(f, name);
	return out->index == LEAT_FIELD_REF_NONE ? -ENOENT : 0;
}

const char *leat_format_name(const struct leat_format *f)
{
	return f->name;
}

bool leat_format_equal(const struct leat_format *a, const struct leat_format *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct leat_field *x = &a->fields[i];
		const struct leat_field *y = &b->fields[i];

		if (strcmp(x->name, y->name) != 0 || x->type != y->type ||
		    x->location != y->location || x->offset != y->offset || x->size != y->size ||
		    x->elem_size != y->elem_size || x->follows != y->follows ||
		    x->bit_offset != y->bit_offset || x->bit_width != y->bit_width)
			return false;
	}
	return true;
}

int leat_format_rename(struct leat_format *f, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	free(f->name);
	f->name = copy;
	return 0;
}

int leat_format_name_values(struct leat_format *f, size_t i, const struct leat_value_name *names,
			    uint32_t cnt, bool are_flags)
{
	struct leat_field *field = &f->fields[i];
	struct leat_field with = *field;
	int err;

	if (field->name_cnt || !leat_type_is_integer(field->type))
		return 0;
	with.names = names;
	with.name_cnt = cnt;
	err = copy_names(&with, &field->names);
	if (err)
		return err;
	field->name_cnt = cnt;
	field->names_are_flags = are_flags;
	return 0;
}

const char *leat_field_value_name(const struct leat_field *field, uint64_t value)
{
	for (uint32_t i = 0; i < field->name_cnt; i++) {
		if (field->names[i].value == value)
			return field->names[i].name;
	}
	return NULL;
}

int leat_field_value_of(const struct leat_field *field, const char *name, uint64_t *out)
{
	for (uint32_t i = 0; i < field->name_cnt; i++) {
		if (strcmp(field->names[i].name, name) == 0) {
			*out = field->names[i].value;
			return 0;
		}
	}
	return -ENOENT;
}
