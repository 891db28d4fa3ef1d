/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live collection on Linux: finds the target, builds the BPF and environment sources, runs the
 * pump, keeps files open, names the profile, measures what leat itself costs. The only part that
 * opens /proc and files of targets. Prints nothing.
 */
#ifndef LEAT_LIVE_LIVE_H
#define LEAT_LIVE_LIVE_H

#include <leat/capture.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "profile/profile.h"

#define LEAT_LIVE_MAX_TARGETS 1024

enum leat_unwind_mode {
	LEAT_UNWIND_AUTO = 0,
	LEAT_UNWIND_FP = 1,
	LEAT_UNWIND_TABLE = 2,
};

/* Members of one kind unite, different kinds intersect. */
struct leat_target {
	uint32_t *pids;
	size_t pid_cnt; /* processes, leat's own pid namespace */
	uint32_t *tids;
	size_t tid_cnt;
	const char **names;
	size_t name_cnt; /* globs on the process's name or executable */
	const char **cgroups;
	size_t cgroup_cnt; /* paths: absolute, or below the cgroup v2 mount */
	uint32_t *uids;
	size_t uid_cnt;
	uint32_t *cpus;
	size_t cpu_cnt;
	bool all;
	char **command; /* NULL-terminated argv to start, or NULL */
};

struct leat_live_progress {
	uint64_t elapsed_ns;
	uint64_t samples;
	uint64_t lost;
	uint64_t stacks;
	unsigned int ring_percent;
	double self_percent; /* of one CPU */
};

struct leat_live_opts {
	struct leat_target target;
	const char *event; /* NULL: cycles where there is a PMU, else cpu-clock */
	uint64_t freq_hz;  /* 0: by period */
	uint64_t period;
	uint64_t duration_ns; /* 0: until stopped or the target's end */
	bool user_only, kernel_only, per_thread, stream, idle, no_kthreads;
	bool children; /* also of a command: the default is the caller's business */
	uint32_t max_stack;
	enum leat_unwind_mode unwind;
	uint64_t unwind_memory;	  /* bytes of unwind tables in the kernel; 0: 64 MB */
	const char *unwind_cache; /* directory of unwind tables; NULL: none */
	bool anonymize;
	size_t ring_bytes; /* 0: default */
	uint32_t ring_cnt; /* 0: default; tests force more */
	const char *title; /* NULL: made up */
	const char *command_line;
	struct leat_capture_writer
		*capture; /* NULL: none; on success it is finished, or has failed */
	/*
	 * Set by a signal handler: 0 go on, else end with the result. A started command that is
	 * still there then gets the signal of this number; after @duration_ns it gets SIGTERM.
	 */
	const volatile sig_atomic_t *stop;
	/* Called at most 4 times a second, and once when sampling has begun (samples == 0, elapsed 0). */
	void (*on_progress)(void *ctx, const struct leat_live_progress *p);
	void *ctx;
};

/* How a started command ended. */
struct leat_live_child {
	bool started;
	bool exited;
	int status; /* wait status */
};

struct leat_live_result {
	struct leat_profile *profile; /* resolved, judged, with verdict; the caller's */
	struct leat_live_child child;
	char event_note[256]; /* "" or why another event than asked for was used */
	bool target_gone;     /* the target ended before the duration */
	uint64_t target_cpu_ns;
};

/*
 * leat_live_record - collect, from finding the target to a finished profile.
 * Errors: negative errno; @diag says what, why, fix, and the exit code (target gone: 4, no samples: 5,
 * privilege: 3, kernel lacks something: 6). On failure @out holds nothing but .child.
 */
int leat_live_record(const struct leat_live_opts *o, struct leat_live_result *out,
		     struct leat_diag *diag) LEAT_MUST_USE;

/* One line of leat doctor. */
enum leat_check_level {
	LEAT_CHECK_PASS = 0,
	LEAT_CHECK_WARN = 1,
	LEAT_CHECK_FAIL = 2, /* the default `record` would not work */
};
struct leat_check {
	enum leat_check_level level;
	char name[48];
	char value[160];       /* what was measured */
	char consequence[256]; /* "" when passed */
	char fix[256];	       /* exact command, "" when none */
};
/* Runs all checks (@pid 0: of the host; else also of that target); free() *@out. */
int leat_live_doctor(uint32_t pid, struct leat_check **out, size_t *n) LEAT_MUST_USE;

/* For `leat list`: all events, with whether they can be sampled here. Calls @fn for each. */
int leat_live_list_events(void (*fn)(void *ctx, const char *name, const char *kind, bool usable,
				     const char *why_not),
			  void *ctx) LEAT_MUST_USE;
/* "nginx" for the default output name: the first process of the target. "leat" when there is none. */
void leat_live_target_name(const struct leat_target *t, char out[32], uint32_t *pid);
/* kernel.perf_event_max_sample_rate, 0 unknown. */
uint64_t leat_live_max_freq(void);

#endif
