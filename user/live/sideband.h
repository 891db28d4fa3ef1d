/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decodes the records that perf_event_open's side band delivers (mappings, names, forks, exits)
 * and turns them into leat's own. Works on bytes alone: no file is opened here.
 * The event must have been opened as LEAT_SIDEBAND_SAMPLE_TYPE says, with sample_id_all.
 */
#ifndef LEAT_LIVE_SIDEBAND_H
#define LEAT_LIVE_SIDEBAND_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "leat_wire.h"

/* What every record ends with. */
#define LEAT_SIDEBAND_SAMPLE_TYPE (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU)

enum leat_sideband_kind {
	LEAT_SIDEBAND_MMAP = 0,
	LEAT_SIDEBAND_COMM = 1,
	LEAT_SIDEBAND_FORK = 2,
	LEAT_SIDEBAND_EXIT = 3,
	LEAT_SIDEBAND_LOST = 4,
	LEAT_SIDEBAND_OTHER = 5, /* a kind that leat does not use */
};

struct leat_sideband {
	enum leat_sideband_kind kind;
	uint32_t tgid, tid; /* of an event's subject; UINT32_MAX or 0: not of our namespace */
	uint64_t ts_ns;	    /* CLOCK_MONOTONIC */
	uint32_t cpu;
	uint32_t ptgid, ptid; /* fork, exit */
	bool exec;	      /* comm: came with an exec */
	uint64_t lost_cnt;    /* lost */
	/* mmap */
	uint64_t start, end, pgoff, dev, ino, ino_gen;
	const char *text; /* mmap: file name; comm: name; borrowed, text_len bytes */
	size_t text_len;
};

/*
 * leat_sideband_decode - one record, header and trailer included.
 * Errors: -ENODATA the record is shorter than its kind, -EBADMSG sizes or ranges disagree.
 */
int leat_sideband_decode(const void *p, size_t n, struct leat_sideband *out) LEAT_MUST_USE;

/* Large enough for any record of the environment, aligned. */
union leat_env_record {
	struct leat_rec h;
	struct leat_rec_mmap mmap;
	struct leat_rec_process process;
	struct leat_rec_comm comm;
	struct leat_rec_task task;
	struct leat_rec_lost lost;
	char bytes[sizeof(struct leat_rec_mmap) + LEAT_PATH_MAX];
};

/* The same as a wire record, h.size set; 0 for a kind that has none. Bytes beyond are unspecified. */
size_t leat_sideband_to_wire(const struct leat_sideband *s, union leat_env_record *out);

/*
 * A ring as perf maps it: a page of control, then data whose size is a power of two. The next
 * record is copied out; @head is where the kernel writes, *tail where we read.
 * 0 nothing there; over 0 its size; -EBADMSG the ring is not to be trusted any more.
 */
int leat_sideband_next(const uint8_t *data, size_t data_size, uint64_t head, uint64_t *tail,
		       void *out, size_t cap) LEAT_MUST_USE;

#endif
