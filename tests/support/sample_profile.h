/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Profiles made in code, resolved and with a verdict, the same at every call: for tests of
 * exporters, for the browser and for benchmarks. 0 or -ENOMEM; leat_profile_free().
 */
#ifndef LEAT_TESTS_SUPPORT_SAMPLE_PROFILE_H
#define LEAT_TESTS_SUPPORT_SAMPLE_PROFILE_H

#include "profile/profile.h"

/* A dozen stacks of every kind and result, names that attack each format, two processes. */
int leat_sample_profile_hostile(struct leat_profile **out) LEAT_MUST_USE;
/* The same with threads, CPUs and times, as --stream records it. */
int leat_sample_profile_streamed(struct leat_profile **out) LEAT_MUST_USE;
/* A web server under load: @samples samples in kernel, program and libraries. */
int leat_sample_profile_server(struct leat_profile **out, uint64_t samples) LEAT_MUST_USE;
/* @frames distinct functions, each in one place of the tree. */
int leat_sample_profile_wide(struct leat_profile **out, uint32_t frames) LEAT_MUST_USE;

#endif
