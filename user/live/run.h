/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording under way: shared by record.c, loop.c, finish.c, and source.c, where the bus and the
 * session are those of a library user.
 */
#ifndef LEAT_LIVE_RUN_H
#define LEAT_LIVE_RUN_H

#include "engine/engine.h"
#include "engine/probes.h"
#include "event/pump.h"
#include "live/command.h"
#include "live/cost.h"
#include "live/env.h"
#include "live/files.h"
#include "live/plan.h"
#include "live/tables.h"
#include "session/session.h"

/* --anonymize and -o run.leat: records are changed on their way into the file. */
struct leat_run_capture {
	uint8_t record[8192];		      /* LEAT_PATH_MAX and what stands before it */
	struct leat_field_reader *path, *exe; /* of env/mmap and env/process */
	unsigned int ticks;
};

#define LEAT_TICK_NS	 100000000u /* a round: drain, clocks, ends */
#define LEAT_PROGRESS_NS 250000000u

/* A process (or thread) whose end may end the recording. */
struct leat_watch {
	uint32_t id;
	int fd; /* pidfd; -1: looked for in /proc */
	bool gone;
};

struct leat_run {
	const struct leat_live_opts *o;
	struct leat_diag *diag;
	struct leat_plan plan;
	struct leat_command command;
	struct leat_files *files;
	struct leat_env *env;
	struct leat_engine *engine;
	struct leat_tables *tables; /* NULL: by frame pointer */
	struct leat_probes *probes; /* NULL: no tracepoints */
	struct leat_table_cache *cache;
	struct leat_bus *bus;
	struct leat_session *session;
	struct leat_process_cell_readonly processes; /* what it knows of them */
	struct leat_pump pump;
	struct leat_meter meter;
	struct leat_run_capture capture;

	int epoll_fd;
	struct leat_watch *watches;
	size_t watch_cnt, watch_gone;
	uint64_t env_next_ns; /* the side band is not read before, and does not wake us */
	uint64_t env_gap_ns;
	bool env_quiet; /* its wake-ups are off until env_next_ns */

	uint64_t begin_ns;	   /* of leat_live_record */
	uint64_t start_ns, end_ns; /* of sampling, CLOCK_MONOTONIC */
	uint64_t start_real_ns;
	uint64_t start_cpu_ns;
	uint64_t next_tick_ns, next_progress_ns;
	unsigned int ticks;
	uint64_t self_cpu_ns; /* while recording */
	uint64_t rss_bytes;
	bool target_gone;
	int stop_signal; /* 0: none came */
};

void leat_run_init(struct leat_run *r, const struct leat_live_opts *o, struct leat_diag *diag);
/* Finds the target, makes the parts, loads the BPF programs. */
int leat_run_prepare(struct leat_run *r) LEAT_MUST_USE;
/* Opens the sources on r->bus. */
int leat_run_open(struct leat_run *r) LEAT_MUST_USE;
/* The session that the samples go to; r->session is its from now on. */
void leat_run_set_session(struct leat_run *r, struct leat_session *s);
/* The rest of what listens; the session is attached. Fills the kernel side's sets. */
int leat_run_attach(struct leat_run *r) LEAT_MUST_USE;
/* Begins to sample. */
int leat_run_start(struct leat_run *r) LEAT_MUST_USE;
int leat_run_stop(struct leat_run *r) LEAT_MUST_USE;
/* Frees the session and the bus, unless they are NULL, and all else. */
void leat_run_fini(struct leat_run *r);
/* Watches the target, opens the epoll set. */
int leat_run_watch(struct leat_run *r) LEAT_MUST_USE;
/* Until the duration, a signal, or the target's end. */
int leat_run_loop(struct leat_run *r) LEAT_MUST_USE;
/* One call of on_progress. */
void leat_run_progress(struct leat_run *r, uint64_t now_ns);
/* Who of the target has ended, without waiting; whether all have. */
bool leat_run_target_ended(struct leat_run *r);
/* What only live knows of a finished session's profile: the verdict's figures. */
void leat_run_verdict(const struct leat_run *r, struct leat_profile *p);
/* What was recorded, and the names of all frames. */
int leat_run_name(struct leat_run *r, struct leat_profile *p) LEAT_MUST_USE;
/* From the stop to a finished profile. */
int leat_run_finish(struct leat_run *r, struct leat_live_result *out) LEAT_MUST_USE;
/* Home directories become "~", once all is named. */
int leat_run_anonymize(struct leat_profile *p) LEAT_MUST_USE;
/* What comes after /home/NAME or /root, borrowed; NULL when it is nobody's. */
const char *leat_below_home(const char *path);
/* o->capture, if there is one: before the session attaches, when sampling has begun, a round. */
int leat_run_capture_begin(struct leat_run *r) LEAT_MUST_USE;
int leat_run_capture_started(struct leat_run *r) LEAT_MUST_USE;
void leat_run_capture_tick(struct leat_run *r);
/* The finished profile. An error is the writer's: leat_capture_writer_error, or no end mark. */
void leat_run_capture_end(struct leat_run *r, const struct leat_profile *p);
/* Before the bus goes. */
void leat_run_capture_detach(struct leat_run *r);
/* What was recorded, into the profile's header. */
int leat_run_meta(const struct leat_run *r, struct leat_profile *p) LEAT_MUST_USE;

#endif
