/* SPDX-License-Identifier: BSD-2-Clause */
/* The live system as one source of a session that a library user has built. */
#include <errno.h>
#include <leat/live.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/tracefs_dir.h"
#include "live/procfs.h"
#include "live/run.h"

#define DEFAULT_FREQ_HZ 99

enum state {
	LIVE_NEW = 0,
	LIVE_CONFIGURED = 1,
	LIVE_OPEN = 2,
	LIVE_RUNNING = 3,
	LIVE_STOPPED = 4,
	LIVE_CLOSED = 5,
};

struct leat_live {
	enum state state;
	struct leat_run run;
	struct leat_live_opts opts;
	struct leat_diag diag;
	char text[sizeof(((struct leat_diag *)0)->what) + sizeof(((struct leat_diag *)0)->why) + 2];
	bool over;
	uint64_t next_tick_ns;
	/* what the options point to */
	uint32_t ids[LEAT_SESSION_MAX_TARGETS];
	char *names[LEAT_SESSION_MAX_TARGETS];
	size_t name_cnt;
	char *events[LEAT_SESSION_MAX_EVENTS];
	size_t event_cnt;
};

int leat_live_new(struct leat_live **out)
{
	struct leat_live *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	leat_run_init(&l->run, &l->opts, &l->diag);
	*out = l;
	return 0;
}

void leat_live_free(struct leat_live **l)
{
	if (!*l)
		return;
	leat_run_fini(&(*l)->run);
	for (size_t i = 0; i < (*l)->name_cnt; i++)
		free((*l)->names[i]);
	for (size_t i = 0; i < (*l)->event_cnt; i++)
		free((*l)->events[i]);
	free(*l);
	*l = NULL;
}

/* What a part has said of it comes first. */
static int fail(struct leat_live *l, int err, const char *what)
{
	leat_diag_set(&l->diag, err, LEAT_EXIT_FAILURE, "%s", what);
	if (l->diag.why[0])
		snprintf(l->text, sizeof(l->text), "%s: %s", l->diag.what, l->diag.why);
	else
		snprintf(l->text, sizeof(l->text), "%s", l->diag.what);
	l->diag = (struct leat_diag){ 0 }; /* told: what fails next is another matter */
	return err;
}

static const char *live_error(const void *self)
{
	return ((const struct leat_live *)self)->text;
}

const char *leat_live_error(const struct leat_live *l)
{
	return l->text;
}

/* ---- what the builder says ---- */

static int keep_name(char **to, size_t *cnt, const char *name)
{
	to[*cnt] = strdup(name);
	if (!to[*cnt])
		return -ENOMEM;
	++*cnt;
	return 0;
}

/* The target's members are of one kind, and unite: "this one too". */
static void point_at_targets(struct leat_live *l, enum leat_target_kind kind, size_t n)
{
	struct leat_target *t = &l->opts.target;

	switch (kind) {
	case LEAT_TARGET_PROCESS:
		t->pids = l->ids;
		t->pid_cnt = n;
		break;
	case LEAT_TARGET_THREAD:
		t->tids = l->ids;
		t->tid_cnt = n;
		break;
	case LEAT_TARGET_CGROUP:
		t->cgroups = (const char **)l->names;
		t->cgroup_cnt = n;
		break;
	case LEAT_TARGET_NAME:
		t->names = (const char **)l->names;
		t->name_cnt = n;
		break;
	case LEAT_TARGET_ALL:
		t->all = true;
		break;
	}
}

static int take_targets(struct leat_live *l, const struct leat_session_config *c)
{
	if (!c->target_cnt)
		return fail(l, -EINVAL, "a live session needs a target");
	for (size_t i = 0; i < c->target_cnt; i++) {
		const struct leat_target_spec *t = &c->targets[i];
		int err = 0;

		if (t->kind != c->targets[0].kind)
			return fail(l, -ENOTSUP, "the targets are not all of one kind");
		l->ids[i] = t->id;
		if (t->name)
			err = keep_name(l->names, &l->name_cnt, t->name);
		if (err)
			return fail(l, err, "out of memory");
	}
	point_at_targets(l, c->targets[0].kind, c->target_cnt);
	return 0;
}

static int take_events(struct leat_live *l, const struct leat_session_config *c)
{
	for (size_t i = 0; i < c->event_cnt; i++) {
		if (keep_name(l->events, &l->event_cnt, c->events[i].name))
			return fail(l, -ENOMEM, "out of memory");
	}
	return 0;
}

static int live_configure(void *self, const struct leat_session_config *c, uint32_t *took)
{
	struct leat_live *l = self;
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int err;

	if (l->state != LIVE_NEW)
		return fail(l, -EBUSY, "it was used for a session before");
	l->state = LIVE_CONFIGURED;
	l->opts.freq_hz = c->frequency_hz ? c->frequency_hz : DEFAULT_FREQ_HZ;
	l->opts.ring_bytes = (size_t)c->buffer_bytes * (size_t)(cpus > 0 ? cpus : 1);
	l->opts.per_thread = c->per_thread;
	l->opts.stream = c->times;
	l->opts.user_only = c->no_kernel;
	l->opts.kernel_only = c->no_user;
	err = take_targets(l, c);
	if (!err)
		err = take_events(l, c);
	if (!err)
		*took = LEAT_CONFIG_TARGETS | LEAT_CONFIG_FREQUENCY | LEAT_CONFIG_BUFFERS |
			LEAT_CONFIG_EVENTS;
	return err;
}

/* ---- tracepoints ---- */

/* Those of the events that this kernel has as tracepoints. Another source may bring the others. */
static int find_tracepoints(struct leat_live *l, const char **names, size_t *n)
{
	LEAT_CLOSE int dir = -1;
	int err = 0;

	*n = 0;
	for (size_t i = 0; i < l->event_cnt; i++) {
		LEAT_FREE char *text = NULL;
		size_t len;

		if (leat_bus_find(l->run.bus, l->events[i]))
			continue;
		err = dir < 0 ? leat_tracefs_dir_open(&dir) : 0;
		if (err)
			return fail(l, err, "cannot open tracefs, where events are looked for");
		err = leat_tracefs_format_text(dir, l->events[i], &text, &len);
		if (!err)
			names[(*n)++] = l->events[i];
		else if (err != -ENOENT && err != -EINVAL)
			return fail(l, err, "cannot read the format of a tracepoint");
	}
	return 0;
}

static int open_tracepoints(struct leat_live *l)
{
	const struct leat_target *t = &l->opts.target;
	const char *names[LEAT_SESSION_MAX_EVENTS];
	struct leat_probes_opts o = { .names = names };
	int err = find_tracepoints(l, names, &o.cnt);

	if (err || !o.cnt)
		return err;
	if (!t->all && t->pid_cnt != 1)
		return fail(l, -ENOTSUP,
			    "tracepoints can be had of one process, or of the whole system");
	o.ring_bytes = l->opts.ring_bytes;
	o.self_tgid = l->run.plan.engine.cfg.self_tgid;
	o.only_tgid = t->all ? 0 : t->pids[0];
	o.pidns_dev = l->run.plan.engine.cfg.pidns_dev;
	o.pidns_ino = l->run.plan.engine.cfg.pidns_ino;
	err = leat_probes_open(&l->run.probes, &o, &l->diag);
	return err ? fail(l, err, "cannot trace the events") : 0;
}

/* ---- the source ---- */

/* The bus and the session go. */
static void live_close(void *self)
{
	struct leat_live *l = self;

	leat_pump_close(&l->run.pump);
	leat_process_cell_drop_readonly(&l->run.processes);
	l->run.session = NULL;
	l->run.bus = NULL;
	l->state = LIVE_CLOSED;
}

static int open_all(struct leat_live *l)
{
	int err = leat_run_prepare(&l->run);

	if (err)
		return fail(l, err, "cannot prepare the recording");
	err = open_tracepoints(l);
	if (err)
		return err;
	err = leat_run_open(&l->run);
	return err ? fail(l, err, "another source has events of the same names or ids") : 0;
}

static int live_open(void *self, struct leat_bus *bus)
{
	struct leat_live *l = self;
	int err;

	if (l->state != LIVE_CONFIGURED)
		return fail(l, -EBUSY, "it was used for a session before");
	l->state = LIVE_OPEN;
	l->run.bus = bus;
	err = open_all(l);
	if (err)
		live_close(l);
	return err;
}

/* The session listens by now. */
static int live_start(void *self)
{
	struct leat_live *l = self;
	int err = l->state == LIVE_OPEN ? leat_run_attach(&l->run) : -EINVAL;

	if (err)
		return fail(l, err, "cannot set up the recording");
	err = leat_run_start(&l->run);
	if (err)
		return fail(l, err, "cannot begin to sample");
	l->state = LIVE_RUNNING;
	return 0;
}

static void tick(struct leat_live *l, uint64_t now)
{
	l->over = leat_run_target_ended(&l->run);
	if (now < l->next_tick_ns)
		return;
	l->next_tick_ns = now + LEAT_TICK_NS;
	leat_meter_update(&l->run.meter);
	if (++l->run.ticks % 10 == 0)
		leat_files_tick(l->run.files);
}

/* What waits for unwind tables has them, or never will. */
static int end(struct leat_live *l)
{
	struct leat_run *r = &l->run;

	r->self_cpu_ns = leat_cost_cpu_ns() - r->start_cpu_ns;
	r->rss_bytes = leat_cost_rss_peak();
	return r->tables ? leat_tables_finish(r->tables) : 0;
}

static int live_poll(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	struct leat_live *l = self;
	const uint64_t now = leat_clock_ns();
	const bool runs = l->state == LIVE_RUNNING;
	int err = 0, n;

	(void)bus;
	*more = false;
	if (!runs && l->state != LIVE_STOPPED)
		return 0;
	/* As long as it runs there is no end to all there is. */
	n = leat_pump_round(&l->run.pump, runs && until_ns > now ? now : until_ns);
	if (n < 0)
		return fail(l, n, "cannot read the samples");
	if (runs && l->run.tables)
		err = leat_tables_round(l->run.tables);
	else if (!runs && !n)
		err = end(l);
	if (err)
		return fail(l, err, "cannot unwind the samples");
	if (runs)
		tick(l, now);
	return n;
}

static int live_stop(void *self)
{
	struct leat_live *l = self;
	int err;

	if (l->state != LIVE_RUNNING)
		return 0;
	l->state = LIVE_STOPPED;
	err = leat_run_stop(&l->run);
	return err ? fail(l, err, "cannot end the recording") : 0;
}

static void live_stats(const void *self, struct leat_source_stats *out)
{
	leat_pump_stats(&((const struct leat_live *)self)->run.pump, out);
}

static int live_control(void *self, enum leat_control what, uint64_t arg)
{
	const struct leat_live *l = self;
	const struct leat_source s = leat_engine_source(l->run.engine);

	return s.ops->control(s.self, what, arg);
}

static int live_poll_fd(const void *self)
{
	return ((const struct leat_live *)self)->run.epoll_fd;
}

int leat_live_fd(const struct leat_live *l)
{
	return l->run.epoll_fd;
}

bool leat_live_is_over(const struct leat_live *l)
{
	return l->over;
}

static int on_session(void *ctx, struct leat_session *s)
{
	struct leat_live *l = ctx;

	leat_run_set_session(&l->run, s);
	return 0;
}

struct leat_session_builder *leat_session_with_live(struct leat_session_builder *b,
						    struct leat_live *l)
{
	static const struct leat_source_ops ops = {
		.name = "live",
		.open = live_open,
		.start = live_start,
		.poll = live_poll,
		.stop = live_stop,
		.close = live_close,
		.stats = live_stats,
		.control = live_control,
		.poll_fd = live_poll_fd,
		.configure = live_configure,
		.error = live_error,
	};

	leat_session_with_source(b, (struct leat_source){ .ops = l ? &ops : NULL, .self = l });
	return l ? leat_session_with_hooks(b, NULL, on_session, l) : b;
}

int leat_live_finish(struct leat_live *l, struct leat_profile *p)
{
	int err;

	if (l->state != LIVE_STOPPED || !p)
		return fail(l, -EINVAL, "there is no finished session of it");
	leat_run_verdict(&l->run, p);
	err = leat_run_name(&l->run, p);
	return err ? fail(l, err, "cannot name the profile") : 0;
}
