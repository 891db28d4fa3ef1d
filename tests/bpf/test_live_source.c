/* SPDX-License-Identifier: BSD-2-Clause */
/* A live session as a library user builds it: each setting of the builder arrives. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <leat/live.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/collect.h"
#include "live/procfs.h"
#include "profile/profile.h"

#define STR(s)	   ((char *)(s))
#define GIVE_UP_NS 20000000000u

static struct leat_session_builder *b;
static struct leat_session *s;
static struct leat_live *live;

static void begin(void)
{
	b = leat_session_builder_new();
	cr_assert(zero(int, leat_live_new(&live)));
	leat_session_with_live(b, live);
}

static void end(void)
{
	leat_session_free(&s);
	leat_session_builder_free(&b);
	leat_live_free(&live);
}

TestSuite(live_source, .init = begin, .fini = end, .timeout = 60);

/* Renames itself all the time, which is a tracepoint of every kernel. */
static void rename_forever(void)
{
	for (unsigned int i = 0;; i++) {
		for (volatile int k = 0; k < 100000; k++)
			;
		prctl(PR_SET_NAME, i & 1 ? "even" : "odd");
	}
}

static struct leat_target_spec process(pid_t pid)
{
	return (struct leat_target_spec){ .kind = LEAT_TARGET_PROCESS, .id = (uint32_t)pid };
}

static void start(void)
{
	cr_assert(zero(int, leat_session_build(b, &s)), "%s", leat_session_builder_error(b));
	cr_assert(zero(int, leat_session_start(s)), "%s", leat_live_error(live));
}

/* Until there are @samples, and *@records is @cnt (or NULL), or time is up. */
static void run(uint64_t samples, const int *records, int cnt)
{
	const uint64_t until = leat_clock_ns() + GIVE_UP_NS;

	while ((leat_session_samples(s) < samples || (records && *records < cnt)) &&
	       leat_clock_ns() < until) {
		struct pollfd p = { .fd = leat_live_fd(live), .events = POLLIN };

		poll(&p, 1, 100);
		cr_assert(ge(int, leat_session_poll(s, leat_clock_ns()), 0), "%s",
			  leat_live_error(live));
	}
	cr_assert(ge(u64, leat_session_samples(s), samples));
}

static struct leat_profile *finish(void)
{
	struct leat_profile *p;

	cr_assert(zero(int, leat_session_finish(s)));
	p = leat_session_take_profile(s);
	cr_assert(ne(ptr, p, NULL));
	cr_assert(zero(int, leat_live_finish(live, p)), "%s", leat_live_error(live));
	return p;
}

static int count(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ev;
	(void)r;
	++*(int *)ctx;
	return 0;
}

Test(live_source, threads_times_stacks_frequency)
{
	const struct leat_target_spec who = process(leat_child(leat_spin_forever));
	struct leat_profile *p;
	double hz;

	leat_session_with_target(b, &who);
	leat_session_with_times(leat_session_with_per_thread(b, true), true);
	leat_session_with_frequency(leat_session_with_kernel(b, false), 500);
	start();
	run(200, NULL, 0);
	p = finish();
	for (size_t i = 0; i < p->sample_cnt; i++) {
		const struct leat_sample *row = &p->samples[i];

		cr_assert(ne(u64, row->ts_ns, 0), "times");
		cr_assert(ne(u32, row->thread, LEAT_ID_NONE), "threads");
		cr_assert(eq(u32, p->processes[row->process].tgid, who.id));
	}
	for (size_t i = 0; i < p->frame_cnt; i++)
		cr_expect(zero(uint, p->frames[i].flags & LEAT_FRAME_KERNEL), "no kernel frames");
	/* Of the target's own time: it holds on a busy machine too. */
	hz = (double)p->verdict.taken * 1e9 / (double)p->verdict.target_cpu_ns;
	cr_expect(gt(dbl, hz, 350), "%.0f Hz", hz);
	cr_expect(lt(dbl, hz, 650), "%.0f Hz", hz);
	cr_expect(eq(u64, p->verdict.freq_hz, 500));
	cr_expect(eq(u64, p->verdict.taken, leat_profile_total(p)));
	leat_profile_free(&p);
}

static uint64_t memory_with(uint64_t buffer_bytes)
{
	const struct leat_target_spec who = process(getpid());
	struct leat_profile *p;
	uint64_t bytes;

	leat_session_with_buffers(leat_session_with_target(b, &who), buffer_bytes);
	start();
	p = finish();
	bytes = p->verdict.map_bytes;
	leat_profile_free(&p);
	return bytes;
}

Test(live_source, buffers)
{
	uint64_t small = memory_with(128 << 10), large;

	end();
	begin();
	large = memory_with(8 << 20);
	cr_expect(ge(u64, large, small + (4 << 20)), "%llu and %llu bytes",
		  (unsigned long long)small, (unsigned long long)large);
}

Test(live_source, a_tracepoint_with_a_filter_beside_samples)
{
	const struct leat_target_spec who = process(leat_child(rename_forever));
	struct leat_source_stats sources;
	struct leat_event_stats stats;
	struct leat_profile *p;
	int records = 0;

	leat_session_with_target(b, &who);
	leat_session_with_event(b, "task/task_rename", "newcomm == \"even\"");
	leat_session_with_callback(b, "task/task_rename", count, &records);
	start();
	run(10, &records, 10);
	p = finish();
	leat_event_stats(leat_bus_find(leat_session_bus(s), "task/task_rename"), &stats);
	cr_expect(eq(u64, stats.delivered, (uint64_t)records));
	cr_expect(ge(u64, stats.filtered + 1, stats.delivered), "every other one is odd");
	cr_expect(zero(u64, stats.missing));
	leat_session_source_stats(s, &sources);
	cr_expect(ge(u64, sources.records, stats.seen));
	leat_profile_free(&p);
}

Test(live_source, tracepoints_of_all_processes)
{
	const struct leat_target_spec all = { .kind = LEAT_TARGET_ALL };
	int records = 0;

	leat_child(rename_forever);
	leat_child(rename_forever);
	leat_session_with_target(b, &all);
	leat_session_with_event(b, "task/task_rename", "newcomm in {\"odd\", \"even\"}");
	leat_session_with_callback(b, "task/task_rename", count, &records);
	start();
	run(1, &records, 20);
	cr_expect(ge(int, records, 20));
	cr_expect(zero(int, leat_session_finish(s)));
}

Test(live_source, the_end_of_the_target_is_seen)
{
	pid_t child = leat_child(leat_spin_forever);
	const struct leat_target_spec who = process(child);
	const uint64_t until = leat_clock_ns() + GIVE_UP_NS;

	leat_session_with_target(b, &who);
	start();
	run(5, NULL, 0);
	cr_expect(not(leat_live_is_over(live)));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (!leat_live_is_over(live) && leat_clock_ns() < until)
		cr_assert(ge(int, leat_session_poll(s, leat_clock_ns()), 0));
	cr_expect(leat_live_is_over(live));
}

/* ---- what cannot be is said ---- */

static void expect_refused(int err, const char *text)
{
	cr_expect(eq(int, leat_session_build(b, &s), err));
	cr_expect(ne(ptr, strstr(leat_session_builder_error(b), text), NULL), "'%s' is not in: %s",
		  text, leat_session_builder_error(b));
	cr_expect(eq(ptr, s, NULL));
}

Test(live_source, no_target)
{
	expect_refused(-EINVAL, "needs a target");
}

Test(live_source, nothing_to_look_with)
{
	leat_session_with_live(b, NULL);
	expect_refused(-EINVAL, "no operations");
}

Test(live_source, targets_of_two_kinds)
{
	const struct leat_target_spec who = process(getpid()), all = { .kind = LEAT_TARGET_ALL };

	leat_session_with_target(leat_session_with_target(b, &who), &all);
	expect_refused(-ENOTSUP, "one kind");
}

Test(live_source, no_such_process)
{
	const struct leat_target_spec who = process(4194303);

	leat_session_with_target(b, &who);
	expect_refused(-ESRCH, "process 4194303 not found");
}

Test(live_source, no_such_event)
{
	const struct leat_target_spec who = process(getpid());

	leat_session_with_event(leat_session_with_target(b, &who), "no/event", NULL);
	expect_refused(-ENOENT, "no source has the event no/event");
}

Test(live_source, tracepoints_of_two_processes)
{
	const struct leat_target_spec who = process(getpid()), too = process(getppid());

	leat_session_with_target(leat_session_with_target(b, &who), &too);
	leat_session_with_event(b, "task/task_rename", NULL);
	expect_refused(-ENOTSUP, "of one process, or of the whole system");
}

Test(live_source, once)
{
	const struct leat_target_spec who = process(getpid());
	struct leat_profile *p;

	leat_session_with_target(b, &who);
	cr_expect(eq(int, leat_live_fd(live), -1), "before it starts");
	start();
	cr_expect(eq(int, leat_live_finish(live, NULL), -EINVAL), "it runs");
	p = finish();
	leat_session_free(&s);
	cr_expect(eq(int, leat_live_finish(live, p), -EINVAL), "its session is gone");
	leat_profile_free(&p);
	leat_session_builder_free(&b);
	b = leat_session_builder_new();
	leat_session_with_target(leat_session_with_live(b, live), &who);
	expect_refused(-EBUSY, "used for a session before");
}
