/* SPDX-License-Identifier: BSD-2-Clause */
/* leat_live_record: from finding the target to a finished profile. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "live/procfs.h"
#include "live/run.h"

/* With a target that forks all the time there is always someone new; the kernel knows those. */
#define LOOKS_MAX 8

static int fail(struct leat_run *r, int err, const char *what)
{
	return leat_diag_set(r->diag, err, err == -ENOMEM ? LEAT_EXIT_FAILURE : LEAT_EXIT_SYSTEM,
			     "%s (%s)", what, strerrorname_np(-err));
}

/* ---- hooks ---- */

struct birth {
	uint32_t tgid;
	uint64_t ns; /* 0: unknown */
};

/* A number is that of the process that had it last: new ones are at the end. */
static int find_birth(void *ctx, const struct leat_process_table *t)
{
	struct birth *b = ctx;
	size_t i = t->profile ? t->profile->process_cnt : 0;

	while (i-- > 0) {
		if (t->profile->processes[i].tgid != b->tgid)
			continue;
		b->ns = t->profile->processes[i].start_ns;
		return 0;
	}
	return -ESRCH;
}

/* Whether a process began after the sampling did; what it used before is not ours to count. */
static bool was_born(const struct leat_run *r, uint32_t tgid)
{
	struct birth b = { .tgid = tgid };

	return !leat_process_cell_read(r->processes, find_birth, &b) && b.ns >= r->start_ns;
}

/* No notice of this process is needed any more. */
static void on_known(void *ctx, uint32_t tgid)
{
	struct leat_run *r = ctx;

	if (leat_engine_set_tgid(r->engine, tgid, LEAT_SET_KNOWN))
		leat_log(LEAT_LOG_DEBUG, "process %u does not fit into the set", tgid);
	if (r->plan.children || r->plan.engine.cfg.by_name || r->plan.engine.cfg.by_uid)
		leat_meter_add(&r->meter, tgid, was_born(r, tgid));
}

/* Another program: its executable may match a name that the kernel's 15 characters do not. */
static void on_exec(void *ctx, uint32_t tgid)
{
	struct leat_run *r = ctx;
	const struct leat_target *t = &r->o->target;
	char exe[LEAT_PATH_MAX];
	size_t i;

	if (!t->name_cnt || leat_procfs_exe(tgid, exe, sizeof(exe)) || !exe[0])
		return;
	for (i = 0; i < t->name_cnt; i++) {
		if (leat_target_name_matches(t->names[i], "", exe) &&
		    leat_engine_set_tgid(r->engine, tgid, LEAT_SET_NAME | LEAT_SET_KNOWN))
			leat_log(LEAT_LOG_DEBUG, "process %u does not fit into the set", tgid);
	}
}

static void on_unknown(void *ctx, uint32_t tgid)
{
	struct leat_run *r = ctx;

	leat_env_look_again(r->env, tgid);
}

static void on_stack_missing(void *ctx, uint64_t hash)
{
	struct leat_run *r = ctx;
	const struct leat_source *s = &r->pump.sources[1];

	if (s->ops->control)
		(void)!s->ops->control(s->self, LEAT_CONTROL_RESEND, hash);
}

/* ---- set-up ---- */

/* How long the way to the first sample takes, and where: seen with -v -v. */
static void phase(const struct leat_run *r, const char *what)
{
	leat_log(LEAT_LOG_DEBUG, "%.1f ms: %s", (double)(leat_clock_ns() - r->begin_ns) / 1e6,
		 what);
}

static int make_env(struct leat_run *r)
{
	struct leat_env_opts o = {
		.all = r->plan.env_all,
		.children = r->plan.children,
		.threads = r->o->per_thread || r->o->stream,
		.self_tgid = (uint32_t)getpid(),
		.cpus = r->plan.online,
		.cpu_cnt = r->plan.online_cnt,
		.files = r->files,
		.on_known = on_known,
		.on_exec = on_exec,
		.ctx = r,
	};
	size_t i;
	int err = leat_env_new(&r->env, &o);

	for (i = 0; !err && i < r->plan.proc_cnt; i++)
		err = leat_env_add(r->env, r->plan.procs[i].tgid);
	return err;
}

/* The kernel side's sets, before the first sample. */
static int fill_sets(struct leat_run *r)
{
	const struct leat_target *t = &r->o->target;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < r->plan.proc_cnt; i++)
		err = leat_engine_set_tgid(r->engine, r->plan.procs[i].tgid,
					   r->plan.procs[i].bits | LEAT_SET_KNOWN);
	for (i = 0; !err && i < t->tid_cnt; i++)
		err = leat_engine_set_tid(r->engine, t->tids[i]);
	return err;
}

int leat_run_open(struct leat_run *r)
{
	int err;

	leat_pump_init(&r->pump, r->bus);
	if ((err = leat_pump_add(&r->pump, leat_env_source(r->env))) ||
	    (err = leat_pump_add(&r->pump, leat_engine_source(r->engine))) ||
	    (r->probes && (err = leat_pump_add(&r->pump, leat_probes_source(r->probes)))))
		return err;
	return leat_pump_open(&r->pump);
}

void leat_run_set_session(struct leat_run *r, struct leat_session *s)
{
	struct leat_session_hooks hooks = { .ctx = r, .on_stack_missing = on_stack_missing };

	r->session = s;
	r->processes = leat_session_processes(s);
	leat_session_set_hooks(s, &hooks);
}

/* After those who name samples. */
int leat_run_attach(struct leat_run *r)
{
	int err = r->tables ? leat_tables_attach(r->tables, r->bus) : 0;

	if (!err)
		err = leat_env_attach(r->env, r->bus);
	return err ? err : fill_sets(r);
}

static int make_session(struct leat_run *r)
{
	struct leat_session_opts so = {
		.per_thread = r->o->per_thread || r->o->stream,
		.stream = r->o->stream,
		.user_only = r->o->user_only,
		.kernel_only = r->o->kernel_only,
	};
	struct leat_session *s = NULL;
	int err;

	if ((err = leat_bus_new(&r->bus)) || (err = leat_run_open(r)) ||
	    (err = leat_run_capture_begin(r)) || (err = leat_session_new(&s)))
		return err;
	leat_run_set_session(r, s);
	leat_session_set_opts(s, &so);
	err = leat_session_attach(s, r->bus);
	return err ? err : leat_run_attach(r);
}

static const char *cache_problem(int err)
{
	switch (err) {
	case -EPERM:
		return "it belongs to another user";
	case -EACCES:
		return "others may write to it, or it may not be entered";
	case -ENOTDIR:
		return "it is not a directory";
	case -ENOENT:
		return "the directory that it should lie in is not there";
	default:
		return strerrorname_np(-err);
	}
}

static int open_cache(struct leat_run *r)
{
	const char *dir = r->o->unwind_cache;
	int err = dir && r->plan.tables ? leat_table_cache_open(&r->cache, dir, 0) : 0;

	if (err)
		leat_diag_set(r->diag, err, LEAT_EXIT_FAILURE, "cannot use the unwind cache %s: %s",
			      dir, cache_problem(err));
	return err;
}

static int make_tables(struct leat_run *r)
{
	const struct leat_tables_opts o = {
		.engine = r->engine,
		.files = r->files,
		.memory_bytes = r->o->unwind_memory,
		.max_frames = r->plan.engine.cfg.max_uframes,
		.cache = r->cache,
		.on_unknown = on_unknown,
		.ctx = r,
	};

	return r->plan.tables ? leat_tables_new(&r->tables, &o) : 0;
}

static int start_command(struct leat_run *r)
{
	int err;

	if (!r->o->target.command)
		return 0;
	err = leat_command_start(&r->command, r->o->target.command, leat_files_old_limit(r->files),
				 r->diag);
	if (err)
		return err;
	return leat_plan_add(&r->plan, (uint32_t)r->command.pid, LEAT_SET_PROCESS, true);
}

void leat_run_init(struct leat_run *r, const struct leat_live_opts *o, struct leat_diag *diag)
{
	*r = (struct leat_run){ .o = o, .diag = diag, .epoll_fd = -1 };
	r->command = (struct leat_command){ .go_fd = -1, .err_fd = -1 };
	r->begin_ns = leat_clock_ns();
}

int leat_run_prepare(struct leat_run *r)
{
	int err = leat_plan_make(&r->plan, r->o, r->diag);

	if (err)
		return err;
	if ((err = open_cache(r)))
		return err;
	if ((err = leat_files_new(&r->files)))
		return fail(r, err, "cannot start");
	phase(r, "target found");
	err = start_command(r);
	if (!err)
		err = make_env(r);
	if (err)
		return fail(r, err, "cannot follow processes");
	err = leat_engine_open(&r->engine, &r->plan.engine, r->diag);
	if (err)
		return fail(r, err, "cannot load the BPF programs");
	phase(r, "BPF programs loaded");
	err = make_tables(r);
	return err ? fail(r, err, "cannot set up the unwind tables") : 0;
}

static int tell_about(struct leat_run *r, const struct leat_plan_proc *p)
{
	int err = leat_engine_set_tgid(r->engine, p->tgid, p->bits | LEAT_SET_KNOWN);

	if (!err)
		err = leat_env_add(r->env, p->tgid);
	if (!err)
		leat_meter_add(&r->meter, p->tgid, was_born(r, p->tgid));
	/* It has gone, or is hidden: what it did is counted all the same. */
	return err == -ESRCH || err == -EACCES || err == -EPERM ? 0 : err;
}

static bool env_follows(const void *ctx, uint32_t tgid)
{
	const struct leat_run *r = ctx;

	return leat_env_follows(r->env, tgid);
}

/*
 * Loading took a while: who was forked in it, by a process whose number was not in the set yet, is
 * unknown to the kernel side. Now all is on; a round may find children of those that the one
 * before it found.
 */
static int look_again(struct leat_run *r)
{
	const struct leat_target *t = &r->o->target;
	const struct leat_source *env = &r->pump.sources[0];
	size_t round, i, known;
	bool more;
	int err = 0;

	if (!(r->plan.children && t->pid_cnt) && !t->name_cnt)
		return 0;
	for (round = 0; round < LOOKS_MAX; round++) {
		known = r->plan.proc_cnt;
		err = env->ops->poll(env->self, r->bus, leat_clock_ns(), &more);
		if (err >= 0)
			err = leat_plan_look_again(&r->plan, t, env_follows, r);
		for (i = known; !err && i < r->plan.proc_cnt; i++)
			err = tell_about(r, &r->plan.procs[i]);
		if (err || r->plan.proc_cnt == known)
			break;
	}
	leat_log(LEAT_LOG_DEBUG, "%zu processes found by looking again %zu times", r->plan.proc_cnt,
		 round);
	return err;
}

/*
 * The environment first: nothing may happen between its reading of /proc and the side band. It has
 * read the target's mappings by the time the sampling begins.
 */
int leat_run_start(struct leat_run *r)
{
	int err = leat_pump_start(&r->pump);

	if (!err && r->tables)
		err = leat_tables_round(r->tables);

	if (err && leat_env_diag(r->env)->err)
		*r->diag = *leat_env_diag(r->env);
	else if (err && leat_engine_diag(r->engine)->err)
		*r->diag = *leat_engine_diag(r->engine);
	else if (err && r->probes && leat_probes_diag(r->probes)->err)
		*r->diag = *leat_probes_diag(r->probes);
	if (err)
		return fail(r, err, "cannot begin to sample");
	phase(r, "sampling");
	r->start_ns = leat_clock_ns();
	r->start_real_ns = leat_clock_real_ns();
	r->start_cpu_ns = leat_cost_cpu_ns();
	leat_meter_begin(&r->meter, &r->plan, &r->o->target);
	err = leat_run_capture_started(r);
	if (err)
		return err;
	err = look_again(r);
	if (err)
		return fail(r, err, "cannot follow processes");
	err = leat_run_watch(r);
	if (err)
		return fail(r, err, "cannot watch the target");
	leat_run_progress(r, r->start_ns);
	if (!r->command.pid)
		return 0;
	return leat_command_go(&r->command, r->o->target.command[0], r->diag);
}

int leat_run_stop(struct leat_run *r)
{
	r->end_ns = leat_clock_ns();
	leat_meter_update(&r->meter);
	return leat_pump_stop(&r->pump);
}

/*
 * Ends what the started program did not end itself: on a signal that signal, else SIGTERM. A
 * program that could not be run was not started, whatever became of the process.
 */
static void end_command(struct leat_run *r, struct leat_live_child *child)
{
	if (!r->command.pid)
		return;
	if (r->command.failed) {
		/* It says why, then ends by itself; nobody is told how. */
		if (!leat_command_reap(&r->command, 2000)) {
			leat_command_signal(&r->command, SIGKILL);
			leat_command_reap(&r->command, 2000);
		}
		leat_command_fini(&r->command);
		return;
	}
	child->started = r->command.go_fd < 0;
	if (child->started && !leat_command_reap(&r->command, r->target_gone ? 1000 : 0)) {
		leat_command_signal(&r->command, r->stop_signal ? r->stop_signal : SIGTERM);
		leat_command_reap(&r->command, 2000);
	}
	leat_command_fini(&r->command);
	child->exited = r->command.reaped;
	child->status = r->command.status;
}

void leat_run_fini(struct leat_run *r)
{
	size_t i;

	leat_pump_close(&r->pump);
	leat_run_capture_detach(r);
	leat_process_cell_drop_readonly(&r->processes);
	leat_session_free(&r->session);
	leat_bus_free(&r->bus);
	leat_tables_free(&r->tables);
	leat_probes_free(&r->probes);
	leat_table_cache_close(&r->cache);
	leat_engine_free(&r->engine);
	leat_env_free(&r->env);
	leat_files_free(&r->files);
	leat_meter_fini(&r->meter);
	for (i = 0; i < r->watch_cnt; i++) {
		if (r->watches[i].fd >= 0)
			close(r->watches[i].fd);
	}
	free(r->watches);
	if (r->epoll_fd >= 0)
		close(r->epoll_fd);
	leat_plan_fini(&r->plan);
}

int leat_live_record(const struct leat_live_opts *o, struct leat_live_result *out,
		     struct leat_diag *diag)
{
	struct leat_diag unused = { 0 };
	struct leat_run r;
	int err;

	*out = (struct leat_live_result){ 0 };
	leat_run_init(&r, o, diag ? diag : &unused);
	err = leat_run_prepare(&r);
	if (!err && (err = make_session(&r)))
		err = fail(&r, err, "cannot set up the session");
	if (!err)
		err = leat_run_start(&r);
	if (!err)
		err = leat_run_loop(&r);
	if (leat_run_stop(&r) && !err)
		err = fail(&r, -EIO, "cannot end the recording");
	end_command(&r, &out->child);
	if (!err)
		err = leat_run_finish(&r, out);
	leat_run_fini(&r);
	return err;
}
