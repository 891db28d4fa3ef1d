/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live system: where a process spends its time, and a tracepoint of it that a filter lets pass.
 * Ends with 77 where it may not look.
 */
#define _GNU_SOURCE /* clock_gettime, kill */
#include <leat/live.h>

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "example.h"

#define ENOUGH	   100 /* samples */
#define GIVE_UP_NS 20000000000u

static volatile unsigned int sink;

__attribute__((noinline)) void burn(void);
void burn(void)
{
	for (unsigned int i = 0; i < 10000000; i++)
		sink += i;
}

static void child_runs(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0;; i++) {
		burn();
		prctl(PR_SET_NAME, i & 1 ? "even" : "odd");
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int see_name(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	leat_field_ref ref;
	struct leat_slice name;

	CHECK(leat_format_ref(leat_event_format(ev), "newcomm", &ref) == 0);
	name = leat_get_text(leat_event_format(ev), ref, r);
	CHECK(name.len == 4 && memcmp(name.data, "even", 4) == 0);
	++*(int *)ctx;
	return 0;
}

/* Samples whose stack goes through a function. */
static uint64_t samples_in(const struct leat_profile *p, const char *name)
{
	struct leat_sample_info sample;
	struct leat_stack_info stack;
	struct leat_function_info function;
	struct leat_frame_info frame;
	uint64_t sum = 0;

	for (size_t i = 0; leat_profile_sample_at(p, i, &sample) == 0; i++) {
		CHECK(leat_profile_stack_at(p, sample.stack, &stack) == 0);
		for (size_t k = 0; k < stack.frame_cnt; k++) {
			CHECK(leat_profile_frame_at(p, stack.frames[k], &frame) == 0);
			if (leat_profile_function_at(p, frame.function, &function) ||
			    strcmp(function.name, name) != 0)
				continue;
			sum += sample.value;
			break;
		}
	}
	return sum;
}

/* Until there is enough to see. */
static void watch(struct leat_session *s, const struct leat_live *live, const int *names)
{
	const uint64_t until = now_ns() + GIVE_UP_NS;

	while ((leat_session_samples(s) < ENOUGH || *names < 3) && now_ns() < until &&
	       !leat_live_is_over(live)) {
		struct pollfd p = { .fd = leat_live_fd(live), .events = POLLIN };

		poll(&p, 1, 100);
		CHECK(leat_session_poll(s, now_ns()) >= 0);
	}
}

static void tell(const struct leat_profile *p)
{
	const uint64_t total = leat_profile_total(p);
	struct leat_verdict_info verdict;

	CHECK(total >= ENOUGH && samples_in(p, "burn") > total / 2);
	printf("most samples of the child are in burn\n");
	printf("only one of its two names passed the filter\n");
	leat_profile_verdict(p, &verdict);
	CHECK(verdict.taken == total);
	printf("the verdict counts every sample\n");
}

int main(void)
{
	struct leat_target_spec who = { LEAT_TARGET_PROCESS, 0, NULL };
	struct leat_session_builder *b = leat_session_builder_new();
	struct leat_profile *p;
	struct leat_session *s = NULL;
	struct leat_live *live = NULL;
	int names = 0;

	if (geteuid() != 0) {
		printf("the live system needs root\n");
		return 77;
	}
	who.id = (uint32_t)fork();
	if (!who.id)
		child_runs();
	CHECK(leat_live_new(&live) == 0);
	leat_session_with_frequency(leat_session_with_live(b, live), 999);
	leat_session_with_target(b, &who);
	leat_session_with_event(b, "task/task_rename", "newcomm == \"even\"");
	leat_session_with_callback(b, "task/task_rename", see_name, &names);
	if (leat_session_build(b, &s) || leat_session_start(s))
		fprintf(stderr, "%s %s\n", leat_session_builder_error(b), leat_live_error(live));
	CHECK(s);
	watch(s, live, &names);
	CHECK(leat_session_finish(s) == 0);
	CHECK(names >= 3);
	p = leat_session_take_profile(s);
	CHECK(p && leat_live_finish(live, p) == 0);
	tell(p);
	leat_profile_free(&p);
	leat_session_free(&s);
	leat_session_builder_free(&b);
	leat_live_free(&live);
	kill((pid_t)who.id, SIGKILL);
	waitpid((pid_t)who.id, NULL, 0);
	return 0;
}
