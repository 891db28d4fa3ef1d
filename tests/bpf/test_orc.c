/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel stacks as leat walks them are those of the kernel's own unwinder, frame by frame: under system
 * calls, page faults, interrupts, forks and pipes, on all CPUs.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/features.h"
#include "leat_cfg.h"
#include "leat_glob.h"
#include "leat_orc.h"
#include "orc_test.h"
#include "tests/orc_test.skel.h"

#define CPUS_MAX 1024
#define SECONDS	 3
#define BYTES	 65536

struct rig {
	struct leat_orc_test *skel;
	struct bpf_link *links[CPUS_MAX];
	int cpus;
	uint32_t rows; /* of the kernel's tables */
};

/* ---- work for the kernel ---- */

static void through_a_file(char *mem)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	if (fd < 0 || write(fd, mem, BYTES) != BYTES || pread(fd, mem, BYTES, 0) != BYTES)
		_exit(1);
	fsync(fd);
	close(fd);
}

static void through_a_socket(char *mem)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) || write(fds[0], mem, 4096) != 4096 ||
	    read(fds[1], mem, 4096) != 4096)
		_exit(1);
	close(fds[0]);
	close(fds[1]);
}

static void through_faults(void)
{
	char *p = mmap(NULL, BYTES * 4, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
	memset(p, 1, BYTES * 4);
	munmap(p, BYTES * 4);
}

static void through_a_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

static pid_t work(void)
{
	static char mem[BYTES];
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		char text[4096];
		int fd = open("/proc/self/maps", O_RDONLY);

		while (read(fd, text, sizeof(text)) > 0)
			;
		close(fd);
		through_a_file(mem);
		through_a_socket(mem);
		through_faults();
		through_a_fork();
		usleep(10);
	}
}

/* ---- the kernel side ---- */

static void load(struct rig *r)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct leat_cfg *cfg;

	*r = (struct rig){ .skel = leat_orc_test__open(), .cpus = libbpf_num_possible_cpus() };
	cr_assert(r->skel != NULL);
	cr_assert(le(int, r->cpus, CPUS_MAX));
	cfg = (struct leat_cfg *)&r->skel->rodata->cfg;
	cfg->orc = 1;
	cfg->kernel_stack = 1;
	cfg->thread_size = 4 * (uint32_t)sysconf(_SC_PAGESIZE);
	cfg->seed = 1;
	bpf_map__set_max_entries(r->skel->maps.leat_rule_cache, (uint32_t)r->cpus);
	cr_assert(zero(int, leat_orc_test__load(r->skel)));
	cr_assert(zero(int,
		       bpf_prog_test_run_opts(bpf_program__fd(r->skel->progs.leat_k_find), &opts)));
	r->rows = opts.retval;
}

static void sample_all(struct rig *r)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.sample_period = 250000 };

	for (int cpu = 0; cpu < r->cpus; cpu++) {
		int fd =
			(int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (fd < 0)
			continue; /* an offline CPU */
		r->links[cpu] = bpf_program__attach_perf_event(r->skel->progs.leat_k_compare, fd);
		cr_assert(r->links[cpu] != NULL);
	}
}

static void print_stack(const char *whose, const struct leat_orc_stack *s)
{
	for (uint64_t i = 0; i < s->cnt && i < LEAT_MAX_KFRAMES; i++)
		fprintf(stderr, "%s %2llu %llx\n", whose, (unsigned long long)i,
			(unsigned long long)s->frames[i]);
}

static struct leat_orc_sums sums_of(const struct rig *r)
{
	struct leat_orc_sums sum = { 0 }, *each = calloc((size_t)r->cpus, sizeof(*each));
	const uint32_t zero = 0;

	cr_assert(each != NULL);
	cr_assert(
		zero(int, bpf_map_lookup_elem(bpf_map__fd(r->skel->maps.leat_sums), &zero, each)));
	for (int i = 0; i < r->cpus; i++) {
		sum.equal += each[i].equal;
		sum.frames += each[i].frames;
		sum.asked += each[i].asked;
		if (each[i].asked)
			fprintf(stderr, "cpu %d: %llu left to the kernel, the last at %llx\n", i,
				(unsigned long long)each[i].asked,
				(unsigned long long)each[i].last_asked);
		if (!each[i].different)
			continue;
		sum.different += each[i].different;
		print_stack("leat  ", &each[i].ours);
		print_stack("kernel", &each[i].theirs);
	}
	free(each);
	return sum;
}

static void unload(struct rig *r)
{
	for (int cpu = 0; cpu < r->cpus; cpu++)
		bpf_link__destroy(r->links[cpu]);
	leat_orc_test__destroy(r->skel);
}

/* Where the kernel has no such tables (before 6.4) its own unwinder goes on: nothing to compare. */
Test(orc, equals_the_kernels_own_stacks)
{
	struct leat_orc_sums sums;
	pid_t pids[2];
	struct rig r;

	if (leat_feature_probe(LEAT_FEATURE_KSYMS) != 1)
		cr_skip_test("kernel without bpf_kallsyms_lookup_name");
	load(&r);
	if (!r.rows) {
		unload(&r);
		cr_skip_test("kernel without ORC tables of this layout");
	}
	for (size_t i = 0; i < 2; i++)
		pids[i] = work();
	sample_all(&r);
	sleep(SECONDS);
	for (size_t i = 0; i < 2; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	sums = sums_of(&r);
	unload(&r);
	fprintf(stderr,
		"%u rows; %llu stacks of %.1f frames equal, %llu different, %llu left to the kernel\n",
		r.rows, (unsigned long long)sums.equal,
		(double)sums.frames / (double)(sums.equal + !sums.equal),
		(unsigned long long)sums.different, (unsigned long long)sums.asked);
	cr_expect(zero(u64, sums.different));
	cr_expect(gt(u64, sums.equal, 1000));
	cr_expect(gt(u64, sums.frames, sums.equal * 4));
	cr_expect(lt(u64, sums.asked * 20, sums.equal), "left to the kernel: less than 5 in 100");
}
