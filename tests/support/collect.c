/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/features.h"

static uint32_t online[LEAT_COLLECT_CPUS];
static size_t online_cnt;

static void give_up(const char *what, const struct leat_diag *d)
{
	fprintf(stderr, "%s: %s\n%s\n", what, d ? d->what : strerror(errno), d ? d->why : "");
	exit(99);
}

static int on_count(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_collect *c = ctx;
	const struct leat_rec_count *rec = r->data;

	(void)ev;
	c->counted += rec->count;
	c->count_recs++;
	c->last_tgid = r->tgid;
	c->last_tid = r->tid;
	if (c->on_count)
		c->on_count(c->ctx, rec);
	return 0;
}

static int on_stack(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_collect *c = ctx;

	(void)ev;
	c->stacks++;
	if (c->on_stack)
		c->on_stack(c->ctx, r->data);
	return 0;
}

static int on_sample(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_collect *c = ctx;

	(void)ev;
	c->samples++;
	c->last_tgid = r->tgid;
	c->last_tid = r->tid;
	if (c->on_sample)
		c->on_sample(c->ctx, r->data);
	return 0;
}

static int on_newproc(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_collect *c = ctx;

	(void)ev;
	c->newprocs++;
	c->newproc_tgid = r->tgid;
	return 0;
}

static int on_stat(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_collect *c = ctx;

	(void)ev;
	c->stat_recs++;
	if (r->cpu < LEAT_COLLECT_CPUS)
		memcpy(&c->stat[r->cpu], r->data, sizeof(c->stat[0]));
	return 0;
}

struct leat_engine_opts leat_collect_opts(void)
{
	struct leat_engine_opts o = { .freq_hz = 999 };
	cpu_set_t set;

	online_cnt = 0;
	if (sched_getaffinity(0, sizeof(set), &set))
		give_up("sched_getaffinity", NULL);
	for (uint32_t cpu = 0; cpu < LEAT_COLLECT_CPUS; cpu++)
		if (CPU_ISSET(cpu, &set))
			online[online_cnt++] = cpu;
	if (leat_perf_event_find("cpu-clock", &o.event))
		give_up("cpu-clock", NULL);
	o.cpus = online;
	o.cpu_cnt = online_cnt;
	o.cfg.user_stack = 1;
	o.cfg.kernel_stack = 1;
	o.cfg.max_uframes = 127;
	o.cfg.self_tgid = (uint32_t)getpid();
	return o;
}

void leat_collect_open(struct leat_collect *c, const struct leat_engine_opts *o)
{
	static const struct {
		enum leat_rec_kind kind;
		leat_event_fn fn;
	} callbacks[] = {
		{ LEAT_REC_COUNT, on_count },	{ LEAT_REC_STACK, on_stack },
		{ LEAT_REC_SAMPLE, on_sample }, { LEAT_REC_NEWPROC, on_newproc },
		{ LEAT_REC_STAT, on_stat },
	};
	struct leat_diag diag = { 0 };

	*c = (struct leat_collect){ 0 };
	if (leat_engine_open(&c->engine, o, &diag))
		give_up("engine", &diag);
	if (leat_bus_new(&c->bus))
		give_up("bus", NULL);
	c->source = leat_engine_source(c->engine);
	if (c->source.ops->open(c->source.self, c->bus))
		give_up("source", leat_engine_diag(c->engine));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(callbacks); i++)
		if (leat_event_add_callback(leat_bus_at(c->bus, (uint16_t)callbacks[i].kind),
					    callbacks[i].fn, c, NULL))
			give_up("callback", NULL);
}

void leat_collect_start(struct leat_collect *c)
{
	if (c->source.ops->start(c->source.self))
		give_up("start", leat_engine_diag(c->engine));
}

static bool poll_once(struct leat_collect *c)
{
	bool more = false;

	if (c->source.ops->poll(c->source.self, c->bus, UINT64_MAX, &more) < 0)
		give_up("poll", leat_engine_diag(c->engine));
	return more;
}

void leat_collect_run(struct leat_collect *c, unsigned int ms)
{
	for (unsigned int waited = 0; waited < ms; waited += 20) {
		usleep(20000);
		poll_once(c);
	}
}

void leat_collect_finish(struct leat_collect *c)
{
	if (c->source.ops->stop(c->source.self))
		give_up("stop", leat_engine_diag(c->engine));
	while (poll_once(c))
		;
}

void leat_collect_fini(struct leat_collect *c)
{
	if (c->engine)
		c->source.ops->close(c->source.self);
	leat_engine_free(&c->engine);
	leat_bus_free(&c->bus);
}

uint64_t leat_collect_stat(const struct leat_collect *c, enum leat_stat id)
{
	uint64_t stat[LEAT_STAT__MAX];

	if (leat_engine_stats(c->engine, stat))
		give_up("stats", NULL);
	return stat[id];
}

uint64_t leat_collect_class(const uint64_t *stat, enum leat_stat_class class)
{
	uint64_t sum = 0;

#define ADD(id, cls, help)                                                                         \
	if (LEAT_STAT_CLASS_##cls == class)                                                        \
		sum += stat[LEAT_STAT_##id];
	LEAT_STATS(ADD)
#undef ADD
	return sum;
}

bool leat_collect_adds_up(const struct leat_collect *c)
{
	for (size_t i = 0; i < online_cnt; i++) {
		const __u64 *v = c->stat[online[i]].stat;
		uint64_t stat[LEAT_STAT__MAX];

		for (size_t k = 0; k < LEAT_STAT__MAX; k++)
			stat[k] = v[k];
		if (stat[LEAT_STAT_SEEN] !=
		    leat_collect_class(stat, LEAT_STAT_CLASS_FILTERED) +
			    leat_collect_class(stat, LEAT_STAT_CLASS_DELIVERED) +
			    leat_collect_class(stat, LEAT_STAT_CLASS_LOST))
			return false;
	}
	return true;
}

static volatile unsigned long spin_sink;

void leat_spin_forever(void)
{
	for (;;)
		spin_sink += 1;
}

pid_t leat_child(void (*fn)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		give_up("fork", NULL);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fn();
		_exit(0);
	}
	return pid;
}

void leat_child_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void *leat_shared_page(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		give_up("mmap", NULL);
	return p;
}
