/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces that change under a profiler, for SECONDS:
 *
 *	wl_storm execs SECONDS		processes that run two programs, or three, within milliseconds; the
 *					last one spends 3 ms in storm_leaf
 *	wl_storm moves SECONDS		code that mremap moves, once a second: called wherever it is
 *	wl_storm short SECONDS FILE...	each FILE in turn, killed after some milliseconds
 *
 * Says "ready" first, and how many there were at the end.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEPT __attribute__((noinline, noclone))

static volatile unsigned long sink;

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

KEPT static void storm_leaf(double seconds)
{
	const double end = now_s() + seconds;

	do {
		for (unsigned long i = 0; i < 2000; i++)
			sink += i;
	} while (now_s() < end);
	sink++;
}

KEPT static void storm_caller(void)
{
	storm_leaf(0.003);
	sink++;
}

/* Runs itself again, so many times, and then works. */
static int step(const char *self, int more)
{
	char left[16];

	if (!more) {
		storm_caller();
		return 0;
	}
	snprintf(left, sizeof(left), "%d", more - 1);
	execl(self, self, "step", left, (char *)NULL);
	return 1;
}

static unsigned long execs(double end)
{
	unsigned long n = 0;
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len < 0)
		return 0;
	self[len] = '\0';
	for (; now_s() < end; n++) {
		pid_t pid = fork();

		if (!pid)
			_exit(step(self, 1 + n % 2));
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
	return n;
}

#if defined(__x86_64__)
/* push %rbp; mov %rsp,%rbp; mov $300000,%ecx; 1: dec %ecx; jne 1b; pop %rbp; ret */
static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0xb9, 0xe0, 0x93, 0x04,
				      0x00, 0xff, 0xc9, 0x75, 0xfc, 0x5d, 0xc3 };
#endif

KEPT static void call_moved(void *at)
{
	void (*fn)(void);

	*(void **)&fn = at;
	fn();
	sink++;
}

static unsigned long moves(double end)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *places = mmap(NULL, 64 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long n = 0;

	if (places == MAP_FAILED || at == MAP_FAILED)
		return 0;
#if defined(__x86_64__)
	memcpy(at, code, sizeof(code));
#endif
	if (mprotect(at, page, PROT_READ | PROT_EXEC))
		return 0;
	for (; now_s() < end; n++) {
		char *to = places + n % 64 * page;

		at = mremap(at, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		if (at == MAP_FAILED)
			return 0;
		for (double next = now_s() + 1; now_s() < next;)
			call_moved(at);
	}
	return n;
}

/* Each is killed while a profiler may be reading its file. */
static unsigned long shorts(double end, char **files, int cnt)
{
	unsigned long n = 0;

	for (; now_s() < end; n++) {
		const struct timespec t = { .tv_nsec = (long)(2000000 + n % 20 * 1000000) };
		char *file = files[n % (unsigned long)cnt];
		pid_t pid = fork();

		if (!pid) {
			if (!freopen("/dev/null", "w", stdout))
				_exit(1);
			execl(file, file, "deep", "10", (char *)NULL);
			_exit(1);
		}
		if (pid < 0)
			continue;
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return n;
}

int main(int argc, char **argv)
{
	const double end = now_s() + (argc > 2 ? strtod(argv[2], NULL) : 3);
	unsigned long n = 0;

	if (argc > 2 && !strcmp(argv[1], "step"))
		return step(argv[0], (int)strtol(argv[2], NULL, 10));
	puts("ready");
	fflush(stdout);
	if (argc > 1 && !strcmp(argv[1], "execs"))
		n = execs(end);
	else if (argc > 1 && !strcmp(argv[1], "moves"))
		n = moves(end);
	else if (argc > 3)
		n = shorts(end, argv + 3, argc - 3);
	printf("%lu\n", n);
	return 0;
}
