/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples that were taken twice at one moment: one perf event carries leat's BPF program, and has the
 * kernel copy the user registers and up to 64 KB of the stack.
 */
#ifndef LEAT_TESTS_UNWIND_LIVE_H
#define LEAT_TESTS_UNWIND_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leat_wire.h"
#include "unwind/unwind.h"

#define TAKE_PIDS 32
#define TAKE_MAX  10000 /* samples */

/* What the kernel has copied. */
struct copy {
	uint32_t tgid, tid;
	uint64_t ts_ns;			 /* CLOCK_MONOTONIC */
	uint64_t regs[LEAT_UNWIND_REGS]; /* DWARF order */
	uint8_t *stack;			 /* from sp on */
	size_t stack_len;
};

/* What leat has made of it. */
struct shot {
	struct leat_rec_sample *rec; /* frames behind it */
	bool raw;		     /* unwound in user space: a table was not ready */
};

struct take {
	uint32_t pids[TAKE_PIDS];
	size_t pid_cnt;
	unsigned int hz, seconds;
	size_t max;	       /* samples */
	uint32_t perf_tgid;    /* of a perf record whose events to use; 0: own ones */
	const char *perf_data; /* the file that it writes */
	struct copy *copies;
	size_t copy_cnt, copy_cap;
	struct shot *shots;
	size_t shot_cnt, shot_cap;
	uint64_t *raws; /* times of records that came with a copy of leat's own */
	size_t raw_cnt, raw_cap;
	uint64_t lost;	    /* copies that did not fit into the ring */
	uint64_t no_regs;   /* samples of tasks without a user part */
	uint64_t delivered; /* samples of leat, by its own count */
};

/* What of a perf event's samples there is, as perf_event_attr has it. */
struct copy_format {
	uint64_t sample_type, regs_mask;
};

/* Ends the program on what cannot be. */
void take_run(struct take *t);
/* Adds what follows the header of a PERF_RECORD_SAMPLE, @n bytes. */
void take_add(struct take *t, const struct copy_format *f, const uint8_t *p, size_t n);

/* live_perf.c: a perf record that samples on events of its own. */
/* Has its events run the BPF program too; a descriptor that can be read once it has ended. */
int perf_share(uint32_t tgid, int prog_fd);
/* Adds the samples of the file that it has written. */
void perf_read(struct take *t);
void take_fini(struct take *t);
/* What leat has for a copy; NULL: nothing. @shots are sorted by take_run. */
const struct shot *take_find(const struct take *t, const struct copy *c);

#endif
