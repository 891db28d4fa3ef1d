/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwinds in user space what the kernel has copied: registers, a piece of stack, and the tables of
 * what is mapped. The step is the kernel's own (bpf/lib/leat_step.h), so both give the same frames.
 */
#ifndef LEAT_UNWIND_UNWIND_H
#define LEAT_UNWIND_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leat_wire.h"
#include "unwind/rules.h"
#include "unwind/table.h"

#define LEAT_UNWIND_REGS 17 /* DWARF numbers of x86-64: 6 rbp, 7 rsp, 16 rip */

struct leat_unwind_regs {
	uint64_t r[LEAT_UNWIND_REGS];
	uint32_t known; /* bit n: r[n] is known. 6, 7 and 16 always are */
};

/* A piece of a process's memory. */
struct leat_unwind_piece {
	const uint8_t *data;
	uint64_t addr; /* of data[0] in the process */
	size_t len;
};

/*
 * What is known of a thread. One piece is its stack, from 128 bytes below sp on; others may hold the
 * stack that a signal has interrupted.
 */
struct leat_unwind_sample {
	struct leat_unwind_regs regs;
	const struct leat_unwind_piece *pieces;
	size_t piece_cnt;
	/* Asked for words that are in no piece; not 0 when there is none. May be NULL. */
	int (*word)(void *ctx, uint64_t addr, uint64_t *out);
	void *ctx;
};

/* An executable mapping. */
struct leat_unwind_map {
	uint64_t start, end;		       /* [start, end) */
	uint64_t bias;			       /* address - bias is an address of the ELF file */
	const struct leat_unwind_table *table; /* NULL: by frame pointer */
};

struct leat_unwind_space {
	const struct leat_unwind_map *maps; /* sorted by start, without overlaps */
	size_t map_cnt;
	const struct leat_unwind_rules *rules;
};

struct leat_unwind_frame {
	uint64_t pc;
	uint64_t sp; /* at @pc: where the frame of what was called from here ended */
	bool exact;  /* pc is the next instruction, not a return address: its line is that of pc */
};

/*
 * leat_unwind_stack - the frames of one stack, innermost first.
 * @frames: room for @max frames, at least one; the first one is always set.
 *
 * Returns how the stack ends. LEAT_STACK_TRUNCATED: it has more than @max frames;
 * LEAT_STACK_BAD_MEMORY: it goes on where memory is not known; LEAT_STACK_NO_UNWIND: a frame outside
 * all mappings, or one whose rule is unknown.
 * Threads: any number at a time on the same space. Cost: about 50 ns a frame.
 */
enum leat_stack_result leat_unwind_stack(const struct leat_unwind_space *space,
					 const struct leat_unwind_sample *sample,
					 struct leat_unwind_frame *frames, size_t max,
					 size_t *frame_cnt);
/*
 * The same, of a walk that ended with LEAT_STACK_NO_UNWIND for want of a table: from its last frame on.
 * @walk:   zero, and then as the last call has left it.
 * @frames: as the last call has left them, *@frame_cnt of them: 0 at first.
 */
enum leat_stack_result leat_unwind_stack_on(const struct leat_unwind_space *space,
					    const struct leat_unwind_sample *sample,
					    struct leat_unwind_walk *walk,
					    struct leat_unwind_frame *frames, size_t max,
					    size_t *frame_cnt);
/* The number of the rule that holds at an address of the ELF file. */
uint32_t leat_unwind_table_rule(const struct leat_unwind_table *t, uint64_t vaddr);

#endif
