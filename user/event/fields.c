/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading by reference: what the inline getters of the public header leave over. */
#include "event/place.h"

/* Formats are never const objects: readers have a const view, and this counter is theirs. */
static __attribute__((cold, noinline)) void count_short(const struct leat_format *f)
{
	((struct leat_format *)f)->short_cnt++;
}

uint64_t leat_format_short_cnt(const struct leat_format *f)
{
	return f->short_cnt;
}

/* Where the offset of @pl is counted from; may be behind the record. */
static uint64_t base_of(const struct leat_format *f, const struct leat_place *pl,
			const struct leat_record *r)
{
	return pl->skip_cnt ? leat_skip_over(f->skips + pl->skip_from, pl->skip_cnt, r) : 0;
}

static bool find(const struct leat_format *f, const struct leat_place *pl,
		 const struct leat_record *r, struct leat_slice *out)
{
	*out = (struct leat_slice){ .data = NULL, .len = 0 };
	if (leat_place_slice(pl, base_of(f, pl, r), r, out))
		return true;
	count_short(f);
	return false;
}

struct leat_slice leat_get_slice(const struct leat_format *f, leat_field_ref ref,
				 const struct leat_record *r)
{
	struct leat_slice s = { .data = NULL, .len = 0 };

	if (ref.index < f->n)
		(void)find(f, &f->places[ref.index], r, &s);
	return s;
}

struct leat_slice leat_get_text(const struct leat_format *f, leat_field_ref ref,
				const struct leat_record *r)
{
	struct leat_slice s = leat_get_slice(f, ref, r);

	if (s.len)
		s.len = leat_place_is_utf16(&f->places[ref.index]) ? leat_len_utf16(s.data, s.len)
								   : leat_len_string(s.data, s.len);
	return s;
}

/* The one element of a field that is no array and is of a type that @wanted accepts. */
static int scalar(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		  bool (*wanted)(const struct leat_place *pl), struct leat_slice *out)
{
	if (ref.index >= f->n)
		return -EINVAL;
	if (!f->places[ref.index].is_scalar || !wanted(&f->places[ref.index]))
		return -EINVAL;
	return find(f, &f->places[ref.index], r, out) ? 0 : -ENODATA;
}

static bool is_float(const struct leat_place *pl)
{
	return pl->type == LEAT_TYPE_FLOAT;
}

static bool is_guid(const struct leat_place *pl)
{
	return pl->type == LEAT_TYPE_GUID;
}

struct leat_number leat_get_number(const struct leat_format *f, leat_field_ref ref,
				   const struct leat_record *r)
{
	const struct leat_place *pl;
	uint64_t at;

	if (ref.index >= f->n)
		return (struct leat_number){ .err = -EINVAL };
	pl = &f->places[ref.index];
	if (!pl->is_integer || !pl->is_scalar)
		return (struct leat_number){ .err = -EINVAL };
	at = base_of(f, pl, r) + pl->offset;
	if (at + pl->size > r->size) {
		count_short(f);
		return (struct leat_number){ .err = -ENODATA };
	}
	return (struct leat_number){ .value = leat_place_load(pl, (const uint8_t *)r->data + at) };
}

bool leat_field_is_signed(const struct leat_format *f, leat_field_ref ref)
{
	return ref.index < f->n && f->places[ref.index].type == LEAT_TYPE_INT;
}

/* A value that has the sign bit and is not signed is too large. */
static int as_signed(const struct leat_place *pl, uint64_t v, int64_t *out)
{
	if (pl->type != LEAT_TYPE_INT && v > INT64_MAX)
		return -EOVERFLOW;
	*out = (int64_t)v;
	return 0;
}

int leat_get_bool(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		  bool *out)
{
	uint64_t v;
	int err = leat_get_u64(f, ref, r, &v);

	if (err)
		return err;
	*out = v != 0;
	return 0;
}

int leat_get_f64(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		 double *out)
{
	struct leat_slice s;
	int err = scalar(f, ref, r, is_float, &s);

	if (err)
		return err;
	*out = leat_place_load_f64(s.data, (uint32_t)s.len);
	return 0;
}

int leat_get_guid(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		  struct leat_guid *out)
{
	struct leat_slice s;
	int err = scalar(f, ref, r, is_guid, &s);

	if (err)
		return err;
	memcpy(out->bytes, s.data, sizeof(out->bytes));
	return 0;
}

/* ---- elements ---- */

static bool has_descriptors(const struct leat_place *pl)
{
	return leat_place_is_described(pl) && pl->size > sizeof(uint32_t);
}

size_t leat_get_cnt(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r)
{
	const struct leat_slice s = leat_get_slice(f, ref, r);
	const struct leat_place *pl;

	if (!s.len)
		return 0;
	pl = &f->places[ref.index];
	return s.len / (has_descriptors(pl) ? sizeof(uint32_t) : pl->elem);
}

struct leat_slice leat_get_slice_at(const struct leat_format *f, leat_field_ref ref,
				    const struct leat_record *r, size_t i)
{
	struct leat_slice s = leat_get_slice(f, ref, r);
	const struct leat_place *pl;
	size_t elem;

	if (!s.len)
		return s;
	pl = &f->places[ref.index];
	elem = has_descriptors(pl) ? sizeof(uint32_t) : pl->elem;
	if (i >= s.len / elem)
		return (struct leat_slice){ .data = NULL, .len = 0 };
	s.data = (const uint8_t *)s.data + i * elem;
	s.len = elem;
	if (!has_descriptors(pl))
		return s;
	if (!leat_place_described(
		    pl, (uint64_t)((const uint8_t *)s.data - (const uint8_t *)r->data), r, &s))
		count_short(f);
	return s;
}

/* An element of @size bytes at least is there. */
static int element(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		   size_t i, struct leat_slice *out)
{
	*out = leat_get_slice_at(f, ref, r, i);
	return !out->data || out->len < f->places[ref.index].elem ? -ENODATA : 0;
}

int leat_get_u64_at(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		    size_t i, uint64_t *out)
{
	struct leat_slice s;
	int err;

	if (ref.index >= f->n || !f->places[ref.index].is_integer)
		return -EINVAL;
	err = element(f, ref, r, i, &s);
	if (err)
		return err;
	*out = leat_place_load(&f->places[ref.index], s.data);
	return 0;
}

int leat_get_i64_at(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		    size_t i, int64_t *out)
{
	uint64_t v;
	int err = leat_get_u64_at(f, ref, r, i, &v);

	return err ? err : as_signed(&f->places[ref.index], v, out);
}

int leat_get_f64_at(const struct leat_format *f, leat_field_ref ref, const struct leat_record *r,
		    size_t i, double *out)
{
	struct leat_slice s;
	int err;

	if (ref.index >= f->n || !is_float(&f->places[ref.index]))
		return -EINVAL;
	err = element(f, ref, r, i, &s);
	if (err)
		return err;
	*out = leat_place_load_f64(s.data, f->places[ref.index].elem);
	return 0;
}
