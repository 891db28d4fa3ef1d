/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

/* The header's inline form: no call through the PLT, and one library less to find at run time. */
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t leat_hash_bytes(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

uint64_t leat_hash_seeded(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}
