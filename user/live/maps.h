/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of /proc/PID/maps: bounded, allocates nothing, trusts nothing. */
#ifndef LEAT_LIVE_MAPS_H
#define LEAT_LIVE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "leat_wire.h"

struct leat_maps_line {
	uint64_t start;
	uint64_t end; /* exclusive, over start */
	uint64_t pgoff;
	uint64_t dev; /* makedev(major, minor) */
	uint64_t ino;
	const char *path; /* borrowed, as written; path_len bytes, "" for none */
	size_t path_len;
	bool exec;
};

/*
 * leat_maps_parse - decode a line, with or without its newline.
 * Errors: -EBADMSG malformed (also an empty or reversed range), -EOVERFLOW a number over 64 bits.
 */
int leat_maps_parse(const char *s, size_t n, struct leat_maps_line *out) LEAT_MUST_USE;

/*
 * What a mapping of this name is. @ino 0: no file. A memfd is LEAT_MMAP_ANON: it may hold a
 * program all the same, which only a look into it can tell.
 */
enum leat_mmap_kind leat_maps_kind(const char *path, size_t n, uint64_t ino);
/* Whether the name is that of a memfd. */
bool leat_maps_is_memfd(const char *path, size_t n);

/*
 * The path as the process knows it: \012 decoded to a newline, " (deleted)" at the end removed.
 * Writes at most @cap - 1 bytes and a NUL; returns the length. @cap over 0.
 */
size_t leat_maps_path(const char *path, size_t n, char *out, size_t cap);
/* Whether @path ends in " (deleted)". */
bool leat_maps_is_deleted(const char *path, size_t n);

#endif
