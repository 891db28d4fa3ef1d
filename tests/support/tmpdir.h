/* SPDX-License-Identifier: BSD-2-Clause */
/* A directory that lives as long as a test. */
#ifndef LEAT_TESTS_SUPPORT_TMPDIR_H
#define LEAT_TESTS_SUPPORT_TMPDIR_H

#include <stddef.h>

struct leat_tmpdir {
	char path[96]; /* absolute; "" when there is none */
};

/* Makes an empty directory below $TMPDIR (/tmp); ends the program when that is impossible. */
void leat_tmpdir_init(struct leat_tmpdir *d);
/* Removes it with all it holds. Idempotent; fits LEAT_AUTO. */
void leat_tmpdir_fini(struct leat_tmpdir *d);
/* The path of @name in it; valid until the fourth call after this one. */
const char *leat_tmpdir_path(const struct leat_tmpdir *d, const char *name);
/* Writes a file there and returns its path (as above); ends the program on failure. */
const char *leat_tmpdir_write(const struct leat_tmpdir *d, const char *name, const void *data,
			      size_t size_bytes);

#endif
