/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wl_swap SECONDS LIB-A LIB-B: loads A, works in it, closes it, loads B, works in it, closes it, and
 * so on. Both have the same layout and come to lie at the same address, which is checked; on the
 * way out it prints how often they did. work_in_a calls nothing but A: a stack with both a caller
 * and a callee of different letters is a lie.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void *open_lib(const char *path, const char *name, void **lib)
{
	void *work = NULL;

	*lib = dlopen(path, RTLD_NOW);
	if (*lib)
		work = dlsym(*lib, name);
	if (!work) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return work;
}

#define WORK_IN(letter)                                                                            \
	__attribute__((noinline)) static void *work_in_##letter(const char *path)                  \
	{                                                                                          \
		void *lib, *work = open_lib(path, "swap_in_" #letter, &lib);                       \
		double end = now_ms() + 20;                                                        \
                                                                                                   \
		while (now_ms() < end)                                                             \
			((void (*)(void))work)();                                                  \
		dlclose(lib);                                                                      \
		return work;                                                                       \
	}

WORK_IN(a)
WORK_IN(b)

int main(int argc, char **argv)
{
	double end = now_ms() + 1e3 * (argc > 1 ? strtod(argv[1], NULL) : 5);
	int same = 0, all = 0;

	if (argc < 4)
		return 2;
	for (; now_ms() < end; all++)
		same += work_in_a(argv[2]) == work_in_b(argv[3]);
	printf("%d of %d at the same address\n", same, all);
	return same == all ? 0 : 3;
}
