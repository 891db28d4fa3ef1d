/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <xxhash.h>

/* XXH3_64bits of the empty input and of "a", seed 0, by the reference implementation. */
Test(hash, bytes_are_xxh3)
{
	cr_assert(eq(u64, leat_hash_bytes("", 0), 0x2d06800538d394c2ull));
	cr_assert(eq(u64, leat_hash_bytes("a", 1), 0xe6c632b61e964e1full));
}

/* Long input may take other instructions; the value is XXH3's all the same. */
Test(hash, long_bytes_are_xxh3)
{
	static uint8_t bytes[5000];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 8));
	for (size_t n = 0; n < sizeof(bytes); n += n < 600 ? 1 : 97)
		cr_assert(eq(u64, leat_hash_bytes(bytes, n), XXH3_64bits(bytes, n)), "%zu", n);
}

Test(hash, integers_are_spread)
{
	uint64_t seen = 0;

	cr_assert(eq(u64, leat_hash_u64(0), 0));
	for (uint64_t i = 1; i <= 64; i++)
		seen |= 1ull << (leat_hash_u64(i << 12) & 63);
	cr_assert(gt(int, __builtin_popcountll(seen), 30));
}
