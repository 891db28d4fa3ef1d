/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/profile.h - what a session leaves behind: samples, stacks, names, and a verdict.
 *
 * A profile is plain data with one owner; it holds nothing of the session that made it.
 */
#ifndef LEAT_PROFILE_H
#define LEAT_PROFILE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_profile;

/**
 * leat_profile_free - give up a profile.
 * @p: NULL and a pointer to NULL are accepted in *@p; nulled.
 *
 * Ownership: ends the caller's.                  Threads: caller serialises.
 */
void leat_profile_free(struct leat_profile **p);

/**
 * leat_profile_total - how many samples it holds, weights included.
 *
 * Shape/units: samples.                          Threads: caller serialises.
 * Cost:        linear in the number of distinct samples.
 */
uint64_t leat_profile_total(const struct leat_profile *p);

#ifdef __cplusplus
}
#endif

#endif
