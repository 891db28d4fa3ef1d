/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/once.h"

int leat_once(struct leat_once *o, int (*fn)(void *ctx), void *ctx)
{
	/* Pairs with the release below: whoever sees .done sees .err and what fn made. */
	if (__atomic_load_n(&o->done, __ATOMIC_ACQUIRE))
		return o->err;
	pthread_mutex_lock(&o->lock);
	if (!o->done) {
		o->err = fn(ctx);
		__atomic_store_n(&o->done, true, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&o->lock);
	return o->err;
}
