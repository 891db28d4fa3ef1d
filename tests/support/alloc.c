/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t cnt, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t max);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t cnt, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t max);

/* Allocations until the one that fails; 0: disarmed. Per thread: helpers of the test framework
 * may run at the same time. */
static __thread unsigned int countdown;
static __thread bool failed;

static bool refuse(void)
{
	if (countdown == 0 || --countdown != 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void leat_alloc_arm(unsigned int nth)
{
	countdown = nth;
	failed = false;
}

void leat_alloc_disarm(void)
{
	countdown = 0;
}

bool leat_alloc_failed(void)
{
	return failed;
}

bool leat_alloc_next(unsigned int nth)
{
	bool more = nth == 1 || failed;

	if (more)
		leat_alloc_arm(nth);
	else
		leat_alloc_disarm();
	return more;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t cnt, size_t size)
{
	return refuse() ? NULL : __real_calloc(cnt, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return refuse() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
	return refuse() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t max)
{
	return refuse() ? NULL : __real_strndup(s, max);
}
