/* SPDX-License-Identifier: BSD-2-Clause */
/* Insides of the engine, shared by its files only. */
#ifndef LEAT_ENGINE_IMPL_H
#define LEAT_ENGINE_IMPL_H

#include "engine/engine.h"
#include "engine/ring.h"
#include "engine/tables.h"
#include "event/wire.h"
#include "leat_table.h"

struct leat_sample; /* the skeleton */
struct btf;
struct bpf_program;

#define LEAT_ENGINE_LINKS     3
#define LEAT_ENGINE_NOTE      256
#define LEAT_CONTROL_BYTES    65536u
#define LEAT_SET_MAX	      32768u
#define LEAT_SPACE_MAX	      4096u
#define LEAT_RANGES_MAX	      32768u
#define LEAT_EXES_MAX	      4096u
#define LEAT_RAW_EPOCH_MAX    (1u << 20) /* bytes of a CPU in an epoch */
#define LEAT_HEARTBEAT_MS     5000u
#define LEAT_RING_BYTES	      (2u << 20)
#define LEAT_CLOCK_PERIOD_MIN 10000u /* ns: perf_swevent_init_hrtimer takes no less */
#define LEAT_FREQ_DRAINED     2000u  /* Hz up to which a drain each LEAT_DRAIN_MS is enough */
#define LEAT_DRAIN_MS	      250u
#define LEAT_STAT_MS	      1000u
#define LEAT_POLL_BATCH	      16384u /* records in one poll */
#define LEAT_POLL_EVENTS      16

/* Where the drain of a closed table stands: it stops when a ring is full, and goes on later. */
struct leat_drain_cursor {
	bool active;
	uint32_t epoch;
	size_t cpu_i; /* index in cpus[] */
	uint32_t slot;
};

enum leat_engine_state {
	LEAT_ENGINE_LOADED = 0,
	LEAT_ENGINE_RUNNING = 1,
	LEAT_ENGINE_STOPPED = 2, /* tables and rings may hold records */
	LEAT_ENGINE_EMPTY = 3,	 /* all was delivered */
};

struct leat_engine {
	struct leat_engine_opts opts; /* cpus: own copy */
	uint32_t *cpus;
	uint32_t cpu_max; /* highest CPU number, plus 1 */
	struct leat_perf_event event;
	char note[LEAT_ENGINE_NOTE];
	struct leat_diag diag;

	struct leat_sample *skel;
	struct bpf_link *links[LEAT_ENGINE_LINKS];
	struct bpf_link *module_link; /* of leat_module_free, where the kernel has modules */
	struct leat_ctl *ctl;	      /* mapped */
	struct leat_used *used;	      /* mapped, by CPU */
	struct leat_ring *rings;
	uint32_t ring_cnt;
	size_t ring_size;
	uint32_t *cpu_ring; /* by CPU number */
	int *ring_fds;
	struct leat_ring control;
	struct leat_kernel_tables tables; /* with cfg.unwind */
	int epoll_fd;
	int drain_fd;
	int *perf_fds; /* by index in cpus[]; -1: that CPU is offline */

	enum leat_engine_state state;
	struct leat_drain_cursor drain;
	uint32_t drain_ms;
	unsigned int closed; /* tables drained since the stop */
	bool flush;
	uint64_t round_ns; /* last flip of the epoch */
	uint64_t stat_ns;  /* last records of counters */
	struct leat_source_stats stats;
};

/* What one consumption of a ring needs. */
struct leat_intake {
	struct leat_engine *e;
	struct leat_bus *bus;
	uint64_t until_ns;
};

uint64_t leat_engine_now(void);

/* load.c: BPF object. */
int leat_engine_load(struct leat_engine *e, struct leat_diag *diag) LEAT_MUST_USE;
void leat_engine_unload(struct leat_engine *e);
/* What libbpf has to say goes to the log, not to standard error. */
void leat_engine_log_libbpf(void);
const struct btf *leat_engine_btf(const struct leat_engine *e);
/* fd of a map by role, for the files that know no skeleton. */
int leat_engine_tgids_fd(const struct leat_engine *e);
int leat_engine_tids_fd(const struct leat_engine *e);
int leat_engine_control_map_fd(const struct leat_engine *e);
int leat_engine_stats_fd(const struct leat_engine *e);
int leat_engine_sample_fd(const struct leat_engine *e);
/* The maps of tables.c. */
enum leat_table_role {
	LEAT_TABLE_RANGES = 0,
	LEAT_TABLE_SPACES = 1,
	LEAT_TABLE_EXES = 2,
	LEAT_TABLE_TABLES = 3,
	LEAT_TABLE_RULES = 4,
};
int leat_engine_table_fd(const struct leat_engine *e, enum leat_table_role role);
/* Kernel memory of all its maps. */
size_t leat_engine_maps_memory(const struct leat_engine *e);

/* What finds them: the map that they are in, and two programs. */
struct leat_orc_side {
	int map_fd, find_fd;
	struct bpf_program *free_prog;
};
struct leat_orc_side leat_engine_orc_side(const struct leat_engine *e);

/* orc.c: finds the kernel's unwind tables. Without them the kernel walks its stacks, slower. */
void leat_engine_find_orc(struct leat_engine *e);

/* sizes.c: what follows from the options. */
void leat_engine_sizes(struct leat_engine *e);

/* tables.c: maps the arrays; nothing without cfg.unwind. */
int leat_engine_tables_open(struct leat_engine *e) LEAT_MUST_USE;
void leat_engine_tables_close(struct leat_engine *e);

/* sets.c: answers that the kernel side keeps are void from now on. */
void leat_engine_set_changed(struct leat_engine *e);

/* sampling.c: perf events. */
int leat_engine_events_open(struct leat_engine *e) LEAT_MUST_USE;
void leat_engine_events_enable(struct leat_engine *e, bool on);
void leat_engine_events_close(struct leat_engine *e);
/* read() of one CPU's event: value, enabled and running time; zeros when it is not open. */
struct leat_event_read {
	uint64_t value;
	uint64_t enabled_ns;
	uint64_t running_ns;
};
struct leat_event_read leat_engine_event_read(const struct leat_engine *e, size_t cpu_i);
/* Chooses the event in use: cpu-clock where "cycles" has no PMU. */
int leat_engine_event_choose(struct leat_engine *e, struct leat_diag *diag) LEAT_MUST_USE;

/* rings.c */
int leat_engine_rings_open(struct leat_engine *e) LEAT_MUST_USE;
void leat_engine_rings_close(struct leat_engine *e);
/* Consumes ring @i, at most @max records. */
size_t leat_engine_intake(struct leat_ring *r, size_t max, struct leat_intake *in);

/* drain.c: one closed table set into the rings. 1 done, 0 go on later (ring full), -errno. */
int leat_engine_drain(struct leat_engine *e, struct leat_intake *in, size_t *budget) LEAT_MUST_USE;

/* counters.c: LEAT_REC_STAT of each CPU. */
int leat_engine_emit_stats(struct leat_engine *e, struct leat_bus *bus) LEAT_MUST_USE;

/*
 * btf_format.c: the format of a struct. Nested structs and unions as dotted names. -ENOENT no such
 * struct, -EBADMSG broken, -EOVERFLOW, -ENAMETOOLONG, -ENOTSUP a bit-field that no integer of 8 bytes
 * holds, -EEXIST two members of one name, -ENOMEM.
 */
int leat_btf_format(const struct btf *btf, const char *struct_name,
		    struct leat_format **out) LEAT_MUST_USE;
/* format.c: registers the events of the kernel side's records. */
int leat_engine_register(struct leat_engine *e, struct leat_bus *bus) LEAT_MUST_USE;

/* why.c: measured causes. */
void leat_why_privilege(struct leat_diag *d, int err);
/* A limit of files or memory that was hit while @what ("load the BPF programs"); false: it is none. */
bool leat_why_limit(struct leat_diag *d, int err, const char *what);

#endif
