/* SPDX-License-Identifier: BSD-2-Clause */
/* A value that is made at first use, by one thread, and whose failure sticks. Thread-safe. */
#ifndef LEAT_BASE_ONCE_H
#define LEAT_BASE_ONCE_H

#include <pthread.h>
#include <stdbool.h>

#include "base/cleanup.h"

struct leat_once {
	pthread_mutex_t lock;
	bool done;
	int err;
};

#define LEAT_ONCE_INIT                                                                             \
	{                                                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER                                                  \
	}

/* Runs fn(ctx) the first time; every call returns what that one returned. */
int leat_once(struct leat_once *o, int (*fn)(void *ctx), void *ctx) LEAT_MUST_USE;

#endif
