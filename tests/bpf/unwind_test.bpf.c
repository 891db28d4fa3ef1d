/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The smallest user of the step: one binary's table and the dictionary in mapped arrays, all state
 * in a map value, and one loop of 32 frames. The stack is the caller's memory, read a word at a time.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "leat_inline.h"
#include "leat_unwind.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define FRAMES 32

struct walker {
	struct leat_unwind_walk w;
	__u64 bias;
	__u64 bx;
	__u64 frames[FRAMES];
	__u32 frame_cnt;
	__u32 result;
};

struct table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size,
	       sizeof(union leat_unwind_block)); /* by type, libbpf finds no size here */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct table);
} tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, LEAT_UNWIND_RULES_MAX);
	__type(key, __u32);
	__type(value, struct leat_unwind_rule);
} rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walker);
} walkers SEC(".maps");

struct step_ctx {
	void *table;
	struct walker *x;
};
#define LEAT_STEP_CTX struct step_ctx

LEAT_INLINE const union leat_unwind_block *leat_step_block(const struct step_ctx *c, __u32 i)
{
	return bpf_map_lookup_elem(c->table, &i);
}

LEAT_INLINE int leat_step_word(const struct step_ctx *c, __u64 addr, __u64 *out)
{
	return bpf_probe_read_user(out, sizeof(*out), (void *)addr) != 0;
}

LEAT_INLINE int leat_step_has(const struct step_ctx *c, __u64 addr, __u64 *out)
{
	return leat_step_word(c, addr, out);
}

LEAT_INLINE int leat_step_reg(const struct step_ctx *c, __u32 no, __u64 *out)
{
	*out = c->x->bx;
	return no != 3;
}

#include "leat_step.h"

/*
 * One frame. A global function: verified once, not once for each frame (1,900 instructions each, and
 * 61,664 for 32 in one loop). It takes a number, for 5.10 refuses pointers.
 */
__attribute__((noinline)) int leat_t_frame(__u32 slot)
{
	struct step_ctx c = { .table = bpf_map_lookup_elem(&tables, &slot),
			      .x = bpf_map_lookup_elem(&walkers, &slot) };
	const struct leat_unwind_rule *r;
	struct walker *x = c.x;
	__u32 rule;

	if (!c.table || !x)
		return LEAT_STACK_BROKEN;
	rule = leat_unwind_find(&c, &x->w, leat_unwind_lookup_pc(&x->w) - x->bias);
	r = bpf_map_lookup_elem(&rules, &rule);
	if (r && leat_unwind_plain(&c, &x->w, r))
		return LEAT_UNWIND_ON;
	return r ? leat_unwind_apply(&c, &x->w, r) : LEAT_STACK_BROKEN;
}

struct unwind_args {
	__u64 pc, sp, fp, bx;
	__u64 bias, first_page, page_cnt;
};

SEC("raw_tp")
int leat_t_unwind(const struct unwind_args *args)
{
	const __u32 zero = 0;
	struct walker *x = bpf_map_lookup_elem(&walkers, &zero);

	if (!x)
		return -1;
	leat_unwind_begin(&x->w, args->pc, args->sp, args->fp);
	x->bx = args->bx;
	x->w.first_page = args->first_page;
	x->w.page_cnt = args->page_cnt;
	x->bias = args->bias;
	x->result = LEAT_STACK_TRUNCATED;
	for (__u32 i = 0; i < FRAMES; i++) {
		__u32 result;

		x->frames[i] = x->w.pc;
		x->frame_cnt = i + 1;
		result = leat_t_frame(0);
		if (result != LEAT_UNWIND_ON) {
			x->result = result;
			break;
		}
	}
	return 0;
}
