/* SPDX-License-Identifier: BSD-2-Clause */
/* The session's state, and what its files ask of each other. Private to session/. */
#ifndef LEAT_SESSION_IMPL_H
#define LEAT_SESSION_IMPL_H

#include "base/index.h"
#include "event/pump.h"
#include "leat_wire.h"
#include "session/session.h"

/* Stated maxima; what happens at each is counted. */
#define LEAT_SESSION_MAX_RAW	    (2u << 20)	      /* distinct stacks */
#define LEAT_SESSION_MAX_RAW_FRAMES ((64u << 20) / 8) /* of all of them: 64 MB */
#define LEAT_SESSION_MAX_FRAMES	    2048u	      /* of one stack, kernel and user */
#define LEAT_SESSION_MAX_PENDING    65536u
#define LEAT_SESSION_MAX_PLACED	    (4u << 20)
#define LEAT_SESSION_MAX_MAPPINGS   (4u << 20) /* of all processes together */
#define LEAT_SESSION_MAX_CPUS	    65536u

/* /proc gives starts in ticks of 10 ms, on another clock, and they are converted. */
#define LEAT_START_SLACK_NS 50000000ull

#define LEAT_HOOK_MAX_FIELDS 16

/* One event that the session listens to, with the fields it reads. */
struct leat_hook {
	struct leat_session *s;
	struct leat_event *event; /* NULL: not there, or let go */
	leat_event_fn fn;	  /* runs inside a write of the process table */
	const struct leat_format *format;
	leat_callback_id callback;
	leat_field_ref refs[LEAT_HOOK_MAX_FIELDS];
};

/* A record being read: the first error sticks, so that it is checked once. */
struct leat_reading {
	const struct leat_hook *hook;
	const struct leat_record *r;
	int err;
};

/* What the session knows of a process beside the profile; by the same id. */
struct leat_incarnation {
	uint32_t older;	  /* the one before it with this tgid; LEAT_ID_NONE */
	uint32_t inherit; /* whose mappings it has until it maps something itself; LEAT_ID_NONE */
	uint64_t inherit_ns; /* as they were then */
	uint32_t exec_of;    /* the program that it was before its exec; LEAT_ID_NONE */
	uint64_t info_ns;    /* when name and executable were last read */
	uint32_t unknown;    /* its object for what no mapping covers; LEAT_ID_NONE */
};

struct leat_tgid {
	uint32_t tgid;
	uint32_t newest;
};

/* A stack as it came. */
struct leat_raw {
	uint64_t hash;
	uint32_t first; /* into raw_frames */
	uint16_t kframe_cnt;
	uint16_t uframe_cnt;
	uint8_t uresult;
	uint8_t kresult;
	uint8_t user_mode;
	uint8_t known;	  /* 0: only counts have come so far */
	uint32_t pending; /* counts that wait; LEAT_ID_NONE */
};

/* The same, wherever its frames are. */
struct leat_raw_view {
	const uint8_t *frames; /* 8 bytes each, kernel frames first; of any alignment */
	uint16_t kframe_cnt;
	uint16_t uframe_cnt;
	uint8_t uresult;
	uint8_t kresult;
	uint8_t user_mode;
};

/* Samples of one process with one stack. */
struct leat_hit {
	uint32_t process;
	uint32_t tid;
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t count;
	uint64_t ts_ns; /* 0 unless streamed */
	uint16_t cpu;	/* UINT16_MAX unless streamed */
};

struct leat_pending {
	struct leat_hit hit;
	uint32_t next;
};

/* Where the stack @raw of @process went: holds while no mapping changes. */
struct leat_placed {
	uint32_t process;
	uint32_t raw;
	uint32_t stack;
	uint32_t sample; /* the last one; LEAT_ID_NONE */
	uint64_t version;
	uint64_t first_ns;
};

struct leat_cpu_stat {
	bool seen;
	uint64_t wanted;
	uint64_t stat[LEAT_STAT__MAX];
};

#define LEAT_SESSION_MAX_ATTRIBUTE_SOURCES 8

struct leat_session {
	struct leat_profile *p;
	struct leat_process_cell_writable processes; /* changed only inside a write */
	struct leat_attribute_source attribute_sources[LEAT_SESSION_MAX_ATTRIBUTE_SOURCES];
	size_t attribute_source_cnt;
	struct leat_session_opts opts;
	struct leat_session_hooks hooks;
	struct leat_bus *bus;	  /* NULL before _attach and after _finish */
	struct leat_bus *own_bus; /* of a session that was built; else NULL */
	struct leat_pump pump;	  /* the same */
	struct leat_hook events[LEAT_REC__MAX];
	bool finished;

	struct leat_incarnation *inc;
	size_t inc_cap;
	struct leat_index tgid_index;
	struct leat_tgid *tgids;
	size_t tgid_cap;
	uint32_t last_tgid; /* index into tgids of the last look-up */
	uint64_t mapping_cnt;

	struct leat_index raw_index;
	struct leat_raw *raws;
	size_t raw_cap;
	uint64_t *raw_frames;
	size_t raw_frame_cnt;
	size_t raw_frame_cap;
	struct leat_pending *pending;
	size_t pending_cnt;
	size_t pending_cap;
	uint32_t pending_free; /* list of unused ones; LEAT_ID_NONE */

	struct leat_index placed_index;
	struct leat_placed *placed;
	size_t placed_cap;
	uint32_t kernel_object; /* LEAT_ID_NONE before the first kernel frame */
	uint32_t ids[LEAT_SESSION_MAX_FRAMES];

	struct leat_cpu_stat *cpus;
	size_t cpu_cnt;
	size_t cpu_cap;
	uint64_t taken;
	uint64_t lost; /* delivered, then not kept */
};

/* ---- reading (session.c) ---- */

/* 0 for a field that the format lacks. */
static inline uint64_t leat_field_u64(struct leat_reading *rd, unsigned int field)
{
	leat_field_ref ref = rd->hook->refs[field];
	uint64_t v = 0;
	int err;

	if (ref.index == LEAT_FIELD_REF_NONE)
		return 0;
	err = leat_get_u64(rd->hook->format, ref, rd->r, &v);
	if (err && !rd->err)
		rd->err = err;
	return v;
}

static inline uint32_t leat_field_u32(struct leat_reading *rd, unsigned int field)
{
	return (uint32_t)leat_field_u64(rd, field);
}

/* Counts the record as malformed when a field could not be read. */
bool leat_reading_failed(const struct leat_reading *rd);

/* Callbacks, one for each event; the field numbers are private to the file. */
int leat_on_process(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_thread(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_comm(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_fork(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_exit(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_mmap(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_count(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_stack(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_sample(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_stat(void *ctx, const struct leat_event *ev, const struct leat_record *r);
int leat_on_env_lost(void *ctx, const struct leat_event *ev, const struct leat_record *r);
extern const char *const leat_process_fields[];
extern const char *const leat_comm_fields[];
extern const char *const leat_task_fields[];
extern const char *const leat_mmap_fields[];
extern const char *const leat_count_fields[];
extern const char *const leat_stack_fields[];
extern const char *const leat_sample_fields[];
extern const char *const leat_stat_fields[];
extern const char *const leat_lost_fields[];

/* ---- processes (incarnations.c) ---- */

/* Which incarnation a time belongs to; @start_ns: the leader's start, 0 unknown. LEAT_ID_NONE: none. */
uint32_t leat_incarnation_at(struct leat_session *s, uint32_t tgid, uint64_t ns, uint64_t start_ns);
/* The same, and makes one up when there is none: "[pid N]", not announced. */
int leat_incarnation_get(struct leat_session *s, uint32_t tgid, uint64_t ns, uint64_t start_ns,
			 uint32_t *process) LEAT_MUST_USE;
/* Adds one in its place among those of its tgid; the table may move. */
int leat_incarnation_add(struct leat_session *s, const struct leat_process *proc,
			 uint32_t *process) LEAT_MUST_USE;
/* Whether two start times can be of one process; 0 is unknown and agrees with all. */
bool leat_start_agrees(uint64_t a_ns, uint64_t b_ns);
/* Names of those that were never announced and whose parents were; whose mappings are known. */
void leat_incarnations_finish(struct leat_session *s);

/* ---- mappings (maps.c) ---- */

/* A process's mappings for looking up, its parent's while it has none of its own, and up to when. */
struct leat_mappings *leat_maps_of(struct leat_session *s, uint32_t process, uint64_t *until_ns);
/* Exec, known late: what was mapped or seen at @ns or later belongs to @to. */
int leat_maps_split(struct leat_session *s, uint32_t from, uint32_t to, uint64_t ns) LEAT_MUST_USE;

/* ---- stacks (raw.c, place.c) ---- */

/* The stack behind a hash; LEAT_ID_NONE when it was never heard of. */
uint32_t leat_raw_find(const struct leat_session *s, uint64_t hash);
/* @v NULL: heard of, frames unknown. -EOVERFLOW when the table is full. */
int leat_raw_put(struct leat_session *s, uint64_t hash, const struct leat_raw_view *v,
		 uint32_t *raw) LEAT_MUST_USE;
struct leat_raw_view leat_raw_view(const struct leat_session *s, uint32_t raw);
/* Lets @hit wait for its stack, or for its process. -EOVERFLOW when too many wait. */
int leat_pending_add(struct leat_session *s, uint32_t raw,
		     const struct leat_hit *hit) LEAT_MUST_USE;
/* Places what waits for @raw: of announced processes, or (@all) of every one. */
int leat_pending_resolve(struct leat_session *s, uint32_t raw, bool all) LEAT_MUST_USE;
/* Puts a sample into the profile. @raw LEAT_ID_NONE: the frames are in @v only. */
int leat_place(struct leat_session *s, uint32_t raw, const struct leat_raw_view *v,
	       const struct leat_hit *hit) LEAT_MUST_USE;
int leat_place_raw(struct leat_session *s, uint32_t raw, const struct leat_hit *hit) LEAT_MUST_USE;
/* The same for one whose frames never arrived. */
int leat_place_unsent(struct leat_session *s, const struct leat_hit *hit,
		      uint8_t uresult) LEAT_MUST_USE;

/* ---- attributes (attributes.c) ---- */

int leat_attributes_finish(struct leat_session *s) LEAT_MUST_USE;

/* ---- sources of its own (build.c); nothing without ---- */

int leat_session_drain_own(struct leat_session *s) LEAT_MUST_USE;
void leat_session_close_own(struct leat_session *s);

/* ---- accounting (stat.c) ---- */

void leat_stat_finish(struct leat_session *s);

#endif
