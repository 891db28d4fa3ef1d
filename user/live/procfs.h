/* SPDX-License-Identifier: BSD-2-Clause */
/* What leat reads below /proc, apart from maps: parsers that trust nothing, and readers. */
#ifndef LEAT_LIVE_PROCFS_H
#define LEAT_LIVE_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "leat_wire.h"

/* /proc/PID/stat */
struct leat_proc_stat {
	uint32_t pid;
	uint32_t ppid;
	char comm[LEAT_COMM_LEN * 4]; /* may hold anything but a NUL; kernel threads' are longer */
	char state;
	uint32_t flags;	       /* PF_* */
	uint32_t threads;      /* that have not ended */
	uint64_t waited_ticks; /* CPU time of children that were waited for */
	uint64_t start_ticks;  /* since boot, in clock ticks, suspended time included */
};
/* -EBADMSG malformed. */
int leat_procfs_parse_stat(const char *s, size_t n, struct leat_proc_stat *out) LEAT_MUST_USE;

/* /proc/PID/status; members stay 0 where the kernel does not say. */
struct leat_proc_status {
	uint32_t tgid;
	uint32_t ppid;
	uint32_t uid;	   /* effective */
	uint32_t real_uid; /* what the kernel side filters by */
	uint32_t ns_tgid;  /* the last of NStgid: in its own pid namespace */
	uint32_t ns_depth; /* how many NStgid has */
	uint64_t cap_eff;
	uint64_t rss_peak_bytes; /* VmHWM */
	uint32_t seccomp;
};
/* -EBADMSG when there is no Tgid. */
int leat_procfs_parse_status(const char *s, size_t n, struct leat_proc_status *out) LEAT_MUST_USE;

/* "0-3,5" as the kernel writes CPU lists. Appends to @out at most @max; -EBADMSG, -EOVERFLOW. */
int leat_procfs_parse_cpus(const char *s, size_t n, uint32_t *out, size_t max,
			   size_t *cnt) LEAT_MUST_USE;

/* The members of a process that leat needs, read once. */
struct leat_proc_info {
	struct leat_proc_stat stat;
	struct leat_proc_status status;
	char comm[LEAT_COMM_LEN]; /* NUL-terminated */
	uint64_t start_ns;	  /* CLOCK_MONOTONIC, to the clock tick (10 ms) */
	bool kthread;
};
/*
 * Whether the last thread has ended. A zombie leader alone says nothing: it may have called
 * pthread_exit, and others work on.
 */
bool leat_procfs_has_ended(const struct leat_proc_stat *st);
/* The same of a process by its number; true also when there is no such process. */
bool leat_procfs_is_over(uint32_t tgid);
/*
 * Below which number of /proc the process's mappings, executable and root are to be found: its own,
 * or that of a living thread when the leader has ended; 0 when all have.
 */
uint32_t leat_procfs_via(uint32_t tgid);
/* -ESRCH there is no such process or thread, -EACCES hidden from us, -errno. */
int leat_procfs_read(uint32_t pid, struct leat_proc_info *out) LEAT_MUST_USE;
/* readlink of /proc/PID/exe without " (deleted)"; "" for a kernel thread. -errno. */
int leat_procfs_exe(uint32_t pid, char *out, size_t cap) LEAT_MUST_USE;
/* Inode of /proc/PID/ns/WHAT; 0 when it cannot be read. @pid 0: leat itself. */
uint64_t leat_procfs_ns(uint32_t pid, const char *what);
/* Reads a small text file of /proc or /sys, NUL-terminated, cut at @cap - 1. Length or -errno. */
int leat_procfs_text(const char *path, char *out, size_t cap) LEAT_MUST_USE;
/* An unsigned number in a file; -errno. */
int leat_procfs_u64(const char *path, uint64_t *out) LEAT_MUST_USE;

/* Calls @fn for every process (threads: every thread of @tgid); a non-zero result ends it. */
int leat_procfs_each(int (*fn)(void *ctx, uint32_t pid), void *ctx) LEAT_MUST_USE;
int leat_procfs_each_thread(uint32_t tgid, int (*fn)(void *ctx, uint32_t tid),
			    void *ctx) LEAT_MUST_USE;

#define LEAT_BOOT_ID_LEN 40
/* Which boot of the host this is; "" when the kernel does not tell. */
void leat_procfs_boot(char out[LEAT_BOOT_ID_LEN]);

uint64_t leat_clock_ns(void);	   /* CLOCK_MONOTONIC */
uint64_t leat_clock_real_ns(void); /* CLOCK_REALTIME */

#endif
