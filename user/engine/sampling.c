/* SPDX-License-Identifier: BSD-2-Clause */
/* One perf event on each CPU, with the BPF program on it; what to say when the kernel refuses. */
#include "engine/impl.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/features.h"
#include "engine/sysctl.h"

static struct perf_event_attr attr_of(const struct leat_engine *e)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = e->event.type,
		.config = e->event.config,
		.disabled = 1,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	if (e->opts.freq_hz) {
		attr.freq = 1;
		attr.sample_freq = e->opts.freq_hz;
	} else {
		attr.sample_period = e->opts.period;
	}
	return attr;
}

static bool pmu_is_missing(int err)
{
	return err == -ENOENT || err == -EBUSY || err == -EOPNOTSUPP || err == -ENODEV;
}

/* Only plain cycles by frequency: time is what was meant, and cpu-clock gives time. */
static bool may_fall_back(const struct leat_engine *e)
{
	return e->event.type == PERF_TYPE_HARDWARE && e->event.config == PERF_COUNT_HW_CPU_CYCLES &&
	       e->opts.freq_hz;
}

static int fall_back(struct leat_engine *e, int err)
{
	snprintf(e->note, sizeof(e->note), "%s: %s; sampling on cpu-clock instead", e->event.name,
		 err == -EBUSY ? "the hardware counters are in use" : "no hardware PMU here");
	return leat_perf_event_find("cpu-clock", &e->event);
}

static int refuse_event(const struct leat_engine *e, int err, struct leat_diag *diag)
{
	leat_diag_set(diag, err, LEAT_EXIT_SYSTEM, "cannot sample on %s (%s)", e->event.name,
		      strerrorname_np(-err) ? strerrorname_np(-err) : "?");
	leat_diag_why(diag, "%s",
		      err == -EBUSY ? "the hardware counters are in use"
				    : "this machine, or this virtual machine, has no such counter");
	leat_diag_fix(diag, "leat list shows what can be sampled");
	leat_diag_alt(diag, "-e cpu-clock works everywhere");
	return err;
}

int leat_engine_event_choose(struct leat_engine *e, struct leat_diag *diag)
{
	int err = leat_perf_event_try(&e->event);

	if (!err || !pmu_is_missing(err))
		return 0; /* other refusals are explained where the events are opened */
	return may_fall_back(e) ? fall_back(e, err) : refuse_event(e, err, diag);
}

static int explain_freq(struct leat_engine *e)
{
	int64_t max;

	if (!e->opts.freq_hz || leat_sysctl_read("kernel/perf_event_max_sample_rate", &max) ||
	    (int64_t)e->opts.freq_hz <= max)
		return 0;
	leat_diag_set(&e->diag, -EINVAL, LEAT_EXIT_USAGE,
		      "cannot sample at %" PRIu64 " Hz (EINVAL: perf_event_open)", e->opts.freq_hz);
	leat_diag_why(&e->diag,
		      "kernel.perf_event_max_sample_rate=%" PRId64
		      " (the kernel lowers it by itself when its interrupts take long)",
		      max);
	leat_diag_fix(&e->diag, "-F %" PRId64, max);
	leat_diag_alt(&e->diag, "sudo sysctl kernel.perf_event_max_sample_rate=%" PRIu64,
		      e->opts.freq_hz);
	return -EINVAL;
}

static int explain_open(struct leat_engine *e, int err)
{
	if (err == -EINVAL && explain_freq(e))
		return err;
	if (err == -EPERM || err == -EACCES) {
		leat_diag_set(&e->diag, err, LEAT_EXIT_PRIVILEGE,
			      "cannot sample kernel and user stacks (%s: perf_event_open)",
			      strerrorname_np(-err));
		leat_why_privilege(&e->diag, err);
		return err;
	}
	if (pmu_is_missing(err))
		return refuse_event(e, err, &e->diag);
	if (leat_why_limit(&e->diag, err, "open an event on each CPU"))
		return err;
	return leat_diag_set(&e->diag, err, LEAT_EXIT_FAILURE,
			     "cannot open the event %s (%s: perf_event_open)", e->event.name,
			     strerrorname_np(-err) ? strerrorname_np(-err) : "?");
}

static int open_on(struct leat_engine *e, size_t cpu_i)
{
	struct perf_event_attr attr = attr_of(e);
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)e->cpus[cpu_i], -1,
			      PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, leat_engine_sample_fd(e))) {
		int err = -errno;

		close(fd);
		return err;
	}
	e->perf_fds[cpu_i] = fd;
	return 0;
}

/* A CPU that went offline is left out, as long as one remains. */
static int open_all(struct leat_engine *e)
{
	size_t opened = 0;
	int last = -ENODEV;

	for (size_t i = 0; i < e->opts.cpu_cnt; i++) {
		int err = open_on(e, i);

		if (!err)
			opened++;
		else if (err != -ENODEV && err != -ENXIO)
			return err;
		else
			last = err;
	}
	return opened ? 0 : last;
}

int leat_engine_events_open(struct leat_engine *e)
{
	int err = open_all(e);

	if (err && pmu_is_missing(err) && may_fall_back(e)) {
		leat_engine_events_close(e);
		err = fall_back(e, err);
		if (!err)
			err = open_all(e);
	}
	if (!err)
		return 0;
	leat_engine_events_close(e);
	return explain_open(e, err);
}

void leat_engine_events_enable(struct leat_engine *e, bool on)
{
	for (size_t i = 0; i < e->opts.cpu_cnt; i++)
		if (e->perf_fds[i] >= 0)
			ioctl(e->perf_fds[i], on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE,
			      0);
}

void leat_engine_events_close(struct leat_engine *e)
{
	for (size_t i = 0; e->perf_fds && i < e->opts.cpu_cnt; i++) {
		if (e->perf_fds[i] >= 0)
			close(e->perf_fds[i]);
		e->perf_fds[i] = -1;
	}
}

struct leat_event_read leat_engine_event_read(const struct leat_engine *e, size_t cpu_i)
{
	struct leat_event_read r = { 0 };

	if (e->perf_fds[cpu_i] < 0 || read(e->perf_fds[cpu_i], &r, sizeof(r)) != (ssize_t)sizeof(r))
		return (struct leat_event_read){ 0 };
	return r;
}
