/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/format.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

/* How a field is read, decided once: one switch on the data path. */
enum op {
	OP_SLICE = 0, /* no integer */
	OP_U8,
	OP_U16,
	OP_U32,
	OP_U64,
	OP_I8,
	OP_I16,
	OP_I32,
};

/* Twelve bytes a field, apart from its names, so that a record's fields share a cache line. */
struct reader {
	uint32_t offset;
	uint32_t size;
	uint8_t op;
	uint8_t location;
	uint8_t type;
	uint8_t pad;
};

struct leat_format {
	struct reader *readers;
	size_t n;
	size_t readers_cap;
	struct leat_field *fields;
	size_t fields_cap;
	char *name;
	uint64_t short_cnt;
};

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
	}
	free((*f)->fields);
	free((*f)->readers);
	free((*f)->name);
	free(*f);
	*f = NULL;
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
		return is_int_size(elem);
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

/* An array field's size is a multiple of its element's; a descriptor is four bytes. */
static bool field_is_valid(const struct leat_field *f)
{
	uint32_t end;

	if (!f->name || !*f->name || __builtin_add_overflow(f->offset, f->size, &end))
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
		return f->size == 0 || f->size == 4;
	case LEAT_LOCATION_TAIL:
		return f->size == 0 && elem_is_valid(f->type, f->elem_size);
	}
	return false;
}

static enum op op_of(const struct leat_field *f)
{
	bool is_signed = f->type == LEAT_TYPE_INT;

	if (f->location != LEAT_LOCATION_STATIC || f->size != f->elem_size)
		return OP_SLICE;
	if (f->type != LEAT_TYPE_UINT && f->type != LEAT_TYPE_INT && f->type != LEAT_TYPE_POINTER)
		return OP_SLICE;
	switch (f->size) {
	case 1:
		return is_signed ? OP_I8 : OP_U8;
	case 2:
		return is_signed ? OP_I16 : OP_U16;
	case 4:
		return is_signed ? OP_I32 : OP_U32;
	default:
		return OP_U64;
	}
}

int leat_format_add(struct leat_format *f, const struct leat_field *field)
{
	LEAT_FREE char *name = NULL;
	LEAT_FREE char *type_name = NULL;
	struct leat_field copy = *field;
	int err;

	if (!copy.elem_size)
		copy.elem_size = copy.size ? copy.size : 1;
	if (!field_is_valid(&copy))
		return -EINVAL;
	if (leat_format_find(f, field->name).index != LEAT_FIELD_REF_NONE)
		return -EEXIST;
	err = LEAT_ARRAY_ROOM(f->fields, f->fields_cap, f->n + 1, LEAT_FORMAT_MAX_FIELDS);
	if (!err)
		err = LEAT_ARRAY_ROOM(f->readers, f->readers_cap, f->n + 1, LEAT_FORMAT_MAX_FIELDS);
	if (err)
		return err;
	name = strdup(field->name);
	type_name = strdup(field->type_name ? field->type_name : "");
	if (!name || !type_name)
		return -ENOMEM;
	copy.name = LEAT_TAKE(name);
	copy.type_name = LEAT_TAKE(type_name);
	f->fields[f->n] = copy;
	f->readers[f->n] = (struct reader){
		.offset = copy.offset,
		.size = copy.size,
		.op = (uint8_t)op_of(&copy),
		.location = (uint8_t)copy.location,
		.type = (uint8_t)copy.type,
	};
	f->n++;
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

leat_field_ref leat_format_find(const struct leat_format *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->fields[i].name, name) == 0)
			return (leat_field_ref){ .index = (uint16_t)i };
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

uint64_t leat_format_short_cnt(const struct leat_format *f)
{
	return f->short_cnt;
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
		    x->elem_size != y->elem_size)
			return false;
	}
	return true;
}

/* Formats are never const objects: readers have a const view, and this counter is theirs. */
static __attribute__((cold, noinline)) void count_short(const struct leat_format *f)
{
	((struct leat_format *)f)->short_cnt++;
}

static struct leat_slice none(const struct leat_format *f)
{
	count_short(f);
	return (struct leat_slice){ .data = NULL, .len = 0 };
}

static size_t len_utf16(const uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i + 1 < n; i += 2) {
		if (!p[i] && !p[i + 1])
			break;
	}
	return i;
}

/* Kernel's __data_loc and __rel_loc: length in the upper half, offset in the lower. */
static struct leat_slice described(const struct leat_format *f, const struct reader *rd,
				   const struct leat_record *r)
{
	uint64_t at = rd->offset;
	uint32_t word;

	if (at + sizeof(word) > r->size)
		return none(f);
	memcpy(&word, (const uint8_t *)r->data + at, sizeof(word));
	at = (word & 0xffff) + (rd->location == LEAT_LOCATION_REL_LOC ? at + sizeof(word) : 0);
	if (at + (word >> 16) > r->size)
		return none(f);
	return (struct leat_slice){ .data = (const uint8_t *)r->data + at, .len = word >> 16 };
}

struct leat_slice leat_get_slice(const struct leat_format *f, leat_field_ref ref,
				 const struct leat_record *r)
{
	const struct reader *rd;
	struct leat_slice s;

	if (ref.index >= f->n)
		return (struct leat_slice){ .data = NULL, .len = 0 };
	rd = &f->readers[ref.index];
	if (rd->location == LEAT_LOCATION_DATA_LOC || rd->location == LEAT_LOCATION_REL_LOC)
		return described(f, rd, r);
	if ((uint64_t)rd->offset + rd->size > r->size)
		return none(f);
	s.data = (const uint8_t *)r->data + rd->offset;
	s.len = r->size - rd->offset;
	if (rd->location == LEAT_LOCATION_STATIC)
		s.len = rd->size;
	else if (rd->location == LEAT_LOCATION_STRING)
		s.len = strnlen(s.data, s.len);
	else if (rd->location == LEAT_LOCATION_UTF16)
		s.len = len_utf16(s.data, s.len);
	return s;
}

#define LOAD(type)                                                                                 \
	({                                                                                         \
		type v_;                                                                           \
		memcpy(&v_, p, sizeof(v_));                                                        \
		v_;                                                                                \
	})

int leat_get_u64(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		 uint64_t *out)
{
	const struct reader *rd;
	const uint8_t *p;

	if (__builtin_expect(ref.index >= f->n, 0))
		return -EINVAL;
	rd = &f->readers[ref.index];
	if (__builtin_expect((uint64_t)rd->offset + rd->size > r->size, 0)) {
		count_short(f);
		return -ENODATA;
	}
	p = (const uint8_t *)r->data + rd->offset;
	switch ((enum op)rd->op) {
	case OP_U64:
		*out = LOAD(uint64_t);
		return 0;
	case OP_U32:
		*out = LOAD(uint32_t);
		return 0;
	case OP_U16:
		*out = LOAD(uint16_t);
		return 0;
	case OP_U8:
		*out = *p;
		return 0;
	case OP_I32:
		*out = (uint64_t)(int64_t)LOAD(int32_t);
		return 0;
	case OP_I16:
		*out = (uint64_t)(int64_t)LOAD(int16_t);
		return 0;
	case OP_I8:
		*out = (uint64_t)(int64_t)LOAD(int8_t);
		return 0;
	case OP_SLICE:
		break;
	}
	return -EINVAL;
}

int leat_get_i64(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		 int64_t *out)
{
	uint64_t v;
	int err = leat_get_u64(f, ref, r, &v);

	if (err)
		return err;
	if (f->readers[ref.index].type != LEAT_TYPE_INT && v > INT64_MAX)
		return -EOVERFLOW;
	*out = (int64_t)v;
	return 0;
}

int leat_get_u32(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		 uint32_t *out)
{
	uint64_t v;
	int err = leat_get_u64(f, ref, r, &v);

	if (err)
		return err;
	if (v > UINT32_MAX)
		return -EOVERFLOW;
	*out = (uint32_t)v;
	return 0;
}

struct leat_slice leat_get_text(const struct leat_format *f, leat_field_ref ref,
				const struct leat_record *r)
{
	struct leat_slice s = leat_get_slice(f, ref, r);

	if (s.len && f->readers[ref.index].location != LEAT_LOCATION_UTF16)
		s.len = strnlen(s.data, s.len);
	return s;
}
