/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Kernel stacks by the kernel's own unwind tables (x86: ORC, as laid out since 6.4). Its unwinder
 * searches them for each frame, 0.3 us; here a frame's row is remembered by its address, as the rules
 * of user code are, and the stack is read once.
 *
 * The frames are those that bpf_get_stack() has, or none: whatever is not plain (code of modules, of
 * BPF programs and of tracing, which other tables describe or none) is left to the kernel's unwinder.
 */
#ifndef LEAT_BPF_ORC_WALK_H
#define LEAT_BPF_ORC_WALK_H

#include <bpf/bpf_tracing.h>

#include "leat_hash.h"
#include "remember.bpf.h"
#include "scratch.bpf.h"

#include "leat_orc.h"

#define LEAT_ORC_PART	4    /* frames in one call */
#define LEAT_ORC_WINDOW 4096 /* bytes of a stack that are read at once */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct leat_orc);
} leat_orc SEC(".maps");

#ifdef __TARGET_ARCH_x86

/* struct orc_entry: two offsets, then these of 4, 4, 3 and 1 bits. */
enum leat_orc_reg {
	LEAT_ORC_UNDEFINED = 0,
	LEAT_ORC_PREV_SP = 1,
	LEAT_ORC_BP = 4,
	LEAT_ORC_SP = 5,
	LEAT_ORC_BP_INDIRECT = 8,
	LEAT_ORC_SP_INDIRECT = 9,
};

enum leat_orc_type {
	LEAT_ORC_NOTHING = 0,
	LEAT_ORC_END = 1,
	LEAT_ORC_CALL = 2,
	LEAT_ORC_REGS = 3, /* a struct pt_regs */
	LEAT_ORC_IRET = 4, /* its last five words */
};

#define LEAT_ORC_IS_KERNEL(addr) ((__s64)(addr) < 0)

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

/* Once, after the load: where the tables are. Number of rows. */
static __always_inline __u32 leat_orc_find_handle(void)
{
	__u32 zero = 0;
	struct leat_orc *o = bpf_map_lookup_elem(&leat_orc, &zero);
	__u64 ips, ips_end, rows;

	if (!cfg.orc || !o || !leat_orc_is_known() ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_kallsyms_lookup_name))
		return 0;
	ips = LEAT_ORC_SYMBOL("__start_orc_unwind_ip");
	ips_end = LEAT_ORC_SYMBOL("__stop_orc_unwind_ip");
	rows = LEAT_ORC_SYMBOL("__start_orc_unwind");
	if (!ips || !rows || ips_end <= ips || (ips_end - ips) / 4 >= LEAT_ORC_ROWMAX)
		return 0;
	o->rethook = LEAT_ORC_SYMBOL("arch_rethook_trampoline");
	o->graph = LEAT_ORC_SYMBOL("return_to_handler");
	o->ips = ips;
	o->rows = rows;
	o->cnt = (__u32)((ips_end - ips) / 4);
	return o->cnt;
}

/* Bytes that can be read at @addr: what is left of the task's stack, or of a page of another one. */
static __always_inline __u64 leat_orc_room(const struct leat_scratch *s, __u64 addr)
{
	__u64 room = s->orc.top - addr;

	if (room > cfg.thread_size)
		room = LEAT_PAGE - (addr & (LEAT_PAGE - 1));
	return room < LEAT_ORC_WINDOW ? room : LEAT_ORC_WINDOW;
}

/* Makes the word at @addr readable, with what lies between it and sp where that is not far. */
__attribute__((noinline)) int leat_orc_fill(__u32 slot, __u64 addr)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	__u64 from, room;

	if (!cfg.orc || !s)
		return -1;
	from = s->orc.sp;
	room = leat_orc_room(s, from);
	if (addr - from >= room) {
		from = addr;
		room = leat_orc_room(s, from);
	}
	s->win.words = 0;
	if ((from & 7) || !LEAT_ORC_IS_KERNEL(from) || room < 8 || room > LEAT_ORC_WINDOW ||
	    bpf_probe_read_kernel(s->win.buf, (__u32)room, (void *)from))
		return -1;
	s->win.base = from;
	s->win.words = room - 8 + 1;
	return 0;
}

static __always_inline int leat_orc_word(struct leat_scratch *s, __u64 addr, __u64 *out)
{
	__u64 off = addr - s->win.base;

	if (off >= s->win.words) {
		if (leat_orc_fill(s->slot, addr))
			return -1;
		off = addr - s->win.base;
	}
	*out = *(__u64 *)((char *)s->win.buf + (off & (LEAT_WINDOW_MAX - 1)));
	return 0;
}

/*
 * The row that holds at @pc into orc.row. No branch in the search: the verifier would follow each, and
 * all of them together are twenty.
 */
static __always_inline int leat_orc_search(struct leat_scratch *s, const struct leat_orc *o,
					   __u64 pc)
{
	__u64 low = 0, high = o->cnt;
	long err = 0;
	__s32 rel;

	for (int i = 0; i < LEAT_ORC_STEPS; i++) {
		const __u64 mid = (low + high) / 2, at = o->ips + 4 * mid;
		__u64 above;

		err |= bpf_probe_read_kernel(&rel, sizeof(rel), (void *)at);
		above = (__u64)((__s64)(pc - (at + (__u64)(__s64)rel)) >> 63);
		barrier_var(above);
		low += (mid - low) & ~above;
		high += (mid - high) & above;
	}
	s->orc.row = 0;
	return err || bpf_probe_read_kernel(&s->orc.row, 6, (void *)(o->rows + 6 * low));
}

/* The same, and remembered. The place that a traced function returns to says nothing of its caller. */
__attribute__((noinline)) int leat_orc_lookup(__u32 slot, __u64 pc)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	struct leat_rule_cache *cache;
	const struct leat_orc *o;
	__u32 zero = 0, cpu;

	if (!cfg.orc || !s)
		return -1;
	cpu = s->cpu;
	cache = bpf_map_lookup_elem(&leat_rule_cache, &cpu);
	o = bpf_map_lookup_elem(&leat_orc, &zero);
	if (!o || !o->cnt || !cache || s->orc.pc == o->rethook || s->orc.pc == o->graph ||
	    leat_orc_search(s, o, pc))
		return -1;
	leat_remember(cache, leat_remembered_key(0, pc), s->orc.row);
	return 0;
}

/* Where sp was before the call, or where the registers lie. */
static __always_inline __u32 leat_orc_cfa(struct leat_scratch *s, __u64 row, __u64 *cfa)
{
	const __u64 off = (__u64)(__s64)(__s16)row;
	const __u32 reg = row >> 32 & 15;

	switch (reg) {
	case LEAT_ORC_SP:
		*cfa = s->orc.sp + off;
		break;
	case LEAT_ORC_BP:
		*cfa = s->orc.bp + off;
		break;
	case LEAT_ORC_SP_INDIRECT:
		/* The way back from the stack of interrupts. */
		if (leat_orc_word(s, s->orc.sp, cfa))
			return LEAT_STACK_BAD_MEMORY;
		*cfa += off;
		return LEAT_WALK_ON;
	case LEAT_ORC_BP_INDIRECT:
		return leat_orc_word(s, s->orc.bp + off, cfa) ? LEAT_STACK_BAD_MEMORY
							      : LEAT_WALK_ON;
	default: /* r10, r13, rdi, rdx: in a handful of places */
		return LEAT_STACK_NO_UNWIND;
	}
	return *cfa > s->orc.sp || (row >> 40 & 7) != LEAT_ORC_CALL ? LEAT_WALK_ON
								    : LEAT_STACK_NO_UNWIND;
}

/* What an interrupt or a system call has interrupted; in user mode the kernel's stack ends. */
static __always_inline __u32 leat_orc_regs(struct leat_scratch *s, __u64 row, __u64 cfa)
{
	const struct leat_ctx_regs *r = (void *)cfa;
	__u64 pc, sp, bp = s->orc.bp;

	if ((row >> 40 & 7) == LEAT_ORC_IRET)
		r = (void *)(cfa - offsetof(struct leat_ctx_regs, ip));
	else if (leat_orc_word(s, (__u64)&r->bp, &bp))
		return LEAT_STACK_BAD_MEMORY;
	if (leat_orc_word(s, (__u64)&r->ip, &pc) || leat_orc_word(s, (__u64)&r->sp, &sp))
		return LEAT_STACK_BAD_MEMORY;
	if (!LEAT_ORC_IS_KERNEL(pc))
		return LEAT_STACK_COMPLETE;
	s->orc.pc = pc;
	s->orc.sp = sp;
	s->orc.bp = bp;
	return LEAT_WALK_ON;
}

static __always_inline __u32 leat_orc_bp(struct leat_scratch *s, __u64 row, __u64 cfa)
{
	const __u64 off = (__u64)(__s64)(__s16)(row >> 16);
	const __u32 reg = row >> 36 & 15;

	if (reg == LEAT_ORC_UNDEFINED)
		return LEAT_WALK_ON;
	if (reg != LEAT_ORC_PREV_SP && reg != LEAT_ORC_BP)
		return LEAT_STACK_NO_UNWIND;
	if (reg == LEAT_ORC_PREV_SP)
		cfa += off;
	else
		cfa = s->orc.bp + off;
	return leat_orc_word(s, cfa, &s->orc.bp) ? LEAT_STACK_BAD_MEMORY : LEAT_WALK_ON;
}

/* From orc.pc, which orc.row describes, to its caller. LEAT_WALK_ON or how the stack ends. */
static __always_inline __u32 leat_orc_step(struct leat_scratch *s)
{
	const __u64 row = s->orc.row;
	const __u32 type = row >> 40 & 7;
	__u64 cfa = 0, ret;
	__u32 result;

	if (type == LEAT_ORC_END)
		return LEAT_STACK_COMPLETE;
	if (type == LEAT_ORC_NOTHING || type > LEAT_ORC_IRET)
		return LEAT_STACK_NO_UNWIND;
	result = leat_orc_cfa(s, row, &cfa);
	if (result != LEAT_WALK_ON)
		return result;
	s->orc.exact = row >> 43 & 1;
	if (type != LEAT_ORC_CALL)
		return leat_orc_regs(s, row, cfa);
	if (leat_orc_word(s, cfa - 8, &ret))
		return LEAT_STACK_BAD_MEMORY;
	if (!LEAT_ORC_IS_KERNEL(ret))
		return LEAT_STACK_NO_UNWIND;
	result = leat_orc_bp(s, row, cfa);
	s->orc.pc = ret;
	s->orc.sp = cfa;
	return result;
}

/* A function of its own: what few frames need is verified once. */
__attribute__((noinline)) int leat_orc_step_any(__u32 slot)
{
	struct leat_scratch *s = leat_scratch_get(slot);

	return cfg.orc && s ? (int)leat_orc_step(s) : LEAT_STACK_BROKEN;
}

/* The row of a call, its frame found by sp. */
#define LEAT_ORC_PLAIN_MASK (0xf0full << 32)
#define LEAT_ORC_PLAIN	    ((LEAT_ORC_CALL << 8 | LEAT_ORC_SP) * 1ull << 32)

static __always_inline __u64 leat_orc_has(const struct leat_scratch *s, __u64 off)
{
	return *(const __u64 *)((const char *)s->win.buf + (off & (LEAT_WINDOW_MAX - 1)));
}

/* Most frames: leat_orc_step() where nothing is to be read. 0: it is another one. */
static __always_inline int leat_orc_step_plain(struct leat_scratch *s)
{
	const __u64 row = s->orc.row, cfa = s->orc.sp + (__u64)(__s64)(__s16)row;
	const __u64 ret_at = cfa - 8 - s->win.base, words = s->win.words;
	const __u32 bp_reg = row >> 36 & 15;
	__u64 ret;

	if ((row & LEAT_ORC_PLAIN_MASK) != LEAT_ORC_PLAIN || ret_at >= words)
		return 0;
	ret = leat_orc_has(s, ret_at);
	if (cfa <= s->orc.sp || !LEAT_ORC_IS_KERNEL(ret))
		return 0;
	if (bp_reg != LEAT_ORC_UNDEFINED) {
		const __u64 bp_at = cfa + (__u64)(__s64)(__s16)(row >> 16) - s->win.base;

		if (bp_reg != LEAT_ORC_PREV_SP || bp_at >= words)
			return 0;
		s->orc.bp = leat_orc_has(s, bp_at);
	}
	s->orc.pc = ret;
	s->orc.sp = cfa;
	s->orc.exact = 0;
	return 1;
}

/* The next LEAT_ORC_PART frames; a global function, verified once (walk.bpf.h). */
__attribute__((noinline)) int leat_walk_orc_part(__u32 slot)
{
	struct leat_scratch *s = leat_scratch_get(slot);
	__u32 cnt, cpu, i, result = LEAT_WALK_ON;
	struct leat_rule_cache *cache;
	__u64 hash, *out;

	if (!cfg.orc || !s)
		return LEAT_STACK_BROKEN;
	cpu = s->cpu;
	cache = bpf_map_lookup_elem(&leat_rule_cache, &cpu);
	cnt = s->kcnt;
	if (!cache || cnt > LEAT_MAX_KFRAMES)
		return LEAT_STACK_BROKEN;
	out = &s->out.frames[cnt];
	hash = s->hash;
	for (i = 0; i < LEAT_ORC_PART; i++) {
		const __u64 pc = s->orc.exact ? s->orc.pc : s->orc.pc - 1;

		if (!leat_recall(cache, leat_remembered_key(0, pc), &s->orc.row) &&
		    leat_orc_lookup(s->slot, pc)) {
			result = LEAT_STACK_NO_UNWIND;
			break;
		}
		if (!leat_orc_step_plain(s)) {
			result = leat_orc_step_any(s->slot);
			if (result != LEAT_WALK_ON)
				break;
		}
		if (cnt + i >= LEAT_MAX_KFRAMES) {
			result = LEAT_STACK_TRUNCATED;
			break;
		}
		out[i] = s->orc.pc;
		hash = leat_stack_hash_add(hash, s->orc.pc);
	}
	s->hash = hash;
	s->kcnt = cnt + i;
	return (int)result;
}

/*
 * Frames of a sample in kernel mode, whose registers are @regs; 0 when it is left to the kernel: its
 * unwinder begins elsewhere, too, when the registers are not those of an interrupt (perf_hw_regs).
 */
static __always_inline int leat_walk_orc(struct leat_scratch *s, const struct leat_ctx_regs *regs)
{
	const __u64 hash = s->hash;
	__u32 result = LEAT_WALK_ON;

	if (!(regs->flags & LEAT_X86_FLAGS_FIXED))
		return 0;
	s->orc.pc = regs->ip;
	s->orc.sp = regs->sp;
	s->orc.bp = regs->bp;
	s->orc.exact = 1;
	s->orc.top = (__u64)bpf_get_current_task_btf()->stack + cfg.thread_size;
	s->win.words = 0;
	s->out.frames[0] = regs->ip;
	s->hash = leat_stack_hash_add(hash, regs->ip);
	s->kcnt = 1;
	for (int i = 0; i < LEAT_MAX_KFRAMES / LEAT_ORC_PART + 1; i++) {
		result = leat_walk_orc_part(s->slot);
		if (result != LEAT_WALK_ON)
			break;
	}
	s->kresult = result;
	if (result == LEAT_STACK_COMPLETE || result == LEAT_STACK_TRUNCATED)
		return 1;
	s->kcnt = 0;
	s->hash = hash;
	return 0;
}

#else

static __always_inline __u32 leat_orc_find_handle(void)
{
	return 0;
}

static __always_inline int leat_walk_orc(struct leat_scratch *s, const struct leat_ctx_regs *regs)
{
	return 0;
}

#endif
#endif
