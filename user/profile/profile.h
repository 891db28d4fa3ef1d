/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A profile: plain data. Tables with dense ids: strings, objects, functions, frames, stacks,
 * processes, threads, samples. Made by the session or an importer, named by symbols, read by
 * exporters. Not thread-safe; one writer.
 */
#ifndef LEAT_PROFILE_PROFILE_H
#define LEAT_PROFILE_PROFILE_H

#include <leat/profile.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/intern.h"
#include "profile/mappings.h"
#include "profile/verdict.h"

#define LEAT_ID_NONE UINT32_MAX

/* Values of these enums and flags are append only: capture files hold them. */
enum leat_object_kind {
	LEAT_OBJECT_FILE = 0,	 /* ELF file; frame offset = file offset */
	LEAT_OBJECT_KERNEL = 1,	 /* kernel and modules; frame offset = address */
	LEAT_OBJECT_VDSO = 2,	 /* frame offset = offset in the vDSO image */
	LEAT_OBJECT_JIT = 3,	 /* anonymous executable memory of one process; offset = address */
	LEAT_OBJECT_UNKNOWN = 4, /* no mapping known; of one process; offset = address */
	LEAT_OBJECT_NAMED = 5,	 /* frames that are a name alone (imported) */
};

/* Identity of what is mapped, apart from any symbol index. */
struct leat_object {
	enum leat_object_kind kind;
	uint32_t
		path; /* string id, as the process sees it; "[kernel]", "[vdso]", "[jit]", "[unknown]" */
	uint32_t process; /* for JIT and UNKNOWN: whose; else the first process it was seen in */
	uint64_t dev, ino, ino_gen;
	uint8_t build_id_len;
	uint8_t build_id[20];
	/* one place where it was mapped, for pprof and for reading: of the first sight */
	uint64_t map_start, map_end, map_pgoff;
	bool unreadable;  /* set by symbols: file could not be had */
	uint8_t no_table; /* set by live: enum leat_no_table */
};

enum leat_function_kind {
	LEAT_FUNCTION_NATIVE = 0,
	LEAT_FUNCTION_KERNEL = 1,
	LEAT_FUNCTION_MODULE = 2, /* kernel module */
	LEAT_FUNCTION_BPF = 3,
	LEAT_FUNCTION_JIT = 4,
	LEAT_FUNCTION_INLINED = 5,
	LEAT_FUNCTION_MARK = 6, /* "[truncated]" and the like: no code */
};

/* What a frame is shown as: one box. */
struct leat_function {
	uint32_t name;	 /* string id, demangled, unescaped; "libfoo.so+0x1230" when unnamed */
	uint32_t raw;	 /* string id of the symbol as in the file; LEAT_ID_NONE when unnamed */
	uint32_t object; /* LEAT_ID_NONE for marks */
	uint32_t file;	 /* source file, string id; LEAT_ID_NONE unknown */
	uint32_t line;
	enum leat_function_kind kind;
	enum leat_unnamed unnamed;
	uint64_t start; /* offset of the function's first byte in the object; 0 unknown */
};

#define LEAT_FRAME_RETURN   1u /* a return address: named at offset - 1 */
#define LEAT_FRAME_KERNEL   2u
#define LEAT_FRAME_BAD_CALL 4u /* set by the check: no call stands before it */
#define LEAT_FRAME_CHECKED  8u /* the check could read the code */
#define LEAT_FRAME_ROOT                                                                            \
	32u /* set by symbols: in a function that nothing calls (_start, thread entry) */
#define LEAT_FRAME_REMAPPED 16u /* ambiguous: the mapping changed meanwhile; never named */
#define LEAT_FRAME_SIGNAL                                                                          \
	64u /* set by symbols: a signal trampoline, entered by no call; named at its offset */

/* Flags that tell one frame from another; the others are findings about it. */
#define LEAT_FRAME_IDENTITY (LEAT_FRAME_RETURN | LEAT_FRAME_KERNEL | LEAT_FRAME_REMAPPED)

/* A distinct place in code. */
struct leat_frame {
	uint32_t object;
	uint32_t flags;
	uint64_t offset;   /* see leat_object_kind */
	uint32_t function; /* LEAT_ID_NONE until resolved; innermost one where calls are inlined */
	uint32_t pad;
};

/* A distinct stack: frames innermost first, kernel frames before user frames. */
struct leat_stack {
	uint32_t first; /* index into frame_ids */
	uint16_t kframe_cnt;
	uint16_t uframe_cnt;
	uint8_t uresult; /* enum leat_stack_result */
	uint8_t kresult;
	uint8_t pending; /* 1: announced, its frames have not arrived yet */
	uint8_t pad;
};

struct leat_process {
	uint32_t tgid;
	uint32_t ns_tgid; /* in its own pid namespace; == tgid when the same */
	uint32_t ppid;
	uint32_t uid;
	uint32_t exec_cnt; /* how many execs leat has seen */
	uint32_t comm;	   /* string id */
	uint32_t exe;	   /* string id, LEAT_ID_NONE unknown */
	uint32_t flags;	   /* enum leat_process_flag */
	uint64_t start_ns; /* of the group's leader; 0 unknown */
	uint64_t from_ns;  /* this incarnation: from start or exec ... */
	uint64_t to_ns;	   /* ... to exec or exit; UINT64_MAX while alive */
	struct leat_mappings
		maps;	  /* a child that mapped nothing itself has its parent's: empty here */
	uint64_t samples; /* taken in it */
	bool announced;	  /* a source told of it; else it is known from its samples alone */
	bool maps_known;  /* all executable mappings: what lies outside is no code */
};

struct leat_thread {
	uint32_t process;
	uint32_t tid;
	uint32_t comm;
};

struct leat_sample {
	uint32_t process;
	uint32_t thread; /* LEAT_ID_NONE unless per thread */
	uint32_t stack;
	uint16_t kind;	/* which of the profile's value kinds; 0 now */
	uint16_t cpu;	/* UINT16_MAX unless streamed */
	uint32_t attrs; /* attribute set; 0: the empty one */
	uint32_t pad;
	uint64_t value; /* samples (weights included) */
	uint64_t ts_ns; /* 0 unless streamed */
};

/* What was recorded, for headers. Strings are the profile's ids; 0 is always "". */
struct leat_meta {
	uint32_t title;	     /* "" : made from target and event */
	uint32_t target;     /* "nginx (pid 4242)" */
	uint32_t event;	     /* "cpu-clock" */
	uint32_t event_note; /* why not another */
	uint32_t command_line;
	uint32_t host;
	uint32_t kernel; /* release */
	uint32_t os;
	uint32_t boot;		/* which boot of the host: what the kernel's addresses mean */
	uint32_t version;	/* of leat */
	uint32_t unwind;	/* "table" or "fp" */
	uint64_t start_real_ns; /* CLOCK_REALTIME at the start */
	uint64_t start_mono_ns;
	uint64_t duration_ns;
	uint64_t freq_hz; /* 0 when by period */
	uint64_t period;
	bool time_based; /* a sample stands for 1/freq_hz seconds of CPU */
	bool anonymized;
};

/* A fact of a sample: string ids. */
struct leat_attribute {
	uint32_t key;
	uint32_t value;
};

struct leat_profile {
	struct leat_intern *strings;	    /* id 0 is "" */
	struct leat_intern *attribute_sets; /* NULL: none but the empty one */
	struct leat_object *objects;
	size_t object_cnt, object_cap;
	struct leat_function *functions;
	size_t function_cnt, function_cap;
	struct leat_frame *frames;
	size_t frame_cnt, frame_cap;
	struct leat_stack *stacks;
	size_t stack_cnt, stack_cap;
	uint32_t *frame_ids;
	size_t frame_id_cnt, frame_id_cap;
	struct leat_process *processes;
	size_t process_cnt, process_cap;
	struct leat_thread *threads;
	size_t thread_cnt, thread_cap;
	struct leat_sample *samples;
	size_t sample_cnt, sample_cap;
	struct leat_meta meta;
	struct leat_verdict verdict;
	struct leat_profile_index *ix; /* private: look-up tables */
};

/* Stated maxima; at each the caller counts a loss. */
#define LEAT_PROFILE_MAX_FRAMES	      (8u << 20)
#define LEAT_PROFILE_MAX_STACKS	      (8u << 20)
#define LEAT_PROFILE_MAX_SAMPLES      (64u << 20)
#define LEAT_PROFILE_MAX_PROCESSES    (1u << 20)
#define LEAT_PROFILE_MAX_OBJECTS      (1u << 20)
#define LEAT_PROFILE_MAX_THREADS      (4u << 20)
#define LEAT_PROFILE_MAX_FUNCTIONS    (16u << 20)
#define LEAT_PROFILE_MAX_FRAME_IDS    (256u << 20) /* of all stacks together */
#define LEAT_PROFILE_MAX_STRINGS      (16u << 20)
#define LEAT_PROFILE_MAX_STRING_BYTES ((size_t)1 << 30)

#define LEAT_PROFILE_MAX_ATTRIBUTES	32 /* of a set */
#define LEAT_PROFILE_MAX_ATTRIBUTE_SETS (1u << 20)

int leat_profile_new(struct leat_profile **out) LEAT_MUST_USE;

/* All of these intern: equal input gives the same id. 0, -ENOMEM, -EOVERFLOW (maximum). */
int leat_profile_string(struct leat_profile *p, const char *s, size_t n,
			uint32_t *id) LEAT_MUST_USE;
/*
 * By identity: build id if there is one, else dev+ino+ino_gen, else path; JIT by process and path,
 * UNKNOWN by process. A file that is seen with its build id here and with its inode there is one
 * object: a member that the known one lacks is taken over from @o.
 */
int leat_profile_object(struct leat_profile *p, const struct leat_object *o,
			uint32_t *id) LEAT_MUST_USE;
int leat_profile_frame(struct leat_profile *p, uint32_t object, uint64_t offset, uint32_t flags,
		       uint32_t *id) LEAT_MUST_USE;
/* The same without adding one: LEAT_ID_NONE when there is none. */
uint32_t leat_profile_frame_find(const struct leat_profile *p, uint32_t object, uint64_t offset,
				 uint32_t flags);
/* @ids: kframe_cnt + uframe_cnt of *@s; s->first is ignored. */
int leat_profile_stack(struct leat_profile *p, const struct leat_stack *s, const uint32_t *ids,
		       uint32_t *id) LEAT_MUST_USE;
/* A function by (name, object, kind, unnamed, start, file, line). */
int leat_profile_function(struct leat_profile *p, const struct leat_function *f,
			  uint32_t *id) LEAT_MUST_USE;
/* Adds to an equal sample (all members but value equal), or appends. Streamed ones always append. */
int leat_profile_sample(struct leat_profile *p, const struct leat_sample *s) LEAT_MUST_USE;
/* The same, and says which one: valid until leat_profile_restack. */
int leat_profile_sample_id(struct leat_profile *p, const struct leat_sample *s,
			   uint32_t *id) LEAT_MUST_USE;
/*
 * Replaces all stacks: @cut[i] is stack i with fewer outer frames or another result, same .first.
 * Stacks and samples that have become equal are merged; stack ids change. On failure (-ENOMEM)
 * nothing has.
 */
int leat_profile_restack(struct leat_profile *p, const struct leat_stack *cut) LEAT_MUST_USE;
/* Appends (no look-up: incarnations are the session's business). */
int leat_profile_process(struct leat_profile *p, const struct leat_process *proc,
			 uint32_t *id) LEAT_MUST_USE;
int leat_profile_thread(struct leat_profile *p, uint32_t process, uint32_t tid,
			uint32_t *id) LEAT_MUST_USE;

/* A set of attributes, sorted by the bytes of their keys; 0 is the empty one. */
int leat_profile_attributes(struct leat_profile *p, const struct leat_attribute *pairs, size_t n,
			    uint32_t *set) LEAT_MUST_USE;

/* Borrowed, NUL-terminated; "" for LEAT_ID_NONE. */
const char *leat_profile_str(const struct leat_profile *p, uint32_t id);
/* leat_verdict_text and leat_verdict_json, and which binaries have no whole unwind table, and why. */
void leat_profile_verdict_text(const struct leat_profile *p, struct leat_buf *out);
void leat_profile_verdict_json(const struct leat_profile *p, struct leat_buf *out);
/* The frame ids of a stack, kernel first, innermost first. */
const uint32_t *leat_profile_stack_frames(const struct leat_profile *p, const struct leat_stack *s);

#endif
