/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one table of options and the one of verbs. The parser, --help, the manual pages and the
 * completions are made from them and from nothing else.
 */
#ifndef LEAT_CLI_OPTIONS_H
#define LEAT_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/value.h"

enum leat_cli_verb_id {
	LEAT_CLI_RECORD,
	LEAT_CLI_REPORT,
	LEAT_CLI_CONVERT,
	LEAT_CLI_DOCTOR,
	LEAT_CLI_LIST,
	LEAT_CLI_HELP,
	LEAT_CLI_VERSION,
	LEAT_CLI_COMPLETION,
	LEAT_CLI_VERB__MAX
};

enum leat_cli_opt {
	LEAT_CLI_OPT_PID,
	LEAT_CLI_OPT_TID,
	LEAT_CLI_OPT_NAME,
	LEAT_CLI_OPT_CGROUP,
	LEAT_CLI_OPT_UID,
	LEAT_CLI_OPT_ALL,
	LEAT_CLI_OPT_CPUS,
	LEAT_CLI_OPT_CHILDREN,
	LEAT_CLI_OPT_NO_CHILDREN,
	LEAT_CLI_OPT_DURATION,
	LEAT_CLI_OPT_FREQUENCY,
	LEAT_CLI_OPT_EVENT,
	LEAT_CLI_OPT_PERIOD,
	LEAT_CLI_OPT_IDLE,
	LEAT_CLI_OPT_NO_KTHREADS,
	LEAT_CLI_OPT_STREAM,
	LEAT_CLI_OPT_BUFFER,
	LEAT_CLI_OPT_MAX_LOSS,
	LEAT_CLI_OPT_USER_ONLY,
	LEAT_CLI_OPT_KERNEL_ONLY,
	LEAT_CLI_OPT_UNWIND,
	LEAT_CLI_OPT_UNWIND_MEMORY,
	LEAT_CLI_OPT_UNWIND_CACHE,
	LEAT_CLI_OPT_MAX_STACK,
	LEAT_CLI_OPT_PER_THREAD,
	LEAT_CLI_OPT_OUTPUT,
	LEAT_CLI_OPT_FORMAT,
	LEAT_CLI_OPT_TITLE,
	LEAT_CLI_OPT_MIN_WIDTH,
	LEAT_CLI_OPT_SUMMARY,
	LEAT_CLI_OPT_ANONYMIZE,
	LEAT_CLI_OPT_PROPAGATE,
	LEAT_CLI_OPT_FILE_EVENT,
	LEAT_CLI_OPT_PERIODS,
	LEAT_CLI_OPT_TOP,
	LEAT_CLI_OPT_SORT,
	LEAT_CLI_OPT_CALLERS,
	LEAT_CLI_OPT_PROCESS,
	LEAT_CLI_OPT_THREAD,
	LEAT_CLI_OPT_JSON,
	LEAT_CLI_OPT_NAMES,
	LEAT_CLI_OPT_MAN,
	LEAT_CLI_OPT_QUIET,
	LEAT_CLI_OPT_VERBOSE,
	LEAT_CLI_OPT_COLOR,
	LEAT_CLI_OPT_HELP,
	LEAT_CLI_OPT__MAX
};

enum leat_cli_type {
	LEAT_CLI_FLAG = 0,     /* bool */
	LEAT_CLI_COUNT = 1,    /* unsigned int, how often it was given */
	LEAT_CLI_NUMBER = 2,   /* uint64_t in [min, max] */
	LEAT_CLI_NS = 3,       /* uint64_t, nanoseconds, in [min, max] */
	LEAT_CLI_BYTES = 4,    /* uint64_t in [min, max] */
	LEAT_CLI_PERCENT = 5,  /* double, 0 to 100 */
	LEAT_CLI_TEXT = 6,     /* const char *, not empty */
	LEAT_CLI_TEXTS = 7,    /* struct leat_cli_strs: repeatable */
	LEAT_CLI_IDS = 8,      /* struct leat_cli_ids, each in [min, max]: repeatable */
	LEAT_CLI_CPU_LIST = 9, /* struct leat_cli_ids */
	LEAT_CLI_USERS = 10,   /* struct leat_cli_ids */
	LEAT_CLI_CHOICE = 11,  /* unsigned int, index into the choices */
	LEAT_CLI_FORMATS = 12, /* const struct leat_exporter * */
};

/* What a shell offers for the argument. */
enum leat_cli_complete {
	LEAT_CLI_C_NONE = 0,
	LEAT_CLI_C_FILE = 1,
	LEAT_CLI_C_DIR = 2,
	LEAT_CLI_C_PID = 3,
	LEAT_CLI_C_PROCESS = 4, /* names of processes */
	LEAT_CLI_C_USER = 5,
	LEAT_CLI_C_EVENT = 6,
	LEAT_CLI_C_CHOICE = 7, /* choices, or the formats */
};

enum leat_cli_group {
	LEAT_CLI_G_TARGET = 0,
	LEAT_CLI_G_SAMPLING = 1,
	LEAT_CLI_G_STACKS = 2,
	LEAT_CLI_G_OUTPUT = 3,
	LEAT_CLI_G_INPUT = 4,
	LEAT_CLI_G_REPORT = 5,
	LEAT_CLI_G_MESSAGES = 6,
	LEAT_CLI_GROUP__MAX
};

enum leat_cli_when {
	LEAT_CLI_WHEN_AUTO = 0,
	LEAT_CLI_WHEN_ALWAYS = 1,
	LEAT_CLI_WHEN_NEVER = 2,
};

/* What the command line said, after the verb. Strings are borrowed from argv. */
struct leat_cli_args {
	struct leat_cli_ids pids, tids, uids, cpus;
	struct leat_cli_strs names, cgroups, outputs, operands;
	char **command; /* what stands behind "--", or NULL */
	bool all, children, no_children;
	uint64_t duration_ns, freq_hz, period, buffer_bytes, max_stack, unwind_memory, top;
	double max_loss_percent, min_width_percent;
	const char *event, *title, *summary, *unwind_cache, *callers, *process, *thread;
	const struct leat_exporter *format;
	unsigned int unwind, color; /* enum leat_unwind_mode, enum leat_cli_when */
	unsigned int sort;	    /* enum leat_cli_sort */
	bool idle, no_kthreads, stream, user_only, kernel_only, per_thread;
	bool anonymize, propagate, periods, json, names_only, man;
	bool quiet, help;
	unsigned int verbose;
	uint64_t given; /* bit (1 << enum leat_cli_opt) for each option that was there */
};

struct leat_cli_option {
	const char *name; /* without "--" */
	char letter;	  /* 0: none */
	enum leat_cli_type type;
	enum leat_cli_group group;
	enum leat_cli_complete complete;
	unsigned int verbs; /* bits (1 << enum leat_cli_verb_id) */
	size_t offset;	    /* into struct leat_cli_args */
	uint64_t min, max;
	const char *const *choices; /* NULL-terminated, for CHOICE */
	const char *arg;	    /* what the argument is called; NULL: takes none */
	const char *expected;	    /* "a process id from 1 to 4194304", for messages */
	const char *help;	    /* one line */
	const char *more;	    /* further sentences for the manual, or NULL */
};

struct leat_cli_example {
	const char *command;
	const char *text;
};

#define LEAT_CLI_MAX_EXAMPLES 6

struct leat_cli_verb {
	const char *name;
	const char *summary;  /* one line, no full stop */
	const char *operands; /* what may stand behind the options: "[PATTERN ...]", or NULL */
	struct leat_cli_example examples[LEAT_CLI_MAX_EXAMPLES];
};

/* Both NULL past the end. */
const struct leat_cli_option *leat_cli_option_at(enum leat_cli_opt id);
const struct leat_cli_verb *leat_cli_verb_at(enum leat_cli_verb_id id);
const char *leat_cli_group_name(enum leat_cli_group g);

/* LEAT_CLI_VERB__MAX when unknown. */
enum leat_cli_verb_id leat_cli_verb_find(const char *name);
/* Of those that @verb knows; LEAT_CLI_OPT__MAX when unknown. @name has @n bytes. */
enum leat_cli_opt leat_cli_option_long(enum leat_cli_verb_id verb, const char *name, size_t n);
enum leat_cli_opt leat_cli_option_short(enum leat_cli_verb_id verb, char letter);
bool leat_cli_option_of(enum leat_cli_opt id, enum leat_cli_verb_id verb);

static inline bool leat_cli_given(const struct leat_cli_args *a, enum leat_cli_opt id)
{
	return a->given >> id & 1;
}

/* Defaults of all members; _fini frees what the parser has allocated. */
void leat_cli_args_init(struct leat_cli_args *a);
void leat_cli_args_fini(struct leat_cli_args *a);

#endif
