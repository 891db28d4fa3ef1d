/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats of the kernel's records, made from the type information in the BPF object itself. */
#include "engine/impl.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_LEN 128
#define DEPTH_MAX    4

struct walk {
	const struct btf *btf;
	struct leat_format *format;
	char name[NAME_MAX_LEN];
};

/* Through const and volatile, to what has the name that the source spells. */
static const struct btf_type *skip_mods(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && btf_is_mod(t))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static const char *name_of(const struct btf *btf, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(btf, t->name_off);

	return name && *name ? name : "?";
}

/* Type and size of a scalar. -ENOTSUP for anything else. */
static int scalar_of(const struct btf *btf, uint32_t id, struct leat_field *f)
{
	const struct btf_type *named = skip_mods(btf, id);
	const struct btf_type *t = btf__type_by_id(btf, (uint32_t)btf__resolve_type(btf, id));

	if (!t || !named)
		return -EBADMSG;
	f->type_name = name_of(btf, named);
	if (btf_is_ptr(t)) {
		f->type = LEAT_TYPE_POINTER;
		f->elem_size = 8;
		return 0;
	}
	if (!btf_is_int(t) && !btf_is_any_enum(t))
		return -ENOTSUP;
	f->elem_size = t->size;
	f->type = LEAT_TYPE_UINT;
	/* clang gives char the encoding of a signed integer. */
	if (btf_is_int(t) && t->size == 1 && !strcmp(name_of(btf, t), "char"))
		f->type = LEAT_TYPE_CHAR;
	else if (btf_is_int(t) && (btf_int_encoding(t) & BTF_INT_SIGNED))
		f->type = LEAT_TYPE_INT;
	return 0;
}

static int add_array(struct walk *w, const struct btf_type *t, struct leat_field *f)
{
	const struct btf_array *a = btf_array(t);
	int err = scalar_of(w->btf, a->type, f);

	if (err)
		return err;
	f->size = a->nelems * f->elem_size;
	if (!a->nelems)
		f->location = LEAT_LOCATION_TAIL;
	return leat_format_add(w->format, f);
}

static int add_struct(struct walk *w, const struct btf_type *t, uint32_t base, unsigned int depth);

static int add_member(struct walk *w, const struct btf_type *t, int i, uint32_t base,
		      unsigned int depth)
{
	const struct btf_member *m = btf_members(t) + i;
	const struct btf_type *mt =
		btf__type_by_id(w->btf, (uint32_t)btf__resolve_type(w->btf, m->type));
	struct leat_field f = { .name = w->name, .location = LEAT_LOCATION_STATIC };
	const size_t len = strlen(w->name);
	int err;

	if (!mt || btf_member_bitfield_size(t, (uint32_t)i))
		return -EBADMSG;
	f.offset = base + btf_member_bit_offset(t, (uint32_t)i) / 8;
	err = snprintf(w->name + len, sizeof(w->name) - len, "%s%s", len ? "." : "",
		       btf__name_by_offset(w->btf, m->name_off));
	if (err < 0 || (size_t)err >= sizeof(w->name) - len)
		return -ENAMETOOLONG;
	if (btf_is_struct(mt)) {
		err = add_struct(w, mt, f.offset, depth + 1);
	} else if (btf_is_array(mt)) {
		err = add_array(w, mt, &f);
	} else {
		err = scalar_of(w->btf, m->type, &f);
		f.size = f.elem_size;
		if (!err)
			err = leat_format_add(w->format, &f);
	}
	w->name[len] = 0;
	return err;
}

static int add_struct(struct walk *w, const struct btf_type *t, uint32_t base, unsigned int depth)
{
	if (depth >= DEPTH_MAX)
		return -EOVERFLOW;
	for (int i = 0; i < btf_vlen(t); i++) {
		int err = add_member(w, t, i, base, depth);

		if (err)
			return err;
	}
	return 0;
}

int leat_btf_format(const struct btf *btf, const char *struct_name, struct leat_format **out)
{
	LEAT_AUTO(leat_format_free) struct leat_format *format = NULL;
	struct walk w = { .btf = btf };
	int id = btf__find_by_name_kind(btf, struct_name, BTF_KIND_STRUCT);
	int err;

	if (id < 0)
		return id;
	err = leat_format_new(&format, struct_name);
	if (err)
		return err;
	w.format = format;
	err = add_struct(&w, btf__type_by_id(btf, (uint32_t)id), 0, 0);
	if (err)
		return err;
	*out = LEAT_TAKE(format);
	return 0;
}

static int register_kind(struct leat_engine *e, struct leat_bus *bus, enum leat_rec_kind kind)
{
	LEAT_AUTO(leat_format_free) struct leat_format *format = NULL;
	int err = leat_btf_format(leat_engine_btf(e), leat_wire_struct_name(kind), &format);

	if (err)
		return leat_diag_set(&e->diag, err, LEAT_EXIT_FAILURE,
				     "the BPF object has no type struct %s",
				     leat_wire_struct_name(kind));
	err = leat_wire_register(bus, kind, format);
	if (!err)
		(void)LEAT_TAKE(format);
	return err;
}

int leat_engine_register(struct leat_engine *e, struct leat_bus *bus)
{
	static const enum leat_rec_kind kinds[] = { LEAT_REC_COUNT, LEAT_REC_STACK, LEAT_REC_SAMPLE,
						    LEAT_REC_NEWPROC, LEAT_REC_RAW };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(kinds); i++) {
		int err = register_kind(e, bus, kinds[i]);

		if (err)
			return err;
	}
	/* Made by user space: the format is that of the C struct. */
	return leat_wire_register(bus, LEAT_REC_STAT, NULL);
}
