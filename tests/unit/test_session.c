/* SPDX-License-Identifier: BSD-2-Clause */
#include "session/session.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>

#include "../support/alloc.h"
#include "../support/world.h"
#include "event/wire.h"
#include "profile/tree.h"
#include "session/judge.h"

#define KADDR 0xffffffff81000010ull

/* A process with one file, [0x1000, 0x2000) of /bin/a at offset 0x4000, seen at 100. */
static void put_a(struct leat_world *w, uint32_t tgid, uint64_t start)
{
	leat_put_process(w, &(struct leat_put_process){
				    .ts = 100, .start = start, .tgid = tgid, .comm = "a" });
	leat_put_map(w, &(struct leat_put_map){ .ts = 100,
						.tgid = tgid,
						.start = 0x1000,
						.end = 0x2000,
						.pgoff = 0x4000,
						.ino = 11,
						.from_proc = true,
						.path = "/bin/a" });
}

/* user: 0x1010 <- 0x1020 */
static void put_ustack(struct leat_world *w, uint64_t ts, uint64_t hash)
{
	leat_put_stack(w, &(struct leat_put_stack){ .ts = ts,
						    .hash = hash,
						    .ucnt = 2,
						    .uresult = LEAT_STACK_COMPLETE,
						    .user_mode = 1,
						    .frames = { 0x1010, 0x1020 } });
}

static void put_count(struct leat_world *w, uint32_t tgid, uint64_t hash, uint64_t ns,
		      uint64_t count)
{
	leat_put_count(
		w, &(struct leat_put_count){
			   .tgid = tgid, .hash = hash, .first = ns, .last = ns, .count = count });
}

static void fini(struct leat_world *w)
{
	leat_world_fini(w);
}

Test(session, counts_are_placed_and_folded)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_a(&w, 5, 50);
	leat_put_stack(&w,
		       &(struct leat_put_stack){ .ts = 150,
						 .hash = 7,
						 .kcnt = 2,
						 .ucnt = 2,
						 .uresult = LEAT_STACK_TRUNCATED,
						 .kresult = LEAT_STACK_COMPLETE,
						 .frames = { KADDR, KADDR + 8, 0x1010, 0x1020 } });
	put_ustack(&w, 150, 8);
	put_count(&w, 5, 7, 200, 3);
	put_count(&w, 5, 8, 210, 4);
	put_count(&w, 5, 7, 220, 5);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w),
		     (char *)"a;/bin/a:4020r;/bin/a:4010 4\n"
			     "a;[truncated];/bin/a:4020r;/bin/a:4010;k:ffffffff81000018r_[k];"
			     "k:ffffffff81000010_[k] 8\n"));
	cr_assert(eq(u64, w.p->verdict.taken, 12));
	cr_assert(eq(u64, w.p->processes[0].samples, 12));
	cr_assert(eq(sz, w.p->sample_cnt, 2));
}

Test(session, an_exact_first_byte_behind_a_call_belongs_to_the_object_before)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_a(&w, 5, 50);
	leat_put_stack(&w, &(struct leat_put_stack){ .ts = 150,
						     .hash = 7,
						     .ucnt = 2,
						     .uresult = LEAT_STACK_COMPLETE,
						     .frames = { 0x2000, 0x2000 } });
	put_count(&w, 5, 7, 200, 1);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;/bin/a:5000r;?:2000 1\n"));
}

Test(session, a_stack_that_comes_after_its_count_is_used)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_a(&w, 5, 50);
	put_count(&w, 5, 7, 200, 2);
	put_count(&w, 5, 7, 210, 3);
	leat_world_run(&w);
	cr_assert(eq(u64, leat_session_samples(w.session), 5));
	cr_assert(eq(sz, leat_session_profile(w.session)->sample_cnt, 0));
	put_ustack(&w, 300, 7);
	leat_world_run(&w);
	cr_assert(eq(sz, leat_session_profile(w.session)->sample_cnt, 1));
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;/bin/a:4020r;/bin/a:4010 5\n"));
}

static uint64_t asked[4];
static size_t asked_cnt;

static void on_missing(void *ctx, uint64_t hash)
{
	(void)ctx;
	asked[asked_cnt++ % 4] = hash;
}

Test(session, a_stack_that_never_comes_is_asked_for_once_and_its_samples_kept)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	leat_session_set_hooks(w.session,
			       &(struct leat_session_hooks){ .on_stack_missing = on_missing });
	put_a(&w, 5, 50);
	put_count(&w, 5, 7, 200, 2);
	put_count(&w, 5, 7, 210, 3);
	leat_world_finish(&w);
	cr_assert(eq(sz, asked_cnt, 1));
	cr_assert(eq(u64, asked[0], 7));
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;[frames lost] 5\n"));
	cr_assert(eq(u8, w.p->stacks[0].pending, 1));
	cr_assert(eq(u8, w.p->stacks[0].uresult, LEAT_STACK_UNSENT));
	cr_assert(eq(u64, w.p->verdict.taken, 5));
}

Test(session, more_waiting_counts_than_the_maximum_are_kept_without_frames)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_a(&w, 5, 50);
	for (uint64_t i = 0; i < 70000; i++)
		put_count(&w, 5, 1000 + i, 200, 1);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;[frames lost] 70000\n"));
}

Test(session, an_unknown_process_is_shown_by_its_pid_and_counted)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_ustack(&w, 100, 7);
	put_count(&w, 6, 7, 200, 2);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"[pid 6];?:1020r;?:1010 2\n"));
	cr_assert(eq(u64, w.p->verdict.unknown_process, 2));
	cr_assert(not(w.p->processes[0].maps_known));
}

Test(session, a_process_that_is_announced_after_its_samples_names_them)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_ustack(&w, 10, 7);
	put_count(&w, 5, 7, 60, 2);
	leat_world_run(&w);
	put_a(&w, 5, 50);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;/bin/a:4020r;/bin/a:4010 2\n"));
	cr_assert(eq(u64, w.p->verdict.unknown_process, 0));
	cr_assert(eq(sz, w.p->process_cnt, 1));
}

Test(session, the_idle_task_is_swapper)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	leat_put_stack(&w, &(struct leat_put_stack){ .ts = 10,
						     .hash = 7,
						     .kcnt = 1,
						     .uresult = LEAT_STACK_NO_UNWIND,
						     .kresult = LEAT_STACK_COMPLETE,
						     .frames = { KADDR } });
	put_count(&w, 0, 7, 60, 2);
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"swapper;k:ffffffff81000010_[k] 2\n"));
	cr_assert(eq(u64, w.p->verdict.unknown_process, 0));
	cr_assert(eq(int, leat_judge_count(w.p), 0));
	cr_assert(eq(u64, w.p->verdict.stacks[LEAT_STACK_NONE], 2));
}

Test(session, options_drop_parts_of_stacks)
{
	static const struct {
		struct leat_session_opts opts;
		const char *want;
	} cases[] = {
		{ { .user_only = true }, "a;/bin/a:4010 1\n" },
		{ { .kernel_only = true }, "a;k:ffffffff81000010_[k] 1\n" },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(cases); i++) {
		LEAT_AUTO(fini) struct leat_world w;

		leat_world_init(&w, &cases[i].opts);
		put_a(&w, 5, 50);
		leat_put_stack(&w, &(struct leat_put_stack){ .ts = 150,
							     .hash = 7,
							     .kcnt = 1,
							     .ucnt = 1,
							     .uresult = LEAT_STACK_COMPLETE,
							     .kresult = LEAT_STACK_COMPLETE,
							     .frames = { KADDR, 0x1010 } });
		put_count(&w, 5, 7, 200, 1);
		leat_world_finish(&w);
		cr_assert(eq(str, leat_world_folded(&w), (char *)cases[i].want));
	}
}

Test(session, threads_are_told_apart_when_asked)
{
	LEAT_AUTO(fini) struct leat_world w;
	struct leat_buf out;
	struct leat_tree tree;

	leat_world_init(&w, &(struct leat_session_opts){ .per_thread = true });
	put_a(&w, 5, 50);
	put_ustack(&w, 150, 7);
	leat_put_comm(&w, &(struct leat_put_comm){ .ts = 160,
						   .kind = LEAT_REC_THREAD,
						   .tgid = 5,
						   .tid = 6,
						   .comm = "worker" });
	leat_put_comm(&w, &(struct leat_put_comm){ .ts = 170, .tgid = 5, .comm = "renamed" });
	for (uint32_t tid = 5; tid < 8; tid++)
		leat_put_count(&w, &(struct leat_put_count){ .tgid = 5,
							     .tid = tid,
							     .hash = 7,
							     .first = 200,
							     .last = 200,
							     .count = tid });
	leat_world_finish(&w);
	leat_fake_names(w.p);
	cr_assert(eq(int,
		     leat_tree_build(&tree, w.p, &(struct leat_tree_opts){ .by_thread = true }),
		     0));
	leat_buf_init(&out, 4096);
	for (size_t i = 0; i < tree.n; i++)
		if (tree.nodes[i].depth == 1)
			leat_buf_printf(
				&out, "%s %llu\n",
				leat_profile_str(w.p, w.p->functions[tree.nodes[i].function].name),
				(unsigned long long)tree.nodes[i].total);
	cr_assert(eq(str, out.data,
		     (char *)"renamed (tid 5) 5\nrenamed (tid 7) 7\nworker (tid 6) 6\n"));
	leat_buf_fini(&out);
	leat_tree_fini(&tree);
}

Test(session, streamed_samples_keep_their_times)
{
	LEAT_AUTO(fini) struct leat_world w;
	struct leat_put_stack s = { .tgid = 5,
				    .cpu = 1,
				    .hash = 7,
				    .ucnt = 1,
				    .uresult = LEAT_STACK_COMPLETE,
				    .frames = { 0x1010 } };

	leat_world_init(&w, &(struct leat_session_opts){ .stream = true });
	put_a(&w, 5, 50);
	for (s.ts = 200; s.ts < 205; s.ts++)
		leat_put_sample(&w, &s);
	leat_world_finish(&w);
	cr_assert(eq(sz, w.p->sample_cnt, 5));
	for (size_t i = 0; i < 5; i++) {
		cr_assert(eq(u64, w.p->samples[i].ts_ns, 200 + i));
		cr_assert(eq(u16, w.p->samples[i].cpu, 1));
		cr_assert(eq(u64, w.p->samples[i].value, 1));
	}
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;/bin/a:4010 5\n"));
}

Test(session, samples_and_counts_of_one_stack_are_one)
{
	LEAT_AUTO(fini) struct leat_world w;

	leat_world_init(&w, NULL);
	put_a(&w, 5, 50);
	put_count(&w, 5, 7, 200, 2);
	leat_put_sample(&w, &(struct leat_put_stack){ .ts = 210,
						      .tgid = 5,
						      .hash = 7,
						      .ucnt = 1,
						      .uresult = LEAT_STACK_COMPLETE,
						      .frames = { 0x1010 } });
	/* Without a hash of the kernel's, by what it holds. */
	for (int i = 0; i < 2; i++)
		leat_put_sample(&w, &(struct leat_put_stack){ .ts = 220,
							      .tgid = 5,
							      .ucnt = 1,
							      .uresult = LEAT_STACK_COMPLETE,
							      .frames = { 0x1018 } });
	leat_world_finish(&w);
	cr_assert(eq(str, leat_world_folded(&w), (char *)"a;/bin/a:4010 3\na;/bin/a:4018 2\n"));
	cr_assert(eq(sz, w.p->sample_cnt, 2));
}

Test(session, counters_of_cpus_are_summed_from_their_last_records)
{
	LEAT_AUTO(fini) struct leat_world w;
	struct leat_rec_stat st = { .h = { .ts_ns = 300, .cpu = 0 }, .wanted = 50 };

	leat_world_init(&w, NULL);
	put_a(&w, 5, 50);
	put_ustack(&w, 150, 7);
	put_count(&w, 5, 7, 200, 90);
	st.stat[LEAT_STAT_SEEN] = 40;
	leat_put_stat(&w, &st);
	st.h.ts_ns = 400;
	st.wanted = 100;
	st.stat[LEAT_STAT_SEEN] = 80;
	st.stat[LEAT_STAT_COUNTED] = 70;
	st.stat[LEAT_STAT_L_RING_FULL] = 10;
	leat_put_stat(&w, &st);
	st.h.cpu = 3;
	st.stat[LEAT_STAT_COUNTED] = 30;
	leat_put_stat(&w, &st);
	leat_put_lost(&w, 350, 4);
	leat_world_finish(&w);
	cr_assert(eq(u64, w.p->verdict.wanted, 200));
	cr_assert(eq(u64, w.p->verdict.kernel[LEAT_STAT_SEEN], 160));
	cr_assert(eq(u64, w.p->verdict.kernel[LEAT_STAT_L_RING_FULL], 20));
	cr_assert(eq(u64, w.p->verdict.kernel_skipped, 40));
	cr_assert(eq(u64, w.p->verdict.lost_user, 10), "100 delivered, 90 here");
	cr_assert(eq(u64, w.p->verdict.env_lost, 4));
}

Test(session, of_what_the_kernel_skipped_the_targets_share_counts)
{
	static const struct {
		uint64_t wanted, seen, filtered, want;
	} rows[] = {
		{ 1000, 900, 0, 100 }, { 1200, 900, 600, 100 }, { 900, 900, 0, 0 },
		{ 0, 900, 0, 0 },      { 100, 0, 0, 100 },	{ 1000, 900, 2000, 0 },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		LEAT_AUTO(fini) struct leat_world w;
		struct leat_rec_stat st = { .wanted = rows[i].wanted };

		leat_world_init(&w, NULL);
		st.stat[LEAT_STAT_SEEN] = rows[i].seen;
		st.stat[LEAT_STAT_F_TARGET] = rows[i].filtered;
		leat_put_stat(&w, &st);
		leat_world_finish(&w);
		cr_assert(eq(u64, w.p->verdict.kernel_skipped, rows[i].want), "row %zu", i);
	}
}

Test(session, works_with_the_events_that_there_are)
{
	struct leat_session *s = NULL;
	struct leat_bus *bus = NULL;
	struct leat_record r = { .kind = LEAT_REC_COUNT };

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_session_new(&s), 0));
	cr_assert(eq(int, leat_wire_register(bus, LEAT_REC_STACK, NULL), 0));
	cr_assert(eq(int, leat_session_attach(s, bus), 0));
	cr_assert(eq(int, leat_session_attach(s, bus), -EBUSY));
	leat_bus_dispatch(bus, &r);
	cr_assert(eq(u64, leat_bus_unknown_cnt(bus), 1));
	cr_assert(eq(int, leat_session_finish(s), 0));
	cr_assert(eq(int, leat_session_finish(s), 0), "again");
	cr_assert(eq(int, leat_session_attach(s, bus), -EBUSY));
	leat_bus_free(&bus);
	leat_session_free(&s);
	leat_session_free(&s);
}

Test(session, an_event_without_a_needed_field_is_refused)
{
	struct leat_session *s = NULL;
	struct leat_bus *bus = NULL;
	struct leat_format *f = NULL;

	cr_assert(eq(int, leat_bus_new(&bus), 0));
	cr_assert(eq(int, leat_session_new(&s), 0));
	cr_assert(eq(int, leat_format_new(&f, "odd"), 0));
	cr_assert(eq(int, leat_bus_add_event(bus, LEAT_REC_COUNT, "leat/count", f, NULL), 0));
	cr_assert(eq(int, leat_session_attach(s, bus), -ENOENT));
	leat_session_free(&s);
	leat_bus_free(&bus);
}

static void push_all(struct leat_world *w)
{
	put_a(w, 5, 50);
	leat_put_comm(w, &(struct leat_put_comm){
				 .ts = 110, .tgid = 5, .flags = LEAT_COMM_EXEC, .comm = "b" });
	leat_put_fork(w, 120, 5, 6, 6);
	put_ustack(w, 150, 7);
	put_count(w, 5, 7, 200, 1);
	put_count(w, 6, 7, 200, 1);
	put_count(w, 5, 9, 200, 1);
	leat_put_sample(w, &(struct leat_put_stack){ .ts = 210,
						     .tgid = 5,
						     .hash = 8,
						     .ucnt = 1,
						     .uresult = LEAT_STACK_COMPLETE,
						     .frames = { 0x1010 } });
	leat_put_stat(w, &(struct leat_rec_stat){ .wanted = 1 });
	leat_put_lost(w, 1, 1);
	leat_put_exit(w, 400, 5, 5);
}

Test(session, survives_each_failing_allocation)
{
	LEAT_ALLOC_EACH_FAILS {
		struct leat_session *s = NULL;
		struct leat_world w;
		uint64_t sum;
		int err;

		leat_alloc_disarm();
		leat_world_init(&w, &(struct leat_session_opts){ .per_thread = true });
		push_all(&w);
		leat_world_run(&w); /* sorts, so that the mock needs nothing below */
		leat_alloc_arm(leat_nth_);
		err = leat_session_new(&s);
		if (!err)
			err = leat_session_attach(s, w.bus);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		leat_session_free(&s);
		leat_world_fini(&w);
		leat_world_init(&w, NULL);
		push_all(&w);
		leat_alloc_arm(leat_nth_);
		(void)!leat_pump_round(&w.pump, UINT64_MAX);
		err = leat_session_finish(w.session);
		leat_alloc_disarm();
		cr_assert(err == 0 || err == -ENOMEM);
		sum = leat_profile_total(leat_session_profile(w.session));
		cr_assert(eq(u64, sum, leat_session_samples(w.session)));
		cr_assert(le(u64, sum, 4));
		if (!leat_alloc_failed())
			cr_assert(eq(u64, sum, 4), "nth %u", leat_nth_);
		leat_world_fini(&w);
	}
}
