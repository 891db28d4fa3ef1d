/* SPDX-License-Identifier: BSD-2-Clause */
/* Live sampling of children of known shape: what comes out is what happened, and adds up. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>
#include <unistd.h>

#include "../support/collect.h"

static struct leat_engine_opts opts_for(uint32_t by_process)
{
	struct leat_engine_opts o = leat_collect_opts();

	o.cfg.by_process = by_process;
	return o;
}

static void sample_child(struct leat_collect *c, const struct leat_engine_opts *o, pid_t pid,
			 unsigned int ms)
{
	leat_collect_open(c, o);
	cr_assert(zero(int, leat_engine_set_tgid(c->engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(c);
	leat_collect_run(c, ms);
	leat_collect_finish(c);
}

Test(sample, counts_add_up_on_each_cpu)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);

	sample_child(&c, &o, pid, 1200);
	cr_assert(gt(u64, c.counted, 100));
	cr_expect(eq(u64, c.counted, leat_collect_stat(&c, LEAT_STAT_COUNTED)));
	cr_expect(eq(u64, c.stacks, leat_collect_stat(&c, LEAT_STAT_N_STACK_SENT)));
	cr_expect(eq(u32, c.last_tgid, (uint32_t)pid));
	cr_expect(leat_collect_adds_up(&c));
	cr_expect(gt(u64, leat_collect_stat(&c, LEAT_STAT_N_BPF_TIMED), 0));
	cr_expect(gt(u64, c.stat_recs, o.cpu_cnt), "once a second, and at the end");
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(sample, wanted_of_a_cpu_is_its_time)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);
	const struct leat_rec_stat *r;

	sample_child(&c, &o, pid, 1000);
	r = &c.stat[o.cpus[0]];
	cr_expect(gt(u64, r->enabled_ns, 900000000));
	cr_expect(le(dbl, fabs((double)r->wanted - (double)r->enabled_ns * 999e-9), 2.0));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(sample, a_period_of_time_counts_as_a_frequency)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);

	o.freq_hz = 0;
	o.period = 1000000;
	sample_child(&c, &o, pid, 600);
	cr_expect(gt(u64, c.counted, 50));
	cr_expect(gt(u64, c.stat[o.cpus[0]].wanted, 400));
	cr_expect(leat_collect_adds_up(&c));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(sample, streaming_sends_each_sample)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);

	o.cfg.stream = 1;
	sample_child(&c, &o, pid, 600);
	cr_expect(eq(u64, c.counted, 0));
	cr_expect(gt(u64, c.samples, 50));
	cr_expect(eq(u64, c.samples, leat_collect_stat(&c, LEAT_STAT_STREAMED)));
	cr_expect(leat_collect_adds_up(&c));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

/* Shares of three functions, by the innermost frame. */
static volatile unsigned long work_sink;
#define WORK(name)                                                                                 \
	static __attribute__((noinline, aligned(4096))) void name(int units)                       \
	{                                                                                          \
		for (int i = 0; i < units * 20000; i++)                                            \
			work_sink += (unsigned long)i;                                             \
	}
WORK(work_six)
WORK(work_three)
WORK(work_one)
static __attribute__((noinline, aligned(4096))) void work_forever(void)
{
	for (;;) {
		work_six(6);
		work_three(3);
		work_one(1);
	}
}

struct shares {
	struct {
		uint64_t hash;
		int who;
	} seen[4096];
	size_t n;
	uint64_t by[4];
};

/* The child is a fork of this process: its code lies at the same addresses. */
static int who_is(uint64_t ip)
{
	const uintptr_t at[] = { (uintptr_t)work_six, (uintptr_t)work_three, (uintptr_t)work_one };

	for (int i = 0; i < 3; i++)
		if (ip >= at[i] && ip < at[i] + 256)
			return i;
	return 3;
}

static void note_stack(void *ctx, const struct leat_rec_stack *r)
{
	struct shares *s = ctx;

	if (s->n < LEAT_ARRAY_SIZE(s->seen) && r->uframe_cnt) {
		s->seen[s->n].hash = r->stack_hash;
		s->seen[s->n++].who = who_is(r->frames[r->kframe_cnt]);
	}
}

static void note_count(void *ctx, const struct leat_rec_count *r)
{
	struct shares *s = ctx;

	for (size_t i = 0; i < s->n; i++) {
		if (s->seen[i].hash == r->stack_hash) {
			s->by[s->seen[i].who] += r->count;
			return;
		}
	}
	s->by[3] += r->count;
}

Test(sample, known_shares_come_out, .timeout = 60)
{
	static struct shares s;
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(work_forever);
	double all;

	o.freq_hz = 4999;
	leat_collect_open(&c, &o);
	c.on_stack = note_stack;
	c.on_count = note_count;
	c.ctx = &s;
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	for (int i = 0; i < 20 && c.counted < 15000; i++)
		leat_collect_run(&c, 1000);
	leat_collect_finish(&c);
	all = (double)(s.by[0] + s.by[1] + s.by[2]);
	cr_assert(gt(dbl, all, 5000));
	cr_expect(le(dbl, fabs((double)s.by[0] / all - 0.6), 0.02));
	cr_expect(le(dbl, fabs((double)s.by[1] / all - 0.3), 0.02));
	cr_expect(le(dbl, fabs((double)s.by[2] / all - 0.1), 0.02));
	cr_expect(le(dbl, (double)s.by[3] / all, 0.02));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(sample, four_rings_on_two_cpus)
{
	struct leat_engine_opts o = opts_for(0);
	struct leat_collect c;
	pid_t a = leat_child(leat_spin_forever), b = leat_child(leat_spin_forever);

	o.ring_cnt = 4;
	o.cfg.stream = 1;
	leat_collect_open(&c, &o);
	leat_collect_start(&c);
	leat_collect_run(&c, 600);
	leat_collect_finish(&c);
	cr_expect(gt(u64, c.samples, 100));
	cr_expect(eq(u64, c.samples, leat_collect_stat(&c, LEAT_STAT_STREAMED)));
	cr_expect(leat_collect_adds_up(&c));
	leat_collect_fini(&c);
	leat_child_kill(a);
	leat_child_kill(b);
}

/* Four slots for a loop of more than four instructions that syscalls enter and leave. */
static void many_places(void)
{
	for (;;) {
		work_six(1);
		work_three(1);
		work_one(1);
		for (int i = 0; i < 200; i++)
			work_sink += (unsigned long)getppid();
	}
}

Test(sample, a_full_table_sends_the_sample)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(many_places);

	o.cfg.slot_bits = 2;
	o.freq_hz = 4999;
	sample_child(&c, &o, pid, 1000);
	cr_expect(gt(u64, c.samples, 0));
	cr_expect(eq(u64, c.samples, leat_collect_stat(&c, LEAT_STAT_OVERFLOWED)));
	cr_expect(eq(u64, c.counted, leat_collect_stat(&c, LEAT_STAT_COUNTED)));
	cr_expect(leat_collect_adds_up(&c));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(sample, a_full_ring_is_a_counted_loss)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);

	o.ring_bytes = 4096;
	o.cfg.stream = 1;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	usleep(600000); /* nobody reads */
	leat_collect_finish(&c);
	cr_expect(gt(u64, leat_collect_stat(&c, LEAT_STAT_L_RING_FULL), 0));
	cr_expect(eq(u64, c.samples, leat_collect_stat(&c, LEAT_STAT_STREAMED)));
	cr_expect(leat_collect_adds_up(&c));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

/* The drain has to stop in the middle of a table, and nothing is lost by it. */
Test(sample, a_drain_goes_on_after_a_full_ring)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(many_places);

	o.ring_bytes = 4096;
	o.freq_hz = 9999;
	o.cfg.kernel_stack = 1;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	usleep(800000);
	leat_collect_finish(&c);
	cr_expect(gt(u64, leat_collect_stat(&c, LEAT_STAT_N_DRAIN_FULL), 0));
	cr_expect(eq(u64, c.counted, leat_collect_stat(&c, LEAT_STAT_COUNTED)));
	cr_expect(leat_collect_adds_up(&c));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(sample, a_stalled_reader_stops_the_collection_until_it_is_back)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);
	uint64_t stalled, counted;

	o.cfg.heartbeat_ms = 300;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	usleep(1000000);
	stalled = leat_collect_stat(&c, LEAT_STAT_L_STALLED);
	counted = leat_collect_stat(&c, LEAT_STAT_COUNTED);
	cr_expect(gt(u64, stalled, 50));
	leat_collect_run(&c, 400);
	cr_expect(gt(u64, leat_collect_stat(&c, LEAT_STAT_COUNTED), counted));
	leat_collect_finish(&c);
	cr_expect(leat_collect_adds_up(&c));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(sample, flush_delivers_what_was_counted_while_it_runs)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);
	uint64_t before;
	bool more;

	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	usleep(150000); /* less than a round: all is in the open table */
	before = leat_collect_stat(&c, LEAT_STAT_COUNTED);
	cr_assert(zero(int, c.source.ops->control(c.source.self, LEAT_CONTROL_FLUSH, 0)));
	cr_expect(ge(int, c.source.ops->poll(c.source.self, c.bus, UINT64_MAX, &more), 0));
	cr_expect(ge(u64, c.counted, before));
	leat_collect_finish(&c);
	cr_expect(eq(u64, c.counted, leat_collect_stat(&c, LEAT_STAT_COUNTED)));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(sample, frames_are_sent_again_on_request)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);
	uint64_t before;

	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	usleep(100000);
	before = leat_collect_stat(&c, LEAT_STAT_N_STACK_SENT);
	cr_assert(zero(int, c.source.ops->control(c.source.self, LEAT_CONTROL_RESEND, 1)));
	usleep(100000);
	cr_expect(gt(u64, leat_collect_stat(&c, LEAT_STAT_N_STACK_SENT), before));
	leat_collect_finish(&c);
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

/* What is younger than the pump's time stays in the ring: its process may not be known yet. */
Test(sample, a_streamed_sample_waits_for_its_time)
{
	struct leat_engine_opts o = opts_for(1);
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);
	bool more;

	o.cfg.stream = 1;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	usleep(200000);
	cr_expect(ge(int, c.source.ops->poll(c.source.self, c.bus, 1, &more), 0));
	cr_expect(eq(u64, c.samples, 0));
	cr_expect(not(more));
	cr_expect(ge(int, c.source.ops->poll(c.source.self, c.bus, UINT64_MAX, &more), 0));
	cr_expect(gt(u64, c.samples, 0));
	leat_collect_finish(&c);
	leat_collect_fini(&c);
	leat_child_kill(pid);
}
