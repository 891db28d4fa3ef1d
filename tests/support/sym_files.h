/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A provider of files for tests of symbols: each request is answered from a list. And short forms
 * for making a profile and asking what its frames were named.
 */
#ifndef LEAT_TESTS_SUPPORT_SYM_FILES_H
#define LEAT_TESTS_SUPPORT_SYM_FILES_H

#include "symbols/symbols.h"

struct leat_sym_file {
	enum leat_file_what what;
	const char *object; /* path of the object; NULL: any */
	const char *arg;    /* NULL: any */
	const char *path;   /* NULL: the request fails with err */
	int err;
};

struct leat_sym_files {
	struct leat_sym_file list[24];
	size_t n;
	size_t asked; /* requests so far */
	struct leat_file_provider provider;
};

void leat_sym_files_init(struct leat_sym_files *f);
/* @path is borrowed. */
void leat_sym_files_add(struct leat_sym_files *f, enum leat_file_what what, const char *object,
			const char *arg, const char *path);
void leat_sym_files_fail(struct leat_sym_files *f, enum leat_file_what what, const char *object,
			 int err);

/* These end the program on failure. */
struct leat_profile *leat_sym_profile(void);
uint32_t leat_sym_object(struct leat_profile *p, enum leat_object_kind kind, const char *path);
uint32_t leat_sym_frame(struct leat_profile *p, uint32_t object, uint64_t offset, uint32_t flags);
/* The function of a frame; its name (not const, as Criterion wants it). */
const struct leat_function *leat_sym_function(const struct leat_profile *p, uint32_t frame);
char *leat_sym_name(const struct leat_profile *p, uint32_t frame);
/* For tests: Criterion takes no const strings. */
#define LEAT_EXPECT_NAME(p, frame, want)                                                           \
	cr_expect(eq(str, leat_sym_name(p, frame), (char *)(uintptr_t)(want)))
/* A file's symbol, by its name in .symtab or .dynsym; its offset in the file. 0: there is none. */
uint64_t leat_sym_offset_of(const char *path, const char *symbol);
uint64_t leat_sym_size_of(const char *path, const char *symbol);
/* Runs a shell command; ends the program when it fails. */
void leat_sym_sh(const char *fmt, ...) LEAT_PRINTF(1, 2);
/* Whether a program is there. */
bool leat_sym_have(const char *program);

#endif
