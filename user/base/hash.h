/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEAT_BASE_HASH_H
#define LEAT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3-64 of @n bytes. */
uint64_t leat_hash_bytes(const void *p, size_t n);
uint64_t leat_hash_seeded(const void *p, size_t n, uint64_t seed);

/* Mixes a 64-bit integer (the finaliser of splitmix64). */
static inline uint64_t leat_hash_u64(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

#endif
