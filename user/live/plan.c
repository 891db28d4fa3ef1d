/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "engine/features.h"
#include "live/procfs.h"

/* PROC_PID_INIT_INO: the initial pid namespace has this inode in every kernel. */
#define INIT_PID_NS 0xEFFFFFFCu

int leat_plan_add(struct leat_plan *p, uint32_t tgid, uint32_t bits, bool asked)
{
	size_t i;

	for (i = p->proc_cnt; i-- > 0;) {
		if (p->procs[i].tgid == tgid) {
			p->procs[i].bits |= bits;
			p->procs[i].asked |= asked;
			return 0;
		}
	}
	if (LEAT_ARRAY_ROOM(p->procs, p->proc_cap, p->proc_cnt + 1, LEAT_PLAN_PROCS_MAX))
		return -ENOMEM;
	p->procs[p->proc_cnt++] = (struct leat_plan_proc){ tgid, bits, asked };
	return 0;
}

void leat_plan_fini(struct leat_plan *p)
{
	size_t i;

	for (i = 0; i < LEAT_ARRAY_SIZE(p->cgroup_path); i++)
		free((char *)(uintptr_t)p->cgroup_path[i]);
	free(p->procs);
	free(p->online);
	free(p->cpus);
	*p = (struct leat_plan){ 0 };
}

static int choose_event(struct leat_plan *p, const struct leat_live_opts *o, struct leat_diag *diag)
{
	const char *name = o->event ? o->event : "cycles";

	if (!leat_perf_event_find(name, &p->engine.event))
		return 0;
	return leat_diag_set(diag, -ENOENT, LEAT_EXIT_USAGE, "there is no event '%s'", name);
}

uint64_t leat_live_max_freq(void)
{
	uint64_t v;

	return leat_procfs_u64("/proc/sys/kernel/perf_event_max_sample_rate", &v) ? 0 : v;
}

static int check_freq(struct leat_plan *p, const struct leat_live_opts *o, struct leat_diag *diag)
{
	uint64_t max = leat_live_max_freq();

	p->engine.freq_hz = o->freq_hz;
	p->engine.period = o->freq_hz ? 0 : o->period;
	if (!o->freq_hz || !max || o->freq_hz <= max)
		return 0;
	leat_diag_set(diag, -EINVAL, LEAT_EXIT_USAGE,
		      "frequency %llu Hz is above the kernel's limit of %llu Hz",
		      (unsigned long long)o->freq_hz, (unsigned long long)max);
	leat_diag_why(
		diag,
		"kernel.perf_event_max_sample_rate is %llu; the kernel lowers it by itself when "
		"interrupts take too long",
		(unsigned long long)max);
	leat_diag_fix(diag, "-F %llu", (unsigned long long)max);
	return -EINVAL;
}

/* Processes leat itself sees under other numbers than the kernel side does. */
static void fill_namespace(struct leat_cfg *c)
{
	struct stat st;

	c->self_tgid = (uint32_t)getpid();
	if (stat("/proc/self/ns/pid", &st) || st.st_ino == INIT_PID_NS)
		return;
	c->pidns_dev = st.st_dev;
	c->pidns_ino = st.st_ino;
}

static int fill_uids(struct leat_cfg *c, const struct leat_target *t, struct leat_diag *diag)
{
	size_t i;

	if (t->uid_cnt > LEAT_CFG_MAX_UIDS)
		return leat_diag_set(diag, -EOVERFLOW, LEAT_EXIT_USAGE, "more than %d users",
				     LEAT_CFG_MAX_UIDS);
	c->by_uid = (uint32_t)t->uid_cnt;
	for (i = 0; i < t->uid_cnt; i++)
		c->uids[i] = t->uids[i];
	return 0;
}

static void fill_cfg(struct leat_plan *p, const struct leat_live_opts *o)
{
	struct leat_cfg *c = &p->engine.cfg;

	fill_namespace(c);
	c->children = p->children;
	c->skip_kthreads = o->no_kthreads;
	c->keep_idle = o->idle;
	c->kernel_stack = !o->user_only;
	c->user_stack = !o->kernel_only;
	c->max_uframes = o->max_stack ? o->max_stack : 127;
	c->per_thread = o->per_thread;
	c->stream = o->stream;
	c->notify_procs = 1;
	p->tables = c->user_stack && o->unwind != LEAT_UNWIND_FP;
	c->unwind = p->tables;
	p->engine.ring_bytes = o->ring_bytes;
	p->engine.ring_cnt = o->ring_cnt;
}

static int make(struct leat_plan *p, const struct leat_live_opts *o, struct leat_diag *diag)
{
	const struct leat_target *t = &o->target;
	int err;

	p->children = o->children;
	p->engine.cfg.self_tgid = (uint32_t)getpid();
	if ((err = check_freq(p, o, diag)) || (err = choose_event(p, o, diag)) ||
	    (err = fill_uids(&p->engine.cfg, t, diag)) || (err = leat_plan_cpus(p, t, diag)) ||
	    (err = leat_plan_pids(p, t, diag)) || (err = leat_plan_tids(p, t, diag)) ||
	    (err = leat_plan_names(p, t, diag)) || (err = leat_plan_cgroups(p, t, diag)))
		return err;
	fill_cfg(p, o);
	p->engine.cpus = p->cpus;
	p->engine.cpu_cnt = p->cpu_cnt;
	/* Processes of a list are followed alone; any other target may grow. */
	p->env_all = !t->pid_cnt && !t->tid_cnt && !t->command;
	if (p->env_all) {
		p->engine.space_max = LEAT_PLAN_SPACES_ALL;
		p->engine.range_max = LEAT_PLAN_RANGES_ALL;
		p->engine.exe_max = LEAT_PLAN_EXES_ALL;
	}
	if (p->children && t->pid_cnt) {
		err = leat_plan_descendants(p);
		if (err)
			return leat_diag_set(diag, err, LEAT_EXIT_FAILURE,
					     "cannot list processes (%s)", strerrorname_np(-err));
	}
	leat_plan_label(p, t);
	return 0;
}

int leat_plan_make(struct leat_plan *out, const struct leat_live_opts *o, struct leat_diag *diag)
{
	struct leat_plan p = { 0 };
	int err = make(&p, o, diag);

	if (err) {
		leat_plan_fini(&p);
		return err;
	}
	*out = p;
	return 0;
}
