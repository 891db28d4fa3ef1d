/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole files, in and out. Nothing is mapped: a mapped file that shrinks is a SIGBUS. */
#ifndef LEAT_BASE_FILE_H
#define LEAT_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * Reads all that is left of @fd into memory, NUL-terminated behind the end; free() *@out. @len may
 * be NULL. For /proc files and others whose size is not known. -EOVERFLOW over @max bytes, -errno.
 */
int leat_file_read_fd(int fd, size_t max, char **out, size_t *len) LEAT_MUST_USE;
/* The same of a path; does not wait where a FIFO stands in the place of a file. */
int leat_file_read_at(int dirfd, const char *path, size_t max, char **out,
		      size_t *len) LEAT_MUST_USE;
/* Reads exactly @n bytes at @off. -ENODATA when the file ends before, -errno. */
int leat_file_pread_all(int fd, void *p, size_t n, uint64_t off) LEAT_MUST_USE;
/* Writes all of it, whatever write() says in between. 0 or -errno. */
int leat_file_write_all(int fd, const void *p, size_t n) LEAT_MUST_USE;

#endif
