/* SPDX-License-Identifier: BSD-2-Clause */
/* What this kernel offers: probed, never assumed from its version. Results are kept (tri-state). */
#ifndef LEAT_ENGINE_FEATURES_H
#define LEAT_ENGINE_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/engine.h"

enum leat_feature {
	LEAT_FEATURE_BTF = 0,
	LEAT_FEATURE_RINGBUF = 1,
	LEAT_FEATURE_PERF_EVENT_PROG = 2,
	LEAT_FEATURE_RAW_TP_TEST_RUN = 3,
	LEAT_FEATURE_TASK_PT_REGS = 4,
	LEAT_FEATURE_BPF_LOOP = 5,
	LEAT_FEATURE_FIND_VMA = 6,
	LEAT_FEATURE_FORMAT_LOST = 7,
	LEAT_FEATURE_PMU = 8,
	LEAT_FEATURE_FENTRY = 9,
	LEAT_FEATURE_KPROBE = 10,
	LEAT_FEATURE_MEMCG_ACCOUNTING = 11,
	LEAT_FEATURE_KSYMS = 12,
	LEAT_FEATURE__MAX
};

struct leat_feature_row {
	enum leat_feature id;
	const char *name;
	const char *since; /* first release, for the reader */
	const char *use;   /* what leat does with it; what happens without */
	bool required;
};

const struct leat_feature_row *leat_feature_at(size_t i); /* NULL past the end */
/* 1 there, 0 absent, negative errno: could not be probed (not privileged). */
int leat_feature_probe(enum leat_feature f);

/* Events by the names perf uses. -ENOENT unknown. */
int leat_perf_event_find(const char *name, struct leat_perf_event *out) LEAT_MUST_USE;
/* All known events; NULL past the end. */
const struct leat_perf_event *leat_perf_event_at(size_t i);
/* Opens and closes it once: 0, or why not (-ENOENT no PMU, -EACCES, -EBUSY, ...). */
int leat_perf_event_try(const struct leat_perf_event *ev) LEAT_MUST_USE;

#endif
