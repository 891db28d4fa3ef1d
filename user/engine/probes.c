/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a copy of the program for each tracepoint, all with the maps of the first, and attaches it by
 * a perf event: one is enough for all CPUs, for the program hangs at the tracepoint.
 */
#include "engine/probes_impl.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <leat/tracefs.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/impl.h"
#include "engine/ring_map.h"
#include "engine/tracefs_dir.h"
#include "probe.skel.h"

#define RING_BYTES (4u << 20)

static int read_format(struct leat_tracepoint *tp, int dir, const char *name,
		       struct leat_diag *diag)
{
	LEAT_FREE char *text = NULL;
	uint32_t id;
	size_t len;
	int err = leat_tracefs_format_text(dir, name, &text, &len);

	if (err == -ENOENT) {
		leat_diag_set(diag, err, LEAT_EXIT_USAGE, "there is no tracepoint %s", name);
		leat_diag_fix(diag, "see perf list tracepoint for what this kernel has");
		return err;
	}
	if (err)
		return leat_diag_set(diag, err, LEAT_EXIT_USAGE,
				     "cannot read the format of tracepoint %s (%s)", name,
				     strerror(-err));
	tp->name = strdup(name);
	if (!tp->name)
		return -ENOMEM;
	tp->name[strcspn(tp->name, ":")] = tp->name[strcspn(tp->name, ":")] ? '/' : '\0';
	err = leat_tracefs_parse(text, len, &tp->format, &id);
	if (!err)
		err = leat_probe_layout(tp->format, &tp->cfg);
	if (!err)
		err = leat_probe_known_fields(&tp->format);
	if (err)
		return leat_diag_set(diag, err, LEAT_EXIT_SYSTEM,
				     "the format of tracepoint %s is not one that leat knows (%s)",
				     name, strerror(-err));
	tp->cfg.common_type = id;
	return 0;
}

static int share_maps(struct leat_probe *skel, const struct leat_probe *first)
{
	int err = bpf_map__reuse_fd(skel->maps.leat_p_ring, bpf_map__fd(first->maps.leat_p_ring));

	if (!err)
		err = bpf_map__reuse_fd(skel->maps.leat_p_stats,
					bpf_map__fd(first->maps.leat_p_stats));
	if (!err)
		err = bpf_map__reuse_fd(skel->maps.leat_p_scratch,
					bpf_map__fd(first->maps.leat_p_scratch));
	return err;
}

static int load_program(struct leat_probes *p, struct leat_tracepoint *tp)
{
	int err;

	tp->skel = leat_probe__open();
	if (!tp->skel)
		return -errno;
	memcpy(&tp->skel->rodata->cfg, &tp->cfg, sizeof(tp->cfg));
	if (tp == p->tps)
		err = bpf_map__set_max_entries(tp->skel->maps.leat_p_ring,
					       (uint32_t)p->opts.ring_bytes);
	else
		err = share_maps(tp->skel, p->tps->skel);
	return err ? err : leat_probe__load(tp->skel);
}

static int open_one(struct leat_probes *p, size_t i, int dir, const char *name,
		    struct leat_diag *diag)
{
	struct leat_tracepoint *tp = &p->tps[i];
	int err;

	tp->cfg = (struct leat_probe_cfg){
		.kind = (uint32_t)p->opts.first_id + (uint32_t)i,
		.self_tgid = p->opts.self_tgid,
		.only_tgid = p->opts.only_tgid,
		.pidns_dev = p->opts.pidns_dev,
		.pidns_ino = p->opts.pidns_ino,
		.ring_wake_bytes = p->opts.ring_bytes / 2,
	};
	err = read_format(tp, dir, name, diag);
	if (err)
		return err;
	err = load_program(p, tp);
	if (!err || leat_why_limit(diag, err, "load the program of a tracepoint"))
		return err;
	leat_diag_set(diag, err, err == -EPERM ? LEAT_EXIT_PRIVILEGE : LEAT_EXIT_SYSTEM,
		      "cannot load the program of tracepoint %s (%s)", name, strerror(-err));
	if (err == -EPERM)
		leat_why_privilege(diag, err);
	return err;
}

static int open_all(struct leat_probes *p, const struct leat_probes_opts *o, struct leat_diag *diag)
{
	LEAT_CLOSE int dir = -1;
	int err = leat_tracefs_dir_open(&dir);

	leat_engine_log_libbpf();
	if (err) {
		leat_diag_set(diag, err, err == -EPERM ? LEAT_EXIT_PRIVILEGE : LEAT_EXIT_SYSTEM,
			      "cannot open tracefs (%s)", strerror(-err));
		leat_diag_fix(diag, err == -EPERM ? "run it again with sudo"
						  : "a kernel built with CONFIG_EVENT_TRACING=y");
		return err;
	}
	do {
		err = open_one(p, p->cnt, dir, o->names[p->cnt], diag);
		p->cnt++; /* also what failed in the middle is freed */
	} while (!err && p->cnt < o->cnt);
	if (!err)
		err = leat_ring_open(&p->ring, bpf_map__fd(p->tps[0].skel->maps.leat_p_ring),
				     p->opts.ring_bytes);
	return err;
}

int leat_probes_open(struct leat_probes **out, const struct leat_probes_opts *opts,
		     struct leat_diag *diag)
{
	LEAT_AUTO(leat_probes_free) struct leat_probes *p = NULL;
	int err;

	if (!opts->cnt || opts->cnt > LEAT_PROBES_MAX)
		return leat_diag_set(diag, opts->cnt ? -EOVERFLOW : -EINVAL, LEAT_EXIT_USAGE,
				     "between 1 and %d tracepoints can be traced at once",
				     LEAT_PROBES_MAX);
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->ring.fd = -1;
	p->opts = *opts;
	p->opts.names = NULL;
	if (!p->opts.first_id)
		p->opts.first_id = LEAT_PROBES_FIRST_ID;
	p->opts.ring_bytes = leat_ring_size(opts->ring_bytes ? opts->ring_bytes : RING_BYTES, 1,
					    (size_t)sysconf(_SC_PAGESIZE));
	p->tps = calloc(opts->cnt, sizeof(*p->tps));
	if (!p->tps)
		return -ENOMEM;
	err = open_all(p, opts, diag);
	if (err)
		return err;
	*out = LEAT_TAKE(p);
	return 0;
}

void leat_probes_free(struct leat_probes **pp)
{
	struct leat_probes *p = *pp;

	if (!p)
		return;
	leat_probes_detach(p);
	leat_ring_close(&p->ring);
	for (size_t i = p->cnt; p->tps && i-- > 0;) {
		leat_probe__destroy(p->tps[i].skel);
		leat_format_free(&p->tps[i].format);
		free(p->tps[i].name);
	}
	free(p->tps);
	free(p);
	*pp = NULL;
}

/* Any CPU that is online will do: this one is. */
static int open_event(uint32_t tracepoint_id)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_TRACEPOINT,
		.config = tracepoint_id,
	};
	const int cpu = sched_getcpu();
	const int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu < 0 ? 0 : cpu, -1,
				    PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int attach_one(struct leat_tracepoint *tp)
{
	LEAT_CLOSE int fd = open_event(tp->cfg.common_type);

	if (fd < 0)
		return fd;
	tp->link = bpf_program__attach_perf_event(tp->skel->progs.leat_probe, fd);
	if (!tp->link)
		return -errno;
	(void)LEAT_TAKE_FD(fd); /* the link closes it */
	return 0;
}

int leat_probes_attach(struct leat_probes *p)
{
	for (size_t i = 0; i < p->cnt; i++) {
		int err = attach_one(&p->tps[i]);

		if (!err)
			continue;
		leat_probes_detach(p);
		if (leat_why_limit(&p->diag, err, "attach to a tracepoint"))
			return err;
		leat_diag_set(
			&p->diag, err,
			err == -EACCES || err == -EPERM ? LEAT_EXIT_PRIVILEGE : LEAT_EXIT_SYSTEM,
			"cannot attach to tracepoint %s (%s)", p->tps[i].name, strerror(-err));
		return err;
	}
	return 0;
}

static uint64_t misses_of(const struct leat_tracepoint *tp)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (!tp->skel ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(tp->skel->progs.leat_probe), &info, &len))
		return 0;
	return info.recursion_misses;
}

void leat_probes_detach(struct leat_probes *p)
{
	for (size_t i = 0; i < p->cnt; i++) {
		bpf_link__destroy(p->tps[i].link);
		p->tps[i].link = NULL;
	}
}

uint64_t leat_probes_skipped(const struct leat_probes *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->cnt; i++)
		sum += misses_of(&p->tps[i]);
	return sum;
}

int leat_probes_stats(const struct leat_probes *p, uint64_t out[LEAT_STAT__MAX])
{
	LEAT_FREE uint64_t *v = NULL;
	const uint32_t zero = 0;
	const size_t words = 32; /* struct leat_stats of the BPF side */
	int cpus = libbpf_num_possible_cpus();
	int err;

	if (cpus < 0)
		return cpus;
	v = calloc((size_t)cpus * words, sizeof(*v));
	if (!v)
		return -ENOMEM;
	err = bpf_map_lookup_elem(bpf_map__fd(p->tps[0].skel->maps.leat_p_stats), &zero, v);
	if (err)
		return err;
	memset(out, 0, LEAT_STAT__MAX * sizeof(*out));
	for (size_t cpu = 0; cpu < (size_t)cpus; cpu++)
		for (size_t i = 0; i < LEAT_STAT__MAX; i++)
			out[i] += v[cpu * words + i];
	return 0;
}

const struct leat_diag *leat_probes_diag(const struct leat_probes *p)
{
	return &p->diag;
}
