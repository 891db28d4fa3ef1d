/* SPDX-License-Identifier: BSD-2-Clause */
/* Scope-bound ownership: LEAT_FREE, LEAT_CLOSE, LEAT_AUTO(fn), left through LEAT_TAKE*. */
#ifndef LEAT_BASE_CLEANUP_H
#define LEAT_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void leat_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void leat_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* A local that is freed, closed, or destroyed by fn(&local) when its scope ends. */
#define LEAT_FREE     __attribute__((cleanup(leat_cleanup_free)))
#define LEAT_CLOSE    __attribute__((cleanup(leat_cleanup_close)))
#define LEAT_AUTO(fn) __attribute__((cleanup(fn)))

/* Hands the value on and leaves NULL (or -1) behind, so that the cleanup does nothing. */
#define LEAT_TAKE(p)                                                                               \
	({                                                                                         \
		__typeof__(p) leat_taken_ = (p);                                                   \
		(p) = NULL;                                                                        \
		leat_taken_;                                                                       \
	})
#define LEAT_TAKE_FD(fd)                                                                           \
	({                                                                                         \
		int leat_taken_ = (fd);                                                            \
		(fd) = -1;                                                                         \
		leat_taken_;                                                                       \
	})

#define LEAT_MUST_USE	   __attribute__((warn_unused_result))
#define LEAT_PRINTF(f, a)  __attribute__((format(printf, f, a)))
#define LEAT_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define LEAT_CONTAINER_OF(ptr, type, member)                                                       \
	((type *)((char *)(ptr) - __builtin_offsetof(type, member)))

#endif
