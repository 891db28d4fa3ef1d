/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One pass over an ELF symbol table, in the file's order and in pieces, that keeps for each spot
 * the best symbol that covers it. Memory does not grow with the table, and only the names of
 * symbols that were found are read.
 */
#ifndef LEAT_SYMBOLS_TABLE_H
#define LEAT_SYMBOLS_TABLE_H

#include "base/buf.h"
#include "elf/elf_file.h"
#include "symbols/spots.h"

#define LEAT_SYMBOL_NAME_MAX (16u << 10) /* bytes; a longer name is cut */
#define LEAT_CAND_NAMES	     4		 /* aliases that are weighed against each other */

/* The best symbol so far for a spot. */
struct leat_cand {
	uint64_t value;
	uint64_t size;
	uint32_t names[LEAT_CAND_NAMES]; /* string offsets of symbols with equal value and size */
	uint8_t name_cnt;		 /* 0: none found */
	uint8_t is_func;
	uint8_t bind;  /* rank: local 0, weak 1, global 2 */
	uint8_t table; /* the caller's number for the table that the names are in */
};

/* The nearest symbol without a size at or below a spot: assembly code, to be proven by an FDE. */
struct leat_label {
	uint64_t value;
	uint32_t name;
	uint8_t table;
	uint8_t known;
};

struct leat_table {
	const struct leat_elf *elf;
	uint64_t syms_off, cnt; /* in the file */
	uint64_t strs_off, strs_len;
	struct leat_elf_symtab mem; /* instead, when there are no section headers */
	uint8_t number;
};

/* .symtab, or .dynsym when @dynamic. -ENOENT none, -EBADMSG, -ENOMEM, -errno. */
int leat_table_open(struct leat_table *t, struct leat_elf *e, bool dynamic) LEAT_MUST_USE;
/*
 * @cands, @labels: one for each spot. Spots with done[] set are passed over. -EOVERFLOW: a table
 * made to cost time; what was found until then stays.
 */
struct leat_scan {
	const struct leat_spots *spots;
	struct leat_cand *cands;
	struct leat_label *labels;
	const uint8_t *done;
};
int leat_table_scan(const struct leat_table *t, const struct leat_scan *scan) LEAT_MUST_USE;
/* Appends the string at @name, without a NUL. -EBADMSG outside the table, -errno. */
int leat_table_string(const struct leat_table *t, uint32_t name,
		      struct leat_buf *out) LEAT_MUST_USE;
/* Appends the best of a candidate's names: a rule for aliases that does not depend on their order. */
int leat_table_cand_name(const struct leat_table *t, const struct leat_cand *c,
			 struct leat_buf *out) LEAT_MUST_USE;

#endif
