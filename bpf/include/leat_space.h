/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the code of processes lies, as the kernel side looks it up when it walks by tables. Written
 * by user space through mapped arrays while samples read them. Never in a file.
 *
 * A process's executable mappings lie as one sorted slice of leat_ranges. A slice that a process
 * has is never changed but for what nobody reads yet: a new one is written at another place, then
 * the process's leat_space says where; the old place is used again when no sample that began
 * before can still run.
 */
#ifndef LEAT_BPF_SPACE_H
#define LEAT_BPF_SPACE_H

#include "leat_types.h"

#define LEAT_RANGE_STEPS     14 /* of a binary search: at most 16,383 ranges a process */
#define LEAT_RANGE_MAX	     ((1u << LEAT_RANGE_STEPS) - 1)
#define LEAT_RULE_CACHE_BITS 12 /* log2 of the entries of a CPU */
#define LEAT_RULE_CACHE	     (1u << LEAT_RULE_CACHE_BITS)

struct leat_range {
	__u64 start;
	__u64 end;  /* exclusive */
	__u64 bias; /* address - bias is one of the ELF file; right once the binary is READY */
	__u32 exe;  /* index in leat_exes */
	__u32 pad;
};

/* In leat_spaces, by tgid in leat's pid namespace. */
struct leat_space {
	__u64 tag;   /* never used twice: what is remembered of addresses is remembered under it */
	__u32 first; /* in leat_ranges */
	__u32 cnt;
};

enum leat_exe_state {
	LEAT_EXE_UNKNOWN = 0, /* not sampled so far */
	LEAT_EXE_WANTED = 1, /* sampled: user space is to make its table. The one word BPF writes */
	LEAT_EXE_READY = 2,  /* its table is in leat_tables */
	LEAT_EXE_FRAME = 3,  /* no table: by frame pointer */
	LEAT_EXE_FAILED = 4, /* no table, and no frame pointers either */
};

/* Code without a file (JIT), and binaries for which there was no room. */
#define LEAT_EXE_ANON	0u
#define LEAT_EXE_NONE	1u
#define LEAT_EXE__FIRST 2u

struct leat_exe {
	__u32 state; /* enum leat_exe_state */
	__u32 first_page;
	__u32 page_cnt;
	__u32 used_epoch; /* when an address of it was last looked up, and not remembered */
};

/*
 * An address and its rule. The key is made of both the address and the tag of the mappings: of
 * 64 bits that are as good as random, so that no two of them are equal.
 */
struct leat_remembered {
	__u64 key;  /* leat_remembered_key(); 0 nothing */
	__u64 rule; /* struct leat_unwind_rule, as one word */
};

struct leat_rule_cache {
	struct leat_remembered e[LEAT_RULE_CACHE];
};

_Static_assert(sizeof(struct leat_range) == 32, "shared size");
_Static_assert(sizeof(struct leat_space) == 16, "shared size");
_Static_assert(sizeof(struct leat_exe) == 16, "shared size");

#endif
