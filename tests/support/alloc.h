/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Failing allocations. Test programs are linked with --wrap for malloc, calloc, realloc, strdup and
 * strndup, so every allocation of the code under test passes through here; those of shared
 * libraries do not.
 *
 *	LEAT_ALLOC_EACH_FAILS {
 *		err = leat_thing_new(&thing);
 *		leat_alloc_disarm();			(checks may allocate)
 *		cr_assert(err == 0 || err == -ENOMEM);
 *		leat_thing_free(&thing);
 *	}
 *
 * runs the block with the first allocation failing, then with the second, and so on, until a run
 * in which none failed. Not thread-safe: allocations are counted in the arming thread alone.
 */
#ifndef LEAT_TESTS_SUPPORT_ALLOC_H
#define LEAT_TESTS_SUPPORT_ALLOC_H

#include <stdbool.h>

/* The nth allocation from now on (1: the next) fails with NULL and ENOMEM, the others succeed. */
void leat_alloc_arm(unsigned int nth);
/* No allocation fails from now on; leat_alloc_failed still tells about the armed time. */
void leat_alloc_disarm(void);
/* Whether an allocation has failed since leat_alloc_arm. */
bool leat_alloc_failed(void);
/* For the macro: disarms, and says whether a run with allocation @nth failing is worth making. */
bool leat_alloc_next(unsigned int nth);

#define LEAT_ALLOC_EACH_FAILS                                                                      \
	for (unsigned int leat_nth_ = 1; leat_alloc_next(leat_nth_); leat_nth_++)

#endif
