/* SPDX-License-Identifier: BSD-2-Clause */
/* What the target used and what leat itself cost: measured beside the samples, never from them. */
#ifndef LEAT_LIVE_COST_H
#define LEAT_LIVE_COST_H

#include "base/cleanup.h"
#include "live/plan.h"
#include "profile/verdict.h"

#define LEAT_METER_MAX 4096 /* processes whose CPU time is followed */

struct leat_meter_item {
	uint32_t tgid;
	uint32_t ppid;
	bool gone;
	uint64_t first_ns, last_ns; /* CPU time of the process, dead threads included */
	uint64_t first_waited_ns, last_waited_ns; /* of its children that it has waited for */
};

enum leat_meter_kind {
	LEAT_METER_NONE = 0, /* what the target used cannot be told */
	LEAT_METER_PROCESSES = 1,
	LEAT_METER_THREADS = 2,
	LEAT_METER_CGROUPS = 3,
	LEAT_METER_HOST = 4, /* all that was not idle */
};

/* CPU time of the target while recording. */
struct leat_meter {
	enum leat_meter_kind kind;
	const struct leat_plan *plan;	  /* borrowed */
	const struct leat_target *target; /* borrowed */
	struct leat_meter_item *items;
	size_t n, cap;
	enum leat_unknown unknown; /* of _NONE: why */
	bool partial; /* more processes than LEAT_METER_MAX: the sum is too small, and not known */
	uint64_t gone_ns; /* of processes that have ended */
	unsigned int rounds;
	uint64_t base_ns; /* others than _PROCESSES: at the start */
};

void leat_meter_begin(struct leat_meter *m, const struct leat_plan *p, const struct leat_target *t);
void leat_meter_fini(struct leat_meter *m);
/* One more process; @born: during the recording, so all its CPU time counts. */
void leat_meter_add(struct leat_meter *m, uint32_t tgid, bool born);
/* Reads the clocks of all that are alive; a process's last reading stays when it has gone. */
void leat_meter_update(struct leat_meter *m);
/* Whether leat_meter_ns says what the target used. */
bool leat_meter_knows(const struct leat_meter *m);
/* Why it does not. */
enum leat_unknown leat_meter_unknown(const struct leat_meter *m);
/* CPU time so far. */
uint64_t leat_meter_ns(const struct leat_meter *m);

/* leat's own. */
struct leat_cost {
	uint64_t start_ns, start_cpu_ns;
};
uint64_t leat_cost_cpu_ns(void);
uint64_t leat_cost_rss_peak(void);

/*
 * Samples wanted and lost to the kernel: v->target_cpu_ns at @hz, against the @asked samples that
 * reached our program and the @unwanted ones of the target that were not asked for. Within half a percent (5 % when the kernel only aims at @hz: @loose) they
 * are the same: clocks are not exact.
 */
void leat_cost_wanted(struct leat_verdict *v, uint64_t hz, uint64_t asked, uint64_t unwanted,
		      bool loose);
/* BPF run time, scaled from the timed samples to all. */
uint64_t leat_cost_bpf_ns(const uint64_t stat[LEAT_STAT__MAX]);
/* Samples that were asked for: delivered or lost, not filtered. */
uint64_t leat_cost_asked(const uint64_t stat[LEAT_STAT__MAX]);

#endif
