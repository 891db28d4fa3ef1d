/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Code without frame pointers, with callers that are known:
 *
 *	wl_nofp deep N		main, nofp_outer, N times nofp_deep, nofp_leaf
 *	wl_nofp signal		main, nofp_waits, [a signal], nofp_handler, nofp_leaf
 *	wl_nofp plug FILE.so	main, nofp_plugged, plug_run (of FILE.so), nofp_back, nofp_leaf; opened,
 *				used and closed again every 300 ms
 *	wl_nofp fork		main, nofp_outer and so on in children that live 100 ms
 *
 * All for ever, or until killed. Says "ready" first.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEPT __attribute__((noinline, noclone))

static volatile unsigned long sink;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

KEPT static void nofp_leaf(int ms)
{
	const double end = now_ms() + ms;

	do {
		for (unsigned long i = 0; i < 100000; i++)
			sink += i;
	} while (now_ms() < end);
	sink++;
}

KEPT static int nofp_deep(int n)
{
	int got;

	if (n <= 0) {
		nofp_leaf(20);
		return 1;
	}
	got = nofp_deep(n - 1) + 1;
	sink += (unsigned long)got;
	return got;
}

/* Its frame has a size that is known at run time alone. */
KEPT static int nofp_outer(int n)
{
	char *room = __builtin_alloca((size_t)n * 8 + 16);
	int got;

	memset(room, n, (size_t)n * 8 + 16);
	got = nofp_deep(n);
	sink += (unsigned char)room[n];
	return got;
}

KEPT static void nofp_handler(int sig)
{
	nofp_leaf(20);
	sink += (unsigned long)sig;
}

KEPT static void nofp_waits(void)
{
	for (unsigned long i = 0; i < 1000000000; i++)
		sink += i;
	sink++;
}

KEPT static void nofp_back(void)
{
	nofp_leaf(20);
	sink++;
}

KEPT static int nofp_plugged(const char *file)
{
	void *so = dlopen(file, RTLD_NOW);
	void (*run)(void (*)(void));
	const double end = now_ms() + 300;

	if (!so)
		return 1;
	*(void **)&run = dlsym(so, "plug_run");
	while (run && now_ms() < end)
		run(nofp_back);
	return dlclose(so);
}

static void start_alarm(void)
{
	const struct itimerval every = { { 0, 25000 }, { 0, 25000 } };

	signal(SIGALRM, nofp_handler);
	setitimer(ITIMER_REAL, &every, NULL);
}

KEPT static void child(void)
{
	if (fork()) {
		wait(NULL);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 5; i++)
		nofp_outer(5);
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "deep";
	const int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 30;

	puts("ready");
	fflush(stdout);
	if (!strcmp(what, "signal"))
		start_alarm();
	for (;;) {
		if (!strcmp(what, "signal"))
			nofp_waits();
		else if (!strcmp(what, "fork"))
			child();
		else if (strcmp(what, "plug"))
			nofp_outer(n);
		else if (argc < 3 || nofp_plugged(argv[2]))
			return 1;
	}
}
