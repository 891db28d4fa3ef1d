/* SPDX-License-Identifier: BSD-2-Clause */
/* Perf events by the names that perf uses. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/features.h"

#define HW(n, c)                                                                                   \
	{                                                                                          \
		.name = (n), .type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_##c,              \
		.hardware = true                                                                   \
	}
#define SW(n, c, t)                                                                                \
	{                                                                                          \
		.name = (n), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_##c,              \
		.time_based = (t)                                                                  \
	}
#define CACHE(n, cache, op, result)                                                                \
	{                                                                                          \
		.name = (n), .type = PERF_TYPE_HW_CACHE,                                           \
		.config = PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_##op << 8 |         \
			  PERF_COUNT_HW_CACHE_RESULT_##result << 16,                               \
		.hardware = true                                                                   \
	}
#define CACHE_RW(n, cache)                                                                         \
	CACHE(n "-loads", cache, READ, ACCESS), CACHE(n "-load-misses", cache, READ, MISS),        \
		CACHE(n "-stores", cache, WRITE, ACCESS),                                          \
		CACHE(n "-store-misses", cache, WRITE, MISS)

static const struct leat_perf_event events[] = {
	HW("cycles", CPU_CYCLES),
	HW("instructions", INSTRUCTIONS),
	HW("cache-references", CACHE_REFERENCES),
	HW("cache-misses", CACHE_MISSES),
	HW("branches", BRANCH_INSTRUCTIONS),
	HW("branch-misses", BRANCH_MISSES),
	HW("bus-cycles", BUS_CYCLES),
	HW("stalled-cycles-frontend", STALLED_CYCLES_FRONTEND),
	HW("stalled-cycles-backend", STALLED_CYCLES_BACKEND),
	HW("ref-cycles", REF_CPU_CYCLES),
	SW("cpu-clock", CPU_CLOCK, true),
	SW("task-clock", TASK_CLOCK, true),
	SW("page-faults", PAGE_FAULTS, false),
	SW("minor-faults", PAGE_FAULTS_MIN, false),
	SW("major-faults", PAGE_FAULTS_MAJ, false),
	SW("context-switches", CONTEXT_SWITCHES, false),
	SW("cpu-migrations", CPU_MIGRATIONS, false),
	SW("alignment-faults", ALIGNMENT_FAULTS, false),
	SW("emulation-faults", EMULATION_FAULTS, false),
	CACHE_RW("L1-dcache", L1D),
	CACHE("L1-dcache-prefetches", L1D, PREFETCH, ACCESS),
	CACHE("L1-icache-loads", L1I, READ, ACCESS),
	CACHE("L1-icache-load-misses", L1I, READ, MISS),
	CACHE_RW("LLC", LL),
	CACHE_RW("dTLB", DTLB),
	CACHE("iTLB-loads", ITLB, READ, ACCESS),
	CACHE("iTLB-load-misses", ITLB, READ, MISS),
	CACHE("branch-loads", BPU, READ, ACCESS),
	CACHE("branch-load-misses", BPU, READ, MISS),
	CACHE_RW("node", NODE),
};

/* Other names of the same events, as perf accepts them. */
static const struct {
	const char *alias;
	const char *name;
} aliases[] = {
	{ "cpu-cycles", "cycles" },
	{ "branch-instructions", "branches" },
	{ "idle-cycles-frontend", "stalled-cycles-frontend" },
	{ "idle-cycles-backend", "stalled-cycles-backend" },
	{ "faults", "page-faults" },
	{ "cs", "context-switches" },
	{ "migrations", "cpu-migrations" },
};

const struct leat_perf_event *leat_perf_event_at(size_t i)
{
	return i < LEAT_ARRAY_SIZE(events) ? &events[i] : NULL;
}

/* rNNN: a raw code of this CPU, in hexadecimal. */
static int find_raw(const char *name, struct leat_perf_event *out)
{
	struct leat_perf_event ev = { .type = PERF_TYPE_RAW, .hardware = true };
	char *end;

	if (name[0] != 'r' || !name[1] || strspn(name + 1, "0123456789abcdefABCDEF") > 16)
		return -ENOENT;
	ev.config = strtoull(name + 1, &end, 16);
	if (*end || strspn(name + 1, "0123456789abcdefABCDEF") != strlen(name + 1))
		return -ENOENT;
	snprintf(ev.name, sizeof(ev.name), "%s", name);
	*out = ev;
	return 0;
}

int leat_perf_event_find(const char *name, struct leat_perf_event *out)
{
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(aliases); i++) {
		if (!strcmp(name, aliases[i].alias)) {
			name = aliases[i].name;
			break;
		}
	}
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(events); i++) {
		if (!strcmp(name, events[i].name)) {
			*out = events[i];
			return 0;
		}
	}
	return find_raw(name, out);
}

/* On this process rather than on a CPU: that needs the least privilege, and the PMU answers alike. */
int leat_perf_event_try(const struct leat_perf_event *ev)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = ev->type,
		.config = ev->config,
		.sample_period = 1000000,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}
