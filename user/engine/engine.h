/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side as user space sees it: BPF objects, perf events, rings. The only user of libbpf.
 * Life: leat_engine_open (open, configure, load) -> leat_engine_source -> open, start, poll, stop,
 * close -> leat_engine_free. One thread.
 */
#ifndef LEAT_ENGINE_ENGINE_H
#define LEAT_ENGINE_ENGINE_H

#include <leat/event.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "leat_cfg.h"
#include "leat_stat.h"

struct leat_engine;

/* A perf event to sample on. */
struct leat_perf_event {
	char name
		[64]; /* as perf names it: "cycles", "cpu-clock", "page-faults", "L1-dcache-load-misses" */
	uint32_t type;	 /* PERF_TYPE_* */
	uint64_t config; /* PERF_COUNT_* */
	bool hardware;	 /* samples arrive in NMI */
	bool time_based; /* frequency means samples a second of CPU time */
};

struct leat_engine_opts {
	struct leat_cfg cfg; /* what to collect; slot_bits, ring_*, seed are filled by the engine */
	struct leat_perf_event event;
	uint64_t freq_hz;     /* 0: use period */
	uint64_t period;      /* 0: use freq_hz */
	const uint32_t *cpus; /* CPUs to sample on (online ones) */
	size_t cpu_cnt;
	size_t ring_bytes; /* all main rings together; 0: 2 MiB */
	uint32_t ring_cnt; /* 0: chosen by the number of CPUs */
	size_t set_max;	   /* processes in the set; 0: 32,768 */
	/* with cfg.unwind */
	uint32_t space_max; /* processes whose mappings the kernel side knows; 0: 4,096 */
	uint32_t range_max; /* mappings of all of them; 0: 32,768 */
	uint32_t exe_max;   /* binaries; 0: 4,096 */
};

/*
 * leat_engine_open - open, configure and load the BPF object. No sample is taken yet, but the set of
 * processes is kept right from here on: forks, exits and execs change it.
 * Errors: -EPERM not privileged, -ENOTSUP kernel lacks something (no BTF, too old), others from the
 * kernel; @diag says what, why (last verifier lines), and the fix.
 */
int leat_engine_open(struct leat_engine **out, const struct leat_engine_opts *opts,
		     struct leat_diag *diag) LEAT_MUST_USE;
void leat_engine_free(struct leat_engine **e);

/* Ops: open registers formats from BTF; start opens and enables perf events on each CPU; poll beats
 * the heartbeat, switches epochs and drains at most every drain_ms, consumes the rings. */
struct leat_source leat_engine_source(struct leat_engine *e);
/* Diagnosis of the last failed source op (start: perf_event_open refused, and why). */
const struct leat_diag *leat_engine_diag(const struct leat_engine *e);
/* The control ring, for epoll: wakes at once. It is consumed by the source's poll, or here alone. */
int leat_engine_control_fd(const struct leat_engine *e);
int leat_engine_poll_control(struct leat_engine *e, struct leat_bus *bus) LEAT_MUST_USE;

/*
 * Process and thread sets, at any time between open and free. @bits: LEAT_SET_*, or-ed in / cleared.
 * -EOVERFLOW: the set is full.
 */
int leat_engine_set_tgid(struct leat_engine *e, uint32_t tgid, uint32_t bits) LEAT_MUST_USE;
int leat_engine_clear_tgid(struct leat_engine *e, uint32_t tgid, uint32_t bits) LEAT_MUST_USE;
int leat_engine_set_tid(struct leat_engine *e, uint32_t tid) LEAT_MUST_USE;

/* Counters of the kernel side summed over CPUs, at any time. */
int leat_engine_stats(const struct leat_engine *e, uint64_t out[LEAT_STAT__MAX]) LEAT_MUST_USE;
/* Which event is really in use (a busy or missing PMU falls back to cpu-clock), and why. */
const struct leat_perf_event *leat_engine_event(const struct leat_engine *e);
const char *leat_engine_event_note(const struct leat_engine *e); /* "" when as asked */
/* Bytes of kernel memory in maps (fdinfo memlock), and share of the fullest ring, percent. */
size_t leat_engine_map_bytes(const struct leat_engine *e);
unsigned int leat_engine_ring_fill_percent(const struct leat_engine *e);

#endif
