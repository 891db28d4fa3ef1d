/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unwind table of one binary: from .eh_frame (found by its section, else through PT_GNU_EH_FRAME),
 * else .debug_frame (of the file, of its .gnu_debugdata, or of a debug file), and for Go's functions
 * from .gopclntab. x86-64.
 *
 * Plain memory, the same for all processes that run the binary; may be read by any thread once built.
 */
#ifndef LEAT_UNWIND_TABLE_H
#define LEAT_UNWIND_TABLE_H

#include <stdint.h>

#include "elf/elf_file.h"
#include "leat_unwind.h"
#include "unwind/rules.h"

enum leat_unwind_source {
	LEAT_UNWIND_EH_FRAME = 1,
	LEAT_UNWIND_DEBUG_FRAME = 2,
	LEAT_UNWIND_GOPCLNTAB = 4,
};

struct leat_unwind_table {
	union leat_unwind_block *blocks; /* as leat_unwind.h has it; block_cnt * 64 bytes */
	uint32_t block_cnt;
	uint32_t first_page;
	uint32_t page_cnt;
	uint32_t row_cnt;
	uint32_t sources;  /* enum leat_unwind_source */
	uint64_t func_cnt; /* functions with rows */
	uint64_t bad_cnt;  /* entries that were malformed: no rules, or rules of their first part */
	uint64_t cut_cnt;  /* functions that another one begins in: they end there */
	/*
	 * 0, or why a part is missing: -EOVERFLOW a maximum was reached. What is there is right, and
	 * the rest says INVALID.
	 */
	int err;
};

/*
 * leat_unwind_table_build - make a table.
 * @e:     the binary (or the image of the vDSO). Fetches: nobody else uses it meanwhile.
 * @debug: its debug file, or NULL; asked when the binary itself has nothing.
 * @rules: gets the rules that are new.
 *
 * Errors: -ENODATA no unwind information, -EBADMSG none that could be understood, or no code;
 * -ENOTSUP another machine than x86-64, -ENOMEM, -EOVERFLOW code over more than 4 GB, -errno of
 * reading.
 * Cost: linear in the size of the sections; 10 million rows a second.
 */
int leat_unwind_table_build(struct leat_unwind_table **out, struct leat_elf *e,
			    struct leat_elf *debug, struct leat_unwind_rules *rules) LEAT_MUST_USE;
void leat_unwind_table_free(struct leat_unwind_table **t);
#define LEAT_UNWIND_SEGMENTS 8 /* executable ones of a binary; compilers make one */

/* An executable segment, from the begin of its first page on. */
struct leat_unwind_segment {
	uint64_t offset, end; /* in the file */
	uint64_t vaddr;	      /* of offset; wraps where the page begins below address 0 */
};

/* The first LEAT_UNWIND_SEGMENTS of @e into @out; how many there are. */
size_t leat_unwind_segments(const struct leat_elf *e, struct leat_unwind_segment *out);
/*
 * What is to be taken from an address in an executable mapping (at @start, from byte @pgoff of the
 * file on) for the address in the file. The first page of a segment in the file may hold the end of
 * another one that is not executable. -ENOENT: the mapping is of none of the @n segments.
 */
int leat_unwind_bias(const struct leat_unwind_segment *s, size_t n, uint64_t start, uint64_t pgoff,
		     uint64_t *bias) LEAT_MUST_USE;
/* What the kernel holds of it. */
static inline uint64_t leat_unwind_table_bytes(const struct leat_unwind_table *t)
{
	return (uint64_t)t->block_cnt * sizeof(*t->blocks);
}

#endif
