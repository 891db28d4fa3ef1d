/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wl_tree SECONDS: a parent that works in tree_parent, a child that was there before (tree_old), and
 * after a second one more (tree_new). Prints "ready"; waits for a line before the second child.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORK(name)                                                                                 \
	__attribute__((noinline)) static void name(time_t end)                                     \
	{                                                                                          \
		volatile unsigned long sink = 0;                                                   \
                                                                                                   \
		while (time(NULL) < end) {                                                         \
			for (unsigned long i = 0; i < 20000; i++)                                  \
				sink += i;                                                         \
		}                                                                                  \
		__asm__ volatile("");                                                              \
	}

WORK(tree_parent)
WORK(tree_old)
WORK(tree_new)

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? strtol(argv[1], NULL, 10) : 5);
	char line[8];

	if (fork() == 0) {
		tree_old(end);
		_exit(0);
	}
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	if (fork() == 0) {
		tree_new(end);
		_exit(0);
	}
	tree_parent(end);
	while (wait(NULL) > 0)
		;
	return 0;
}
