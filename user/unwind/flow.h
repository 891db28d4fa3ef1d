/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules of code of which nothing is said, by following its instructions: assembly without CFI, a C
 * library that is built without it. From where functions begin, along all branches, it is kept where
 * the frame begins, as seen from the stack pointer and from the registers that lead to it.
 *
 * A function is believed when that has proved right: it comes to a return, with the stack pointer at
 * the return address. What is lost on the way, does not agree where branches meet, or cannot be
 * decoded, makes the whole function unknown; so does a place that is tried as a begin and is none.
 */
#ifndef LEAT_UNWIND_FLOW_H
#define LEAT_UNWIND_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "unwind/rows.h"
#include "unwind/rules.h"

/* Code that is looked at in one piece: functions on its borders are unknown. */
#define LEAT_FLOW_PIECE (1u << 20)

struct leat_flow;

struct leat_flow_code {
	const uint8_t *code; /* LEAT_FLOW_PIECE bytes at most */
	size_t n;
	uint64_t vaddr;
	const uint64_t *starts; /* where functions begin, sorted: all those in this piece */
	size_t start_cnt;
	const uint64_t *ends; /* functions outside that do not return, sorted */
	size_t end_cnt;
	bool has_entry;
	uint64_t entry; /* where the program begins: nothing has called that */
	uint64_t main;	/* that one is called, though nobody sees it; 0 none */
	uint32_t other; /* the rule of what remains unknown */
};

int leat_flow_new(struct leat_flow **out) LEAT_MUST_USE;
void leat_flow_free(struct leat_flow **f);

/*
 * leat_flow_rows - rows of one piece, and after it @other.
 * @described: how many bytes have a rule that was found here.
 * Time is linear in @n. -ENOMEM: no row was added.
 */
int leat_flow_rows(struct leat_flow *f, const struct leat_flow_code *c,
		   struct leat_unwind_rules *rules, struct leat_rows *out,
		   size_t *described) LEAT_MUST_USE;

/* Padding at the begin of @code: how many bytes. */
size_t leat_flow_padding(const uint8_t *code, size_t n);

#endif
