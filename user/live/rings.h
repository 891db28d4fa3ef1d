/* SPDX-License-Identifier: BSD-2-Clause */
/* The side band of the whole system: one dummy perf event and one mapped ring for each CPU. */
#ifndef LEAT_LIVE_RINGS_H
#define LEAT_LIVE_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/diag.h"

struct leat_ring {
	int fd;
	void *base; /* control page, then data */
	size_t data_bytes;
	size_t map_bytes;
};

struct leat_rings {
	struct leat_ring *items;
	size_t n;
	void *record; /* one record, copied out of its ring */
	int epoll_fd; /* readable when any of them is */
	/* Linux 6.0: what is lost can be asked for. Else the next record that fits tells. */
	bool reads_lost;
};

/* A CPU that went offline meanwhile is left out. Collection begins at once. -errno, with @diag. */
int leat_rings_open(struct leat_rings *r, const uint32_t *cpus, size_t cpu_cnt,
		    struct leat_diag *diag) LEAT_MUST_USE;
void leat_rings_close(struct leat_rings *r);
/* Records lost so far on all CPUs; 0 where .reads_lost is not set. */
uint64_t leat_rings_lost(const struct leat_rings *r);
/* Records go on until here; what is in the rings can still be read. */
void leat_rings_stop(struct leat_rings *r);

/*
 * Calls @fn with each record that is there now (not with those that come meanwhile). Returns how
 * many, or the first error of @fn. A ring whose bookkeeping is broken is emptied: *broken counts.
 */
int leat_rings_drain(struct leat_rings *r, int (*fn)(void *ctx, const void *rec, size_t n),
		     void *ctx, uint64_t *broken) LEAT_MUST_USE;

#endif
