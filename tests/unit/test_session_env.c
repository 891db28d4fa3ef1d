/* SPDX-License-Identifier: BSD-2-Clause */
/* Which process and which mapping a sample falls into. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "../support/world.h"
#include "base/log.h"
#include "session/judge.h"

#define MS 1000000ull

static void fini(struct leat_world *w)
{
	leat_world_fini(w);
}

static void put_process(struct leat_world *w, uint64_t ts, uint32_t tgid, uint64_t start,
			const char *comm)
{
	leat_put_process(w, &(struct leat_put_process){
				    .ts = ts, .start = start, .tgid = tgid, .comm = comm });
}

/* [0x1000, 0x2000) of @path from offset 0. */
static void put_map(struct leat_world *w, uint64_t ts, uint32_t tgid, const char *path,
		    bool from_proc)
{
	leat_put_map(w, &(struct leat_put_map){ .ts = ts,
						.tgid = tgid,
						.start = 0x1000,
						.end = 0x2000,
						.from_proc = from_proc,
						.path = path });
}

/* Stack 7: 0x1010. */
static void put_stack(struct leat_world *w)
{
	leat_put_stack(w, &(struct leat_put_stack){ .hash = 7,
						    .ucnt = 1,
						    .uresult = LEAT_STACK_COMPLETE,
						    .user_mode = 1,
						    .frames = { 0x1010 } });
}

static void put_count(struct leat_world *w, uint32_t tgid, uint64_t first, uint64_t last)
{
	leat_put_count(w,
		       &(struct leat_put_count){
			       .tgid = tgid, .hash = 7, .first = first, .last = last, .count = 1 });
}

static void put_exec(struct leat_world *w, uint64_t ts, uint32_t tgid, const char *comm)
{
	leat_put_comm(w, &(struct leat_put_comm){
				 .ts = ts, .tgid = tgid, .flags = LEAT_COMM_EXEC, .comm = comm });
}

Test(session_env, exec_begins_anew)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 100, 5, 50, "sh");
	put_map(&w, 100, 5, "/bin/sh", true);
	put_count(&w, 5, 200, 200);
	put_exec(&w, 300, 5, "cat");
	put_map(&w, 310, 5, "/bin/cat", false);
	put_count(&w, 5, 400, 400);
	put_count(&w, 5, 200, 250); /* drained late */
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"cat;/bin/cat:10 1\nsh;/bin/sh:10 2\n"));
	cr_assert(eq(sz, w.p->process_cnt, 2));
	cr_assert(eq(u32, w.p->processes[1].exec_cnt, 1));
	cr_assert(eq(u64, w.p->processes[0].to_ns, 300));
	cr_assert(eq(u64, w.p->processes[1].from_ns, 300));
	cr_assert(eq(str, (char *)leat_profile_str(w.p, w.p->processes[1].exe), (char *)"/bin/cat"),
		  "the first mapping after an exec is the executable");
}

Test(session_env, nothing_of_the_old_program_is_left_after_exec)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 100, 5, 50, "sh");
	put_map(&w, 100, 5, "/bin/sh", true);
	put_exec(&w, 300, 5, "cat");
	put_count(&w, 5, 400, 400);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"cat;?:1010 1\n"));
}

Test(session_env, while_a_program_is_loaded_the_user_frame_is_the_old_ones)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	leat_put_stack(&w, &(struct leat_put_stack){ .hash = 8,
						     .kcnt = 1,
						     .ucnt = 2,
						     .uresult = LEAT_STACK_COMPLETE,
						     .frames = { 0x9999, 0x1010, 0x1010 } });
	put_process(&w, 100, 5, 50, "sh");
	put_map(&w, 100, 5, "/bin/sh", true);
	leat_put_fork(&w, 200, 5, 6, 6);
	put_exec(&w, 300, 6, "cat");
	leat_put_count(&w, &(struct leat_put_count){
				   .tgid = 6, .hash = 8, .first = 310, .last = 310, .count = 1 });
	put_count(&w, 6, 320, 320); /* in user mode: it cannot be of the old one */
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w),
		     (char *)"cat;?:1010 1\ncat;?:1010r;/bin/sh:10;k:9999_[k] 1\n"));
}

Test(session_env, exec_that_is_told_after_proc_was_read_takes_what_was_read)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	leat_put_process(&w, &(struct leat_put_process){ .ts = 300 * MS,
							 .start = 100 * MS,
							 .tgid = 5,
							 .comm = "cat",
							 .exe = "/bin/cat" });
	put_map(&w, 300 * MS, 5, "/bin/cat", true);
	leat_world_run(&w);
	put_exec(&w, 200 * MS, 5, "cat");
	put_count(&w, 5, 250 * MS, 250 * MS);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"cat;/bin/cat:10 1\n"));
	cr_assert(
		eq(str, (char *)leat_profile_str(w.p, w.p->processes[1].exe), (char *)"/bin/cat"));
}

Test(session_env, exec_right_after_a_start_that_was_read_too_late)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 190 * MS, 5, 100 * MS, "cat"); /* rounded up by a tick */
	leat_world_run(&w);
	put_exec(&w, 20 * MS, 5, "cat");
	put_map(&w, 21 * MS, 5, "/bin/cat", false);
	put_count(&w, 5, 250 * MS, 250 * MS);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"cat;/bin/cat:10 1\n"));
}

Test(session_env, a_child_has_its_parents_name_and_mappings)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 100, 5, 50, "sh");
	put_map(&w, 100, 5, "/bin/sh", true);
	leat_put_fork(&w, 200, 5, 6, 6);
	leat_put_fork(&w, 210, 6, 7, 7);
	leat_put_fork(&w, 220, 7, 8, 8);
	put_count(&w, 8, 300, 300);
	/* What the parent maps later is not the child's. */
	put_map(&w, 250, 5, "/lib/later", false);
	put_count(&w, 5, 310, 310);
	put_count(&w, 6, 320, 320);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"sh;/bin/sh:10 2\nsh;/lib/later:10 1\n"));
	cr_assert(eq(u64, w.p->verdict.unknown_process, 0));
	cr_assert(w.p->processes[3].maps_known);
	cr_assert(eq(u32, w.p->processes[3].ppid, 7));
}

Test(session_env, a_child_that_maps_something_keeps_what_it_had)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	leat_put_stack(&w, &(struct leat_put_stack){ .hash = 8,
						     .ucnt = 1,
						     .uresult = LEAT_STACK_COMPLETE,
						     .frames = { 0x3010 } });
	put_process(&w, 100, 5, 50, "sh");
	put_map(&w, 100, 5, "/bin/sh", true);
	leat_put_fork(&w, 200, 5, 6, 6);
	put_count(&w, 6, 210, 210);
	leat_put_map(
		&w,
		&(struct leat_put_map){
			.ts = 250, .tgid = 6, .start = 0x3000, .end = 0x4000, .path = "/lib/b" });
	put_count(&w, 6, 300, 300);
	leat_put_count(&w, &(struct leat_put_count){
				   .tgid = 6, .hash = 8, .first = 310, .last = 310, .count = 1 });
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"sh;/bin/sh:10 2\nsh;/lib/b:10 1\n"));
}

Test(session_env, a_thread_is_no_child)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_process(&w, 100, 5, 50, "sh");
	leat_put_fork(&w, 200, 5, 5, 9);
	leat_world_finish(&w);
	cr_assert(eq(sz, w.p->process_cnt, 1));
}

Test(session_env, a_fork_that_is_told_late_completes_the_child)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	leat_put_count(&w, &(struct leat_put_count){ .tgid = 6,
						     .hash = 7,
						     .start = 200 * MS,
						     .first = 210 * MS,
						     .last = 210 * MS,
						     .count = 1 });
	leat_world_run(&w);
	put_process(&w, 100 * MS, 5, 50 * MS, "sh");
	put_map(&w, 100 * MS, 5, "/bin/sh", true);
	leat_put_fork(&w, 201 * MS, 5, 6, 6);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"sh;/bin/sh:10 1\n"));
	cr_assert(eq(sz, w.p->process_cnt, 2));
}

Test(session_env, a_tgid_that_is_used_again_is_another_process)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 1000 * MS, 5, 500 * MS, "old");
	put_map(&w, 1000 * MS, 5, "/bin/old", true);
	leat_put_exit(&w, 2000 * MS, 5, 5);
	/* Its fork was lost: the start time of the sample tells. */
	leat_put_count(&w, &(struct leat_put_count){ .tgid = 5,
						     .hash = 7,
						     .start = 3000 * MS,
						     .first = 3100 * MS,
						     .last = 3100 * MS,
						     .count = 1 });
	/* Of the old one, drained late, its start a tick off. */
	leat_put_count(&w, &(struct leat_put_count){ .tgid = 5,
						     .hash = 7,
						     .start = 510 * MS,
						     .first = 1900 * MS,
						     .last = 3200 * MS,
						     .count = 1 });
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"[pid 5];?:1010 1\nold;/bin/old:10 1\n"));
	cr_assert(eq(u64, w.p->processes[0].to_ns, 2000 * MS));
	cr_assert(eq(u64, w.p->verdict.unknown_process, 1));
}

Test(session_env, samples_after_the_end_belong_to_it)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 100, 5, 50, "a");
	put_map(&w, 100, 5, "/bin/a", true);
	leat_put_exit(&w, 200, 5, 5);
	put_count(&w, 5, 210, 220);
	leat_put_exit(&w, 230, 5, 6);
	leat_put_exit(&w, 240, 77, 77); /* nobody knows it */
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;/bin/a:10 1\n"));
	cr_assert(eq(u64, w.p->processes[0].to_ns, 230));
}

Test(session_env, a_rename_is_seen_everywhere)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 100, 5, 50, "a");
	put_map(&w, 100, 5, "/bin/a", true);
	put_count(&w, 5, 150, 150);
	leat_put_comm(&w, &(struct leat_put_comm){ .ts = 160, .tgid = 5, .comm = "master" });
	leat_put_comm(&w, &(struct leat_put_comm){ .ts = 170, .tgid = 5, .tid = 9, .comm = "t" });
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"master;/bin/a:10 1\n"));
	cr_assert(eq(sz, w.p->thread_cnt, 0), "threads are not kept unless asked for");
}

/* ---- libraries that take each other's place ---- */

Test(session_env, no_sample_of_one_library_under_the_name_of_another)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 10, 5, 5, "a");
	put_map(&w, 100, 5, "/lib/a", false);
	put_map(&w, 200, 5, "/lib/b", false);
	put_count(&w, 5, 110, 190); /* a */
	put_count(&w, 5, 150, 250); /* cannot be told */
	put_count(&w, 5, 200, 250); /* b */
	put_count(&w, 5, 120, 130); /* a, drained late */
	put_count(&w, 5, 50, 60);   /* before both */
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w),
		     (char *)"a;/lib/a:10 2\na;/lib/b:10 1\n"
			     "a;?:1010 1\na;remapped:1010 1\n"));
}

Test(session_env, a_count_is_placed_anew_after_each_change)
{
	LEAT_AUTO(fini) struct leat_world w;
	static const char *const libs[] = { "/lib/a", "/lib/b" };

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 10, 5, 5, "a");
	for (uint64_t i = 0; i < 1000; i++) {
		put_map(&w, 1000 + i * 10, 5, libs[i % 2], false);
		put_count(&w, 5, 1001 + i * 10, 1005 + i * 10);
		put_count(&w, 5, 1006 + i * 10, 1009 + i * 10);
	}
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;/lib/a:10 1000\na;/lib/b:10 1000\n"));
}

Test(session_env, what_was_read_from_proc_was_there_before)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 500, 5, 5, "a");
	put_map(&w, 500, 5, "/lib/a", true);
	leat_world_run(&w);
	put_count(&w, 5, 100, 200);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;/lib/a:10 1\n"));
}

Test(session_env, a_mapping_from_proc_does_not_hide_what_is_known_to_have_been_before)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 500, 5, 5, "a");
	put_map(&w, 500, 5, "/lib/b", true);
	leat_world_run(&w);
	put_map(&w, 100, 5, "/lib/a", false);
	put_map(&w, 400, 5, "/lib/b", false);
	put_count(&w, 5, 150, 200);
	put_count(&w, 5, 410, 420);
	put_count(&w, 5, 510, 520);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;/lib/a:10 1\na;/lib/b:10 2\n"));
}

Test(session_env, jit_code_belongs_to_its_process)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	for (uint32_t tgid = 5; tgid < 7; tgid++) {
		put_process(&w, 100, tgid, 50, "node");
		leat_put_map(&w, &(struct leat_put_map){ .ts = 100,
							 .tgid = tgid,
							 .start = 0x1000,
							 .end = 0x2000,
							 .pgoff = tgid,
							 .kind = LEAT_MMAP_ANON,
							 .path = "//anon" });
		put_count(&w, tgid, 200, 200);
	}
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"node;jit:1010 2\n"));
	cr_assert(eq(sz, w.p->object_cnt, 2));
}

static struct {
	size_t cnt;
	uint32_t object, process;
	uint64_t start, end;
} objects_seen;

static void on_object(void *ctx, const struct leat_profile *p, uint32_t object, uint32_t process,
		      uint64_t start, uint64_t end)
{
	(void)ctx;
	(void)p;
	objects_seen.cnt++;
	objects_seen.object = object;
	objects_seen.process = process;
	objects_seen.start = start;
	objects_seen.end = end;
}

Test(session_env, each_new_object_is_told_once)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	leat_session_set_hooks(w.session, &(struct leat_session_hooks){ .on_object = on_object });
	put_process(&w, 100, 5, 50, "a");
	put_process(&w, 100, 6, 50, "b");
	for (uint32_t tgid = 5; tgid < 7; tgid++)
		leat_put_map(&w, &(struct leat_put_map){ .ts = 100,
							 .tgid = tgid,
							 .start = 0x1000 * tgid,
							 .end = 0x1000 * tgid + 0x800,
							 .ino = 9,
							 .path = "/lib/c" });
	leat_world_finish(&w);
	cr_assert(eq(sz, objects_seen.cnt, 1));
	cr_assert(eq(u32, objects_seen.object, 0));
	cr_assert(eq(u32, objects_seen.process, 0));
	cr_assert(eq(u64, objects_seen.start, 0x5000));
	cr_assert(eq(u64, objects_seen.end, 0x5800));
}

Test(session_env, vdso_and_vsyscall)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 100, 5, 50, "a");
	leat_put_map(&w, &(struct leat_put_map){ .ts = 100,
						 .tgid = 5,
						 .start = 0x1000,
						 .end = 0x2000,
						 .kind = LEAT_MMAP_VDSO,
						 .path = "[vdso]" });
	leat_put_map(&w, &(struct leat_put_map){ .ts = 100,
						 .tgid = 5,
						 .start = 0x3000,
						 .end = 0x4000,
						 .kind = LEAT_MMAP_VSYSCALL,
						 .path = "[vsyscall]" });
	put_count(&w, 5, 200, 200);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;[vdso]:10 1\n"));
	cr_assert(eq(sz, w.p->object_cnt, 1));
	cr_assert(eq(int, w.p->objects[0].kind, LEAT_OBJECT_VDSO));
}

Test(session_env, unreadable_mappings_are_not_known)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_stack(&w);
	leat_put_process(&w, &(struct leat_put_process){ .ts = 100,
							 .start = 50,
							 .tgid = 5,
							 .comm = "a",
							 .flags = LEAT_PROCESS_MAPS_UNREADABLE });
	put_count(&w, 5, 200, 200);
	leat_world_finish(&w);
	cr_assert(not(w.p->processes[0].maps_known));
	cr_assert(eq(u64, w.p->verdict.processes_unreadable, 1));
}

Test(session_env, many_short_processes)
{
	LEAT_AUTO(fini) struct leat_world w;
	size_t named = 0;

	leat_world_init(&w, NULL);
	put_stack(&w);
	put_process(&w, 1, 5, 1, "sh");
	put_map(&w, 1, 5, "/bin/sh", true);
	for (uint32_t i = 0; i < 2000; i++) {
		uint64_t t = 100 * MS + i * MS;
		uint32_t tgid = 100 + i % 300; /* used again after 300 ms */

		leat_put_fork(&w, t, 5, tgid, tgid);
		put_count(&w, tgid, t + 10, t + 20);
		put_exec(&w, t + 100, tgid, "short");
		put_map(&w, t + 110, tgid, "/bin/short", false);
		put_count(&w, tgid, t + 200, t + 300);
		leat_put_exit(&w, t + 400, tgid, tgid);
	}
	leat_world_finish(&w);
	for (size_t i = 0; i < w.p->process_cnt; i++)
		named += w.p->processes[i].samples;
	cr_assert(eq(sz, named, 4000));
	cr_assert(eq(str, leat_world_folded(&w),
		     (char *)"sh;/bin/sh:10 2000\nshort;/bin/short:10 2000\n"));
}

/* Every record, cut at every length: nothing is read outside of it, and nothing breaks. */
Test(session_env, truncated_records_are_counted)
{
	LEAT_AUTO(fini) struct leat_world w;
	struct leat_rec_sample s = { .h = { .tgid = 5, .ts_ns = 10 }, .count = 1 };
	uint8_t bytes[512] = { 0 };
	uint64_t before;

	leat_world_init(&w, NULL);
	put_process(&w, 1, 5, 1, "a");
	leat_world_run(&w);
	for (uint16_t kind = 0; kind < LEAT_REC__MAX; kind++) {
		for (uint32_t n = 0; n < sizeof(bytes); n++) {
			struct leat_record r = { .kind = kind, .tgid = 5, .tid = 5, .ts_ns = 10 };
			uint8_t *exact = malloc(n + 1); /* + 1: ASan finds a read behind it */

			s.kframe_cnt = 1;
			s.uframe_cnt = 2;
			s.h.kind = kind;
			s.h.size = n;
			memcpy(bytes, &s, sizeof(s));
			memcpy(exact + 1, bytes, n);
			r.data = exact + 1; /* and it need not be aligned */
			r.size = n;
			leat_bus_dispatch(w.bus, &r);
			free(exact);
		}
	}
	before = leat_session_profile(w.session)->verdict.malformed;
	cr_assert(gt(u64, before, 0));
	leat_world_finish(&w);
	cr_assert(eq(u64, leat_profile_total(w.p), w.p->verdict.taken));
	cr_assert(eq(u64, w.p->verdict.callback_errors, 0));
}

Test(session_env, a_sample_whose_frames_are_cut_is_kept)
{
	LEAT_AUTO(fini) struct leat_world w;
	struct leat_rec_sample s = {
		.h = { .kind = LEAT_REC_SAMPLE, .size = sizeof(s), .tgid = 5, .ts_ns = 10 },
		.count = 3,
		.uframe_cnt = 2,
		.uresult = LEAT_STACK_COMPLETE,
	};

	leat_world_init(&w, NULL);
	put_process(&w, 1, 5, 1, "a");
	cr_assert(eq(int, leat_mock_push(w.mock, &s, sizeof(s)), 0));
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;[frames lost] 3\n"));
	cr_assert(eq(u64, w.p->verdict.malformed, 1));
	cr_assert(eq(u8, w.p->stacks[0].uresult, LEAT_STACK_BROKEN));
}

static char told[1024];
static int told_cnt;

static void keep_line(void *ctx, enum leat_log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	snprintf(told, sizeof(told), "%s", line);
	told_cnt++;
}

Test(session_env, the_first_malformed_record_is_told)
{
	LEAT_AUTO(fini) struct leat_world w;
	struct leat_rec_task s = { .h = { .kind = LEAT_REC_FORK, .tgid = 5, .ts_ns = 10 } };

	leat_log_set_sink(keep_line, NULL, LEAT_LOG_DEBUG);
	leat_world_init(&w, NULL);
	s.h.size = sizeof(s.h); /* the parent is missing */
	for (int i = 0; i < 3; i++)
		cr_assert(eq(int, leat_mock_push(w.mock, &s, sizeof(s)), 0));
	leat_world_finish(&w);
	leat_log_set_sink(NULL, NULL, LEAT_LOG_DEBUG);
	cr_assert(eq(u64, w.p->verdict.malformed, 3));
	cr_expect(eq(int, told_cnt, 1));
	cr_expect(ne(ptr, strstr(told, "24 bytes: env/fork h.kind=12 "), NULL), "%s", told);
	cr_expect(ne(ptr, strstr(told, " h.tgid=5 h.tid=0 ptgid=? ptid=?"), NULL), "%s", told);
}
