/* SPDX-License-Identifier: BSD-2-Clause */
/* What cfi.c and cfi_scan.c share. */
#ifndef LEAT_UNWIND_CFI_IMPL_H
#define LEAT_UNWIND_CFI_IMPL_H

#include "unwind/cfi.h"

/*
 * An address in the encoding @enc (DW_EH_PE_*), whose reader starts with the section. 0, -EBADMSG
 * cut, -ENOTSUP relative to something that is not known.
 */
int leat_cfi_address(const struct leat_cfi *c, uint8_t enc, struct leat_reader *r,
		     uint64_t *out) LEAT_MUST_USE;

#endif
