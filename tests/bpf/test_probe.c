/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracepoints of this kernel as events: what arrives is what happened, no more and no less. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <leat/tracefs.h>
#include <leat/writer.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "engine/probes_impl.h"
#include "engine/tracefs_dir.h"

#define FLOOD 1000000u

struct trace {
	struct leat_probes *probes;
	struct leat_bus *bus;
	struct leat_source source;
	struct leat_buf lines; /* "event: text" of the records that are wanted */
	uint32_t tgid;	       /* whose records are written; 0: nobody's */
	uint64_t records;
	uint64_t sum;
	uint64_t foreign_heads; /* records whose common_* are not as they should be */
};

static int on_record(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct trace *t = ctx;
	const struct leat_format *f = leat_event_format(ev);
	struct leat_writer *w = NULL;
	char text[1024];
	size_t len = 0;

	t->records++;
	if (!t->tgid || r->tgid != t->tgid)
		return 0;
	if (leat_writer_new(&w, f, LEAT_WRITER_TEXT))
		return -ENOMEM;
	if (!leat_writer_write(w, r, text, sizeof(text), &len)) {
		leat_buf_printf(&t->lines, "%s: ", leat_event_name(ev));
		leat_buf_add(&t->lines, text, len);
		leat_buf_char(&t->lines, '\n');
	}
	leat_writer_free(&w);
	return leat_format_short_cnt(f) ? -ENODATA : 0;
}

/*
 * The first eight bytes are the common fields, not a pointer of the kernel: type and thread, and
 * between them what nobody can know is 0, and no field.
 */
static int check_head(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct trace *t = ctx;
	const struct leat_probe_cfg *cfg = &t->probes->tps[r->kind - LEAT_PROBES_FIRST_ID].cfg;
	const struct leat_format *f = leat_event_format(ev);
	leat_field_ref type, unknown, pid;
	const uint8_t *bytes = r->data;
	int64_t tid = -1;
	uint64_t v = 0;

	cr_assert(zero(int, leat_format_ref(f, "common_type", &type)));
	cr_assert(eq(int, leat_format_ref(f, "common_flags", &unknown), -ENOENT));
	cr_assert(eq(int, leat_format_ref(f, "common_preempt_count", &unknown), -ENOENT));
	cr_assert(zero(int, leat_format_ref(f, "common_pid", &pid)));
	cr_assert(zero(int, leat_get_u64(f, type, r, &v)));
	cr_assert(zero(int, leat_get_i64(f, pid, r, &tid)));
	t->foreign_heads += v != cfg->common_type || bytes[2] || bytes[3] || tid < 0 ||
			    (uint32_t)tid != r->tid;
	return 0;
}

static void trace_open(struct trace *t, struct leat_probes_opts o)
{
	struct leat_diag diag = { 0 };

	*t = (struct trace){ 0 };
	leat_buf_init(&t->lines, 1 << 20);
	cr_assert(zero(int, leat_probes_open(&t->probes, &o, &diag)), "%s", diag.what);
	cr_assert(zero(int, leat_bus_new(&t->bus)));
	t->source = leat_probes_source(t->probes);
	cr_assert(zero(int, t->source.ops->open(t->source.self, t->bus)));
	for (size_t i = 0; i < o.cnt; i++) {
		struct leat_event *ev = leat_bus_at(t->bus, (uint16_t)(LEAT_PROBES_FIRST_ID + i));

		cr_assert(ev != NULL);
		cr_assert(zero(int, leat_event_add_callback(ev, on_record, t, NULL)));
	}
	cr_assert(zero(int, t->source.ops->start(t->source.self)), "%s",
		  leat_probes_diag(t->probes)->what);
}

static void trace_drain(struct trace *t)
{
	bool more = true;

	while (more)
		cr_assert(
			ge(int, t->source.ops->poll(t->source.self, t->bus, UINT64_MAX, &more), 0));
}

static void trace_stop(struct trace *t)
{
	cr_assert(zero(int, t->source.ops->stop(t->source.self)));
	trace_drain(t);
}

static void trace_fini(struct trace *t)
{
	cr_expect(zero(u64, leat_bus_error_cnt(t->bus)));
	t->source.ops->close(t->source.self);
	leat_bus_free(&t->bus);
	leat_probes_free(&t->probes);
	leat_buf_fini(&t->lines);
}

/* seen == filtered + delivered + lost, and what was delivered has arrived. */
static void expect_sums(const struct trace *t)
{
	uint64_t stat[LEAT_STAT__MAX], class[LEAT_STAT_CLASS_NOTE + 1] = { 0 };
	struct leat_source_stats s;

	cr_assert(zero(int, leat_probes_stats(t->probes, stat)));
#define ADD(id, c, help) class[LEAT_STAT_CLASS_##c] += stat[LEAT_STAT_##id];
	LEAT_STATS(ADD)
#undef ADD
	cr_expect(eq(u64, class[LEAT_STAT_CLASS_SEEN],
		     class[LEAT_STAT_CLASS_FILTERED] + class[LEAT_STAT_CLASS_DELIVERED] +
			     class[LEAT_STAT_CLASS_LOST]));
	t->source.ops->stats(t->source.self, &s);
	cr_expect(eq(u64, s.records, class[LEAT_STAT_CLASS_DELIVERED]));
	cr_expect(eq(u64, s.records, t->records));
	cr_expect(zero(u64, s.malformed));
	cr_expect(eq(u64, s.lost, class[LEAT_STAT_CLASS_LOST] + leat_probes_skipped(t->probes)));
	cr_expect(zero(u64, leat_bus_unknown_cnt(t->bus)));
}

/* A child that waits for a byte, runs /bin/true, and is gone. */
static pid_t child_start(int *go)
{
	int fds[2];
	pid_t pid;

	cr_assert(zero(int, pipe(fds)));
	pid = fork();
	if (!pid) {
		char c;

		close(fds[1]);
		if (read(fds[0], &c, 1) == 1)
			execl("/bin/true", "/bin/true", (char *)NULL);
		_exit(127);
	}
	close(fds[0]);
	*go = fds[1];
	return pid;
}

static void child_run(pid_t pid, int go)
{
	int status = -1;

	cr_assert(eq(i64, write(go, "x", 1), 1));
	close(go);
	cr_assert(eq(int, waitpid(pid, &status, 0), pid));
	cr_assert(zero(int, status));
}

Test(probe, a_handful_of_tracepoints, .timeout = 120)
{
	static const char *const names[] = {
		"sched/sched_process_exec", "sched:sched_process_exit", "syscalls/sys_enter_openat",
		"syscalls/sys_exit_openat", "sched/sched_switch",	"raw_syscalls/sys_enter"
	};
	struct leat_probes_opts o = { .names = names, .cnt = LEAT_ARRAY_SIZE(names) };
	struct trace t;
	char want[128];
	pid_t pid;
	int go;

	pid = child_start(&go);
	trace_open(&t, o);
	t.tgid = (uint32_t)pid;
	for (size_t i = 0; i < o.cnt; i++)
		cr_assert(
			zero(int, leat_event_add_callback(
					  leat_bus_at(t.bus, (uint16_t)(LEAT_PROBES_FIRST_ID + i)),
					  check_head, &t, NULL)));
	child_run(pid, go);
	trace_stop(&t);
	cr_assert(t.lines.data != NULL);
	snprintf(want, sizeof(want), "common_pid=%d filename=/bin/true pid=%d old_pid=%d\n", pid,
		 pid, pid);
	cr_expect(strstr(t.lines.data, want) != NULL, "%s not in\n%s", want, t.lines.data);
	snprintf(want, sizeof(want), "common_pid=%d comm=true pid=%d", pid, pid);
	cr_expect(strstr(t.lines.data, want) != NULL, "%s", want);
	cr_expect(strstr(t.lines.data, "sched/sched_process_exit: ") != NULL);
	cr_expect(strstr(t.lines.data, "syscalls/sys_enter_openat: ") != NULL);
	cr_expect(strstr(t.lines.data, " filename=0x7") != NULL);
	cr_expect(strstr(t.lines.data, "syscalls/sys_exit_openat: ") != NULL);
	cr_expect(strstr(t.lines.data, " prev_comm=true prev_pid=") != NULL);
	cr_expect(zero(u64, t.foreign_heads));
	expect_sums(&t);
	trace_fini(&t);
}

/* ---- what leaves the kernel ---- */

/* Eight bytes anywhere that are an address of the upper half. */
static int look_for_addresses(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	uint64_t v, *found = ctx;

	(void)ev;
	for (uint32_t at = 0; at + sizeof(v) <= r->size; at++) {
		memcpy(&v, (const uint8_t *)r->data + at, sizeof(v));
		*found += v >> 47 == 0x1ffff;
	}
	return 0;
}

/* Events without a pointer or a negative number among their fields: nothing in them is an address. */
Test(probe, no_kernel_address_leaves, .timeout = 120)
{
	static const char *const names[] = { "sched/sched_process_exec", "sched/sched_process_exit",
					     "sched/sched_process_fork", "task/task_rename" };
	struct leat_probes_opts o = { .names = names, .cnt = LEAT_ARRAY_SIZE(names) };
	uint64_t found = 0;
	struct trace t;

	trace_open(&t, o);
	for (size_t i = 0; i < o.cnt; i++)
		cr_assert(
			zero(int, leat_event_add_callback(
					  leat_bus_at(t.bus, (uint16_t)(LEAT_PROBES_FIRST_ID + i)),
					  look_for_addresses, &found, NULL)));
	for (int i = 0; i < 20; i++) {
		int go;
		pid_t pid = child_start(&go);

		child_run(pid, go);
	}
	trace_stop(&t);
	cr_expect(ge(u64, t.records, 4 * 20));
	cr_expect(zero(u64, found), "%llu addresses in %llu records", (unsigned long long)found,
		  (unsigned long long)t.records);
	trace_fini(&t);
}

/* ---- beside what the kernel itself prints ---- */

struct instance {
	int tracefs;
	int dir;
};

static void put(int dir, const char *path, const char *text)
{
	LEAT_CLOSE int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

	cr_assert(ge(int, fd, 0), "%s: %s", path, strerror(errno));
	cr_assert(zero(int, leat_file_write_all(fd, text, strlen(text))), "%s", path);
}

static void instance_open(struct instance *in)
{
	cr_assert(zero(int, leat_tracefs_dir_open(&in->tracefs)));
	(void)unlinkat(in->tracefs, "instances/leat_test", AT_REMOVEDIR);
	cr_assert(zero(int, mkdirat(in->tracefs, "instances/leat_test", 0700)), "%s",
		  strerror(errno));
	in->dir = openat(in->tracefs, "instances/leat_test", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(ge(int, in->dir, 0));
}

static void instance_close(struct instance *in)
{
	close(in->dir);
	cr_expect(zero(int, unlinkat(in->tracefs, "instances/leat_test", AT_REMOVEDIR)), "%s",
		  strerror(errno));
	close(in->tracefs);
}

/* What the kernel printed behind "EVENT: " in the line of process @pid; NULL: no such line. */
static char *printed(const char *trace, const char *event, pid_t pid)
{
	char tag[64], task[32];
	const char *line = trace;

	snprintf(tag, sizeof(tag), " %s: ", event);
	snprintf(task, sizeof(task), "-%d ", pid);
	while (line && *line) {
		const char *end = strchrnul(line, '\n');
		const char *at = memmem(line, (size_t)(end - line), tag, strlen(tag));

		if (at && memmem(line, (size_t)(end - line), task, strlen(task)))
			return strndup(at + strlen(tag), (size_t)(end - at) - strlen(tag));
		line = *end ? end + 1 : NULL;
	}
	return NULL;
}

Test(probe, fields_agree_with_what_the_kernel_prints, .timeout = 120)
{
	static const char *const names[] = { "sched/sched_process_exec", "task/task_rename",
					     "sched/sched_process_exit",
					     "syscalls/sys_exit_openat" };
	struct leat_probes_opts o = { .names = names, .cnt = LEAT_ARRAY_SIZE(names) };
	LEAT_FREE char *trace = NULL;
	struct instance in;
	struct trace t;
	char path[128];
	pid_t pid;
	int go;

	instance_open(&in);
	pid = child_start(&go);
	trace_open(&t, o);
	t.tgid = (uint32_t)pid;
	for (size_t i = 0; i < o.cnt - 1; i++) {
		snprintf(path, sizeof(path), "events/%s/enable", names[i]);
		put(in.dir, path, "1");
	}
	child_run(pid, go);
	for (size_t i = 0; i < o.cnt - 1; i++) {
		snprintf(path, sizeof(path), "events/%s/enable", names[i]);
		put(in.dir, path, "0");
	}
	trace_stop(&t);
	cr_assert(zero(int, leat_file_read_at(in.dir, "trace", 16 << 20, &trace, NULL)));
	for (size_t i = 0; i < o.cnt - 1; i++) {
		const char *event = strchr(names[i], '/') + 1;
		LEAT_FREE char *kernel = printed(trace, event, pid);
		const char *ours;

		cr_assert(kernel != NULL, "%s is not in the trace", event);
		/* The same fields in the same spelling: the line holds it, behind the common ones. */
		ours = t.lines.data ? strstr(t.lines.data, kernel) : NULL;
		cr_expect(ours != NULL, "the kernel: %s\nleat:\n%s", kernel, t.lines.data);
	}
	trace_fini(&t);
	instance_close(&in);
}

/* ---- a flood ---- */

static void *flood(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < FLOOD; i++)
		syscall(SYS_getppid);
	return NULL;
}

/* Every event of the flood is delivered or lost, and counted as that. */
static void flood_with(size_t ring_bytes, unsigned int pause_us, bool want_loss)
{
	static const char *const names[] = { "syscalls/sys_enter_getppid" };
	struct leat_probes_opts o = {
		.names = names, .cnt = 1, .ring_bytes = ring_bytes, .only_tgid = (uint32_t)getpid()
	};
	uint64_t stat[LEAT_STAT__MAX], lost, skipped;
	struct trace t;
	pthread_t thread;

	trace_open(&t, o);
	cr_assert(zero(int, pthread_create(&thread, NULL, flood, NULL)));
	while (pthread_tryjoin_np(thread, NULL) == EBUSY) {
		bool more;

		cr_assert(ge(int, t.source.ops->poll(t.source.self, t.bus, UINT64_MAX, &more), 0));
		usleep(pause_us);
	}
	trace_stop(&t);
	cr_assert(zero(int, leat_probes_stats(t.probes, stat)));
	skipped = leat_probes_skipped(t.probes);
	lost = stat[LEAT_STAT_L_RING_FULL];
	expect_sums(&t);
	cr_expect(zero(u64, stat[LEAT_STAT_L_NO_SCRATCH]));
	/* Another program of tracing on this CPU makes the kernel skip ours; it says how often. */
	cr_expect(le(u64, t.records + lost, FLOOD));
	cr_expect(ge(u64, t.records + lost + skipped, FLOOD));
	cr_expect(eq(int, lost > 0, want_loss), "lost %llu", (unsigned long long)lost);
	trace_fini(&t);
}

Test(probe, a_flood_of_a_million_adds_up, .timeout = 240)
{
	flood_with(128 << 20, 1000, false);
}

Test(probe, a_flood_into_a_small_ring_is_lost_by_count, .timeout = 240)
{
	flood_with(65536, 20000, true);
}

/* ---- formats and refusals ---- */

static void each_format(int events, size_t *cnt)
{
	DIR *systems = fdopendir(dup(events));
	struct dirent *s, *e;

	while ((s = readdir(systems))) {
		int sys = openat(events, s->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *d;

		if (s->d_name[0] == '.' || sys < 0)
			continue;
		d = fdopendir(sys);
		while ((e = readdir(d))) {
			struct leat_probe_cfg cfg = { .kind = 1 };
			struct leat_format *f = NULL;
			LEAT_FREE char *text = NULL;
			char path[600];
			uint32_t id = 0;
			size_t len;

			snprintf(path, sizeof(path), "%s/format", e->d_name);
			if (e->d_name[0] == '.' ||
			    leat_file_read_at(sys, path, 1 << 20, &text, &len))
				continue;
			cr_assert(zero(int, leat_tracefs_parse(text, len, &f, &id)), "%s/%s",
				  s->d_name, e->d_name);
			cr_expect(eq(str, (char *)leat_format_name(f), e->d_name));
			cr_expect(gt(u32, id, 0));
			cr_expect(ge(sz, leat_format_field_cnt(f), 4));
			cr_expect(zero(int, leat_probe_layout(f, &cfg)), "%s", e->d_name);
			len = leat_format_field_cnt(f);
			cr_expect(zero(int, leat_probe_known_fields(&f)), "%s", e->d_name);
			cr_expect(lt(sz, leat_format_field_cnt(f), len), "%s", e->d_name);
			leat_format_free(&f);
			++*cnt;
		}
		closedir(d);
	}
	closedir(systems);
}

Test(probe, every_format_of_this_kernel_parses, .timeout = 120)
{
	int tracefs = -1, events;
	size_t cnt = 0;

	cr_assert(zero(int, leat_tracefs_dir_open(&tracefs)));
	events = openat(tracefs, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(ge(int, events, 0));
	each_format(events, &cnt);
	cr_expect(gt(sz, cnt, 500), "%zu formats", cnt);
	close(events);
	close(tracefs);
}

/* The programs load and attach whatever the layout: few and many fields, arrays, dynamic ones. */
Test(probe, programs_for_formats_of_all_kinds_attach, .timeout = 240)
{
	static const char *const names[] = {
		"irq/irq_handler_entry",     "irq/softirq_entry",
		"kmem/mm_page_alloc",	     "block/block_rq_issue",
		"sched/sched_waking",	     "timer/hrtimer_expire_entry",
		"net/netif_receive_skb",     "oom/mark_victim",
		"signal/signal_generate",    "workqueue/workqueue_queue_work",
		"exceptions/page_fault_user"
	};
	struct leat_probes_opts o = { .names = names, .cnt = LEAT_ARRAY_SIZE(names) };
	struct trace t;

	trace_open(&t, o);
	for (int i = 0; i < 10; i++) {
		usleep(20000);
		trace_drain(&t);
	}
	trace_stop(&t);
	cr_expect(gt(u64, t.records, 0));
	expect_sums(&t);
	trace_fini(&t);
}

Test(probe, what_is_no_tracepoint_is_refused)
{
	static const struct {
		const char *name;
		int err;
	} rows[] = {
		{ "sched/no_such_event", -ENOENT },
		{ "no_such_system/sched_switch", -ENOENT },
		{ "sched_switch", -EINVAL },
		{ "/sched_switch", -EINVAL },
		{ "sched/", -EINVAL },
		{ "", -EINVAL },
		{ "sched/../sched/sched_switch", -EINVAL },
		{ "../sched", -EINVAL },
		{ "sched/..", -EINVAL },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(rows); i++) {
		struct leat_probes_opts o = { .names = &rows[i].name, .cnt = 1 };
		struct leat_probes *p = NULL;
		struct leat_diag diag = { 0 };

		cr_expect(eq(int, leat_probes_open(&p, &o, &diag), rows[i].err), "%s",
			  rows[i].name);
		cr_expect(diag.what[0] != 0);
		cr_expect(p == NULL);
	}
}
