/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/once.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>

static int count(void *ctx)
{
	return ++*(int *)ctx == 1 ? -EIO : 0;
}

Test(once, runs_once_and_its_failure_sticks)
{
	struct leat_once o = LEAT_ONCE_INIT;
	int cnt = 0;

	cr_assert(eq(int, leat_once(&o, count, &cnt), -EIO));
	cr_assert(eq(int, leat_once(&o, count, &cnt), -EIO));
	cr_assert(eq(int, cnt, 1));
}

struct shared {
	struct leat_once once;
	int cnt;
};

static int add(void *ctx)
{
	((struct shared *)ctx)->cnt++;
	return 0;
}

static void *run(void *ctx)
{
	struct shared *s = ctx;

	return leat_once(&s->once, add, s) ? NULL : s;
}

Test(once, threads_run_it_once)
{
	struct shared s = { .once = LEAT_ONCE_INIT };
	pthread_t t[8];
	void *got;

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(t); i++)
		cr_assert(eq(int, pthread_create(&t[i], NULL, run, &s), 0));
	for (size_t i = 0; i < LEAT_ARRAY_SIZE(t); i++) {
		cr_assert(eq(int, pthread_join(t[i], &got), 0));
		cr_assert(eq(ptr, got, &s));
	}
	cr_assert(eq(int, s.cnt, 1));
}
