/* SPDX-License-Identifier: BSD-2-Clause */
/* The object loads in every configuration, leaves no trace of what is off, and stays small. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/collect.h"
#include "base/file.h"
#include "engine/btf_trim.h"
#include "engine/features.h"
#include "engine/impl.h"
#include "engine/probes_impl.h"
#include "event/format.h"
#include "leat_glob.h"
#include "leat_ksyms.h"
#include "probe.skel.h"
#include "tests/sample_test.skel.h"

#include "ksyms.skel.h" /* of leat_ksyms.h, which it does not include */

#define ALL_FILTERS 7u

/* Bits of @what: process, thread, name, cgroup, uid, kernel threads and idle, pid namespace. */
static struct leat_engine_opts opts_with(unsigned int what)
{
	struct leat_engine_opts o = leat_collect_opts();

	o.cfg.by_process = what & 1;
	o.cfg.children = what & 1;
	o.cfg.notify_procs = what & 1;
	o.cfg.by_thread = what >> 1 & 1;
	o.cfg.by_name = what >> 2 & 1 ? LEAT_CFG_MAX_NAMES : 0;
	for (int i = 0; i < LEAT_CFG_MAX_NAMES; i++)
		snprintf(o.cfg.names[i], sizeof(o.cfg.names[i]), "name%d*[a-z]?", i);
	o.cfg.by_cgroup = what >> 3 & 1 ? LEAT_CFG_MAX_CGROUPS : 0;
	o.cfg.by_uid = what >> 4 & 1 ? LEAT_CFG_MAX_UIDS : 0;
	o.cfg.skip_kthreads = what >> 5 & 1;
	o.cfg.keep_idle = what >> 5 & 1;
	o.cfg.pidns_ino = what >> 6 & 1;
	return o;
}

static void expect_load(const struct leat_engine_opts *o)
{
	struct leat_diag diag = { 0 };
	struct leat_engine *e = NULL;

	cr_expect(zero(int, leat_engine_open(&e, o, &diag)), "%s: %s", diag.what, diag.why);
	leat_engine_free(&e);
}

Test(load, each_filter_alone_and_all_together, .timeout = 120)
{
	struct leat_engine_opts o;

	for (unsigned int i = 0; i < ALL_FILTERS; i++) {
		o = opts_with(1u << i);
		expect_load(&o);
	}
	o = opts_with(0);
	expect_load(&o);
	o = opts_with((1u << ALL_FILTERS) - 1);
	expect_load(&o);
}

Test(load, each_way_of_collecting, .timeout = 120)
{
	struct leat_engine_opts o = opts_with(0);

	for (unsigned int i = 0; i < 16; i++) {
		o.cfg.stream = i & 1;
		o.cfg.per_thread = i >> 1 & 1;
		o.cfg.kernel_stack = i >> 2 & 1;
		o.cfg.user_stack = i >> 3 & 1;
		expect_load(&o);
	}
}

Test(load, every_depth_of_stack, .timeout = 120)
{
	static const uint32_t depths[] = { 1, 2, 127, 128, LEAT_MAX_UFRAMES };
	struct leat_engine_opts o = opts_with((1u << ALL_FILTERS) - 1);

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(depths); i++) {
		o.cfg.max_uframes = depths[i];
		expect_load(&o);
	}
}

/* ---- what the translated program holds ---- */

struct code {
	struct bpf_insn insns[16384];
	size_t n;
};

static void translated(int prog_fd, struct code *out)
{
	struct bpf_prog_info info = { .xlated_prog_insns = (__u64)(uintptr_t)out->insns,
				      .xlated_prog_len = sizeof(out->insns) };
	__u32 len = sizeof(info);

	cr_assert(zero(int, bpf_obj_get_info_by_fd(prog_fd, &info, &len)));
	out->n = info.xlated_prog_len / sizeof(out->insns[0]);
}

/* How often the program calls a function of the kernel; calls are offsets from __bpf_call_base. */
static size_t calls_of(const struct code *c, const char *function)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long addr, base = 0, want = 0;
	char type, name[256], line[512];
	size_t n = 0;

	cr_assert(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %c %255s", &addr, &type, name) != 3)
			continue;
		if (!strcmp(name, "__bpf_call_base"))
			base = addr;
		if (!strcmp(name, function))
			want = addr;
	}
	fclose(f);
	cr_assert(base && want, "%s is not in kallsyms", function);
	for (size_t i = 0; i < c->n; i++)
		n += c->insns[i].code == (BPF_JMP | BPF_CALL) &&
		     c->insns[i].src_reg != BPF_PSEUDO_CALL &&
		     base + (unsigned long)(long)c->insns[i].imm == want;
	return n;
}

static size_t uses_of_map(const struct code *c, int map_fd)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	size_t n = 0;

	cr_assert(zero(int, bpf_obj_get_info_by_fd(map_fd, &info, &len)));
	for (size_t i = 0; i < c->n; i++)
		n += c->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
		     c->insns[i].src_reg == BPF_PSEUDO_MAP_FD && c->insns[i].imm == (int)info.id;
	return n;
}

struct traces {
	size_t uid, ns, probe, tids, tgids;
};

static struct traces traces_of(unsigned int what)
{
	static struct code code;
	struct leat_engine_opts o = opts_with(what);
	struct leat_diag diag = { 0 };
	struct leat_engine *e = NULL;
	struct traces t;

	o.cfg.kernel_stack = 0;

	cr_assert(zero(int, leat_engine_open(&e, &o, &diag)), "%s", diag.what);
	translated(leat_engine_sample_fd(e), &code);
	t.uid = calls_of(&code, "bpf_get_current_uid_gid");
	t.ns = calls_of(&code, "bpf_get_ns_current_pid_tgid");
	t.probe = calls_of(&code, "bpf_probe_read_kernel");
	t.tids = uses_of_map(&code, leat_engine_tids_fd(e));
	t.tgids = uses_of_map(&code, leat_engine_tgids_fd(e));
	leat_engine_free(&e);
	return t;
}

/* Names and cgroups are read by bpf_probe_read_kernel, which else only kernel stacks need from 5.15 on. */
Test(load, a_filter_that_is_off_leaves_no_trace)
{
	struct traces off = traces_of(0), on = traces_of((1u << ALL_FILTERS) - 1);

	cr_expect(zero(sz, off.uid));
	cr_expect(zero(sz, off.ns));
	cr_expect(zero(sz, off.probe));
	cr_expect(zero(sz, off.tids));
	cr_expect(zero(sz, off.tgids));
	cr_expect(gt(sz, on.uid, 0));
	cr_expect(gt(sz, on.ns, 0));
	cr_expect(gt(sz, on.probe, 0));
	cr_expect(gt(sz, on.tids, 0));
	cr_expect(gt(sz, on.tgids, 0));
}

/* ---- type information ---- */

/* Each load has maps of its own. */
static void forget_maps(struct code *c)
{
	for (size_t i = 0; i + 1 < c->n; i++)
		if (c->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW))
			c->insns[i].imm = c->insns[i + 1].imm = 0;
}

/* libbpf with the part of the kernel's types that the engine gives it, and with all of them. */
Test(load, part_of_the_type_information_relocates_as_the_whole, .timeout = 60)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = "/proc/self/fd/900");
	struct leat_sample_test *part = leat_sample_test__open_opts(&opts);
	struct leat_sample_test *whole = leat_sample_test__open();
	struct leat_buf trimmed;
	size_t kernel_len;
	char *kernel;
	__u32 own_len;
	const void *own;
	static struct code code[2];

	cr_assert(part && whole);
	own = btf__raw_data(bpf_object__btf(part->obj), &own_len);
	cr_assert(zero(int, leat_file_read_at(AT_FDCWD, "/sys/kernel/btf/vmlinux",
					      LEAT_BTF_BYTES_MAX, &kernel, &kernel_len)));
	leat_buf_init(&trimmed, LEAT_BTF_BYTES_MAX);
	cr_assert(zero(int, leat_btf_trim(kernel, kernel_len, own, own_len, &trimmed)));
	cr_expect(lt(sz, trimmed.len, kernel_len / 10));
	cr_assert(eq(int, dup2(memfd_create("test", 0), 900), 900));
	cr_assert(zero(int, leat_file_write_all(900, trimmed.data, trimmed.len)));
	cr_assert(zero(int, leat_sample_test__load(part)));
	cr_assert(zero(int, leat_sample_test__load(whole)));
	translated(bpf_program__fd(part->progs.leat_t_sample), &code[0]);
	translated(bpf_program__fd(whole->progs.leat_t_sample), &code[1]);
	forget_maps(&code[0]);
	forget_maps(&code[1]);
	cr_assert(gt(sz, code[0].n, 500));
	cr_assert(eq(sz, code[0].n, code[1].n));
	cr_expect(zero(int,
		       memcmp(code[0].insns, code[1].insns, code[0].n * sizeof(code[0].insns[0]))));
	free(kernel);
	leat_buf_fini(&trimmed);
	close(900);
	leat_sample_test__destroy(part);
	leat_sample_test__destroy(whole);
}

/* ---- budget ---- */

/* All that a recording by tables loads (docs/benchmarks.md). */
#define BUDGET_OF_ALL 45000u

/*
 * tests/bpf/budget.txt: how stacks are walked or fields lie, program, verified instructions with all filters on
 * and 127 frames.
 */
static unsigned int budget_of(const char *walk, const char *program)
{
	FILE *f = fopen("tests/bpf/budget.txt", "r");
	char how[64], name[64], line[256];
	unsigned int v, found = 0;

	cr_assert(f != NULL, "run from the top of the source");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %63s %u", how, name, &v) == 3 && !strcmp(how, walk) &&
		    !strcmp(name, program))
			found = v;
	fclose(f);
	return found;
}

/* The instructions of the program; 0 before 5.16, where the kernel does not say. */
static unsigned int expect_budget(const char *walk, int prog_fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	unsigned int budget;

	cr_assert(zero(int, bpf_obj_get_info_by_fd(prog_fd, &info, &len)));
	budget = budget_of(walk, info.name);
	cr_expect(le(uint, info.verified_insns, budget + budget / 10),
		  "%s: %s: %u verified instructions; the budget is %u", walk, info.name,
		  info.verified_insns, budget);
	return info.verified_insns;
}

/* leat_fork, leat_exit and leat_exec, in this order. */
static int program_of(const struct bpf_link *link)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);
	int fd;

	cr_assert(link != NULL);
	cr_assert(zero(int, bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len)));
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	cr_assert(ge(int, fd, 0));
	return fd;
}

static unsigned int expect_budgets(const char *walk, bool unwind)
{
	struct leat_engine_opts o = opts_with((1u << ALL_FILTERS) - 1);
	struct leat_diag diag = { 0 };
	struct leat_engine *e = NULL;
	unsigned int sum;

	o.cfg.unwind = unwind;
	cr_assert(zero(int, leat_engine_open(&e, &o, &diag)), "%s", diag.what);
	sum = expect_budget(walk, leat_engine_sample_fd(e)) + expect_budget(walk, e->drain_fd);
	for (size_t i = 0; i < LEAT_ENGINE_LINKS; i++) {
		int fd = program_of(e->links[i]);

		sum += expect_budget(walk, fd);
		close(fd);
	}
	leat_engine_free(&e);
	return sum;
}

Test(load, programs_stay_in_their_budget)
{
	expect_budgets("fp", false);
	cr_expect(le(uint, expect_budgets("table", true), BUDGET_OF_ALL));
}

/* All filters on. */
Test(load, the_program_of_tracepoints_stays_in_its_budget)
{
	static const char *const names[] = { "sched/sched_switch", "sched/sched_process_exec" };
	static const char *const rows[] = { "fixed", "dynamic" };
	struct leat_probes_opts o = { .names = names,
				      .cnt = LEAT_ARRAY_SIZE(names),
				      .self_tgid = 1,
				      .only_tgid = 2,
				      .pidns_ino = 1 };
	struct leat_diag diag = { 0 };
	struct leat_probes *p = NULL;

	cr_assert(zero(int, leat_probes_open(&p, &o, &diag)), "%s", diag.what);
	for (size_t i = 0; i < o.cnt; i++)
		expect_budget(rows[i], bpf_program__fd(p->tps[i].skel->progs.leat_probe));
	leat_probes_free(&p);
}

static void close_ksyms(struct leat_ksyms **skel)
{
	leat_ksyms__destroy(*skel);
}

Test(load, the_program_that_names_the_kernel_stays_in_its_budget)
{
	LEAT_AUTO(close_ksyms) struct leat_ksyms *skel = NULL;

	if (leat_feature_probe(LEAT_FEATURE_KSYMS) <= 0)
		cr_skip("this kernel has no BPF look-up of kernel symbols");
	skel = leat_ksyms__open_and_load();
	cr_assert(skel != NULL);
	expect_budget("ksyms", bpf_program__fd(skel->progs.leat_ksyms));
}

/* ---- formats ---- */

Test(load, formats_from_btf_are_those_of_the_structs)
{
	static const enum leat_rec_kind kinds[] = { LEAT_REC_COUNT, LEAT_REC_STACK, LEAT_REC_SAMPLE,
						    LEAT_REC_NEWPROC };
	struct leat_engine_opts o = opts_with(0);
	struct leat_collect c;

	leat_collect_open(&c, &o);
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(kinds); i++) {
		struct leat_format *want = NULL;
		const struct leat_event *ev = leat_bus_at(c.bus, (uint16_t)kinds[i]);

		cr_assert(zero(int, leat_wire_format(kinds[i], &want)));
		cr_assert(ev != NULL);
		cr_expect(leat_format_equal(leat_event_format(ev), want), "%s",
			  leat_event_name(ev));
		leat_format_free(&want);
	}
	leat_collect_fini(&c);
}

/* ---- refusals ---- */

Test(load, a_frequency_above_the_limit_is_named)
{
	struct leat_engine_opts o = opts_with(0);
	const struct leat_diag *d;
	struct leat_collect c;

	o.freq_hz = 10000000;
	leat_collect_open(&c, &o);
	cr_expect(eq(int, c.source.ops->start(c.source.self), -EINVAL));
	d = leat_engine_diag(c.engine);
	cr_expect(strstr(d->why, "kernel.perf_event_max_sample_rate=") != NULL);
	cr_expect(strstr(d->fix, "-F ") != NULL);
	leat_collect_fini(&c);
}

Test(load, nonsense_is_refused_before_anything_is_opened)
{
	struct leat_engine_opts o = opts_with(0);
	struct leat_engine *e = NULL;
	struct leat_diag d = { 0 };

	o.period = 5;
	cr_expect(eq(int, leat_engine_open(&e, &o, &d), -EINVAL));
	o = opts_with(0);
	o.cfg.max_uframes = LEAT_MAX_UFRAMES + 1;
	cr_expect(eq(int, leat_engine_open(&e, &o, &d), -EINVAL));
	o = opts_with(0);
	o.cfg.by_uid = LEAT_CFG_MAX_UIDS + 1;
	cr_expect(eq(int, leat_engine_open(&e, &o, &d), -EOVERFLOW));
	cr_expect(e == NULL);
}

/* The kernel would take it for 10 us, and the rest would look like lost samples. */
Test(load, a_period_of_a_clock_that_is_too_short_is_refused)
{
	static const char *const clocks[] = { "cpu-clock", "task-clock" };
	struct leat_engine_opts o = opts_with(0);

	o.freq_hz = 0;
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(clocks); i++) {
		struct leat_engine *e = NULL;
		struct leat_diag d = { 0 };

		cr_assert(zero(int, leat_perf_event_find(clocks[i], &o.event)));
		o.period = 9999;
		cr_expect(eq(int, leat_engine_open(&e, &o, &d), -EINVAL));
		cr_expect(e == NULL);
		cr_expect(eq(int, (int)d.exit, LEAT_EXIT_USAGE));
		cr_expect(strstr(d.what, clocks[i]) && strstr(d.what, "10000 ns"), "%s", d.what);
		o.period = 10000;
		expect_load(&o);
	}
	cr_assert(zero(int, leat_perf_event_find("page-faults", &o.event)));
	o.period = 1;
	expect_load(&o);
}

/* Whatever was open already, and however far it came. */
Test(load, too_few_open_files_are_named)
{
	int refused = 0;

	for (rlim_t limit = 4; limit < 48; limit++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			struct rlimit lim = { .rlim_cur = limit, .rlim_max = limit };
			struct leat_engine_opts o = opts_with(1);
			struct leat_engine *e = NULL;
			struct leat_diag d = { 0 };

			if (setrlimit(RLIMIT_NOFILE, &lim))
				_exit(2);
			if (!leat_engine_open(&e, &o, &d))
				_exit(0);
			fprintf(stderr, "limit %lu: %s | %s | %s\n", (unsigned long)limit, d.what,
				d.why, d.fix);
			_exit(strstr(d.why, "too many open files: limit ") &&
					      !strcmp(d.fix, "ulimit -n 4096")
				      ? 1
				      : 3);
		}
		cr_assert(eq(int, (int)waitpid(pid, &status, 0), (int)pid));
		cr_expect(le(int, WEXITSTATUS(status), 1), "limit %lu", (unsigned long)limit);
		refused += WEXITSTATUS(status) == 1;
	}
	cr_expect(gt(int, refused, 10));
}

Test(load, without_privilege_the_cause_is_measured)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct leat_engine_opts o = opts_with(0);
		struct leat_engine *e = NULL;
		struct leat_diag d = { 0 };

		if (setgid(65534) || setuid(65534))
			_exit(2);
		if (!leat_engine_open(&e, &o, &d))
			_exit(3);
		_exit(d.exit == LEAT_EXIT_PRIVILEGE && strstr(d.why, "CapEff") &&
				      strstr(d.why, "CAP_BPF") && strstr(d.fix, "sudo")
			      ? 0
			      : 4);
	}
	cr_assert(eq(int, (int)waitpid(pid, &status, 0), (int)pid));
	cr_expect(eq(int, status, 0));
}

/* ---- nothing stays behind ---- */

static void collect_until_killed(int out)
{
	struct leat_engine_opts o = opts_with(1);
	struct leat_collect c;
	struct bpf_prog_info info = { 0 };
	struct bpf_map_info map = { 0 };
	__u32 len = sizeof(info), ids[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	leat_collect_open(&c, &o);
	leat_collect_start(&c);
	bpf_obj_get_info_by_fd(leat_engine_sample_fd(c.engine), &info, &len);
	len = sizeof(map);
	bpf_obj_get_info_by_fd(leat_engine_tgids_fd(c.engine), &map, &len);
	ids[0] = info.id;
	ids[1] = map.id;
	if (write(out, ids, sizeof(ids)) == (ssize_t)sizeof(ids))
		pause();
	_exit(1);
}

static bool is_gone(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd == -ENOENT;
}

Test(load, a_killed_collector_leaves_nothing_in_the_kernel)
{
	__u32 ids[2];
	int fds[2];
	bool gone = false;
	pid_t pid;

	cr_assert(zero(int, pipe(fds)));
	pid = fork();
	if (!pid)
		collect_until_killed(fds[1]);
	cr_assert(eq(long, (long)read(fds[0], ids, sizeof(ids)), (long)sizeof(ids)));
	cr_assert(not(is_gone(bpf_prog_get_fd_by_id(ids[0]))));
	leat_child_kill(pid);
	for (int i = 0; i < 100 && !gone; i++) {
		usleep(50000);
		gone = is_gone(bpf_prog_get_fd_by_id(ids[0])) &&
		       is_gone(bpf_map_get_fd_by_id(ids[1]));
	}
	cr_expect(gone);
}
