/* SPDX-License-Identifier: BSD-2-Clause */
/* Filters on live samples: kinds intersect, members of a kind unite. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/collect.h"

#define UID_A 54321

static void set_name(char *out, const char *name)
{
	snprintf(out, LEAT_CFG_NAME_LEN, "%s", name);
}

static void spin_as_a(void)
{
	if (setgid(UID_A) || setuid(UID_A))
		_exit(1);
	leat_spin_forever();
}

static void spin_named(void)
{
	prctl(PR_SET_NAME, "leat-name-test");
	leat_spin_forever();
}

/* Samples that were counted of anybody in @ms. */
static uint64_t counted_of(const struct leat_engine_opts *o, unsigned int ms, uint32_t *tgid)
{
	struct leat_collect c;
	uint64_t n;

	leat_collect_open(&c, o);
	leat_collect_start(&c);
	leat_collect_run(&c, ms);
	leat_collect_finish(&c);
	cr_expect(leat_collect_adds_up(&c));
	cr_expect(eq(u64, leat_collect_stat(&c, LEAT_STAT_COUNTED), c.counted));
	n = c.counted;
	*tgid = c.last_tgid;
	leat_collect_fini(&c);
	return n;
}

Test(filter, by_user)
{
	struct leat_engine_opts o = leat_collect_opts();
	pid_t pid = leat_child(spin_as_a);
	uint32_t tgid;

	usleep(50000);
	o.cfg.by_uid = 2;
	o.cfg.uids[0] = UID_A + 1;
	o.cfg.uids[1] = UID_A;
	cr_expect(gt(u64, counted_of(&o, 400, &tgid), 30));
	cr_expect(eq(u32, tgid, (uint32_t)pid));
	o.cfg.by_uid = 1;
	cr_expect(zero(u64, counted_of(&o, 200, &tgid)));
	leat_child_kill(pid);
}

Test(filter, by_name_of_the_process)
{
	struct leat_engine_opts o = leat_collect_opts();
	pid_t pid = leat_child(spin_named);
	uint32_t tgid;

	usleep(50000);
	o.cfg.by_name = 2;
	set_name(o.cfg.names[0], "nobody-is-so");
	set_name(o.cfg.names[1], "leat-n[a-c]m?-*");
	cr_expect(gt(u64, counted_of(&o, 400, &tgid), 30));
	cr_expect(eq(u32, tgid, (uint32_t)pid));
	o.cfg.by_name = 1;
	cr_expect(zero(u64, counted_of(&o, 200, &tgid)));
	leat_child_kill(pid);
}

/* -n also means the executable: user space says so by a bit in the set. */
Test(filter, by_name_that_user_space_matched)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);

	o.cfg.by_name = 1;
	set_name(o.cfg.names[0], "nobody-is-so");
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_NAME)));
	leat_collect_start(&c);
	leat_collect_run(&c, 400);
	cr_expect(gt(u64, leat_collect_stat(&c, LEAT_STAT_COUNTED), 30));
	cr_assert(zero(int, leat_engine_clear_tgid(c.engine, (uint32_t)pid, LEAT_SET_NAME)));
	leat_collect_run(&c, 40);
	leat_collect_finish(&c);
	cr_expect(gt(u64, leat_collect_stat(&c, LEAT_STAT_F_TARGET), 5), "cleared at once");
	cr_expect(leat_collect_adds_up(&c));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

static volatile pid_t *thread_tid;

static void *spin_thread(void *arg)
{
	*thread_tid = (pid_t)syscall(SYS_gettid);
	(void)arg;
	leat_spin_forever();
	return NULL;
}

static void two_threads(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, spin_thread, NULL))
		_exit(1);
	leat_spin_forever();
}

Test(filter, by_thread_and_counted_per_thread)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t pid;

	thread_tid = leat_shared_page();
	pid = leat_child(two_threads);
	while (!*thread_tid)
		usleep(1000);
	o.cfg.by_thread = 1;
	o.cfg.per_thread = 1;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tid(c.engine, (uint32_t)*thread_tid)));
	leat_collect_start(&c);
	leat_collect_run(&c, 500);
	leat_collect_finish(&c);
	cr_expect(gt(u64, c.counted, 30));
	cr_expect(eq(u32, c.last_tid, (uint32_t)*thread_tid));
	cr_expect(eq(u32, c.last_tgid, (uint32_t)pid));
	cr_expect(leat_collect_adds_up(&c));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(filter, kinds_intersect)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t a = leat_child(spin_as_a), b = leat_child(leat_spin_forever);

	usleep(50000);
	o.cfg.by_process = 1;
	o.cfg.by_uid = 1;
	o.cfg.uids[0] = UID_A;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)b, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	leat_collect_run(&c, 300);
	cr_expect(zero(u64, leat_collect_stat(&c, LEAT_STAT_COUNTED)));
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)a, LEAT_SET_PROCESS)));
	leat_collect_run(&c, 500);
	leat_collect_finish(&c);
	cr_expect(gt(u64, c.counted, 20));
	cr_expect(eq(u32, c.last_tgid, (uint32_t)a));
	leat_collect_fini(&c);
	leat_child_kill(a);
	leat_child_kill(b);
}

/* ---- user or kernel mode alone ---- */

static void make_system_calls(void)
{
	for (;;)
		syscall(SYS_getppid);
}

struct parts {
	uint64_t kernel, user, neither;
};

static void on_parts(void *ctx, const struct leat_rec_stack *r)
{
	struct parts *p = ctx;

	p->kernel += r->kframe_cnt != 0;
	p->user += r->uframe_cnt != 0;
	p->neither += !r->kframe_cnt && !r->uframe_cnt;
}

/* @pid 0: the whole machine with its idle tasks. Returns what was counted; F_MODE in *@other. */
static uint64_t parts_of(pid_t pid, bool user, struct parts *parts, uint64_t *other)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	uint64_t n;

	*parts = (struct parts){ 0 };
	o.cfg.user_stack = user;
	o.cfg.kernel_stack = !user;
	o.cfg.by_process = pid != 0;
	o.cfg.keep_idle = !pid;
	leat_collect_open(&c, &o);
	c.on_stack = on_parts;
	c.ctx = parts;
	if (pid)
		cr_assert(
			zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	leat_collect_run(&c, 500);
	leat_collect_finish(&c);
	cr_expect(leat_collect_adds_up(&c));
	n = c.counted;
	*other = leat_collect_stat(&c, LEAT_STAT_F_MODE);
	leat_collect_fini(&c);
	return n;
}

Test(filter, kernel_mode_alone)
{
	pid_t spins = leat_child(leat_spin_forever), calls = leat_child(make_system_calls);
	struct parts parts;
	uint64_t other, n;

	n = parts_of(spins, false, &parts, &other);
	cr_expect(gt(u64, other, 30), "what spins is in user mode");
	cr_expect(le(u64, n, other / 10));
	cr_expect(zero(u64, parts.neither));
	n = parts_of(calls, false, &parts, &other);
	cr_expect(gt(u64, n, 20));
	cr_expect(gt(u64, parts.kernel, 0));
	cr_expect(zero(u64, parts.user));
	cr_expect(zero(u64, parts.neither));
	leat_child_kill(spins);
	leat_child_kill(calls);
}

/* Time in the kernel counts for the code that called it; the kernel's own threads are left out. */
Test(filter, user_stacks_alone)
{
	pid_t calls = leat_child(make_system_calls);
	struct parts parts;
	uint64_t other;

	cr_expect(gt(u64, parts_of(calls, true, &parts, &other), 30));
	cr_expect(zero(u64, other), "both modes of a process");
	cr_expect(zero(u64, parts.kernel));
	cr_expect(gt(u64, parts.user, 0));
	leat_child_kill(calls);
	cr_expect(gt(u64, parts_of(0, true, &parts, &other) + other, 100));
	cr_expect(zero(u64, parts.neither));
}

/* ---- cgroups ---- */

static bool find_cgroup2(char *out, size_t size)
{
	FILE *f = fopen("/proc/self/mounts", "r");
	char line[1024], dir[512], type[64];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %511s %63s", dir, type) == 2 && !strcmp(type, "cgroup2");
	if (f)
		fclose(f);
	if (found)
		snprintf(out, size, "%s", dir);
	return found;
}

static uint64_t cgroup_id(const char *path)
{
	char space[sizeof(struct file_handle) + sizeof(uint64_t)] = { 0 };
	struct file_handle *h = (void *)space;
	uint64_t id;
	int mount;

	h->handle_bytes = sizeof(id);
	if (name_to_handle_at(AT_FDCWD, path, h, &mount, 0))
		return 0;
	memcpy(&id, space + sizeof(*h), sizeof(id));
	return id;
}

static void put_into(const char *group, pid_t pid)
{
	char path[1200], text[16];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(text, sizeof(text), "%d", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	cr_assert(ge(int, fd, 0));
	cr_assert(gt(long, (long)write(fd, text, strlen(text)), 0));
	close(fd);
}

Test(filter, by_cgroup_with_descendants)
{
	struct leat_engine_opts o = leat_collect_opts();
	char root[512], outer[600], inner[700];
	uint32_t tgid = 0;
	uint64_t in, out;
	pid_t pid;

	if (!find_cgroup2(root, sizeof(root)))
		cr_skip("no cgroup v2 here");
	snprintf(outer, sizeof(outer), "%s/leat-test-%d", root, getpid());
	snprintf(inner, sizeof(inner), "%s/inner", outer);
	cr_assert(zero(int, mkdir(outer, 0755)));
	cr_assert(zero(int, mkdir(inner, 0755)));
	pid = leat_child(leat_spin_forever);
	put_into(inner, pid);
	o.cfg.by_cgroup = 1;
	o.cfg.cgroups[0] = cgroup_id(outer);
	cr_expect(ne(u64, o.cfg.cgroups[0], 0));
	in = counted_of(&o, 400, &tgid);
	o.cfg.cgroups[0] = cgroup_id(inner);
	in = in < 30 ? 0 : counted_of(&o, 400, &tgid);
	put_into(root, pid);
	out = counted_of(&o, 200, &tgid);
	leat_child_kill(pid);
	rmdir(inner);
	rmdir(outer);
	cr_expect(gt(u64, in, 30));
	cr_expect(zero(u64, out));
}

/* ---- leat in a pid namespace of its own ---- */

static int sample_inside(void)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	struct stat st;
	pid_t pid = leat_child(leat_spin_forever);
	int rc;

	if (stat("/proc/self/ns/pid", &st) || getpid() != 1)
		return 2;
	o.cfg.by_process = 1;
	o.cfg.notify_procs = 1;
	o.cfg.pidns_dev = st.st_dev;
	o.cfg.pidns_ino = st.st_ino;
	leat_collect_open(&c, &o);
	if (leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS))
		return 3;
	leat_collect_start(&c);
	leat_collect_run(&c, 500);
	leat_collect_finish(&c);
	rc = c.counted > 30 && c.last_tgid == (uint32_t)pid && c.newproc_tgid == (uint32_t)pid &&
			     leat_collect_adds_up(&c)
		     ? 0
		     : 4;
	leat_collect_fini(&c);
	leat_child_kill(pid);
	return rc;
}

/* The link of /proc is that of the mount's namespace; the number is what counts, and it is ours. */
Test(filter, pids_are_those_of_leats_own_namespace)
{
	int status = -1;
	pid_t pid;

	cr_assert(zero(int, unshare(CLONE_NEWPID | CLONE_NEWNS)));
	pid = fork();
	if (!pid) {
		if (syscall(SYS_mount, "none", "/", NULL, 0x44000ul, NULL) ||
		    syscall(SYS_mount, "proc", "/proc", "proc", 0ul, NULL))
			_exit(5);
		_exit(sample_inside());
	}
	cr_assert(eq(int, (int)waitpid(pid, &status, 0), (int)pid));
	cr_expect(zero(int, WEXITSTATUS(status)));
}
