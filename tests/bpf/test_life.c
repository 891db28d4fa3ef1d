/* SPDX-License-Identifier: BSD-2-Clause */
/* The set of processes between two looks of user space: fork, exit, exec, notices. */
#include <bpf/bpf.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/collect.h"
#include "engine/impl.h"

struct shared {
	volatile pid_t child;
	volatile int go;
};
static struct shared *shared;

static void fork_when_told(void)
{
	while (!shared->go)
		usleep(1000);
	shared->child = leat_child(leat_spin_forever);
	for (;;)
		pause();
}

static uint32_t bits_of(const struct leat_collect *c, pid_t pid)
{
	uint32_t tgid = (uint32_t)pid, bits = 0;

	if (bpf_map_lookup_elem(leat_engine_tgids_fd(c->engine), &tgid, &bits))
		return 0;
	return bits;
}

static pid_t start_forker(void)
{
	shared = leat_shared_page();
	return leat_child(fork_when_told);
}

static pid_t fork_now(void)
{
	shared->go = 1;
	while (!shared->child)
		usleep(1000);
	return shared->child;
}

Test(life, children_join_when_asked_for)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t parent = start_forker(), child;

	o.cfg.by_process = 1;
	o.cfg.children = 1;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)parent,
						 LEAT_SET_PROCESS | LEAT_SET_KNOWN)));
	leat_collect_start(&c);
	child = fork_now();
	leat_collect_run(&c, 500);
	leat_collect_finish(&c);
	cr_expect(eq(u32, bits_of(&c, child), LEAT_SET_PROCESS), "not known yet");
	cr_expect(gt(u64, c.counted, 30));
	cr_expect(eq(u32, c.last_tgid, (uint32_t)child));
	leat_collect_fini(&c);
	kill(child, SIGKILL);
	leat_child_kill(parent);
}

Test(life, children_stay_out_else_but_keep_their_name)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t parent = start_forker(), child;

	o.cfg.by_process = 1;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)parent,
						 LEAT_SET_PROCESS | LEAT_SET_NAME)));
	leat_collect_start(&c);
	child = fork_now();
	leat_collect_run(&c, 300);
	leat_collect_finish(&c);
	cr_expect(eq(u32, bits_of(&c, child), LEAT_SET_NAME));
	cr_expect(ne(u32, c.last_tgid, (uint32_t)child));
	leat_collect_fini(&c);
	kill(child, SIGKILL);
	leat_child_kill(parent);
}

static void end_at_once(void)
{
}

static void *thread_that_ends(void *arg)
{
	return arg;
}

/* The main thread ends, the process goes on in another one; then that one ends too. */
static void outlive_main(void)
{
	pthread_t t;

	pthread_create(&t, NULL, thread_that_ends, NULL);
	pthread_join(t, NULL);
	shared->child = getpid();
	while (!shared->go)
		usleep(1000);
}

Test(life, only_the_last_thread_takes_the_process_out)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t pid;

	shared = leat_shared_page();
	o.cfg.by_process = 1;
	leat_collect_open(&c, &o);
	pid = fork();
	if (!pid) {
		usleep(50000);
		outlive_main();
		_exit(0);
	}
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	while (!shared->child)
		usleep(1000);
	cr_expect(eq(u32, bits_of(&c, pid), LEAT_SET_PROCESS), "a thread ended, not the process");
	shared->go = 1;
	waitpid(pid, NULL, 0);
	cr_expect(zero(u32, bits_of(&c, pid)));
	leat_collect_fini(&c);
}

static bool has_tid(const struct leat_collect *c, pid_t tid)
{
	uint32_t key = (uint32_t)tid, value;

	return !bpf_map_lookup_elem(leat_engine_tids_fd(c->engine), &key, &value);
}

static void *thread_that_waits(void *arg)
{
	shared->child = (pid_t)syscall(SYS_gettid);
	while (!shared->go)
		usleep(1000);
	return arg;
}

static void outlive_a_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, thread_that_waits, NULL);
	pthread_join(t, NULL);
	shared->go = 2;
	for (;;)
		pause();
}

/* Its number may be used again, by a thread that nobody asked for. */
Test(life, a_thread_that_ended_leaves_the_set)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t pid;

	shared = leat_shared_page();
	o.cfg.by_thread = 1;
	leat_collect_open(&c, &o);
	pid = leat_child(outlive_a_thread);
	while (!shared->child)
		usleep(1000);
	cr_assert(zero(int, leat_engine_set_tid(c.engine, (uint32_t)pid)));
	cr_assert(zero(int, leat_engine_set_tid(c.engine, (uint32_t)shared->child)));
	shared->go = 1;
	while (shared->go != 2)
		usleep(1000);
	/* pthread_join returns when the number is given back, a little after the exit began. */
	cr_expect(not(has_tid(&c, shared->child)));
	cr_expect(has_tid(&c, pid), "the process goes on");
	leat_child_kill(pid);
	cr_expect(not(has_tid(&c, pid)));
	leat_collect_fini(&c);
}

static void exec_when_told(void)
{
	while (!shared->go)
		usleep(1000);
	execl("/bin/sleep", "sleep", "30", (char *)NULL);
}

Test(life, an_exec_ends_what_was_known_but_not_the_choice)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t pid;

	shared = leat_shared_page();
	o.cfg.by_process = 1;
	leat_collect_open(&c, &o);
	pid = leat_child(exec_when_told);
	cr_assert(
		zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid,
					       LEAT_SET_PROCESS | LEAT_SET_NAME | LEAT_SET_KNOWN)));
	shared->go = 1;
	for (int i = 0; i < 100 && bits_of(&c, pid) != LEAT_SET_PROCESS; i++)
		usleep(10000);
	cr_expect(eq(u32, bits_of(&c, pid), LEAT_SET_PROCESS));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(life, a_process_that_is_not_known_is_announced_once_an_epoch)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t pid = leat_child(leat_spin_forever);
	uint64_t announced;

	o.cfg.by_process = 1;
	o.cfg.notify_procs = 1;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_PROCESS)));
	leat_collect_start(&c);
	leat_collect_run(&c, 400);
	announced = c.newprocs;
	cr_expect(gt(u64, announced, 0));
	cr_expect(le(u64, announced, 4 * o.cpu_cnt));
	cr_expect(eq(u32, c.newproc_tgid, (uint32_t)pid));
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)pid, LEAT_SET_KNOWN)));
	leat_collect_run(&c, 100);
	announced = c.newprocs;
	leat_collect_run(&c, 400);
	leat_collect_finish(&c);
	cr_expect(eq(u64, c.newprocs, announced), "known now");
	leat_collect_fini(&c);
	leat_child_kill(pid);
}

Test(life, a_full_set_is_an_error_that_says_so)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	int err = 0;

	o.cfg.by_process = 1;
	o.set_max = 4;
	leat_collect_open(&c, &o);
	for (uint32_t i = 1; i < 64 && !err; i++)
		err = leat_engine_set_tgid(c.engine, 100000000 + i, LEAT_SET_PROCESS);
	cr_expect(eq(int, err, -EOVERFLOW));
	leat_collect_fini(&c);
}

/* User space was late: it put a process in that had ended, and its number is used again. */
Test(life, a_number_that_is_used_again_is_another_process)
{
	struct leat_engine_opts o = leat_collect_opts();
	struct leat_collect c;
	pid_t want = leat_child(end_at_once), pid;
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (__u64)(uintptr_t)&want,
				   .set_tid_size = 1 };

	waitpid(want, NULL, 0);
	o.cfg.by_process = 1;
	leat_collect_open(&c, &o);
	cr_assert(zero(int, leat_engine_set_tgid(c.engine, (uint32_t)want,
						 LEAT_SET_PROCESS | LEAT_SET_KNOWN)));
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		pause();
	cr_assert(eq(int, pid, want));
	cr_expect(zero(u32, bits_of(&c, pid)));
	leat_collect_fini(&c);
	leat_child_kill(pid);
}
