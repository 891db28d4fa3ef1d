/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fields of a record: a reference is taken once, by name; a compiled reader finds what follows a
 * string. Build: cc fields.c $(pkg-config --cflags --libs leat)
 */
#include <inttypes.h>
#include <leat/event.h>
#include <stdio.h>

/* What the source sends: u32 tid, name with its NUL, u64 bytes right behind it. */
static const char record_bytes[] = "\x2a\0\0\0redis\0\0\x10\0\0\0\0\0\0";

static const struct leat_field fields[] = {
	{ .name = "tid", .type = LEAT_TYPE_UINT, .size = 4 },
	{ .name = "name", .type = LEAT_TYPE_CHAR, .location = LEAT_LOCATION_STRING, .offset = 4 },
	{ .name = "bytes", .type = LEAT_TYPE_UINT, .size = 8, .follows = true },
};

int main(void)
{
	const struct leat_record r = { .data = record_bytes, .size = sizeof(record_bytes) - 1 };
	struct leat_field_reader *bytes = NULL;
	struct leat_format *f = NULL;
	leat_field_ref tid, name, last;
	struct leat_slice text;
	uint32_t t;
	uint64_t n;
	int err = leat_format_new(&f, "example");

	for (size_t i = 0; !err && i < sizeof(fields) / sizeof(fields[0]); i++)
		err = leat_format_add(f, &fields[i]);
	if (err || leat_format_ref(f, "tid", &tid) || leat_format_ref(f, "name", &name) ||
	    leat_format_ref(f, "bytes", &last) || leat_field_reader_new(&bytes, f, last))
		return 1;
	/* From here on, for each record: no string, no allocation. */
	text = leat_get_text(f, name, &r);
	if (leat_get_u32(f, tid, &r, &t) || leat_read_u64(bytes, &r, &n))
		return 1;
	printf("%" PRIu32 " %.*s %" PRIu64 "\n", t, (int)text.len, (const char *)text.data, n);
	leat_field_reader_free(&bytes);
	leat_format_free(&f);
	return 0;
}
