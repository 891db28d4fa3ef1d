/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unwind tables of a recording (live/tables.h) over a kernel side in plain memory, with binaries
 * that are written for the test and processes that are told of by records alone.
 *
 * A binary has one function, at LEAT_RIG_FUNC, whose frames are one word, and a root behind it.
 * What is impossible ends the program.
 */
#ifndef LEAT_TESTS_SUPPORT_TABLES_RIG_H
#define LEAT_TESTS_SUPPORT_TABLES_RIG_H

#include "cfi_builder.h"
#include "fake_engine.h"
#include "live/files.h"
#include "live/tables.h"
#include "tmpdir.h"

#define LEAT_RIG_TEXT 0x1000u /* its address in the file; one page */
#define LEAT_RIG_FUNC 0x100u  /* from the mapping's first byte on; up to LEAT_RIG_ROOT */
#define LEAT_RIG_ROOT 0x800u

/* What is wrong with a binary. */
#define LEAT_RIG_NO_CFI	 1u   /* no unwind information */
#define LEAT_RIG_BAD_CFI 2u   /* none that can be understood */
#define LEAT_RIG_BAD_END 4u   /* the last entry is cut */
#define LEAT_RIG_FRAMED	 8u   /* its code keeps frame pointers */
#define LEAT_RIG_ARM	 16u  /* of another machine */
#define LEAT_RIG_NO_ELF	 32u  /* no ELF file at all */
#define LEAT_RIG_CUT	 64u  /* ends in the middle of its program headers */
#define LEAT_RIG_LARGE	 128u /* takes milliseconds to build */

struct leat_rig {
	struct leat_tmpdir dir;
	struct leat_fake_engine *engine;
	struct leat_files *files;
	struct leat_tables *tables;
	struct leat_bus *bus;
	/* samples that were unwound here */
	size_t sample_cnt, complete_cnt, frame_cnt;
	struct {
		uint16_t uframe_cnt;
		uint8_t uresult;
	} last;
	struct {
		char name[32];
		uint8_t id;
		uint64_t dev, ino;
	} made[64];
	size_t made_cnt;
	/* What files that are made from now on say behind the entries of their function and root. */
	void (*more_cfi)(struct leat_cb *c);
};

void leat_rig_init(struct leat_rig *r, uint64_t memory_bytes, struct leat_table_cache *cache);
void leat_rig_fini(struct leat_rig *r);
uint64_t leat_rig_ns(void);

/* Writes a binary with the build id {@id, @id, ...} (0: none) if @name is new; its path, valid for a while. */
const char *leat_rig_file(struct leat_rig *r, const char *name, uint8_t id, unsigned int how);
void leat_rig_rename(struct leat_rig *r, const char *from, const char *to);
/* Other bytes in the same file: those of a binary with another build id. */
void leat_rig_overwrite(struct leat_rig *r, const char *name, uint8_t id);

/* @path's code comes to lie at @start in @tgid. The number of the binary. */
uint32_t leat_rig_map(struct leat_rig *r, uint32_t tgid, const char *path, uint64_t start);
/* The record of that alone. @ts_ns: when; 0: it was there before. */
void leat_rig_dispatch_map(struct leat_rig *r, uint32_t tgid, const char *path, uint64_t start,
			   uint64_t ts_ns);
void leat_rig_exec(struct leat_rig *r, uint32_t tgid, uint64_t ts_ns);
void leat_rig_exit(struct leat_rig *r, uint32_t tgid);
/* A sample at @pc, with @depth callers: the last one is the root of the binary that @pc is in. */
void leat_rig_dispatch_raw(struct leat_rig *r, uint32_t tgid, uint64_t pc, size_t depth);
void leat_rig_dispatch_raw_at(struct leat_rig *r, uint32_t tgid, uint64_t pc, size_t depth,
			      uint64_t ts_ns);
/* Each of the @depth callers in the code that begins at one of @pages; the last one is a root. */
void leat_rig_dispatch_raw_over(struct leat_rig *r, uint32_t tgid, uint64_t pc,
				const uint64_t *pages, size_t depth);

/* The kernel side has come to this binary. */
void leat_rig_sampled(struct leat_rig *r, uint32_t no);
void leat_rig_round(struct leat_rig *r);
/* Rounds until it is so; false after 20 s. */
bool leat_rig_wait(struct leat_rig *r, uint32_t no, enum leat_exe_state state);
bool leat_rig_wait_gone(struct leat_rig *r, uint32_t no); /* taken out of the kernel */
bool leat_rig_wait_built(struct leat_rig *r, uint64_t tables);
bool leat_rig_wait_bytes(struct leat_rig *r, uint64_t max);
bool leat_rig_wait_settled(struct leat_rig *r, uint32_t no); /* ready or failed */
struct leat_tables_stats leat_rig_stats(const struct leat_rig *r);
enum leat_no_table leat_rig_why(const struct leat_rig *r, uint32_t no);

#endif
