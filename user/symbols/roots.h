/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where stacks begin: code that nothing calls, or that was called by such code alone. Distributions
 * strip the C library, so most of it has no name there; it is found by what it does.
 */
#ifndef LEAT_SYMBOLS_ROOTS_H
#define LEAT_SYMBOLS_ROOTS_H

#include "elf/elf_file.h"
#include "symbols/insn.h"

#define LEAT_ROOTS_MAX 32

struct leat_root {
	uint64_t start, end;
	bool returns_only; /* entered by a call as well (clone): only a return into it is a root */
	bool no_call;	   /* its return address was put there by hand: no call stands before it */
};

struct leat_roots {
	struct leat_root ranges[LEAT_ROOTS_MAX];
	size_t n;
	uint64_t ends[8]; /* exit, pthread_exit, ...: they take a result and do not return */
	size_t end_cnt;
};

/*
 * @base: last part of the path, NUL-terminated; it only says where a look is worthwhile. 0 or
 * -ENOMEM; a malformed file has no roots.
 */
int leat_roots_find(struct leat_roots *r, struct leat_elf *e, const char *base) LEAT_MUST_USE;
/* The root that @vaddr lies in, NULL when none. */
const struct leat_root *leat_roots_at(const struct leat_roots *r, uint64_t vaddr, bool is_return);
/* Whether the code after a call tells that nothing is above it. */
bool leat_roots_is_end(const struct leat_roots *r, uint16_t machine, const struct leat_code *c);

#endif
