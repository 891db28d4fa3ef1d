/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of procedure linkage tables. GNU ld describes them in .eh_frame; lld and mold do not, nor
 * GNU ld those of static programs. Their instructions are few, so they are read. x86-64.
 */
#ifndef LEAT_UNWIND_PLT_H
#define LEAT_UNWIND_PLT_H

#include "unwind/cfi.h"

/* Whether sections of that name hold such entries and nothing else. */
bool leat_plt_is_name(const char *name);
/*
 * Adds rows for @n bytes of code at @vaddr. What is no known instruction of an entry is INVALID up
 * to the next multiple of 16.
 */
void leat_plt_rows(const uint8_t *code, size_t n, uint64_t vaddr, struct leat_unwind_rules *rules,
		   struct leat_rows *out);

#endif
