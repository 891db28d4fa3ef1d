/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEAT_BASE_INTERN_H
#define LEAT_BASE_INTERN_H

#include <leat/intern.h>

#include "base/cleanup.h"

int leat_intern_new(struct leat_intern **out, uint32_t max_cnt, size_t max_bytes) LEAT_MUST_USE;
int leat_intern_put(struct leat_intern *in, const void *p, size_t n, uint32_t *id) LEAT_MUST_USE;
int leat_intern_str(struct leat_intern *in, const char *s, uint32_t *id) LEAT_MUST_USE;
int leat_intern_stack(struct leat_intern *in, const uint64_t *frames, size_t cnt,
		      uint32_t *id) LEAT_MUST_USE;
int leat_intern_find(const struct leat_intern *in, const void *p, size_t n,
		     uint32_t *id) LEAT_MUST_USE;

#endif
