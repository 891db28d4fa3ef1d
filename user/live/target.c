/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the processes and threads that the user named. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "live/plan.h"
#include "live/procfs.h"

/* A glob that no name in the kernel matches: those are at most 15 characters long. */
#define MATCHES_NO_COMM "????????????????"

static bool in_container(void)
{
	uint64_t ns = leat_procfs_ns(0, "pid");

	return ns && ns != 0xEFFFFFFCu;
}

static int not_found(const char *what, uint32_t pid, int err, struct leat_diag *d)
{
	if (err == -EACCES || err == -EPERM) {
		leat_diag_set(d, err, LEAT_EXIT_PRIVILEGE, "%s %u is hidden from leat (%s)", what,
			      pid, strerrorname_np(-err));
		leat_diag_why(d,
			      "/proc/%u cannot be read: a security module, or /proc is mounted "
			      "with hidepid",
			      pid);
		return err;
	}
	if (!in_container()) {
		leat_diag_set(d, -ESRCH, LEAT_EXIT_TARGET, "%s %u not found (ESRCH)", what, pid);
		leat_diag_why(d, "/proc/%u does not exist: it has ended, or the number is wrong",
			      pid);
		leat_diag_fix(d, "find it: pgrep -a NAME; or record by name: leat record -n NAME");
		return -ESRCH;
	}
	leat_diag_set(d, -ESRCH, LEAT_EXIT_TARGET, "%s %u not found in this pid namespace (ESRCH)",
		      what, pid);
	leat_diag_why(d,
		      "you are in a container (pid ns %llu); processes of the host are not "
		      "visible here",
		      (unsigned long long)leat_procfs_ns(0, "pid"));
	leat_diag_fix(d, "run on the host, or start the container with --pid=host "
			 "--cap-add=PERFMON --cap-add=BPF");
	return -ESRCH;
}

static int check_process(uint32_t pid, struct leat_diag *d)
{
	struct leat_proc_info info, leader;
	int err = leat_procfs_read(pid, &info);

	if (err)
		return not_found("process", pid, err, d);
	if (info.status.tgid != pid) {
		if (leat_procfs_read(info.status.tgid, &leader))
			memcpy(leader.comm, info.comm, sizeof(leader.comm));
		leat_diag_set(d, -EINVAL, LEAT_EXIT_TARGET, "%u is a thread, not a process", pid);
		leat_diag_why(d, "it is a thread of process %u (%s)", info.status.tgid,
			      leader.comm);
		leat_diag_fix(d, "-p %u for the process, or -t %u for that thread alone",
			      info.status.tgid, pid);
		return -EINVAL;
	}
	if (leat_procfs_has_ended(&info.stat)) {
		leat_diag_set(d, -ESRCH, LEAT_EXIT_TARGET, "process %u (%s) has ended already", pid,
			      info.comm);
		leat_diag_why(d, "it is a zombie: its parent %u has not collected it yet",
			      info.stat.ppid);
		return -ESRCH;
	}
	return 0;
}

static int out_of_memory(struct leat_diag *d)
{
	return leat_diag_set(d, -ENOMEM, LEAT_EXIT_FAILURE, "out of memory");
}

int leat_plan_pids(struct leat_plan *p, const struct leat_target *t, struct leat_diag *diag)
{
	size_t i;
	int err;

	p->engine.cfg.by_process = t->pid_cnt || t->command;
	for (i = 0; i < t->pid_cnt; i++) {
		err = check_process(t->pids[i], diag);
		if (err)
			return err;
		if (leat_plan_add(p, t->pids[i], LEAT_SET_PROCESS, true))
			return out_of_memory(diag);
	}
	return 0;
}

int leat_plan_tids(struct leat_plan *p, const struct leat_target *t, struct leat_diag *diag)
{
	struct leat_proc_info info;
	size_t i;
	int err;

	p->engine.cfg.by_thread = t->tid_cnt > 0;
	for (i = 0; i < t->tid_cnt; i++) {
		err = leat_procfs_read(t->tids[i], &info);
		if (err)
			return not_found("thread", t->tids[i], err, diag);
		if (leat_plan_add(p, info.status.tgid, 0, true))
			return out_of_memory(diag);
	}
	return 0;
}

bool leat_target_name_matches(const char *glob, const char *comm, const char *exe)
{
	const char *base = strrchr(exe, '/');

	if (strchr(glob, '/'))
		return fnmatch(glob, exe, 0) == 0;
	return fnmatch(glob, comm, 0) == 0 || (base && fnmatch(glob, base + 1, 0) == 0);
}

struct name_search {
	struct leat_plan *p;
	const struct leat_target *t;
	size_t found;
};

static int match_process(void *ctx, uint32_t pid)
{
	struct name_search *s = ctx;
	char exe[LEAT_PATH_MAX], path[64], comm[LEAT_COMM_LEN * 4];
	size_t i;

	if (pid == s->p->engine.cfg.self_tgid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	if (leat_procfs_text(path, comm, sizeof(comm)) <= 0)
		return 0;
	comm[strcspn(comm, "\n")] = '\0';
	if (leat_procfs_exe(pid, exe, sizeof(exe)))
		exe[0] = '\0';
	for (i = 0; i < s->t->name_cnt; i++) {
		if (!leat_target_name_matches(s->t->names[i], comm, exe))
			continue;
		s->found++;
		return leat_plan_add(s->p, pid, LEAT_SET_NAME, true);
	}
	return 0;
}

int leat_plan_names(struct leat_plan *p, const struct leat_target *t, struct leat_diag *diag)
{
	struct name_search s = { .p = p, .t = t };
	struct leat_cfg *c = &p->engine.cfg;
	size_t i;
	int err;

	if (!t->name_cnt)
		return 0;
	if (t->name_cnt > LEAT_CFG_MAX_NAMES)
		return leat_diag_set(diag, -EOVERFLOW, LEAT_EXIT_USAGE, "more than %d names",
				     LEAT_CFG_MAX_NAMES);
	c->by_name = (uint32_t)t->name_cnt;
	for (i = 0; i < t->name_cnt; i++) {
		bool by_path = strchr(t->names[i], '/') || strlen(t->names[i]) >= LEAT_COMM_LEN;

		snprintf(c->names[i], sizeof(c->names[i]), "%.*s", LEAT_CFG_NAME_LEN - 1,
			 by_path ? MATCHES_NO_COMM : t->names[i]);
	}
	err = leat_procfs_each(match_process, &s);
	if (err)
		return leat_diag_set(diag, err, LEAT_EXIT_FAILURE, "cannot list processes (%s)",
				     strerrorname_np(-err));
	if (s.found)
		return 0;
	leat_diag_set(diag, -ESRCH, LEAT_EXIT_TARGET, "no process is called '%s'", t->names[0]);
	leat_diag_why(diag, "neither a process's name nor its executable matches");
	leat_diag_fix(diag, "ps -e -o pid,comm,args");
	return -ESRCH;
}

/* ---- descendants ---- */

struct parent_list {
	struct leat_proc_pair {
		uint32_t pid, ppid;
	} * items;
	size_t n, cap;
};

static int list_parent(void *ctx, uint32_t pid)
{
	struct parent_list *l = ctx;
	struct leat_proc_stat st;
	char path[64], text[1024];
	int n;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	n = leat_procfs_text(path, text, sizeof(text));
	if (n <= 0 || leat_procfs_parse_stat(text, (size_t)n, &st) || leat_procfs_has_ended(&st))
		return 0;
	if (LEAT_ARRAY_ROOM(l->items, l->cap, l->n + 1, 1u << 22))
		return -ENOMEM;
	l->items[l->n++] = (struct leat_proc_pair){ pid, st.ppid };
	return 0;
}

/* Each round finds the children of those that the last one found; leat itself is never one. */
static int add_children(struct leat_plan *p, const struct parent_list *l)
{
	size_t from = 0, i, k;

	while (from < p->proc_cnt) {
		size_t to = p->proc_cnt;

		for (i = 0; i < l->n; i++) {
			for (k = from; k < to; k++) {
				int err = 0;

				if (l->items[i].ppid == p->procs[k].tgid &&
				    l->items[i].pid != p->engine.cfg.self_tgid)
					err = leat_plan_add(p, l->items[i].pid, p->procs[k].bits,
							    false);
				if (err)
					return err;
			}
		}
		from = to;
	}
	return 0;
}

int leat_plan_descendants(struct leat_plan *p)
{
	struct parent_list l = { 0 };
	int err = leat_procfs_each(list_parent, &l);

	if (!err)
		err = add_children(p, &l);
	free(l.items);
	return err;
}

int leat_plan_look_again(struct leat_plan *p, const struct leat_target *t,
			 bool (*follows)(const void *ctx, uint32_t tgid), const void *ctx)
{
	struct name_search s = { .p = p, .t = t };
	struct parent_list l = { 0 };
	size_t i;
	int err = 0;

	if (t->name_cnt)
		err = leat_procfs_each(match_process, &s);
	if (err || !p->children || !t->pid_cnt)
		return err;
	err = leat_procfs_each(list_parent, &l);
	for (i = 0; !err && i < l.n; i++) {
		if (follows(ctx, l.items[i].pid) && l.items[i].pid != p->engine.cfg.self_tgid)
			err = leat_plan_add(p, l.items[i].pid, LEAT_SET_PROCESS, false);
	}
	if (!err)
		err = add_children(p, &l);
	free(l.items);
	return err;
}

/* ---- what it is called ---- */

static void label_process(char *out, size_t cap, uint32_t pid, size_t more)
{
	struct leat_proc_info info;
	const char *comm = leat_procfs_read(pid, &info) ? "process" : info.comm;

	if (more)
		snprintf(out, cap, "%s (pid %u) and %zu more", comm, pid, more);
	else
		snprintf(out, cap, "%s (pid %u)", comm, pid);
}

void leat_plan_label(struct leat_plan *p, const struct leat_target *t)
{
	char *out = p->label;
	size_t cap = sizeof(p->label);

	if (t->command)
		snprintf(out, cap, "%s", t->command[0]);
	else if (t->pid_cnt)
		label_process(out, cap, t->pids[0], t->pid_cnt - 1);
	else if (t->tid_cnt)
		snprintf(out, cap, "thread %u%s", t->tids[0], t->tid_cnt > 1 ? " and others" : "");
	else if (t->name_cnt)
		snprintf(out, cap, "%s", t->names[0]);
	else if (t->cgroup_cnt)
		snprintf(out, cap, "cgroup %s", t->cgroups[0]);
	else if (t->uid_cnt)
		snprintf(out, cap, "user %u", t->uids[0]);
	else
		snprintf(out, cap, "all processes");
}

static int first_match(void *ctx, uint32_t pid)
{
	struct name_search *s = ctx;
	int err = match_process(s, pid);

	return err ? err : s->found > 0;
}

void leat_live_target_name(const struct leat_target *t, char out[32], uint32_t *pid)
{
	struct leat_plan p = { 0 };
	struct name_search s = { .p = &p, .t = t };
	struct leat_proc_info info;
	const char *slash;

	*pid = 0;
	snprintf(out, 32, "leat");
	if (t->command) {
		slash = strrchr(t->command[0], '/');
		snprintf(out, 32, "%.31s", slash ? slash + 1 : t->command[0]);
		return;
	}
	if (t->name_cnt && leat_procfs_each(first_match, &s) == 1)
		*pid = p.procs[0].tgid;
	else if (t->pid_cnt)
		*pid = t->pids[0];
	else if (t->tid_cnt)
		*pid = t->tids[0];
	if (*pid && !leat_procfs_read(*pid, &info))
		snprintf(out, 32, "%.31s", info.comm);
	leat_plan_fini(&p);
}
