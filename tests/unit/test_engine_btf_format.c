/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats from type information: made here, and that of the BPF objects. */
#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/alloc.h"
#include "engine/impl.h"

#define STR(s) ((char *)(s))

static struct btf *btf;

static void begin(void)
{
	btf = btf__new_empty();
}

static void end(void)
{
	btf__free(btf);
}

TestSuite(btf_format, .init = begin, .fini = end);

static int add_int(const char *name, uint32_t size, int encoding)
{
	return btf__add_int(btf, name, size, encoding);
}

/* Of the struct that was added last. */
static void member(const char *name, int type, uint32_t bit, uint32_t width)
{
	cr_assert(zero(int, btf__add_field(btf, name, type, bit, width)), "%s", name);
}

static struct leat_format *format_of(const char *name)
{
	struct leat_format *f = NULL;

	cr_assert(zero(int, leat_btf_format(btf, name, &f)), "%s", name);
	return f;
}

static const struct leat_field *find(const struct leat_format *f, const char *name)
{
	leat_field_ref ref;

	cr_assert(zero(int, leat_format_ref(f, name, &ref)), "there is no %s", name);
	return leat_format_field_at(f, ref.index);
}

/* ---- one member of each type ---- */

struct want {
	const char *spelled;
	enum leat_type type;
	enum leat_location location;
	uint32_t size, elem_size;
};

/* struct one { TYPE x; } */
static void expect_one(int type, uint32_t size, const struct want *w)
{
	char name[32];
	struct leat_format *f;
	const struct leat_field *x;

	cr_assert(gt(int, type, 0));
	snprintf(name, sizeof(name), "one_%d", type);
	btf__add_struct(btf, name, size + 8);
	member("x", type, 64, 0);
	f = format_of(name);
	x = find(f, "x");
	cr_expect(eq(sz, leat_format_field_cnt(f), 1));
	cr_expect(eq(str, STR(x->type_name), STR(w->spelled)));
	cr_expect(eq(uint, x->type, w->type), "%s", w->spelled);
	cr_expect(eq(uint, x->location, w->location), "%s", w->spelled);
	cr_expect(eq(u32, x->offset, 8), "%s", w->spelled);
	cr_expect(eq(u32, x->size, w->size), "%s", w->spelled);
	cr_expect(eq(u32, x->elem_size, w->elem_size), "%s", w->spelled);
	leat_format_free(&f);
}

Test(btf_format, every_scalar)
{
	static const struct {
		const char *name;
		uint32_t size;
		int encoding;
		enum leat_type type;
	} rows[] = {
		{ "unsigned char", 1, 0, LEAT_TYPE_UINT },
		{ "signed char", 1, BTF_INT_SIGNED, LEAT_TYPE_INT },
		{ "char", 1, BTF_INT_SIGNED, LEAT_TYPE_CHAR },
		{ "short unsigned int", 2, 0, LEAT_TYPE_UINT },
		{ "short", 2, BTF_INT_SIGNED, LEAT_TYPE_INT },
		{ "unsigned int", 4, 0, LEAT_TYPE_UINT },
		{ "int", 4, BTF_INT_SIGNED, LEAT_TYPE_INT },
		{ "unsigned long", 8, 0, LEAT_TYPE_UINT },
		{ "long long", 8, BTF_INT_SIGNED, LEAT_TYPE_INT },
		{ "__int128", 16, BTF_INT_SIGNED, LEAT_TYPE_BYTES },
		{ "_Bool", 1, BTF_INT_BOOL, LEAT_TYPE_BOOL },
	};
	static const struct {
		const char *name;
		uint32_t size;
		enum leat_type type;
	} floats[] = {
		{ "_Float16", 2, LEAT_TYPE_BYTES },
		{ "float", 4, LEAT_TYPE_FLOAT },
		{ "double", 8, LEAT_TYPE_FLOAT },
		{ "long double", 16, LEAT_TYPE_BYTES },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		const struct want w = { .spelled = rows[i].name,
					.type = rows[i].type,
					.size = rows[i].size,
					.elem_size = rows[i].size };

		expect_one(add_int(rows[i].name, rows[i].size, rows[i].encoding), rows[i].size, &w);
	}
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(floats); i++) {
		const struct want w = { .spelled = floats[i].name,
					.type = floats[i].type,
					.size = floats[i].size,
					.elem_size = floats[i].size };

		expect_one(btf__add_float(btf, floats[i].name, floats[i].size), floats[i].size, &w);
	}
}

Test(btf_format, names_of_other_types)
{
	const int u32 = add_int("unsigned int", 4, 0), character = add_int("char", 1, 1);
	const int alias = btf__add_typedef(btf, "__u32", u32);
	const int far = btf__add_fwd(btf, "far", BTF_FWD_STRUCT);
	const int either = btf__add_fwd(btf, "either", BTF_FWD_UNION);
	const int proto = btf__add_func_proto(btf, u32);
	const struct {
		int type;
		const char *spelled;
		enum leat_type as;
		uint32_t size;
	} rows[] = {
		{ alias, "__u32", LEAT_TYPE_UINT, 4 },
		{ btf__add_volatile(btf, btf__add_const(btf, alias)), "__u32", LEAT_TYPE_UINT, 4 },
		{ btf__add_ptr(btf, 0), "void *", LEAT_TYPE_POINTER, 8 },
		{ btf__add_ptr(btf, btf__add_const(btf, character)), "char *", LEAT_TYPE_POINTER,
		  8 },
		{ btf__add_ptr(btf, btf__add_ptr(btf, far)), "struct far **", LEAT_TYPE_POINTER,
		  8 },
		{ btf__add_ptr(btf, either), "union either *", LEAT_TYPE_POINTER, 8 },
		{ btf__add_ptr(btf, proto), "(function) *", LEAT_TYPE_POINTER, 8 },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		const struct want w = { .spelled = rows[i].spelled,
					.type = rows[i].as,
					.size = rows[i].size,
					.elem_size = rows[i].size };

		expect_one(rows[i].type, rows[i].size, &w);
	}
}

Test(btf_format, arrays)
{
	const int u32 = add_int("unsigned int", 4, 0), character = add_int("char", 1, 1);
	const int index = u32, row = btf__add_array(btf, index, u32, 3);
	const int ptr = btf__add_ptr(btf, 0);
	int pair, comm;

	pair = btf__add_struct(btf, "pair", 8);
	member("a", u32, 0, 0);
	member("b", u32, 32, 0);
	comm = btf__add_typedef(btf, "comm_t", btf__add_array(btf, index, character, 16));
	expect_one(row, 12, &(struct want){ "unsigned int", LEAT_TYPE_UINT, 0, 12, 4 });
	expect_one(btf__add_array(btf, index, row, 2), 24,
		   &(struct want){ "unsigned int", LEAT_TYPE_UINT, 0, 24, 4 });
	expect_one(comm, 16, &(struct want){ "char", LEAT_TYPE_CHAR, 0, 16, 1 });
	expect_one(btf__add_array(btf, index, ptr, 2), 16,
		   &(struct want){ "void *", LEAT_TYPE_POINTER, 0, 16, 8 });
	expect_one(btf__add_array(btf, index, pair, 4), 32,
		   &(struct want){ "struct pair", LEAT_TYPE_BYTES, 0, 32, 8 });
	expect_one(btf__add_array(btf, index, u32, 0), 0,
		   &(struct want){ "unsigned int", LEAT_TYPE_UINT, LEAT_LOCATION_TAIL, 0, 4 });
	expect_one(btf__add_array(btf, index, character, 0), 0,
		   &(struct want){ "char", LEAT_TYPE_CHAR, LEAT_LOCATION_TAIL, 0, 1 });
	expect_one(btf__add_array(btf, index, pair, 0), 0,
		   &(struct want){ "struct pair", LEAT_TYPE_BYTES, LEAT_LOCATION_TAIL, 0, 8 });
}

/* ---- enumerations ---- */

static void expect_name(const struct leat_field *f, uint64_t value, const char *name)
{
	const char *got = leat_field_value_name(f, value);
	uint64_t back = 0;

	cr_assert(ne(ptr, STR(got), NULL), "%s", name);
	cr_expect(eq(str, STR(got), STR(name)));
	cr_assert(zero(int, leat_field_value_of(f, name, &back)));
	cr_expect(eq(u64, back, value));
}

Test(btf_format, enumerations_with_their_names)
{
	int plain, below, small, huge, negative;
	struct leat_format *f;

	plain = btf__add_enum(btf, "state", 4);
	btf__add_enum_value(btf, "RUNNING", 0);
	btf__add_enum_value(btf, "ALL", 0xffffffffll);
	below = btf__add_enum(btf, "level", 4);
	btf__add_enum_value(btf, "LOW", -7);
	btf__add_enum_value(btf, "HIGH", 7);
	small = btf__add_enum(btf, "kind", 1);
	btf__add_enum_value(btf, "LAST", 255);
	huge = btf__add_enum64(btf, "bits", 8, false);
	btf__add_enum64_value(btf, "TOP", 1ull << 63);
	negative = btf__add_enum64(btf, "offset", 8, true);
	btf__add_enum64_value(btf, "BACK", (uint64_t) - (1ll << 40));
	btf__add_struct(btf, "all", 32);
	member("plain", plain, 0, 0);
	member("below", below, 32, 0);
	member("small", small, 64, 0);
	member("huge", huge, 128, 0);
	member("negative", negative, 192, 0);
	f = format_of("all");
	cr_expect(eq(str, STR(find(f, "plain")->type_name), STR("enum state")));
	cr_expect(eq(uint, find(f, "plain")->type, LEAT_TYPE_UINT));
	expect_name(find(f, "plain"), 0, "RUNNING");
	expect_name(find(f, "plain"), 0xffffffff, "ALL");
	cr_expect(eq(uint, find(f, "below")->type, LEAT_TYPE_INT));
	expect_name(find(f, "below"), (uint64_t)-7, "LOW");
	expect_name(find(f, "below"), 7, "HIGH");
	cr_expect(eq(u32, find(f, "small")->size, 1));
	expect_name(find(f, "small"), 255, "LAST");
	expect_name(find(f, "huge"), 1ull << 63, "TOP");
	cr_expect(eq(uint, find(f, "negative")->type, LEAT_TYPE_INT));
	expect_name(find(f, "negative"), (uint64_t) - (1ll << 40), "BACK");
	leat_format_free(&f);
}

/* ---- bit-fields: read as the compiler has laid them out ---- */

enum color { RED = 1, BLUE = 2 };

struct bits {
	uint32_t a : 3;
	int32_t b : 5;
	enum color c : 2;
	bool d : 1;
	uint64_t e : 40;
	uint64_t f : 24;
	uint8_t g : 8;
};

struct __attribute__((packed)) straddling {
	uint32_t a : 5;
	uint32_t b : 30;
	uint64_t c : 45;
};

/* Ends within the unit that its last members are declared with. */
struct __attribute__((packed)) ending {
	int32_t a;
	uint32_t b : 4;
	uint32_t c : 12;
};

/* What the compiler has here, told as it would tell it. */
static void add_bits(void)
{
	const int u32 = add_int("unsigned int", 4, 0), i32 = add_int("int", 4, BTF_INT_SIGNED);
	const int u64 = add_int("unsigned long", 8, 0), u8 = add_int("unsigned char", 1, 0);
	const int truth = add_int("_Bool", 1, BTF_INT_BOOL);
	int color = btf__add_enum(btf, "color", 4);

	btf__add_enum_value(btf, "RED", RED);
	btf__add_enum_value(btf, "BLUE", BLUE);
	btf__add_struct(btf, "bits", sizeof(struct bits));
	member("a", u32, 0, 3);
	member("b", i32, 3, 5);
	member("c", color, 8, 2);
	member("d", truth, 10, 1);
	member("e", u64, 11, 40);
	member("f", u64, 64, 24);
	member("g", u8, 88, 8);
	btf__add_struct(btf, "straddling", sizeof(struct straddling));
	member("a", u32, 0, 5);
	member("b", u32, 5, 30);
	member("c", u64, 35, 45);
	btf__add_struct(btf, "ending", sizeof(struct ending));
	member("a", i32, 0, 0);
	member("b", u32, 32, 4);
	member("c", u32, 36, 12);
}

static int64_t get(const struct leat_format *f, const char *name, const void *p, size_t n)
{
	struct leat_record r = { .data = p, .size = (uint32_t)n };
	leat_field_ref ref;
	int64_t v = 0;

	cr_assert(zero(int, leat_format_ref(f, name, &ref)), "%s", name);
	cr_expect(zero(int, leat_get_i64(f, ref, &r, &v)), "%s", name);
	return v;
}

Test(btf_format, bit_fields)
{
	struct bits b;
	struct straddling s;
	struct leat_format *f, *packed, *last;
	struct ending e;

	add_bits();
	last = format_of("ending");
	f = format_of("bits");
	packed = format_of("straddling");
	for (int round = 0; round < 2; round++) {
		/* All around them is 0, then 1. */
		memset(&b, round ? 0xff : 0, sizeof(b));
		b.a = 5, b.b = -3, b.c = BLUE, b.d = !round, b.e = 0x123456789a, b.f = 0xfedcba;
		b.g = 0x81;
		cr_expect(eq(i64, get(f, "a", &b, sizeof(b)), 5));
		cr_expect(eq(i64, get(f, "b", &b, sizeof(b)), -3));
		cr_expect(eq(i64, get(f, "c", &b, sizeof(b)), BLUE));
		cr_expect(eq(i64, get(f, "d", &b, sizeof(b)), !round));
		cr_expect(eq(i64, get(f, "e", &b, sizeof(b)), 0x123456789a));
		cr_expect(eq(i64, get(f, "f", &b, sizeof(b)), 0xfedcba));
		cr_expect(eq(i64, get(f, "g", &b, sizeof(b)), 0x81));
		memset(&s, round ? 0xff : 0, sizeof(s));
		s.a = 17, s.b = 0x2bcdef01, s.c = 0x123456789abc;
		cr_expect(eq(i64, get(packed, "a", &s, sizeof(s)), 17));
		cr_expect(eq(i64, get(packed, "b", &s, sizeof(s)), 0x2bcdef01));
		cr_expect(eq(i64, get(packed, "c", &s, sizeof(s)), s.c));
		memset(&e, round ? 0xff : 0, sizeof(e));
		e.b = 9, e.c = 0xabc;
		cr_expect(eq(i64, get(last, "b", &e, sizeof(e)), 9));
		cr_expect(eq(i64, get(last, "c", &e, sizeof(e)), 0xabc));
	}
	leat_format_free(&last);
	cr_expect(eq(uint, find(f, "d")->type, LEAT_TYPE_BOOL));
	expect_name(find(f, "c"), RED, "RED");
	leat_format_free(&f);
	leat_format_free(&packed);
}

/* Compilers of long ago: the width is the integer's. */
Test(btf_format, bits_of_an_integer)
{
	const int u32 = add_int("unsigned int", 4, 0);
	uint32_t value = 0x7fffffa5;
	struct btf_type *t;
	struct leat_format *f;

	t = (struct btf_type *)btf__type_by_id(btf, (uint32_t)u32);
	*(uint32_t *)(t + 1) = BTF_INT_OFFSET(4 << 16) | 4u << 16 | 6; /* 6 bits, 4 in */
	btf__add_struct(btf, "old", 4);
	member("x", u32, 0, 0);
	f = format_of("old");
	cr_expect(eq(i64, get(f, "x", &value, sizeof(value)), (value >> 4) & 63));
	leat_format_free(&f);
}

/* ---- structs within each other ---- */

Test(btf_format, nested_names)
{
	const int u32 = add_int("unsigned int", 4, 0);
	int inner, quiet, alias, either, nameless;
	struct leat_format *f;
	static const struct {
		const char *name;
		uint32_t offset;
	} rows[] = { { "in.x", 4 },   { "in.y", 8 },	 { "u.left", 12 }, { "u.right", 12 },
		     { "plain", 16 }, { "other.x", 20 }, { "other.y", 24 } };

	inner = btf__add_struct(btf, "inner", 8);
	member("x", u32, 0, 0);
	member("y", u32, 32, 0);
	quiet = btf__add_const(btf, inner);
	alias = btf__add_typedef(btf, "inner_t", inner);
	either = btf__add_union(btf, NULL, 4);
	member("left", u32, 0, 0);
	member("right", u32, 0, 0);
	nameless = btf__add_struct(btf, NULL, 12);
	member("plain", u32, 0, 0);
	member("other", quiet, 32, 0);
	btf__add_struct(btf, "outer", 28);
	member("in", alias, 32, 0);
	member("u", either, 96, 0);
	member(NULL, nameless, 128, 0);
	f = format_of("outer");
	cr_expect(eq(sz, leat_format_field_cnt(f), LEAT_ARRAY_SIZE(rows)));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++)
		cr_expect(eq(u32, find(f, rows[i].name)->offset, rows[i].offset), "%s",
			  rows[i].name);
	leat_format_free(&f);
}

/* ---- what cannot be ---- */

Test(btf_format, errors)
{
	const int u8 = add_int("unsigned char", 1, 0), u64 = add_int("unsigned long", 8, 0);
	const int wide = add_int("__int128", 16, 0);
	const int far = btf__add_fwd(btf, "far", BTF_FWD_STRUCT);
	struct leat_format *f = NULL;
	char name[200];
	int last = u8;

	cr_expect(eq(int, leat_btf_format(btf, "nothing", &f), -ENOENT));
	btf__add_struct(btf, "twice", 2);
	member("x", u8, 0, 0);
	member("x", u8, 8, 0);
	cr_expect(eq(int, leat_btf_format(btf, "twice", &f), -EEXIST));
	btf__add_struct(btf, "nine_bytes", 9);
	member("x", u64, 3, 64);
	cr_expect(eq(int, leat_btf_format(btf, "nine_bytes", &f), -ENOTSUP));
	btf__add_struct(btf, "wide", 16);
	member("x", wide, 0, 7);
	cr_expect(eq(int, leat_btf_format(btf, "wide", &f), -ENOTSUP));
	btf__add_struct(btf, "no_size", 8);
	member("x", far, 0, 0);
	cr_expect(eq(int, leat_btf_format(btf, "no_size", &f), -EBADMSG));
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "level%d", i);
		last = btf__add_struct(btf, name, 1);
		member("s", i ? last - 1 : u8, 0, 0);
	}
	cr_expect(eq(int, leat_btf_format(btf, "level19", &f), -EOVERFLOW), "too deep");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	last = btf__add_struct(btf, "long_in", 1);
	member(name, u8, 0, 0);
	btf__add_struct(btf, "long_out", 1);
	member(name, last, 0, 0);
	cr_expect(eq(int, leat_btf_format(btf, "long_out", &f), -ENAMETOOLONG));
	cr_expect(eq(ptr, f, NULL), "unchanged");
}

Test(btf_format, survives_each_failing_allocation)
{
	add_bits();
	LEAT_ALLOC_EACH_FAILS {
		struct leat_format *f = NULL;
		int err = leat_btf_format(btf, "bits", &f);

		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM, "%d", err);
		cr_assert(eq(int, !f, err != 0));
		leat_format_free(&f);
	}
}

/* ---- the real ones ---- */

static void expect_inside(const struct leat_format *f, uint32_t struct_bytes)
{
	for (size_t i = 0; i < leat_format_field_cnt(f); i++) {
		const struct leat_field *x = leat_format_field_at(f, i);

		cr_expect(le(u32, x->offset + x->size, struct_bytes), "%s.%s", leat_format_name(f),
			  x->name);
	}
}

/* Every struct of an object that has members at all. */
static size_t each_struct(const char *object)
{
	const char *dir = getenv("LEAT_BPF");
	char path[512];
	size_t n = 0;

	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir ? dir : "build/bpf", object);
	btf__free(btf);
	btf = btf__parse(path, NULL);
	cr_assert(ne(ptr, btf, NULL), "%s", path);
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, t->name_off);
		struct leat_format *f = NULL;
		int err;

		/* The first of a name is what is found by it. */
		if (!btf_is_struct(t) || !*name ||
		    btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT) != (int)id)
			continue;
		err = leat_btf_format(btf, name, &f);
		cr_expect(zero(int, err), "struct %s: %d", name, err);
		if (f)
			expect_inside(f, t->size);
		leat_format_free(&f);
		n++;
	}
	return n;
}

Test(btf_format, every_struct_of_the_bpf_objects)
{
	cr_expect(gt(sz, each_struct("sample"), 20));
	cr_expect(gt(sz, each_struct("probe"), 2));
}
