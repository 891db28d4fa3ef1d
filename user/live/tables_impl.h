/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by tables*.c. */
#ifndef LEAT_LIVE_TABLES_IMPL_H
#define LEAT_LIVE_TABLES_IMPL_H

#include <pthread.h>

#include "base/index.h"
#include "live/slices.h"
#include "live/space.h"
#include "live/tables.h"
#include "unwind/unwind.h"

#define LEAT_TABLES_MEMORY   (64u << 20)
#define LEAT_TABLES_PIDS     (4u << 20) /* pid_max of a 64-bit kernel */
#define LEAT_TABLES_SPACES   (1u << 16) /* processes that are followed at a time */
#define LEAT_TABLES_RAW_MAX  4096	/* samples that wait */
#define LEAT_TABLES_RAW_SIZE (32u << 20)
/* Mappings that come in a burst are uploaded at once; a process with many is uploaded less often. */
#define LEAT_TABLES_GAP_NS 2000000u
#define LEAT_TABLES_ASK_NS 10000000u
/* What is known of a process that has gone is kept for samples of it that still wait. */
#define LEAT_TABLES_KEEP_NS 1000000000u
/*
 * What stopped a table may pass: the file is renamed into its place, descriptors are free again. So
 * it is tried again after a tenth of a second, then after twice as long each time: 13 s in all.
 */
#define LEAT_TABLES_TRIES    8
#define LEAT_TABLES_RETRY_NS 100000000ull

/*
 * Where there is too little memory for what is sampled, tables go and come again. A table that went
 * is built again at once, but to build such tables takes no more than 1/32 of one CPU: after each,
 * all others wait for 32 times as long as the CPU was busy with it. It stays in the kernel for 50 ms
 * at least, in which the rules of what is sampled are remembered there. Samples wait for all that, but
 * not for long, and leave half of the room to others.
 */
#define LEAT_TABLES_AGAIN   32
#define LEAT_TABLES_STAY_NS 50000000u
#define LEAT_TABLES_WAIT_NS 500000000u

enum leat_binary_state {
	LEAT_BINARY_NEW = 0,
	LEAT_BINARY_QUEUED = 1, /* the thread has it */
	LEAT_BINARY_BUILT = 2,	/* to be used here, and not yet by the kernel side */
	LEAT_BINARY_READY = 3,
	LEAT_BINARY_FRAMED = 4, /* without a table, with frame pointers */
	LEAT_BINARY_FAILED = 5,
	LEAT_BINARY_LEAVING = 6, /* the thread takes it out of the kernel */
	LEAT_BINARY_NO_ROOM = 7, /* it went, and is wanted: it waits for its turn */
};

/* A binary: the same index as in leat_exes. */
struct leat_binary {
	enum leat_binary_state state;
	bool vdso;
	uint8_t build_id_len;
	uint8_t build_id[LEAT_BUILD_ID_MAX];
	uint64_t dev, ino, ino_gen;
	enum leat_no_table why; /* there is no whole table */
	uint8_t tries;
	uint64_t retry_ns;   /* FAILED: not before; 0 never */
	bool evicted;	     /* at least once */
	bool starved;	     /* was NO_ROOM at least once */
	uint32_t asked;	     /* NO_ROOM: samples that came to it since its last turn */
	uint64_t ready_ns;   /* READY: since */
	size_t need;	     /* bytes of its table, the last time that it had one */
	uint64_t file_bytes; /* QUEUED */
	/* written by the thread, before it hands the binary back */
	int fd; /* of the file, then -1 */
	int err;
	bool framed;  /* no table, and it keeps frame pointers */
	bool put;     /* in leat_tables */
	bool cached;  /* from the cache */
	bool unsaved; /* to be put there */
	bool damaged; /* what was there could not be used */
	struct leat_store_key key;
	size_t segment_cnt;
	struct leat_unwind_segment segments[LEAT_UNWIND_SEGMENTS];
	struct leat_unwind_table *table; /* its blocks are .mem; NULL: none */
	void *mem;
	size_t bytes;
	int map_fd;
	uint64_t build_ns;
	uint64_t cpu_ns; /* of these */
};

/* A program in a process: an exec makes another one. */
struct leat_program {
	uint32_t tgid;
	uint64_t since_ns; /* of the exec or fork; 0 it was there before */
	uint64_t gone_ns;  /* 0: it is what the process runs */
	struct leat_codes codes;
	uint32_t older; /* the one before it with this tgid; + 1 */
	uint32_t slice; /* LEAT_SLICE_NONE */
	bool used;
	bool dirty;	   /* the kernel side has something else */
	bool ended;	   /* its leader has; perhaps other threads have not */
	uint64_t next_ns;  /* not uploaded before */
	uint64_t asked_ns; /* when o.on_unknown was last called for it */
	/* for unwinding here */
	struct leat_unwind_map *maps;
	size_t map_cap;
	uint64_t maps_version;
	uint64_t touched; /* .version when .codes last changed: no other program has the same */
};

/* A sample that waits. */
struct leat_waiting {
	struct leat_rec_raw *raw; /* of raw->h.size bytes */
	uint32_t blocked;	  /* the binary whose table it waits for; 0: something else */
	bool done;
	/* How far it came: two tables that it needs may never be there at once. */
	struct leat_unwind_walk walk;
	struct leat_unwind_frame *frames;
	size_t frame_cnt;
	uint64_t touched; /* by the program's mappings of that time */
};

struct leat_tables {
	struct leat_tables_opts o;
	struct leat_bus *bus;
	struct leat_kernel_tables kernel;
	struct leat_unwind_rules *rules;
	struct leat_binary *binaries; /* kernel.exe_cnt */
	uint32_t binary_cnt;
	struct leat_index by_id;
	struct leat_program *programs;
	size_t program_cnt, program_cap;
	uint32_t *by_tgid; /* the newest program; + 1; LEAT_TABLES_PIDS, few pages touched */
	bool any_dirty, any_ended, any_gone;
	struct leat_slices slices;
	uint64_t version;  /* of all that unwinding here depends on */
	uint32_t again;	   /* the binary whose table is being built again; 0 none */
	uint64_t again_ns; /* not before is there a next one */
	struct leat_waiting *waiting;
	size_t waiting_cnt, waiting_cap;
	size_t waiting_left; /* of waiting_cnt, those that are not done */
	size_t waiting_bytes;
	uint64_t tried_version;
	size_t tried_cnt;
	struct leat_rec_sample *sample; /* under construction */
	struct leat_event *proxy;	/* where it goes */
	struct leat_unwind_frame *frames;
	struct leat_tables_stats stats;

	/* the thread */
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	uint32_t *jobs; /* numbers of binaries, in the order in which they came */
	uint32_t job_cnt;
	uint32_t *done; /* handed back */
	uint32_t done_cnt;
	bool quit;
	int event_fd;
	uint32_t *built;    /* the thread's own: those that have yet to be put into the kernel */
	int *built_fds;	    /* the thread's own: their maps */
	uint64_t unwritten; /* the thread's own: tables that could not be put into the cache */
};

/* ---- tables_binary.c ---- */

/* The number of the binary that is mapped; LEAT_EXE_ANON for code without a file. */
uint32_t leat_binary_of(struct leat_tables *t, const struct leat_rec_mmap *m);
/* Has its table built if that was not done, or if its turn has come. */
void leat_binary_want(struct leat_tables *t, uint32_t no);
/* Address - bias is one of the ELF file. False: no segment of the binary is mapped there. */
bool leat_binary_bias(const struct leat_binary *b, const struct leat_code *c, uint64_t *bias);
/* What the kernel side has asked for, and what the thread has handed back. */
void leat_binaries_round(struct leat_tables *t);

/* ---- tables_build.c: the thread ---- */

int leat_builder_start(struct leat_tables *t) LEAT_MUST_USE;
/* Waits for the thread's end: what it has built is in the cache then. No more is built. */
void leat_builder_end(struct leat_tables *t);
void leat_builder_stop(struct leat_tables *t);
/* Gives a binary to the thread: to build its table, or (LEAVING) to take it out of the kernel. */
void leat_builder_add(struct leat_tables *t, uint32_t no);
/* Takes one back; false: there is none. */
bool leat_builder_take(struct leat_tables *t, uint32_t *no);

/* ---- tables_space.c ---- */

int leat_programs_attach(struct leat_tables *t) LEAT_MUST_USE;
/* The program that @tgid ran at @ns; NULL unknown. */
struct leat_program *leat_program_at(struct leat_tables *t, uint32_t tgid, uint64_t ns);
void leat_programs_round(struct leat_tables *t, uint64_t now_ns);
/* The table of @no is ready, or there is none: what lies in the kernel's ranges is brought up to date. */
void leat_programs_bias(struct leat_tables *t, uint32_t no);
void leat_programs_fini(struct leat_tables *t);

/* ---- tables_raw.c ---- */

int leat_raw_attach(struct leat_tables *t) LEAT_MUST_USE;
/* @last: of what waits, nothing is left. */
int leat_waiting_round(struct leat_tables *t, bool last) LEAT_MUST_USE;
void leat_waiting_fini(struct leat_tables *t);

#endif
