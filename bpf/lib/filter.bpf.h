/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Is this sample asked for? Before any stack is taken, cheapest first. Kinds intersect, members of
 * a kind unite. What is off is dead code: cfg is read-only data, known to the verifier.
 */
#ifndef LEAT_BPF_FILTER_H
#define LEAT_BPF_FILTER_H

#include "pids.bpf.h"

static __always_inline int leat_match_thread(const struct leat_scratch *s)
{
	__u32 tid = s->tid;

	if (cfg.pidns_ino && !s->in_ns)
		return 0;
	return bpf_map_lookup_elem(&leat_tids, &tid) != NULL;
}

static __always_inline int leat_match_name(struct leat_scratch *s)
{
	leat_task_leader_comm(s->comm);
	for (__u32 i = 0; i < LEAT_CFG_MAX_NAMES && i < cfg.by_name; i++)
		if (leat_glob_match(&globs[i], s->comm))
			return 1;
	return 0;
}

static __always_inline int leat_match_uid(void)
{
	__u32 uid = (__u32)bpf_get_current_uid_gid();

	for (__u32 i = 0; i < LEAT_CFG_MAX_UIDS && i < cfg.by_uid; i++)
		if (cfg.uids[i] == uid)
			return 1;
	return 0;
}

static __always_inline int leat_match_cgroup_id(__u64 id)
{
	for (__u32 i = 0; i < LEAT_CFG_MAX_CGROUPS && i < cfg.by_cgroup; i++)
		if (cfg.cgroups[i] == id)
			return 1;
	return 0;
}

/* The task's cgroup or any above it. */
static __always_inline int leat_match_cgroup(void)
{
	struct cgroup *cgrp = leat_task_cgroup();

	for (int level = 0; level < LEAT_CFG_CGROUP_DEPTH && cgrp; level++) {
		if (leat_match_cgroup_id(leat_cgroup_id(cgrp)))
			return 1;
		cgrp = leat_cgroup_parent(cgrp);
	}
	return 0;
}

static __always_inline int leat_match_set(struct leat_scratch *s)
{
	__u32 bits = leat_set_bits(s);

	if (cfg.by_process && !(bits & LEAT_SET_PROCESS))
		return 0;
	if (cfg.by_name && !(bits & LEAT_SET_NAME) && !leat_match_name(s))
		return 0;
	return 1;
}

/* LEAT_STAT_SEEN when the sample is wanted, else the counter that says why not. */
static __always_inline __u32 leat_filter(struct leat_scratch *s)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();

	if (!pid_tgid && !cfg.keep_idle)
		return LEAT_STAT_F_IDLE;
	if (cfg.skip_kthreads && pid_tgid && leat_task_is_kthread())
		return LEAT_STAT_F_KTHREAD;
	leat_pids_read(s, pid_tgid);
	if (cfg.self_tgid && s->in_ns && s->tgid == cfg.self_tgid)
		return LEAT_STAT_F_SELF;
	if (cfg.by_process || cfg.by_name)
		if (!leat_match_set(s))
			return LEAT_STAT_F_TARGET;
	if (cfg.by_thread && !leat_match_thread(s))
		return LEAT_STAT_F_TARGET;
	if (cfg.by_uid && !leat_match_uid())
		return LEAT_STAT_F_TARGET;
	if (cfg.by_cgroup && !leat_match_cgroup())
		return LEAT_STAT_F_TARGET;
	return LEAT_STAT_SEEN;
}

#endif
