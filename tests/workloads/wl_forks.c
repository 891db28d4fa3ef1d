/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wl_forks SECONDS [PARENTS]: as many short processes as the machine can make; each runs
 * storm_child for some microseconds. Prints how many there were.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sink;

__attribute__((noinline)) static void storm_child(void)
{
	for (unsigned long i = 0; i < 20000; i++)
		sink += i;
	__asm__ volatile("");
}

static unsigned long storm(time_t end)
{
	unsigned long n = 0;

	while (time(NULL) < end) {
		pid_t pid = fork();

		if (pid == 0) {
			storm_child();
			_exit(0);
		}
		if (pid > 0 && waitpid(pid, NULL, 0) == pid)
			n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? strtol(argv[1], NULL, 10) : 5);
	int parents = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 2, i;
	unsigned long n = 0, got;
	int pipes[2];

	if (pipe(pipes))
		return 1;
	for (i = 0; i < parents; i++) {
		if (fork() == 0) {
			n = storm(end);
			_exit(write(pipes[1], &n, sizeof(n)) != sizeof(n));
		}
	}
	for (i = 0; i < parents && read(pipes[0], &got, sizeof(got)) == sizeof(got); i++)
		n += got;
	while (wait(NULL) > 0)
		;
	printf("%lu processes\n", n);
	return 0;
}
