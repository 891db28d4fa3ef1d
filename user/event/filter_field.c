/* SPDX-License-Identifier: BSD-2-Clause */
/* What a filter says of fields: which there are, what they are compared as, names of their values. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/nearest.h"
#include "event/filter.h"

int leat_filter_kind_of(const struct leat_field *f, enum leat_filter_kind *out)
{
	bool is_single = f->size && f->size == f->elem_size;

	if (f->location == LEAT_LOCATION_UTF16 || f->location == LEAT_LOCATION_STRING ||
	    f->type == LEAT_TYPE_CHAR) {
		bool wide = f->location == LEAT_LOCATION_UTF16 ||
			    (f->type == LEAT_TYPE_CHAR && f->elem_size == 2);

		*out = wide ? LEAT_FILTER_UTF16 : LEAT_FILTER_TEXT;
		return 0;
	}
	/* What a descriptor points to is an array, whatever it holds. */
	if (!is_single || f->location == LEAT_LOCATION_DATA_LOC ||
	    f->location == LEAT_LOCATION_REL_LOC)
		return -ENOTSUP;
	if (leat_type_is_integer(f->type)) {
		*out = LEAT_FILTER_NUMBER;
		return 0;
	}
	if (f->type != LEAT_TYPE_FLOAT)
		return -ENOTSUP;
	*out = LEAT_FILTER_FLOAT;
	return 0;
}

bool leat_filter_is_fixed(const struct leat_field *f)
{
	return f->location == LEAT_LOCATION_STATIC && !f->follows;
}

static const char *type_words(const struct leat_field *f)
{
	switch (f->type) {
	case LEAT_TYPE_UINT:
		return "unsigned number";
	case LEAT_TYPE_INT:
		return "signed number";
	case LEAT_TYPE_FLOAT:
		return "floating-point number";
	case LEAT_TYPE_POINTER:
		return "pointer";
	case LEAT_TYPE_GUID:
		return "GUID";
	case LEAT_TYPE_BOOL:
		return "truth value";
	case LEAT_TYPE_TIME:
		return "time";
	default:
		return "piece";
	}
}

const char *leat_filter_describe(const struct leat_field *f, char *buf, size_t size)
{
	enum leat_filter_kind kind;

	if (leat_filter_kind_of(f, &kind))
		snprintf(buf, size, "an array (%s of %u bytes each)", type_words(f), f->elem_size);
	else if (kind == LEAT_FILTER_TEXT)
		snprintf(buf, size, "text");
	else if (kind == LEAT_FILTER_UTF16)
		snprintf(buf, size, "UTF-16 text");
	else
		snprintf(buf, size, "%s %s of %u bytes", f->type == LEAT_TYPE_UINT ? "an" : "a",
			 type_words(f), f->size);
	return buf;
}

/* The name that is nearest to what was typed; else one that holds it; NULL. */
static const char *nearest(const struct leat_format *f, const char *word)
{
	unsigned int best = leat_distance_limit(strlen(word)) + 1;
	const char *near = NULL, *holds = NULL;

	for (size_t i = 0; i < leat_format_field_cnt(f); i++) {
		const char *name = leat_format_field_at(f, i)->name;
		unsigned int d = leat_distance(word, name);

		if (d < best) {
			best = d;
			near = name;
		}
		if (!holds && strlen(word) >= 3 && strstr(name, word))
			holds = name;
	}
	return near ? near : holds;
}

static void list_fields(const struct leat_format *f, struct leat_buf *out)
{
	size_t cnt = leat_format_field_cnt(f), i;

	for (i = 0; i < cnt && out->len < 300; i++) {
		leat_buf_str(out, i ? ", " : "");
		leat_buf_str(out, leat_format_field_at(f, i)->name);
	}
	if (i < cnt)
		leat_buf_printf(out, " and %zu more", cnt - i);
}

int leat_filter_no_field(struct leat_filter_error *e, const struct leat_format *f,
			 const struct leat_filter_token *name)
{
	const char *meant = nearest(f, name->text);
	struct leat_buf fields;

	if (!leat_format_field_cnt(f))
		return leat_filter_refuse(e, name->at, -ENOENT,
					  "no field \"%s\": the event has no fields", name->text);
	leat_buf_init(&fields, 4096);
	list_fields(f, &fields);
	leat_filter_refuse(e, name->at, -ENOENT, "no field \"%.64s\"%s%.64s%s; fields are: %s",
			   name->text, meant ? "; did you mean \"" : "", meant ? meant : "",
			   meant ? "\"?" : "", fields.data ? fields.data : "");
	leat_buf_fini(&fields);
	return -ENOENT;
}

/* Names belong to the field: "state == RUNNING". */
int leat_filter_enum_value(void *ctx, const struct leat_format *f, leat_field_ref field,
			   const char *name, struct leat_filter_number *out)
{
	const struct leat_field *of = leat_format_field_at(f, field.index);
	uint64_t value;

	(void)ctx;
	if (!of || leat_field_value_of(of, name, &value))
		return -ENOENT;
	out->bits = value;
	out->negative = of->type == LEAT_TYPE_INT && (int64_t)value < 0;
	return 0;
}
