/* SPDX-License-Identifier: BSD-2-Clause */
/* The recording itself: one thread, woken by the side band, the rings, and the target's end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "live/procfs.h"
#include "live/run.h"

/* Epoll data: below this, the index of a watch. */
#define TAG_ENV	    0xfffffff0u
#define TAG_CONTROL 0xfffffff1u
#define TAG_RINGS   0xfffffff2u
#define TAG_TABLES  0xfffffff3u

/*
 * The side band wakes us at every record. One that concerns the target is followed by others
 * within a millisecond; on a host where foreign processes come and go, we look less and less often.
 */
#define ENV_GAP_MIN_NS 1000000u
#define ENV_GAP_MAX_NS 50000000u

static int add_fd(struct leat_run *r, int fd, uint32_t tag)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = tag };

	if (fd < 0)
		return 0;
	return epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int env_fd(const struct leat_run *r)
{
	const struct leat_source *s = &r->pump.sources[0];

	return s->ops->poll_fd(s->self);
}

static void env_wakeups(struct leat_run *r, bool on)
{
	struct epoll_event ev = { .events = on ? EPOLLIN : 0, .data.u32 = TAG_ENV };

	if (on == !r->env_quiet)
		return;
	epoll_ctl(r->epoll_fd, EPOLL_CTL_MOD, env_fd(r), &ev);
	r->env_quiet = !on;
}

/* A process by pidfd; a thread, for which older kernels have none, is looked for at each tick. */
static int watch(struct leat_run *r, uint32_t id, bool thread)
{
	struct leat_watch *w = &r->watches[r->watch_cnt];

	*w = (struct leat_watch){ .id = id, .fd = -1 };
	if (!thread)
		w->fd = (int)syscall(SYS_pidfd_open, id, 0);
	r->watch_cnt++;
	return add_fd(r, w->fd, (uint32_t)(r->watch_cnt - 1));
}

static int watch_target(struct leat_run *r)
{
	const struct leat_target *t = &r->o->target;
	size_t i;
	int err = 0;

	r->watches = calloc(r->plan.proc_cnt + t->tid_cnt + 1, sizeof(*r->watches));
	if (!r->watches)
		return -ENOMEM;
	for (i = 0; !err && i < t->tid_cnt; i++)
		err = watch(r, t->tids[i], true);
	for (i = 0; !err && !t->tid_cnt && i < r->plan.proc_cnt; i++) {
		if (r->plan.procs[i].asked && r->watch_cnt < LEAT_LIVE_MAX_TARGETS)
			err = watch(r, r->plan.procs[i].tgid, false);
	}
	return err;
}

int leat_run_watch(struct leat_run *r)
{
	int err;

	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0)
		return -errno;
	if ((err = add_fd(r, env_fd(r), TAG_ENV)) ||
	    (err = add_fd(r, leat_engine_control_fd(r->engine), TAG_CONTROL)) ||
	    (err = add_fd(r, r->pump.sources[1].ops->poll_fd(r->engine), TAG_RINGS)) ||
	    (err = add_fd(r, r->tables ? leat_tables_fd(r->tables) : -1, TAG_TABLES)))
		return err;
	return watch_target(r);
}

static void went(struct leat_run *r, struct leat_watch *w)
{
	if (w->gone)
		return;
	w->gone = true;
	r->watch_gone++;
	if (w->fd >= 0)
		close(w->fd); /* leaves the epoll set */
	w->fd = -1;
}

/* Those without a pidfd. */
static void look_for_watches(struct leat_run *r)
{
	char path[64];
	size_t i;

	for (i = 0; i < r->watch_cnt; i++) {
		struct leat_watch *w = &r->watches[i];

		if (w->gone || w->fd >= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%u/stat", w->id);
		if (access(path, F_OK))
			went(r, w);
	}
}

static bool target_ended(const struct leat_run *r)
{
	if (!r->watch_cnt || r->watch_gone < r->watch_cnt)
		return false;
	/* Children outlive it, and belong to the target. */
	return !r->plan.children || r->plan.env_all || leat_env_alive(r->env) == 0;
}

bool leat_run_target_ended(struct leat_run *r)
{
	struct epoll_event ev[16];
	int n = epoll_wait(r->epoll_fd, ev, LEAT_ARRAY_SIZE(ev), 0);

	for (int i = 0; i < n; i++) {
		if (ev[i].data.u32 < r->watch_cnt)
			went(r, &r->watches[ev[i].data.u32]);
	}
	look_for_watches(r);
	return target_ended(r);
}

static int poll_env(struct leat_run *r, uint64_t now)
{
	const struct leat_source *s = &r->pump.sources[0];
	bool more;
	int n = s->ops->poll(s->self, r->bus, leat_clock_ns(), &more);

	if (leat_env_was_useful(r->env))
		r->env_gap_ns = ENV_GAP_MIN_NS;
	else if (r->env_gap_ns < ENV_GAP_MAX_NS)
		r->env_gap_ns *= 2;
	r->env_next_ns = now + r->env_gap_ns;
	env_wakeups(r, false);
	return n < 0 ? n : 0;
}

static int handle(struct leat_run *r, uint32_t tag, uint64_t now)
{
	int n;

	switch (tag) {
	case TAG_ENV:
		return poll_env(r, now);
	case TAG_CONTROL:
		/* Who was born under our eyes need not be looked up. */
		n = poll_env(r, now);
		if (n >= 0)
			n = leat_engine_poll_control(r->engine, r->bus);
		return n < 0 ? n : 0;
	case TAG_TABLES:
		return 0; /* the round is after all events */
	case TAG_RINGS:
		n = leat_pump_round(&r->pump, now);
		return n < 0 ? n : 0;
	default:
		if (tag < r->watch_cnt)
			went(r, &r->watches[tag]);
		return 0;
	}
}

void leat_run_progress(struct leat_run *r, uint64_t now)
{
	struct leat_live_progress p = { .elapsed_ns = now - r->start_ns };
	uint64_t stat[LEAT_STAT__MAX];
	struct leat_env_stats env;

	r->next_progress_ns = now + LEAT_PROGRESS_NS;
	if (!r->o->on_progress)
		return;
	leat_env_stats(r->env, &env);
	p.samples = leat_session_samples(r->session);
	p.stacks = leat_session_stacks(r->session);
	p.ring_percent = leat_engine_ring_fill_percent(r->engine);
	if (p.elapsed_ns) {
		p.self_percent = 100.0 * (double)(leat_cost_cpu_ns() - r->start_cpu_ns) /
				 (double)p.elapsed_ns;
		if (!leat_engine_stats(r->engine, stat)) {
			p.lost = stat[LEAT_STAT_L_STALLED] + stat[LEAT_STAT_L_BUSY] +
				 stat[LEAT_STAT_L_RING_FULL] + stat[LEAT_STAT_L_NO_SCRATCH];
		}
	}
	r->o->on_progress(r->o->ctx, &p);
}

static int tick(struct leat_run *r, uint64_t now)
{
	int n;

	r->next_tick_ns = now + LEAT_TICK_NS;
	leat_meter_update(&r->meter);
	n = leat_pump_round(&r->pump, now);
	if (n < 0)
		return n;
	look_for_watches(r);
	leat_run_capture_tick(r);
	if (++r->ticks % 10 == 0)
		leat_files_tick(r->files);
	if (now >= r->next_progress_ns)
		leat_run_progress(r, now);
	return 0;
}

static int wait_ms(const struct leat_run *r, uint64_t now)
{
	uint64_t until = r->next_tick_ns;

	if (r->o->duration_ns && r->start_ns + r->o->duration_ns < until)
		until = r->start_ns + r->o->duration_ns;
	if (r->env_quiet && r->env_next_ns < until)
		until = r->env_next_ns;
	return until <= now ? 0 : (int)((until - now + 999999) / 1000000);
}

static bool is_over(struct leat_run *r, uint64_t now)
{
	if (r->o->stop && *r->o->stop) {
		r->stop_signal = *r->o->stop;
		return true;
	}
	if (target_ended(r)) {
		r->target_gone = true;
		return true;
	}
	return r->o->duration_ns && now - r->start_ns >= r->o->duration_ns;
}

int leat_run_loop(struct leat_run *r)
{
	struct epoll_event ev[16];
	uint64_t now = leat_clock_ns();
	int err = 0;

	r->env_gap_ns = ENV_GAP_MIN_NS;
	r->next_tick_ns = now + LEAT_TICK_NS;
	while (!err && !is_over(r, now)) {
		int n = epoll_wait(r->epoll_fd, ev, LEAT_ARRAY_SIZE(ev), wait_ms(r, now));
		int i;

		now = leat_clock_ns();
		if (n < 0 && errno != EINTR)
			return leat_diag_set(r->diag, -errno, LEAT_EXIT_FAILURE, "epoll_wait (%s)",
					     strerrorname_np(errno));
		for (i = 0; !err && i < n; i++)
			err = handle(r, ev[i].data.u32, now);
		if (!err && now >= r->next_tick_ns)
			err = tick(r, now);
		if (!err && r->tables)
			err = leat_tables_round(r->tables);
		if (r->env_quiet && now >= r->env_next_ns)
			env_wakeups(r, true);
	}
	if (!err)
		return 0;
	if (leat_engine_diag(r->engine)->err)
		*r->diag = *leat_engine_diag(r->engine);
	return leat_diag_set(r->diag, err, LEAT_EXIT_FAILURE, "the recording broke off (%s)",
			     strerrorname_np(-err));
}
