/* SPDX-License-Identifier: BSD-2-Clause */
#include "filter_format.h"

#include <stdlib.h>
#include <string.h>

#define AT(member)   offsetof(struct filter_fixed, member)
#define SIZE(member) sizeof(((struct filter_fixed *)0)->member)
#define NUMBER(member, t)                                                                          \
	{                                                                                          \
		.name = #member, .type = (t), .offset = AT(member), .size = SIZE(member)           \
	}
#define DESCRIBED(member, l, elem)                                                                 \
	{                                                                                          \
		.name = #member, .type = LEAT_TYPE_CHAR, .location = (l), .offset = AT(member),    \
		.elem_size = (elem)                                                                \
	}

static const struct leat_field fields[] = {
	NUMBER(u8, LEAT_TYPE_UINT),
	NUMBER(u16, LEAT_TYPE_UINT),
	NUMBER(u32, LEAT_TYPE_UINT),
	NUMBER(u64, LEAT_TYPE_UINT),
	NUMBER(i8, LEAT_TYPE_INT),
	NUMBER(i16, LEAT_TYPE_INT),
	NUMBER(i32, LEAT_TYPE_INT),
	NUMBER(i64, LEAT_TYPE_INT),
	NUMBER(f32, LEAT_TYPE_FLOAT),
	NUMBER(f64, LEAT_TYPE_FLOAT),
	NUMBER(ptr, LEAT_TYPE_POINTER),
	NUMBER(flags, LEAT_TYPE_UINT),
	{ .name = "comm", .type = LEAT_TYPE_CHAR, .offset = AT(comm), .size = 16, .elem_size = 1 },
	{ .name = "name4", .type = LEAT_TYPE_CHAR, .offset = AT(name4), .size = 4, .elem_size = 1 },
	{ .name = "wide", .type = LEAT_TYPE_CHAR, .offset = AT(wide), .size = 16, .elem_size = 2 },
	DESCRIBED(dl, LEAT_LOCATION_DATA_LOC, 1),
	DESCRIBED(rl, LEAT_LOCATION_REL_LOC, 1),
	DESCRIBED(dlw, LEAT_LOCATION_DATA_LOC, 2),
	{ .name = "array", .type = LEAT_TYPE_UINT, .offset = AT(array), .size = 8, .elem_size = 4 },
	{ .name = "inner.pid", .type = LEAT_TYPE_UINT, .offset = AT(u32), .size = 4 },
	{ .name = "odd name", .type = LEAT_TYPE_UINT, .offset = AT(u8), .size = 1 },
	{ .name = "guid", .type = LEAT_TYPE_GUID, .offset = AT(comm), .size = 16 },
	{ .name = "str",
	  .type = LEAT_TYPE_CHAR,
	  .location = LEAT_LOCATION_STRING,
	  .offset = sizeof(struct filter_fixed) },
	{ .name = "wstr",
	  .type = LEAT_TYPE_CHAR,
	  .location = LEAT_LOCATION_UTF16,
	  .offset = sizeof(struct filter_fixed) },
	{ .name = "tail",
	  .type = LEAT_TYPE_CHAR,
	  .location = LEAT_LOCATION_TAIL,
	  .offset = sizeof(struct filter_fixed),
	  .elem_size = 1 },
};

struct leat_format *filter_format(void)
{
	struct leat_format *f = NULL;

	if (leat_format_new(&f, "filter"))
		abort();
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (leat_format_add(f, &fields[i]))
			abort();
	}
	return f;
}

/* Appends bytes, and returns the descriptor of where they are. */
static uint32_t append(struct filter_record *out, const void *p, uint32_t n)
{
	uint32_t at = out->r.size;

	memcpy(out->bytes + at, p, n);
	out->r.size += n;
	return n << 16 | at;
}

void filter_record(struct filter_record *out)
{
	struct filter_fixed fixed = {
		.u8 = 200,
		.u16 = 60000,
		.u32 = 4000000000u,
		.u64 = (uint64_t)1 << 63,
		.i8 = -100,
		.i16 = -30000,
		.i32 = -2000000000,
		.i64 = INT64_MIN,
		.f32 = 1.5f,
		.f64 = -2.25,
		.ptr = 0xffff800000000000u,
		.flags = 0x15,
		.comm = "redis-server",
		.name4 = { 'f', 'u', 'l', 'l' },
		.wide = { 'w', 0xf6, 'r', 'l', 'd' },
		.array = { 1, 2 },
	};
	static const uint16_t euro[] = { 'a', 0x20ac, 'b', 0 };

	memset(out, 0, sizeof(*out));
	out->r = (struct leat_record){ .data = out->bytes, .size = sizeof(fixed), .kind = 1 };
	append(out, "tail text", sizeof("tail text"));
	fixed.dl = append(out, "/etc/passwd", sizeof("/etc/passwd"));
	fixed.dlw = append(out, euro, sizeof(euro));
	fixed.rl = append(out, "/usr/lib", sizeof("/usr/lib")) - AT(rl) - 4;
	memcpy(out->bytes, &fixed, sizeof(fixed));
}
