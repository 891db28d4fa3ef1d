/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Keeps the sets (leat_tgids, leat_tids) right between two looks of user space: children join at
 * fork, the dead leave before their number is used again, an exec ends what was known of the program.
 * Raw tracepoints give plain numbers, so fields are read by probe on every kernel.
 */
#ifndef LEAT_BPF_LIFE_H
#define LEAT_BPF_LIFE_H

#include "core_compat.bpf.h"
#include "maps.bpf.h"
#include "space.bpf.h"

#define LEAT_PIDNS_DEPTH 8 /* of 32 that the kernel allows */

/* A number in leat's pid namespace; 0 when it is not seen there. */
static __always_inline __u32 leat_nr_of(struct pid *pid)
{
	for (int i = 0; i < LEAT_PIDNS_DEPTH; i++) {
		struct upid up = {};

		if (i > (int)BPF_CORE_READ(pid, level))
			break;
		if (bpf_core_read(&up, sizeof(up), &pid->numbers[i]))
			break;
		if (BPF_CORE_READ(up.ns, ns.inum) == cfg.pidns_ino)
			return up.nr;
	}
	return 0;
}

/* The tgid of any task in leat's pid namespace; 0 when it is not seen there. */
static __always_inline __u32 leat_tgid_of(struct task_struct *task)
{
	if (!cfg.pidns_ino)
		return BPF_CORE_READ(task, tgid);
	return leat_nr_of(BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]));
}

static __always_inline __u32 leat_tid_of(struct task_struct *task)
{
	if (!cfg.pidns_ino)
		return BPF_CORE_READ(task, pid);
	return leat_nr_of(BPF_CORE_READ(task, thread_pid));
}

/* Answers that samples keep (leat_set_bits) are void from now on. */
static __always_inline void leat_set_changed(void)
{
	__u32 zero = 0;
	struct leat_ctl *ctl = bpf_map_lookup_elem(&leat_ctl, &zero);

	if (ctl)
		__sync_fetch_and_add(&ctl->set_gen, 1);
}

static __always_inline void leat_set_put(__u32 tgid, __u32 bits)
{
	if (bpf_map_update_elem(&leat_tgids, &tgid, &bits, BPF_ANY)) {
		struct leat_stats *st = leat_stats_get();

		if (st)
			LEAT_STAT_INC(st, N_SET_FULL);
	}
	leat_set_changed();
}

/*
 * A new process has what it inherits, and nothing else: user space may have said something of a
 * process that was dead by then, and this one may have got its number.
 */
static __always_inline int leat_fork_handle(struct task_struct *parent, struct task_struct *child)
{
	const __u32 kept = LEAT_SET_NAME | (cfg.children ? LEAT_SET_PROCESS : 0);
	__u32 ptgid, tgid, *pbits;

	if (BPF_CORE_READ(parent, tgid) == BPF_CORE_READ(child, tgid))
		return 0; /* a thread */
	tgid = leat_tgid_of(child);
	if (!tgid)
		return 0;
	ptgid = leat_tgid_of(parent);
	if (leat_space_fork(ptgid, tgid))
		leat_set_changed();
	pbits = bpf_map_lookup_elem(&leat_tgids, &ptgid);
	if (pbits && *pbits & kept)
		leat_set_put(tgid, *pbits & kept);
	else if (!bpf_map_delete_elem(&leat_tgids, &tgid))
		leat_set_changed();
	return 0;
}

/* Runs for each thread; signal->live has been lowered by then, and is 0 for the last one. */
static __always_inline int leat_exit_handle(struct task_struct *task)
{
	__u32 tgid;

	if (cfg.by_thread) {
		__u32 tid = leat_tid_of(task);

		bpf_map_delete_elem(&leat_tids, &tid);
	}
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	tgid = leat_tgid_of(task);
	if (!bpf_map_delete_elem(&leat_tgids, &tgid) | leat_space_drop(tgid))
		leat_set_changed();
	return 0;
}

/* What the old program was called, and where its code lay, is no longer true. */
static __always_inline int leat_exec_handle(struct task_struct *task)
{
	__u32 tgid = leat_tgid_of(task);
	__u32 *bits = bpf_map_lookup_elem(&leat_tgids, &tgid);

	if (leat_space_drop(tgid))
		leat_set_changed();
	if (!bits)
		return 0;
	if (*bits & LEAT_SET_PROCESS)
		*bits &= LEAT_SET_PROCESS;
	else
		bpf_map_delete_elem(&leat_tgids, &tgid);
	leat_set_changed();
	return 0;
}

#endif
