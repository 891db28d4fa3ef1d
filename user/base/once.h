/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LEAT_BASE_ONCE_H
#define LEAT_BASE_ONCE_H

#include <leat/once.h>

#include "base/cleanup.h"

int leat_once(struct leat_once *o, int (*fn)(void *ctx), void *ctx) LEAT_MUST_USE;

#endif
