/* SPDX-License-Identifier: BSD-2-Clause */
/* The separate file with the symbols that were stripped from a binary. */
#ifndef LEAT_SYMBOLS_DEBUG_FILE_H
#define LEAT_SYMBOLS_DEBUG_FILE_H

#include "elf/elf_file.h"
#include "symbols/job.h"

/*
 * Looks by build id, then by .gnu_debuglink. Only a file with the same build id is taken, or one
 * with the CRC that the link tells when the binary has no build id. -ENOENT none, -ENOMEM.
 */
int leat_debug_file_open(struct leat_opener *files, const struct leat_object *o,
			 struct leat_elf *binary, struct leat_elf **out) LEAT_MUST_USE;

#endif
