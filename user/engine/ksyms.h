/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own names for addresses of its code: what a stack trace in its log would say. */
#ifndef LEAT_ENGINE_KSYMS_H
#define LEAT_ENGINE_KSYMS_H

#include "base/buf.h"

/*
 * A line for each address, in order: "NAME+0xOFFSET/0xSIZE[ [MODULE]]", or "0x..." where it has no
 * name. Lines of zeros may follow.
 */
struct leat_ksyms_said {
	uint64_t text_start; /* the kernel's own code, without modules */
	uint64_t text_end;
	struct leat_buf text;
};

/*
 * leat_ksyms_ask - have the kernel name @n addresses (over 0), 0.9 us each and 1 ms for the program.
 * @out: written on success; its text is the caller's to free.
 *
 * Threads: one at a time. Errors: -ENOTSUP the kernel cannot (LEAT_FEATURE_KSYMS), -EPERM not
 * privileged, or addresses are hidden from this process (kptr_restrict), -ENOENT it does not say
 * where its code ends, -EOVERFLOW names too long, -ENOMEM, others of the kernel.
 */
int leat_ksyms_ask(const uint64_t *addr, size_t n, struct leat_ksyms_said *out) LEAT_MUST_USE;

#endif
