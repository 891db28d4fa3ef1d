/* SPDX-License-Identifier: BSD-2-Clause */
/* What a report says, as data: made by report_file.c, written by report_text.c and report_json.c. */
#ifndef LEAT_CLI_REPORT_IMPL_H
#define LEAT_CLI_REPORT_IMPL_H

#include "cli/report_file.h"
#include "profile/tree.h"

#define LEAT_REPORT_CALLED 3 /* functions whose callers are shown when nobody asked for one */

/* Samples of a process, a thread, a module; the most first. */
struct leat_report_share {
	uint32_t id; /* of the process or thread; of a module the string of its path */
	uint64_t value;
};

struct leat_report_shares {
	struct leat_report_share *rows;
	size_t n;
};

/* Who called one function, or all of a name. */
struct leat_report_called {
	const char *name; /* borrowed from the profile, or from the command line */
	uint64_t total, self;
	uint64_t from_none;  /* of .total: nobody called it, the stack begins there */
	struct leat_top *by; /* .total: samples that came from it; the most first */
	size_t n;
};

struct leat_report {
	struct leat_profile *p;
	const struct leat_cli_args *args;
	uint64_t total;	 /* samples that are left */
	uint64_t all;	 /* of the file */
	uint64_t kernel; /* of .total: that fell into the kernel */
	struct leat_report_shares processes, threads, modules;
	struct leat_top *top; /* as --sort says */
	struct leat_top *by_total;
	size_t top_cnt; /* of both */
	struct leat_report_called called[LEAT_REPORT_CALLED];
	size_t called_cnt;
};

/* "redis-server", "[kernel]": the last part of its object's path; "" where there is none. */
const char *leat_report_module(const struct leat_profile *p, uint32_t function);
const char *leat_report_base_name(const char *path);

void leat_report_text(const struct leat_report *r, bool color, struct leat_buf *b);
void leat_report_json(const struct leat_report *r, struct leat_buf *b);

#endif
