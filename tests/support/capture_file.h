/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file made in code: two processes, mappings, run-time code, a kernel module, counts and
 * samples, with the profile that its recording gave. The same records at every call.
 */
#ifndef LEAT_TESTS_SUPPORT_CAPTURE_FILE_H
#define LEAT_TESTS_SUPPORT_CAPTURE_FILE_H

#include "event/capture.h"
#include "session/capture.h"

struct leat_example {
	uint8_t *bytes; /* the file */
	size_t len;
	struct leat_profile *p; /* as the recording had it: named, judged */
};

/* Ends the program when it cannot. @o may be NULL. */
void leat_example_init(struct leat_example *e, const struct leat_capture_options *o);
void leat_example_fini(struct leat_example *e);
/* A format of one field, for an event that leat has not. */
struct leat_format *leat_example_format(const char *field);

/* Where each chunk begins, and behind the last one; at most @max. Returns how many chunks. */
size_t leat_capture_offsets(const uint8_t *p, size_t n, size_t *offs, size_t max);
/* Sums up the header and every whole chunk anew, numbers them, and counts in the end mark. */
void leat_capture_mend(uint8_t *p, size_t n);
/* The whole file read from @fd, which is a memory file; free() it. */
uint8_t *leat_capture_slurp(int fd, size_t *n);

#endif
