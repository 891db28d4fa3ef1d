/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formats of C structs from their type information. What a format cannot say field by field (an array
 * of structs, an integer of 16 bytes) is bytes, in elements of its size.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/impl.h"

#define NAME_MAX_LEN 256
#define DEPTH_MAX    16 /* structs within each other, dimensions of an array, pointers to pointers */

struct walk {
	const struct btf *btf;
	struct leat_format *format;
	uint32_t struct_bytes; /* of the outermost */
	char name[NAME_MAX_LEN];
	char type_name[NAME_MAX_LEN];
	struct leat_value_name *names; /* of the enumeration at hand */
};

static const char *str(const struct btf *btf, uint32_t off)
{
	const char *s = btf__name_by_offset(btf, off);

	return s ? s : "";
}

/* Through const and volatile, to what has the name that the source spells. */
static const struct btf_type *skip_mods(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && btf_is_mod(t))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static const struct btf_type *resolve(const struct btf *btf, uint32_t id)
{
	const int to = btf__resolve_type(btf, id);

	return to < 0 ? NULL : btf__type_by_id(btf, (uint32_t)to);
}

/* ---- how a type is spelled ---- */

static const char *keyword(const struct btf_type *t)
{
	const bool is_union = btf_kind(t) == BTF_KIND_UNION || (btf_is_fwd(t) && btf_kflag(t));

	if (is_union)
		return "union ";
	if (btf_is_struct(t) || btf_is_fwd(t))
		return "struct ";
	return btf_is_any_enum(t) ? "enum " : "";
}

static void spell(struct walk *w, uint32_t id)
{
	const struct btf_type *t = skip_mods(w->btf, id);
	unsigned int stars = 0;
	const char *name;
	int n;

	while (t && btf_is_ptr(t) && stars < DEPTH_MAX) {
		t = skip_mods(w->btf, t->type);
		stars++;
	}
	name = t ? str(w->btf, t->name_off) : "";
	if (!t || btf_is_void(t))
		name = "void";
	else if (btf_is_func_proto(t))
		name = "(function)";
	else if (!*name)
		name = "?";
	n = snprintf(w->type_name, sizeof(w->type_name), "%s%s%s%.*s", t ? keyword(t) : "", name,
		     stars ? " " : "", (int)stars, "****************");
	if (n < 0 || (size_t)n >= sizeof(w->type_name))
		snprintf(w->type_name, sizeof(w->type_name), "?");
}

/* ---- scalars ---- */

static bool is_int_size(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static void int_type(const struct walk *w, const struct btf_type *t, struct leat_field *f)
{
	const uint8_t encoding = btf_int_encoding(t);

	if (!is_int_size(t->size))
		f->type = LEAT_TYPE_BYTES;
	else if (encoding & BTF_INT_BOOL)
		f->type = LEAT_TYPE_BOOL;
	/* clang gives char the encoding of a signed integer. */
	else if (t->size == 1 && !strcmp(str(w->btf, t->name_off), "char"))
		f->type = LEAT_TYPE_CHAR;
	else
		f->type = encoding & BTF_INT_SIGNED ? LEAT_TYPE_INT : LEAT_TYPE_UINT;
}

static uint64_t enum_value(const struct btf_type *t, uint32_t i)
{
	if (btf_kind(t) == BTF_KIND_ENUM64)
		return btf_enum64_value(&btf_enum64(t)[i]);
	if (btf_kflag(t))
		return (uint64_t)(int64_t)btf_enum(t)[i].val;
	return (uint32_t)btf_enum(t)[i].val;
}

static uint32_t enum_name_off(const struct btf_type *t, uint32_t i)
{
	return btf_kind(t) == BTF_KIND_ENUM64 ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;
}

static int enum_type(struct walk *w, const struct btf_type *t, struct leat_field *f)
{
	const uint32_t n = btf_vlen(t);

	f->type = !is_int_size(t->size) ? LEAT_TYPE_BYTES
		  : btf_kflag(t)	? LEAT_TYPE_INT
					: LEAT_TYPE_UINT;
	if (!n || f->type == LEAT_TYPE_BYTES)
		return 0;
	free(w->names);
	w->names = calloc(n, sizeof(*w->names));
	if (!w->names)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		w->names[i].value = enum_value(t, i);
		w->names[i].name = str(w->btf, enum_name_off(t, i));
	}
	f->names = w->names;
	f->name_cnt = n;
	return 0;
}

/* Type, size and names of an element. Its type's name is that of the source. */
static int elem_of(struct walk *w, uint32_t id, struct leat_field *f)
{
	const struct btf_type *t = resolve(w->btf, id);
	const int64_t size = btf__resolve_size(w->btf, id);

	if (!t || size < 0 || size > UINT32_MAX)
		return -EBADMSG;
	spell(w, id);
	f->type_name = w->type_name;
	f->elem_size = (uint32_t)size;
	f->type = LEAT_TYPE_BYTES;
	if (btf_is_ptr(t))
		f->type = LEAT_TYPE_POINTER;
	else if (btf_is_int(t))
		int_type(w, t, f);
	else if (btf_is_float(t) && (size == 4 || size == 8))
		f->type = LEAT_TYPE_FLOAT;
	else if (btf_is_any_enum(t))
		return enum_type(w, t, f);
	return 0;
}

/* ---- members ---- */

/* An integer inside the record that holds all of the bits; rather the one that the compiler reads. */
static int place_bits(const struct walk *w, uint32_t bit, uint32_t width, struct leat_field *f)
{
	const uint32_t unit = f->elem_size * 8;
	uint32_t size = f->elem_size, at = bit / unit * size;

	if (!is_int_size(size) || f->type == LEAT_TYPE_BYTES)
		return -ENOTSUP;
	/* packed: it straddles two of them, or the struct ends within one */
	if (bit - at * 8 + width > unit || at + size > w->struct_bytes) {
		at = bit / 8;
		for (size = 1; size < 8 && size * 8 < bit % 8 + width; size *= 2)
			;
		if (at + size > w->struct_bytes && w->struct_bytes >= size)
			at = w->struct_bytes - size;
	}
	if (bit - at * 8 + width > size * 8)
		return -ENOTSUP;
	f->location = LEAT_LOCATION_BITS;
	f->type = f->type == LEAT_TYPE_CHAR ? LEAT_TYPE_INT : f->type;
	f->offset = at;
	f->size = f->elem_size = size;
	f->bit_offset = (uint8_t)(bit - at * 8);
	f->bit_width = (uint8_t)width;
	return 0;
}

static int add_array(struct walk *w, uint32_t id, struct leat_field *f)
{
	const struct btf_type *t = resolve(w->btf, id);
	uint32_t cnt = 1;
	int err;

	for (int depth = 0; t && btf_is_array(t); depth++) {
		const struct btf_array *a = btf_array(t);

		if (depth == DEPTH_MAX || __builtin_mul_overflow(cnt, a->nelems, &cnt))
			return -EOVERFLOW;
		id = a->type;
		t = resolve(w->btf, id);
	}
	err = elem_of(w, id, f);
	if (err)
		return err;
	if (!f->elem_size)
		return 0; /* of empty structs: it has nothing to read */
	if (__builtin_mul_overflow(cnt, f->elem_size, &f->size))
		return -EOVERFLOW;
	if (!cnt)
		f->location = LEAT_LOCATION_TAIL;
	return leat_format_add(w->format, f);
}

static int add_scalar(struct walk *w, uint32_t id, uint32_t bit, uint32_t width,
		      struct leat_field *f)
{
	const struct btf_type *t = resolve(w->btf, id);
	int err = elem_of(w, id, f);

	if (err)
		return err;
	/* Compilers of long ago say it of the integer, not of the member. */
	if (!width && btf_is_int(t) && btf_int_bits(t) != t->size * 8) {
		width = btf_int_bits(t);
		bit += btf_int_offset(t);
	}
	f->size = f->elem_size;
	if (width)
		err = place_bits(w, bit, width, f);
	return err ? err : leat_format_add(w->format, f);
}

static int add_struct(struct walk *w, const struct btf_type *t, uint32_t base_bit,
		      unsigned int depth);

static int add_member(struct walk *w, const struct btf_type *t, uint32_t i, uint32_t base_bit,
		      unsigned int depth)
{
	const struct btf_member *m = btf_members(t) + i;
	const struct btf_type *mt = resolve(w->btf, m->type);
	const uint32_t bit = base_bit + btf_member_bit_offset(t, i);
	struct leat_field f = { .name = w->name, .offset = bit / 8 };

	if (!mt)
		return -EBADMSG;
	if (btf_is_composite(mt))
		return add_struct(w, mt, bit, depth + 1);
	if (btf_is_array(mt))
		return add_array(w, m->type, &f);
	return add_scalar(w, m->type, bit, btf_member_bitfield_size(t, i), &f);
}

/* The members of a struct without a name are those of the one around it. */
static int add_struct(struct walk *w, const struct btf_type *t, uint32_t base_bit,
		      unsigned int depth)
{
	const size_t len = strlen(w->name);

	if (depth >= DEPTH_MAX)
		return -EOVERFLOW;
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const char *name = str(w->btf, btf_members(t)[i].name_off);
		int n = snprintf(w->name + len, sizeof(w->name) - len, "%s%s",
				 len && *name ? "." : "", name);
		int err;

		if (n < 0 || (size_t)n >= sizeof(w->name) - len)
			return -ENAMETOOLONG;
		err = add_member(w, t, i, base_bit, depth);
		w->name[len] = '\0';
		if (err)
			return err;
	}
	return 0;
}

int leat_btf_format(const struct btf *btf, const char *struct_name, struct leat_format **out)
{
	LEAT_AUTO(leat_format_free) struct leat_format *format = NULL;
	struct walk w = { .btf = btf };
	const struct btf_type *t;
	int id = btf__find_by_name_kind(btf, struct_name, BTF_KIND_STRUCT);
	int err;

	if (id < 0)
		return id;
	err = leat_format_new(&format, struct_name);
	if (err)
		return err;
	t = btf__type_by_id(btf, (uint32_t)id);
	w.format = format;
	w.struct_bytes = t->size;
	err = add_struct(&w, t, 0, 0);
	free(w.names);
	if (err)
		return err;
	*out = LEAT_TAKE(format);
	return 0;
}
