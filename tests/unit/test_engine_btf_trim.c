/* SPDX-License-Identifier: BSD-2-Clause */
/* A part of type information, read back by libbpf. */
#include "engine/btf_trim.h"

#include <bpf/btf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

#include "../support/alloc.h"

/* Of the struct or union that was added last. */
static void add_member(struct btf *b, const char *name, int type, unsigned int byte)
{
	cr_assert(zero(int, btf__add_field(b, name, type, byte * 8, 0)));
}

/*
 * What a kernel might have: struct wanted holds an inner struct, an array, an enum, a union without
 * a name, and pointers; other types stand before, between and behind.
 */
static struct btf *kernel_btf(void)
{
	struct btf *b = btf__new_empty();
	int u32 = btf__add_int(b, "unsigned int", 4, 0), u64 = btf__add_int(b, "long", 8, 0);
	int far, far_ptr, inner, array, state, quiet, proto, anon, fn, fn_ptr, tag;

	far = btf__add_struct(b, "far", 8);
	add_member(b, "deep", u64, 0);
	far_ptr = btf__add_ptr(b, btf__add_const(b, far));
	proto = btf__add_func_proto(b, u32);
	btf__add_func_param(b, "arg", u64);
	fn = btf__add_typedef(b, "fn_t", proto);
	fn_ptr = btf__add_ptr(b, fn);
	btf__add_func(b, "some_function", BTF_FUNC_GLOBAL, proto);
	inner = btf__add_struct(b, "inner", 16);
	add_member(b, "before", u64, 0);
	add_member(b, "parent", far_ptr, 8);
	array = btf__add_array(b, u32, inner, 3);
	state = btf__add_enum(b, "state", 4);
	btf__add_enum_value(b, "ON", 1);
	btf__add_enum_value(b, "OFF", 2);
	btf__add_enum64(b, "bits", 8, false);
	btf__add_enum64_value(b, "HIGH", 1ull << 40);
	anon = btf__add_union(b, NULL, 8);
	add_member(b, "as_long", u64, 0);
	add_member(b, "as_fn", fn_ptr, 0);
	tag = btf__add_type_tag(b, "rcu", u64);
	quiet = btf__add_volatile(b, btf__add_typedef(b, "alias_t", tag));
	btf__add_struct(b, "wanted", 96);
	add_member(b, "list", array, 0);
	add_member(b, "in", inner, 48);
	add_member(b, "state", state, 64);
	cr_assert(zero(int, btf__add_field(b, "bit", u32, 68 * 8 + 3, 5)));
	add_member(b, NULL, anon, 72);
	add_member(b, "next", far_ptr, 80);
	add_member(b, "quiet", quiet, 88);
	btf__add_struct(b, "unrelated", 8);
	add_member(b, "x", far, 0);
	btf__add_struct(b, "flavored", 8);
	add_member(b, "taste", u64, 0);
	btf__add_struct(b, "flavored_not", 8);
	btf__add_fwd(b, "incomplete", BTF_FWD_STRUCT);
	btf__add_decl_tag(b, "tag", inner, -1);
	btf__add_var(b, "variable", BTF_VAR_STATIC, u32);
	btf__add_datasec(b, ".data", 4);
	btf__add_float(b, "double", 8);
	return b;
}

/* What the object has: the same names, other contents. */
static struct btf *object_btf(void)
{
	struct btf *b = btf__new_empty();
	int u32 = btf__add_int(b, "unsigned int", 4, 0);

	btf__add_struct(b, "ours_alone", 4);
	add_member(b, "far", u32, 0);
	btf__add_struct(b, "wanted", 4);
	add_member(b, "in", u32, 0);
	btf__add_struct(b, "flavored___ours", 4);
	btf__add_enum(b, "state", 4);
	btf__add_enum_value(b, "ON", 7);
	btf__add_enum64(b, "bits", 8, false);
	btf__add_fwd(b, "unrelated", BTF_FWD_STRUCT); /* a pointer led here: nothing is read */
	return b;
}

struct blobs {
	struct btf *kernel, *object;
	const void *k, *o;
	__u32 kn, on;
};

static struct blobs blobs_open(void)
{
	struct blobs b = { .kernel = kernel_btf(), .object = object_btf() };

	b.k = btf__raw_data(b.kernel, &b.kn);
	b.o = btf__raw_data(b.object, &b.on);
	cr_assert(b.k && b.o);
	return b;
}

static void blobs_close(struct blobs *b)
{
	btf__free(b->kernel);
	btf__free(b->object);
}

static const struct btf_member *member(const struct btf *b, const char *type, const char *name)
{
	const struct btf_type *t =
		btf__type_by_id(b, (__u32)btf__find_by_name_kind(b, type, BTF_KIND_STRUCT));

	for (int i = 0; t && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(b, btf_members(t)[i].name_off), name))
			return &btf_members(t)[i];
	cr_assert(0, "no %s.%s", type, name);
	return NULL;
}

static void expect_wanted(const struct btf *b)
{
	const struct btf_type *t, *anon;

	cr_expect(eq(uint, member(b, "wanted", "in")->offset, 48 * 8));
	cr_expect(eq(uint, member(b, "wanted", "state")->offset, 64 * 8));
	cr_expect(eq(uint, member(b, "inner", "parent")->offset, 64));
	t = btf__type_by_id(b, (__u32)btf__find_by_name_kind(b, "wanted", BTF_KIND_STRUCT));
	cr_expect(eq(uint, t->size, 96));
	cr_expect(eq(uint, btf_member_bitfield_size(t, 3), 5));
	cr_expect(eq(uint, btf_member_bit_offset(t, 3), 68 * 8 + 3));
	cr_expect(eq(i64, btf__resolve_size(b, btf_members(t)[0].type), 48));
	anon = btf__type_by_id(b, btf_members(t)[4].type);
	cr_expect(btf_is_union(anon) && btf_vlen(anon) == 2);
	t = btf__type_by_id(b, member(b, "wanted", "next")->type);
	cr_expect(btf_is_ptr(t) && !t->type);
	cr_expect(eq(i64, btf__resolve_size(b, member(b, "wanted", "quiet")->type), 8));
}

static void expect_enums(const struct btf *b)
{
	const struct btf_type *t =
		btf__type_by_id(b, (__u32)btf__find_by_name_kind(b, "state", BTF_KIND_ENUM));

	cr_assert(t != NULL && btf_vlen(t) == 2);
	cr_expect(eq(int, btf_enum(t)[1].val, 2));
	cr_expect(zero(int, strcmp(btf__name_by_offset(b, btf_enum(t)[1].name_off), "OFF")));
	t = btf__type_by_id(b, (__u32)btf__find_by_name_kind(b, "bits", BTF_KIND_ENUM64));
	cr_assert(t != NULL && btf_vlen(t) == 1);
	cr_expect(eq(u64, btf_enum64_value(btf_enum64(t)), 1ull << 40));
}

Test(btf_trim, what_is_named_is_there_with_all_that_is_in_it)
{
	struct blobs in = blobs_open();
	struct leat_buf out;
	struct btf *b;

	leat_buf_init(&out, LEAT_BTF_BYTES_MAX);
	cr_assert(zero(int, leat_btf_trim(in.k, in.kn, in.o, in.on, &out)));
	b = btf__new(out.data, (__u32)out.len);
	cr_assert(b != NULL);
	expect_wanted(b);
	expect_enums(b);
	cr_expect(lt(int, btf__find_by_name(b, "far"), 0), "only a pointer leads there");
	cr_expect(lt(int, btf__find_by_name(b, "unrelated"), 0));
	cr_expect(lt(int, btf__find_by_name(b, "ours_alone"), 0));
	cr_expect(zero(uint, member(b, "flavored", "taste")->offset));
	cr_expect(lt(int, btf__find_by_name(b, "flavored_not"), 0));
	cr_expect(lt(int, btf__find_by_name(b, "some_function"), 0));
	btf__free(b);
	leat_buf_fini(&out);
	blobs_close(&in);
}

Test(btf_trim, no_name_in_common)
{
	struct blobs in = blobs_open();
	struct btf *none = btf__new_empty();
	struct leat_buf out;
	const void *n;
	__u32 len;

	btf__add_struct(none, "nowhere", 0);
	n = btf__raw_data(none, &len);
	leat_buf_init(&out, LEAT_BTF_BYTES_MAX);
	cr_expect(eq(int, leat_btf_trim(in.k, in.kn, n, len, &out), -ENOENT));
	cr_expect(zero(sz, out.len));
	leat_buf_fini(&out);
	btf__free(none);
	blobs_close(&in);
}

/* Each is copied to memory of its exact size, so that the sanitizer sees a read behind it. */
static int trim_copy(const void *k, size_t kn, const void *o, size_t on)
{
	void *kc = malloc(kn ? kn : 1), *oc = malloc(on ? on : 1);
	struct leat_buf out;
	int err;

	leat_buf_init(&out, LEAT_BTF_BYTES_MAX);
	memcpy(kc, k, kn);
	memcpy(oc, o, on);
	err = leat_btf_trim(kc, kn, oc, on, &out);
	leat_buf_fini(&out);
	free(kc);
	free(oc);
	return err;
}

Test(btf_trim, cut_at_any_length)
{
	struct blobs in = blobs_open();

	for (__u32 n = 0; n < in.kn; n++)
		cr_expect(eq(int, trim_copy(in.k, n, in.o, in.on), -EBADMSG), "at %u", n);
	for (__u32 n = 0; n < in.on; n++)
		cr_expect(eq(int, trim_copy(in.k, in.kn, in.o, n), -EBADMSG), "at %u", n);
	blobs_close(&in);
}

/* What comes out of nonsense is an error, or something that libbpf takes or refuses: no crash. */
Test(btf_trim, each_byte_replaced)
{
	struct blobs in = blobs_open();
	uint8_t *bad = malloc(in.kn);

	for (__u32 i = 0; i < in.kn; i++)
		for (int v = 0; v < 3; v++) {
			memcpy(bad, in.k, in.kn);
			bad[i] = (uint8_t[]){ 0, 0x7f, 0xff }[v];
			(void)!trim_copy(bad, in.kn, in.o, in.on);
		}
	free(bad);
	blobs_close(&in);
}

Test(btf_trim, a_kind_that_is_not_known_is_refused)
{
	struct {
		struct btf_header h;
		struct btf_type t;
		char strs[8];
	} k = { .h = { .magic = BTF_MAGIC,
		       .version = BTF_VERSION,
		       .hdr_len = sizeof(k.h),
		       .type_len = sizeof(k.t),
		       .str_off = sizeof(k.t),
		       .str_len = sizeof(k.strs) },
		.t = { .info = 31u << 24 } };
	struct blobs in = blobs_open();

	cr_expect(eq(int, trim_copy(&k, sizeof(k), in.o, in.on), -EBADMSG));
	blobs_close(&in);
}

Test(btf_trim, each_allocation_that_fails_is_an_error)
{
	struct blobs in = blobs_open();
	struct leat_buf out;
	int err;

	LEAT_ALLOC_EACH_FAILS {
		leat_buf_init(&out, LEAT_BTF_BYTES_MAX);
		err = leat_btf_trim(in.k, in.kn, in.o, in.on, &out);
		leat_alloc_disarm();
		cr_expect(eq(int, err, leat_alloc_failed() ? -ENOMEM : 0));
		leat_buf_fini(&out);
	}
	blobs_close(&in);
}
