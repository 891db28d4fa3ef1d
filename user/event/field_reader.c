/* SPDX-License-Identifier: BSD-2-Clause */
/* A reader of one field, apart from its format: the place and the skips that lead to it, in a row. */
#include "event/place.h"

struct leat_field_reader {
	struct leat_place place;
	uint32_t end; /* of an integer behind nothing but strings, counted from them; else 0 */
	uint8_t left, right; /* of the eight bytes that end with it: as in leat_field_ref */
	uint64_t short_cnt;
	struct leat_skip skips[];
};

static bool only_strings(const struct leat_skip *skips, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		if (skips[i].location != LEAT_LOCATION_STRING)
			return false;
	}
	return true;
}

int leat_field_reader_new(struct leat_field_reader **out, const struct leat_format *f,
			  leat_field_ref ref)
{
	const struct leat_place *pl;
	struct leat_field_reader *rd;

	if (ref.index >= f->n)
		return -ENOENT;
	pl = &f->places[ref.index];
	rd = malloc(sizeof(*rd) + pl->skip_cnt * sizeof(rd->skips[0]));
	if (!rd)
		return -ENOMEM;
	rd->place = *pl;
	rd->short_cnt = 0;
	rd->end = 0;
	rd->left = pl->left;
	rd->right = pl->right;
	if (pl->skip_cnt)
		memcpy(rd->skips, f->skips + pl->skip_from, pl->skip_cnt * sizeof(rd->skips[0]));
	if (pl->is_integer && pl->is_scalar && only_strings(rd->skips, pl->skip_cnt))
		rd->end = pl->offset + pl->size;
	*out = rd;
	return 0;
}

void leat_field_reader_free(struct leat_field_reader **rd)
{
	free(*rd);
	*rd = NULL;
}

uint64_t leat_field_reader_short_cnt(const struct leat_field_reader *rd)
{
	return rd->short_cnt;
}

/* Readers are never const objects: the counter is theirs. */
static __attribute__((cold, noinline)) void count_short(const struct leat_field_reader *rd)
{
	((struct leat_field_reader *)rd)->short_cnt++;
}

static bool find(const struct leat_field_reader *rd, const struct leat_record *r,
		 struct leat_slice *out)
{
	uint64_t base = leat_skip_over(rd->skips, rd->place.skip_cnt, r);

	if (leat_place_slice(&rd->place, base, r, out))
		return true;
	count_short(rd);
	*out = (struct leat_slice){ .data = NULL, .len = 0 };
	return false;
}

struct leat_slice leat_read_slice(const struct leat_field_reader *rd, const struct leat_record *r)
{
	struct leat_slice s;

	(void)find(rd, r, &s);
	return s;
}

struct leat_slice leat_read_text(const struct leat_field_reader *rd, const struct leat_record *r)
{
	struct leat_slice s = leat_read_slice(rd, r);

	if (s.len)
		s.len = leat_place_is_utf16(&rd->place) ? leat_len_utf16(s.data, s.len)
							: leat_len_string(s.data, s.len);
	return s;
}

static __attribute__((noinline)) int read_any(const struct leat_field_reader *rd,
					      const struct leat_record *r, uint64_t *out)
{
	const struct leat_place *pl = &rd->place;
	uint64_t at;

	if (!pl->is_integer || !pl->is_scalar)
		return -EINVAL;
	at = leat_skip_over(rd->skips, pl->skip_cnt, r) + pl->offset;
	if (at + pl->size > r->size) {
		count_short(rd);
		return -ENODATA;
	}
	*out = leat_place_load(pl, (const uint8_t *)r->data + at);
	return 0;
}

/* Calls nothing for an integer behind strings that are not the record's last bytes. */
int leat_read_u64(const struct leat_field_reader *rd, const struct leat_record *r, uint64_t *out)
{
	const struct leat_skip *s = rd->skips, *end = s + rd->place.skip_cnt;
	const uint8_t *data = r->data;
	const uint64_t size = r->size;
	uint64_t at = 0, v;

	if (!rd->end)
		return read_any(rd, r, out);
	for (; s < end; s++) {
		at += s->gap;
		if (at + 16 > size)
			return read_any(rd, r, out);
		at += leat_len_long(data + at, size - at) + 1;
	}
	at += rd->end;
	if (at > size || at < sizeof(v))
		return read_any(rd, r, out);
	memcpy(&v, data + at - sizeof(v), sizeof(v));
	v <<= rd->left & 63;
	*out = rd->left & 0x80 ? (uint64_t)((int64_t)v >> rd->right) : v >> rd->right;
	return 0;
}

int leat_read_i64(const struct leat_field_reader *rd, const struct leat_record *r, int64_t *out)
{
	uint64_t v;
	int err = leat_read_u64(rd, r, &v);

	if (err)
		return err;
	if (rd->place.type != LEAT_TYPE_INT && v > INT64_MAX)
		return -EOVERFLOW;
	*out = (int64_t)v;
	return 0;
}

int leat_read_f64(const struct leat_field_reader *rd, const struct leat_record *r, double *out)
{
	struct leat_slice s;

	if (rd->place.type != LEAT_TYPE_FLOAT || !rd->place.is_scalar)
		return -EINVAL;
	if (!find(rd, r, &s))
		return -ENODATA;
	*out = leat_place_load_f64(s.data, rd->place.size);
	return 0;
}
