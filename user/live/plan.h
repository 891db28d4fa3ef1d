/* SPDX-License-Identifier: BSD-2-Clause */
/* From what the user asked for to what the engine and the environment source are told. */
#ifndef LEAT_LIVE_PLAN_H
#define LEAT_LIVE_PLAN_H

#include "base/diag.h"
#include "engine/engine.h"
#include "live/live.h"

#define LEAT_PLAN_PROCS_MAX (1u << 16)
#define LEAT_PLAN_CPUS_MAX  8192
/* Where all processes of the host are followed: processes, mappings and binaries for unwinding. */
#define LEAT_PLAN_SPACES_ALL 32768u
#define LEAT_PLAN_RANGES_ALL 131072u
#define LEAT_PLAN_EXES_ALL   16384u

/* A process that is there when the recording begins. */
struct leat_plan_proc {
	uint32_t tgid;
	uint32_t bits; /* LEAT_SET_PROCESS, LEAT_SET_NAME */
	bool asked;    /* its end may end the recording; false: a descendant */
};

struct leat_plan {
	struct leat_engine_opts engine;
	struct leat_plan_proc *procs;
	size_t proc_cnt, proc_cap;
	uint32_t *online; /* CPUs for the side band */
	size_t online_cnt;
	uint32_t *cpus; /* CPUs to sample on: of the online ones */
	size_t cpu_cnt;
	const char *cgroup_path[LEAT_CFG_MAX_CGROUPS]; /* for its CPU time; owned */
	bool env_all; /* the target is not a list of processes: follow all */
	bool children;
	bool tables;	 /* user stacks by unwind tables */
	char label[256]; /* "nginx (pid 4242)" */
};

/* Errors: as leat_live_record; @diag says what and why. The command's process is added later. */
int leat_plan_make(struct leat_plan *out, const struct leat_live_opts *o,
		   struct leat_diag *diag) LEAT_MUST_USE;
void leat_plan_fini(struct leat_plan *p);
/* Adds a process, or bits to it. */
int leat_plan_add(struct leat_plan *p, uint32_t tgid, uint32_t bits, bool asked) LEAT_MUST_USE;
/* Adds all that descend from processes in the plan. */
int leat_plan_descendants(struct leat_plan *p) LEAT_MUST_USE;

/*
 * Adds who came since: descendants (of processes that are given by number) and name matches.
 * @follows: whether another source knows that a process belongs to the target, though its parent
 * has ended.
 */
int leat_plan_look_again(struct leat_plan *p, const struct leat_target *t,
			 bool (*follows)(const void *ctx, uint32_t tgid),
			 const void *ctx) LEAT_MUST_USE;

/* Whether a glob matches the process's name, its executable's name, or (with a '/') its path. */
bool leat_target_name_matches(const char *glob, const char *comm, const char *exe);

/* The parts, each into @p. */
int leat_plan_pids(struct leat_plan *p, const struct leat_target *t,
		   struct leat_diag *diag) LEAT_MUST_USE;
int leat_plan_tids(struct leat_plan *p, const struct leat_target *t,
		   struct leat_diag *diag) LEAT_MUST_USE;
int leat_plan_names(struct leat_plan *p, const struct leat_target *t,
		    struct leat_diag *diag) LEAT_MUST_USE;
int leat_plan_cgroups(struct leat_plan *p, const struct leat_target *t,
		      struct leat_diag *diag) LEAT_MUST_USE;
int leat_plan_cpus(struct leat_plan *p, const struct leat_target *t,
		   struct leat_diag *diag) LEAT_MUST_USE;
void leat_plan_label(struct leat_plan *p, const struct leat_target *t);

#endif
