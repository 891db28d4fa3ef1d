/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by files*.c. */
#ifndef LEAT_LIVE_FILES_IMPL_H
#define LEAT_LIVE_FILES_IMPL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/index.h"
#include "elf/elf_file.h"
#include "live/files.h"

#define LEAT_FILES_MAX (1u << 20)
#define LEAT_FILES_TRIES                                                                           \
	8 /* how many sightings of a file that could not be opened are followed up */
#define LEAT_FILES_ROOTS_MAX 4096

/* A distinct file. */
struct leat_file {
	int fd;			    /* -1: not held */
	uint64_t dev, ino, ino_gen; /* as mappings show them; 0 unknown */
	struct leat_build_id build_id;
	bool elf;
	uint8_t tries;
	/* where it was seen last */
	uint32_t tgid;
	uint64_t start, end;
	char *path;
};

/* A file is found by its build id or by its inode: several keys may lead to one file. */
struct leat_file_key {
	uint32_t file;
	uint8_t build_id_len; /* 0: by inode */
	uint8_t build_id[LEAT_BUILD_ID_MAX];
	uint64_t dev, ino;
};

/* The root directory of a process with a perf map. */
struct leat_file_root {
	uint32_t tgid;
	uint32_t ns_tgid; /* its pid in its own pid namespace */
	uint32_t uid;
	int fd;	    /* O_PATH; -1: the same as leat's own */
	int map_fd; /* its perf map; -1: not opened */
};

struct leat_files {
	struct leat_file *items;
	size_t n, cap;
	struct leat_file_key *keys;
	size_t key_cnt, key_cap;
	struct leat_index by_key;
	struct leat_file_root *roots;
	size_t root_cnt, root_cap;
	size_t fd_max, fd_cnt;
	uint64_t old_limit;
	struct leat_files_stats stats;
	pthread_mutex_t lock; /* of all above, while the provider is in use */
};

/* What is known about a file that shall be opened. */
struct leat_file_want {
	uint32_t tgid;	     /* 0: no process is known */
	uint64_t start, end; /* mapping; 0: unknown */
	const char *path;
	uint64_t dev, ino, ino_gen;
	const uint8_t *build_id;
	uint8_t build_id_len;
};

/*
 * Opens and verifies: -ENOENT gone, -ESTALE only another file was found, -EACCES, -EPERM. Tries
 * the mapping itself, the process's root, then leat's own.
 */
int leat_file_open_want(const struct leat_file_want *w, struct leat_build_id *id,
			bool *is_elf) LEAT_MUST_USE;
/* Opens a regular file below @root (a directory or -1: leat's own root) and nothing else. */
int leat_file_open_in_root(int root, const char *path, bool follow) LEAT_MUST_USE;
/* The process's root directory; -ENOENT when the process has gone. */
int leat_file_open_proc_root(uint32_t tgid) LEAT_MUST_USE;
/* /tmp/perf-<ns_tgid>.map below @root: of @uid or root, a regular file. -EPERM it is not. */
int leat_file_open_perf_map(int root, uint32_t ns_tgid, uint32_t uid) LEAT_MUST_USE;
/* A file of these bytes that has no name, to be read from its start. */
int leat_file_of_bytes(const char *label, const void *bytes, size_t n) LEAT_MUST_USE;
/* As leat_file_provider.open_ksyms: has the kernel name its addresses. */
int leat_file_open_ksyms(const uint64_t *addr, size_t n) LEAT_MUST_USE;
/* Whether @fd is an ELF file, and its build id (len 0: none). */
bool leat_file_inspect(int fd, struct leat_build_id *id);
/*
 * No ELF file: what is mapped of it as code was compiled ahead by a runtime of its own (.NET's images,
 * SBCL's core), and is walked as what they make at run time is.
 */
bool leat_file_is_foreign(int fd);
/* A descriptor of the file with @w's identity: of the one that is held, else opened again. */
int leat_files_open(struct leat_files *f, const struct leat_file_want *w) LEAT_MUST_USE;
/* Finds by the identity in @w; LEAT_INDEX_NONE when unknown. */
uint32_t leat_files_find(const struct leat_files *f, const struct leat_file_want *w);

#endif
