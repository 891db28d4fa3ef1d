/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is the text of a tracefs format. Whatever it says, the format that comes out reads and
 * writes records without leaving them: the text itself serves as one, cut at some lengths.
 */
#include <assert.h>
#include <errno.h>
#include <leat/tracefs.h>
#include <leat/writer.h>
#include <string.h>

#include "base/cleanup.h"

#define FIELDS_MAX 64 /* of a format that are read */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_field(const struct leat_format *f, size_t i, const struct leat_record *r)
{
	LEAT_AUTO(leat_field_reader_free) struct leat_field_reader *rd = NULL;
	const struct leat_field *field = leat_format_field_at(f, i);
	const uint8_t *first = r->data;
	struct leat_slice s, t;
	leat_field_ref ref;
	uint64_t u = 0, v = 0;

	assert(!leat_format_ref(f, field->name, &ref));
	s = leat_get_slice(f, ref, r);
	assert(!s.len || ((const uint8_t *)s.data >= first &&
			  s.len <= r->size - (size_t)((const uint8_t *)s.data - first)));
	assert(leat_get_text(f, ref, r).len <= s.len);
	if (leat_field_reader_new(&rd, f, ref))
		return;
	t = leat_read_slice(rd, r);
	assert(s.data == t.data && s.len == t.len);
	assert(leat_get_u64(f, ref, r, &u) == leat_read_u64(rd, r, &v) && u == v);
	assert(leat_get_u64(f, (leat_field_ref){ .index = ref.index }, r, &v) || u == v);
	for (size_t k = 0; k <= leat_get_cnt(f, ref, r) && k < 8; k++)
		(void)leat_get_slice_at(f, ref, r, k);
}

static void write_record(struct leat_writer *w, const struct leat_record *r)
{
	static char out[1 << 16];
	size_t len = 0;
	int err = leat_writer_write(w, r, out, sizeof(out), &len);

	assert(err == 0 || err == -EOVERFLOW);
	assert(len <= sizeof(out));
	for (size_t i = 0; i < len; i++)
		assert((unsigned char)out[i] >= 0x20 && out[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	LEAT_AUTO(leat_format_free) struct leat_format *f = NULL;
	LEAT_AUTO(leat_writer_free) struct leat_writer *text = NULL;
	LEAT_AUTO(leat_writer_free) struct leat_writer *json = NULL;
	uint32_t id;
	int err = leat_tracefs_parse((const char *)data, size, &f, &id);

	assert(err == 0 || err == -EBADMSG || err == -EOVERFLOW || err == -ENOMEM);
	if (err || leat_writer_new(&text, f, LEAT_WRITER_TEXT) ||
	    leat_writer_new(&json, f, LEAT_WRITER_JSON))
		return 0;
	for (size_t cut = 0; cut < 3; cut++) {
		const uint32_t n = (uint32_t)(cut == 0 ? size : cut == 1 ? size / 3 : size % 64);
		const struct leat_record r = { .data = data + size - n, .size = n };

		for (size_t i = 0; i < leat_format_field_cnt(f) && i < FIELDS_MAX; i++)
			read_field(f, i, &r);
		write_record(json, &r);
	}
	(void)text;
	return 0;
}
