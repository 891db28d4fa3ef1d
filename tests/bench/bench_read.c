/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that a walk of a stack of frames of 1,500 bytes can cost: its memory must be read, a frame by
 * one call of bpf_probe_read_user each, or all of it in windows. Prints a markdown table.
 *
 * usage: bench_read WL_DEEP [MILLISECONDS]
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "read_cost.h"

#include "bench/read_cost.skel.h"

#define FRAME 1504u
#define HZ    4999

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static pid_t start_workload(const char *program, const char *depth)
{
	char ready[8];
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		fail("pipe");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDOUT_FILENO);
		execl(program, program, depth, "1500", "user", "600", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	if (read(fds[0], ready, sizeof(ready)) <= 0)
		fail(program);
	close(fds[0]);
	return pid;
}

static void sample(pid_t pid, int prog_fd, int ms)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.freq = 1,
					.sample_freq = HZ };
	int fd = (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd))
		fail("perf event");
	usleep((useconds_t)ms * 1000);
	close(fd);
}

static void bench(const char *program, unsigned int frames, int ms)
{
	const unsigned int bytes = (frames - 1) * FRAME + 16;
	struct read_way ways[READ_COST_WAYS] = {
		{ .size = 16, .step = FRAME, .cnt = frames },
		{ .size = bytes < READ_COST_MAX ? bytes : READ_COST_MAX,
		  .step = READ_COST_MAX,
		  .cnt = (bytes + READ_COST_MAX - 1) / READ_COST_MAX },
	};
	struct read_cost *skel = read_cost__open_and_load();
	char depth[16];
	double us[READ_COST_WAYS];
	pid_t pid;

	if (!skel)
		fail("BPF");
	/* Below the frames that are read there are some more, for what a window reads past them. */
	snprintf(depth, sizeof(depth), "%u", frames + READ_COST_MAX / FRAME + 1);
	pid = start_workload(program, depth);
	for (__u32 i = 0; i < READ_COST_WAYS; i++)
		if (bpf_map_update_elem(bpf_map__fd(skel->maps.read_ways), &i, &ways[i], BPF_ANY))
			fail("map");
	sample(pid, bpf_program__fd(skel->progs.read_sample), ms);
	for (__u32 i = 0; i < READ_COST_WAYS; i++) {
		bpf_map_lookup_elem(bpf_map__fd(skel->maps.read_ways), &i, &ways[i]);
		if (!ways[i].runs)
			fail("no samples");
		us[i] = (double)ways[i].ns / (double)ways[i].runs / 1000.0;
	}
	printf("| %u | %u | %.2f | %.2f |\n", frames, FRAME - 4, us[0], us[1]);
	fflush(stdout);
	read_cost__destroy(skel);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	static const unsigned int frames[] = { 10, 30, 60, 120 };
	const int ms = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 2000;

	if (argc < 2) {
		fprintf(stderr, "usage: %s WL_DEEP [MILLISECONDS]\n", argv[0]);
		return 2;
	}
	puts("| frames | bytes a frame | a read of 16 bytes for each, us | read whole, in windows of 16 KB, us |");
	puts("|---|---|---|---|");
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		bench(argv[1], frames[i], ms);
	return 0;
}
