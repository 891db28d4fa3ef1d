/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a profile can be trusted: plain counters. The source fills samples wanted, taken and
 * lost by cause; the session fills stacks by result and frames without a name by cause; live fills
 * what leat itself cost. Exporters only print it.
 */
#ifndef LEAT_PROFILE_VERDICT_H
#define LEAT_PROFILE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "leat_stat.h"
#include "leat_wire.h"

/* Why a frame has no name. Append only. */
enum leat_unnamed {
	LEAT_UNNAMED_NONE = 0,	     /* it has one */
	LEAT_UNNAMED_STRIPPED = 1,   /* the file has no symbol there */
	LEAT_UNNAMED_FILE_GONE = 2,  /* deleted or replaced, and not held open */
	LEAT_UNNAMED_JIT = 3,	     /* anonymous executable memory without a perf map entry */
	LEAT_UNNAMED_PERMISSION = 4, /* not permitted to read the file or kallsyms */
	LEAT_UNNAMED_UNMAPPED = 5,   /* no executable mapping was known there */
	LEAT_UNNAMED_BAD_FILE = 6,   /* malformed, or of another build than what was mapped */
	LEAT_UNNAMED_REMAPPED = 7,   /* the mapping changed within the counted interval */
	LEAT_UNNAMED__MAX
};

/* Why nobody knows how many samples there should have been. Append only. */
enum leat_unknown {
	LEAT_UNKNOWN_NONE = 0,	/* .wanted says it */
	LEAT_UNKNOWN_CPUS = 1,	/* a target on some of the CPUs */
	LEAT_UNKNOWN_KINDS = 2, /* several kinds of target at once */
	LEAT_UNKNOWN_IDLE = 3,	/* idle CPUs too */
	LEAT_UNKNOWN_MANY = 4,	/* more processes than are followed */
	LEAT_UNKNOWN_EVENT = 5, /* an event whose frequency is only aimed at */
	LEAT_UNKNOWN__MAX
};

/* Why a binary has no unwind table, or one that is not whole. Append only. */
enum leat_no_table {
	LEAT_NO_TABLE_NONE = 0,	      /* it has one, or none was wanted */
	LEAT_NO_TABLE_FRAMES = 1,     /* no unwind information; it keeps frame pointers */
	LEAT_NO_TABLE_NOTHING = 2,    /* neither */
	LEAT_NO_TABLE_PARTLY = 3,     /* a part of its unwind information is malformed */
	LEAT_NO_TABLE_MALFORMED = 4,  /* all of it is, or the file */
	LEAT_NO_TABLE_TOO_LARGE = 5,  /* a maximum was reached; what came before holds */
	LEAT_NO_TABLE_MACHINE = 6,    /* of another machine */
	LEAT_NO_TABLE_GONE = 7,	      /* the file could not be found any more */
	LEAT_NO_TABLE_PERMISSION = 8, /* nor be read */
	LEAT_NO_TABLE_CHANGED = 9,    /* another file stands in its place, or it was written anew */
	LEAT_NO_TABLE_RESOURCES = 10, /* out of memory, descriptors, or kernel maps */
	LEAT_NO_TABLE_MEMORY = 11,    /* had to go for others, and had to wait to come again */
	LEAT_NO_TABLE__MAX
};

enum leat_trust {
	LEAT_TRUST_YES = 0,  /* "trust" */
	LEAT_TRUST_CARE = 1, /* "with care" */
	LEAT_TRUST_NO = 2,   /* "do not trust" */
};

/* Where a profile comes from. */
enum leat_imported {
	LEAT_RECORDED = 0,
	LEAT_IMPORTED = 1,	     /* from a file that does not say what was lost */
	LEAT_IMPORTED_LOSS_TOLD = 2, /* from one that does */
};

struct leat_verdict {
	/* samples */
	uint64_t wanted; /* by the clock or the counter, never by our own program; 0 unknown */
	uint64_t wanted_unknown; /* enum leat_unknown: why, and then .kernel_skipped is too */
	uint64_t taken;		 /* in the profile (weights included) */
	uint64_t kernel_skipped; /* asked for, and the kernel did not run our program */
	uint64_t kernel[LEAT_STAT__MAX]; /* the kernel side's own counters */
	uint64_t lost_user;		 /* delivered, then lost in user space (bounded tables) */
	uint64_t
		unknown_process; /* samples of a process that never was announced (they are kept) */
	uint64_t env_lost;	 /* side-band records lost */
	uint64_t malformed;	 /* records that did not decode */
	uint64_t callback_errors;
	/* stacks, weighted by samples: user part by result */
	uint64_t stacks[LEAT_STACK__MAX];
	uint64_t kstack_truncated;
	uint64_t kstack_bad;
	/* return addresses, each distinct one checked once */
	uint64_t ret_checked;
	uint64_t ret_bad;	 /* no call stands before it: the stack was cut there */
	uint64_t ret_not_judged; /* bytes could not be read (JIT, file gone) */
	/* frames, weighted by samples */
	uint64_t frames;
	uint64_t frames_unnamed[LEAT_UNNAMED__MAX];
	uint64_t user_frames; /* of frames: in user space */
	uint64_t user_unnamed;
	/* files */
	uint64_t objects;
	uint64_t objects_unreadable;
	uint64_t processes_unreadable; /* maps not readable */
	uint64_t kptr_restricted;      /* 1: kernel symbols are hidden */
	/* unwind tables, each binary once */
	uint64_t no_table[LEAT_NO_TABLE__MAX];
	uint64_t tables_built;
	uint64_t tables_cached;	    /* not built: they were in the cache */
	uint64_t tables_evicted;    /* went for want of memory, and were built again when needed */
	uint64_t tables_need_bytes; /* of all of them together, if none had to go */
	uint64_t tables_refused;  /* mappings and processes that did not fit into the kernel side */
	uint64_t cache_damaged;	  /* files of the cache that could not be used; built anew */
	uint64_t cache_unwritten; /* tables that could not be put there */
	/* cost of leat itself */
	uint64_t bpf_ns;	/* scaled up from the timed samples */
	uint64_t self_cpu_ns;	/* user + system of leat while recording */
	uint64_t target_cpu_ns; /* CPU time that the target used; 0 unknown */
	uint64_t duration_ns;
	uint64_t rss_bytes;
	uint64_t map_bytes; /* kernel memory in BPF maps */
	uint64_t freq_hz;
	uint64_t period;
	/* imports: what the file does not tell is not judged, and the best is "with care" */
	uint64_t imported;	 /* enum leat_imported */
	uint64_t import_unknown; /* samples that hold a frame without a name */
	uint64_t import_unread;	 /* lines that were not understood */
	uint64_t import_other;	 /* samples of other events, and of none that could be kept */
	uint64_t import_deep;	 /* frames beyond the depth that leat takes */
	uint64_t import_labels;	 /* labels of samples that leat has no room for */
	uint64_t import_cut;	 /* 1: the file ends in the middle of something */
	/* a recording that did not end: leat was killed, or its file was cut; at best "with care" */
	uint64_t cut_off; /* 1: it is one; .duration_ns is what there is of it */
	uint64_t
		cut_samples; /* counted by the kernel side, and not in the file any more: not lost */
	uint64_t cut_bytes;  /* of the file, in a chunk that is not whole */
};

/* "malformed", and its key in JSON. */
const char *leat_no_table_name(enum leat_no_table t);
const char *leat_no_table_key(enum leat_no_table t);
/* Lost for any reason, of what was asked for. */
uint64_t leat_verdict_lost(const struct leat_verdict *v);
/* The same in percent of taken + lost; 0 when there was nothing. */
double leat_verdict_lost_percent(const struct leat_verdict *v);
double leat_verdict_complete_percent(const struct leat_verdict *v); /* of user stacks */
double leat_verdict_usable_percent(const struct leat_verdict *v);   /* complete or truncated */
double leat_verdict_named_percent(const struct leat_verdict *v);    /* of frames */
/* What --unwind-memory would have had to be, in its unit of 1 MB, for no table to go. */
uint64_t leat_verdict_tables_mb(const struct leat_verdict *v);
/* Sum of the kernel side's counters of a class. */
uint64_t leat_verdict_class(const struct leat_verdict *v, enum leat_stat_class c);

/* "trust" needs all of these ... */
#define LEAT_TRUST_LOST	    2.0	 /* percent, at most */
#define LEAT_TRUST_COMPLETE 95.0 /* percent of user stacks complete or truncated, at least */
#define LEAT_TRUST_NAMED    95.0 /* percent of frames, at least */
#define LEAT_TRUST_SAMPLES  100	 /* at least */
/* ... and one of these is enough for "do not trust"; between them it is "with care". */
#define LEAT_NO_TRUST_LOST     20.0 /* more than */
#define LEAT_NO_TRUST_COMPLETE 50.0 /* less than */
#define LEAT_NO_TRUST_NAMED    50.0 /* less than */
#define LEAT_NO_TRUST_SAMPLES  20   /* less than */
enum leat_trust leat_verdict_trust(const struct leat_verdict *v);
const char *leat_trust_name(enum leat_trust t);
const char *leat_unnamed_name(enum leat_unnamed u);	      /* "stripped", "file gone", ... */
const char *leat_stack_result_name(enum leat_stack_result r); /* "complete", "truncated", ... */
/* The same as one word, for JSON: "file_gone", "no_unwind". */
const char *leat_unnamed_key(enum leat_unnamed u);
const char *leat_stack_result_key(enum leat_stack_result r);
const char *leat_stat_name(enum leat_stat s); /* "l_ring_full", ... */
const char *leat_stat_help(enum leat_stat s);
enum leat_stat_class leat_stat_class_of(enum leat_stat s);
/*
 * First line, without a newline: "trust: 6,930 samples, 0 lost, 99.6 % of user stacks complete,
 * 98.2 % of frames named".
 */
void leat_verdict_line(const struct leat_verdict *v, struct leat_buf *out);
/* All of it as text lines, only those that say something; first line as above. */
void leat_verdict_text(const struct leat_verdict *v, struct leat_buf *out);
/* A number with a comma at each thousand. */
void leat_verdict_number(struct leat_buf *out, uint64_t v);
/* One JSON object, every counter by name. */
void leat_verdict_json(const struct leat_verdict *v, struct leat_buf *out);

#endif
