/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An unwind table as bytes of a file, so that a binary's table is built once and loaded afterwards.
 *
 *	head		struct leat_store_head, 128 bytes
 *	rules		8 bytes each: those that the rows refer to, without the fixed ones
 *	blocks		the table (leat_unwind.h), its rows numbered by this file's rules
 *
 * What comes from a file is not believed: its size, its checksum, whose table it is and which code
 * made it are compared, then every page, row and rule is looked at as the builder would have written
 * it, in one pass. The checksum finds damage, not malice: whoever may write such a file may write any
 * rules, so the caller takes files only of whom it trusts.
 */
#ifndef LEAT_UNWIND_STORE_H
#define LEAT_UNWIND_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "unwind/rules.h"
#include "unwind/table.h"

#define LEAT_STORE_VERSION    1u
#define LEAT_STORE_BUILD_ID   20				       /* bytes at most */
#define LEAT_STORE_BLOCKS_MAX ((1u << 20) + LEAT_UNWIND_PAGES_MAX + 1) /* as rows.h has it */
/* The largest file. */
#define LEAT_STORE_BYTES_MAX                                                                       \
	(sizeof(struct leat_store_head) + LEAT_UNWIND_RULES_MAX * 8ull +                           \
	 LEAT_STORE_BLOCKS_MAX * 64ull)

/* Whose table it is. A stripped binary has the build id of the whole one, and another size. */
struct leat_store_key {
	uint8_t build_id[LEAT_STORE_BUILD_ID];
	uint8_t build_id_len; /* at least 1 */
	uint64_t file_bytes;
};

/* Little-endian. The checksum is XXH3-64 of all other bytes, of what follows it first. */
struct leat_store_head {
	uint8_t magic[8];
	uint32_t version;
	uint32_t head_bytes;
	uint64_t checksum;
	uint64_t code;	/* of the code that built the table: another one may build it otherwise */
	uint64_t bytes; /* of the file */
	uint64_t file_bytes; /* of the binary */
	uint8_t build_id[LEAT_STORE_BUILD_ID];
	uint32_t build_id_len;
	uint32_t rule_cnt;
	uint32_t block_cnt;
	uint32_t sources; /* enum leat_unwind_source */
	int32_t err;	  /* of struct leat_unwind_table */
	uint64_t func_cnt;
	uint64_t bad_cnt;
	uint64_t cut_cnt;
	uint8_t pad[16];
};

_Static_assert(sizeof(struct leat_store_head) == 128, "as the file has it");

/* The bytes of a file that holds @t; free() *@out. -ENOMEM. */
int leat_store_encode(const struct leat_unwind_table *t, const struct leat_unwind_rules *rules,
		      const struct leat_store_key *key, uint8_t **out, size_t *len) LEAT_MUST_USE;
/* Writes the checksum of a file of @len bytes, at least those of its head. */
void leat_store_seal(uint8_t *data, size_t len);
/*
 * The table that a file's bytes hold; @rules gets the rules that are new. -ESTALE: of another
 * binary, or made by other code. -EBADMSG: damaged. -ENOMEM. Cost: 1 ns a row.
 */
int leat_store_decode(struct leat_unwind_table **out, const void *data, size_t len,
		      const struct leat_store_key *key,
		      struct leat_unwind_rules *rules) LEAT_MUST_USE;

#endif
