/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wl_brood SECONDS CHILDREN: forks a child every 10 ms, named "brood_N"; each works in brood_work
 * until SECONDS after the beginning. Prints "ready" before the first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

__attribute__((noinline)) static void brood_work(time_t end)
{
	volatile unsigned long sink = 0;

	while (time(NULL) < end) {
		for (unsigned long i = 0; i < 20000; i++)
			sink += i;
	}
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? strtol(argv[1], NULL, 10) : 5);
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 50;
	struct timespec gap = { .tv_nsec = 10000000 };

	puts("ready");
	fflush(stdout);
	for (long i = 0; i < n; i++) {
		char name[32];

		if (fork() == 0) {
			snprintf(name, sizeof(name), "brood_%ld", i);
			prctl(PR_SET_NAME, name);
			brood_work(end);
			_exit(0);
		}
		nanosleep(&gap, NULL);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
