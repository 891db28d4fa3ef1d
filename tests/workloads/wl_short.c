/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that live 5 to 20 ms: wl_short COUNT [PARALLEL]. Each is this program again (fork and
 * exec), or every fourth a fork alone; all of their time is in short_work. Prints "ready" first and
 * waits for a line on standard input, so that a profiler can attach before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sink;
static char self[4096];

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

__attribute__((noinline)) static void short_work(int ms)
{
	double end = now_ms() + ms;

	while (now_ms() < end) {
		for (unsigned long i = 0; i < 20000; i++)
			sink += i;
	}
	__asm__ volatile("");
}

static int child(int nth)
{
	short_work(5 + nth % 16);
	return 0;
}

static void start(int nth)
{
	char text[16];

	if (fork())
		return;
	if (nth % 4 == 3)
		_exit(child(nth));
	snprintf(text, sizeof(text), "%d", nth);
	execl(self, "wl_short", "child", text, NULL);
	_exit(127);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2000;
	int parallel = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 2;
	char line[8];

	if (argc > 2 && !strcmp(argv[1], "child"))
		return child((int)strtol(argv[2], NULL, 10));
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	puts("ready");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	for (int i = 0; i < count; i++) {
		start(i);
		if (i >= parallel - 1)
			wait(NULL);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
