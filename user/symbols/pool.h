/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs many independent pieces of work on a few threads, the caller's own among them. */
#ifndef LEAT_SYMBOLS_POOL_H
#define LEAT_SYMBOLS_POOL_H

#include <stddef.h>

typedef void (*leat_pool_fn)(void *ctx, size_t i);

/* fn(ctx, i) for each i below @n, in order of i as threads get free; returns when all are done. */
void leat_pool_run(unsigned int threads, size_t n, leat_pool_fn fn, void *ctx);
/* CPUs that this process may use, at least 1. */
unsigned int leat_pool_cpus(void);

#endif
