/* SPDX-License-Identifier: BSD-2-Clause */
/* Expected outputs, stored below tests/golden. LEAT_GOLDEN_UPDATE=1 in the environment writes them. */
#ifndef LEAT_TESTS_SUPPORT_GOLDEN_H
#define LEAT_TESTS_SUPPORT_GOLDEN_H

#include <stddef.h>

/* Ends the test as failed, with the place of the first difference, when it is another text. */
void leat_golden_check(const char *name, const char *text, size_t n);

#endif
