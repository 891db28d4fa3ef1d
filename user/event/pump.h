/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Polls several sources so that the session sees the environment of a sample before the sample:
 * each round takes one time, and every source delivers what is not younger, in order of addition
 * (environment first). A count is drained from a table that was closed a round before, so all its
 * samples are older than the round's time.
 */
#ifndef LEAT_EVENT_PUMP_H
#define LEAT_EVENT_PUMP_H

#include <leat/event.h>

#include "base/cleanup.h"

#define LEAT_PUMP_MAX_SOURCES 8

struct leat_pump {
	struct leat_bus *bus; /* borrowed */
	struct leat_source sources[LEAT_PUMP_MAX_SOURCES];
	size_t source_cnt;
	size_t opened_cnt;
	size_t started_cnt;
};

void leat_pump_init(struct leat_pump *p, struct leat_bus *bus);
int leat_pump_add(struct leat_pump *p, struct leat_source s) LEAT_MUST_USE;
int leat_pump_open(struct leat_pump *p) LEAT_MUST_USE;
int leat_pump_start(struct leat_pump *p) LEAT_MUST_USE;
/* One round at @now_ns (UINT64_MAX: until nothing is left). Number of records, or -errno. */
int leat_pump_round(struct leat_pump *p, uint64_t now_ns) LEAT_MUST_USE;
int leat_pump_stop(struct leat_pump *p) LEAT_MUST_USE;
void leat_pump_close(struct leat_pump *p);

#endif
