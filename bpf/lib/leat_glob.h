/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A glob as a bit-parallel automaton: user space compiles the pattern (engine/name_glob.h), the kernel
 * runs it in one pass of at most 15 steps, with no backtracking for the verifier to follow.
 *
 * Bit i of the state: the first i atoms of the pattern match the text read so far. A '*' is no
 * atom but a bit in @star: the state may stay there whatever comes.
 */
#ifndef LEAT_BPF_GLOB_H
#define LEAT_BPF_GLOB_H

#include "leat_inline.h"

#define LEAT_GLOB_ATOMS 31
#define LEAT_GLOB_TEXT	15

struct leat_glob {
	__u32 mask[256]; /* by character: bit i when atom i accepts it */
	__u32 star;	 /* bit i: a '*' stands before atom i (or at the end) */
	__u32 accept;	 /* the bit of the last state */
};

/* @text: at most LEAT_GLOB_TEXT characters, NUL-terminated. */
LEAT_INLINE int leat_glob_match(const volatile struct leat_glob *g, const char *text)
{
	__u32 state = 1;

	for (int i = 0; i < LEAT_GLOB_TEXT; i++) {
		__u8 c = (__u8)text[i];

		if (!c)
			break;
		state = ((state & g->mask[c]) << 1) | (state & g->star);
	}
	return (state & g->accept) != 0;
}

#endif
