/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of capture files that are neither chunks nor records: sums, events, items, tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "event/capture.h"
#include "event/format.h"

uint64_t leat_capture_header_sum(const struct leat_capture_header *h)
{
	return leat_hash_bytes(h, offsetof(struct leat_capture_header, checksum));
}

uint64_t leat_capture_chunk_sum(const struct leat_capture_chunk *h, const void *payload)
{
	uint64_t seed = leat_hash_bytes(h, offsetof(struct leat_capture_chunk, checksum));

	return leat_hash_seeded(payload, h->stored_bytes, seed);
}

uint64_t leat_capture_chain(uint64_t chain, uint64_t checksum)
{
	return leat_hash_u64(chain ^ checksum) + checksum;
}

/* ---- events ---- */

/*
 * {u32 bytes behind this; u16 id; u16 field_cnt; u32 flags; u16 name_len, format_len; names}, then
 * the fields. What is behind the known part is of a newer version.
 */
struct event_head {
	uint32_t bytes;
	uint16_t id;
	uint16_t field_cnt;
	uint32_t flags;
	uint16_t name_len;
	uint16_t format_len;
};
_Static_assert(sizeof(struct event_head) == 16, "file format");

/* The names follow, then value_cnt times {u64 value; u16 len; name}. */
struct field_head {
	uint32_t bytes; /* behind this member */
	uint8_t type;
	uint8_t location;
	uint8_t bit_offset;
	uint8_t bit_width;
	uint32_t offset;
	uint32_t size;
	uint32_t elem_size;
	uint16_t name_len;
	uint16_t type_len;
	uint16_t value_cnt; /* names of values */
	uint8_t flags;
	uint8_t pad;
};
_Static_assert(sizeof(struct field_head) == 28, "file format");

#define FIELD_FOLLOWS	  1u
#define FIELD_FLAG_VALUES 2u

static uint16_t name_len(const char *s)
{
	return (uint16_t)strnlen(s, LEAT_CAPTURE_MAX_NAME);
}

static void put_values(struct leat_buf *b, const struct leat_field *f)
{
	for (uint32_t i = 0; i < f->name_cnt; i++) {
		uint16_t len = name_len(f->names[i].name);

		leat_buf_add(b, &f->names[i].value, sizeof(f->names[i].value));
		leat_buf_add(b, &len, sizeof(len));
		leat_buf_add(b, f->names[i].name, len);
	}
}

static void put_field(struct leat_buf *b, const struct leat_field *f)
{
	const char *type = f->type_name ? f->type_name : "";
	struct field_head h = {
		.type = (uint8_t)f->type,
		.location = (uint8_t)f->location,
		.bit_offset = f->bit_offset,
		.bit_width = f->bit_width,
		.offset = f->offset,
		.size = f->size,
		.elem_size = f->elem_size,
		.name_len = name_len(f->name),
		.type_len = name_len(type),
		.value_cnt = (uint16_t)f->name_cnt, /* LEAT_FORMAT_MAX_NAMES at most */
		.flags = (uint8_t)((f->follows ? FIELD_FOLLOWS : 0) |
				   (f->names_are_flags ? FIELD_FLAG_VALUES : 0)),
	};
	size_t at = b->len;

	leat_buf_add(b, &h, sizeof(h));
	leat_buf_add(b, f->name, h.name_len);
	leat_buf_add(b, type, h.type_len);
	put_values(b, f);
	if (b->err)
		return;
	h.bytes = (uint32_t)(b->len - at - sizeof(h.bytes));
	memcpy(b->data + at, &h, sizeof(h));
}

void leat_capture_put_event(struct leat_buf *b, const struct leat_event *ev)
{
	const struct leat_format *f = leat_event_format(ev);
	const char *name = leat_event_name(ev), *format = leat_format_name(f);
	struct event_head h = {
		.id = leat_event_id(ev),
		.field_cnt = (uint16_t)leat_format_field_cnt(f),
		.flags = leat_event_flags(ev),
		.name_len = name_len(name),
		.format_len = name_len(format),
	};
	size_t at = b->len;

	leat_buf_add(b, &h, sizeof(h));
	leat_buf_add(b, name, h.name_len);
	leat_buf_add(b, format, h.format_len);
	for (size_t i = 0; i < h.field_cnt; i++)
		put_field(b, leat_format_field_at(f, i));
	if (b->err)
		return;
	h.bytes = (uint32_t)(b->len - at - sizeof(h.bytes));
	memcpy(b->data + at, &h, sizeof(h));
}

static int get_text(struct leat_reader *r, size_t n, char **out)
{
	const void *p;
	char *s;

	if (n > LEAT_CAPTURE_MAX_NAME)
		return -EOVERFLOW;
	/* A NUL within would make two names one. */
	if (leat_reader_bytes(r, n, &p) || memchr(p, '\0', n))
		return -EBADMSG;
	s = malloc(n + 1);
	if (!s)
		return -ENOMEM;
	memcpy(s, p, n);
	s[n] = '\0';
	*out = s;
	return 0;
}

/* Names of values as they come; all are freed by values_fini. */
struct values {
	struct leat_value_name *items;
	uint32_t cnt;
};

static void values_fini(struct values *v)
{
	for (uint32_t i = 0; i < v->cnt; i++)
		free((char *)v->items[i].name);
	free(v->items);
}

static int get_values(struct leat_reader *r, uint16_t cnt, struct values *v)
{
	int err = 0;

	if (!cnt)
		return 0;
	if (cnt > LEAT_FORMAT_MAX_NAMES)
		return -EOVERFLOW;
	v->items = calloc(cnt, sizeof(*v->items));
	if (!v->items)
		return -ENOMEM;
	while (!err && v->cnt < cnt) {
		struct leat_value_name *it = &v->items[v->cnt];
		char *name = NULL;
		uint16_t len;

		if (leat_reader_u64(r, &it->value) || leat_reader_u16(r, &len))
			return -EBADMSG;
		err = get_text(r, len, &name);
		it->name = name;
		v->cnt += !err;
	}
	return err;
}

/* 1: what this version does not take; the format is of no use. */
static int get_field(struct leat_reader *r, struct leat_format *f)
{
	LEAT_AUTO(values_fini) struct values values = { 0 };
	LEAT_FREE char *name = NULL;
	LEAT_FREE char *type = NULL;
	struct leat_reader in;
	struct field_head h;
	int err;

	if (leat_reader_copy(r, &h.bytes, sizeof(h.bytes)) ||
	    leat_reader_sub(r, r->off, h.bytes, &in) || leat_reader_skip(r, h.bytes) ||
	    leat_reader_copy(&in, (char *)&h + sizeof(h.bytes), sizeof(h) - sizeof(h.bytes)))
		return -EBADMSG;
	err = get_text(&in, h.name_len, &name);
	if (!err)
		err = get_text(&in, h.type_len, &type);
	if (!err)
		err = get_values(&in, h.value_cnt, &values);
	if (err)
		return err;
	err = leat_format_add(f, &(struct leat_field){
					 .name = name,
					 .type_name = type,
					 .type = (enum leat_type)h.type,
					 .location = (enum leat_location)h.location,
					 .offset = h.offset,
					 .size = h.size,
					 .elem_size = h.elem_size,
					 .bit_offset = h.bit_offset,
					 .bit_width = h.bit_width,
					 .follows = h.flags & FIELD_FOLLOWS,
					 .names_are_flags = h.flags & FIELD_FLAG_VALUES,
					 .name_cnt = values.cnt,
					 .names = values.items,
				 });
	return err == -EINVAL || err == -EEXIST ? 1 : err;
}

static int get_fields(struct leat_reader *r, uint16_t cnt, const char *name,
		      struct leat_format **out)
{
	LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
	bool newer = false;
	int err = leat_format_new(&f, name);

	for (uint16_t i = 0; err >= 0 && i < cnt; i++) {
		err = get_field(r, f);
		newer |= err == 1;
	}
	if (err < 0)
		return err;
	*out = newer ? NULL : LEAT_TAKE(f);
	return 0;
}

void leat_capture_event_fini(struct leat_capture_event *ev)
{
	leat_format_free(&ev->format);
	free(ev->name);
	ev->name = NULL;
}

int leat_capture_get_event(struct leat_reader *r, struct leat_capture_event *out, uint32_t *fields)
{
	LEAT_AUTO(leat_capture_event_fini) struct leat_capture_event ev = { 0 };
	LEAT_FREE char *format = NULL;
	struct leat_reader in;
	struct event_head h;
	int err;

	if (leat_reader_copy(r, &h.bytes, sizeof(h.bytes)) ||
	    leat_reader_sub(r, r->off, h.bytes, &in) || leat_reader_skip(r, h.bytes) ||
	    leat_reader_copy(&in, (char *)&h + sizeof(h.bytes), sizeof(h) - sizeof(h.bytes)) ||
	    !h.name_len || h.id == UINT16_MAX)
		return -EBADMSG;
	if (h.field_cnt > *fields)
		return -EOVERFLOW;
	*fields -= h.field_cnt;
	err = get_text(&in, h.name_len, &ev.name);
	if (!err)
		err = get_text(&in, h.format_len, &format);
	if (!err)
		err = get_fields(&in, h.field_cnt, format, &ev.format);
	if (err)
		return err;
	*out = (struct leat_capture_event){
		.id = h.id,
		.flags = h.flags,
		.name = LEAT_TAKE(ev.name),
		.format = LEAT_TAKE(ev.format),
	};
	return 0;
}

/* ---- items ---- */

struct item_head {
	uint8_t type;
	uint8_t name_len;
	uint16_t pad;
	uint32_t bytes; /* of the value, behind the name */
};
_Static_assert(sizeof(struct item_head) == 8, "file format");

static void put_item(struct leat_buf *b, struct item_head h, const char *name, const void *v)
{
	leat_buf_add(b, &h, sizeof(h));
	leat_buf_add(b, name, h.name_len);
	leat_buf_add(b, v, h.bytes);
}

void leat_capture_put_u64(struct leat_buf *b, const char *name, uint64_t v)
{
	struct item_head h = {
		.type = LEAT_CAPTURE_U64,
		.name_len = (uint8_t)strnlen(name, UINT8_MAX),
		.bytes = sizeof(v),
	};

	put_item(b, h, name, &v);
}

void leat_capture_put_text(struct leat_buf *b, const char *name, const char *s)
{
	struct item_head h = {
		.type = LEAT_CAPTURE_TEXT,
		.name_len = (uint8_t)strnlen(name, UINT8_MAX),
		.bytes = (uint32_t)strnlen(s, LEAT_CAPTURE_MAX_CHUNK / 2),
	};

	put_item(b, h, name, s);
}

int leat_capture_next_item(struct leat_reader *r, struct leat_capture_item *out)
{
	struct item_head h;
	const void *name, *value;

	if (!leat_reader_left(r))
		return 0;
	if (leat_reader_copy(r, &h, sizeof(h)) || leat_reader_bytes(r, h.name_len, &name) ||
	    leat_reader_bytes(r, h.bytes, &value) ||
	    (h.type == LEAT_CAPTURE_U64 && h.bytes != sizeof(out->value)))
		return -EBADMSG;
	*out = (struct leat_capture_item){ .name = name, .name_len = h.name_len, .type = h.type };
	if (h.type == LEAT_CAPTURE_U64)
		memcpy(&out->value, value, sizeof(out->value));
	if (h.type == LEAT_CAPTURE_TEXT) {
		out->text = value;
		out->text_len = h.bytes;
	}
	return 1;
}

bool leat_capture_item_is(const struct leat_capture_item *it, const char *name)
{
	return strlen(name) == it->name_len && memcmp(name, it->name, it->name_len) == 0;
}

/* ---- tables ---- */

int leat_capture_get_table(struct leat_reader *r, uint32_t row_bytes, struct leat_capture_table *t)
{
	if (leat_reader_copy(r, t, sizeof(*t)) || t->row_bytes < row_bytes ||
	    leat_reader_left(r) != (uint64_t)t->row_bytes * t->row_cnt)
		return -EBADMSG;
	return 0;
}
