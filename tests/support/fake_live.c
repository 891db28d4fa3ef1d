/* SPDX-License-Identifier: BSD-2-Clause */
#include "fake_live.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define NS_PER_S 1000000000ull

static struct leat_fake fake;

const struct leat_fake *leat_fake_last(void)
{
	return &fake;
}

static bool wants(const char *word)
{
	const char *all = getenv("LEAT_FAKE");
	size_t n = strlen(word);

	while (all && (all = strstr(all, word))) {
		if (all[n] == '\0' || all[n] == ' ')
			return true;
		all += n;
	}
	return false;
}

/* --- the profile ----------------------------------------------------------------------- */

static uint32_t text(struct leat_profile *p, const char *s)
{
	uint32_t id = 0;

	return leat_profile_string(p, s, strlen(s), &id) ? 0 : id;
}

static uint32_t frame(struct leat_profile *p, const char *name, uint64_t offset, bool kernel)
{
	struct leat_object o = { .kind = kernel ? LEAT_OBJECT_KERNEL : LEAT_OBJECT_FILE, .ino = 1 };
	struct leat_function f = { .file = LEAT_ID_NONE, .start = offset };
	uint32_t id = 0;

	o.path = text(p, kernel ? "[kernel]" : "/usr/bin/demo");
	f.kind = kernel ? LEAT_FUNCTION_KERNEL : LEAT_FUNCTION_NATIVE;
	f.name = f.raw = text(p, name);
	if (leat_profile_object(p, &o, &f.object) ||
	    leat_profile_frame(p, f.object, offset, kernel ? LEAT_FRAME_KERNEL : 0, &id) ||
	    leat_profile_function(p, &f, &p->frames[id].function))
		return 0;
	return id;
}

static int add(struct leat_profile *p, uint32_t process, const uint32_t *ids, uint64_t value)
{
	struct leat_stack s = { .uframe_cnt = 2, .uresult = LEAT_STACK_COMPLETE };
	struct leat_sample sample = {
		.process = process, .thread = LEAT_ID_NONE, .cpu = UINT16_MAX, .value = value
	};
	int err;

	s.kframe_cnt = p->frames[ids[0]].flags & LEAT_FRAME_KERNEL ? 1 : 0;
	err = leat_profile_stack(p, &s, ids, &sample.stack);
	if (!err)
		err = leat_profile_sample(p, &sample);
	p->processes[process].samples += value;
	return err;
}

static int process(struct leat_profile *p, uint32_t tgid, const char *name, uint32_t *id)
{
	struct leat_process proc = { .tgid = tgid, .ns_tgid = tgid, .exe = LEAT_ID_NONE };

	proc.to_ns = UINT64_MAX;
	proc.comm = text(p, name);
	return leat_profile_process(p, &proc, id);
}

static int fill(struct leat_profile *p)
{
	bool hostile = wants("hostile");
	const char *hot = hostile ? "evil\033[31m\nname" : "parse_header";
	uint32_t ids[3], proc = 0, other = 0;
	int err = process(p, 4242, hostile ? "bad\033]0;x\007" : "demo", &proc);

	if (!err && wants("two"))
		err = process(p, 4243, "other", &other);
	ids[2] = frame(p, "main", 0x1000, false);
	ids[0] = frame(p, hot, 0x2000, false);
	ids[1] = ids[2];
	if (!err)
		err = add(p, proc, ids, wants("few") ? 6 : 600);
	ids[0] = frame(p, "memcpy", 0x3000, false);
	if (!err)
		err = add(p, other, ids, wants("few") ? 3 : 300);
	ids[0] = frame(p, "tcp_sendmsg", 0xffff1000, true);
	ids[1] = frame(p, "send_all", 0x4000, false);
	return err ? err : add(p, proc, ids, wants("few") ? 1 : 100);
}

static void describe(struct leat_profile *p, const struct leat_live_opts *o)
{
	p->meta.target = text(p, "demo (pid 4242)");
	p->meta.event = text(p, o->event ? o->event : "cpu-clock");
	p->meta.command_line = text(p, o->command_line ? o->command_line : "");
	p->meta.version = text(p, "0.0.0");
	p->meta.unwind = text(p, "fp");
	p->meta.duration_ns = o->duration_ns ? o->duration_ns : 10 * NS_PER_S;
	p->meta.freq_hz = o->freq_hz;
	p->meta.period = o->period;
	p->meta.time_based = true;
}

static void judge(struct leat_profile *p)
{
	struct leat_verdict *v = &p->verdict;

	v->taken = v->wanted = leat_profile_total(p);
	v->kernel[LEAT_STAT_SEEN] = v->kernel[LEAT_STAT_COUNTED] = v->taken;
	v->stacks[LEAT_STACK_COMPLETE] = v->taken;
	v->frames = v->user_frames = 2 * v->taken;
	v->duration_ns = p->meta.duration_ns;
	if (wants("lossy")) {
		v->wanted = v->taken * 8 / 7;
		v->kernel[LEAT_STAT_L_RING_FULL] = v->wanted - v->taken;
		v->kernel[LEAT_STAT_SEEN] = v->wanted;
	}
	if (wants("nounwind") || wants("deep")) {
		v->stacks[LEAT_STACK_COMPLETE] /= 2;
		v->stacks[wants("deep") ? LEAT_STACK_TRUNCATED : LEAT_STACK_NO_UNWIND] =
			v->taken - v->stacks[LEAT_STACK_COMPLETE];
	}
	if (wants("stripped"))
		v->frames_unnamed[LEAT_UNNAMED_STRIPPED] = v->frames / 2;
	v->kptr_restricted = wants("kptr");
}

/* --- live.h ---------------------------------------------------------------------------- */

static int fail(struct leat_diag *d)
{
	if (wants("privilege")) {
		leat_diag_set(d, -EPERM, LEAT_EXIT_PRIVILEGE,
			      "cannot load BPF programs (EPERM: bpf)");
		leat_diag_why(d, "euid 1000, no CAP_BPF\nCapEff 0000000000000000");
		leat_diag_fix(d, "sudo leat record -p 4242");
		leat_diag_alt(d, "sudo setcap ...");
	} else if (wants("gone")) {
		leat_diag_set(d, -ESRCH, LEAT_EXIT_TARGET, "process 4242 not found (ESRCH)");
	} else if (wants("nostart")) {
		leat_diag_set(d, -ENOENT, LEAT_EXIT_TARGET, "cannot run the command (ENOENT)");
	} else if (wants("idle")) {
		leat_diag_set(d, -ENODATA, LEAT_EXIT_NO_SAMPLES,
			      "used 0.00 s of CPU in 10 s; nothing to sample");
	} else if (wants("system")) {
		leat_diag_set(d, -ENOTSUP, LEAT_EXIT_SYSTEM, "no BTF at /sys/kernel/btf/vmlinux");
	} else if (wants("event")) {
		leat_diag_set(d, -EINVAL, LEAT_EXIT_USAGE, "-e: unknown event");
	} else {
		return wants("silent") ? -EIO : 0;
	}
	return d->err;
}

static int run_command(char **argv, struct leat_live_child *c)
{
	pid_t pid;

	if (wants("nostart")) {
		*c = (struct leat_live_child){ .exited = true, .status = SIGKILL };
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	c->started = pid > 0;
	c->exited = pid > 0 && waitpid(pid, &c->status, 0) == pid;
	return pid > 0 ? 0 : -errno;
}

/* Steps of 20 ms, until it is told to stop or the time is over. */
static void wait_for_end(const struct leat_live_opts *o)
{
	struct leat_live_progress p = { .ring_percent = 3, .self_percent = 0.4 };
	const struct timespec step = { .tv_nsec = 20000000 };

	while (!*o->stop && (!o->duration_ns || p.elapsed_ns < o->duration_ns)) {
		o->on_progress(o->ctx, &p);
		nanosleep(&step, NULL);
		p.elapsed_ns += 20000000;
		p.samples += 20;
		p.stacks = p.samples / 10;
	}
	/* A slow end: a second Ctrl-C has time to come. */
	for (int i = 0; i < 100 && wants("wait") && wants("slow"); i++)
		nanosleep(&step, NULL);
}

int leat_live_record(const struct leat_live_opts *o, struct leat_live_result *out,
		     struct leat_diag *diag)
{
	struct leat_live_progress begun = { 0 };
	int err;

	fake.opts = *o;
	fake.calls++;
	err = o->target.command ? run_command(o->target.command, &out->child) : 0;
	if (!err)
		err = fail(diag);
	if (err)
		return err;
	o->on_progress(o->ctx, &begun);
	if (wants("wait"))
		wait_for_end(o);
	if (wants("note"))
		snprintf(out->event_note, sizeof(out->event_note),
			 "the PMU is busy: cpu-clock taken");
	err = leat_profile_new(&out->profile);
	if (!err)
		err = fill(out->profile);
	if (err)
		return err;
	describe(out->profile, o);
	judge(out->profile);
	return 0;
}

int leat_live_doctor(uint32_t pid, struct leat_check **out, size_t *n)
{
	struct leat_check *c = calloc(3, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c[0] = (struct leat_check){ .name = "kernel", .value = "6.1.0" };
	c[1] = (struct leat_check){ .level = LEAT_CHECK_WARN,
				    .name = "kptr_restrict",
				    .value = "2",
				    .consequence = "kernel names are hidden",
				    .fix = "sudo sysctl -w kernel.kptr_restrict=1" };
	c[2] = (struct leat_check){ .level = wants("broken") ? LEAT_CHECK_FAIL : LEAT_CHECK_PASS,
				    .name = "privilege",
				    .value = "as \"root\"" };
	if (pid)
		snprintf(c[2].name, sizeof(c[2].name), "target");
	*out = c;
	*n = 3;
	return 0;
}

int leat_live_list_events(void (*fn)(void *ctx, const char *name, const char *kind, bool usable,
				     const char *why_not),
			  void *ctx)
{
	fn(ctx, "cycles", "hardware", false, "no hardware PMU");
	fn(ctx, "cpu-clock", "software", true, "");
	fn(ctx, "page-faults", "software", true, NULL);
	return 0;
}

void leat_live_target_name(const struct leat_target *t, char out[32], uint32_t *pid)
{
	*pid = t->name_cnt ? 4242 : t->pid_cnt ? t->pids[0] : t->tid_cnt ? t->tids[0] : 0;
	snprintf(out, 32, "%s", *pid ? "demo" : "leat");
}

uint64_t leat_live_max_freq(void)
{
	return 50000;
}
