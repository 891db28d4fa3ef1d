/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call frame information (DWARF 5, section 6.4; LSB 5.0, "Exception Frames"): a section's CIEs and
 * FDEs, and what the instructions of one FDE say, as rows. x86-64.
 */
#ifndef LEAT_UNWIND_CFI_H
#define LEAT_UNWIND_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "unwind/rows.h"
#include "unwind/rules.h"

/* Of one binary; the largest browser has half a million. */
#define LEAT_CFI_FDES_MAX ((size_t)4 << 20)
#define LEAT_CFI_CIES_MAX ((size_t)1 << 20)
/* Nesting of DW_CFA_remember_state; compilers need one, hand-written code two. */
#define LEAT_CFI_STATES_MAX 16

/* What is known of a frame at one instruction. Kinds and offsets as in a rule, not yet packed. */
struct leat_cfi_state {
	uint8_t cfa_kind; /* enum leat_cfa_kind; LEAT_CFA_REG + n for every register, sp and fp too */
	uint8_t fp_kind;  /* enum leat_fp_kind */
	uint8_t ra_kind;  /* enum leat_cfi_ra */
	uint8_t sp_kind;  /* enum leat_cfi_sp */
	uint8_t bx;	  /* as in a rule */
	int64_t cfa_off;  /* bytes */
	int64_t fp_off;	  /* bytes */
	uint32_t cfa_arg; /* MEM: bytes that are added; PLT: from which (pc & 15) on */
};

enum leat_cfi_ra {
	LEAT_CFI_RA_NONE = 0, /* nothing a row can say */
	LEAT_CFI_RA_CFA8 = 1,
	LEAT_CFI_RA_UNDEFINED = 2,
	LEAT_CFI_RA_SIGNAL = 3, /* where the kernel has saved it */
};

enum leat_cfi_sp {
	LEAT_CFI_SP_CFA = 0,
	LEAT_CFI_SP_SIGNAL = 1,
	LEAT_CFI_SP_OTHER = 2,
};

struct leat_cie {
	uint32_t off;	   /* in the section */
	bool usable;	   /* else the functions that refer to it have no rules */
	bool augmented;	   /* 'z': FDEs have a length of augmentation data */
	bool signal_frame; /* 'S' */
	uint8_t enc;	   /* of addresses */
	uint64_t code_align;
	int64_t data_align;
	struct leat_cfi_state initial;
};

struct leat_fde {
	uint64_t start;
	uint64_t end;
	uint32_t ins; /* instructions: offset in the section */
	uint32_t ins_len;
	uint32_t cie;	 /* index */
	uint32_t source; /* whose: index of the section */
};

/* A section of call frame information. */
struct leat_cfi {
	const uint8_t *data;
	size_t len;
	uint64_t vaddr;	       /* of the first byte; 0 for .debug_frame */
	bool debug;	       /* .debug_frame's form */
	bool to_terminator;    /* .len is not its end: a terminator is, or the first odd entry */
	uint32_t source;       /* goes into the FDEs */
	struct leat_cie *cies; /* in order of .off */
	size_t cie_cnt, cie_cap;
	uint64_t bad_cnt; /* entries that could not be read */
};

/* A list that several sections add to. */
struct leat_fdes {
	struct leat_fde *v;
	size_t n, cap;
};

void leat_cfi_fini(struct leat_cfi *c);
/*
 * Collects the FDEs of all of the section. What cannot be read is counted in .bad_cnt and left out;
 * an entry whose length is beyond the end ends the section. -ENOMEM, -EOVERFLOW: more than the
 * maxima (what was found until then is in the list).
 */
int leat_cfi_scan(struct leat_cfi *c, struct leat_fdes *out) LEAT_MUST_USE;
/*
 * The FDE at offset @off alone, for sections whose length is not known: the CIE that it needs, for
 * all of them, and then itself. As above; -EBADMSG nothing usable is there.
 */
int leat_cfi_want(struct leat_cfi *c, uint64_t off) LEAT_MUST_USE;
int leat_cfi_scan_at(struct leat_cfi *c, uint64_t off, struct leat_fdes *out) LEAT_MUST_USE;
/*
 * Adds the rows of @f's instructions, from its start up to @end, at most the FDE's own. False when
 * the instructions are malformed: from there on they say nothing.
 */
bool leat_cfi_rows(const struct leat_cfi *c, const struct leat_fde *f, uint64_t end,
		   struct leat_unwind_rules *rules, struct leat_rows *out);

/* ---- for cfi.c and its tests ---- */

/* The expression in @r for the CFA, the caller's fp, its sp, or the return address. */
void leat_cfi_expr_cfa(struct leat_reader r, struct leat_cfi_state *s);
void leat_cfi_expr_fp(struct leat_reader r, struct leat_cfi_state *s);
void leat_cfi_expr_sp(struct leat_reader r, struct leat_cfi_state *s);
void leat_cfi_expr_ra(struct leat_reader r, struct leat_cfi_state *s);
/* The rule that says what @s says, or INVALID. */
struct leat_unwind_rule leat_cfi_rule(const struct leat_cfi_state *s, bool signal_frame);
/* Runs @r's instructions on @s as a CIE's: no rows. */
bool leat_cfi_initial(struct leat_cie *cie, struct leat_reader r);

#endif
