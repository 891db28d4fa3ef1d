/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader's side of one BPF ring buffer. One thread. */
#ifndef LEAT_ENGINE_RING_H
#define LEAT_ENGINE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct leat_ring {
	int fd;		   /* of the map, borrowed; -1: not open */
	uint8_t *consumer; /* page with the reader's position, writable */
	uint8_t *producer; /* page with the writer's position, then the data, mapped twice */
	const uint8_t *data;
	size_t page;
	size_t size; /* of the data */
};

int leat_ring_open(struct leat_ring *r, int map_fd, size_t size) LEAT_MUST_USE;
void leat_ring_close(struct leat_ring *r);
/* Bytes that wait in the ring. */
size_t leat_ring_pending(const struct leat_ring *r);

/* 1: taken, 0: leave this one and stop. @data is valid during the call only. */
typedef int (*leat_ring_fn)(void *ctx, const void *data, size_t n);
/* Hands over at most @max records in place. Returns how many were taken. */
size_t leat_ring_consume(struct leat_ring *r, size_t max, leat_ring_fn fn, void *ctx);

#endif
