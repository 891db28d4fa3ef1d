/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Go's own table of functions, .gopclntab, which a Go binary has where others have .eh_frame: for
 * each function how far sp is from its place at entry (runtime/symtab.go; Go 1.2 to 1.26). x86-64.
 */
#ifndef LEAT_UNWIND_GOPCLNTAB_H
#define LEAT_UNWIND_GOPCLNTAB_H

#include "elf/elf_file.h"
#include "unwind/cfi.h"

struct leat_gopcln {
	const uint8_t *data;
	size_t len;
	uint32_t magic;
	uint8_t min_lc; /* unit of code: 1 on x86-64 */
	uint64_t func_cnt;
	uint64_t
		text; /* address that offsets of functions are relative to; 0 for those before 1.18 */
	uint64_t names_off;
	uint64_t pctab_off;
	uint64_t functab_off; /* functions' own offsets are relative to it as well */
	const uint8_t *code;  /* of the functions; NULL when the file does not hold it */
	uint64_t code_vaddr;
	size_t code_len;
	uint32_t source;
	uint64_t bad_cnt; /* functions that could not be read */
};

/*
 * Finds the table: by its section, or in a file without sections by its first bytes. -ENOENT there
 * is none, -EBADMSG, -ENOTSUP a version or word size that is not known, -ENOMEM, -EOVERFLOW.
 */
int leat_gopcln_open(struct leat_gopcln *g, struct leat_elf *e) LEAT_MUST_USE;
/* The table in @data alone, for tests; @text: where 1.18 and later begin, when they do not say. */
int leat_gopcln_parse(struct leat_gopcln *g, const void *data, size_t len,
		      uint64_t text) LEAT_MUST_USE;
/* Adds the functions; in an entry .ins is the function's place in the table. */
int leat_gopcln_scan(struct leat_gopcln *g, struct leat_fdes *out) LEAT_MUST_USE;
/* As leat_cfi_rows. */
bool leat_gopcln_rows(const struct leat_gopcln *g, const struct leat_fde *f, uint64_t end,
		      struct leat_unwind_rules *rules, struct leat_rows *out);

#endif
