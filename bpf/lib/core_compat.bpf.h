/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What differs between the kernels that one object serves (5.10 to 7.x): one accessor per drift.
 *
 * bpf_get_current_task_btf (3ca1032ab7ab, "bpf: Implement get_current_task_btf and RET_PTR_TO_BTF_ID",
 * 5.11) lets fields be read by plain loads; before it each field is a call of bpf_probe_read_kernel.
 * The two forms are kept in functions of their own: merged by the compiler, neither would load.
 *
 * task_struct.start_time is CLOCK_MONOTONIC in all of them (real_start_time became start_boottime
 * in 5.5, which is not used); self_exec_id is u64 since 5.7. Neither needs an accessor.
 */
#ifndef LEAT_BPF_CORE_COMPAT_H
#define LEAT_BPF_CORE_COMPAT_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define LEAT_PF_KTHREAD 0x00200000

extern int LINUX_KERNEL_VERSION __kconfig;

#define LEAT_HAS_TASK_BTF                                                                          \
	bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)
#define LEAT_HAS_TASK_PT_REGS bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)

/* What leat knows about the current task besides its pids. */
struct leat_task {
	__u64 start_ns; /* of the leader */
	__u64 top;	/* end of the user address space: lower for a 32-bit program; 0 no memory */
	__u32 exec_cnt;
	__u32 map_gen;
};

static __always_inline void leat_task_read_btf(struct leat_task *t)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = task->mm;

	t->start_ns = task->group_leader->start_time;
	t->exec_cnt = (__u32)task->self_exec_id;
	t->map_gen = mm ? (__u32)mm->exec_vm : 0;
	t->top = mm ? mm->task_size : 0;
}

static __always_inline void leat_task_read_probe(struct leat_task *t)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	t->start_ns = BPF_CORE_READ(task, group_leader, start_time);
	t->exec_cnt = (__u32)BPF_CORE_READ(task, self_exec_id);
	t->map_gen = mm ? (__u32)BPF_CORE_READ(mm, exec_vm) : 0;
	t->top = mm ? BPF_CORE_READ(mm, task_size) : 0;
}

/* @t must lie in a map: values in registers would differ on the two paths. */
static __always_inline void leat_task_read(struct leat_task *t)
{
	if (LEAT_HAS_TASK_BTF)
		leat_task_read_btf(t);
	else
		leat_task_read_probe(t);
}

static __always_inline int leat_task_is_kthread(void)
{
	if (LEAT_HAS_TASK_BTF)
		return bpf_get_current_task_btf()->flags & LEAT_PF_KTHREAD;
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), flags) & LEAT_PF_KTHREAD;
}

/* The name of the process, not of the thread: comm of the group's leader, 16 bytes. */
static __always_inline void leat_task_leader_comm(char *comm)
{
	struct task_struct *leader;

	if (LEAT_HAS_TASK_BTF)
		leader = bpf_get_current_task_btf()->group_leader;
	else
		leader = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), group_leader);
	if (bpf_probe_read_kernel(comm, 16, &leader->comm))
		comm[0] = 0;
	comm[15] = 0;
}

/*
 * The cgroup (v2) of the current task, and the next one up; 0 past the root. Walked by
 * cgroup_subsys_state.parent, which no kernel has renamed: cgroup.ancestor_ids became
 * cgroup.ancestors (7f203bc89eb6, 6.1), kernfs_node.parent became __parent (6.15), and tracing
 * programs may call bpf_get_current_ancestor_cgroup_id only from 5.15 on.
 */
static __always_inline struct cgroup *leat_task_cgroup(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, cgroups, dfl_cgrp);
}

static __always_inline struct cgroup *leat_cgroup_parent(struct cgroup *cgrp)
{
	struct cgroup_subsys_state *css = BPF_CORE_READ(cgrp, self.parent);

	return css ? BPF_CORE_READ(css, cgroup) : NULL;
}

static __always_inline __u64 leat_cgroup_id(struct cgroup *cgrp)
{
	return BPF_CORE_READ(cgrp, kn, id);
}

#endif
