/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/symbols.h - names for the frames of an object, from a reader of symbols of user code: a debug
 * server, a table in a format that leat does not know, the code of a JIT compiler.
 */
#ifndef LEAT_SYMBOLS_H
#define LEAT_SYMBOLS_H

#include <leat/profile.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A symbol. Borrowed until the reader's next call. */
struct leat_symbol {
	uint64_t start; /**< of its code, as offsets of the object's frames are */
	uint64_t end;	/**< exclusive */
	const char *name;
	size_t name_len;  /**< bytes; longer names than 16,384 are cut */
	const char *file; /**< source; NULL unknown */
	uint32_t line;	  /**< 0 unknown */
	bool is_mangled;  /**< C++, Rust, D: to be demangled */
};

/** Reads symbols, in any order, one after the other. */
struct leat_symbol_reader_ops {
	const char *name;
	/** Begins anew. 0 or a negative errno. NULL: it reads once. */
	int (*reset)(void *self);
	/** 1 and *@out; 0 after the last; a negative errno. */
	int (*next)(void *self, struct leat_symbol *out);
};

struct leat_symbol_reader {
	const struct leat_symbol_reader_ops *ops;
	void *self;
};

#define LEAT_SYMBOLS_MAX_READ (1u << 28) /**< symbols of one reader that are looked at */

/**
 * leat_symbols_read - name the frames of an object that have no function yet.
 * @object: id of the object (leat_profile_object_at).
 * @named:  how many frames were named; may be NULL.
 *
 * Of symbols that cover a place the shortest names it, of equal ones the first. Frames that no
 * symbol covers stay as they are: another reader may know them. A symbol that ends before it begins
 * is passed over.
 * Threads: caller serialises @p.
 * Errors:  -ENOENT no such object, -EOVERFLOW more symbols than LEAT_SYMBOLS_MAX_READ, or a table
 *          of the profile is full, -ENOMEM, those of the reader. On failure no frame was named.
 * Cost:    symbols times the logarithm of the object's frames; names are read of those that cover
 *          one.
 */
int leat_symbols_read(struct leat_profile *p, uint32_t object,
		      const struct leat_symbol_reader *reader, size_t *named);

/**
 * leat_symbols_finish - give every frame that has no function yet one that says so: "[libfoo.so]".
 * Exporters want that. Errors: -ENOMEM, -EOVERFLOW.
 */
int leat_symbols_finish(struct leat_profile *p);

#ifdef __cplusplus
}
#endif

#endif
