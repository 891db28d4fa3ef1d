/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of options to values. All return 0, -EINVAL (not of that form) or -ERANGE (out of range). */
#ifndef LEAT_CLI_VALUE_H
#define LEAT_CLI_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define LEAT_CLI_MAX_CPU  65535u
#define LEAT_CLI_MAX_LIST 65536u

/* A list of numbers that grows; @items is the list's until _fini. */
struct leat_cli_ids {
	uint32_t *items;
	size_t n, cap;
};

/* A list of borrowed strings; the array itself is the list's. */
struct leat_cli_strs {
	const char **items;
	size_t n, cap;
};

void leat_cli_ids_fini(struct leat_cli_ids *l);
void leat_cli_strs_fini(struct leat_cli_strs *l);
/* -ENOMEM; a number that is there already is not added again. */
int leat_cli_ids_add(struct leat_cli_ids *l, uint32_t v) LEAT_MUST_USE;
int leat_cli_strs_add(struct leat_cli_strs *l, const char *s) LEAT_MUST_USE;

/* Decimal digits only. */
int leat_cli_value_u64(const char *s, uint64_t *out) LEAT_MUST_USE;
/* "10" (seconds), "500ms", "1.5s", "2m", "1h", "1m30s"; to nanoseconds. */
int leat_cli_value_duration(const char *s, uint64_t *ns) LEAT_MUST_USE;
/* "65536", "64K", "8M", "8MB", "8MiB", "1G"; factors of 1024. */
int leat_cli_value_size(const char *s, uint64_t *bytes) LEAT_MUST_USE;
/* "5", "2.5", "2.5%"; 0 to 100. */
int leat_cli_value_percent(const char *s, double *out) LEAT_MUST_USE;
/* "1,2,3"; each in [min, max]; appended to @out. Also -ENOMEM. */
int leat_cli_value_ids(const char *s, uint32_t min, uint32_t max,
		       struct leat_cli_ids *out) LEAT_MUST_USE;
/* "0-3,8": as the kernel writes lists of CPUs; appended to @out. Also -ENOMEM. */
int leat_cli_value_cpus(const char *s, struct leat_cli_ids *out) LEAT_MUST_USE;
/* "33,www-data": numbers or names of users; appended. -ENOENT: no such user. Also -ENOMEM. */
int leat_cli_value_users(const char *s, struct leat_cli_ids *out) LEAT_MUST_USE;

#endif
