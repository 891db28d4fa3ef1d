/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wl_threads SECONDS THREADS [leave]: threads named "even" and "odd" that work in even_work and odd_work.
 * Prints "TID NAME" for each, then "ready". With "leave" the main thread ends then, and the rest works on.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_THREADS 1024

static volatile int stop;
static pthread_barrier_t started;

#define WORK(name)                                                                                 \
	__attribute__((noinline)) static void name(void)                                           \
	{                                                                                          \
		volatile unsigned long sink = 0;                                                   \
                                                                                                   \
		while (!stop) {                                                                    \
			for (unsigned long i = 0; i < 20000; i++)                                  \
				sink += i;                                                         \
		}                                                                                  \
		__asm__ volatile("");                                                              \
	}

WORK(even_work)
WORK(odd_work)

static void *run(void *arg)
{
	long nth = (long)arg;

	pthread_setname_np(pthread_self(), nth % 2 ? "odd" : "even");
	printf("%ld %s\n", syscall(SYS_gettid), nth % 2 ? "odd" : "even");
	fflush(stdout);
	pthread_barrier_wait(&started);
	if (nth % 2)
		odd_work();
	else
		even_work();
	return arg;
}

static void on_alarm(int sig)
{
	(void)sig;
	stop = 1;
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 5;
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 4;
	static pthread_t t[MAX_THREADS];

	if (n < 1 || n > MAX_THREADS)
		return 2;
	pthread_barrier_init(&started, NULL, (unsigned int)n + 1);
	for (long i = 0; i < n; i++) {
		if (pthread_create(&t[i], NULL, run, (void *)i))
			return 1;
	}
	pthread_barrier_wait(&started);
	puts("ready");
	fflush(stdout);
	if (argc > 3) {
		signal(SIGALRM, on_alarm);
		alarm(seconds);
		pthread_exit(NULL);
	}
	sleep(seconds);
	stop = 1;
	for (long i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	return 0;
}
