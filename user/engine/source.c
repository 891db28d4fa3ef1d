/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine as a source. A round, each drain_ms: (1) the table that was closed a round before is
 * drained, (2) the rings are consumed, (3) the epoch flips. Between two flips lies far more time
 * than any sample takes, so the closed table is at rest when it is drained.
 */
#include "engine/impl.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MS 1000000ull

static void beat(struct leat_engine *e, uint64_t now_ns)
{
	__atomic_store_n(&e->ctl->beat_ns, now_ns, __ATOMIC_RELAXED);
}

static void flip(struct leat_engine *e, uint64_t now_ns)
{
	__atomic_store_n(&e->ctl->epoch, e->ctl->epoch + 1, __ATOMIC_RELEASE);
	e->round_ns = now_ns;
}

/* Forgets which wake-ups there were: what they announced is consumed now. */
static void clear_events(const struct leat_engine *e)
{
	struct epoll_event ev[LEAT_POLL_EVENTS];

	while (epoll_wait(e->epoll_fd, ev, LEAT_POLL_EVENTS, 0) == LEAT_POLL_EVENTS)
		;
}

static void consume_rings(struct leat_engine *e, struct leat_intake *in, size_t *budget)
{
	*budget -= leat_engine_intake(&e->control, *budget, in);
	for (uint32_t i = 0; i < e->ring_cnt && *budget; i++)
		*budget -= leat_engine_intake(&e->rings[i], *budget, in);
}

/* Waits until no program runs that began before: a grace period of RCU. */
static void quiesce(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20000);
}

/* The closed table, the rings, the flip. 1 done, 0 to be continued, -errno. */
static int round_step(struct leat_engine *e, struct leat_intake *in, size_t *budget)
{
	int rc = leat_engine_drain(e, in, budget);

	if (rc <= 0)
		return rc;
	consume_rings(e, in, budget);
	flip(e, leat_engine_now());
	return 1;
}

/* All that was counted until now, while sampling goes on: both tables. */
static int flush_step(struct leat_engine *e, struct leat_intake *in, size_t *budget)
{
	int rc = round_step(e, in, budget);

	if (rc <= 0)
		return rc;
	quiesce();
	rc = leat_engine_drain(e, in, budget);
	if (rc <= 0)
		return rc;
	consume_rings(e, in, budget);
	e->flush = false;
	return 1;
}

/* After the stop: both tables, then what is in the rings. */
static int final_step(struct leat_engine *e, struct leat_intake *in, size_t *budget)
{
	while (e->closed < 2) {
		int rc = round_step(e, in, budget);

		if (rc <= 0)
			return rc;
		e->closed++;
	}
	consume_rings(e, in, budget);
	if (!*budget)
		return 0;
	for (uint32_t i = 0; i < e->ring_cnt; i++)
		if (leat_ring_pending(&e->rings[i]))
			return 0; /* younger than the pump's time */
	e->state = LEAT_ENGINE_EMPTY;
	return leat_engine_emit_stats(e, in->bus);
}

static int running_step(struct leat_engine *e, struct leat_intake *in, size_t *budget)
{
	const uint64_t now = leat_engine_now();
	int rc = 1;

	if (e->flush)
		rc = flush_step(e, in, budget);
	else if (e->drain.active || now - e->round_ns >= e->drain_ms * MS)
		rc = round_step(e, in, budget);
	if (rc < 0)
		return rc;
	consume_rings(e, in, budget);
	if (now - e->stat_ns < LEAT_STAT_MS * MS)
		return 0;
	e->stat_ns = now;
	return leat_engine_emit_stats(e, in->bus);
}

static int source_poll(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	struct leat_engine *e = self;
	struct leat_intake in = { .e = e, .bus = bus, .until_ns = until_ns };
	const uint64_t before = e->stats.records;
	size_t budget = LEAT_POLL_BATCH;
	int err = 0;

	*more = false;
	beat(e, leat_engine_now());
	clear_events(e);
	if (e->state == LEAT_ENGINE_RUNNING)
		err = running_step(e, &in, &budget);
	else if (e->state == LEAT_ENGINE_STOPPED)
		err = final_step(e, &in, &budget);
	if (err < 0)
		return leat_diag_set(&e->diag, err, LEAT_EXIT_FAILURE,
				     "cannot read the kernel side's tables (%s)", strerror(-err));
	*more = !budget || (e->state == LEAT_ENGINE_STOPPED && until_ns == UINT64_MAX);
	return (int)(e->stats.records - before);
}

static int source_open(void *self, struct leat_bus *bus)
{
	return leat_engine_register(self, bus);
}

static int source_start(void *self)
{
	struct leat_engine *e = self;
	const uint64_t now = leat_engine_now();
	int err;

	if (e->state != LEAT_ENGINE_LOADED)
		return -EALREADY;
	err = leat_engine_events_open(e);
	if (err)
		return err;
	beat(e, now);
	e->round_ns = now;
	e->stat_ns = now;
	e->state = LEAT_ENGINE_RUNNING;
	leat_engine_events_enable(e, true);
	return 0;
}

static int source_stop(void *self)
{
	struct leat_engine *e = self;

	if (e->state != LEAT_ENGINE_RUNNING)
		return 0;
	leat_engine_events_enable(e, false);
	e->state = LEAT_ENGINE_STOPPED;
	e->closed = 0;
	return 0;
}

static void source_close(void *self)
{
	struct leat_engine *e = self;

	(void)source_stop(e);
	leat_engine_events_close(e);
}

static void source_stats(const void *self, struct leat_source_stats *out)
{
	const struct leat_engine *e = self;
	uint64_t stat[LEAT_STAT__MAX];

	*out = e->stats;
	if (leat_engine_stats(e, stat))
		return;
#define ADD_LOST(id, class, help)                                                                  \
	if (LEAT_STAT_CLASS_##class == LEAT_STAT_CLASS_LOST)                                       \
		out->lost += stat[LEAT_STAT_##id];
	LEAT_STATS(ADD_LOST)
#undef ADD_LOST
}

static int source_control(void *self, enum leat_control what, uint64_t arg)
{
	struct leat_engine *e = self;

	(void)arg;
	switch (what) {
	case LEAT_CONTROL_FLUSH:
		e->flush = true;
		return 0;
	case LEAT_CONTROL_RESEND:
		/* Any stack: at its next sample. They are sent again with the next epoch anyway. */
		__atomic_add_fetch(&e->ctl->resend_gen, 1, __ATOMIC_RELAXED);
		return 0;
	default:
		return -EINVAL;
	}
}

static int source_poll_fd(const void *self)
{
	return ((const struct leat_engine *)self)->epoll_fd;
}

struct leat_source leat_engine_source(struct leat_engine *e)
{
	static const struct leat_source_ops ops = {
		.name = "bpf",
		.open = source_open,
		.start = source_start,
		.poll = source_poll,
		.stop = source_stop,
		.close = source_close,
		.stats = source_stats,
		.control = source_control,
		.poll_fd = source_poll_fd,
	};

	return (struct leat_source){ .ops = &ops, .self = e };
}

int leat_engine_control_fd(const struct leat_engine *e)
{
	return e->control.fd;
}

int leat_engine_poll_control(struct leat_engine *e, struct leat_bus *bus)
{
	struct leat_intake in = { .e = e, .bus = bus, .until_ns = UINT64_MAX };

	return (int)leat_engine_intake(&e->control, LEAT_POLL_BATCH, &in);
}
