/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Finds the kernel's unwind tables, once; and forgets those of modules when one of them goes. */
#ifndef LEAT_BPF_ORC_FIND_H
#define LEAT_BPF_ORC_FIND_H

#include "core_compat.bpf.h"
#include "maps.bpf.h"

#include "leat_orc.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_orc);
} leat_orc SEC(".maps");

static __always_inline struct leat_orc *leat_orc_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&leat_orc, &zero);
}

/* A module's memory is freed after this, and other code may come to lie there. */
static __always_inline void leat_orc_forget_modules(void)
{
	struct leat_orc *o = leat_orc_get();

	if (!o)
		return;
	__sync_fetch_and_add(&o->tag, 1);
	if (o->part_cnt)
		o->part_cnt = 1; /* the kernel's own */
}

/* The kernel walks its stacks itself from here on. */
static __always_inline void leat_orc_forget(void)
{
	struct leat_orc *o = leat_orc_get();

	if (o)
		o->part_cnt = 0;
}

#ifdef __TARGET_ARCH_x86

/* The parts of struct module that are read, where the kernel has modules; the text is mem[0] (6.4). */
struct module_memory___leat {
	void *base;
	unsigned int size;
} __attribute__((preserve_access_index));

struct mod_arch_specific___leat {
	unsigned int num_orcs;
	int *orc_unwind_ip;
	void *orc_unwind;
} __attribute__((preserve_access_index));

enum module_state___leat {
	LEAT_MODULE_LIVE = 0,
};

struct module___leat {
	enum module_state___leat state;
	struct list_head list;
	struct module_memory___leat mem[1];
	struct mod_arch_specific___leat arch;
} __attribute__((preserve_access_index));

/* What changes from one to the next lies in the map: on the stack the verifier would follow each. */
struct leat_orc_list {
	__u64 at;
	__u64 head;
};

/* Before 6.4 the type had 2 bits, and ends had one of their own. */
static __always_inline int leat_orc_is_known(void)
{
	struct orc_entry *e = NULL;

	if (!bpf_core_type_exists(struct orc_entry) || bpf_core_type_size(struct orc_entry) != 6)
		return 0;
	return __CORE_RELO(e, type, RSHIFT_U64) == 61 && __CORE_RELO(e, signal, RSHIFT_U64) == 63 &&
	       __CORE_RELO(e, sp_reg, RSHIFT_U64) == 60 && __CORE_RELO(e, bp_reg, RSHIFT_U64) == 60;
}

/* 0 when there is no such symbol, or its address is not for us (kptr_restrict). */
#define LEAT_ORC_SYMBOL(name)                                                                      \
	({                                                                                         \
		__u64 addr = 0;                                                                    \
		static const char sym[] = name;                                                    \
		if (bpf_kallsyms_lookup_name(sym, sizeof(sym), 0, &addr))                          \
			addr = 0;                                                                  \
		addr;                                                                              \
	})

/* The address that row @i describes the code from; 0 when it cannot be read. */
static __always_inline __u64 leat_orc_ip(__u64 ips, __u64 i)
{
	const __u64 at = ips + 4 * i;
	__s32 rel = 0;

	return bpf_probe_read_kernel(&rel, sizeof(rel), (void *)at) ? 0 : at + (__u64)(__s64)rel;
}

/* Row @i as one word, with our numbers of registers. */
static __always_inline int leat_orc_row(const struct leat_orc *o, __u64 rows, __u64 i, __u64 *row)
{
	const __u64 regs = o->regs;
	__u64 word = 0, sp, bp;

	if (bpf_probe_read_kernel(&word, 6, (void *)(rows + 6 * i)))
		return -1;
	sp = regs >> (word >> 30 & 60) & 15;
	bp = regs >> (word >> 34 & 60) & 15;
	*row = (word & ~(0xffull << 32)) | sp << 32 | bp << 36;
	return 0;
}

#define LEAT_ORC_REGS_618 0xfedcba9876543210ull
#define LEAT_ORC_REGS_7	  0xfffff891763452f0ull

/*
 * Which numbers this kernel has: no type says it, but the first row that is that of a function's first
 * instruction does (called, its frame at sp + 8). 1 when there is no more to see.
 */
static long leat_orc_calibrate(__u32 i, void *ctx)
{
	struct leat_orc *o = leat_orc_get();
	__u64 row = 0;

	if (!o || bpf_probe_read_kernel(&row, 6, (void *)(o->parts[0].rows + 6ull * i)))
		return 1;
	if ((row & 0xffff) != 8 || (row >> 36 & 15) || row >> 40 != LEAT_ORC_CALL)
		return 0;
	if ((row >> 32 & 15) == 5)
		o->regs = LEAT_ORC_REGS_618;
	if ((row >> 32 & 15) == 3)
		o->regs = LEAT_ORC_REGS_7;
	return 1;
}

/* The kernel's own code. The last row says that no more follows. */
static __always_inline void leat_orc_add_kernel(struct leat_orc *o)
{
	const __u64 ips = LEAT_ORC_SYMBOL("__start_orc_unwind_ip");
	const __u64 ips_end = LEAT_ORC_SYMBOL("__stop_orc_unwind_ip");
	const __u64 rows = LEAT_ORC_SYMBOL("__start_orc_unwind");
	struct leat_orc_part *p = &o->parts[0];

	if (!ips || !rows || ips_end <= ips || (ips_end - ips) / 4 > 1u << LEAT_ORC_STEPS)
		return;
	p->ips = ips;
	p->rows = rows;
	p->cnt = (__u32)((ips_end - ips) / 4);
	p->start = leat_orc_ip(ips, 0);
	p->end = leat_orc_ip(ips, p->cnt - 1);
	bpf_loop(p->cnt, leat_orc_calibrate, NULL, 0);
	o->part_cnt = o->regs && p->start && p->end > p->start;
}

/* A kernel that was built without them has parts of the type all the same. */
static __always_inline int leat_orc_has_modules(void)
{
	struct module___leat *m = NULL;

	return bpf_core_field_exists(m->state) && bpf_core_field_exists(m->list) &&
	       bpf_core_field_exists(m->mem) && bpf_core_field_exists(m->arch.num_orcs);
}

/* The next module; 1 behind the last one. */
static long leat_orc_add_module(__u32 i, void *ctx)
{
	struct leat_orc_list *l = ctx;
	struct module___leat *m =
		(void *)(l->at - bpf_core_field_offset(struct module___leat, list));
	struct leat_orc *o = leat_orc_get();
	struct leat_orc_part *p;

	if (!o || l->at == l->head || !l->at || o->found >= LEAT_ORC_PARTS)
		return 1;
	l->at = (__u64)BPF_CORE_READ(m, list.next);
	p = &o->parts[o->found & (LEAT_ORC_PARTS - 1)];
	p->start = (__u64)BPF_CORE_READ(m, mem[0].base);
	p->end = p->start + BPF_CORE_READ(m, mem[0].size);
	p->ips = (__u64)BPF_CORE_READ(m, arch.orc_unwind_ip);
	p->rows = (__u64)BPF_CORE_READ(m, arch.orc_unwind);
	p->cnt = BPF_CORE_READ(m, arch.num_orcs);
	if (BPF_CORE_READ(m, state) == LEAT_MODULE_LIVE && p->end > p->start && p->cnt &&
	    p->cnt <= 1u << LEAT_ORC_STEPS)
		o->found++;
	return 0;
}

static __always_inline void leat_orc_add_modules(void)
{
	struct leat_orc_list l = { .head = LEAT_ORC_SYMBOL("modules") };

	if (l.head &&
	    !bpf_probe_read_kernel(&l.at, sizeof(l.at), &((struct list_head *)l.head)->next))
		bpf_loop(1u << 12, leat_orc_add_module, &l, 0);
}

/*
 * How many parts there are. The kernel's own is the first, and in use; user space sorts the modules',
 * and says then that they are there (part_cnt).
 */
static __always_inline __u32 leat_orc_find_handle(void)
{
	struct leat_orc *o = leat_orc_get();

	if (!cfg.orc || !o || !leat_orc_is_known() ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		return 0;
	leat_orc_add_kernel(o);
	if (!o->part_cnt)
		return 0;
	o->rethook = LEAT_ORC_SYMBOL("arch_rethook_trampoline");
	o->graph = LEAT_ORC_SYMBOL("return_to_handler");
	o->found = 1;
	if (leat_orc_has_modules())
		leat_orc_add_modules();
	return o->found;
}

#else

static __always_inline __u32 leat_orc_find_handle(void)
{
	return 0;
}

#endif
#endif
