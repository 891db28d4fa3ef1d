/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/cell.h - a value that several parts share: one may write it, the others read it.
 *
 * A value is reached through a function that receives it, and only while that runs. Whoever would
 * read it while it is written, or write it while it is read or written (a callback inside a
 * callback), gets -EBUSY instead of a value that is half changed or has moved.
 *
 *	LEAT_CELL(limits, struct limits)
 *
 *	struct limits_writable w;
 *	struct limits_readonly r;
 *
 *	err = limits_new(&w, &initial);		one holder: w
 *	r = limits_share(w);			two
 *	err = limits_write(w, raise, &by);	int raise(void *ctx, struct limits *value)
 *	err = limits_read(r, print, NULL);	int print(void *ctx, const struct limits *value)
 *	limits_drop_readonly(&r);
 *	limits_drop_writable(&w);		the last one frees the value
 *
 * What the function returns is returned. All holders are in one thread.
 */
#ifndef LEAT_CELL_H
#define LEAT_CELL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LEAT_CELL_MAX_READERS 1024u /**< within each other; beyond: -EBUSY */

struct leat_cell;

/**
 * leat_cell_new - a cell with a copy of a value.
 * @size: bytes of *@value.
 *
 * Ownership: one holder, the caller; what the value points to stays the caller's business.
 * Errors:    -ENOMEM.
 */
int leat_cell_new(struct leat_cell **out, const void *value, size_t size);
/** leat_cell_get - another holder; returns @c. */
struct leat_cell *leat_cell_get(struct leat_cell *c);
/** leat_cell_put - one holder less; NULL is accepted in *@c; nulls the pointer. */
void leat_cell_put(struct leat_cell **c);
/**
 * leat_cell_begin_read - the value, until leat_cell_end_read. Reads may be within each other.
 * Errors: -EBUSY it is being written.
 */
int leat_cell_begin_read(struct leat_cell *c, const void **value);
/** leat_cell_end_read - ends a read that had begun. */
void leat_cell_end_read(struct leat_cell *c);
/**
 * leat_cell_begin_write - the value, to be changed until leat_cell_end_write.
 * Errors: -EBUSY it is being read or written.
 */
int leat_cell_begin_write(struct leat_cell *c, void **value);
/** leat_cell_end_write - ends a write that had begun. */
void leat_cell_end_write(struct leat_cell *c);
/** leat_cell_conflict_cnt - how often somebody got -EBUSY. */
uint64_t leat_cell_conflict_cnt(const struct leat_cell *c);

/** LEAT_CELL - cells of a type, by name: struct name_writable, struct name_readonly, functions. */
#define LEAT_CELL(name, type)                                                                      \
	struct name##_writable {                                                                   \
		struct leat_cell *cell;                                                            \
	};                                                                                         \
	struct name##_readonly {                                                                   \
		struct leat_cell *cell;                                                            \
	};                                                                                         \
	static inline int name##_new(struct name##_writable *out, const type *value)               \
	{                                                                                          \
		return leat_cell_new(&out->cell, value, sizeof(*value));                           \
	}                                                                                          \
	static inline struct name##_readonly name##_share(struct name##_writable w)                \
	{                                                                                          \
		struct name##_readonly r = { leat_cell_get(w.cell) };                              \
		return r;                                                                          \
	}                                                                                          \
	static inline int name##_read(struct name##_readonly r,                                    \
				      int (*fn)(void *ctx, const type *value), void *ctx)          \
	{                                                                                          \
		const void *value;                                                                 \
		int err = leat_cell_begin_read(r.cell, &value);                                    \
		if (err)                                                                           \
			return err;                                                                \
		err = fn(ctx, (const type *)value);                                                \
		leat_cell_end_read(r.cell);                                                        \
		return err;                                                                        \
	}                                                                                          \
	static inline int name##_write(struct name##_writable w,                                   \
				       int (*fn)(void *ctx, type *value), void *ctx)               \
	{                                                                                          \
		void *value;                                                                       \
		int err = leat_cell_begin_write(w.cell, &value);                                   \
		if (err)                                                                           \
			return err;                                                                \
		err = fn(ctx, (type *)value);                                                      \
		leat_cell_end_write(w.cell);                                                       \
		return err;                                                                        \
	}                                                                                          \
	static inline void name##_drop_readonly(struct name##_readonly *r)                         \
	{                                                                                          \
		leat_cell_put(&r->cell);                                                           \
	}                                                                                          \
	static inline void name##_drop_writable(struct name##_writable *w)                         \
	{                                                                                          \
		leat_cell_put(&w->cell);                                                           \
	}

#ifdef __cplusplus
}
#endif

#endif
