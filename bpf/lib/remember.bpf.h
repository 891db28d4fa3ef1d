/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What each CPU remembers of addresses: 4,096 of them with their rules. The key of a user address is
 * made with the tag of its process's mappings, that of a kernel address with struct leat_orc's.
 */
#ifndef LEAT_BPF_REMEMBER_H
#define LEAT_BPF_REMEMBER_H

#include "maps.bpf.h"

#include "leat_space.h"

/* One value a CPU; no per-CPU map, whose values have at most 32 KB. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_rule_cache);
} leat_rule_cache SEC(".maps");

static __always_inline struct leat_rule_cache *leat_cache_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&leat_rule_cache, &cpu);
}

static __always_inline __u64 leat_remembered_key(__u64 tag, __u64 pc)
{
	return tag + pc * 0x9e3779b97f4a7c15ull;
}

static __always_inline struct leat_remembered *leat_remembered_at(struct leat_rule_cache *c,
								  __u64 key)
{
	return &c->e[key >> (64 - LEAT_RULE_CACHE_BITS)];
}

/* The key is cleared before and written after what it stands for: an interrupt reads between. */
static __always_inline void leat_remember(struct leat_rule_cache *c, __u64 key, __u64 rule)
{
	volatile struct leat_remembered *e = leat_remembered_at(c, key);

	e->key = 0;
	e->rule = rule;
	e->key = key;
}

/* Whether @key is remembered; its rule, or any word, in @rule. */
static __always_inline int leat_recall(struct leat_rule_cache *c, __u64 key, __u64 *rule)
{
	const volatile struct leat_remembered *e = leat_remembered_at(c, key);
	const __u64 has = e->key;

	*rule = e->rule;
	return has == key && e->key == key;
}

#endif
