/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Importers: profiles that other tools wrote become a profile of ours. What a file is, its content
 * says, never its name. Everything in it is untrusted: all sizes are bounded, a limit that is
 * reached is an error or a count in the verdict, and what the file could not say is not judged.
 */
#ifndef LEAT_IMPORT_IMPORT_H
#define LEAT_IMPORT_IMPORT_H

#include <stdbool.h>

#include "base/diag.h"
#include "profile/profile.h"

enum leat_import_format {
	LEAT_IMPORT_NONE = 0,
	LEAT_IMPORT_FOLDED = 1,	     /* "process;outer;...;inner 12" */
	LEAT_IMPORT_PPROF = 2,	     /* profile.proto, in gzip or plain */
	LEAT_IMPORT_PERF_SCRIPT = 3, /* what "perf script" prints */
};

struct leat_import_opts {
	const char
		*event; /* of several in one file, this one; NULL: the first one, pprof's default */
	bool times;   /* perf script: each sample keeps its time and CPU; else equal ones are one */
	bool periods; /* perf script: a sample counts as its period, not as one */
};

/*
 * Reads @fd from where it stands to its end; gzip around any format is taken off. @name is for
 * messages and the title. The profile is resolved and counted: exporters take it as it is; its
 * first tree level is the process ("process;..." in folded), so trees should show it.
 * 0; -EBADMSG malformed or of an unknown format, -ENODATA no samples, -EOVERFLOW a stated maximum,
 * -ENOENT no such event, -ENOMEM, or what read() said; @d (may be NULL) then says where and why.
 */
int leat_import_fd(int fd, const char *name, struct leat_profile **out,
		   struct leat_diag *d) LEAT_MUST_USE;
/* The same; @o NULL: all defaults. */
int leat_import_fd_opts(int fd, const char *name, const struct leat_import_opts *o,
			struct leat_profile **out, struct leat_diag *d) LEAT_MUST_USE;

/* What the first bytes of a file tell; @eof: that is all of it. */
enum leat_import_format leat_import_detect(const char *p, size_t n, bool eof);
const char *leat_import_format_name(enum leat_import_format f); /* "perf script", ... */

#endif
