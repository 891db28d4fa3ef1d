/* SPDX-License-Identifier: BSD-2-Clause */
/* Compiles a glob of process names for the kernel (bpf/lib/leat_glob.h runs it). */
#ifndef LEAT_ENGINE_NAME_GLOB_H
#define LEAT_ENGINE_NAME_GLOB_H

#include "base/cleanup.h"
#include "leat_glob.h"

/*
 * As fnmatch(3) without flags: '*', '?', sets [a-z] and [!a-z], '\' quotes. A '[' without an end
 * stands for itself. 0, or -EOVERFLOW: more than LEAT_GLOB_ATOMS characters to match.
 */
int leat_glob_compile(const char *pattern, struct leat_glob *out) LEAT_MUST_USE;

#endif
