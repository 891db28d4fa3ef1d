/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/procfs.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char stat_text[] =
	"4242 (a) b (c) S 17 4242 4242 0 -1 4194304 120 0 0 0 1 2 30 4 20 0 1 0 98765 1000 100 "
	"18446744073709551615 1 1 0 0 0 0 0\n";

Test(procfs, stat)
{
	struct leat_proc_stat st;

	cr_assert(eq(int, leat_procfs_parse_stat(stat_text, strlen(stat_text), &st), 0));
	cr_assert(eq(u32, st.pid, 4242));
	cr_assert(eq(u32, st.ppid, 17));
	cr_assert(eq(chr, st.state, 'S'));
	cr_assert(eq(str, (char *)st.comm, (char *)"a) b (c"));
	cr_assert(eq(u32, st.flags, 4194304));
	cr_assert(eq(u32, st.threads, 1));
	cr_assert(eq(u64, st.waited_ticks, 34));
	cr_assert(eq(u64, st.start_ticks, 98765));
}

/* A leader that called pthread_exit is a zombie, and its process works on. */
Test(procfs, ended)
{
	struct leat_proc_stat st = { .state = 'S', .threads = 1 };

	cr_assert(not(leat_procfs_has_ended(&st)));
	st.state = 'Z';
	cr_assert(leat_procfs_has_ended(&st));
	st.threads = 2;
	cr_assert(not(leat_procfs_has_ended(&st)));
	st.state = 'X';
	cr_assert(leat_procfs_has_ended(&st));
	cr_assert(leat_procfs_is_over(4194303));
	cr_assert(not(leat_procfs_is_over((uint32_t)getpid())));
	cr_assert(eq(u32, leat_procfs_via((uint32_t)getpid()), (uint32_t)getpid()));
	cr_assert(eq(u32, leat_procfs_via(4194303), 0));
}

/* Cut anywhere: an error, until the start time is there. */
Test(procfs, stat_cut_at_every_length)
{
	const size_t need = (size_t)(strstr(stat_text, "98765") - stat_text);

	for (size_t n = 0; n <= need; n++) {
		struct leat_proc_stat st = { .pid = 7 };

		cr_assert(eq(int, leat_procfs_parse_stat(stat_text, n, &st), -EBADMSG), "%zu", n);
		cr_assert(eq(u32, st.pid, 7));
	}
}

Test(procfs, stat_hostile)
{
	static const char *const bad[] = {
		")(",
		"1 )",
		"(",
		"1 (x)",
		"x (y) S 1 1 1 1 1 1",
		"99999999999 (x) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"
	};
	struct leat_proc_stat st;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(bad); i++)
		cr_assert(lt(int, leat_procfs_parse_stat(bad[i], strlen(bad[i]), &st), 0), "%s",
			  bad[i]);
}

Test(procfs, status)
{
	static const char text[] = "Name:\tx\nUmask:\t0022\nTgid:\t12\nPPid:\t3\nUid:\t1000\t1001\t"
				   "1002\t1003\nNStgid:\t12\t5\t1\nVmHWM:\t   2048 kB\n"
				   "CapEff:\t000001ffffffffff\nSeccomp:\t2\n";
	struct leat_proc_status st;

	cr_assert(eq(int, leat_procfs_parse_status(text, strlen(text), &st), 0));
	cr_assert(eq(u32, st.tgid, 12));
	cr_assert(eq(u32, st.ppid, 3));
	cr_assert(eq(u32, st.uid, 1001));
	cr_assert(eq(u32, st.real_uid, 1000));
	cr_assert(eq(u32, st.ns_tgid, 1));
	cr_assert(eq(u32, st.ns_depth, 3));
	cr_assert(eq(u64, st.rss_peak_bytes, 2048 * 1024));
	cr_assert(eq(u64, st.cap_eff, 0x1ffffffffff));
	cr_assert(eq(u32, st.seccomp, 2));
}

Test(procfs, status_without_tgid)
{
	struct leat_proc_status st;

	cr_assert(eq(int, leat_procfs_parse_status("Name:\tx\n", 8, &st), -EBADMSG));
	cr_assert(eq(int, leat_procfs_parse_status("", 0, &st), -EBADMSG));
	cr_assert(eq(int, leat_procfs_parse_status("Tgid:\n", 6, &st), -EBADMSG));
}

struct cpus {
	char text[32];
	int err;
	size_t n;
	uint32_t last;
};

ParameterizedTestParameters(procfs, cpus)
{
	static struct cpus cases[] = {
		{ "0\n", 0, 1, 0 },
		{ "0-3,5", 0, 5, 5 },
		{ "", 0, 0, 0 },
		{ "7-7", 0, 1, 7 },
		{ "0-7", 0, 8, 7 },
		{ "3-1", -EBADMSG, 0, 0 },
		{ "1,", -EBADMSG, 0, 0 },
		{ "1-", -EBADMSG, 0, 0 },
		{ ",1", -EBADMSG, 0, 0 },
		{ "a", -EBADMSG, 0, 0 },
		{ "0-8", -EOVERFLOW, 0, 0 },
		{ "0-4294967295", -EOVERFLOW, 0, 0 },
		{ "4294967295", 0, 1, 4294967295u },
		{ "99999999999", -EBADMSG, 0, 0 },
	};

	return cr_make_param_array(struct cpus, cases, LEAT_ARRAY_SIZE(cases));
}

ParameterizedTest(struct cpus *p, procfs, cpus)
{
	uint32_t out[8] = { 0 };
	size_t n = 0;

	cr_assert(eq(int, leat_procfs_parse_cpus(p->text, strlen(p->text), out, 8, &n), p->err),
		  "%s", p->text);
	cr_assert(eq(sz, n, p->n));
	if (n)
		cr_assert(eq(u32, out[n - 1], p->last));
}

/* The test itself is a process that can be read. */
Test(procfs, itself)
{
	struct leat_proc_info info;
	char exe[LEAT_PATH_MAX];

	cr_assert(eq(int, leat_procfs_read((uint32_t)getpid(), &info), 0));
	cr_assert(eq(u32, info.status.tgid, (uint32_t)getpid()));
	cr_assert(eq(u32, info.stat.ppid, (uint32_t)getppid()));
	cr_assert(not(info.kthread));
	cr_assert(le(u64, info.start_ns, leat_clock_ns()));
	/* Not long ago; a machine may have started less than ten minutes ago itself. */
	cr_assert(gt(u64, info.start_ns + 600000000000u, leat_clock_ns()));
	cr_assert(eq(int, leat_procfs_exe((uint32_t)getpid(), exe, sizeof(exe)), 0));
	cr_assert(ne(ptr, strstr(exe, "test_procfs"), NULL));
	cr_assert(ne(u64, leat_procfs_ns(0, "pid"), 0));
	cr_assert(eq(u64, leat_procfs_ns((uint32_t)getpid(), "pid"), leat_procfs_ns(0, "pid")));
}

Test(procfs, no_such_process)
{
	struct leat_proc_info info;

	cr_assert(eq(int, leat_procfs_read(4194304, &info), -ESRCH));
	cr_assert(eq(u64, leat_procfs_ns(4194304, "pid"), 0));
}

static int count(void *ctx, uint32_t n)
{
	uint32_t *found = ctx;

	*found |= n == (uint32_t)getpid();
	return 0;
}

static int stop_at_once(void *ctx, uint32_t n)
{
	(void)ctx;
	(void)n;
	return 5;
}

Test(procfs, each)
{
	uint32_t found = 0;

	cr_assert(eq(int, leat_procfs_each(count, &found), 0));
	cr_assert(eq(u32, found, 1));
	found = 0;
	cr_assert(eq(int, leat_procfs_each_thread((uint32_t)getpid(), count, &found), 0));
	cr_assert(eq(u32, found, 1));
	cr_assert(eq(int, leat_procfs_each(stop_at_once, NULL), 5));
	cr_assert(eq(int, leat_procfs_each_thread(4194304, count, &found), -ENOENT));
}

Test(procfs, small_files)
{
	char text[4];
	uint64_t v;

	cr_assert(eq(int, leat_procfs_text("/proc/self/stat", text, sizeof(text)), 3));
	cr_assert(eq(sz, strlen(text), 3));
	cr_assert(eq(int, leat_procfs_u64("/proc/sys/kernel/pid_max", &v), 0));
	cr_assert(ge(u64, v, 300));
	cr_assert(eq(int, leat_procfs_u64("/proc/self/comm", &v), -EBADMSG));
	cr_assert(eq(int, leat_procfs_u64("/proc/no-such-file", &v), -ENOENT));
}
