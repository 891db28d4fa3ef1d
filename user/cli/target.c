/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/io.h"

#define OPT(id) LEAT_CLI_OPT_##id

/* Two options that say opposite things. */
static const struct {
	enum leat_cli_opt a, b;
	const char *fix;
} conflicts[] = {
	{ OPT(ALL), OPT(PID), "leave -a out to sample the processes alone" },
	{ OPT(ALL), OPT(TID), "leave -a out to sample the threads alone" },
	{ OPT(ALL), OPT(NAME), "leave -a out to sample the named processes alone" },
	{ OPT(ALL), OPT(CGROUP), "leave -a out to sample the cgroup alone" },
	{ OPT(USER_ONLY), OPT(KERNEL_ONLY), "leave both out to have user and kernel code" },
	{ OPT(FREQUENCY), OPT(PERIOD), "-F samples by time, -c by events: choose one" },
	{ OPT(CHILDREN), OPT(NO_CHILDREN), "choose one" },
	{ OPT(QUIET), OPT(VERBOSE), "choose one" },
};

/* Targets that a command excludes: it is one itself. */
static const enum leat_cli_opt not_with_command[] = { OPT(PID),	   OPT(TID), OPT(NAME),
						      OPT(CGROUP), OPT(UID), OPT(ALL) };

static void show(enum leat_cli_opt id, char out[32])
{
	const struct leat_cli_option *o = leat_cli_option_at(id);

	if (o->letter)
		snprintf(out, 32, "-%c", o->letter);
	else
		snprintf(out, 32, "--%s", o->name);
}

static int check_pairs(const struct leat_cli_args *a, struct leat_diag *d)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(conflicts); i++) {
		char one[32], two[32];

		if (!leat_cli_given(a, conflicts[i].a) || !leat_cli_given(a, conflicts[i].b))
			continue;
		show(conflicts[i].a, one);
		show(conflicts[i].b, two);
		leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "%s and %s exclude each other", one,
			      two);
		leat_diag_fix(d, "%s", conflicts[i].fix);
		return -EINVAL;
	}
	return 0;
}

static int check_command(const struct leat_cli_args *a, struct leat_diag *d)
{
	for (size_t i = 0; a->command && i < LEAT_ARRAY_SIZE(not_with_command); i++) {
		char one[32];

		if (!leat_cli_given(a, not_with_command[i]))
			continue;
		show(not_with_command[i], one);
		leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE,
			      "%s and a command behind -- exclude each other", one);
		leat_diag_fix(d, "record one of them at a time");
		return -EINVAL;
	}
	if (!a->command && (a->propagate || a->no_children)) {
		leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "%s: there is no command",
			      a->propagate ? "--propagate" : "--no-children");
		leat_diag_fix(d, "it goes with a command that leat starts: -- COMMAND [ARG ...]");
		return -EINVAL;
	}
	return 0;
}

static bool has_target(const struct leat_cli_args *a)
{
	return a->command || a->all || a->pids.n || a->tids.n || a->names.n || a->cgroups.n ||
	       a->uids.n || a->cpus.n;
}

/* Nothing but CPUs: all that runs there. */
static bool only_cpus(const struct leat_cli_args *a)
{
	return a->cpus.n && !a->command && !a->pids.n && !a->tids.n && !a->names.n &&
	       !a->cgroups.n && !a->uids.n;
}

static int check_target(const struct leat_cli_args *a, struct leat_diag *d)
{
	if (!has_target(a)) {
		leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "record what? no target is given");
		leat_diag_fix(
			d,
			"-p PID, -n NAME, -t TID, --cgroup PATH, -u USER, or -a for every process");
		leat_diag_alt(d, "leat record -- COMMAND [ARG ...] (starts it)");
		return -EINVAL;
	}
	if (a->idle && !a->all && !only_cpus(a)) {
		leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE,
			      "--idle: the idle CPU belongs to no process");
		leat_diag_fix(d, "use it with -a or with -C alone, or leave it out");
		return -EINVAL;
	}
	if (a->pids.n > LEAT_LIVE_MAX_TARGETS || a->tids.n > LEAT_LIVE_MAX_TARGETS ||
	    a->names.n > LEAT_LIVE_MAX_TARGETS || a->cgroups.n > LEAT_LIVE_MAX_TARGETS ||
	    a->uids.n > LEAT_LIVE_MAX_TARGETS) {
		leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "more than %d targets of one kind",
			      LEAT_LIVE_MAX_TARGETS);
		leat_diag_why(d, "each has a place in the filter that runs in the kernel");
		leat_diag_fix(d, "record a cgroup (--cgroup PATH) or the whole host (-a)");
		return -EINVAL;
	}
	return 0;
}

int leat_cli_check_frequency(const char *typed, const char *value, struct leat_diag *d)
{
	const uint64_t most = leat_cli_option_at(OPT(FREQUENCY))->max;
	unsigned long long max = leat_live_max_freq();
	uint64_t hz = UINT64_MAX;

	if (leat_cli_value_u64(value, &hz) == -EINVAL || !max || hz <= max)
		return 0;
	leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE,
		      "%s: expected at most %llu, found '%s': it is above this kernel's limit",
		      typed, max, value);
	leat_diag_why(d,
		      "the kernel's limit is %llu (kernel.perf_event_max_sample_rate); the kernel "
		      "lowers it by itself when sampling takes long",
		      max);
	leat_diag_fix(d, "-F %llu", max);
	if (hz <= most)
		leat_diag_alt(d, "sudo sysctl -w kernel.perf_event_max_sample_rate=%llu",
			      (unsigned long long)hz);
	return -EINVAL;
}

/* The kernel would say EINVAL, and not which number it wanted. */
static int check_frequency(const struct leat_cli_args *a, struct leat_diag *d)
{
	char value[24];

	if (!leat_cli_given(a, OPT(FREQUENCY)))
		return 0;
	snprintf(value, sizeof(value), "%llu", (unsigned long long)a->freq_hz);
	return leat_cli_check_frequency("-F", value, d);
}

int leat_cli_check_record(const struct leat_cli_args *a, struct leat_diag *diag)
{
	int err = check_pairs(a, diag);

	if (!err)
		err = check_command(a, diag);
	if (!err)
		err = check_target(a, diag);
	if (!err)
		err = check_frequency(a, diag);
	return err;
}

void leat_cli_target_make(const struct leat_cli_args *a, struct leat_target *out)
{
	*out = (struct leat_target){
		.pids = a->pids.items,
		.pid_cnt = a->pids.n,
		.tids = a->tids.items,
		.tid_cnt = a->tids.n,
		.names = a->names.items,
		.name_cnt = a->names.n,
		.cgroups = a->cgroups.items,
		.cgroup_cnt = a->cgroups.n,
		.uids = a->uids.items,
		.uid_cnt = a->uids.n,
		.cpus = a->cpus.items,
		.cpu_cnt = a->cpus.n,
		.command = a->command,
		.all = only_cpus(a) || (a->all && !a->uids.n),
	};
}

void leat_cli_live_opts(const struct leat_cli_args *a, struct leat_live_opts *out)
{
	*out = (struct leat_live_opts){
		.event = a->event,
		.freq_hz = a->period ? 0 : a->freq_hz,
		.period = a->period,
		.duration_ns = a->duration_ns,
		.user_only = a->user_only,
		.kernel_only = a->kernel_only,
		.per_thread = a->per_thread,
		.stream = a->stream,
		.children = a->children || (a->command && !a->no_children),
		.idle = a->idle,
		.no_kthreads = a->no_kthreads,
		.max_stack = (uint32_t)a->max_stack,
		.unwind = (enum leat_unwind_mode)a->unwind,
		.anonymize = a->anonymize,
		.ring_bytes = a->buffer_bytes,
		.unwind_memory = a->unwind_memory,
		.unwind_cache = a->unwind_cache,
		.title = a->title,
	};
	leat_cli_target_make(a, &out->target);
}

void leat_cli_target_name(const struct leat_cli_args *a, char out[32], uint32_t *tgid)
{
	struct leat_target t;

	if (a->command) {
		const char *slash = strrchr(a->command[0], '/');

		snprintf(out, 32, "%s", slash ? slash + 1 : a->command[0]);
		*tgid = 0;
		return;
	}
	leat_cli_target_make(a, &t);
	leat_live_target_name(&t, out, tgid);
}

void leat_cli_target_text(const struct leat_cli_args *a, struct leat_buf *b)
{
	char name[32] = "";
	uint32_t tgid = 0;

	leat_cli_target_name(a, name, &tgid);
	if (a->command) {
		leat_buf_str(b, "the command ");
		leat_cli_clean(b, name, sizeof(name));
		return;
	}
	if (!tgid) {
		leat_buf_str(b, a->uids.n ? "the processes of a user" : "every process");
		return;
	}
	/* The name stands for the first thread only where no other kind of target named it. */
	if (a->tids.n && tgid == a->tids.items[0] && !a->pids.n && !a->names.n) {
		leat_buf_printf(b, "thread %u of ", tgid);
		leat_cli_clean(b, name, sizeof(name));
	} else {
		leat_cli_clean(b, name, sizeof(name));
		leat_buf_printf(b, " (pid %u)", tgid);
	}
	if (a->pids.n + a->tids.n > 1)
		leat_buf_printf(b, " and %zu more", a->pids.n + a->tids.n - 1);
	else if (!a->pids.n && !a->tids.n)
		leat_buf_str(b, " and others like it");
}
