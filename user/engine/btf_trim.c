/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/btf_trim.h"

#include <errno.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define KIND_DECL_TAG 17u
#define KIND_TYPE_TAG 18u
#define KIND_ENUM64   19u

/* One blob of type information, checked: sections lie in it, and strings end in it. */
struct blob {
	const uint8_t *types;
	const char *strs;
	uint32_t types_len, strs_len;
};

struct trim {
	struct blob in;
	uint32_t *at; /* by type id: offset in in.types */
	uint32_t type_cnt;
	uint32_t *new_ids; /* by type id; 0: not taken */
	uint32_t *taken;   /* by new id - 1: type id */
	uint32_t taken_cnt;
	uint32_t *names; /* hash table of the wanted names: offset in their strings, 0 empty */
	uint32_t name_mask;
	struct blob wanted;
	struct leat_buf types, strs;
};

static int blob_open(struct blob *b, const void *data, size_t n)
{
	struct btf_header h;
	const uint8_t *body = data;

	if (n < sizeof(h) || n > LEAT_BTF_BYTES_MAX)
		return n < sizeof(h) ? -EBADMSG : -EOVERFLOW;
	memcpy(&h, data, sizeof(h));
	if (h.magic != BTF_MAGIC || h.version != BTF_VERSION || h.hdr_len < sizeof(h) ||
	    h.hdr_len > n)
		return -EBADMSG;
	body += h.hdr_len;
	n -= h.hdr_len;
	if (h.type_off > n || h.type_len > n - h.type_off || h.str_off > n ||
	    h.str_len > n - h.str_off || !h.str_len || h.type_off % 4 || (uintptr_t)body % 4)
		return -EBADMSG;
	b->types = body + h.type_off;
	b->types_len = h.type_len;
	b->strs = (const char *)body + h.str_off;
	b->strs_len = h.str_len;
	return b->strs[0] || b->strs[b->strs_len - 1] ? -EBADMSG : 0;
}

static const char *name_at(const struct blob *b, uint32_t off)
{
	return off < b->strs_len ? b->strs + off : "";
}

/* Bytes that follow a struct btf_type; -1: a kind that is not known. */
static int64_t tail_of(const struct btf_type *t)
{
	const int64_t n = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case KIND_DECL_TAG:
		return 4;
	case BTF_KIND_ARRAY:
		return sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return n * (int64_t)sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return n * (int64_t)sizeof(struct btf_enum);
	case KIND_ENUM64:
	case BTF_KIND_DATASEC:
		return n * 12;
	case BTF_KIND_FUNC_PROTO:
		return n * (int64_t)sizeof(struct btf_param);
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case KIND_TYPE_TAG:
		return 0;
	default:
		return -1;
	}
}

static bool is_root_kind(uint32_t kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM ||
	       kind == KIND_ENUM64 || kind == BTF_KIND_TYPEDEF;
}

/* Calls @fn with each type and its offset. */
static int each_type(const struct blob *b, struct trim *t,
		     int (*fn)(struct trim *t, const struct btf_type *type, uint32_t at))
{
	uint32_t at = 0;

	while (at < b->types_len) {
		const struct btf_type *type = (const void *)(b->types + at);
		const uint32_t left = b->types_len - at;
		int64_t tail = left < sizeof(*type) ? -1 : tail_of(type);
		int err;

		if (tail < 0 || tail > (int64_t)(left - sizeof(*type)))
			return -EBADMSG;
		err = fn(t, type, at);
		if (err)
			return err;
		at += (uint32_t)(sizeof(*type) + (size_t)tail);
	}
	return 0;
}

/* "module___leat" asks for "module": what follows tells the object's own types of one name apart. */
#define FLAVOR "___"

static size_t plain_len(const char *wanted)
{
	const char *flavor = strstr(wanted, FLAVOR);

	return flavor && flavor != wanted ? (size_t)(flavor - wanted) : strlen(wanted);
}

/* Where the name of @len bytes is in the table of names, or would be. */
static uint32_t *name_slot(const struct trim *t, const char *name, size_t len)
{
	uint32_t i = (uint32_t)leat_hash_bytes(name, len);

	for (;; i++) {
		uint32_t *slot = &t->names[i & t->name_mask];
		const char *has = t->wanted.strs + *slot;

		if (!*slot || (!strncmp(has, name, len) && plain_len(has) == len))
			return slot;
	}
}

static int count_type(struct trim *t, const struct btf_type *type, uint32_t at)
{
	(void)type;
	(void)at;
	return ++t->type_cnt > LEAT_BTF_TYPES_MAX ? -EOVERFLOW : 0;
}

static int add_name(struct trim *t, const struct btf_type *type, uint32_t at)
{
	const char *name = name_at(&t->wanted, type->name_off);

	(void)at;
	if (is_root_kind(BTF_INFO_KIND(type->info)) && *name)
		*name_slot(t, name, plain_len(name)) = type->name_off;
	return 0;
}

/* At most half full: each wanted type has one name. */
static int make_names(struct trim *t)
{
	int err = each_type(&t->wanted, t, count_type);
	uint32_t slots = 64;

	if (err)
		return err;
	while (slots < t->type_cnt * 2)
		slots *= 2;
	t->type_cnt = 0;
	t->name_mask = slots - 1;
	t->names = calloc(slots, sizeof(*t->names));
	return t->names ? each_type(&t->wanted, t, add_name) : -ENOMEM;
}

/* The new id of a type, which is taken now if it was not yet. 0 is void, as before. */
static uint32_t take(struct trim *t, uint32_t id)
{
	if (!id || id > t->type_cnt)
		return 0;
	if (!t->new_ids[id]) {
		t->taken[t->taken_cnt++] = id;
		t->new_ids[id] = t->taken_cnt;
	}
	return t->new_ids[id];
}

static int index_type(struct trim *t, const struct btf_type *type, uint32_t at)
{
	const uint32_t id = ++t->type_cnt;
	const char *name;

	t->at[id] = at;
	if (!is_root_kind(BTF_INFO_KIND(type->info)))
		return 0;
	name = name_at(&t->in, type->name_off);
	if (*name && *name_slot(t, name, strlen(name)))
		take(t, id);
	return 0;
}

static int make_index(struct trim *t)
{
	/* No type is smaller than its head. */
	const size_t most = t->in.types_len / sizeof(struct btf_type) + 1;

	if (most > LEAT_BTF_TYPES_MAX * 2u)
		return -EOVERFLOW;
	t->at = calloc(most, sizeof(*t->at));
	t->new_ids = calloc(most, sizeof(*t->new_ids));
	t->taken = calloc(most, sizeof(*t->taken));
	if (!t->at || !t->new_ids || !t->taken)
		return -ENOMEM;
	return each_type(&t->in, t, index_type);
}

static uint32_t put_name(struct trim *t, uint32_t off)
{
	const char *name = name_at(&t->in, off);
	const uint32_t at = (uint32_t)t->strs.len;

	if (!*name)
		return 0;
	leat_buf_add(&t->strs, name, strlen(name) + 1);
	return at;
}

static void put_members(struct trim *t, const struct btf_type *type)
{
	const struct btf_member *m = (const void *)(type + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++) {
		struct btf_member copy = m[i];

		copy.name_off = put_name(t, m[i].name_off);
		copy.type = take(t, m[i].type);
		leat_buf_add(&t->types, &copy, sizeof(copy));
	}
}

/* Of either size: the name comes first in both. */
static void put_enumerators(struct trim *t, const struct btf_type *type, size_t size)
{
	const uint8_t *e = (const void *)(type + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++, e += size) {
		uint32_t name;

		memcpy(&name, e, sizeof(name));
		name = put_name(t, name);
		leat_buf_add(&t->types, &name, sizeof(name));
		leat_buf_add(&t->types, e + sizeof(name), size - sizeof(name));
	}
}

static void put_array(struct trim *t, const struct btf_type *type)
{
	struct btf_array copy = *(const struct btf_array *)(type + 1);

	copy.type = take(t, copy.type);
	copy.index_type = take(t, copy.index_type);
	leat_buf_add(&t->types, &copy, sizeof(copy));
}

static void put_type(struct trim *t, const struct btf_type *type)
{
	const uint32_t kind = BTF_INFO_KIND(type->info);
	struct btf_type copy = *type;

	copy.name_off = put_name(t, type->name_off);
	if (kind == BTF_KIND_PTR)
		copy.type = 0;
	else if (kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_CONST ||
		 kind == BTF_KIND_RESTRICT || kind == KIND_TYPE_TAG)
		copy.type = take(t, type->type);
	else if (kind == BTF_KIND_FUNC_PROTO) /* only a typedef leads here: of no size, like this */
		copy = (struct btf_type){ .info = BTF_KIND_FWD << 24 };
	leat_buf_add(&t->types, &copy, sizeof(copy));
	if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
		put_members(t, type);
	else if (kind == BTF_KIND_ENUM)
		put_enumerators(t, type, sizeof(struct btf_enum));
	else if (kind == KIND_ENUM64)
		put_enumerators(t, type, 12);
	else if (kind == BTF_KIND_ARRAY)
		put_array(t, type);
	else if (kind == BTF_KIND_INT)
		leat_buf_add(&t->types, type + 1, 4);
}

/* What no type contains by value, and no typedef names. */
static bool is_part(uint32_t kind)
{
	return kind != BTF_KIND_FUNC && kind != BTF_KIND_VAR && kind != BTF_KIND_DATASEC &&
	       kind != KIND_DECL_TAG;
}

/* More are taken while some are put: until there are no more. */
static int put_all(struct trim *t)
{
	leat_buf_char(&t->strs, 0);
	for (uint32_t i = 0; i < t->taken_cnt; i++) {
		const struct btf_type *type = (const void *)(t->in.types + t->at[t->taken[i]]);

		if (!is_part(BTF_INFO_KIND(type->info)))
			return -EBADMSG;
		put_type(t, type);
		if (t->types.err || t->strs.err)
			return t->types.err ? t->types.err : t->strs.err;
	}
	return 0;
}

static int put_blob(struct trim *t, struct leat_buf *out)
{
	const struct btf_header h = { .magic = BTF_MAGIC,
				      .version = BTF_VERSION,
				      .hdr_len = sizeof(h),
				      .type_len = (uint32_t)t->types.len,
				      .str_off = (uint32_t)t->types.len,
				      .str_len = (uint32_t)t->strs.len };

	leat_buf_add(out, &h, sizeof(h));
	leat_buf_add(out, t->types.data, t->types.len);
	leat_buf_add(out, t->strs.data, t->strs.len);
	return out->err;
}

static int trim(struct trim *t, struct leat_buf *out)
{
	int err = make_names(t);

	if (!err)
		err = make_index(t);
	if (!err && !t->taken_cnt)
		err = -ENOENT;
	if (!err)
		err = put_all(t);
	return err ? err : put_blob(t, out);
}

int leat_btf_trim(const void *btf, size_t btf_len, const void *wanted, size_t wanted_len,
		  struct leat_buf *out)
{
	struct trim t = { 0 };
	int err = blob_open(&t.in, btf, btf_len);

	if (!err)
		err = blob_open(&t.wanted, wanted, wanted_len);
	if (err)
		return err;
	leat_buf_init(&t.types, LEAT_BTF_BYTES_MAX);
	leat_buf_init(&t.strs, LEAT_BTF_BYTES_MAX);
	err = trim(&t, out);
	leat_buf_fini(&t.types);
	leat_buf_fini(&t.strs);
	free(t.at);
	free(t.new_ids);
	free(t.taken);
	free(t.names);
	return err;
}
