/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leat/profile.h - what a session leaves behind: samples, stacks, names, and a verdict.
 *
 * A profile is plain data with one owner; it holds nothing of the session that made it.
 */
#ifndef LEAT_PROFILE_H
#define LEAT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct leat_profile;

/**
 * leat_profile_free - give up a profile.
 * @p: NULL and a pointer to NULL are accepted in *@p; nulled.
 *
 * Ownership: ends the caller's.                  Threads: caller serialises.
 */
void leat_profile_free(struct leat_profile **p);

/**
 * leat_profile_total - how many samples it holds, weights included.
 *
 * Shape/units: samples.                          Threads: caller serialises.
 * Cost:        linear in the number of distinct samples.
 */
uint64_t leat_profile_total(const struct leat_profile *p);

/* ---- reading ----
 *
 * Tables with dense ids. A member that names another table holds an id of it, or LEAT_NONE. What
 * an info points to is borrowed: until the profile is changed or freed. Strings are
 * NUL-terminated, as the target has them: they may hold anything (escape them).
 * All: Threads: caller serialises.   Errors: -ENOENT @i is not below the table's count.
 */
#define LEAT_NONE UINT32_MAX

/** A sample: a stack of a process, and how often it was seen. */
struct leat_sample_info {
	uint32_t process;
	uint32_t thread; /**< LEAT_NONE unless threads are told apart */
	uint32_t stack;
	uint32_t attributes; /**< set of attributes; 0: none */
	uint64_t value;	     /**< samples, weights included */
	uint64_t ts_ns;	     /**< CLOCK_MONOTONIC; 0 unless times are kept */
	uint16_t cpu;	     /**< UINT16_MAX unless times are kept */
};
/** A stack, innermost frame first, the kernel's before the user's. */
struct leat_stack_info {
	const uint32_t *frames; /**< ids */
	size_t frame_cnt;
	size_t kernel_cnt;  /**< of them in the kernel */
	bool complete;	    /**< the outermost frame is a root */
	const char *result; /**< how the user's part ended: "complete", "truncated", ... */
};
/** A place in code. */
struct leat_frame_info {
	uint32_t object;
	uint32_t function; /**< LEAT_NONE before symbols were resolved */
	uint64_t offset;   /**< in the file, or an address where there is none */
	bool is_kernel;
	bool is_return; /**< the call stands before it */
};
struct leat_function_info {
	const char *name; /**< to show; "libfoo.so+0x1230" when it has none */
	const char *raw;  /**< as in the symbol table; "" when it has none */
	const char *file; /**< source; "" unknown */
	uint32_t line;
	uint32_t object; /**< LEAT_NONE for marks such as "[truncated]" */
	bool is_kernel;
};
struct leat_object_info {
	const char *path; /**< as the process sees it; "[kernel]", "[vdso]", "[jit]" */
	const uint8_t *build_id;
	size_t build_id_len; /**< 0: unknown */
	bool is_file;	     /**< offsets of its frames are offsets in a file */
};
struct leat_process_info {
	uint32_t tgid;
	uint32_t ns_tgid; /**< in its own pid namespace */
	uint32_t ppid;
	uint32_t uid;
	const char *comm;
	const char *exe;   /**< "" unknown */
	uint64_t start_ns; /**< 0 unknown */
	uint64_t end_ns;   /**< UINT64_MAX while alive */
	uint64_t samples;
};
struct leat_thread_info {
	uint32_t process;
	uint32_t tid;
	const char *comm;
};
/** How far the profile can be trusted. */
struct leat_verdict_info {
	const char *trust; /**< "trust", "with care", "do not trust" */
	uint64_t wanted;   /**< samples; 0 unknown */
	uint64_t taken;
	uint64_t lost;		 /**< for any reason */
	double complete_percent; /**< of user stacks */
	double named_percent;	 /**< of frames */
};

/** leat_profile_sample_cnt - and so on: how many there are. */
size_t leat_profile_sample_cnt(const struct leat_profile *p);
size_t leat_profile_stack_cnt(const struct leat_profile *p);
size_t leat_profile_frame_cnt(const struct leat_profile *p);
size_t leat_profile_function_cnt(const struct leat_profile *p);
size_t leat_profile_object_cnt(const struct leat_profile *p);
size_t leat_profile_process_cnt(const struct leat_profile *p);
size_t leat_profile_thread_cnt(const struct leat_profile *p);
/** leat_profile_sample_at - and so on: fills *@out. */
int leat_profile_sample_at(const struct leat_profile *p, size_t i, struct leat_sample_info *out);
int leat_profile_stack_at(const struct leat_profile *p, size_t i, struct leat_stack_info *out);
int leat_profile_frame_at(const struct leat_profile *p, size_t i, struct leat_frame_info *out);
int leat_profile_function_at(const struct leat_profile *p, size_t i,
			     struct leat_function_info *out);
int leat_profile_object_at(const struct leat_profile *p, size_t i, struct leat_object_info *out);
int leat_profile_process_at(const struct leat_profile *p, size_t i, struct leat_process_info *out);
int leat_profile_thread_at(const struct leat_profile *p, size_t i, struct leat_thread_info *out);
/** leat_profile_attribute_at - the i-th fact of a set of attributes, in order of keys. */
int leat_profile_attribute_at(const struct leat_profile *p, uint32_t set, size_t i,
			      const char **key, const char **value);
/** leat_profile_verdict - fills *@out. */
void leat_profile_verdict(const struct leat_profile *p, struct leat_verdict_info *out);

#ifdef __cplusplus
}
#endif

#endif
