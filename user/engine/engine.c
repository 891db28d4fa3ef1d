/* SPDX-License-Identifier: BSD-2-Clause */
#include "engine/impl.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t leat_engine_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int check_opts(const struct leat_engine_opts *o, struct leat_diag *diag)
{
	const struct leat_cfg *c = &o->cfg;

	if (!o->cpu_cnt || !o->cpus)
		return leat_diag_set(diag, -EINVAL, LEAT_EXIT_USAGE, "no CPU to sample on");
	if (!o->freq_hz == !o->period)
		return leat_diag_set(diag, -EINVAL, LEAT_EXIT_USAGE,
				     "give either a frequency or a period");
	if (o->event.time_based && o->period && o->period < LEAT_CLOCK_PERIOD_MIN) {
		leat_diag_set(diag, -EINVAL, LEAT_EXIT_USAGE,
			      "a period of %s is at least %u ns, not %" PRIu64, o->event.name,
			      LEAT_CLOCK_PERIOD_MIN, o->period);
		leat_diag_why(diag, "the kernel takes any shorter one for that, and what was "
				    "sampled could not be told from what was lost");
		leat_diag_fix(diag, "-c %u", LEAT_CLOCK_PERIOD_MIN);
		return -EINVAL;
	}
	if (c->by_name > LEAT_CFG_MAX_NAMES || c->by_cgroup > LEAT_CFG_MAX_CGROUPS ||
	    c->by_uid > LEAT_CFG_MAX_UIDS)
		return leat_diag_set(diag, -EOVERFLOW, LEAT_EXIT_USAGE,
				     "at most %d names, %d cgroups and %d users can be filtered",
				     LEAT_CFG_MAX_NAMES, LEAT_CFG_MAX_CGROUPS, LEAT_CFG_MAX_UIDS);
	if (!c->max_uframes || c->max_uframes > LEAT_MAX_UFRAMES)
		return leat_diag_set(diag, -EINVAL, LEAT_EXIT_USAGE,
				     "a user stack has 1 to %d frames", LEAT_MAX_UFRAMES);
	return 0;
}

static int copy_opts(struct leat_engine *e, const struct leat_engine_opts *o)
{
	e->opts = *o;
	e->event = o->event;
	e->cpus = calloc(o->cpu_cnt, sizeof(*e->cpus));
	if (!e->cpus)
		return -ENOMEM;
	memcpy(e->cpus, o->cpus, o->cpu_cnt * sizeof(*e->cpus));
	e->opts.cpus = e->cpus;
	for (size_t i = 0; i < o->cpu_cnt; i++)
		if (e->cpus[i] >= e->cpu_max)
			e->cpu_max = e->cpus[i] + 1;
	e->perf_fds = malloc(o->cpu_cnt * sizeof(*e->perf_fds));
	if (!e->perf_fds)
		return -ENOMEM;
	memset(e->perf_fds, 0xff, o->cpu_cnt * sizeof(*e->perf_fds));
	return 0;
}

int leat_engine_open(struct leat_engine **out, const struct leat_engine_opts *opts,
		     struct leat_diag *diag)
{
	LEAT_AUTO(leat_engine_free) struct leat_engine *e = NULL;
	int err = check_opts(opts, diag);

	if (err)
		return err;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->epoll_fd = -1;
	e->control.fd = -1;
	err = copy_opts(e, opts);
	if (err)
		return err;
	err = leat_engine_event_choose(e, diag);
	if (err)
		return err;
	leat_engine_sizes(e);
	err = leat_engine_load(e, diag);
	if (err)
		return err;
	err = leat_engine_rings_open(e);
	if (err && leat_why_limit(diag, err, "map the BPF rings"))
		return err;
	if (err)
		return leat_diag_set(diag, err, LEAT_EXIT_SYSTEM, "cannot map the BPF rings (%s)",
				     strerror(-err));
	*out = LEAT_TAKE(e);
	return 0;
}

void leat_engine_free(struct leat_engine **ep)
{
	struct leat_engine *e = *ep;

	if (!e)
		return;
	leat_engine_events_close(e);
	leat_engine_rings_close(e);
	leat_engine_unload(e);
	free(e->perf_fds);
	free(e->cpus);
	free(e);
	*ep = NULL;
}

const struct leat_diag *leat_engine_diag(const struct leat_engine *e)
{
	return &e->diag;
}

const struct leat_perf_event *leat_engine_event(const struct leat_engine *e)
{
	return &e->event;
}

const char *leat_engine_event_note(const struct leat_engine *e)
{
	return e->note;
}

size_t leat_engine_map_bytes(const struct leat_engine *e)
{
	return leat_engine_maps_memory(e);
}

unsigned int leat_engine_ring_fill_percent(const struct leat_engine *e)
{
	size_t most = 0;

	for (uint32_t i = 0; i < e->ring_cnt; i++) {
		size_t pending = leat_ring_pending(&e->rings[i]);

		if (pending > most)
			most = pending;
	}
	return e->ring_size ? (unsigned int)(most * 100 / e->ring_size) : 0;
}
