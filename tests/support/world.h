/* SPDX-License-Identifier: BSD-2-Clause */
/* A session fed from memory: records are pushed, run, and read as folded text. */
#ifndef LEAT_TESTS_SUPPORT_WORLD_H
#define LEAT_TESTS_SUPPORT_WORLD_H

#include "event/mock.h"
#include "event/pump.h"
#include "leat_wire.h"
#include "session/session.h"

struct leat_world {
	struct leat_bus *bus;
	struct leat_mock *mock;
	struct leat_pump pump;
	struct leat_session *session;
	struct leat_profile *p; /* after leat_world_finish */
	struct leat_buf folded;
};

/* @opts may be NULL. All of these end the program when memory is short. */
void leat_world_init(struct leat_world *w, const struct leat_session_opts *opts);
void leat_world_fini(struct leat_world *w);
void leat_world_run(struct leat_world *w);    /* delivers what was pushed so far */
void leat_world_finish(struct leat_world *w); /* and ends the session */
/*
 * Names every frame and folds: "path:offset" in hex, "k:address", "jit:address", "?:address",
 * "remapped:address"; an r behind return addresses. Valid until called again.
 */
char *leat_world_folded(struct leat_world *w);
/* The same for a profile of its own. */
void leat_fake_names(struct leat_profile *p);

struct leat_put_process {
	uint64_t ts, start;
	uint32_t tgid, ppid, flags;
	const char *comm, *exe;
};
void leat_put_process(struct leat_world *w, const struct leat_put_process *in);

struct leat_put_map {
	uint64_t ts, start, end, pgoff, ino;
	uint32_t tgid;
	enum leat_mmap_kind kind;
	bool from_proc;
	const char *path;
	const char *build_id; /* text, its bytes are the id */
};
void leat_put_map(struct leat_world *w, const struct leat_put_map *in);

struct leat_put_stack {
	uint64_t ts, hash, start, count; /* start and count: of a sample */
	uint32_t tgid, tid;
	uint16_t kcnt, ucnt, cpu;
	uint8_t uresult, kresult, user_mode;
	uint64_t frames[16]; /* kernel, then user */
};
void leat_put_stack(struct leat_world *w, const struct leat_put_stack *in);
void leat_put_sample(struct leat_world *w, const struct leat_put_stack *in);

struct leat_put_count {
	uint64_t hash, start, first, last, count;
	uint32_t tgid, tid, map_gen, exec_cnt;
};
void leat_put_count(struct leat_world *w, const struct leat_put_count *in);

/* @kind: LEAT_REC_COMM or LEAT_REC_THREAD; @flags: LEAT_COMM_EXEC. */
struct leat_put_comm {
	uint64_t ts;
	uint32_t tgid, tid, flags;
	enum leat_rec_kind kind;
	const char *comm;
};
void leat_put_comm(struct leat_world *w, const struct leat_put_comm *in);
void leat_put_fork(struct leat_world *w, uint64_t ts, uint32_t ptgid, uint32_t tgid, uint32_t tid);
void leat_put_exit(struct leat_world *w, uint64_t ts, uint32_t tgid, uint32_t tid);
void leat_put_lost(struct leat_world *w, uint64_t ts, uint64_t cnt);
void leat_put_stat(struct leat_world *w, const struct leat_rec_stat *in);

#endif
