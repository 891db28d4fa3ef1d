/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any tracepoints as events: each is an event "system/event" with the format that tracefs shows. The
 * record is the tracepoint's own (common_type at its start); cpu, tgid, tid and time lie beside it.
 * The format has all fields but common_flags and common_preempt_count, which a BPF program cannot
 * know: a filter on them is refused.
 * Life: leat_probes_open -> leat_probes_source -> open, start, poll, stop, close -> leat_probes_free.
 * One thread.
 */
#ifndef LEAT_ENGINE_PROBES_H
#define LEAT_ENGINE_PROBES_H

#include <leat/event.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "leat_stat.h"

#define LEAT_PROBES_MAX	     4096 /* tracepoints of one source */
#define LEAT_PROBES_FIRST_ID 256  /* event ids below are leat's own records */

struct leat_probes;

struct leat_probes_opts {
	const char *const *names; /* "system/event" or "system:event" */
	size_t cnt;
	size_t ring_bytes;  /* 0: 4 MiB; made a power of two of pages */
	uint16_t first_id;  /* of the first event; 0: LEAT_PROBES_FIRST_ID */
	uint32_t self_tgid; /* filtered in the kernel; 0: nothing is */
	uint32_t only_tgid; /* filtered in the kernel; 0: all processes */
	uint64_t pidns_dev; /* leat's pid namespace, as in struct leat_cfg */
	uint64_t pidns_ino;
};

/*
 * leat_probes_open - read the formats, load a program for each. Nothing is attached yet.
 * Errors: -ENOENT no such tracepoint, -EINVAL no name of one, -EPERM not privileged, -ENODEV no
 * tracefs, -EOVERFLOW too many or too large; @diag says which and why.
 */
int leat_probes_open(struct leat_probes **out, const struct leat_probes_opts *opts,
		     struct leat_diag *diag) LEAT_MUST_USE;
void leat_probes_free(struct leat_probes **p);
struct leat_source leat_probes_source(struct leat_probes *p);
/* Diagnosis of the last failed source op. */
const struct leat_diag *leat_probes_diag(const struct leat_probes *p);
/* Counters of the kernel side, all CPUs and tracepoints: seen == filtered + delivered + lost. */
int leat_probes_stats(const struct leat_probes *p, uint64_t out[LEAT_STAT__MAX]) LEAT_MUST_USE;
/*
 * How often the kernel ran none of the programs because another one ran on that CPU: lost, and not
 * seen. Kernels before 6.2 do not count it.
 */
uint64_t leat_probes_skipped(const struct leat_probes *p);

#endif
