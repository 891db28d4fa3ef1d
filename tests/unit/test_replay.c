/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture file through a session of its own gives what its recording gave. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <leat/symbols.h>
#include <stdio.h>
#include <sys/mman.h>

#include "../support/alloc.h"
#include "../support/capture_file.h"
#include "../support/golden.h"
#include "base/file.h"
#include "export/export.h"
#include "session/capture_impl.h"

#define STR(s) ((char *)(s))

static int by_objects(void *ctx, struct leat_profile *p)
{
	++*(int *)ctx;
	return leat_symbols_finish(p);
}

/* Replays @n bytes; *@named counts how often names had to be made up. */
static int replay(const void *bytes, size_t n, struct leat_replayed *out, int *named, char *why)
{
	struct leat_replay_opts o = { .name = by_objects, .ctx = named };
	struct leat_replay *r = NULL;
	int err = leat_replay_new(&r);

	if (!err)
		err = leat_capture_open_bytes(leat_replay_capture(r), bytes, n);
	if (!err)
		err = leat_replay_run(r, &o, out);
	if (why && r)
		snprintf(why, 200, "%s", leat_replay_error(r));
	leat_replay_free(&r);
	return err;
}

static void export(const struct leat_exporter *e, struct leat_profile *p, bool by_thread,
		   struct leat_buf *b)
{
	struct leat_export_opts o = { .min_width_percent = 0.1,
				      .tree = { .by_process = true, .by_thread = by_thread } };

	leat_buf_init(b, LEAT_EXPORT_MAX_BYTES);
	cr_assert(eq(int, e->write(p, &o, b), 0));
}

/* Every output of the two has the same bytes, and the verdict too. */
static void same(struct leat_profile *a, struct leat_profile *b, bool by_thread)
{
	const struct leat_exporter *e;
	struct leat_buf x, y;

	for (size_t i = 0; (e = leat_exporter_at(i)); i++) {
		if (!e->write)
			continue;
		export(e, a, by_thread, &x);
		export(e, b, by_thread, &y);
		cr_assert(eq(sz, x.len, y.len), "%s", e->format);
		cr_assert(eq(int, memcmp(x.data, y.data, x.len), 0), "%s", e->format);
		leat_buf_fini(&x);
		leat_buf_fini(&y);
	}
	leat_buf_init(&x, 1 << 20);
	leat_buf_init(&y, 1 << 20);
	leat_verdict_json(&a->verdict, &x);
	leat_verdict_json(&b->verdict, &y);
	cr_assert(eq(str, x.data, y.data));
	leat_buf_fini(&x);
	leat_buf_fini(&y);
}

ParameterizedTestParameters(replay, all_outputs_have_the_same_bytes)
{
	static struct leat_capture_options rows[] = {
		{ .by_thread = false },
		{ .by_thread = true, .session = { .per_thread = true } },
		{ .session = { .per_thread = true, .stream = true } },
		{ .by_thread = true, .session = { .per_thread = true, .stream = true } },
		{ .session = { .user_only = true } },
		{ .session = { .kernel_only = true } },
	};

	return cr_make_param_array(struct leat_capture_options, rows, LEAT_ARRAY_SIZE(rows));
}

ParameterizedTest(struct leat_capture_options *row, replay, all_outputs_have_the_same_bytes)
{
	struct leat_replayed got = { 0 };
	struct leat_example e;
	int named = 0;

	leat_example_init(&e, row);
	cr_assert(eq(int, replay(e.bytes, e.len, &got, &named, NULL), 0));
	same(e.p, got.profile, row->by_thread);
	cr_expect(eq(int, named, 0));
	cr_expect(eq(int, got.named, 1));
	cr_expect(eq(int, got.by_thread, row->by_thread));
	cr_expect(eq(int, got.info.complete, 1));
	cr_expect(eq(u64, got.taken, e.p->verdict.taken));
	cr_expect(eq(u64, got.strange_names, 0));
	cr_expect(eq(u64, got.info.lost, 0));
	leat_profile_free(&got.profile);
	leat_example_fini(&e);
}

/* Shorter at every byte behind the header: what is there is there, and it is said. */
Test(replay, cut_files_give_what_is_there, .timeout = 60)
{
	struct leat_example e;
	size_t offs[64], cnt;
	uint64_t before = 0;

	leat_example_init(&e, NULL);
	cnt = leat_capture_offsets(e.bytes, e.len, offs, LEAT_ARRAY_SIZE(offs));
	cr_assert(gt(sz, cnt, 8));
	for (size_t i = 0; i < cnt; i++) {
		for (size_t cut = offs[i]; cut < offs[i + 1]; cut++) {
			struct leat_replayed got = { 0 };
			int named = 0, err = replay(e.bytes, cut, &got, &named, NULL);

			if (err) {
				cr_assert(eq(int, err, -ENODATA), "%zu", cut);
				continue;
			}
			cr_assert(eq(int, got.info.complete, 0));
			cr_assert(ge(u64, got.profile->verdict.taken, before));
			before = got.profile->verdict.taken;
			cr_assert(eq(int, named, !got.named));
			cr_assert(eq(u64, got.profile->verdict.cut_off, 1));
			cr_assert(eq(u64, got.profile->verdict.cut_bytes, cut - offs[i]));
			cr_assert(
				ne(int, leat_verdict_trust(&got.profile->verdict), LEAT_TRUST_YES));
			leat_profile_free(&got.profile);
		}
	}
	cr_expect(eq(u64, before, e.p->verdict.taken));
	leat_example_fini(&e);
}

/* One bit wrong, anywhere: an error, or a file that ends early; never another profile. */
Test(replay, flipped_bits_are_seen, .timeout = 60)
{
	struct leat_example e;

	leat_example_init(&e, NULL);
	for (size_t i = 0; i < e.len * 8; i += 3) {
		struct leat_replayed got = { 0 };
		int named = 0, err;
		char why[200] = "";

		e.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
		err = replay(e.bytes, e.len, &got, &named, why);
		e.bytes[i / 8] ^= (uint8_t)(1u << (i % 8));
		cr_assert(err || !got.info.complete, "bit %zu", i);
		cr_assert(why[0] || !err, "bit %zu: %d without words", i, err);
		leat_profile_free(&got.profile);
	}
	leat_example_fini(&e);
}

Test(replay, no_memory_is_an_error)
{
	struct leat_example e;

	leat_example_init(&e, NULL);
	LEAT_ALLOC_EACH_FAILS {
		struct leat_replayed got = { 0 };
		int named = 0, err = replay(e.bytes, e.len, &got, &named, NULL);

		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM, "%d", err);
		leat_profile_free(&got.profile);
	}
	leat_example_fini(&e);
}

/* ---- files made by hand ---- */

/* A file of one more chunk of @kind; 0: none. */
static int replay_made(uint16_t kind, const void *p, size_t n, char *why)
{
	struct leat_capture_writer *w = NULL;
	struct leat_replayed got = { 0 };
	int fd = memfd_create("made", MFD_CLOEXEC), named = 0, err;
	uint8_t *bytes;
	size_t len;

	cr_assert(eq(int, leat_capture_writer_new(&w, fd), 0));
	if (kind)
		cr_assert(eq(int, leat_capture_writer_chunk(w, kind, p, n), 0));
	cr_assert(eq(int, leat_capture_writer_finish(w), 0));
	leat_capture_writer_free(&w);
	bytes = leat_capture_slurp(fd, &len);
	close(fd);
	err = replay(bytes, len, &got, &named, why);
	free(bytes);
	return err;
}

Test(replay, nothing_in_it_is_no_profile)
{
	char why[200];

	cr_expect(eq(int, replay_made(0, NULL, 0, why), -ENODATA));
	cr_expect(eq(str, why, STR("it holds no samples")));
}

Test(replay, broken_chunks_are_refused)
{
	for (uint16_t kind = LEAT_CAPTURE_OPTIONS; kind < LEAT_CAPTURE_END; kind++) {
		char why[200];
		bool late = kind == LEAT_CAPTURE_VERDICT; /* not looked at without samples */

		cr_expect(eq(int, replay_made(kind, "broken!", 7, why), late ? -ENODATA : -EBADMSG),
			  "%u", kind);
		cr_expect(late || strstr(why, "corrupt"), "%u: %s", kind, why);
	}
}

/* ---- the parts ---- */

Test(names, fit_by_object_and_offset)
{
	struct leat_example e;
	struct leat_replayed got = { 0 };
	struct leat_names n = { .strings = NULL };
	struct leat_row_frame frames[2] = {
		{ .object = 1, .offset = 0x100, .function = 0 },
		{ .object = 1, .offset = 0x12345, .function = 0 },
	};
	struct leat_row_object objects[2] = { { .kind = 99 }, { .kind = LEAT_OBJECT_FILE } };
	struct leat_row_function function = { .raw = LEAT_ID_NONE,
					      .file = LEAT_ID_NONE,
					      .object = LEAT_ID_NONE,
					      .kind = 77,
					      .unnamed = 77 };
	uint64_t strange = 0;
	uint32_t id, string;
	int named = 0;

	leat_example_init(&e, NULL);
	cr_assert(eq(int, replay(e.bytes, e.len, &got, &named, NULL), 0));
	cr_assert(eq(int, leat_profile_string(got.profile, "/usr/bin/web", 12, &string), 0));
	objects[1].dev = 1;
	objects[1].ino = 7;
	objects[1].build_id_len = 20;
	memcpy(objects[1].build_id, "abcdefghijklmnopqrst", 20);
	n = (struct leat_names){ .strings = &string,
				 .string_cnt = 1,
				 .objects = objects,
				 .object_cnt = 2,
				 .functions = &function,
				 .function_cnt = 1,
				 .frames = frames,
				 .frame_cnt = 2 };
	cr_assert(eq(int, leat_names_apply(&n, got.profile, &strange), 0));
	cr_expect(eq(u64, strange, 1));
	id = leat_profile_frame_find(got.profile, 0, 0x100, 0);
	cr_assert(ne(u32, id, LEAT_ID_NONE));
	cr_expect(eq(u32, got.profile->functions[got.profile->frames[id].function].name, string));
	/* Numbers of a newer version are code with a name. */
	cr_expect(eq(int, got.profile->functions[got.profile->frames[id].function].kind,
		     LEAT_FUNCTION_NATIVE));
	leat_profile_free(&got.profile);
	leat_example_fini(&e);
}

Test(names, numbers_that_lead_nowhere_are_refused)
{
	struct leat_profile *p = NULL;
	uint32_t string = 0;
	struct leat_row_object object = { .kind = LEAT_OBJECT_FILE };
	struct leat_row_function function = { .raw = LEAT_ID_NONE,
					      .file = LEAT_ID_NONE,
					      .object = LEAT_ID_NONE };
	struct leat_row_frame frame = { .function = LEAT_ID_NONE };
	struct leat_names n = { .strings = &string,
				.string_cnt = 1,
				.objects = &object,
				.object_cnt = 1,
				.functions = &function,
				.function_cnt = 1,
				.frames = &frame,
				.frame_cnt = 1 };
	uint32_t *const numbers[] = { &object.path,	&function.name, &function.raw,
				      &function.object, &function.file, &frame.object,
				      &frame.function };
	uint64_t strange;

	cr_assert(eq(int, leat_profile_new(&p), 0));
	cr_expect(eq(int, leat_names_apply(&n, p, &strange), 0));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(numbers); i++) {
		uint32_t good = *numbers[i];

		*numbers[i] = 1;
		cr_expect(eq(int, leat_names_apply(&n, p, &strange), -EBADMSG), "%zu", i);
		*numbers[i] = good;
	}
	object.build_id_len = 21;
	cr_expect(eq(int, leat_names_apply(&n, p, &strange), -EBADMSG));
	leat_profile_free(&p);
}

/* Every part of a chunk cut off, for each kind: an error, or fewer rows; never a read behind it. */
Test(names, truncated_at_every_byte)
{
	static const uint16_t kinds[] = { LEAT_CAPTURE_STRINGS, LEAT_CAPTURE_PROCESSES,
					  LEAT_CAPTURE_OBJECTS, LEAT_CAPTURE_FUNCTIONS,
					  LEAT_CAPTURE_FRAMES };
	static const uint32_t sizes[] = { 0, sizeof(struct leat_row_process),
					  sizeof(struct leat_row_object),
					  sizeof(struct leat_row_function),
					  sizeof(struct leat_row_frame) };

	for (size_t k = 0; k < LEAT_ARRAY_SIZE(kinds); k++) {
		size_t len = k ? 8 + 2 * (size_t)sizes[k] : 13;

		for (size_t cut = 0; cut <= len; cut++) {
			uint8_t *p = calloc(1, cut + 1);
			uint8_t whole[256] = { 0 };
			uint32_t head[2] = { k ? sizes[k] : 9, 2 };
			struct leat_names n = { .strings = NULL };
			struct leat_profile *to = NULL;
			struct leat_reader r;
			int err;

			memcpy(whole, head, k ? 8 : 4);
			memcpy(p, whole, cut);
			r = leat_reader_of(p, cut);
			cr_assert(eq(int, leat_profile_new(&to), 0));
			err = leat_names_read(&n, kinds[k], &r, to);
			cr_expect(eq(int, err, cut == len || (!k && !cut) ? 0 : -EBADMSG),
				  "%zu %zu", k, cut);
			leat_names_fini(&n);
			leat_profile_free(&to);
			free(p);
		}
	}
}

/* More rows than there are bytes, rows of nothing, strings without an end: no memory is taken for them. */
Test(names, counts_that_lie_are_refused)
{
	static const struct leat_capture_table heads[] = {
		{ 24, UINT32_MAX },	    { 88, 3 },	       { 0, 1 },
		{ UINT32_MAX, 1 },	    { 0, UINT32_MAX }, { 1, 200 },
		{ UINT32_MAX, UINT32_MAX }, { 23, 1 },	       { 0x80000000, 2 },
	};
	uint8_t chunk[8 + 200] = { 0 };

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(heads); i++) {
		for (uint16_t kind = LEAT_CAPTURE_PROCESSES; kind <= LEAT_CAPTURE_FRAMES; kind++) {
			struct leat_reader r = leat_reader_of(chunk, sizeof(chunk));
			struct leat_names n = { .strings = NULL };

			memcpy(chunk, &heads[i], sizeof(heads[i]));
			cr_expect(eq(int, leat_names_read(&n, kind, &r, NULL), -EBADMSG), "%zu %u",
				  i, kind);
			leat_names_fini(&n);
		}
	}
	for (uint32_t len = UINT32_MAX; len > 204; len /= 2) {
		struct leat_reader r = leat_reader_of(chunk, sizeof(chunk));
		struct leat_names n = { .strings = NULL };

		memcpy(chunk, &len, sizeof(len));
		cr_expect(eq(int, leat_names_read(&n, LEAT_CAPTURE_STRINGS, &r, NULL), -EBADMSG));
		leat_names_fini(&n);
	}
}

/* A newer version may lengthen rows: what is known of them is taken. */
Test(names, longer_rows_are_read)
{
	struct {
		struct leat_capture_table t;
		struct {
			struct leat_row_process row;
			uint64_t more;
		} rows[2];
	} chunk = { .t = { sizeof(chunk.rows[0]), 2 } };
	struct leat_names n = { .strings = NULL };
	struct leat_reader r = leat_reader_of(&chunk, sizeof(chunk));

	chunk.rows[0].row.tgid = 1;
	chunk.rows[1].row.tgid = 2;
	chunk.rows[1].row.from_ns = 3;
	cr_assert(eq(int, leat_names_read(&n, LEAT_CAPTURE_PROCESSES, &r, NULL), 0));
	cr_assert(eq(sz, n.process_cnt, 2));
	cr_expect(eq(u32, n.processes[0].tgid, 1));
	cr_expect(eq(u32, n.processes[1].tgid, 2));
	cr_expect(eq(u64, n.processes[1].from_ns, 3));
	leat_names_fini(&n);
}

/* Two sessions may number processes differently: they are found by what they are. */
Test(names, processes_are_found_by_identity)
{
	struct leat_profile *p = NULL;
	struct leat_row_process rows[2] = { { .tgid = 2, .from_ns = 5 }, { .tgid = 1 } };
	struct leat_row_object objects[2] = { { .kind = LEAT_OBJECT_JIT, .process = 0 },
					      { .kind = LEAT_OBJECT_JIT, .process = 1 } };
	uint32_t string = 0, id, ids[2];
	struct leat_names n = { .strings = &string,
				.string_cnt = 1,
				.processes = rows,
				.process_cnt = 2,
				.objects = objects,
				.object_cnt = 2 };
	uint64_t strange;

	cr_assert(eq(int, leat_profile_new(&p), 0));
	for (uint32_t i = 0; i < 2; i++) {
		struct leat_process proc = { .tgid = i + 1, .from_ns = i ? 5 : 0 };
		struct leat_object o = { .kind = LEAT_OBJECT_JIT, .process = i };

		cr_assert(eq(int, leat_profile_process(p, &proc, &id), 0));
		cr_assert(eq(int, leat_profile_object(p, &o, &ids[i]), 0));
	}
	objects[0].flags = LEAT_ROW_UNREADABLE;
	cr_assert(eq(int, leat_names_apply(&n, p, &strange), 0));
	cr_expect(eq(sz, p->object_cnt, 2));
	cr_expect(eq(int, p->objects[ids[1]].unreadable, 1));
	cr_expect(eq(int, p->objects[ids[0]].unreadable, 0));
	leat_profile_free(&p);
}

/* ---- items ---- */

Test(items, unknown_ones_are_passed_over_and_broken_ones_refused)
{
	struct leat_capture_options o = { .by_thread = false };
	struct leat_buf b;
	size_t len;

	leat_buf_init(&b, 4096);
	leat_capture_put_text(&b, "colour", "green");
	leat_capture_put_u64(&b, "by_thread", 1);
	leat_capture_put_text(&b, "stream", "yes"); /* of the wrong type: not for us */
	len = b.len;
	cr_assert(eq(int, leat_items_get_options(b.data, len, &o), 0));
	cr_expect(eq(int, o.by_thread, 1));
	cr_expect(eq(int, o.session.stream, 0));
	for (size_t cut = 1; cut < len; cut++) {
		int err = leat_items_get_options(b.data, cut, &o);

		cr_expect(err == -EBADMSG || cut == 19 || cut == 44, "%zu: %d", cut, err);
	}
	leat_buf_fini(&b);
}

/* ---- a stored one: later versions read it and give the same ---- */

#define STORED "tests/golden/capture/version-1.leat"

static void store(const struct leat_example *e)
{
	FILE *f = fopen(STORED, "wbe");

	cr_assert(ne(ptr, f, NULL));
	cr_assert(eq(sz, fwrite(e->bytes, 1, e->len, f), e->len));
	fclose(f);
}

Test(replay, the_stored_file_gives_the_stored_text)
{
	struct leat_capture_options o = { .session = { .per_thread = true, .stream = true } };
	LEAT_FREE char *bytes = NULL;
	struct leat_replayed got = { 0 };
	struct leat_example e;
	struct leat_buf b;
	int named = 0;
	size_t n;

	leat_example_init(&e, &o);
	if (getenv("LEAT_GOLDEN_UPDATE"))
		store(&e);
	cr_assert(eq(int, leat_file_read_at(AT_FDCWD, STORED, 1 << 20, &bytes, &n), 0));
	cr_assert(eq(int, replay(bytes, n, &got, &named, NULL), 0));
	same(e.p, got.profile, false);
	export(leat_exporter_find("script"), got.profile, false, &b);
	leat_golden_check("capture/version-1.txt", b.data, b.len);
	leat_buf_fini(&b);
	leat_profile_free(&got.profile);
	leat_example_fini(&e);
}
