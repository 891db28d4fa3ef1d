/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One output file: opened and checked before the recording, there as a whole or not at all. Regular
 * files are written without a name (O_TMPFILE; where the file system has none of it, beside the
 * target) and take their name at the end; devices, pipes and standard output are written directly.
 */
#ifndef LEAT_CLI_OUTPUT_H
#define LEAT_CLI_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/diag.h"

/* Who the file is for, under sudo; from the environment. */
struct leat_cli_owner {
	bool set;
	uid_t uid;
	gid_t gid;
};

/* A name that nobody asked for, so that nothing of that name is replaced: x.html, x-2.html, ... */
struct leat_cli_numbered {
	char stem[160];
	const char *extension;
	char name[192]; /* the one that is, or was, taken */
};

struct leat_cli_output {
	const char *path; /* as given, borrowed; for messages */
	bool direct;	  /* no temporary file: a device, a pipe, standard output */
	bool tty;
	int fd;
	int dirfd; /* where the target is; -1 when direct */
	char base[NAME_MAX + 1];
	char temp[NAME_MAX + 1];	    /* "" when there is none */
	bool nameless;			    /* .fd is a file that nothing leads to */
	int write_err;			    /* of leat_cli_output_write, the first one */
	struct leat_cli_numbered *numbered; /* borrowed; NULL: what has the name is replaced */
	int temp_slot;
	dev_t dev; /* of the directory, or of what is written directly */
	ino_t ino;
};

/* SUDO_UID and SUDO_GID, when leat runs as root. */
void leat_cli_owner_init(struct leat_cli_owner *w);

/* Before anything else, so that _abandon is safe. */
void leat_cli_output_init(struct leat_cli_output *o);
/*
 * Opens @path ("-": standard output). -errno with a diagnosis; nothing is left behind then. Waits
 * where a FIFO has no reader yet; -EINTR when a signal ended that.
 */
int leat_cli_output_open(struct leat_cli_output *o, const char *path,
			 const struct leat_cli_owner *w, struct leat_diag *diag) LEAT_MUST_USE;
/*
 * For what is written as it happens: the file gets a name at once, that of the target and ".part"
 * (".part-2" where one of an earlier run stands), so that it is found should leat die. Nothing
 * happens for what is written directly.
 */
int leat_cli_output_name_part(struct leat_cli_output *o, const struct leat_cli_owner *w,
			      struct leat_diag *diag) LEAT_MUST_USE;
/* Says that writing failed, and why. Returns @err. */
int leat_cli_output_fail(const struct leat_cli_output *o, struct leat_diag *diag, int err);
/* Number 1 is without one. */
void leat_cli_numbered_take(struct leat_cli_numbered *n, unsigned int number);
/* Both are the same file. */
bool leat_cli_output_same(const struct leat_cli_output *a, const struct leat_cli_output *b);
/* A piece, while more comes; for leat_buf_drain_to. 0 or -errno; _commit or _abandon then end it. */
int leat_cli_output_write(void *output, const void *data, size_t n) LEAT_MUST_USE;
/*
 * Writes the rest and puts the file into its place. On failure the target is as it was, and
 * nothing is left behind. -EPIPE (a reader that went away) has no diagnosis.
 */
int leat_cli_output_commit(struct leat_cli_output *o, const void *data, size_t n,
			   const struct leat_cli_owner *w, struct leat_diag *diag) LEAT_MUST_USE;
/* Closes, removes the temporary file. Idempotent. */
void leat_cli_output_abandon(struct leat_cli_output *o);

#endif
