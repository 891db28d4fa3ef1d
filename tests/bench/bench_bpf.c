/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run time of the BPF programs, by sample: leat and a bare bpf_get_stackid + count program, turn
 * by turn, on one workload. Events are opened on the workload's thread, so that every run is a
 * sample of it, whatever else the machine does. Prints a markdown table.
 *
 * usage: bench_bpf WL_DEEP [ROUNDS [MILLISECONDS [FRAME-BYTES]]]
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peer_stackid.skel.h"
#include "engine/features.h"
#include "engine/impl.h"

#define ROUNDS_MAX  101
#define HZ	    4999
#define RUNS_MIN    100
#define TURN_MS_MAX 20000

struct config {
	const char *workload;
	int rounds;
	int ms;
	int frame; /* only rows of this size; 0: all */
};

struct row {
	int depth;
	int frame;
	bool sys;
	double bound;
};

static int open_event(pid_t pid, int prog_fd)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.freq = 1,
					.sample_freq = HZ,
					.disabled = 1 };
	int fd = (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd)) {
		perror("perf event");
		exit(1);
	}
	return fd;
}

static struct bpf_prog_info info_of(int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len)) {
		perror("bpf_obj_get_info_by_fd");
		exit(1);
	}
	return info;
}

/* us a run over one turn; the engine, when there is one, is polled as in a recording. */
static double turn(int ev, int prog_fd, int ms, struct leat_engine *e, struct leat_bus *bus)
{
	const struct bpf_prog_info before = info_of(prog_fd);
	struct bpf_prog_info after = before;

	ioctl(ev, PERF_EVENT_IOC_ENABLE, 0);
	for (int waited = 0; waited < ms || after.run_cnt < before.run_cnt + RUNS_MIN;
	     waited += 50) {
		bool more;

		if (waited > TURN_MS_MAX)
			break; /* the machine is too busy to run the workload */
		usleep(50000);
		if (e && leat_engine_source(e).ops->poll(e, bus, UINT64_MAX, &more) < 0)
			exit(1);
		after = info_of(prog_fd);
	}
	ioctl(ev, PERF_EVENT_IOC_DISABLE, 0);
	after = info_of(prog_fd);
	if (after.run_cnt == before.run_cnt) {
		fputs("no samples\n", stderr);
		exit(1);
	}
	return (double)(after.run_time_ns - before.run_time_ns) /
	       (double)(after.run_cnt - before.run_cnt) / 1000.0;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread {
	double low, mid, high;
};

static struct spread spread_of(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return (struct spread){ v[n / 4], v[n / 2], v[n - 1 - n / 4] };
}

static pid_t start_workload(const struct config *c, const struct row *r)
{
	char depth[16], frame[16], ready[8];
	int fds[2];
	pid_t pid;

	snprintf(depth, sizeof(depth), "%d", r->depth);
	snprintf(frame, sizeof(frame), "%d", r->frame);
	if (pipe(fds))
		exit(1);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDOUT_FILENO);
		execl(c->workload, c->workload, depth, frame, r->sys ? "sys" : "user", "600",
		      (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	if (read(fds[0], ready, sizeof(ready)) <= 0) {
		fprintf(stderr, "%s did not start\n", c->workload);
		exit(1);
	}
	close(fds[0]);
	return pid;
}

static struct leat_engine *open_engine(pid_t pid, bool kernel)
{
	static const uint32_t cpus[] = { 0, 1 };
	struct leat_engine_opts o = { .cpus = cpus, .cpu_cnt = 2, .freq_hz = HZ };
	struct leat_diag diag = { 0 };
	struct leat_engine *e = NULL;

	o.cpu_cnt = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1;
	o.cfg.by_process = 1;
	o.cfg.user_stack = 1;
	o.cfg.kernel_stack = kernel;
	o.cfg.max_uframes = 127;
	o.cfg.self_tgid = (uint32_t)getpid();
	if (leat_perf_event_find("cpu-clock", &o.event) || leat_engine_open(&e, &o, &diag) ||
	    leat_engine_set_tgid(e, (uint32_t)pid, LEAT_SET_PROCESS)) {
		fprintf(stderr, "%s: %s\n", diag.what, diag.why);
		exit(1);
	}
	/* Running, but with the bench's own event instead of one on each CPU. */
	e->state = LEAT_ENGINE_RUNNING;
	e->round_ns = leat_engine_now();
	return e;
}

static const char *judge(const struct spread *s, double bound)
{
	if (s->high <= bound)
		return "reached";
	return s->low > bound ? "missed" : "not decided";
}

static void print_row(const struct row *r, const struct spread s[3])
{
	printf("| %s | %d | %d | %.2f (%.2f-%.2f) | %.2f (%.2f-%.2f) | %.2f (%.2f-%.2f) | ",
	       r->sys ? "syscalls" : "user", r->depth, r->frame, s[0].mid, s[0].low, s[0].high,
	       s[1].mid, s[1].low, s[1].high, s[2].mid, s[2].low, s[2].high);
	printf("%.2f | %s |\n", r->bound, judge(&s[2], r->bound));
	fflush(stdout);
}

static void bench_row(const struct config *c, const struct row *r)
{
	static double peer_us[ROUNDS_MAX], leat_us[ROUNDS_MAX], ratio[ROUNDS_MAX];
	const pid_t pid = start_workload(c, r);
	struct peer_stackid *peer = peer_stackid__open();
	struct leat_engine *e = open_engine(pid, r->sys);
	struct leat_bus *bus = NULL;
	struct spread s[3];
	int peer_fd, leat_fd, peer_ev, leat_ev;

	if (!peer || leat_bus_new(&bus) || leat_engine_source(e).ops->open(e, bus))
		exit(1);
	peer->rodata->kernel_too = r->sys;
	if (peer_stackid__load(peer))
		exit(1);
	peer_fd = bpf_program__fd(peer->progs.peer_sample);
	leat_fd = leat_engine_sample_fd(e);
	peer_ev = open_event(pid, peer_fd);
	leat_ev = open_event(pid, leat_fd);
	turn(peer_ev, peer_fd, 100, NULL, NULL);
	turn(leat_ev, leat_fd, 100, e, bus);
	for (int i = 0; i < c->rounds; i++) {
		peer_us[i] = turn(peer_ev, peer_fd, c->ms, NULL, NULL);
		leat_us[i] = turn(leat_ev, leat_fd, c->ms, e, bus);
		ratio[i] = leat_us[i] / peer_us[i];
	}
	s[0] = spread_of(peer_us, c->rounds);
	s[1] = spread_of(leat_us, c->rounds);
	s[2] = spread_of(ratio, c->rounds);
	print_row(r, s);
	close(peer_ev);
	close(leat_ev);
	leat_engine_free(&e);
	leat_bus_free(&bus);
	peer_stackid__destroy(peer);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static int number(const char *s)
{
	return (int)strtol(s, NULL, 10);
}

int main(int argc, char **argv)
{
	static const struct {
		int depth;
		double bound;
	} depths[] = { { 10, 0.60 }, { 30, 0.40 }, { 60, 0.30 }, { 120, 0.25 } };
	static const int frames[] = { 48, 256, 1500 };
	struct config c = { .rounds = 9, .ms = 250 };
	int stats_fd;

	if (argc < 2) {
		fprintf(stderr, "usage: %s WL_DEEP [ROUNDS [MILLISECONDS [FRAME-BYTES]]]\n",
			argv[0]);
		return 2;
	}
	c.workload = argv[1];
	if (argc > 2)
		c.rounds = number(argv[2]) < ROUNDS_MAX ? number(argv[2]) : ROUNDS_MAX;
	if (argc > 3)
		c.ms = number(argv[3]);
	if (argc > 4)
		c.frame = number(argv[4]);
	stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats_fd < 0 || c.rounds < 1) {
		fprintf(stderr, "cannot enable BPF statistics: %s\n", strerror(errno));
		return 1;
	}
	puts("| mode | frames | bytes a frame | stackid + count, us | leat, us | ratio | bound | |");
	puts("|---|---|---|---|---|---|---|---|");
	for (size_t i = 0; i < 2 * LEAT_ARRAY_SIZE(frames) * LEAT_ARRAY_SIZE(depths); i++) {
		const size_t depth = i % LEAT_ARRAY_SIZE(depths),
			     rest = i / LEAT_ARRAY_SIZE(depths);
		const struct row r = { .depth = depths[depth].depth,
				       .bound = depths[depth].bound,
				       .frame = frames[rest % LEAT_ARRAY_SIZE(frames)],
				       .sys = rest >= LEAT_ARRAY_SIZE(frames) };

		if (!c.frame || c.frame == r.frame)
			bench_row(&c, &r);
	}
	close(stats_fd);
	return 0;
}
