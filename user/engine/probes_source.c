/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracepoints as a source. */
#include "engine/probes_impl.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "engine/impl.h"

struct intake {
	struct leat_probes *p;
	struct leat_bus *bus;
	uint64_t until_ns;
};

/* The record is the tracepoint's own, as its format describes it: without the header. */
static int take(void *ctx, const void *data, size_t n)
{
	struct intake *in = ctx;
	struct leat_record r;

	if (leat_wire_record(data, n, &r)) {
		in->p->stats.malformed++;
		return 1;
	}
	if (r.ts_ns > in->until_ns)
		return 0;
	r.data = (const uint8_t *)r.data + sizeof(struct leat_rec);
	r.size -= sizeof(struct leat_rec);
	in->p->stats.records++;
	in->p->stats.bytes += n;
	leat_bus_dispatch(in->bus, &r);
	return 1;
}

static int source_open(void *self, struct leat_bus *bus)
{
	struct leat_probes *p = self;

	for (size_t i = 0; i < p->cnt; i++) {
		struct leat_tracepoint *tp = &p->tps[i];
		struct leat_event *ev = NULL;
		int err = tp->format ? leat_bus_add_event(bus, (uint16_t)tp->cfg.kind, tp->name,
							  tp->format, &ev)
				     : -EALREADY;

		if (err)
			return leat_diag_set(&p->diag, err, LEAT_EXIT_FAILURE,
					     "cannot register the event %s (%s)", tp->name,
					     strerror(-err));
		tp->format = NULL; /* the bus's now */
		leat_event_set_flags(ev, LEAT_EVENT_NO_STACK);
	}
	return 0;
}

static int source_start(void *self)
{
	return leat_probes_attach(self);
}

static int source_poll(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	struct leat_probes *p = self;
	struct intake in = { .p = p, .bus = bus, .until_ns = until_ns };
	const size_t n = leat_ring_consume(&p->ring, LEAT_POLL_BATCH, take, &in);

	*more = n == LEAT_POLL_BATCH;
	return (int)n;
}

/* From here on nothing is added: no program runs any more. What is in the ring can be polled. */
static int source_stop(void *self)
{
	leat_probes_detach(self);
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		usleep(20000);
	return 0;
}

static void source_close(void *self)
{
	leat_probes_detach(self);
}

static void source_stats(const void *self, struct leat_source_stats *out)
{
	const struct leat_probes *p = self;
	uint64_t stat[LEAT_STAT__MAX];

	*out = p->stats;
	out->lost = leat_probes_skipped(p);
	if (leat_probes_stats(p, stat))
		return;
#define ADD_LOST(id, class, help)                                                                  \
	if (LEAT_STAT_CLASS_##class == LEAT_STAT_CLASS_LOST)                                       \
		out->lost += stat[LEAT_STAT_##id];
	LEAT_STATS(ADD_LOST)
#undef ADD_LOST
}

static int source_poll_fd(const void *self)
{
	return ((const struct leat_probes *)self)->ring.fd;
}

struct leat_source leat_probes_source(struct leat_probes *p)
{
	static const struct leat_source_ops ops = {
		.name = "tracepoints",
		.open = source_open,
		.start = source_start,
		.poll = source_poll,
		.stop = source_stop,
		.close = source_close,
		.stats = source_stats,
		.poll_fd = source_poll_fd,
	};

	return (struct leat_source){ .ops = &ops, .self = p };
}
