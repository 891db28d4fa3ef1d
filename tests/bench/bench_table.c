/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bench_table.py asks of the kernel's interfaces:
 *
 *	bench_table turns HZ MS ROUNDS WHO=PROFILER:TID[,TID...]...
 *		Run time of profilers' programs by sample, turn by turn within each round. The program
 *		is the one that the running process PROFILER has loaded, but the events are our own, on
 *		the target's threads: every run is a sample of it, whatever else the machine does. WHO
 *		is leat, bee, or stackid (PROFILER 0: the bare bpf_get_stackid + count).
 *	bench_table programs PROFILER
 *		The programs that it holds: number, name, verified instructions, run time in ns.
 *	bench_table first COMMAND...
 *		Runs "leat record ..." and says after how many ms the kernel side has walked a stack
 *		by itself, to its end.
 *	bench_table load ROUNDS FILE...
 *		The files' unwind tables into the kernel: rows, ms, bytes of kernel memory.
 *
 * Prints words and numbers, one line each; the tables are made of them by the script.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/peer_stackid.skel.h"
#include "engine/features.h"
#include "engine/tables.h"
#include "leat_stat.h"
#include "unwind/table.h"

#define SIDES_MAX   8
#define TIDS_MAX    16
#define RUNS_MIN    100
#define TURN_MS_MAX 20000
#define LOAD_MS_MAX 30000
#define WARM_TURNS  4
#define WARM_MS	    500
#define WARM_RUNS   400
#define STATS	    32 /* words of a value of leat_stats */

/* One of those who are measured. */
struct side {
	const char *who;
	int prog_fd;
	int stats_fd; /* of leat's counters; -1 */
	int events[TIDS_MAX];
	size_t event_cnt;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench_table: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct bpf_prog_info info_of(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		fail("bpf_obj_get_info_by_fd");
	return info;
}

/* ---- what a process holds ---- */

/* Calls @fn with the number that stands behind @key in the fdinfo of each descriptor that has it. */
static void each_held(int pid, const char *key, void (*fn)(void *ctx, unsigned int id), void *ctx)
{
	char path[64], name[320], line[256];
	const struct dirent *d;
	unsigned int id;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	if (!dir)
		fail(path);
	while ((d = readdir(dir))) {
		FILE *f;

		snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
		f = d->d_name[0] == '.' ? NULL : fopen(name, "r");
		while (f && fgets(line, sizeof(line), f))
			if (!strncmp(line, key, strlen(key)) &&
			    sscanf(line + strlen(key), ":%u", &id) == 1)
				fn(ctx, id);
		if (f)
			fclose(f);
	}
	closedir(dir);
}

struct search {
	const char *name;
	int fd;
};

static void take_prog(void *ctx, unsigned int id)
{
	struct search *s = ctx;
	int fd = s->fd < 0 ? bpf_prog_get_fd_by_id(id) : -1;

	if (fd >= 0 && !strcmp(info_of(fd).name, s->name))
		s->fd = fd;
	else if (fd >= 0)
		close(fd);
}

static void take_map(void *ctx, unsigned int id)
{
	struct search *s = ctx;
	int fd = s->fd < 0 ? bpf_map_get_fd_by_id(id) : -1;
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);

	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, s->name))
		s->fd = fd;
	else if (fd >= 0)
		close(fd);
}

/* Waits until the process has loaded it. */
static int held_prog(int pid, const char *name)
{
	struct search s = { name, -1 };

	for (int waited = 0; s.fd < 0 && waited < LOAD_MS_MAX; waited += 100) {
		each_held(pid, "prog_id", take_prog, &s);
		if (s.fd < 0)
			usleep(100000);
	}
	if (s.fd < 0) {
		errno = ENOENT;
		fail(name);
	}
	return s.fd;
}

/* -1: it has none (yet). */
static int held_map(int pid, const char *name)
{
	struct search s = { name, -1 };

	each_held(pid, "map_id", take_map, &s);
	return s.fd;
}

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}

/* Leat's counters, of all CPUs. */
static void read_stats(int fd, __u64 sum[STATS])
{
	const int cpus = libbpf_num_possible_cpus();
	const __u32 zero = 0;
	__u64 *all = calloc((size_t)cpus, STATS * sizeof(*all));

	memset(sum, 0, STATS * sizeof(*sum));
	if (!all || (fd >= 0 && bpf_map_lookup_elem(fd, &zero, all)))
		fail("leat_stats");
	for (int i = 0; i < cpus * STATS; i++)
		sum[i % STATS] += all[i];
	free(all);
}

/* ---- turns ---- */

static int open_event(pid_t tid, int hz, int prog_fd)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.freq = 1,
					.sample_freq = (__u64)hz,
					.disabled = 1 };
	int fd = (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd))
		fail("perf event");
	return fd;
}

static int stackid_prog(void)
{
	static struct peer_stackid *peer; /* lives as long as the program */

	peer = peer_stackid__open_and_load();
	if (!peer)
		fail("peer_stackid");
	return bpf_program__fd(peer->progs.peer_sample);
}

/* WHO=PROFILER:TID[,TID...] */
static void make_side(struct side *s, char *arg, int hz)
{
	char *profiler = strchr(arg, '='), *tid = profiler ? strchr(profiler, ':') : NULL;
	int pid;

	if (!tid) {
		errno = EINVAL;
		fail(arg);
	}
	*profiler = *tid = 0;
	pid = (int)strtol(profiler + 1, NULL, 10);
	*s = (struct side){ .who = arg, .stats_fd = -1 };
	if (!pid)
		s->prog_fd = stackid_prog();
	else
		s->prog_fd = held_prog(pid, strcmp(arg, "bee") ? "leat_sample" : "profile_cpu");
	if (pid && strcmp(arg, "bee")) {
		s->stats_fd = held_map(pid, "leat_stats");
		if (s->stats_fd < 0)
			fail("leat_stats");
	}
	for (tid++; *tid && s->event_cnt < TIDS_MAX; tid += *tid == ',')
		s->events[s->event_cnt++] =
			open_event((pid_t)strtol(tid, &tid, 10), hz, s->prog_fd);
}

static void switch_events(const struct side *s, bool on)
{
	for (size_t i = 0; i < s->event_cnt; i++)
		ioctl(s->events[i], on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

/* who us-a-run runs frames misses raw reads, the last four leat's alone */
static void turn(const struct side *s, int ms, __u64 runs_min, bool print)
{
	const struct bpf_prog_info before = info_of(s->prog_fd);
	struct bpf_prog_info after = before;
	__u64 had[STATS], has[STATS], runs;

	read_stats(s->stats_fd, had);
	switch_events(s, true);
	for (int waited = 0; waited < ms || after.run_cnt < before.run_cnt + runs_min;
	     waited += 10) {
		if (waited > TURN_MS_MAX)
			break; /* the machine is too busy to run the target */
		usleep(10000);
		after = info_of(s->prog_fd);
	}
	switch_events(s, false);
	after = info_of(s->prog_fd);
	read_stats(s->stats_fd, has);
	runs = after.run_cnt - before.run_cnt;
	if (!runs) {
		errno = ENODATA;
		fail(s->who);
	}
	if (print)
		printf("%s %.4f %llu %llu %llu %llu %llu\n", s->who,
		       (double)(after.run_time_ns - before.run_time_ns) / (double)runs / 1e3,
		       (unsigned long long)runs,
		       (unsigned long long)(has[LEAT_STAT_N_TABLE_FRAMES] -
					    had[LEAT_STAT_N_TABLE_FRAMES]),
		       (unsigned long long)(has[LEAT_STAT_N_TABLE_MISS] -
					    had[LEAT_STAT_N_TABLE_MISS]),
		       (unsigned long long)(has[LEAT_STAT_RAW] - had[LEAT_STAT_RAW]),
		       (unsigned long long)(has[LEAT_STAT_N_WINDOW_READ] -
					    had[LEAT_STAT_N_WINDOW_READ]));
}

/* The first turns of all warm up: tables are built, caches filled. */
static int turns(int argc, char **argv)
{
	static struct side sides[SIDES_MAX];
	const int hz = (int)strtol(argv[0], NULL, 10), ms = (int)strtol(argv[1], NULL, 10);
	const int rounds = (int)strtol(argv[2], NULL, 10), cnt = argc - 3;

	if (cnt > SIDES_MAX || bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
		fail("cannot enable BPF statistics");
	for (int i = 0; i < cnt; i++)
		make_side(&sides[i], argv[3 + i], hz);
	for (int i = 0; i < WARM_TURNS * cnt; i++)
		turn(&sides[i % cnt], WARM_MS, WARM_RUNS, false);
	for (int r = 0; r < rounds; r++)
		for (int i = 0; i < cnt; i++)
			turn(&sides[i], ms, RUNS_MIN, true);
	return 0;
}

/* ---- programs ---- */

static void print_prog(void *ctx, unsigned int id)
{
	int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info;

	(void)ctx;
	if (fd < 0)
		return;
	info = info_of(fd);
	printf("%u %s %u %llu\n", id, info.name, info.verified_insns,
	       (unsigned long long)info.run_time_ns);
	close(fd);
}

/* ---- first ---- */

/* The first sample that was neither sent to user space whole nor cut for want of a table. */
static bool has_walked(int stats_fd)
{
	__u64 v[STATS];

	if (stats_fd < 0)
		return false;
	read_stats(stats_fd, v);
	return v[LEAT_STAT_COUNTED] > v[LEAT_STAT_N_RAW_UNSENT];
}

static int first(char **argv)
{
	const unsigned long long begin = now_ns();
	int status, stats_fd = -1;
	pid_t pid = fork();

	if (!pid) {
		execv(argv[0], argv);
		_exit(127);
	}
	while (!has_walked(stats_fd)) {
		if (waitpid(pid, &status, WNOHANG)) {
			fprintf(stderr, "bench_table: %s ended before that\n", argv[0]);
			return 1;
		}
		usleep(1000);
		if (stats_fd < 0)
			stats_fd = held_map(pid, "leat_stats");
	}
	printf("%.1f\n", (double)(now_ns() - begin) / 1e6);
	return waitpid(pid, &status, 0) != pid || status;
}

/* ---- load ---- */

/* Memory of a map as the kernel counts it. */
static unsigned long long memory_of(int fd)
{
	char path[64], line[128];
	unsigned long long bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "memlock: %llu", &bytes);
	if (f)
		fclose(f);
	return bytes;
}

static struct leat_unwind_table *build(const char *path, struct leat_unwind_rules *rules)
{
	LEAT_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	LEAT_AUTO(leat_elf_free) struct leat_elf *e = NULL;
	struct leat_unwind_table *t = NULL;

	if (fd < 0 || leat_elf_open(&e, fd) || leat_unwind_table_build(&t, e, NULL, rules))
		fail(path);
	return t;
}

/* path rows ms bytes: as a recording does it (live/tables_build.c), the best of @rounds. */
static void load_one(const char *path, int rounds, struct leat_unwind_rules *rules)
{
	struct leat_unwind_table *t = build(path, rules);
	unsigned long long best = ~0ull, memory = 0;

	for (int i = 0; i < rounds; i++) {
		const unsigned long long begin = now_ns();
		size_t bytes;
		void *mem;
		int fd;

		if (leat_engine_table_new(NULL, t->block_cnt, &mem, &bytes, &fd))
			fail("leat_engine_table_new");
		memcpy(mem, t->blocks, (size_t)leat_unwind_table_bytes(t));
		best = now_ns() - begin < best ? now_ns() - begin : best;
		memory = memory_of(fd);
		munmap(mem, bytes);
		close(fd);
	}
	printf("%s %u %.3f %llu\n", path, t->row_cnt, (double)best / 1e6, memory);
	leat_unwind_table_free(&t);
}

static int load(int argc, char **argv)
{
	LEAT_AUTO(leat_unwind_rules_free) struct leat_unwind_rules *rules = NULL;
	const int rounds = (int)strtol(argv[0], NULL, 10);

	if (leat_unwind_rules_new(&rules))
		return 1;
	for (int i = 1; i < argc; i++)
		load_one(argv[i], rounds > 0 ? rounds : 1, rules);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 5 && !strcmp(argv[1], "turns"))
		return turns(argc - 2, argv + 2);
	if (argc == 3 && !strcmp(argv[1], "programs")) {
		each_held((int)strtol(argv[2], NULL, 10), "prog_id", print_prog, NULL);
		return 0;
	}
	if (argc > 3 && !strcmp(argv[1], "load"))
		return load(argc - 2, argv + 2);
	if (argc > 2 && !strcmp(argv[1], "first"))
		return first(argv + 2);
	fprintf(stderr, "usage: %s turns|programs|first|load ...\n", argv[0]);
	return 2;
}
