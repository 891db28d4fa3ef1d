/* SPDX-License-Identifier: BSD-2-Clause */
/* The line that begins an event in the text of perf script. Private to import/. */
#ifndef LEAT_IMPORT_PERF_HEAD_H
#define LEAT_IMPORT_PERF_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leat_perf_head {
	const char *comm; /* borrowed, as are event and rest */
	size_t comm_n;
	uint32_t pid; /* or the tid, where only one is told */
	uint32_t tid;
	bool pair; /* both are told */
	bool sure; /* a CPU or a time stands behind the pid: it is such a line */
	bool has_time;
	uint16_t cpu; /* UINT16_MAX: not told */
	uint64_t ts_ns;
	uint64_t period; /* 0: not told */
	const char *event;
	size_t event_n;
	const char *rest; /* behind the event: a single frame, or data of a tracepoint */
	size_t rest_n;
};

/*
 * "comm pid/tid [cpu] time: period event:" and what is left of it when fields are not asked for.
 * A comm may hold blanks, digits, colons, brackets: the pid is the first number that a time
 * follows, else a CPU, else an event. False: no such line.
 */
bool leat_perf_head_parse(const char *p, size_t n, struct leat_perf_head *out);

#endif
