/* SPDX-License-Identifier: BSD-2-Clause */
/* The identity of stacks: no collisions where stacks are alike, and every bit counts. */
#include "leat_hash.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdint.h>
#include <stdlib.h>

#define CNT 200000u

static uint64_t hash_of(const uint64_t *frames, size_t n)
{
	uint64_t h = 0x1234567;

	for (size_t i = 0; i < n; i++)
		h = leat_stack_hash_add(h, frames[i]);
	return leat_stack_hash_end(h, n);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static size_t equal_pairs(uint64_t *v, size_t n)
{
	size_t same = 0;

	qsort(v, n, sizeof(*v), by_value);
	for (size_t i = 1; i < n; i++)
		same += v[i] == v[i - 1];
	return same;
}

/* Few addresses close together, in every order: what real stacks look like. */
Test(engine_hash, like_stacks_do_not_collide)
{
	uint64_t *v = malloc(CNT * sizeof(*v)), frames[12];

	cr_assert(v != NULL);
	for (unsigned int i = 0; i < CNT; i++) {
		for (unsigned int k = 0; k < 12; k++)
			frames[k] = 0x555555554000 + (i >> k & 3) * 16 + (k == 11 ? i : 0);
		v[i] = hash_of(frames, 12);
	}
	cr_expect(zero(sz, equal_pairs(v, CNT)));
	free(v);
}

Test(engine_hash, depth_of_recursion_counts)
{
	uint64_t frames[512], v[512];

	for (unsigned int i = 0; i < 512; i++)
		frames[i] = 0x401136;
	for (unsigned int i = 0; i < 512; i++)
		v[i] = hash_of(frames, i);
	cr_expect(zero(sz, equal_pairs(v, 512)));
}

Test(engine_hash, one_bit_changes_half_of_them)
{
	uint64_t frames[8] = { 0x401136, 0x7ffff7a00000, 3, 4, 5, 6, 7, 8 };
	const uint64_t base = hash_of(frames, 8);
	unsigned int sum = 0, least = 64;

	for (unsigned int bit = 0; bit < 48 * 8; bit++) {
		unsigned int n;

		frames[bit / 48] ^= 1ull << bit % 48;
		n = (unsigned int)__builtin_popcountll(hash_of(frames, 8) ^ base);
		frames[bit / 48] ^= 1ull << bit % 48;
		sum += n;
		least = n < least ? n : least;
	}
	cr_expect(ge(uint, least, 10));
	cr_expect(ge(uint, sum, 48 * 8 * 30));
	cr_expect(le(uint, sum, 48 * 8 * 34));
}

Test(engine_hash, is_never_zero_and_order_matters)
{
	const uint64_t ab[] = { 1, 2 }, ba[] = { 2, 1 };

	cr_expect(ne(u64, hash_of(ab, 2), hash_of(ba, 2)));
	cr_expect(ne(u64, hash_of(NULL, 0), 0));
}
