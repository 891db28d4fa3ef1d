/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Polls several sources so that the session sees the environment of a sample before the sample:
 * each round takes one time, and every source delivers what is not younger, in order of addition
 * (environment first). A count is drained from a table that was closed a round before, so all its
 * samples are older than the round's time.
 *
 * Sources that hand out their records (.next) are merged by time (event/merge.h), in the place of
 * the first of them.
 */
#ifndef LEAT_EVENT_PUMP_H
#define LEAT_EVENT_PUMP_H

#include <leat/event.h>

#include "base/cleanup.h"

#define LEAT_PUMP_MAX_SOURCES 1024

struct leat_merge;

struct leat_pump {
	struct leat_bus *bus;	     /* borrowed */
	struct leat_source *sources; /* in order of addition */
	size_t source_cnt;
	size_t source_cap;
	size_t opened_cnt;
	size_t started_cnt;
	struct leat_merge *merge; /* NULL: no source hands out its records */
};

void leat_pump_init(struct leat_pump *p, struct leat_bus *bus);
int leat_pump_add(struct leat_pump *p, struct leat_source s) LEAT_MUST_USE;
int leat_pump_open(struct leat_pump *p) LEAT_MUST_USE;
int leat_pump_start(struct leat_pump *p) LEAT_MUST_USE;
/* One round at @now_ns (UINT64_MAX: until nothing is left). Number of records, or -errno. */
int leat_pump_round(struct leat_pump *p, uint64_t now_ns) LEAT_MUST_USE;
int leat_pump_stop(struct leat_pump *p) LEAT_MUST_USE;
/* What all sources together have counted: what any of them lost, is lost. */
void leat_pump_stats(const struct leat_pump *p, struct leat_source_stats *out);
/* Records that were merged after younger ones (they are delivered all the same). */
uint64_t leat_pump_late(const struct leat_pump *p);
/* Closes the sources and forgets them. */
void leat_pump_close(struct leat_pump *p);

#endif
