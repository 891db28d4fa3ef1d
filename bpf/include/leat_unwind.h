/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Unwind tables as both sides see them: a dictionary of rules that all binaries share, and for each
 * binary one array of 64-byte blocks that is copied into a mapped BPF array as it is. (An array
 * value of 4 bytes occupies 8 in the kernel, so 16 rows lie in one value.)
 *
 *	block 0			struct leat_unwind_head
 *	blocks 1 .. page_cnt	struct leat_unwind_page, one for each 64 KB of addresses
 *	the rest		rows, 16 to a block; a page begins with a block of its own
 *
 * Addresses are those of the ELF file. A row says which rule holds from its address on, up to the
 * next row of its page; the first row of a page is at its first byte, so that no search leaves the
 * page. What a page's last block has too many repeats its last row.
 *
 * A page of 64 KB has 1,200 rows on average and 6,616 at most (nine large binaries); its record
 * narrows a search to the blocks of 4 KB: 6 on average, so 3 probes and 4 steps inside a block.
 */
#ifndef LEAT_BPF_UNWIND_H
#define LEAT_BPF_UNWIND_H

#include "leat_types.h"

#define LEAT_UNWIND_MAGIC      0x5457414cu /* "LAWT" */
#define LEAT_UNWIND_PAGE_BITS  16
#define LEAT_UNWIND_SUB_BITS   12
#define LEAT_UNWIND_SUBS       16 /* parts of a page */
#define LEAT_UNWIND_BLOCK_ROWS 16
#define LEAT_UNWIND_PROBES     9     /* blocks of one part: at most 257 */
#define LEAT_UNWIND_PAGES_MAX  65536 /* 4 GB of addresses */
#define LEAT_UNWIND_RULES_MAX  16384 /* 2.0 million rows of eight large binaries have 1,593 */

/*
 * How the canonical frame address is found: where sp was before the call. The first ones are
 * commands. MEM rules hold an offset and what is added to the word: leat_unwind_mem_off().
 */
enum leat_cfa_kind {
	LEAT_CFA_INVALID = 0, /* nothing is known, or a row cannot express it */
	LEAT_CFA_STOP = 1,    /* the outermost frame: the return address is undefined */
	LEAT_CFA_SIGNAL = 2,  /* sp is at the ucontext that the kernel has pushed */
	LEAT_CFA_FRAME = 3,   /* by frame pointer, where no table is: a guess */
	LEAT_CFA_PLT = 4,     /* sp + cfa_off, 8 more when (pc & 15) >= fp_off; fp is unchanged */
	LEAT_CFA_SWITCH = 5,  /* Go's way from a goroutine to the system's stack */
	LEAT_CFA_SP = 8,      /* sp + cfa_off */
	LEAT_CFA_FP = 9,      /* fp + cfa_off */
	LEAT_CFA_SP_MEM = 10, /* the word at sp + offset, plus a constant */
	LEAT_CFA_FP_MEM = 11, /* the word at fp + offset, plus a constant */
	LEAT_CFA_REG = 32,    /* 32 + DWARF number of a register; where registers are known */
};

/* Where the caller's frame pointer is. */
enum leat_fp_kind {
	LEAT_FP_SAME = 0,
	LEAT_FP_CFA = 1,  /* at CFA + 8 * fp_off */
	LEAT_FP_FP = 2,	  /* at fp + 8 * fp_off */
	LEAT_FP_SP = 3,	  /* at sp + 8 * fp_off */
	LEAT_FP_LOST = 4, /* not known from here on */
};

#define LEAT_FP_KIND  0x0f
#define LEAT_FP_EXACT 0x80 /* the caller was interrupted, not left by a call: its pc is exact */
/*
 * Bits 4 to 6 of fp are where the return address is. 0: at CFA - 8, x86-64's only place. arm64 adds
 * "in the link register" and "behind the saved fp"; its PAC bits are masked by what the process has.
 */

/*
 * rbx is followed too, but not read: a few functions of the dynamic linker find their frame by it
 * (_dl_runtime_resolve), below others that have saved it. 0: unchanged. n: at CFA - 8 * n.
 */
#define LEAT_BX_LOST 255

struct leat_unwind_rule {
	__u8 cfa;     /* enum leat_cfa_kind */
	__u8 fp;      /* enum leat_fp_kind and flags */
	__s16 fp_off; /* words of 8 bytes; of PLT: from which (pc & 15) on a word is pushed */
	__s32 cfa_bx; /* cfa_off << 8 | rule of rbx: leat_unwind_cfa_off(), leat_unwind_bx() */
};

#define LEAT_CFA_OFF_MAX ((1 << 23) - 1) /* bytes: a frame of 8 MB is as large as the usual stack */

static inline __s32 leat_unwind_cfa_off(const struct leat_unwind_rule *r)
{
	return r->cfa_bx >> 8;
}

static inline __u32 leat_unwind_bx(const struct leat_unwind_rule *r)
{
	return r->cfa_bx & 255;
}

/* Rules that every dictionary holds under these numbers. */
#define LEAT_RULE_INVALID 0
#define LEAT_RULE_STOP	  1
#define LEAT_RULE_SIGNAL  2
#define LEAT_RULE_FRAME	  3
#define LEAT_RULE_SWITCH  4
#define LEAT_RULE__FIXED  5

/* Of MEM rules cfa_off holds two numbers. */
static inline __s32 leat_unwind_mem_off(const struct leat_unwind_rule *r)
{
	return leat_unwind_cfa_off(r) >> 4;
}

static inline __s32 leat_unwind_mem_add(const struct leat_unwind_rule *r)
{
	return (leat_unwind_cfa_off(r) & 15) * 8;
}

struct leat_unwind_row {
	__u16 pc;   /* the low 16 bits of an address */
	__u16 rule; /* index into the dictionary */
};

struct leat_unwind_page {
	__u32 first; /* block of the page's first row */
	/*
	 * For each 4 KB, the block (from @first) of the row that holds at its first byte; the last
	 * one is the page's last block.
	 */
	__u16 sub[LEAT_UNWIND_SUBS + 1];
	__u16 pad[13];
};

struct leat_unwind_head {
	__u32 magic;
	__u32 first_page; /* address of the first page >> LEAT_UNWIND_PAGE_BITS */
	__u32 page_cnt;
	__u32 block_cnt;
	__u32 row_cnt; /* without padding */
	__u32 pad[11];
};

union leat_unwind_block {
	struct leat_unwind_head head;
	struct leat_unwind_page page;
	struct leat_unwind_row rows[LEAT_UNWIND_BLOCK_ROWS];
};

/*
 * A walk: in a map value on the BPF side, for the verifier forks at what it knows of registers.
 * leat_unwind_begin() sets it, but for the last two: they are those of the table to be searched.
 */
struct leat_unwind_walk {
	__u64 pc;
	__u64 sp;
	__u64 fp;
	__u64 regs_at;	/* where the kernel has saved the frame's registers; 0 nowhere */
	__u64 bx_at;	/* where rbx was saved; 0: it still is in its register */
	__u8 exact;	/* pc is the next instruction, not a return address */
	__u8 fp_lost;	/* fp is not known */
	__u8 innermost; /* all registers can be asked for */
	__u8 bx_lost;	/* rbx is not known */
	/* of a search */
	__u32 low;  /* block */
	__u32 high; /* block */
	__u32 page_cnt;
	__u64 first_page;
};

_Static_assert(sizeof(struct leat_unwind_rule) == 8, "a rule is one word");
_Static_assert(sizeof(struct leat_unwind_row) == 4, "a row has 4 bytes");
_Static_assert(sizeof(struct leat_unwind_page) == 64, "one cache line");
_Static_assert(sizeof(struct leat_unwind_head) == 64, "one cache line");
_Static_assert(sizeof(union leat_unwind_block) == 64, "one cache line");
_Static_assert(sizeof(struct leat_unwind_walk) == 64, "shared size");

#endif
