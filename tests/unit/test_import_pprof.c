/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../support/alloc.h"
#include "export/formats.h"
#include "export/proto.h"
#include "import/build.h"
#include "import/pprof.h"

static struct leat_buf file, msg, inner, out;
static struct leat_build b;
static struct leat_diag diag;
static struct leat_import_opts opts;
static const struct leat_import_opts none;

static void init(void)
{
	leat_buf_init(&file, 1 << 20);
	leat_buf_init(&msg, 1 << 20);
	leat_buf_init(&inner, 1 << 20);
	leat_buf_init(&out, 1 << 20);
	cr_assert(zero(int, leat_build_init(&b)));
	memset(&diag, 0, sizeof(diag));
	memset(&opts, 0, sizeof(opts));
}

static void fini(void)
{
	leat_buf_fini(&file);
	leat_buf_fini(&msg);
	leat_buf_fini(&inner);
	leat_buf_fini(&out);
	leat_build_fini(&b);
}

TestSuite(import_pprof, .init = init, .fini = fini);

/* ---- a small file, by hand ---- */

static const char *const strings[] = { "",
				       "samples",
				       "count",
				       "cpu",
				       "nanoseconds",
				       "/usr/bin/prog",
				       "0123456789abcdef0123",
				       "main.main",
				       "main.inlined",
				       "main.c",
				       "leaf",
				       "/lib/libx.so",
				       "alloc_space",
				       "bytes",
				       "zz",
				       "[kernel]",
				       "do_sys" };

enum {
	S_SAMPLES = 1,
	S_COUNT,
	S_CPU,
	S_NS,
	S_PROG,
	S_BUILD,
	S_MAIN,
	S_INLINED,
	S_FILE,
	S_LEAF,
	S_LIBX,
	S_ALLOC,
	S_BYTES,
	S_ZZ,
	S_KERNEL,
	S_SYS
};

static void type(unsigned int field, uint64_t t, uint64_t unit)
{
	leat_proto_number(&msg, 1, t);
	leat_proto_number(&msg, 2, unit);
	leat_proto_message(&file, field, &msg);
}

static void mapping(uint64_t id, uint64_t start, uint64_t offset, uint64_t path, uint64_t build_id)
{
	leat_proto_number(&msg, 1, id);
	leat_proto_number(&msg, 2, start);
	leat_proto_number(&msg, 3, start + 0x10000);
	leat_proto_number(&msg, 4, offset);
	leat_proto_number(&msg, 5, path);
	leat_proto_number(&msg, 6, build_id);
	leat_proto_message(&file, 3, &msg);
}

static void function(uint64_t id, uint64_t name, uint64_t path)
{
	leat_proto_number(&msg, 1, id);
	leat_proto_number(&msg, 2, name);
	leat_proto_number(&msg, 3, name);
	leat_proto_number(&msg, 4, path);
	leat_proto_message(&file, 5, &msg);
}

/* @fns: 0 ends; innermost first. */
static void location(uint64_t id, uint64_t map, uint64_t address, const uint64_t *fns)
{
	leat_proto_number(&msg, 1, id);
	leat_proto_number(&msg, 2, map);
	leat_proto_number(&msg, 3, address);
	for (; *fns; fns++) {
		leat_proto_number(&inner, 1, *fns);
		leat_proto_message(&msg, 4, &inner);
	}
	leat_proto_message(&file, 4, &msg);
}

static void sample(const uint64_t *locations, uint64_t v1, uint64_t v2)
{
	for (; *locations; locations++)
		leat_proto_element(&msg, 1, *locations); /* not packed */
	leat_buf_uleb128(&inner, v1);
	leat_buf_uleb128(&inner, v2);
	leat_proto_message(&msg, 2, &inner); /* packed */
	leat_proto_message(&file, 2, &msg);
}

static void put_strings(void)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(strings); i++)
		leat_proto_bytes(&file, 6, strings[i], strlen(strings[i]));
}

static void go_like(void)
{
	type(1, S_SAMPLES, S_COUNT);
	type(1, S_CPU, S_NS);
	sample((uint64_t[]){ 2, 1, 0 }, 3, 30000000);
	sample((uint64_t[]){ 3, 1, 0 }, 2, 20000000);
	sample((uint64_t[]){ 4, 2, 1, 0 }, 1, 10000000);
	mapping(1, 0x400000, 0x1000, S_PROG, S_BUILD);
	mapping(2, 0x7f0000000000, 0, S_LIBX, 0);
	mapping(9, 0xffffffff81000000, 0, S_KERNEL, 0);
	location(1, 1, 0x401000, (uint64_t[]){ 1, 0 });
	location(2, 2, 0x7f0000000120, (uint64_t[]){ 3, 2, 0 });
	location(3, 2, 0x7f0000000130, (uint64_t[]){ 0 });
	location(4, 9, 0xffffffff81000010, (uint64_t[]){ 4, 0 });
	function(1, S_MAIN, S_FILE);
	function(2, S_LEAF, 0);
	function(3, S_INLINED, S_FILE);
	function(4, S_SYS, 0);
	put_strings();
	type(11, S_CPU, S_NS);
	leat_proto_number(&file, 12, 10000000);
}

static int parse(void)
{
	int err = leat_pprof_parse(&b, &opts, file.data, file.len, "x", &diag);

	return err ? err : leat_build_finish(&b, &none, &diag);
}

static const char *folded(void)
{
	leat_buf_reset(&out);
	cr_assert(zero(int, leat_export_folded(b.p, NULL, &out)));
	return out.data;
}

Test(import_pprof, locations_lines_and_mappings)
{
	const struct leat_object *o;
	uint32_t i = 0;

	go_like();
	cr_assert(zero(int, parse()), "%s", diag.what);
	cr_expect(eq(str, (char *)folded(),
		     (char *)"prog;main.main;leaf;main.inlined 3\n"
			     "prog;main.main;leaf;main.inlined;do_sys_[k] 1\n"
			     "prog;main.main;libx.so+0x130 2\n"));
	cr_expect(eq(u64, b.p->meta.freq_hz, 100));
	cr_expect(b.p->meta.time_based);
	cr_expect(eq(u64, b.p->verdict.frames_unnamed[LEAT_UNNAMED_STRIPPED], 2));
	while (i < b.p->object_cnt && !b.p->objects[i].build_id_len)
		i++;
	cr_assert(lt(sz, i, b.p->object_cnt));
	o = &b.p->objects[i];
	cr_expect(eq(int, o->build_id_len, 10));
	cr_expect(eq(int, o->build_id[1], 0x23));
	cr_expect(eq(u64, o->map_pgoff, 0x1000));
}

Test(import_pprof, inlined_functions_are_told_apart)
{
	size_t inlined = 0;

	go_like();
	cr_assert(zero(int, parse()));
	for (size_t i = 0; i < b.p->function_cnt; i++)
		inlined += b.p->functions[i].kind == LEAT_FUNCTION_INLINED;
	cr_expect(eq(sz, inlined, 1));
}

Test(import_pprof, another_value_by_name)
{
	go_like();
	opts.event = "cpu";
	cr_assert(zero(int, parse()));
	cr_expect(eq(u64, b.p->verdict.taken, 60000000));
	cr_expect(eq(str, (char *)leat_profile_str(b.p, b.p->meta.event),
		     (char *)"cpu (nanoseconds)"));
}

Test(import_pprof, a_value_that_is_not_there)
{
	go_like();
	opts.event = "wall";
	cr_expect(eq(int, parse(), -ENOENT));
	cr_expect(eq(str, diag.why, (char *)"it holds: samples, cpu"));
}

static void heap_like(uint64_t default_type)
{
	type(1, S_ALLOC, S_COUNT);
	type(1, S_ALLOC, S_BYTES);
	type(1, S_ZZ, S_BYTES);
	for (uint64_t v = 0; v < 3; v++)
		leat_buf_uleb128(&inner, 10 + v);
	leat_proto_message(&msg, 2, &inner);
	leat_proto_message(&file, 2, &msg);
	leat_proto_number(&file, 14, default_type);
	put_strings();
}

Test(import_pprof, without_counted_samples_the_last_value)
{
	heap_like(0);
	cr_assert(zero(int, parse()));
	cr_expect(eq(str, (char *)folded(), (char *)"[unknown];[unknown] 12\n"));
}

Test(import_pprof, or_the_one_that_the_file_prefers)
{
	heap_like(S_ALLOC);
	cr_assert(zero(int, parse()));
	cr_expect(eq(u64, b.p->verdict.taken, 11));
}

/* ---- labels ---- */

static void label(uint64_t key, uint64_t text, uint64_t num, uint64_t unit)
{
	struct leat_buf l;

	leat_buf_init(&l, 256);
	leat_proto_number(&l, 1, key);
	leat_proto_number(&l, 2, text);
	leat_proto_number(&l, 3, num);
	leat_proto_number(&l, 4, unit);
	leat_proto_message(&msg, 3, &l);
	leat_buf_fini(&l);
}

static const char *attribute(size_t sample_no, const char *wanted)
{
	const char *key, *value;

	for (size_t i = 0;
	     !leat_profile_attribute_at(b.p, b.p->samples[sample_no].attrs, i, &key, &value); i++) {
		if (strcmp(key, wanted) == 0)
			return value;
	}
	return "-";
}

Test(import_pprof, labels_are_attributes_there_and_back)
{
	struct leat_export_opts o = { .tree.by_process = true };
	int fd, err;
	struct leat_profile *back = NULL;

	type(1, S_SAMPLES, S_COUNT);
	label(S_ZZ, S_LEAF, 0, 0);
	label(S_BYTES, 0, 4096, S_BYTES);
	label(S_BYTES, 0, 8192, S_BYTES); /* again: counted */
	leat_proto_number(&msg, 2, 5);
	leat_proto_message(&file, 2, &msg);
	label(S_ZZ, S_MAIN, 0, 0);
	leat_proto_number(&msg, 2, 7);
	leat_proto_message(&file, 2, &msg);
	put_strings();
	cr_assert(zero(int, parse()), "%s", diag.what);
	cr_assert(eq(sz, b.p->sample_cnt, 2));
	cr_expect(eq(str, (char *)attribute(0, "zz"), (char *)"leaf"));
	cr_expect(eq(str, (char *)attribute(0, "bytes"), (char *)"4096 bytes"));
	cr_expect(eq(str, (char *)attribute(1, "zz"), (char *)"main.main"));
	cr_expect(eq(u64, b.p->verdict.import_labels, 1));
	/* Written and read again they are the same. */
	leat_buf_reset(&out);
	cr_assert(zero(int, leat_export_pprof(b.p, &o, &out)));
	fd = memfd_create("pprof", MFD_CLOEXEC);
	cr_assert(eq(int, (int)write(fd, out.data, out.len), (int)out.len));
	cr_assert(eq(int, (int)lseek(fd, 0, SEEK_SET), 0));
	err = leat_import_fd(fd, "x", &back, &diag);
	close(fd);
	cr_assert(zero(int, err), "%s", diag.what);
	leat_profile_free(&b.p);
	b.p = back;
	cr_assert(eq(sz, b.p->sample_cnt, 2));
	cr_expect(eq(str, (char *)attribute(0, "zz"), (char *)"leaf"));
	cr_expect(eq(str, (char *)attribute(0, "bytes"), (char *)"4096 bytes"));
	cr_expect(eq(str, (char *)attribute(1, "zz"), (char *)"main.main"));
	cr_expect(eq(u64, b.p->verdict.import_labels, 0));
}

Test(import_pprof, more_labels_than_a_set_takes_are_counted)
{
	static char names[40][8];

	type(1, S_SAMPLES, S_COUNT);
	for (uint64_t i = 0; i < 40; i++)
		label(LEAT_ARRAY_SIZE(strings) + i, S_LEAF, 0, 0);
	leat_proto_number(&msg, 2, 5);
	leat_proto_message(&file, 2, &msg);
	put_strings();
	for (int i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "k%d", 39 - i);
		leat_proto_bytes(&file, 6, names[i], strlen(names[i]));
	}
	cr_assert(zero(int, parse()), "%s", diag.what);
	cr_expect(eq(str, (char *)attribute(0, "k39"), (char *)"leaf"));
	cr_expect(eq(u64, b.p->verdict.import_labels, 40 - LEAT_PROFILE_MAX_ATTRIBUTES));
}

/* Every index that a file holds may point outside. */
Test(import_pprof, what_points_nowhere_is_malformed)
{
	for (int what = 0; what < 7; what++) {
		fini();
		init();
		type(1, S_SAMPLES, what == 0 ? 999 : S_COUNT);
		sample((uint64_t[]){ what == 1 ? 99 : 1, 0 }, 1, 1);
		type(1, S_CPU, S_NS);
		mapping(1, 0, 0, what == 2 ? 999 : S_PROG, what == 3 ? 999 : 0);
		location(1, what == 4 ? 7 : 1, 0x10, (uint64_t[]){ what == 5 ? 77 : 1, 0 });
		function(1, what == 6 ? 999 : S_MAIN, 0);
		put_strings();
		cr_expect(eq(int, parse(), what ? -EBADMSG : 0), "%d", what);
	}
}

Test(import_pprof, ids_are_unique_and_not_zero)
{
	type(1, S_SAMPLES, S_COUNT);
	function(1, S_MAIN, 0);
	function(1, S_LEAF, 0);
	put_strings();
	cr_expect(eq(int, parse(), -EBADMSG));
	cr_expect(ne(ptr, strstr(diag.what, "at byte"), NULL), "%s", diag.what);
}

Test(import_pprof, differences_are_no_samples)
{
	type(1, S_SAMPLES, S_COUNT);
	type(1, S_CPU, S_NS);
	sample((uint64_t[]){ 0 }, (uint64_t)-5, 0);
	sample((uint64_t[]){ 0 }, 7, 0);
	put_strings();
	cr_assert(zero(int, parse()));
	cr_expect(eq(u64, b.p->verdict.taken, 7));
	cr_expect(eq(u64, b.p->verdict.import_other, 1));
}

Test(import_pprof, cut_at_every_byte)
{
	struct leat_buf whole;

	go_like();
	leat_buf_init(&whole, 1 << 20);
	leat_buf_add(&whole, file.data, file.len);
	for (size_t n = 0; n < whole.len; n++) {
		LEAT_FREE char *exact = malloc(n ? n : 1);

		cr_assert(exact != NULL);
		memcpy(exact, whole.data, n);
		leat_build_fini(&b);
		cr_assert(zero(int, leat_build_init(&b)));
		if (!leat_pprof_parse(&b, &opts, exact, n, "x", NULL) &&
		    !leat_build_finish(&b, &opts, NULL))
			cr_assert(le(u64, b.p->verdict.taken, 6));
	}
	leat_buf_fini(&whole);
}

Test(import_pprof, survives_each_failing_allocation)
{
	go_like();
	LEAT_ALLOC_EACH_FAILS {
		struct leat_build mine;
		int err = leat_build_init(&mine);

		if (!err)
			err = leat_pprof_parse(&mine, &opts, file.data, file.len, "x", NULL);
		if (!err)
			err = leat_build_finish(&mine, &opts, NULL);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM, "%d", err);
		leat_build_fini(&mine);
	}
}
