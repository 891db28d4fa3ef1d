// SPDX-License-Identifier: BSD-2-Clause
/*
 * A workload of known proportions: each thread spends 60, 30 and 10 % of its time in three
 * functions, in turns far shorter than a sampling interval and of a length that does not divide it.
 * wl_shares SECONDS [THREADS]
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_THREADS 256

static volatile uint64_t sink;
static volatile int stop;

/* The same work in each, so that time goes by calls alone. */
#define WORK(name, turns)                                                                          \
	__attribute__((noinline)) static void name(void)                                           \
	{                                                                                          \
		uint64_t x = sink;                                                                 \
                                                                                                   \
		for (int i = 0; i < (turns)*7919; i++)                                             \
			x = x * 6364136223846793005ull + 1442695040888963407ull;                   \
		__asm__ volatile("" : : "r"(x));                                                   \
	}

WORK(work_sixty, 6)
WORK(work_thirty, 3)
WORK(work_ten, 1)

__attribute__((noinline)) static void work_round(void)
{
	work_sixty();
	work_thirty();
	work_ten();
	__asm__ volatile(""); /* no tail call: the caller stays on the stack */
}

static void *work_thread(void *arg)
{
	while (!stop)
		work_round();
	return arg;
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 10;
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3;
	pthread_t t[MAX_THREADS];

	if (n < 1 || n > MAX_THREADS) {
		fprintf(stderr, "wl_shares SECONDS [THREADS], at most %d threads\n", MAX_THREADS);
		return 2;
	}
	for (int i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, work_thread, NULL))
			return 1;
	sleep(seconds);
	stop = 1;
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	return 0;
}
