/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interning of byte slices: equal slices get one dense, stable id (0, 1, 2, ...). XXH3-64 keyed.
 * Slices are stored NUL-terminated, 8-byte aligned, and stay where they are until _free.
 * One writer; not thread-safe.
 */
#ifndef LEAT_BASE_INTERN_H
#define LEAT_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct leat_intern;

/* @max_cnt and @max_bytes bound it: -EOVERFLOW beyond. 0 or -ENOMEM. */
int leat_intern_new(struct leat_intern **out, uint32_t max_cnt, size_t max_bytes) LEAT_MUST_USE;
void leat_intern_free(struct leat_intern **in);
/* 0, -ENOMEM or -EOVERFLOW (full). */
int leat_intern_put(struct leat_intern *in, const void *p, size_t n, uint32_t *id) LEAT_MUST_USE;
int leat_intern_str(struct leat_intern *in, const char *s, uint32_t *id) LEAT_MUST_USE;
/* -ENOENT when absent. */
int leat_intern_find(const struct leat_intern *in, const void *p, size_t n,
		     uint32_t *id) LEAT_MUST_USE;
/* Borrowed until _free; @n may be NULL. @id must be below the count. */
const void *leat_intern_at(const struct leat_intern *in, uint32_t id, size_t *n);
uint32_t leat_intern_count(const struct leat_intern *in);
size_t leat_intern_bytes(const struct leat_intern *in); /* memory held */

#endif
