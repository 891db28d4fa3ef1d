/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbols/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#define THREADS_MAX 16
/* The demangler recurses up to 2,048 levels deep; memory is only taken as far as it is used. */
#define STACK_BYTES ((size_t)16 << 20)

struct pool {
	leat_pool_fn fn;
	void *ctx;
	size_t n;
	atomic_size_t next;
};

static void *work(void *arg)
{
	struct pool *p = arg;

	for (;;) {
		size_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);

		if (i >= p->n)
			return NULL;
		p->fn(p->ctx, i);
	}
}

/* Starts up to @want threads; one that cannot be had is not missed, for the caller works too. */
static unsigned int start(struct pool *p, pthread_t *threads, unsigned int want)
{
	pthread_attr_t attr;
	sigset_t all, old;
	unsigned int n = 0;

	if (pthread_attr_init(&attr))
		return 0;
	/* Signals are for the thread that waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (!pthread_attr_setstacksize(&attr, STACK_BYTES)) {
		while (n < want && !pthread_create(&threads[n], &attr, work, p))
			n++;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return n;
}

void leat_pool_run(unsigned int threads, size_t n, leat_pool_fn fn, void *ctx)
{
	struct pool p = { .fn = fn, .ctx = ctx, .n = n };
	pthread_t started[THREADS_MAX];
	unsigned int cnt = 0;

	if (threads > n)
		threads = (unsigned int)n;
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	if (threads > 1)
		cnt = start(&p, started, threads - 1);
	work(&p);
	while (cnt)
		pthread_join(started[--cnt], NULL);
}

unsigned int leat_pool_cpus(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	n = CPU_COUNT(&set);
	return n > 0 ? (unsigned int)n : 1;
}
