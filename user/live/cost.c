/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/cost.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "live/procfs.h"

/* False: it has gone. */
static bool process_cpu_ns(uint32_t tgid, uint64_t *out)
{
	struct timespec ts;
	clockid_t id;

	if (clock_getcpuclockid((pid_t)tgid, &id) || clock_gettime(id, &ts))
		return false;
	*out = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	return true;
}

/* Run time of a thread of another process: its clock is not ours to read, schedstat is. */
static bool thread_cpu_ns(uint32_t tid, uint64_t *out)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/schedstat", tid, tid);
	return !leat_procfs_u64(path, out);
}

static uint64_t cgroup_cpu_ns(const char *cgroup)
{
	char path[2 * LEAT_PATH_MAX], text[1024];
	const char *at;

	snprintf(path, sizeof(path), "%s/cpu.stat", cgroup);
	if (leat_procfs_text(path, text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, "usage_usec ");
	return at ? strtoull(at + strlen("usage_usec "), NULL, 10) * 1000 : 0;
}

/* Idle and stolen time are exact; user and system time are sampled by the tick. */
static uint64_t away_ticks(const char *stat, uint32_t cpu)
{
	unsigned long long t[8] = { 0 };
	char head[24];
	const char *at;

	snprintf(head, sizeof(head), "\ncpu%u ", cpu);
	at = strstr(stat, head);
	if (!at || sscanf(at + strlen(head), "%llu %llu %llu %llu %llu %llu %llu %llu", &t[0],
			  &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) < 5)
		return 0;
	return t[3] + t[4] + t[7];
}

/* Time that the sampled CPUs were not idle: uptime, less what /proc/stat calls idle. */
static uint64_t host_busy_ns(const struct leat_plan *p)
{
	LEAT_FREE char *text = NULL;
	uint64_t away = 0, all, hz = (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec up;
	size_t i;

	if (!hz || leat_file_read_at(AT_FDCWD, "/proc/stat", 16u << 20, &text, NULL))
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &up);
	for (i = 0; i < p->cpu_cnt; i++)
		away += away_ticks(text, p->cpus[i]);
	all = ((uint64_t)up.tv_sec * 1000000000u + (uint64_t)up.tv_nsec) * p->cpu_cnt;
	away *= 1000000000u / hz;
	return all > away ? all - away : 0;
}

/* Everything but processes is one reading. */
static uint64_t read_whole(const struct leat_meter *m)
{
	uint64_t sum = 0;
	size_t i;

	if (m->kind == LEAT_METER_HOST)
		return host_busy_ns(m->plan);
	if (m->kind == LEAT_METER_CGROUPS) {
		for (i = 0; i < m->plan->engine.cfg.by_cgroup; i++)
			sum += cgroup_cpu_ns(m->plan->cgroup_path[i]);
	}
	return sum;
}

/* Where kinds of target intersect, or a target runs on other CPUs too, no clock tells what was wanted. */
static enum leat_unknown why_unknown(const struct leat_plan *p, const struct leat_target *t)
{
	const struct leat_cfg *c = &p->engine.cfg;
	int kinds = !!c->by_process + !!c->by_thread + !!c->by_name + !!c->by_cgroup + !!c->by_uid;

	if (c->keep_idle)
		return LEAT_UNKNOWN_IDLE;
	if (kinds > 1)
		return LEAT_UNKNOWN_KINDS;
	return t->cpu_cnt && kinds ? LEAT_UNKNOWN_CPUS : LEAT_UNKNOWN_NONE;
}

static enum leat_meter_kind kind_of(const struct leat_cfg *c)
{
	if (c->by_process || c->by_name || c->by_uid)
		return LEAT_METER_PROCESSES;
	if (c->by_thread)
		return LEAT_METER_THREADS;
	return c->by_cgroup ? LEAT_METER_CGROUPS : LEAT_METER_HOST;
}

/* A process of one of the users; what it is later, after setuid(), is not asked. */
static int add_of_user(void *ctx, uint32_t tgid)
{
	struct leat_meter *m = ctx;
	const struct leat_cfg *c = &m->plan->engine.cfg;
	struct leat_proc_info info;
	uint32_t i;

	if (tgid == c->self_tgid || leat_procfs_read(tgid, &info))
		return 0;
	for (i = 0; i < c->by_uid; i++) {
		if (c->uids[i] == info.status.real_uid)
			leat_meter_add(m, tgid, false);
	}
	return 0;
}

void leat_meter_begin(struct leat_meter *m, const struct leat_plan *p, const struct leat_target *t)
{
	enum leat_unknown unknown = why_unknown(p, t);
	size_t i;

	*m = (struct leat_meter){ .kind = unknown ? LEAT_METER_NONE : kind_of(&p->engine.cfg),
				  .unknown = unknown,
				  .plan = p,
				  .target = t };
	if (m->kind == LEAT_METER_PROCESSES && p->engine.cfg.by_uid &&
	    leat_procfs_each(add_of_user, m))
		m->partial = true;
	for (i = 0; m->kind == LEAT_METER_PROCESSES && i < p->proc_cnt; i++)
		leat_meter_add(m, p->procs[i].tgid, false);
	for (i = 0; m->kind == LEAT_METER_THREADS && i < t->tid_cnt; i++)
		leat_meter_add(m, t->tids[i], false);
	m->base_ns = read_whole(m);
}

void leat_meter_fini(struct leat_meter *m)
{
	free(m->items);
	*m = (struct leat_meter){ 0 };
}

static bool item_ns(const struct leat_meter *m, uint32_t id, uint64_t *out)
{
	return m->kind == LEAT_METER_THREADS ? thread_cpu_ns(id, out) : process_cpu_ns(id, out);
}

/* CPU time of children that have ended and were waited for; 0 unknown. */
static uint64_t waited_ns(uint32_t tgid, uint32_t *ppid)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	struct leat_proc_stat st;
	char path[64], text[1024];
	int n;

	snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
	n = leat_procfs_text(path, text, sizeof(text));
	if (n <= 0 || leat_procfs_parse_stat(text, (size_t)n, &st) || !hz)
		return 0;
	*ppid = st.ppid;
	return st.waited_ticks * (1000000000u / hz);
}

static bool follows_children(const struct leat_meter *m)
{
	return m->kind == LEAT_METER_PROCESSES && m->plan->children;
}

static uint64_t used_ns(const struct leat_meter_item *it)
{
	return it->last_ns - it->first_ns + (it->last_waited_ns - it->first_waited_ns);
}

void leat_meter_add(struct leat_meter *m, uint32_t tgid, bool born)
{
	struct leat_meter_item it = { .tgid = tgid };
	size_t i;

	if (m->kind != LEAT_METER_PROCESSES && m->kind != LEAT_METER_THREADS)
		return;
	for (i = m->n; i-- > 0;) {
		if (m->items[i].tgid == tgid)
			return;
	}
	if (LEAT_ARRAY_ROOM(m->items, m->cap, m->n + 1, LEAT_METER_MAX)) {
		if (!m->partial)
			leat_log(LEAT_LOG_WARN,
				 "more than %d processes: what the target used, and so how many "
				 "samples the kernel skipped, is unknown",
				 LEAT_METER_MAX);
		m->partial = true;
		return;
	}
	if (!item_ns(m, tgid, &it.last_ns))
		return;
	it.first_ns = born ? 0 : it.last_ns;
	if (follows_children(m))
		it.last_waited_ns = waited_ns(tgid, &it.ppid);
	it.first_waited_ns = born ? 0 : it.last_waited_ns;
	m->items[m->n++] = it;
}

static bool is_metered(const struct leat_meter *m, uint32_t tgid)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (m->items[i].tgid == tgid)
			return true;
	}
	return false;
}

/*
 * A child's time is in its parent's sum once it was waited for, exactly and whether or not it was
 * ever sampled: of those that have gone only the ones without a known parent keep their own.
 */
static void item_gone(struct leat_meter *m, struct leat_meter_item *it)
{
	it->gone = true;
	if (follows_children(m) && is_metered(m, it->ppid)) {
		it->last_ns = it->first_ns;
		it->last_waited_ns = it->first_waited_ns;
	}
}

void leat_meter_update(struct leat_meter *m)
{
	bool waited = follows_children(m) && (m->n < 64 || m->rounds++ % 10 == 0);
	size_t i, kept = 0;

	for (i = 0; i < m->n; i++) {
		struct leat_meter_item *it = &m->items[i];
		uint64_t ns;

		if (!it->gone && !item_ns(m, it->tgid, &ns))
			item_gone(m, it);
		else if (!it->gone && ns >= it->last_ns)
			it->last_ns = ns;
		if (!it->gone && waited) {
			ns = waited_ns(it->tgid, &it->ppid);
			it->last_waited_ns = ns > it->last_waited_ns ? ns : it->last_waited_ns;
		}
	}
	/* What has gone is one sum. */
	for (i = 0; i < m->n; i++) {
		if (m->items[i].gone)
			m->gone_ns += used_ns(&m->items[i]);
		else
			m->items[kept++] = m->items[i];
	}
	m->n = kept;
}

bool leat_meter_knows(const struct leat_meter *m)
{
	return m->kind != LEAT_METER_NONE && !m->partial;
}

enum leat_unknown leat_meter_unknown(const struct leat_meter *m)
{
	return m->partial ? LEAT_UNKNOWN_MANY : m->unknown;
}

uint64_t leat_meter_ns(const struct leat_meter *m)
{
	uint64_t sum = 0, now;
	size_t i;

	if (m->kind == LEAT_METER_HOST || m->kind == LEAT_METER_CGROUPS) {
		now = read_whole(m);
		return now > m->base_ns ? now - m->base_ns : 0;
	}
	sum = m->gone_ns;
	for (i = 0; i < m->n; i++)
		sum += used_ns(&m->items[i]);
	return sum;
}

uint64_t leat_cost_cpu_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t leat_cost_rss_peak(void)
{
	struct leat_proc_status st;
	char text[4096];
	int n = leat_procfs_text("/proc/self/status", text, sizeof(text));

	if (n <= 0 || leat_procfs_parse_status(text, (size_t)n, &st))
		return 0;
	return st.rss_peak_bytes;
}

void leat_cost_wanted(struct leat_verdict *v, uint64_t hz, uint64_t asked, uint64_t unwanted,
		      bool loose)
{
	uint64_t wanted = (uint64_t)((double)v->target_cpu_ns * (double)hz / 1e9 + 0.5);
	uint64_t slack = wanted / (loose ? 20 : 200) + 4;

	v->wanted = wanted > asked + unwanted + slack ? wanted - unwanted : asked;
	v->kernel_skipped = v->wanted - asked;
}

uint64_t leat_cost_asked(const uint64_t stat[LEAT_STAT__MAX])
{
	uint64_t sum = 0;

#define ADD(id, class, help)                                                                       \
	if (LEAT_STAT_CLASS_##class == LEAT_STAT_CLASS_DELIVERED ||                                \
	    LEAT_STAT_CLASS_##class == LEAT_STAT_CLASS_LOST)                                       \
		sum += stat[LEAT_STAT_##id];
	LEAT_STATS(ADD)
#undef ADD
	return sum;
}

uint64_t leat_cost_bpf_ns(const uint64_t stat[LEAT_STAT__MAX])
{
	uint64_t timed = stat[LEAT_STAT_N_BPF_TIMED];

	if (!timed)
		return 0;
	return (uint64_t)((double)stat[LEAT_STAT_N_BPF_NS] / (double)timed *
			  (double)stat[LEAT_STAT_SEEN]);
}
