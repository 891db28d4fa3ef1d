/* SPDX-License-Identifier: BSD-2-Clause */
/* Declarations of tracefs formats: which element, how many of them, where. */
#include "event/tracefs.h"

#define POINTER_BYTES 8u

/*
 * Sizes of the types that dynamic and flexible arrays are made of: there "size:" is the descriptor's.
 * Of all other fields it is the value's, and no name matters. Types as 64-bit kernels have them.
 */
static const struct {
	const char *name;
	uint8_t size;
} sizes[] = {
	{ "char", 1 },
	{ "signed char", 1 },
	{ "unsigned char", 1 },
	{ "u8", 1 },
	{ "s8", 1 },
	{ "__u8", 1 },
	{ "__s8", 1 },
	{ "uint8_t", 1 },
	{ "int8_t", 1 },
	{ "bool", 1 },
	{ "_Bool", 1 },
	{ "short", 2 },
	{ "unsigned short", 2 },
	{ "u16", 2 },
	{ "s16", 2 },
	{ "__u16", 2 },
	{ "__s16", 2 },
	{ "__le16", 2 },
	{ "__be16", 2 },
	{ "uint16_t", 2 },
	{ "int16_t", 2 },
	{ "int", 4 },
	{ "unsigned", 4 },
	{ "unsigned int", 4 },
	{ "uint", 4 },
	{ "u32", 4 },
	{ "s32", 4 },
	{ "__u32", 4 },
	{ "__s32", 4 },
	{ "__le32", 4 },
	{ "__be32", 4 },
	{ "uint32_t", 4 },
	{ "int32_t", 4 },
	{ "pid_t", 4 },
	{ "uid_t", 4 },
	{ "gid_t", 4 },
	{ "dev_t", 4 },
	{ "float", 4 },
	{ "long", 8 },
	{ "unsigned long", 8 },
	{ "long long", 8 },
	{ "unsigned long long", 8 },
	{ "u64", 8 },
	{ "s64", 8 },
	{ "__u64", 8 },
	{ "__s64", 8 },
	{ "__le64", 8 },
	{ "__be64", 8 },
	{ "uint64_t", 8 },
	{ "int64_t", 8 },
	{ "size_t", 8 },
	{ "ssize_t", 8 },
	{ "loff_t", 8 },
	{ "sector_t", 8 },
	{ "dma_addr_t", 8 },
	{ "phys_addr_t", 8 },
	{ "double", 8 },
	{ "guid_t", 16 },
	{ "uuid_t", 16 },
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* Takes "[16]", "[]" or "[][4]" from the end; the last number counts. */
static bool cut_brackets(struct leat_span *s, struct leat_tracefs_decl *d)
{
	bool found = false;

	while (s->n && s->p[s->n - 1] == ']') {
		size_t at = s->n - 1;
		uint64_t cnt = 0;

		while (at && s->p[at] != '[')
			at--;
		if (s->p[at] != '[')
			return false;
		for (size_t i = at + 1; i < s->n - 1 && cnt <= UINT16_MAX; i++)
			cnt = s->p[i] >= '0' && s->p[i] <= '9'
				      ? cnt * 10 + (uint64_t)(s->p[i] - '0')
				      : UINT32_MAX;
		if (!d->cnt && cnt <= UINT16_MAX)
			d->cnt = (uint32_t)cnt;
		d->is_array = true;
		found = true;
		*s = leat_span_trim((struct leat_span){ .p = s->p, .n = at });
	}
	return found;
}

bool leat_tracefs_declare(struct leat_span text, struct leat_tracefs_decl *out)
{
	struct leat_tracefs_decl d = { .location = LEAT_LOCATION_STATIC };
	size_t at;

	text = leat_span_trim(text);
	if (leat_span_cut(&text, "__data_loc "))
		d.location = LEAT_LOCATION_DATA_LOC;
	else if (leat_span_cut(&text, "__rel_loc "))
		d.location = LEAT_LOCATION_REL_LOC;
	(void)cut_brackets(&text, &d);
	at = text.n;
	while (at && is_word(text.p[at - 1]))
		at--;
	d.name = (struct leat_span){ .p = text.p + at, .n = text.n - at };
	d.type = leat_span_trim((struct leat_span){ .p = text.p, .n = at });
	(void)cut_brackets(&d.type, &d);
	if (!d.name.n || !d.type.n || (d.name.p[0] >= '0' && d.name.p[0] <= '9'))
		return false;
	*out = d;
	return true;
}

/* Without qualifiers: they stand in front, or behind a star. */
static struct leat_span unqualified(struct leat_span s)
{
	static const char *const words[] = { "const ", "volatile ", "__user ", "__iomem " };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(words); i++)
		while (leat_span_cut(&s, words[i]))
			i = 0;
	return s;
}

static bool is_pointer(struct leat_span s)
{
	while (s.n && is_word(s.p[s.n - 1]))
		s.n--; /* "void *const" */
	s = leat_span_trim(s);
	return s.n && s.p[s.n - 1] == '*';
}

static uint32_t size_of(struct leat_span base)
{
	struct leat_span tag = base;

	if (is_pointer(base))
		return POINTER_BYTES;
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(sizes); i++)
		if (leat_span_is(base, sizes[i].name))
			return sizes[i].size;
	return leat_span_cut(&tag, "enum ") ? 4 : 0;
}

static bool is_struct(struct leat_span base)
{
	return leat_span_cut(&base, "struct ") || leat_span_cut(&base, "union ");
}

/* Type of an element of @elem bytes. */
static enum leat_type type_of(const struct leat_tracefs_decl *d, struct leat_span base,
			      uint32_t elem)
{
	const bool is_int = elem == 1 || elem == 2 || elem == 4 || elem == 8;

	if (is_pointer(base))
		return elem == 4 || elem == 8 ? LEAT_TYPE_POINTER : LEAT_TYPE_BYTES;
	if (elem == 16 && (leat_span_is(base, "guid_t") || leat_span_is(base, "uuid_t")))
		return LEAT_TYPE_GUID;
	if (is_struct(base) || !is_int)
		return LEAT_TYPE_BYTES;
	if (leat_span_is(base, "float") || leat_span_is(base, "double"))
		return elem >= 4 ? LEAT_TYPE_FLOAT : LEAT_TYPE_BYTES;
	if (d->is_array && leat_span_is(base, "char") && elem == 1)
		return LEAT_TYPE_CHAR;
	if (leat_span_is(base, "bool") || leat_span_is(base, "_Bool"))
		return LEAT_TYPE_BOOL;
	return d->is_signed ? LEAT_TYPE_INT : LEAT_TYPE_UINT;
}

/* Bytes of an element of a static field: by its number, else by its name, else all of it. */
static uint32_t static_elem(const struct leat_tracefs_decl *d, struct leat_span base)
{
	const uint32_t known = size_of(base);

	if (!d->is_array)
		return d->size;
	if (d->cnt && d->size % d->cnt == 0)
		return d->size / d->cnt;
	return known && d->size % known == 0 ? known : d->size;
}

void leat_tracefs_type(const struct leat_tracefs_decl *d, struct leat_field *f)
{
	const struct leat_span base = unqualified(d->type);

	f->location = d->location;
	f->size = d->size;
	if (d->location == LEAT_LOCATION_STATIC && d->size) {
		f->elem_size = static_elem(d, base);
	} else {
		if (d->location == LEAT_LOCATION_STATIC)
			f->location = LEAT_LOCATION_TAIL;
		f->elem_size = size_of(base);
	}
	f->type = type_of(d, base, f->elem_size);
	if (!f->elem_size)
		f->elem_size = 1;
}
