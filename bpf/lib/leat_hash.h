/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The 64-bit identity of a stack: seeded, order-dependent, every step a bijection of the state. A
 * frame is mixed outside the dependent chain, so a step costs about as much as the load of the
 * next frame pointer, and runs beside it.
 */
#ifndef LEAT_BPF_HASH_H
#define LEAT_BPF_HASH_H

#include "leat_inline.h"

#define LEAT_HASH_K1 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio, odd */
#define LEAT_HASH_K2 0xbf58476d1ce4e5b9ull /* of the finaliser of splitmix64, odd */

LEAT_INLINE __u64 leat_stack_hash_add(__u64 h, __u64 frame)
{
	__u64 m = frame * LEAT_HASH_K1;

	m ^= m >> 32;
	h = (h ^ m) * LEAT_HASH_K2;
	return h ^ (h >> 32);
}

/* Frame counts and how the walk ended belong to the identity. Never 0. */
LEAT_INLINE __u64 leat_stack_hash_end(__u64 h, __u64 shape)
{
	h = leat_stack_hash_add(h, shape ^ LEAT_HASH_K2);
	h = (h ^ (h >> 29)) * LEAT_HASH_K1;
	h ^= h >> 32;
	return h ? h : 1;
}

#endif
