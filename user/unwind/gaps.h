/* SPDX-License-Identifier: BSD-2-Clause */
/* Code between functions that are described: what can be found out of it (flow.h). */
#ifndef LEAT_UNWIND_GAPS_H
#define LEAT_UNWIND_GAPS_H

#include <stdint.h>

#include "elf/elf_file.h"
#include "unwind/cfi.h"
#include "unwind/flow.h"

#define LEAT_GAP_MIN  32u	  /* bytes: shorter ones are padding */
#define LEAT_GAPS_MAX (16u << 20) /* bytes of a binary that are looked at: 1.5 s */

struct leat_gaps {
	struct leat_elf *elf; /* set by the caller */
	struct leat_flow *flow;
	uint64_t *starts; /* of functions that nothing describes, sorted */
	size_t start_cnt, start_cap;
	uint64_t *ends; /* of linkage tables: to functions that do not return, sorted */
	size_t end_cnt, end_cap;
	uint64_t main;	    /* that the entry point mentions; 0 none */
	uint64_t bytes;	    /* looked at */
	uint64_t described; /* of them */
};

void leat_gaps_fini(struct leat_gaps *g);
/*
 * leat_gaps_find - where functions begin that nothing describes, by symbols.
 * @fdes: sorted.
 */
int leat_gaps_find(struct leat_gaps *g, const struct leat_fdes *fdes) LEAT_MUST_USE;
/*
 * Rows of [@start, @end), a part of one segment; @other where nothing was found. Code that cannot be
 * read, or is beyond the maximum, is that too. -ENOMEM.
 */
int leat_gaps_rows(struct leat_gaps *g, uint64_t start, uint64_t end, uint32_t other,
		   struct leat_unwind_rules *rules, struct leat_rows *rows) LEAT_MUST_USE;

#endif
