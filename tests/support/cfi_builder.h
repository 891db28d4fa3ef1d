/* SPDX-License-Identifier: BSD-2-Clause */
/* Call frame information in memory, and ELF files that hold it: for tests. */
#ifndef LEAT_TESTS_SUPPORT_CFI_BUILDER_H
#define LEAT_TESTS_SUPPORT_CFI_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "elf/elf_file.h"

#define LEAT_CB_TEXT  0x10000ull /* where code lies: 1 MB of it */
#define LEAT_CB_FRAME 0x200000ull

struct leat_cb {
	struct leat_buf b;
	bool debug; /* .debug_frame's form */
	size_t cie; /* offset of the last CIE */
};

void leat_cb_init(struct leat_cb *c, bool debug);
void leat_cb_fini(struct leat_cb *c);
/*
 * "zR" with addresses of 8 bytes (.debug_frame: no augmentation); code factor 1, data factor -8,
 * column 16; CFA = rsp + 8, return address at CFA - 8, then @ins.
 */
void leat_cb_cie(struct leat_cb *c, const void *ins, size_t n);
/* As it stands after the id: version and so on. */
void leat_cb_cie_raw(struct leat_cb *c, const void *bytes, size_t n);
void leat_cb_fde(struct leat_cb *c, uint64_t start, uint64_t size, const void *ins, size_t n);
/* An entry of any kind: length, @id, bytes. */
void leat_cb_entry(struct leat_cb *c, uint32_t id, const void *bytes, size_t n);
/* The file: one segment of code, and the section. Ends the program on failure. */
struct leat_elf *leat_cb_elf(const struct leat_cb *c);

#endif
