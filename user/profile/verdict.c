/* SPDX-License-Identifier: BSD-2-Clause */
#include "profile/verdict.h"

#include "base/cleanup.h"

struct stat_info {
	enum leat_stat_class class;
	const char *help;
};

#define STAT_INFO(id, class_, text)                                                                \
	[LEAT_STAT_##id] = { .class = LEAT_STAT_CLASS_##class_, .help = (text) },
static const struct stat_info stats[LEAT_STAT__MAX] = { LEAT_STATS(STAT_INFO) };

/* The ids in lower case, which the preprocessor cannot make (tested to be all of them). */
static const char *const stat_names[LEAT_STAT__MAX] = {
	[LEAT_STAT_SEEN] = "seen",
	[LEAT_STAT_F_IDLE] = "f_idle",
	[LEAT_STAT_F_KTHREAD] = "f_kthread",
	[LEAT_STAT_F_TARGET] = "f_target",
	[LEAT_STAT_F_SELF] = "f_self",
	[LEAT_STAT_COUNTED] = "counted",
	[LEAT_STAT_STREAMED] = "streamed",
	[LEAT_STAT_OVERFLOWED] = "overflowed",
	[LEAT_STAT_L_STALLED] = "l_stalled",
	[LEAT_STAT_L_BUSY] = "l_busy",
	[LEAT_STAT_L_RING_FULL] = "l_ring_full",
	[LEAT_STAT_L_NO_SCRATCH] = "l_no_scratch",
	[LEAT_STAT_N_STACK_UNSENT] = "n_stack_unsent",
	[LEAT_STAT_N_STACK_SENT] = "n_stack_sent",
	[LEAT_STAT_N_PROC_UNSENT] = "n_proc_unsent",
	[LEAT_STAT_N_WINDOW_RETRY] = "n_window_retry",
	[LEAT_STAT_N_COMPAT_TASK] = "n_compat_task",
	[LEAT_STAT_N_SET_FULL] = "n_set_full",
	[LEAT_STAT_N_DRAIN_FULL] = "n_drain_full",
	[LEAT_STAT_N_BPF_NS] = "n_bpf_ns",
	[LEAT_STAT_N_BPF_TIMED] = "n_bpf_timed",
	[LEAT_STAT_F_MODE] = "f_mode",
	[LEAT_STAT_RAW] = "raw",
	[LEAT_STAT_N_TABLE_FRAMES] = "n_table_frames",
	[LEAT_STAT_N_TABLE_MISS] = "n_table_miss",
	[LEAT_STAT_N_RAW_UNSENT] = "n_raw_unsent",
	[LEAT_STAT_N_WINDOW_READ] = "n_window_read",
	[LEAT_STAT_N_KSTACK_ASKED] = "n_kstack_asked",
	[LEAT_STAT_N_KSTACK_DIFFERED] = "n_kstack_differed",
};

static const char *const trust_names[] = { "trust", "with care", "do not trust" };

static const char *const unnamed_names[LEAT_UNNAMED__MAX] = {
	[LEAT_UNNAMED_NONE] = "named",
	[LEAT_UNNAMED_STRIPPED] = "stripped",
	[LEAT_UNNAMED_FILE_GONE] = "file gone",
	[LEAT_UNNAMED_JIT] = "JIT code without a map",
	[LEAT_UNNAMED_PERMISSION] = "not permitted",
	[LEAT_UNNAMED_UNMAPPED] = "no mapping known",
	[LEAT_UNNAMED_BAD_FILE] = "file malformed or of another build",
	[LEAT_UNNAMED_REMAPPED] = "mapping changed meanwhile",
};

static const char *const unnamed_keys[LEAT_UNNAMED__MAX] = {
	[LEAT_UNNAMED_NONE] = "named",
	[LEAT_UNNAMED_STRIPPED] = "stripped",
	[LEAT_UNNAMED_FILE_GONE] = "file_gone",
	[LEAT_UNNAMED_JIT] = "jit",
	[LEAT_UNNAMED_PERMISSION] = "permission",
	[LEAT_UNNAMED_UNMAPPED] = "unmapped",
	[LEAT_UNNAMED_BAD_FILE] = "bad_file",
	[LEAT_UNNAMED_REMAPPED] = "remapped",
};

static const char *const no_table_names[LEAT_NO_TABLE__MAX] = {
	[LEAT_NO_TABLE_NONE] = "there",
	[LEAT_NO_TABLE_FRAMES] = "no unwind information, but frame pointers",
	[LEAT_NO_TABLE_NOTHING] = "no unwind information and no frame pointers",
	[LEAT_NO_TABLE_PARTLY] = "unwind information malformed in part",
	[LEAT_NO_TABLE_MALFORMED] = "unwind information malformed",
	[LEAT_NO_TABLE_TOO_LARGE] = "unwind information over the maximum",
	[LEAT_NO_TABLE_MACHINE] = "of another machine",
	[LEAT_NO_TABLE_GONE] = "file gone",
	[LEAT_NO_TABLE_PERMISSION] = "file not permitted",
	[LEAT_NO_TABLE_CHANGED] = "file changed",
	[LEAT_NO_TABLE_RESOURCES] = "no memory or descriptors",
	[LEAT_NO_TABLE_MEMORY] = "--unwind-memory full at times",
};

static const char *const no_table_keys[LEAT_NO_TABLE__MAX] = {
	[LEAT_NO_TABLE_NONE] = "none",
	[LEAT_NO_TABLE_FRAMES] = "frames",
	[LEAT_NO_TABLE_NOTHING] = "nothing",
	[LEAT_NO_TABLE_PARTLY] = "partly",
	[LEAT_NO_TABLE_MALFORMED] = "malformed",
	[LEAT_NO_TABLE_TOO_LARGE] = "too_large",
	[LEAT_NO_TABLE_MACHINE] = "machine",
	[LEAT_NO_TABLE_GONE] = "gone",
	[LEAT_NO_TABLE_PERMISSION] = "permission",
	[LEAT_NO_TABLE_CHANGED] = "changed",
	[LEAT_NO_TABLE_RESOURCES] = "resources",
	[LEAT_NO_TABLE_MEMORY] = "memory",
};

static const char *const result_names[LEAT_STACK__MAX] = {
	[LEAT_STACK_NONE] = "none",
	[LEAT_STACK_COMPLETE] = "complete",
	[LEAT_STACK_TRUNCATED] = "truncated",
	[LEAT_STACK_BAD_MEMORY] = "bad memory",
	[LEAT_STACK_NO_UNWIND] = "no unwind information",
	[LEAT_STACK_COMPAT] = "32-bit task",
	[LEAT_STACK_BAD_CALL] = "cut: not a return address",
	[LEAT_STACK_UNSENT] = "frames lost",
	[LEAT_STACK_BROKEN] = "broken",
	[LEAT_STACK_NO_TABLE] = "unwind table not ready",
};

static const char *const result_keys[LEAT_STACK__MAX] = {
	[LEAT_STACK_NONE] = "none",	      [LEAT_STACK_COMPLETE] = "complete",
	[LEAT_STACK_TRUNCATED] = "truncated", [LEAT_STACK_BAD_MEMORY] = "bad_memory",
	[LEAT_STACK_NO_UNWIND] = "no_unwind", [LEAT_STACK_COMPAT] = "compat",
	[LEAT_STACK_BAD_CALL] = "bad_call",   [LEAT_STACK_UNSENT] = "unsent",
	[LEAT_STACK_BROKEN] = "broken",	      [LEAT_STACK_NO_TABLE] = "no_table",
};

const char *leat_trust_name(enum leat_trust t)
{
	return (unsigned int)t < LEAT_ARRAY_SIZE(trust_names) ? trust_names[t] : "unknown";
}

const char *leat_unnamed_name(enum leat_unnamed u)
{
	return (unsigned int)u < LEAT_UNNAMED__MAX ? unnamed_names[u] : "unknown";
}

const char *leat_unnamed_key(enum leat_unnamed u)
{
	return (unsigned int)u < LEAT_UNNAMED__MAX ? unnamed_keys[u] : "unknown";
}

const char *leat_no_table_name(enum leat_no_table t)
{
	return (unsigned int)t < LEAT_NO_TABLE__MAX ? no_table_names[t] : "unknown";
}

const char *leat_no_table_key(enum leat_no_table t)
{
	return (unsigned int)t < LEAT_NO_TABLE__MAX ? no_table_keys[t] : "unknown";
}

const char *leat_stack_result_name(enum leat_stack_result r)
{
	return (unsigned int)r < LEAT_STACK__MAX ? result_names[r] : "unknown";
}

const char *leat_stack_result_key(enum leat_stack_result r)
{
	return (unsigned int)r < LEAT_STACK__MAX ? result_keys[r] : "unknown";
}

const char *leat_stat_name(enum leat_stat s)
{
	return (unsigned int)s < LEAT_STAT__MAX ? stat_names[s] : "unknown";
}

const char *leat_stat_help(enum leat_stat s)
{
	return (unsigned int)s < LEAT_STAT__MAX ? stats[s].help : "";
}

enum leat_stat_class leat_stat_class_of(enum leat_stat s)
{
	return (unsigned int)s < LEAT_STAT__MAX ? stats[s].class : LEAT_STAT_CLASS_NOTE;
}

uint64_t leat_verdict_tables_mb(const struct leat_verdict *v)
{
	return (v->tables_need_bytes + (1 << 20) - 1) >> 20;
}

uint64_t leat_verdict_class(const struct leat_verdict *v, enum leat_stat_class c)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LEAT_STAT__MAX; i++) {
		if (stats[i].class == c)
			sum += v->kernel[i];
	}
	return sum;
}

uint64_t leat_verdict_lost(const struct leat_verdict *v)
{
	return leat_verdict_class(v, LEAT_STAT_CLASS_LOST) + v->kernel_skipped + v->lost_user;
}

static double percent(uint64_t part, uint64_t whole, double of_nothing)
{
	return whole ? 100.0 * (double)part / (double)whole : of_nothing;
}

double leat_verdict_lost_percent(const struct leat_verdict *v)
{
	uint64_t lost = leat_verdict_lost(v);

	return percent(lost, v->taken + lost, 0);
}

static uint64_t user_stacks(const struct leat_verdict *v)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < LEAT_STACK__MAX; i++) {
		if (i != LEAT_STACK_NONE)
			sum += v->stacks[i];
	}
	return sum;
}

double leat_verdict_complete_percent(const struct leat_verdict *v)
{
	return percent(v->stacks[LEAT_STACK_COMPLETE], user_stacks(v), 100);
}

double leat_verdict_usable_percent(const struct leat_verdict *v)
{
	return percent(v->stacks[LEAT_STACK_COMPLETE] + v->stacks[LEAT_STACK_TRUNCATED],
		       user_stacks(v), 100);
}

double leat_verdict_named_percent(const struct leat_verdict *v)
{
	uint64_t unnamed = 0;

	for (unsigned int i = LEAT_UNNAMED_NONE + 1; i < LEAT_UNNAMED__MAX; i++)
		unnamed += v->frames_unnamed[i];
	return 100 - percent(unnamed, v->frames, 0);
}

enum leat_trust leat_verdict_trust(const struct leat_verdict *v)
{
	double lost = leat_verdict_lost_percent(v);
	double named = leat_verdict_named_percent(v);
	double usable = v->imported ? 100 : leat_verdict_usable_percent(v);

	if (lost > LEAT_NO_TRUST_LOST || usable < LEAT_NO_TRUST_COMPLETE ||
	    named < LEAT_NO_TRUST_NAMED || v->taken < LEAT_NO_TRUST_SAMPLES)
		return LEAT_TRUST_NO;
	/* Who recorded it may have lost more than it says, and cut stacks without a mark. */
	if (!v->imported && !v->cut_off && lost <= LEAT_TRUST_LOST &&
	    usable >= LEAT_TRUST_COMPLETE && named >= LEAT_TRUST_NAMED &&
	    v->taken >= LEAT_TRUST_SAMPLES)
		return LEAT_TRUST_YES;
	return LEAT_TRUST_CARE;
}
