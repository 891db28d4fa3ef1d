/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's limits and leat's own privileges, as measured: for diagnoses only. */
#ifndef LEAT_ENGINE_SYSCTL_H
#define LEAT_ENGINE_SYSCTL_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* A number of /proc/sys, e.g. "kernel/perf_event_paranoid". 0 or -errno. */
int leat_sysctl_read(const char *name, int64_t *out) LEAT_MUST_USE;
/* CapEff of this process. */
int leat_cap_effective(uint64_t *out) LEAT_MUST_USE;
/* Kernel memory of a BPF map (fdinfo memlock), 0 when unknown. */
size_t leat_map_memory(int map_fd);

/* Bytes of a path to an open file of leat's own. */
#define LEAT_FD_PATH 32

/* By what path a library can open @fd, which stays open meanwhile. */
void leat_fd_path(int fd, char out[LEAT_FD_PATH]);

#endif
