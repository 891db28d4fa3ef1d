/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Naming the frames of one object: a piece of work that touches the profile only to read, so that
 * several run at the same time. What it finds is plain data, put into the profile afterwards.
 */
#ifndef LEAT_SYMBOLS_JOB_H
#define LEAT_SYMBOLS_JOB_H

#include <pthread.h>

#include "base/buf.h"
#include "symbols/group.h"
#include "symbols/spots.h"
#include "symbols/symbols.h"

#define LEAT_JOB_TEXT_MAX ((size_t)1 << 30)

/* Files of a profile's objects, one call at a time whoever asks. */
struct leat_opener {
	const struct leat_profile *profile;
	const struct leat_file_provider *provider;
	pthread_mutex_t lock;
};

/* A function that was found. */
struct leat_found {
	uint64_t start;		 /* as frames' offsets are; 0 unknown */
	size_t raw, raw_len;	 /* in job->text; raw_len 0: unnamed, and shown says what to show */
	size_t shown, shown_len; /* shown_len 0: the raw name */
	uint32_t chunk; /* where shown is: 0 job->text, else a piece of the demangling, plus 1 */
	size_t module, module_len; /* of the kernel */
	enum leat_function_kind kind;
	enum leat_unnamed unnamed;
};

struct leat_job {
	struct leat_opener *files;
	struct leat_group group; /* items sorted by .at once the spots are made; .spot says which */

	struct leat_spots spots;
	uint32_t *found_at; /* by spot: into found; LEAT_ID_NONE */
	uint8_t *done;	    /* by spot */
	struct leat_found *found;
	size_t found_cnt, found_cap;
	struct leat_buf text;
	enum leat_unnamed cause; /* of frames whose spot has found nothing */
	bool unreadable;
	bool kptr_restricted;
	int err; /* -ENOMEM, -EOVERFLOW: the whole resolution fails */
};

/* The object of a job. */
static inline const struct leat_object *leat_job_object(const struct leat_job *j)
{
	return &j->files->profile->objects[j->group.object];
}

/* As leat_file_provider.open. */
int leat_opener_open(struct leat_opener *f, const struct leat_object *o, enum leat_file_what what,
		     const char *arg, unsigned int n);
/* As leat_file_provider.open_ksyms, or the whole file. */
int leat_opener_open_ksyms(struct leat_opener *f, const struct leat_object *o,
			   const struct leat_spots *spots);
/* What it means that a file could not be opened. */
enum leat_unnamed leat_unnamed_of_errno(int err);

/* Makes the spots from the items' .at as it is now; items with .at UINT64_MAX get none. */
int leat_job_make_spots(struct leat_job *j) LEAT_MUST_USE;
/* Whether one is left that is not done. */
bool leat_job_is_open(const struct leat_job *j);
/* Adds a function; *@id goes into found_at. */
int leat_job_add(struct leat_job *j, const struct leat_found *f, uint32_t *id) LEAT_MUST_USE;
void leat_job_set(struct leat_job *j, size_t spot, uint32_t id);
/* Last part of the object's path, without " (deleted)"; not NUL-terminated. */
const char *leat_object_base(const struct leat_profile *p, const struct leat_object *o,
			     size_t *len);
void leat_job_fini(struct leat_job *j);

/* The kinds of work. Each fills in the job; errors of memory go to .err. */
void leat_job_binary(struct leat_job *j);   /* LEAT_OBJECT_FILE, LEAT_OBJECT_VDSO */
void leat_job_kernel(struct leat_job *j);   /* LEAT_OBJECT_KERNEL */
void leat_job_perf_map(struct leat_job *j); /* LEAT_OBJECT_JIT; items' .at are addresses */

#endif
