/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile/profile.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../support/alloc.h"

static struct leat_profile *p;

static void init(void)
{
	cr_assert(eq(int, leat_profile_new(&p), 0));
}

static void fini(void)
{
	leat_profile_free(&p);
	leat_profile_free(&p);
}

TestSuite(profile, .init = init, .fini = fini);

static uint32_t string(const char *s)
{
	uint32_t id;

	cr_assert(eq(int, leat_profile_string(p, s, strlen(s), &id), 0));
	return id;
}

static uint32_t object(const struct leat_object *o)
{
	uint32_t id;

	cr_assert(eq(int, leat_profile_object(p, o, &id), 0));
	return id;
}

Test(profile, strings_are_interned_and_0_is_empty)
{
	cr_assert(eq(u32, string(""), 0));
	cr_assert(eq(u32, string("a"), string("a")));
	cr_assert(ne(u32, string("a"), string("b")));
	cr_assert(eq(str, (char *)leat_profile_str(p, string("a")), (char *)"a"));
	cr_assert(eq(str, (char *)leat_profile_str(p, LEAT_ID_NONE), (char *)""));
}

Test(profile, a_file_is_one_object_by_build_id_or_inode)
{
	struct leat_object both = { .dev = 1, .ino = 2, .build_id_len = 2, .build_id = "id" };
	struct leat_object id_only = { .build_id_len = 2, .build_id = "id" };
	struct leat_object ino_only = { .dev = 1, .ino = 2 };
	struct leat_object other_ino = { .dev = 1, .ino = 3 };
	struct leat_object other_dev = { .dev = 2, .ino = 2 };
	struct leat_object copy = { .dev = 7, .ino = 7, .build_id_len = 2, .build_id = "id" };
	struct leat_object rewritten = { .dev = 1, .ino = 2, .build_id_len = 2, .build_id = "ne" };
	uint32_t id;

	both.path = id_only.path = ino_only.path = string("/lib/a");
	id = object(&ino_only);
	cr_assert(eq(u32, object(&both), id), "its build id is known from here on");
	cr_assert(eq(u8, p->objects[id].build_id_len, 2));
	cr_assert(eq(u32, object(&id_only), id));
	cr_assert(eq(u32, object(&copy), id), "a copy of the file");
	cr_assert(ne(u32, object(&other_ino), id));
	cr_assert(ne(u32, object(&other_dev), id));
	cr_assert(ne(u32, object(&rewritten), id), "the same place, other content");
	cr_assert(eq(sz, p->object_cnt, 4));
}

Test(profile, an_object_known_by_build_id_takes_its_inode_over)
{
	struct leat_object id_only = { .build_id_len = 2, .build_id = "id" };
	struct leat_object both = { .dev = 1, .ino = 2, .build_id_len = 2, .build_id = "id" };
	struct leat_object ino_only = { .dev = 1, .ino = 2 };
	uint32_t id = object(&id_only);

	cr_assert(eq(u32, object(&both), id));
	cr_assert(eq(u32, object(&ino_only), id));
	cr_assert(eq(u64, p->objects[id].ino, 2));
	ino_only.ino_gen = 5;
	cr_assert(eq(u32, object(&ino_only), id), "a generation that is not known agrees");
}

Test(profile, inode_generations_tell_files_apart)
{
	struct leat_object a = { .dev = 1, .ino = 2, .ino_gen = 1 };
	struct leat_object b = { .dev = 1, .ino = 2, .ino_gen = 2 };

	cr_assert(ne(u32, object(&a), object(&b)));
}

Test(profile, without_a_file_the_path_or_the_process_tells)
{
	struct leat_object kernel = { .kind = LEAT_OBJECT_KERNEL, .path = string("[kernel]") };
	struct leat_object path_a = { .path = string("/a"), .process = 1 };
	struct leat_object path_a2 = { .path = string("/a"), .process = 2 };
	struct leat_object path_b = { .path = string("/b") };
	struct leat_object jit1 = { .kind = LEAT_OBJECT_JIT,
				    .path = string("[jit]"),
				    .process = 1 };
	struct leat_object jit2 = { .kind = LEAT_OBJECT_JIT,
				    .path = string("[jit]"),
				    .process = 2 };
	struct leat_object too_long = { .build_id_len = 21 };
	uint32_t id;

	cr_assert(eq(u32, object(&kernel), object(&kernel)));
	cr_assert(eq(u32, object(&path_a), object(&path_a2)));
	cr_assert(ne(u32, object(&path_a), object(&path_b)));
	cr_assert(ne(u32, object(&jit1), object(&jit2)));
	cr_assert(eq(u32, object(&jit1), object(&jit1)));
	cr_assert(eq(int, leat_profile_object(p, &too_long, &id), -EINVAL));
}

Test(profile, frames_are_one_whatever_was_found_out_about_them)
{
	uint32_t a, b;

	cr_assert(eq(int, leat_profile_frame(p, 1, 0x10, LEAT_FRAME_RETURN, &a), 0));
	p->frames[a].flags |= LEAT_FRAME_CHECKED | LEAT_FRAME_BAD_CALL;
	cr_assert(eq(int, leat_profile_frame(p, 1, 0x10, LEAT_FRAME_RETURN, &b), 0));
	cr_assert(eq(u32, a, b));
	cr_assert(eq(int, leat_profile_frame(p, 1, 0x10, 0, &b), 0));
	cr_assert(ne(u32, a, b));
	cr_assert(eq(int, leat_profile_frame(p, 2, 0x10, LEAT_FRAME_RETURN, &b), 0));
	cr_assert(ne(u32, a, b));
	cr_assert(eq(int, leat_profile_frame(p, 1, 0x11, LEAT_FRAME_RETURN, &b), 0));
	cr_assert(ne(u32, a, b));
}

Test(profile, functions_differ_in_any_member)
{
	struct leat_function f = { .name = 1, .object = 2, .file = 3, .line = 4, .start = 5 };
	uint32_t first, id;

	cr_assert(eq(int, leat_profile_function(p, &f, &first), 0));
	cr_assert(eq(int, leat_profile_function(p, &f, &id), 0));
	cr_assert(eq(u32, id, first));
	for (int i = 0; i < 7; i++) {
		struct leat_function g = f;

		g.name += i == 0;
		g.object += i == 1;
		g.file += i == 2;
		g.line += i == 3;
		g.start += i == 4;
		g.kind = i == 5 ? LEAT_FUNCTION_JIT : g.kind;
		g.unnamed = i == 6 ? LEAT_UNNAMED_JIT : g.unnamed;
		cr_assert(eq(int, leat_profile_function(p, &g, &id), 0));
		cr_assert(eq(u32, id, i + 1), "member %d", i);
	}
}

Test(profile, stacks_differ_in_frames_and_shape)
{
	uint32_t ids[] = { 1, 2, 3 };
	struct leat_stack rows[] = {
		{ .kframe_cnt = 1, .uframe_cnt = 2 },
		{ .kframe_cnt = 2, .uframe_cnt = 1 },
		{ .uframe_cnt = 2 },
		{ .uframe_cnt = 3 },
		{ .uframe_cnt = 3, .uresult = 1 },
		{ .uframe_cnt = 3, .kresult = 1 },
		{ .pending = 1 },
		{ .pending = 0 },
	};
	uint32_t id;

	for (int again = 0; again < 2; again++) {
		for (uint32_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
			cr_assert(eq(int, leat_profile_stack(p, &rows[i], ids, &id), 0));
			cr_assert(eq(u32, id, i));
		}
	}
	ids[1] = 9;
	cr_assert(eq(int, leat_profile_stack(p, &rows[2], ids, &id), 0));
	cr_assert(eq(u32, id, LEAT_ARRAY_SIZE(rows)));
	cr_assert(eq(u32, leat_profile_stack_frames(p, &p->stacks[id])[1], 9));
}

Test(profile, equal_samples_add_up_but_streamed_ones)
{
	struct leat_sample s = { .stack = 1, .thread = LEAT_ID_NONE, .value = 2 };
	struct leat_sample timed = { .stack = 1, .thread = LEAT_ID_NONE, .value = 1, .ts_ns = 5 };
	struct leat_sample other = { .stack = 1, .thread = 3, .value = 1 };
	uint32_t id;

	cr_assert(eq(int, leat_profile_sample(p, &s), 0));
	cr_assert(eq(int, leat_profile_sample(p, &timed), 0));
	cr_assert(eq(int, leat_profile_sample(p, &timed), 0));
	cr_assert(eq(int, leat_profile_sample(p, &other), 0));
	cr_assert(eq(int, leat_profile_sample_id(p, &s, &id), 0));
	cr_assert(eq(u32, id, 0));
	cr_assert(eq(int, leat_profile_sample_id(p, &other, &id), 0));
	cr_assert(eq(u32, id, 3));
	cr_assert(eq(sz, p->sample_cnt, 4));
	cr_assert(eq(u64, p->samples[0].value, 4));
	cr_assert(eq(u64, leat_profile_total(p), 8));
}

Test(profile, threads_begin_with_the_name_of_their_process)
{
	struct leat_process proc = { .comm = string("nginx") };
	uint32_t process, a, b;

	cr_assert(eq(int, leat_profile_process(p, &proc, &process), 0));
	cr_assert(eq(int, leat_profile_thread(p, process, 7, &a), 0));
	cr_assert(eq(int, leat_profile_thread(p, process, 7, &b), 0));
	cr_assert(eq(u32, a, b));
	cr_assert(eq(u32, p->threads[a].comm, proc.comm));
	cr_assert(eq(int, leat_profile_thread(p, process, 8, &b), 0));
	cr_assert(ne(u32, a, b));
}

Test(profile, stacks_that_become_equal_are_merged_with_their_samples)
{
	static const uint32_t ids[] = { 1, 2, 3 };
	struct leat_stack cut[3];
	uint32_t id;

	for (uint16_t n = 1; n <= 3; n++) {
		struct leat_stack s = { .uframe_cnt = n };
		struct leat_sample sample = { .value = n };

		cr_assert(eq(int, leat_profile_stack(p, &s, ids, &id), 0));
		sample.stack = id;
		cr_assert(eq(int, leat_profile_sample(p, &sample), 0));
		sample.ts_ns = n;
		cr_assert(eq(int, leat_profile_sample(p, &sample), 0));
	}
	memcpy(cut, p->stacks, sizeof(cut));
	cut[0].uframe_cnt = cut[2].uframe_cnt = 1;
	cr_assert(eq(int, leat_profile_restack(p, cut), 0));
	cr_assert(eq(sz, p->stack_cnt, 2));
	cr_assert(eq(sz, p->sample_cnt, 5), "streamed ones stay what they are");
	cr_assert(eq(u64, leat_profile_total(p), 12));
	cr_assert(eq(u64, p->samples[0].value, 4));
	cr_assert(eq(u32, p->samples[4].stack, 0));
	/* The tables go on working. */
	cr_assert(eq(int, leat_profile_stack(p, &(struct leat_stack){ .uframe_cnt = 2 }, ids, &id),
		     0));
	cr_assert(eq(u32, id, 1));
	cr_assert(eq(int, leat_profile_sample(p, &(struct leat_sample){ .value = 1 }), 0));
	cr_assert(eq(u64, p->samples[0].value, 5));
}

static int fill(struct leat_profile *q)
{
	struct leat_object o = { .ino = 3, .build_id_len = 1 };
	struct leat_process proc = { .tgid = 1 };
	struct leat_function f = { .name = 1 };
	struct leat_stack s = { .uframe_cnt = 1 };
	struct leat_sample sample = { .value = 1 };
	struct leat_stack cut = { .uframe_cnt = 0 };
	uint32_t id, frame = 0;
	int err = leat_profile_string(q, "a", 1, &id);

	err = err ? err : leat_profile_object(q, &o, &id);
	err = err ? err : leat_profile_process(q, &proc, &id);
	err = err ? err : leat_profile_thread(q, id, 1, &id);
	err = err ? err : leat_profile_function(q, &f, &id);
	err = err ? err : leat_profile_frame(q, 0, 1, 0, &frame);
	err = err ? err : leat_profile_stack(q, &s, &frame, &id);
	err = err ? err : leat_profile_sample(q, &sample);
	return err ? err : leat_profile_restack(q, &cut);
}

Test(profile, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_profile *q = NULL;
		int err = leat_profile_new(&q);

		if (!err)
			err = fill(q);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		if (err && q) {
			cr_assert(eq(int, fill(q), 0), "nothing was left half-way");
			cr_assert(eq(sz, q->object_cnt, 1));
			cr_assert(eq(sz, q->frame_cnt, 1));
			cr_assert(le(sz, q->sample_cnt, 1));
		}
		leat_profile_free(&q);
	}
}

Test(profile, the_verdict_names_binaries_without_a_table)
{
	struct leat_object o = { .kind = LEAT_OBJECT_FILE };
	struct leat_buf b;
	char path[32];
	uint32_t id;

	o.path = string("/usr/lib/evil\nname.so");
	o.ino = 1;
	id = object(&o);
	p->objects[id].no_table = LEAT_NO_TABLE_MALFORMED;
	o.path = string("/usr/bin/good");
	o.ino = 2;
	object(&o);
	leat_buf_init(&b, 1 << 16);
	leat_profile_verdict_text(p, &b);
	cr_expect(ne(ptr,
		     strstr(b.data, "\nunwind table of /usr/lib/evil\\x0aname.so: "
				    "unwind information malformed\n"),
		     NULL));
	cr_expect(eq(ptr, strstr(b.data, "good"), NULL));
	leat_buf_fini(&b);
	leat_buf_init(&b, 1 << 16);
	leat_profile_verdict_json(p, &b);
	cr_expect(ne(ptr,
		     strstr(b.data, ",\"no_table_files\":[{\"file\":\"/usr/lib/evil\\nname.so\","
				    "\"why\":\"malformed\"}]}"),
		     NULL));
	leat_buf_fini(&b);
	for (uint64_t i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "/lib/%d", (int)i);
		o.path = string(path);
		o.ino = 10 + i;
		id = object(&o);
		p->objects[id].no_table = LEAT_NO_TABLE_GONE;
	}
	leat_buf_init(&b, 1 << 16);
	leat_profile_verdict_text(p, &b);
	cr_expect(ne(ptr, strstr(b.data, "\nunwind tables of 5 more\n"), NULL));
	leat_buf_fini(&b);
}
