/* SPDX-License-Identifier: BSD-2-Clause */
/* Many strings into byte order. Private to export/. */
#ifndef LEAT_EXPORT_NAME_SORT_H
#define LEAT_EXPORT_NAME_SORT_H

#include <stddef.h>
#include <stdint.h>

struct leat_name {
	const char *s; /* NUL-terminated */
	uint64_t key;  /* scratch */
	uint32_t id;   /* decides between equal names */
	uint32_t pad;
};

/* As strcmp() orders them, then by id. */
void leat_name_sort(struct leat_name *names, size_t n);

#endif
