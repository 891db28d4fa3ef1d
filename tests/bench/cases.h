/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case of the engine's benchmarks: many calls, some rounds, the median; each call's result goes
 * into a sum that is printed, so that nothing is optimised away and the peer can be checked
 * (tests/bench/peers): "name<TAB>median<TAB>least<TAB>sum", nanoseconds a call.
 */
#ifndef LEAT_TESTS_BENCH_CASES_H
#define LEAT_TESTS_BENCH_CASES_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CASE_RECORDS 256 /* used in turn: what is read differs from call to call */
#define CASE_CALLS   102400
#define CASE_ROUNDS  256 /* at most */

static inline double case_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int case_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* fn(ctx, i) with i = 0 .. n - 1, in each round. Inline with it, as the peer's. */
static inline __attribute__((always_inline)) void case_run(const char *name, unsigned int rounds,
							   size_t n,
							   uint64_t (*fn)(void *ctx, size_t i),
							   void *ctx)
{
	double times[CASE_ROUNDS];
	uint64_t first = 0;

	rounds = rounds > CASE_ROUNDS ? CASE_ROUNDS : rounds;
	for (unsigned int r = 0; r < rounds; r++) {
		double start = case_now_ns();
		uint64_t sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += fn(ctx, i);
		times[r] = (case_now_ns() - start) / (double)n;
		if (r && sum != first) {
			fprintf(stderr, "%s: rounds differ\n", name);
			exit(1);
		}
		first = sum;
	}
	qsort(times, rounds, sizeof(times[0]), case_compare);
	printf("%s\t%.2f\t%.2f\t%016" PRIx64 "\n", name, times[rounds / 2], times[0], first);
}

/* splitmix64: both sides make their inputs with it. */
static inline uint64_t case_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static inline void case_letters(uint64_t *state, char *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (char)('a' + case_random(state) % 26);
}

#endif
