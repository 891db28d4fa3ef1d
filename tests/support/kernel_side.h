/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side of a walk by unwind tables, for a test that loads BPF programs of its own: how they
 * are configured, and what user space tells them. What is impossible ends the program.
 *
 *	skel = x__open();
 *	cfg = (struct leat_cfg *)&skel->rodata->cfg;
 *	leat_kernel_side_configure(skel->obj, cfg, RING_BYTES);	(then what is different)
 *	x__load(skel);
 *	leat_kernel_side_init(&side, skel->obj, RING_BYTES);
 */
#ifndef LEAT_TESTS_SUPPORT_KERNEL_SIDE_H
#define LEAT_TESTS_SUPPORT_KERNEL_SIDE_H

#include <bpf/libbpf.h>

#include "engine/ring.h"
#include "leat_cfg.h"
#include "leat_space.h"
#include "unwind/table.h"

#define LEAT_SIDE_EXES	 64u
#define LEAT_SIDE_RANGES 1024u
#define LEAT_SIDE_SPACES 16u

struct leat_kernel_side {
	const struct bpf_object *obj; /* borrowed */
	struct leat_ring ring;
	struct leat_ctl *ctl;
	struct leat_range *ranges;
	struct leat_exe *exes;
	struct leat_unwind_rule *kernel_rules;
	struct leat_unwind_rules *rules;
};

/* Before loading: user stacks by tables, each sample as a record into one ring. */
void leat_kernel_side_configure(const struct bpf_object *obj, struct leat_cfg *cfg,
				uint32_t ring_bytes);
void leat_kernel_side_init(struct leat_kernel_side *s, const struct bpf_object *obj,
			   uint32_t ring_bytes);
void leat_kernel_side_fini(struct leat_kernel_side *s);
int leat_kernel_side_fd(const struct leat_kernel_side *s, const char *map);

/* The table of binary @exe, which is READY then; and all of .rules. */
void leat_kernel_side_put(struct leat_kernel_side *s, uint32_t exe,
			  const struct leat_unwind_table *t);
/* This process's mappings: ranges that are there already. */
void leat_kernel_side_space(struct leat_kernel_side *s, const struct leat_space *space);

#endif
