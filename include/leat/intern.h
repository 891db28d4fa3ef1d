/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/intern.h - equal strings, slices and stacks get one id: 0, 1, 2, ..., in order of their first
 * sight, and stable. Keyed by XXH3-64, compared whole. The table grows, up to stated maxima.
 */
#ifndef LEAT_INTERN_H
#define LEAT_INTERN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_intern;

/**
 * leat_intern_new - an empty table.
 * @max_cnt:   distinct slices, at most 2^31.
 * @max_bytes: of all of them, each with a NUL and rounded up to 8.
 *
 * Ownership: the caller's, until leat_intern_free.  Threads: caller serialises.
 * Errors:    -ENOMEM.
 */
int leat_intern_new(struct leat_intern **out, uint32_t max_cnt, size_t max_bytes);
/** leat_intern_free - NULL is accepted in *@in; nulls the pointer. */
void leat_intern_free(struct leat_intern **in);
/**
 * leat_intern_put - the id of a slice, new or not.
 * @p:  copied when it is new; may be NULL when @n is 0.
 * @id: unchanged on failure.
 *
 * Errors: -EOVERFLOW a maximum is reached (counted: leat_intern_refused_cnt), -ENOMEM.
 * Cost:   constant, 10 to 25 ns; amortised when it is new.
 */
int leat_intern_put(struct leat_intern *in, const void *p, size_t n, uint32_t *id);
/** leat_intern_str - the same for a NUL-terminated string. */
int leat_intern_str(struct leat_intern *in, const char *s, uint32_t *id);
/** leat_intern_stack - the same for a stack of addresses, as many as @cnt. */
int leat_intern_stack(struct leat_intern *in, const uint64_t *frames, size_t cnt, uint32_t *id);
/** leat_intern_find - the id of a slice that is there. Errors: -ENOENT. */
int leat_intern_find(const struct leat_intern *in, const void *p, size_t n, uint32_t *id);
/**
 * leat_intern_at - the slice behind an id, below leat_intern_count.
 * @n: bytes without the NUL; may be NULL.
 *
 * Ownership: borrowed until leat_intern_free; NUL-terminated, aligned to 8, never moved.
 */
const void *leat_intern_at(const struct leat_intern *in, uint32_t id, size_t *n);
/** leat_intern_stack_at - the same, as the addresses of a stack. */
const uint64_t *leat_intern_stack_at(const struct leat_intern *in, uint32_t id, size_t *cnt);
/**
 * leat_intern_each - call @fn for every slice, in order of their ids.
 *
 * Returns 0, or what @fn returned that was not 0: it ends the iteration. @fn may add slices; those
 * are visited too.
 */
int leat_intern_each(const struct leat_intern *in,
		     int (*fn)(void *ctx, uint32_t id, const void *p, size_t n), void *ctx);
/** leat_intern_count - how many there are. */
uint32_t leat_intern_count(const struct leat_intern *in);
/** leat_intern_refused_cnt - how often a maximum was reached. */
uint64_t leat_intern_refused_cnt(const struct leat_intern *in);
/** leat_intern_bytes - memory held. */
size_t leat_intern_bytes(const struct leat_intern *in);

#ifdef __cplusplus
}
#endif

#endif
