/* SPDX-License-Identifier: BSD-2-Clause */
/* After the recording: the last records, names, the verdict. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "live/procfs.h"
#include "live/run.h"
#include "session/judge.h"
#include "symbols/symbols.h"

static uint64_t target_cpu_ns(const struct leat_run *r)
{
	uint64_t ns = leat_meter_ns(&r->meter);

	/* Its parent knows the CPU time of a program that has ended, and of its children. */
	return r->command.reaped && r->command.cpu_ns > ns ? r->command.cpu_ns : ns;
}

/* A command that was waited for: its parent knows, however many processes there were. */
static bool knows_cpu(const struct leat_run *r)
{
	return leat_meter_knows(&r->meter) ||
	       (r->meter.kind == LEAT_METER_PROCESSES && r->command.reaped && r->command.cpu_ns);
}

/* Samples of the target in a mode that was not asked for: they ran, the kernel skipped none. */
static uint64_t unwanted(const struct leat_verdict *v)
{
	return v->kernel[LEAT_STAT_F_MODE];
}

/* Cycles by frequency follow the clock too, as well as the kernel manages. */
static bool follows_time(const struct leat_run *r)
{
	const struct leat_perf_event *ev = leat_engine_event(r->engine);

	return r->o->freq_hz && (ev->time_based || !strcmp(ev->name, "cycles"));
}

/*
 * By time: the target's CPU time at the frequency. By period: the share of all of the CPUs'
 * samples that the kernel skipped is taken for the target's too.
 */
static void fill_wanted(const struct leat_run *r, struct leat_verdict *v)
{
	uint64_t asked = leat_cost_asked(v->kernel), all = v->wanted;

	if (follows_time(r)) {
		if (r->meter.kind == LEAT_METER_HOST && v->kernel[LEAT_STAT_F_KTHREAD])
			asked += v->kernel[LEAT_STAT_F_KTHREAD];
		if (r->meter.kind == LEAT_METER_HOST)
			asked += v->kernel[LEAT_STAT_F_SELF];
		v->wanted = v->kernel_skipped = 0;
		if (knows_cpu(r))
			leat_cost_wanted(v, r->o->freq_hz, asked, unwanted(v),
					 !leat_engine_event(r->engine)->time_based);
		else
			v->wanted_unknown = leat_meter_unknown(&r->meter);
		return;
	}
	v->wanted = v->kernel_skipped = 0;
	if (r->o->freq_hz)
		v->wanted_unknown = LEAT_UNKNOWN_EVENT;
	if (all > v->kernel[LEAT_STAT_SEEN] && v->kernel[LEAT_STAT_SEEN])
		v->kernel_skipped =
			(uint64_t)((double)asked * (double)(all - v->kernel[LEAT_STAT_SEEN]) /
				   (double)v->kernel[LEAT_STAT_SEEN]);
	if (all)
		v->wanted = asked + v->kernel_skipped;
}

static bool is_object(const struct leat_object *o, const struct leat_tables_missing *m)
{
	if (m->vdso || o->kind != LEAT_OBJECT_FILE)
		return m->vdso && o->kind == LEAT_OBJECT_VDSO;
	if (m->build_id_len)
		return o->build_id_len == m->build_id_len &&
		       !memcmp(o->build_id, m->build_id, m->build_id_len);
	return o->dev == m->dev && o->ino == m->ino;
}

/* Which binaries have no whole table, and why; those that are in the profile are named. */
static void fill_missing(const struct leat_run *r, struct leat_profile *p)
{
	struct leat_tables_missing m;
	uint32_t at = 0;

	while (leat_tables_missing(r->tables, &at, &m)) {
		p->verdict.no_table[m.why]++;
		for (size_t i = 0; i < p->object_cnt; i++)
			if (is_object(&p->objects[i], &m))
				p->objects[i].no_table = (uint8_t)m.why;
	}
}

static void fill_tables(const struct leat_run *r, struct leat_profile *p)
{
	struct leat_verdict *v = &p->verdict;
	struct leat_tables_stats s;

	if (!r->tables)
		return;
	leat_tables_stats(r->tables, &s);
	v->map_bytes += s.bytes;
	v->tables_built = s.tables;
	v->tables_cached = s.cached;
	v->tables_evicted = s.evicted;
	v->tables_need_bytes = s.need_bytes;
	v->tables_refused = s.refused;
	v->cache_damaged = s.cache_damaged;
	v->cache_unwritten = s.cache_unwritten;
	fill_missing(r, p);
}

void leat_run_verdict(const struct leat_run *r, struct leat_profile *p)
{
	struct leat_verdict *v = &p->verdict;

	v->target_cpu_ns = target_cpu_ns(r);
	v->duration_ns = r->end_ns - r->start_ns;
	v->freq_hz = r->o->freq_hz;
	v->period = r->o->freq_hz ? 0 : r->o->period;
	v->self_cpu_ns = r->self_cpu_ns;
	v->rss_bytes = r->rss_bytes;
	v->map_bytes = leat_engine_map_bytes(r->engine);
	v->bpf_ns = leat_cost_bpf_ns(v->kernel);
	fill_tables(r, p);
	fill_wanted(r, v);
}

/* An event that is no clock: how long the target ran says nothing about it. */
static void no_event(const struct leat_run *r, const struct leat_verdict *v, double secs)
{
	leat_diag_set(r->diag, -ENODATA, LEAT_EXIT_NO_SAMPLES, "%s: no %s sampled in %.*f s",
		      r->plan.label, leat_engine_event(r->engine)->name, secs < 9.95 ? 1 : 0, secs);
	if (!r->o->freq_hz && r->o->period > 1)
		leat_diag_why(r->diag, "no such event happened, or fewer than the period of %llu",
			      (unsigned long long)r->o->period);
	else if (leat_meter_knows(&r->meter))
		leat_diag_why(r->diag, "no such event happened, though it used %.2f s of CPU",
			      (double)v->target_cpu_ns / 1e9);
	else
		leat_diag_why(r->diag, "no such event happened");
}

static int nothing(const struct leat_run *r, const struct leat_verdict *v)
{
	double secs = (double)v->duration_ns / 1e9;
	int digits = secs < 9.95 ? 1 : 0;

	if (r->target_gone) {
		leat_diag_set(r->diag, -ESRCH, LEAT_EXIT_TARGET,
			      "%s ended before the first sample, after %.2f s", r->plan.label,
			      secs);
		if (knows_cpu(r))
			leat_diag_why(r->diag, "it used %.3f s of CPU",
				      (double)v->target_cpu_ns / 1e9);
		return -ESRCH;
	}
	if (!follows_time(r)) {
		no_event(r, v, secs);
	} else if (knows_cpu(r)) {
		leat_diag_set(r->diag, -ENODATA, LEAT_EXIT_NO_SAMPLES,
			      "%s used %.2f s of CPU in %.*f s; nothing to sample", r->plan.label,
			      (double)v->target_cpu_ns / 1e9, digits, secs);
	} else {
		leat_diag_set(r->diag, -ENODATA, LEAT_EXIT_NO_SAMPLES,
			      "%s: nothing to sample in %.*f s", r->plan.label, digits, secs);
		leat_diag_why(r->diag, "%s",
			      r->o->target.cpu_cnt ? "it did not run on those CPUs"
						   : "no process of the target ran");
	}
	if (v->kernel_skipped)
		leat_diag_why(r->diag,
			      "the kernel skipped %llu samples: another tracing program "
			      "runs beside leat",
			      (unsigned long long)v->kernel_skipped);
	return -ENODATA;
}

int leat_run_name(struct leat_run *r, struct leat_profile *p)
{
	struct leat_file_provider prov = leat_files_provider(r->files);
	struct leat_symbols_opts so = { 0 };
	int err = leat_run_meta(r, p);

	if (err)
		return err;
	if ((err = leat_symbols_check_calls(p, &prov)) || (err = leat_judge_stacks(p)) ||
	    (err = leat_symbols_resolve(p, &prov, &so)) || (err = leat_judge_count(p)))
		return leat_diag_set(r->diag, err, LEAT_EXIT_FAILURE,
				     "cannot name the profile (%s)", strerrorname_np(-err));
	return 0;
}

/* What is left in tables and rings. The command has ended by now, if it is going to. */
static int drain(struct leat_run *r)
{
	int n = leat_pump_round(&r->pump, UINT64_MAX);

	r->self_cpu_ns = leat_cost_cpu_ns() - r->start_cpu_ns;
	r->rss_bytes = leat_cost_rss_peak();
	if (n < 0)
		return leat_diag_set(r->diag, n, LEAT_EXIT_FAILURE,
				     "cannot read the last samples (%s)", strerrorname_np(-n));
	if (r->tables) {
		n = leat_tables_finish(r->tables);
		if (n)
			return leat_diag_set(r->diag, n, LEAT_EXIT_FAILURE,
					     "cannot unwind the last samples (%s)",
					     strerrorname_np(-n));
	}
	n = leat_session_finish(r->session);
	return n ? leat_diag_set(r->diag, n, LEAT_EXIT_FAILURE, "cannot finish the profile (%s)",
				 strerrorname_np(-n))
		 : 0;
}

int leat_run_finish(struct leat_run *r, struct leat_live_result *out)
{
	struct leat_profile *p;
	int err = drain(r);

	if (err)
		return err;
	p = leat_session_take_profile(r->session);
	if (!p)
		return leat_diag_set(r->diag, -ENOMEM, LEAT_EXIT_FAILURE, "out of memory");
	leat_run_verdict(r, p);
	if (!p->verdict.taken)
		err = nothing(r, &p->verdict);
	if (!err)
		err = leat_run_name(r, p);
	if (!err && r->o->anonymize)
		err = leat_run_anonymize(p);
	if (err) {
		leat_profile_free(&p);
		return err;
	}
	leat_run_capture_end(r, p);
	snprintf(out->event_note, sizeof(out->event_note), "%s", leat_engine_event_note(r->engine));
	out->target_gone = r->target_gone;
	out->target_cpu_ns = p->verdict.target_cpu_ns;
	out->profile = p;
	return 0;
}

/* ---- the header ---- */

static int put(struct leat_profile *p, const char *s, uint32_t *id)
{
	return leat_profile_string(p, s, strlen(s), id);
}

/* PRETTY_NAME of os-release; "" when there is none. */
static void os_name(char *out, size_t cap)
{
	char text[4096];
	const char *at;
	size_t n;

	out[0] = '\0';
	if (leat_procfs_text("/etc/os-release", text, sizeof(text)) <= 0)
		return;
	at = strncmp(text, "PRETTY_NAME=", 12) ? strstr(text, "\nPRETTY_NAME=") : text;
	if (!at)
		return;
	at = strchr(at, '=') + 1;
	if (*at == '"' || *at == '\'')
		at++;
	n = strcspn(at, "\"'\n");
	snprintf(out, cap, "%.*s", (int)n, at);
}

static int put_boot(struct leat_profile *p)
{
	char id[LEAT_BOOT_ID_LEN];

	leat_procfs_boot(id);
	return put(p, id, &p->meta.boot);
}

static int put_host(const struct leat_run *r, struct leat_profile *p)
{
	struct leat_meta *m = &p->meta;
	struct utsname u = { 0 };
	char os[128];
	int err;

	uname(&u);
	os_name(os, sizeof(os));
	if ((err = put(p, u.release, &m->kernel)) || (err = put(p, os, &m->os)))
		return err;
	if (r->o->anonymize)
		return 0;
	if ((err = put(p, u.nodename, &m->host)) || (err = put_boot(p)))
		return err;
	return put(p, r->o->command_line ? r->o->command_line : "", &m->command_line);
}

int leat_run_meta(const struct leat_run *r, struct leat_profile *p)
{
	const struct leat_perf_event *ev = leat_engine_event(r->engine);
	struct leat_meta *m = &p->meta;
	int err;

	if ((err = put(p, r->o->title ? r->o->title : "", &m->title)) ||
	    (err = put(p, r->plan.label, &m->target)) || (err = put(p, ev->name, &m->event)) ||
	    (err = put(p, leat_engine_event_note(r->engine), &m->event_note)) ||
	    (err = put(p, r->tables ? "table" : "fp", &m->unwind)) || (err = put_host(r, p)))
		return leat_diag_set(r->diag, err, LEAT_EXIT_FAILURE, "out of memory");
	m->start_real_ns = r->start_real_ns;
	m->start_mono_ns = r->start_ns;
	m->duration_ns = r->end_ns - r->start_ns;
	m->freq_hz = r->o->freq_hz;
	m->period = r->o->freq_hz ? 0 : r->o->period;
	m->time_based = ev->time_based && r->o->freq_hz;
	m->anonymized = r->o->anonymize;
	return 0;
}
