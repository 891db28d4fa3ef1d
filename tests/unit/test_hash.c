/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* XXH3_64bits of the empty input and of "a", seed 0, by the reference implementation. */
Test(hash, bytes_are_xxh3)
{
	cr_assert(eq(u64, leat_hash_bytes("", 0), 0x2d06800538d394c2ull));
	cr_assert(eq(u64, leat_hash_bytes("a", 1), 0xe6c632b61e964e1full));
}

Test(hash, integers_are_spread)
{
	uint64_t seen = 0;

	cr_assert(eq(u64, leat_hash_u64(0), 0));
	for (uint64_t i = 1; i <= 64; i++)
		seen |= 1ull << (leat_hash_u64(i << 12) & 63);
	cr_assert(gt(int, __builtin_popcountll(seen), 30));
}
