/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/once.h - a value that is made at first use, by one thread, and whose failure sticks.
 *
 *	static struct leat_once once = LEAT_ONCE_INIT;
 *
 *	err = leat_once(&once, make_table, &table);
 */
#ifndef LEAT_ONCE_H
#define LEAT_ONCE_H

#include <pthread.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where it stands; private but for its size. */
struct leat_once {
	pthread_mutex_t lock;
	bool done;
	int err;
};

/** LEAT_ONCE_INIT - nothing was made yet. */
#define LEAT_ONCE_INIT                                                                             \
	{                                                                                          \
		PTHREAD_MUTEX_INITIALIZER, false, 0                                                \
	}

/**
 * leat_once - call fn(ctx), the first time.
 * @fn: must not call leat_once for the same @o.
 *
 * Threads: thread-safe; who comes while @fn runs waits for it.
 * Errors:  every call returns what @fn returned the one time that it ran.
 * Cost:    a load, once it has run.
 */
int leat_once(struct leat_once *o, int (*fn)(void *ctx), void *ctx);

#ifdef __cplusplus
}
#endif

#endif
