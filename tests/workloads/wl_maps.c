/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wl_maps SECONDS MAPPINGS EXECUTABLE [LIB]: so many mappings, of which so many executable, and a
 * busy loop beside. With a library: loads and closes it 100 times a second. Prints "ready".
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sink;

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

__attribute__((noinline)) static void maps_work(double seconds)
{
	double end = now_s() + seconds;

	while (now_s() < end) {
		for (unsigned long i = 0; i < 20000; i++)
			sink += i;
	}
	__asm__ volatile("");
}

/* Neighbours of different protection do not merge. */
static long make_mappings(long n, long executable)
{
	long page = sysconf(_SC_PAGESIZE), i;
	char *p = mmap(NULL, (size_t)(n * page), PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return 0;
	for (i = 0; i < n; i += 2) {
		int prot = PROT_READ | (i / 2 < executable ? PROT_EXEC : PROT_WRITE);

		if (mprotect(p + i * page, (size_t)page, prot))
			break;
	}
	return i;
}

int main(int argc, char **argv)
{
	double end;
	long made;

	if (argc < 4)
		return 2;
	made = make_mappings(strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10));
	printf("ready %ld\n", made);
	fflush(stdout);
	end = now_s() + strtod(argv[1], NULL);
	while (now_s() < end) {
		void *lib = argc > 4 ? dlopen(argv[4], RTLD_NOW) : NULL;

		maps_work(0.01);
		if (lib)
			dlclose(lib);
	}
	return 0;
}
