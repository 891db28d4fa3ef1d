/* SPDX-License-Identifier: BSD-2-Clause */
/* Has the tables of a closed epoch written into the rings, CPU by CPU, and reads them on the way. */
#include "engine/impl.h"

#include <bpf/bpf.h>
#include <errno.h>

/* One run of leat_drain: where it stopped. */
static int run_drain(struct leat_engine *e, uint32_t cpu, uint32_t *slot, bool *full)
{
	struct leat_drain_args args = { .cpu = cpu, .epoch = e->drain.epoch, .start = *slot };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));
	int err = bpf_prog_test_run_opts(e->drain_fd, &opts);

	if (err)
		return err;
	*full = opts.retval & LEAT_DRAIN_FULL;
	*slot = opts.retval & ~LEAT_DRAIN_FULL;
	return 0;
}

/* 1 this CPU's table is empty, 0 its ring is full and nothing of it could be read, -errno. */
static int drain_cpu(struct leat_engine *e, struct leat_intake *in, size_t *budget)
{
	const uint32_t cpu = e->cpus[e->drain.cpu_i];
	const uint32_t end = 1u << e->opts.cfg.slot_bits;
	struct leat_ring *ring = &e->rings[e->cpu_ring[cpu]];

	while (e->drain.slot < end && e->used[cpu].slots[e->drain.epoch]) {
		bool full = false;
		size_t n;
		int err = run_drain(e, cpu, &e->drain.slot, &full);

		if (err)
			return err;
		if (!full)
			continue;
		n = leat_engine_intake(ring, *budget, in);
		*budget -= n;
		if (!n)
			return 0;
	}
	return 1;
}

int leat_engine_drain(struct leat_engine *e, struct leat_intake *in, size_t *budget)
{
	if (!e->drain.active) {
		e->drain = (struct leat_drain_cursor){
			.active = true,
			.epoch = (e->ctl->epoch & 1) ^ 1,
		};
	}
	for (; e->drain.cpu_i < e->opts.cpu_cnt; e->drain.cpu_i++, e->drain.slot = 0) {
		int rc = drain_cpu(e, in, budget);

		if (rc <= 0)
			return rc;
	}
	e->drain.active = false;
	return 1;
}
