// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads that work at the bottom of a stack of known depth and frame size, and count what they
 * get done in a file that a benchmark can read at any time.
 * bench_spin THREADS DEPTH FRAME-BYTES user|syscall COUNTER-FILE SECONDS
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_THREADS  64
#define COUNTER_STEP 8 /* u64 between two threads' counters: a cache line each */

static volatile uint64_t *counters;
static volatile int stop; /* never set: the work ends with the process */
static int use_syscalls;
static int depth;
static size_t frame_bytes;

struct work {
	volatile uint64_t *counter;
	int left;
};

__attribute__((noinline)) static void bench_leaf(volatile uint64_t *counter)
{
	while (!stop) {
		uint64_t x = *counter;

		if (use_syscalls) {
			syscall(SYS_getppid);
		} else {
			for (int i = 0; i < 64; i++)
				x = x * 6364136223846793005ull + 1442695040888963407ull;
			__asm__ volatile("" : : "r"(x));
		}
		*counter = *counter + 1;
	}
}

/* One frame of the wanted size: the pad is a parameter of the caller's choice among three. */
#define RECURSE(name, bytes)                                                                       \
	__attribute__((noinline)) static void name(struct work *w)                                 \
	{                                                                                          \
		volatile char pad[bytes];                                                          \
                                                                                                   \
		pad[0] = (char)w->left;                                                            \
		pad[sizeof(pad) - 1] = 0;                                                          \
		if (--w->left > 0)                                                                 \
			name(w);                                                                   \
		else                                                                               \
			bench_leaf(w->counter);                                                    \
		pad[0] = 1;                                                                        \
	}

RECURSE(bench_small, 16)
RECURSE(bench_middle, 224)
RECURSE(bench_large, 1464)

static void *bench_thread(void *arg)
{
	struct work w = { .counter = arg, .left = depth };

	if (frame_bytes >= 1500)
		bench_large(&w);
	else if (frame_bytes >= 256)
		bench_middle(&w);
	else
		bench_small(&w);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t;
	size_t bytes = MAX_THREADS * COUNTER_STEP * sizeof(uint64_t);
	int threads, fd;

	if (argc != 7) {
		fprintf(stderr, "bench_spin THREADS DEPTH FRAME-BYTES user|syscall FILE SECONDS\n");
		return 2;
	}
	threads = (int)strtol(argv[1], NULL, 10);
	depth = (int)strtol(argv[2], NULL, 10);
	frame_bytes = strtoul(argv[3], NULL, 10);
	use_syscalls = strcmp(argv[4], "syscall") == 0;
	fd = open(argv[5], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (threads < 1 || threads > MAX_THREADS || fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return 2;
	counters = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED)
		return 1;
	for (int i = 0; i < threads; i++)
		if (pthread_create(&t, NULL, bench_thread, (void *)(counters + i * COUNTER_STEP)))
			return 1;
	sleep((unsigned int)strtoul(argv[6], NULL, 10));
	return 0;
}
