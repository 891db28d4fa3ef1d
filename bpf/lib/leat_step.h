/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * One step of a walk by unwind tables, for BPF and for the host: search, and apply. It calls no
 * helper; what it needs of the outside are five functions, which the file that includes this one
 * defines before, and the type of their context:
 *
 *	#define LEAT_STEP_CTX struct my_ctx
 *	leat_step_block(c, i)	   block of the binary's table, NULL when there is none
 *	leat_step_rule(c, i)	   rule of the dictionary, NULL when there is none
 *	leat_step_word(c, a, &v)   the word at a user address; not 0 when it cannot be read. Of the
 *				   innermost frame words may lie up to 128 bytes below sp: what an
 *				   epilogue has popped stays its rule's place
 *	leat_step_has(c, a, &v)	   the same of a word that can be had without a read
 *	leat_step_reg(c, n, &v)	   register @n (DWARF) of the innermost frame; not 0 when unknown
 *
 * Every loop has a constant bound, and whatever a table holds, each access goes through these.
 */
#ifndef LEAT_BPF_STEP_H
#define LEAT_BPF_STEP_H

#include "leat_inline.h"
#include "leat_unwind.h"
#include "leat_wire.h"

/* The walk goes on; everything else is an enum leat_stack_result. */
#define LEAT_UNWIND_ON LEAT_STACK__MAX

#define LEAT_UNWIND_CODE_MIN 4096ull	  /* nothing is mapped executable below */
#define LEAT_UNWIND_CODE_MAX (1ull << 56) /* nor in user space above, with 5-level page tables */

LEAT_INLINE void leat_unwind_begin(struct leat_unwind_walk *w, __u64 pc, __u64 sp, __u64 fp)
{
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->regs_at = 0;
	w->exact = 1;
	w->fp_lost = 0;
	w->innermost = 1;
	w->bx_at = 0;
	w->bx_lost = 0;
}

/* The address that says which rule holds: inside the call, not behind it. */
LEAT_INLINE __u64 leat_unwind_lookup_pc(const struct leat_unwind_walk *w)
{
	return w->exact ? w->pc : w->pc - 1;
}

#ifdef LEAT_STEP_CTX

/* The last row at or below @low: four steps, no loop, no branch that depends on the last one. */
LEAT_INLINE __u32 leat_unwind_in_block(const union leat_unwind_block *b, __u32 low)
{
	__u32 i = 0;

	i += (b->rows[8].pc <= low) << 3;
	i += (b->rows[(i + 4) & 15].pc <= low) << 2;
	i += (b->rows[(i + 2) & 15].pc <= low) << 1;
	i += b->rows[(i + 1) & 15].pc <= low;
	return b->rows[i & 15].rule;
}

/* Sets the blocks between which to search; 0 when the table does not reach @vaddr. */
LEAT_INLINE int leat_unwind_narrow(LEAT_STEP_CTX *c, struct leat_unwind_walk *w, __u64 vaddr)
{
	__u64 page = (vaddr >> LEAT_UNWIND_PAGE_BITS) - w->first_page;
	__u32 sub = (vaddr >> LEAT_UNWIND_SUB_BITS) & (LEAT_UNWIND_SUBS - 1);
	const union leat_unwind_block *b;

	if (page >= w->page_cnt)
		return 0;
	b = leat_step_block(c, (__u32)page + 1);
	if (!b)
		return 0;
	w->low = b->page.first + b->page.sub[sub];
	w->high = b->page.first + b->page.sub[sub + 1];
	return 1;
}

/* The rule that holds at @vaddr; LEAT_RULE_INVALID where the table says nothing. */
LEAT_INLINE __u32 leat_unwind_find(LEAT_STEP_CTX *c, struct leat_unwind_walk *w, __u64 vaddr)
{
	const __u32 low = vaddr & ((1u << LEAT_UNWIND_PAGE_BITS) - 1);
	const union leat_unwind_block *b;
	__u32 i;

	if (!leat_unwind_narrow(c, w, vaddr))
		return LEAT_RULE_INVALID;
	for (i = 0; i < LEAT_UNWIND_PROBES && w->low < w->high; i++) {
		__u32 mid = (__u32)(((__u64)w->low + w->high + 1) / 2);

		b = leat_step_block(c, mid);
		if (!b)
			return LEAT_RULE_INVALID;
		if (b->rows[0].pc <= low)
			w->low = mid;
		else
			w->high = mid - 1;
	}
	b = leat_step_block(c, w->low);
	if (!b || w->low < w->high)
		return LEAT_RULE_INVALID;
	return leat_unwind_in_block(b, low);
}

#define LEAT_UCONTEXT_REGS 40 /* uc_mcontext.gregs of x86-64, asm/ucontext.h and asm/sigcontext.h */
#define LEAT_GREG_FP	   10
#define LEAT_GREG_BX	   11
#define LEAT_GREG_SP	   15
#define LEAT_GREG_PC	   16
/* Place of each DWARF register in gregs[], four bits each: rax, rdx, rcx, rbx, rsi, rdi, ... */
#define LEAT_GREG_OF_DWARF 0x76543210fa89becdull

#define LEAT_DWARF_BX 3

/* A register of the innermost frame, or of one that a signal has interrupted; rbx of every frame. */
LEAT_INLINE int leat_unwind_reg(LEAT_STEP_CTX *c, const struct leat_unwind_walk *w, __u32 no,
				__u64 *out)
{
	__u64 at = w->regs_at + ((LEAT_GREG_OF_DWARF >> ((no & 15) * 4)) & 15) * 8;

	if (!w->regs_at) {
		if (!w->innermost && (no != LEAT_DWARF_BX || w->bx_lost))
			return -1;
		if (!w->bx_at || no != LEAT_DWARF_BX)
			return leat_step_reg(c, no & 15, out);
		at = w->bx_at;
	}
	return leat_step_word(c, at, out);
}

/* From the handler's side of a signal to what it has interrupted. sp may go anywhere. */
LEAT_INLINE __u32 leat_unwind_signal(LEAT_STEP_CTX *c, struct leat_unwind_walk *w)
{
	__u64 regs = w->sp + LEAT_UCONTEXT_REGS;
	__u64 pc, sp, fp;

	if (leat_step_word(c, regs + 8 * LEAT_GREG_PC, &pc) ||
	    leat_step_word(c, regs + 8 * LEAT_GREG_SP, &sp) ||
	    leat_step_word(c, regs + 8 * LEAT_GREG_FP, &fp))
		return LEAT_STACK_BAD_MEMORY;
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->regs_at = regs;
	w->bx_at = regs + 8 * LEAT_GREG_BX;
	w->bx_lost = 0;
	w->exact = 1;
	w->fp_lost = 0;
	w->innermost = 0;
	return LEAT_UNWIND_ON;
}

/* The canonical frame address of a rule that is no command. */
LEAT_INLINE __u32 leat_unwind_cfa(LEAT_STEP_CTX *c, const struct leat_unwind_walk *w,
				  const struct leat_unwind_rule *r, __u64 *cfa)
{
	const __u32 kind = r->cfa;
	__u64 base = w->sp;

	if (kind == LEAT_CFA_FP || kind == LEAT_CFA_FP_MEM || kind == LEAT_CFA_FRAME ||
	    kind == LEAT_CFA_SWITCH) {
		if (w->fp_lost)
			return LEAT_STACK_NO_UNWIND;
		if (!w->fp && kind == LEAT_CFA_FRAME)
			return LEAT_STACK_COMPLETE;
		base = w->fp;
	} else if (kind >= LEAT_CFA_REG) {
		if (leat_unwind_reg(c, w, kind - LEAT_CFA_REG, &base))
			return LEAT_STACK_NO_UNWIND;
	}
	if (kind == LEAT_CFA_SP_MEM || kind == LEAT_CFA_FP_MEM) {
		__u64 word;

		if (leat_step_word(c, base + (__u64)(__s64)leat_unwind_mem_off(r), &word))
			return LEAT_STACK_BAD_MEMORY;
		*cfa = word + (__u64)leat_unwind_mem_add(r);
		return LEAT_UNWIND_ON;
	}
	*cfa = base + (__u64)(__s64)leat_unwind_cfa_off(r);
	if (kind == LEAT_CFA_PLT && (__s16)(w->pc & 15) >= r->fp_off)
		*cfa += 8;
	return LEAT_UNWIND_ON;
}

/*
 * The caller's frame pointer. One that cannot be read is lost, and the walk goes on: most callers
 * are found without it. At gcc's "lea -8(%r10), %rsp" the rule still is "at fp", but fp has been
 * popped: it is the caller's already when it is not in this frame.
 */
LEAT_INLINE void leat_unwind_fp(LEAT_STEP_CTX *c, struct leat_unwind_walk *w,
				const struct leat_unwind_rule *r, __u64 cfa)
{
	const __u32 kind = r->fp & LEAT_FP_KIND;
	__u64 base = cfa;

	if (kind == LEAT_FP_SAME || (kind == LEAT_FP_FP && w->fp >= cfa))
		return;
	if (kind == LEAT_FP_FP)
		base = w->fp;
	if (kind == LEAT_FP_SP)
		base = w->sp;
	w->fp_lost = kind >= LEAT_FP_LOST || (kind == LEAT_FP_FP && w->fp_lost) ||
		     leat_step_word(c, base + (__u64)((__s64)r->fp_off * 8), &w->fp);
}

/* Where the caller's rbx is. */
LEAT_INLINE void leat_unwind_bx_step(struct leat_unwind_walk *w, const struct leat_unwind_rule *r,
				     __u64 cfa)
{
	const __u32 bx = leat_unwind_bx(r);

	if (bx == LEAT_BX_LOST) {
		w->bx_lost = 1;
	} else if (bx) {
		w->bx_at = cfa - 8 * bx;
		w->bx_lost = 0;
	}
}

/*
 * What leat_unwind_apply() does, for most frames: left by a call, found by sp or fp, all words at hand.
 * 0, and nothing is changed, when this is another one.
 */
LEAT_INLINE int leat_unwind_plain(LEAT_STEP_CTX *c, struct leat_unwind_walk *w,
				  const struct leat_unwind_rule *r)
{
	const __u32 kind = r->cfa;
	__u64 cfa = w->sp, fp = w->fp, ret;

	if (kind == LEAT_CFA_FP && !w->fp_lost)
		cfa = fp;
	else if (kind != LEAT_CFA_SP)
		return 0;
	cfa += (__u64)(__s64)leat_unwind_cfa_off(r);
	if (cfa <= w->sp || (cfa & 7) || r->fp > LEAT_FP_CFA || leat_step_has(c, cfa - 8, &ret) ||
	    ret < LEAT_UNWIND_CODE_MIN || ret >= LEAT_UNWIND_CODE_MAX)
		return 0;
	if (r->fp == LEAT_FP_CFA) {
		if (leat_step_has(c, cfa + (__u64)((__s64)r->fp_off * 8), &fp))
			return 0;
		w->fp = fp;
		w->fp_lost = 0;
	}
	leat_unwind_bx_step(w, r, cfa);
	w->pc = ret;
	w->sp = cfa;
	w->regs_at = 0;
	w->exact = 0;
	w->innermost = 0;
	return 1;
}

/*
 * From the frame in @w to its caller. LEAT_UNWIND_ON, or how the stack ends: then @w still is the
 * frame that could not be left.
 */
LEAT_INLINE __u32 leat_unwind_apply(LEAT_STEP_CTX *c, struct leat_unwind_walk *w,
				    const struct leat_unwind_rule *r)
{
	__u64 cfa = 0, ret = 0;
	__u32 result;

	if (r->cfa == LEAT_CFA_STOP)
		return LEAT_STACK_COMPLETE;
	if (r->cfa == LEAT_CFA_INVALID)
		return LEAT_STACK_NO_UNWIND;
	if (r->cfa == LEAT_CFA_SIGNAL)
		return leat_unwind_signal(c, w);
	result = leat_unwind_cfa(c, w, r, &cfa);
	if (result != LEAT_UNWIND_ON)
		return result;
	/* A caller's frame is above: so a walk ends. Go's other stack may be anywhere. */
	if ((cfa <= w->sp && r->cfa != LEAT_CFA_SWITCH) || (cfa & 7))
		return LEAT_STACK_NO_UNWIND;
	if (leat_step_word(c, cfa - 8, &ret))
		return LEAT_STACK_BAD_MEMORY;
	/* Frame pointers end so by convention; by a table nothing does that is right. */
	if (!ret && r->cfa == LEAT_CFA_FRAME)
		return LEAT_STACK_COMPLETE;
	if (ret < LEAT_UNWIND_CODE_MIN || ret >= LEAT_UNWIND_CODE_MAX)
		return LEAT_STACK_NO_UNWIND;
	leat_unwind_fp(c, w, r, cfa);
	leat_unwind_bx_step(w, r, cfa);
	w->pc = ret;
	w->sp = cfa;
	w->regs_at = 0;
	w->exact = r->fp & LEAT_FP_EXACT ? 1 : 0;
	w->innermost = 0;
	return LEAT_UNWIND_ON;
}

#endif
#endif
