/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live collection in a test: the engine with a bus that counts what arrives, and busy children.
 * Whatever cannot be set up ends the program with a message.
 */
#ifndef LEAT_TESTS_SUPPORT_COLLECT_H
#define LEAT_TESTS_SUPPORT_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/engine.h"
#include "leat_wire.h"

#define LEAT_COLLECT_CPUS 64

struct leat_collect {
	struct leat_engine *engine;
	struct leat_bus *bus;
	struct leat_source source;
	uint64_t counted; /* sum of all counts */
	uint64_t count_recs;
	uint64_t stacks;  /* records with frames */
	uint64_t samples; /* records of single samples */
	uint64_t newprocs;
	uint64_t stat_recs;
	uint32_t last_tgid; /* of a count or sample */
	uint32_t last_tid;
	uint32_t newproc_tgid;
	struct leat_rec_stat stat[LEAT_COLLECT_CPUS]; /* the last of each CPU */
	/* Each count or sample, and each stack, if set. */
	void (*on_stack)(void *ctx, const struct leat_rec_stack *r);
	void (*on_count)(void *ctx, const struct leat_rec_count *r);
	void (*on_sample)(void *ctx, const struct leat_rec_sample *r);
	void *ctx;
};

/* 999 Hz of cpu-clock on all online CPUs, both stacks, 127 frames. */
struct leat_engine_opts leat_collect_opts(void);
/* Opens the engine and the source. */
void leat_collect_open(struct leat_collect *c, const struct leat_engine_opts *o);
void leat_collect_start(struct leat_collect *c);
/* Polls every 20 ms for @ms. */
void leat_collect_run(struct leat_collect *c, unsigned int ms);
/* Stops, and polls until nothing is left. */
void leat_collect_finish(struct leat_collect *c);
void leat_collect_fini(struct leat_collect *c);
/* A counter of the kernel side, all CPUs. */
uint64_t leat_collect_stat(const struct leat_collect *c, enum leat_stat id);
/* Sum of a class of counters in @stat (32 of them). */
uint64_t leat_collect_class(const uint64_t *stat, enum leat_stat_class class);
/* True when seen == filtered + delivered + lost on each CPU's last record. */
bool leat_collect_adds_up(const struct leat_collect *c);

/* Spins for ever in user mode; killed with the test. */
void leat_spin_forever(void);
/* A child that runs @fn; killed when the test ends. */
pid_t leat_child(void (*fn)(void));
void leat_child_kill(pid_t pid);
/* A page of zeros that children share with the test. */
void *leat_shared_page(void);

#endif
