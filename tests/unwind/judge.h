/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is what leat unwinds right? A stopped process is unwound by leat and by elfutils' libdwfl over the
 * same registers and memory. While it is single-stepped a third judge is there: a list of the calls
 * that were really made, which is the truth.
 */
#ifndef LEAT_TESTS_UNWIND_JUDGE_H
#define LEAT_TESTS_UNWIND_JUDGE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "unwind/unwind.h"

#define FRAMES_MAX 4096
#define PIECES	   2

/* A file that is mapped, and its table. */
struct image {
	uint64_t dev, ino;
	struct leat_elf *elf;
	struct leat_unwind_segment segments[LEAT_UNWIND_SEGMENTS];
	size_t segment_cnt;
	struct leat_unwind_table *table; /* NULL: it has none */
	void *copy;			 /* of the vDSO */
};

struct target {
	pid_t pid;
	struct user_regs_struct regs;
	struct leat_unwind_sample sample;
	struct leat_unwind_rules *rules;
	struct image images[512];
	size_t image_cnt;
	struct leat_unwind_map maps[2048];
	const struct image *owners[2048]; /* of a mapping; NULL: no file */
	uint64_t offs[2048];		  /* of a mapping in its file */
	size_t map_cnt;
	uint64_t main_start, main_end; /* [stack] */
	char *maps_text;
	uint8_t *memory[PIECES];
	struct leat_unwind_piece pieces[PIECES];
	Dwfl *dwfl;
	bool copied;	 /* the stack is a copy: what is not in it is not known */
	uint64_t missed; /* the last word that libdwfl asked for in vain; 0 none */
};

struct stack {
	struct leat_unwind_frame frames[FRAMES_MAX];
	size_t n;
	enum leat_stack_result result; /* of leat */
};

/* target.c: these end the program on what cannot be. */
void target_init(struct target *t, pid_t pid);
void target_fini(struct target *t);
/* Registers of the stopped process, and no copy of its stack. False: it is gone. */
bool target_read_regs(struct target *t);
/* Registers and stack; its mappings when @maps. False: it is gone. */
bool target_read(struct target *t, bool maps);
bool target_word(const struct target *t, uint64_t addr, uint64_t *out);
bool target_bytes(const struct target *t, uint64_t addr, void *to, size_t n);
void target_unwind(const struct target *t, struct stack *out);
/* For a process that runs: its mappings, and then a copy of the registers and stack of one moment. */
bool target_map(struct target *t);
void target_use_copy(struct target *t, const uint64_t *regs, uint8_t *stack, size_t len);
/* Of an address, in the file that is mapped there; @pc itself where none is. */
uint64_t target_offset(const struct target *t, uint64_t pc);
/* Where the function that holds @pc begins, by its table of functions or else its symbols. */
bool target_function(struct target *t, uint64_t pc, uint64_t *start);
/* Whether the frame at @pc is left by frame pointer, for want of a table. */
bool target_guesses(const struct target *t, uint64_t pc);

/* dwfl.c */
void judge_open(struct target *t);
void judge_close(struct target *t);
void judge_unwind(struct target *t, struct stack *out);
/* Whether libdwfl has unwind information for @pc; without it goes by frame pointer. */
bool judge_has_cfi(struct target *t, uint64_t pc);
bool judge_symbol(struct target *t, uint64_t pc, uint64_t *start);
/* "module+offset function" of an address; valid until the next call. */
const char *judge_name(const struct target *t, uint64_t pc);

/* truth.c */
struct call {
	uint64_t slot; /* where the return address is; of a signal, one below the interrupted sp */
	uint64_t ret;
};
struct truth {
	struct call calls[FRAMES_MAX];
	size_t n;
	uint64_t old_pc, old_sp;
	bool was_call;
};
/* What both agree on is what was called before. */
void truth_begin(struct truth *x, const struct stack *s);
/* Before a step: what comes next. */
void truth_before(struct truth *x, const struct target *t);
/* After it. @signal: it was delivered by this step. */
void truth_after(struct truth *x, const struct target *t, bool signal);
/* False: a return address was written over (an exception is about to go elsewhere). */
bool truth_stack(const struct truth *x, const struct target *t, struct stack *out);

#endif
