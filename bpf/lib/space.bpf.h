/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whose mappings hold: a child has its parent's from its first instruction on, and what an exec or
 * the end of a process made void is gone before the number is used again.
 */
#ifndef LEAT_BPF_SPACE_LIFE_H
#define LEAT_BPF_SPACE_LIFE_H

#include "table_maps.bpf.h"

static __always_inline int leat_space_fork(__u32 ptgid, __u32 tgid)
{
	struct leat_space *p, copy;

	if (!cfg.unwind)
		return 0;
	p = bpf_map_lookup_elem(&leat_spaces, &ptgid);
	if (!p)
		return !bpf_map_delete_elem(&leat_spaces, &tgid);
	copy = *p;
	return !bpf_map_update_elem(&leat_spaces, &tgid, &copy, BPF_ANY);
}

/* Whether there was anything. */
static __always_inline int leat_space_drop(__u32 tgid)
{
	return cfg.unwind && !bpf_map_delete_elem(&leat_spaces, &tgid);
}

#endif
