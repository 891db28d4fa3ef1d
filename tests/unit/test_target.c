/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets: what is found, what is filled in, what is said when it is not there. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/cost.h"
#include "live/plan.h"
#include "live/procfs.h"

struct glob {
	char pattern[24], comm[24], exe[40];
	int matches;
};

ParameterizedTestParameters(target, globs)
{
	static struct glob cases[] = {
		{ "nginx", "nginx", "/usr/sbin/nginx", 1 },
		{ "nginx", "worker", "/usr/sbin/nginx", 1 },
		{ "nginx", "nginx2", "/usr/sbin/nginx2", 0 },
		{ "post*", "postgres", "", 1 },
		{ "[a-c]?", "b1", "", 1 },
		{ "a-name-longer-than-15", "a-name-longer-t", "/x/a-name-longer-than-15", 1 },
		{ "/usr/*/nginx", "nginx", "/usr/sbin/nginx", 1 },
		{ "/opt/*/nginx", "nginx", "/usr/sbin/nginx", 0 },
		{ "usr", "x", "/usr/sbin/nginx", 0 },
		{ "", "x", "/x", 0 },
	};

	return cr_make_param_array(struct glob, cases, LEAT_ARRAY_SIZE(cases));
}

ParameterizedTest(struct glob *p, target, globs)
{
	cr_assert(eq(int, leat_target_name_matches(p->pattern, p->comm, p->exe), p->matches), "%s",
		  p->pattern);
}

static struct leat_live_opts opts_of(uint32_t *pid)
{
	struct leat_live_opts o = { .freq_hz = 99 };

	o.target.pids = pid;
	o.target.pid_cnt = pid ? 1 : 0;
	o.target.all = !pid;
	return o;
}

Test(target, a_process)
{
	uint32_t pid = (uint32_t)getpid();
	struct leat_live_opts o = opts_of(&pid);
	struct leat_diag d = { 0 };
	struct leat_plan p;

	cr_assert(eq(int, leat_plan_make(&p, &o, &d), 0), "%s", d.what);
	cr_assert(eq(sz, p.proc_cnt, 1));
	cr_assert(eq(u32, p.procs[0].tgid, pid));
	cr_assert(eq(u32, p.procs[0].bits, LEAT_SET_PROCESS));
	cr_assert(eq(u32, p.engine.cfg.by_process, 1));
	cr_assert(eq(u32, p.engine.cfg.kernel_stack, 1));
	cr_assert(eq(u32, p.engine.cfg.user_stack, 1));
	cr_assert(eq(u32, p.engine.cfg.max_uframes, 127));
	cr_assert(eq(str, (char *)p.engine.event.name, (char *)"cycles"));
	cr_assert(not(p.env_all));
	cr_assert(gt(sz, p.cpu_cnt, 0));
	cr_assert(ne(ptr, strstr(p.label, "(pid "), NULL));
	leat_plan_fini(&p);
	leat_plan_fini(&p);
}

Test(target, everything)
{
	struct leat_live_opts o = opts_of(NULL);
	struct leat_diag d = { 0 };
	struct leat_plan p;

	o.user_only = true;
	o.event = "cpu-clock";
	cr_assert(eq(int, leat_plan_make(&p, &o, &d), 0), "%s", d.what);
	cr_assert(eq(sz, p.proc_cnt, 0));
	cr_assert(eq(u32, p.engine.cfg.by_process, 0));
	cr_assert(eq(u32, p.engine.cfg.kernel_stack, 0));
	cr_assert(p.env_all);
	cr_assert(eq(str, (char *)p.label, (char *)"all processes"));
	leat_plan_fini(&p);
}

/* One error, its exit code, and a word of what it says. */
static void refused(const struct leat_live_opts *o, enum leat_exit code, const char *word)
{
	struct leat_diag d = { 0 };
	struct leat_plan p;

	cr_assert(lt(int, leat_plan_make(&p, o, &d), 0));
	cr_assert(eq(int, (int)d.exit, (int)code), "%s", d.what);
	cr_assert(strstr(d.what, word) || strstr(d.why, word), "%s / %s", d.what, d.why);
}

Test(target, not_there)
{
	uint32_t pid = 4194303, cpu = 100000;
	struct leat_live_opts o = opts_of(&pid);
	const char *name = "no such program", *cgroup = "/no/such/cgroup";

	refused(&o, LEAT_EXIT_TARGET, "process 4194303 not found");
	o = opts_of(NULL);
	o.target.tids = &pid;
	o.target.tid_cnt = 1;
	refused(&o, LEAT_EXIT_TARGET, "thread 4194303 not found");
	o = opts_of(NULL);
	o.target.names = &name;
	o.target.name_cnt = 1;
	refused(&o, LEAT_EXIT_TARGET, "no such program");
	o = opts_of(NULL);
	o.target.cpus = &cpu;
	o.target.cpu_cnt = 1;
	refused(&o, LEAT_EXIT_TARGET, "online are");
	o = opts_of(NULL);
	o.target.cgroups = &cgroup;
	o.target.cgroup_cnt = 1;
	refused(&o, o.target.cgroup_cnt ? LEAT_EXIT_TARGET : LEAT_EXIT_OK, "cgroup");
}

Test(target, nonsense)
{
	struct leat_live_opts o = opts_of(NULL);
	const char *many[LEAT_CFG_MAX_NAMES + 1] = { 0 };
	uint32_t uids[LEAT_CFG_MAX_UIDS + 1] = { 0 };

	o.event = "no-such-event";
	refused(&o, LEAT_EXIT_USAGE, "no-such-event");
	o = opts_of(NULL);
	o.freq_hz = 1u << 30;
	refused(&o, LEAT_EXIT_USAGE, "limit of");
	o = opts_of(NULL);
	o.target.names = many;
	o.target.name_cnt = LEAT_ARRAY_SIZE(many);
	refused(&o, LEAT_EXIT_USAGE, "names");
	o = opts_of(NULL);
	o.target.uids = uids;
	o.target.uid_cnt = LEAT_ARRAY_SIZE(uids);
	refused(&o, LEAT_EXIT_USAGE, "users");
}

/* A child and a grandchild that wait until they are killed. */
static pid_t family(int *report)
{
	int fds[2];
	pid_t pid;

	cr_assert(eq(int, pipe(fds), 0));
	pid = fork();
	if (pid == 0) {
		pid_t inner = fork();

		if (inner && write(fds[1], &inner, sizeof(inner)) != sizeof(inner))
			_exit(1);
		pause();
		_exit(0);
	}
	close(fds[1]);
	*report = fds[0];
	return pid;
}

Test(target, descendants)
{
	int report;
	uint32_t pid = (uint32_t)family(&report), inner = 0;
	struct leat_live_opts o = opts_of(&pid);
	struct leat_diag d = { 0 };
	struct leat_plan p;

	cr_assert(eq(int, (int)read(report, &inner, sizeof(inner)), sizeof(inner)));
	close(report);
	o.children = true;
	cr_assert(eq(int, leat_plan_make(&p, &o, &d), 0), "%s", d.what);
	cr_assert(eq(sz, p.proc_cnt, 2));
	cr_assert(eq(u32, p.procs[1].tgid, inner));
	cr_assert(eq(u32, p.procs[1].bits, LEAT_SET_PROCESS));
	cr_assert(p.procs[0].asked);
	cr_assert(not(p.procs[1].asked));
	leat_plan_fini(&p);
	kill((pid_t)inner, SIGKILL);
	kill((pid_t)pid, SIGKILL);
	waitpid((pid_t)pid, NULL, 0);
}

Test(target, zombie)
{
	uint32_t pid = (uint32_t)fork();
	struct leat_live_opts o = opts_of(&pid);
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	refused(&o, LEAT_EXIT_TARGET, "has ended already");
	waitpid((pid_t)pid, NULL, 0);
}

static void *sleep_long(void *arg)
{
	sleep(60);
	return arg;
}

/* The main thread has ended, another works on: all that is known of it is found by that one. */
Test(target, leader_gone)
{
	uint32_t pid = (uint32_t)fork();
	struct leat_live_opts o = opts_of(&pid);
	struct leat_diag d = { 0 };
	struct leat_proc_info info;
	struct leat_plan p;
	char exe[LEAT_PATH_MAX];
	pthread_t t;

	if (pid == 0) {
		if (!pthread_create(&t, NULL, sleep_long, NULL))
			pthread_exit(NULL);
		_exit(1);
	}
	do {
		usleep(1000);
		cr_assert(eq(int, leat_procfs_read(pid, &info), 0));
	} while (info.stat.state != 'Z');
	cr_assert(eq(int, leat_plan_make(&p, &o, &d), 0), "%s", d.what);
	leat_plan_fini(&p);
	cr_assert(gt(u32, leat_procfs_via(pid), pid));
	cr_assert(not(leat_procfs_is_over(pid)));
	cr_assert(eq(int, leat_procfs_exe(pid, exe, sizeof(exe)), 0));
	cr_assert(ne(chr, exe[0], '\0'));
	cr_assert(eq(u64, leat_procfs_ns(pid, "mnt"), leat_procfs_ns(0, "mnt")));
	kill((pid_t)pid, SIGKILL);
	waitpid((pid_t)pid, NULL, 0);
}

static bool follows_one(const void *ctx, uint32_t tgid)
{
	return tgid == *(const uint32_t *)ctx;
}

/* Who came since, and who is known to belong though its parent is not the target's. */
Test(target, looking_again)
{
	uint32_t pid = (uint32_t)fork(), child;
	struct leat_live_opts o = opts_of(&pid);
	struct leat_diag d = { 0 };
	struct leat_plan p;
	size_t i, found = 0;

	if (pid == 0) {
		for (;;)
			pause();
	}
	o.children = true;
	cr_assert(eq(int, leat_plan_make(&p, &o, &d), 0), "%s", d.what);
	cr_assert(eq(sz, p.proc_cnt, 1));
	child = (uint32_t)fork();
	if (child == 0) {
		for (;;)
			pause();
	}
	cr_assert(eq(int, leat_plan_look_again(&p, &o.target, follows_one, &child), 0));
	for (i = 0; i < p.proc_cnt; i++)
		found += p.procs[i].tgid == child && !p.procs[i].asked;
	cr_assert(eq(sz, found, 1));
	leat_plan_fini(&p);
	kill((pid_t)pid, SIGKILL);
	kill((pid_t)child, SIGKILL);
	waitpid((pid_t)pid, NULL, 0);
	waitpid((pid_t)child, NULL, 0);
}

Test(target, adding_twice_unites)
{
	struct leat_plan p = { 0 };

	cr_assert(eq(int, leat_plan_add(&p, 5, LEAT_SET_PROCESS, false), 0));
	cr_assert(eq(int, leat_plan_add(&p, 5, LEAT_SET_NAME, true), 0));
	cr_assert(eq(sz, p.proc_cnt, 1));
	cr_assert(eq(u32, p.procs[0].bits, LEAT_SET_PROCESS | LEAT_SET_NAME));
	cr_assert(p.procs[0].asked);
	leat_plan_fini(&p);
}

/* ---- what was wanted ---- */

Test(cost, wanted_and_skipped)
{
	struct leat_verdict v = { .target_cpu_ns = 10000000000u };

	leat_cost_wanted(&v, 99, 989, 0, false);
	cr_assert(eq(u64, v.wanted, 989));
	cr_assert(eq(u64, v.kernel_skipped, 0));
	leat_cost_wanted(&v, 99, 495, 0, false);
	cr_assert(eq(u64, v.wanted, 990));
	cr_assert(eq(u64, v.kernel_skipped, 495));
	leat_cost_wanted(&v, 99, 1200, 0, false);
	cr_assert(eq(u64, v.wanted, 1200));
	leat_cost_wanted(&v, 99, 950, 0, true);
	cr_assert(eq(u64, v.kernel_skipped, 0));
	/* What ran in a mode that was not asked for was not skipped. */
	leat_cost_wanted(&v, 99, 200, 790, false);
	cr_assert(eq(u64, v.wanted, 200));
	cr_assert(eq(u64, v.kernel_skipped, 0));
	leat_cost_wanted(&v, 99, 200, 690, false);
	cr_assert(eq(u64, v.wanted, 300));
	cr_assert(eq(u64, v.kernel_skipped, 100));
}

Test(cost, bpf_time_is_scaled)
{
	uint64_t stat[LEAT_STAT__MAX] = { 0 };

	cr_assert(eq(u64, leat_cost_bpf_ns(stat), 0));
	stat[LEAT_STAT_SEEN] = 6400;
	stat[LEAT_STAT_N_BPF_TIMED] = 100;
	stat[LEAT_STAT_N_BPF_NS] = 50000;
	cr_assert(eq(u64, leat_cost_bpf_ns(stat), 3200000));
}

Test(cost, asked_is_delivered_and_lost)
{
	uint64_t stat[LEAT_STAT__MAX] = { 0 };

	stat[LEAT_STAT_SEEN] = 100;
	stat[LEAT_STAT_F_TARGET] = 80;
	stat[LEAT_STAT_COUNTED] = 15;
	stat[LEAT_STAT_L_BUSY] = 5;
	stat[LEAT_STAT_N_STACK_SENT] = 9;
	cr_assert(eq(u64, leat_cost_asked(stat), 20));
}

static struct leat_plan plan_of(uint32_t tgid)
{
	struct leat_plan p = { .engine = { .cfg = { .by_process = 1 } } };

	cr_assert(eq(int, leat_plan_add(&p, tgid, LEAT_SET_PROCESS, true), 0));
	return p;
}

Test(cost, meter_of_a_process)
{
	struct leat_plan p = plan_of((uint32_t)getpid());
	struct leat_target t = { 0 };
	struct leat_meter m;
	volatile unsigned long sink = 0;
	uint64_t before;

	leat_meter_begin(&m, &p, &t);
	cr_assert(eq(int, (int)m.kind, LEAT_METER_PROCESSES));
	before = leat_cost_cpu_ns();
	while (leat_cost_cpu_ns() - before < 5000000)
		sink++;
	leat_meter_update(&m);
	cr_assert(ge(u64, leat_meter_ns(&m), 5000000));
	leat_meter_fini(&m);
	leat_plan_fini(&p);
}

/* A process that has gone keeps what it had used. */
Test(cost, meter_of_one_that_ends)
{
	struct leat_plan p;
	struct leat_target t = { 0 };
	struct leat_meter m;
	uint64_t used;
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			;
	}
	p = plan_of((uint32_t)pid);
	leat_meter_begin(&m, &p, &t);
	do {
		leat_meter_update(&m);
	} while (leat_meter_ns(&m) < 2000000);
	used = leat_meter_ns(&m);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	leat_meter_update(&m);
	leat_meter_update(&m);
	cr_assert(eq(u64, leat_meter_ns(&m), used));
	leat_meter_fini(&m);
	leat_plan_fini(&p);
}

Test(cost, too_many_processes_are_not_known)
{
	struct leat_plan p = { .engine = { .cfg = { .by_process = 1 } } };
	struct leat_meter m;

	leat_meter_begin(&m, &p, &(struct leat_target){ 0 });
	cr_assert(leat_meter_knows(&m));
	m.n = LEAT_METER_MAX;
	m.items = calloc(m.n, sizeof(*m.items));
	m.cap = m.n;
	leat_meter_add(&m, (uint32_t)getpid(), false);
	cr_assert(m.partial);
	cr_assert(not(leat_meter_knows(&m)));
	leat_meter_fini(&m);
}

Test(cost, where_no_clock_tells)
{
	struct leat_plan p = { .engine = { .cfg = { .by_process = 1, .by_uid = 1 } } };
	uint32_t cpu = 0;
	struct leat_target t = { .cpus = &cpu, .cpu_cnt = 1 };
	struct leat_meter m;

	leat_meter_begin(&m, &p, &(struct leat_target){ 0 });
	cr_assert(eq(int, (int)m.kind, LEAT_METER_NONE));
	cr_assert(not(leat_meter_knows(&m)));
	leat_meter_add(&m, 1, true);
	cr_assert(eq(u64, leat_meter_ns(&m), 0));
	p.engine.cfg.by_uid = 0;
	leat_meter_begin(&m, &p, &t);
	cr_assert(eq(int, (int)m.kind, LEAT_METER_NONE));
	p.engine.cfg.by_process = 0;
	leat_meter_begin(&m, &p, &(struct leat_target){ 0 });
	cr_assert(eq(int, (int)m.kind, LEAT_METER_HOST));
	leat_meter_fini(&m);
}
