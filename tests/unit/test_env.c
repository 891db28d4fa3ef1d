/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment source on rings of the test's own, which stand in the place of live/rings.c: records
 * of several CPUs come out in the order in which things happened, whatever ring they were in.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/perf_event.h>
#include <string.h>

#include "event/wire.h"
#include "live/env.h"
#include "live/procfs.h"
#include "live/rings.h"

#define CPUS 2
#define MAX  64

struct bytes {
	uint8_t b[256];
	size_t n;
};

/* What the kernel has written and nobody has read. */
static struct {
	struct bytes rec[CPUS][MAX];
	size_t n[CPUS];
	uint64_t lost;
	bool reads_lost;
} kernel;

int leat_rings_open(struct leat_rings *r, const uint32_t *cpus, size_t cpu_cnt,
		    struct leat_diag *diag)
{
	(void)cpus;
	(void)cpu_cnt;
	(void)diag;
	*r = (struct leat_rings){ .epoll_fd = -1, .reads_lost = kernel.reads_lost };
	return 0;
}

void leat_rings_close(struct leat_rings *r)
{
	(void)r;
}

void leat_rings_stop(struct leat_rings *r)
{
	(void)r;
}

uint64_t leat_rings_lost(const struct leat_rings *r)
{
	return r->reads_lost ? kernel.lost : 0;
}

int leat_rings_drain(struct leat_rings *r, int (*fn)(void *ctx, const void *rec, size_t n),
		     void *ctx, uint64_t *broken)
{
	int cnt = 0;

	(void)r;
	(void)broken;
	for (size_t cpu = 0; cpu < CPUS; cpu++) {
		for (size_t i = 0; i < kernel.n[cpu]; i++, cnt++) {
			int err = fn(ctx, kernel.rec[cpu][i].b, kernel.rec[cpu][i].n);

			if (err)
				return err;
		}
		kernel.n[cpu] = 0;
	}
	return cnt;
}

/* ---- records as perf writes them ---- */

static void put(struct bytes *r, const void *p, size_t n)
{
	memcpy(r->b + r->n, p, n);
	r->n += n;
}

static void put32(struct bytes *r, uint32_t v)
{
	put(r, &v, sizeof(v));
}

static void put64(struct bytes *r, uint64_t v)
{
	put(r, &v, sizeof(v));
}

static struct bytes *begin(uint32_t cpu, uint32_t type, uint16_t misc)
{
	struct bytes *r = &kernel.rec[cpu][kernel.n[cpu]++];

	*r = (struct bytes){ .n = sizeof(struct perf_event_header) };
	*(struct perf_event_header *)r->b =
		(struct perf_event_header){ .type = type, .misc = misc };
	return r;
}

static void end(struct bytes *r, uint32_t tgid, uint32_t cpu, uint64_t ts_ns)
{
	put32(r, tgid);
	put32(r, tgid);
	put64(r, ts_ns);
	put32(r, cpu);
	put32(r, 0);
	((struct perf_event_header *)r->b)->size = (uint16_t)r->n;
}

static void task(uint32_t cpu, uint32_t type, uint32_t tgid, uint64_t ts_ns)
{
	struct bytes *r = begin(cpu, type, 0);

	put32(r, tgid);
	put32(r, 2); /* its parent: kthreadd is there always, and has no mappings */
	put32(r, tgid);
	put32(r, 2);
	put64(r, ts_ns);
	end(r, tgid, cpu, ts_ns);
}

static void mmap2(uint32_t cpu, uint32_t tgid, uint64_t start, uint64_t ts_ns)
{
	struct bytes *r = begin(cpu, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);

	put32(r, tgid);
	put32(r, tgid);
	put64(r, start);
	put64(r, 0x1000);
	put64(r, 0);
	put64(r, 0); /* device */
	put64(r, 77);
	put64(r, 0);
	put64(r, 5); /* protection, flags */
	put(r, "/lib/x\0", 8);
	end(r, tgid, cpu, ts_ns);
}

static void lost(uint32_t cpu, uint64_t cnt, uint64_t ts_ns)
{
	struct bytes *r = begin(cpu, PERF_RECORD_LOST, 0);

	put64(r, 1);
	put64(r, cnt);
	end(r, 0, cpu, ts_ns);
}

/* ---- what arrives ---- */

struct seen {
	int kind;
	uint64_t ts_ns;
};

static struct {
	struct seen items[MAX];
	size_t n;
} seen_log;

static int on_event(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	(void)ev;
	if (seen_log.n < MAX)
		seen_log.items[seen_log.n++] = (struct seen){ (int)(intptr_t)ctx, r->ts_ns };
	return 0;
}

struct world {
	struct leat_env *env;
	struct leat_bus *bus;
	struct leat_source src;
};

static void start(struct world *w, bool reads_lost)
{
	static const int kinds[] = { LEAT_REC_FORK, LEAT_REC_MMAP, LEAT_REC_EXIT,
				     LEAT_REC_ENV_LOST };
	static const uint32_t cpus[CPUS] = { 0, 1 };
	struct leat_env_opts o = { .all = true, .self_tgid = 1, .cpus = cpus, .cpu_cnt = CPUS };

	memset(&kernel, 0, sizeof(kernel));
	memset(&seen_log, 0, sizeof(seen_log));
	kernel.reads_lost = reads_lost;
	cr_assert(eq(int, leat_bus_new(&w->bus), 0));
	cr_assert(eq(int, leat_env_new(&w->env, &o), 0));
	w->src = leat_env_source(w->env);
	cr_assert(eq(int, w->src.ops->open(w->env, w->bus), 0));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(kinds); i++) {
		struct leat_event *ev =
			leat_bus_find(w->bus, leat_wire_event_name((enum leat_rec_kind)kinds[i]));

		cr_assert(
			eq(int,
			   leat_event_add_callback(ev, on_event, (void *)(intptr_t)kinds[i], NULL),
			   0));
	}
	cr_assert(eq(int, w->src.ops->start(w->env), 0));
}

static void poll_until(struct world *w, uint64_t until_ns)
{
	bool more;

	cr_assert(ge(int, w->src.ops->poll(w->env, w->bus, until_ns, &more), 0));
}

static void fini(struct world *w)
{
	w->src.ops->close(w->env);
	leat_env_free(&w->env);
	leat_bus_free(&w->bus);
}

static void check_log(const struct seen *want, size_t n)
{
	cr_assert(eq(sz, seen_log.n, n));
	for (size_t i = 0; i < n; i++) {
		cr_expect(eq(int, seen_log.items[i].kind, want[i].kind), "item %zu", i);
		cr_expect(eq(u64, seen_log.items[i].ts_ns, want[i].ts_ns), "item %zu", i);
	}
}

/* A process that wanders: forked on CPU 1, maps on CPU 0, then on 1, then on 0, ends on 1. */
Test(env, a_process_that_migrates)
{
	const uint64_t t = leat_clock_ns() - 1000000;
	const struct seen want[] = { { LEAT_REC_FORK, t },
				     { LEAT_REC_MMAP, t + 1 },
				     { LEAT_REC_MMAP, t + 2 },
				     { LEAT_REC_MMAP, t + 3 },
				     { LEAT_REC_EXIT, t + 4 } };
	struct world w;

	start(&w, true);
	mmap2(0, 4000000, 0x1000, t + 1);
	mmap2(0, 4000000, 0x1000, t + 3);
	task(1, PERF_RECORD_FORK, 4000000, t);
	mmap2(1, 4000000, 0x1000, t + 2);
	task(1, PERF_RECORD_EXIT, 4000000, t + 4);
	poll_until(&w, leat_clock_ns());
	check_log(want, LEAT_ARRAY_SIZE(want));
	fini(&w);
}

/* The ring of CPU 0 was read already when CPU 1 wrote what comes before: it waits, and is second. */
Test(env, what_is_younger_than_the_reading_waits)
{
	const uint64_t now = leat_clock_ns(), later = now + 3600000000000u;
	const struct seen want[] = { { LEAT_REC_FORK, later - 1 }, { LEAT_REC_MMAP, later } };
	struct world w;

	start(&w, true);
	mmap2(0, 4000000, 0x1000, later);
	poll_until(&w, later + 1); /* no later than now, whatever is asked for */
	cr_assert(eq(sz, seen_log.n, 0));
	task(1, PERF_RECORD_FORK, 4000000, later - 1);
	poll_until(&w, now);
	cr_assert(eq(sz, seen_log.n, 0));
	poll_until(&w, UINT64_MAX); /* the end: all of it */
	check_log(want, LEAT_ARRAY_SIZE(want));
	fini(&w);
}

/* At one time stamp, a ring's own order stays. */
Test(env, equal_times)
{
	const uint64_t t = leat_clock_ns() - 1000000;
	struct world w;

	start(&w, true);
	task(0, PERF_RECORD_FORK, 4000000, t);
	mmap2(0, 4000000, 0x1000, t);
	task(0, PERF_RECORD_EXIT, 4000000, t);
	poll_until(&w, UINT64_MAX);
	check_log((const struct seen[]){ { LEAT_REC_FORK, t },
					 { LEAT_REC_MMAP, t },
					 { LEAT_REC_EXIT, t } },
		  3);
	fini(&w);
}

static uint64_t lost_now(const struct world *w)
{
	struct leat_env_stats st;

	leat_env_stats(w->env, &st);
	return st.lost;
}

/* Nothing follows on that CPU, so no record tells of it: the kernel is asked. */
Test(env, a_loss_at_the_very_end)
{
	struct world w;

	start(&w, true);
	poll_until(&w, leat_clock_ns());
	kernel.lost = 5;
	poll_until(&w, UINT64_MAX);
	cr_assert(eq(u64, lost_now(&w), 5));
	cr_assert(eq(sz, seen_log.n, 1));
	cr_assert(eq(int, seen_log.items[0].kind, LEAT_REC_ENV_LOST));
	poll_until(&w, UINT64_MAX);
	cr_assert(eq(u64, lost_now(&w), 5));
	fini(&w);
}

/* The record that comes later repeats what was asked for. */
Test(env, a_loss_is_counted_once)
{
	struct world w;

	start(&w, true);
	kernel.lost = 5;
	poll_until(&w, UINT64_MAX);
	lost(0, 5, leat_clock_ns() - 1000);
	kernel.lost = 7;
	poll_until(&w, UINT64_MAX);
	cr_assert(eq(u64, lost_now(&w), 7));
	fini(&w);
}

/* Before 6.0 the records are all there is. */
Test(env, a_kernel_that_does_not_count_its_losses)
{
	struct world w;

	start(&w, false);
	lost(0, 5, leat_clock_ns() - 1000);
	lost(1, 6, leat_clock_ns() - 1000);
	poll_until(&w, UINT64_MAX);
	cr_assert(eq(u64, lost_now(&w), 11));
	fini(&w);
}
