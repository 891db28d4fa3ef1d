/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes the samples of live.h: leat's own sources, and beside them the rings of the perf event. */
#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "engine/features.h"
#include "engine/impl.h"
#include "event/pump.h"
#include "live.h"
#include "live/env.h"
#include "live/files.h"
#include "live/procfs.h"
#include "live/tables.h"

#define STACK_BYTES  65528u
#define RING_PAGES   4096u /* 16 MB: 256 copies */
#define PAGE	     4096u
#define POLL_MS	     5
#define CPUS_MAX     64
#define COPIES_MAX   (TAKE_MAX * 2)
#define INIT_PID_NS  0xeffffffcu
#define MATCH_NS     500000 /* both clocks are read in one interrupt; a period is longer than that */
#define NEVER_PERIOD 3600000000000ull

/* Registers by the kernel's numbers (asm/perf_regs.h), as DWARF numbers. */
#define NO_REG 0xff
static const uint8_t dwarf_of[] = { 0,	3,	2,	1,	4,	5,	6,	7,
				    16, NO_REG, NO_REG, NO_REG, NO_REG, NO_REG, NO_REG, NO_REG,
				    8,	9,	10,	11,	12,	13,	14,	15 };
#define REGS_MASK 0xff01ffull /* ax to ip, r8 to r15 */

static const struct copy_format own = { .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
						       PERF_SAMPLE_REGS_USER |
						       PERF_SAMPLE_STACK_USER,
					.regs_mask = REGS_MASK };

struct ring {
	int fd;
	struct perf_event_mmap_page *head;
	uint8_t *data;
};

struct taking {
	struct take *t;
	struct leat_files *files;
	struct leat_env *env;
	struct leat_engine *engine;
	struct leat_tables *tables;
	struct leat_bus *bus;
	struct leat_pump pump;
	uint32_t cpus[CPUS_MAX];
	size_t cpu_cnt;
	struct ring rings[CPUS_MAX];
	uint8_t record[UINT16_MAX + 1];
};

static void die(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(err < 0 ? -err : err));
	exit(2);
}

static void must(const char *what, int err)
{
	if (err < 0)
		die(what, err);
}

/* ---- leat's side ---- */

static void find_cpus(struct taking *x)
{
	char text[1024];

	if (leat_procfs_text("/sys/devices/system/cpu/online", text, sizeof(text)) <= 0)
		die("CPUs", ENOENT);
	must("CPUs", leat_procfs_parse_cpus(text, strlen(text), x->cpus, CPUS_MAX, &x->cpu_cnt));
}

static void open_engine(struct taking *x)
{
	/* Room for all samples that wait for a table: at this rate there are many in its time. */
	struct leat_engine_opts o = { .period = NEVER_PERIOD,
				      .ring_bytes = 64u << 20,
				      .cpus = x->cpus,
				      .cpu_cnt = x->cpu_cnt };
	struct leat_diag diag = { 0 };
	struct stat st;

	o.cfg = (struct leat_cfg){ .by_process = 1,
				   .self_tgid = (uint32_t)getpid(),
				   .kernel_stack = 1,
				   .user_stack = 1,
				   .max_uframes = LEAT_MAX_UFRAMES,
				   .stream = 1,
				   .unwind = 1,
				   .raw_bytes = 8u << 20,
				   .keep_events = 1 };
	if (!stat("/proc/self/ns/pid", &st) && st.st_ino != INIT_PID_NS) {
		o.cfg.pidns_dev = st.st_dev;
		o.cfg.pidns_ino = st.st_ino;
	}
	/* Its own events never come: the program is on ours. */
	must("event", leat_perf_event_find("cpu-clock", &o.event));
	if (leat_engine_open(&x->engine, &o, &diag)) {
		fprintf(stderr, "%s\n%s\n", diag.what, diag.why);
		exit(2);
	}
}

static int on_sample(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct take *t = ctx;
	const struct leat_rec_sample *s = r->data;
	struct shot shot = { 0 };

	(void)ev;
	if (r->size < sizeof(*s) ||
	    r->size < sizeof(*s) + (s->kframe_cnt + s->uframe_cnt) * sizeof(s->frames[0]))
		return -EBADMSG;
	must("shots", LEAT_ARRAY_ROOM(t->shots, t->shot_cap, t->shot_cnt + 1, COPIES_MAX * 2));
	shot.rec = malloc(r->size);
	if (!shot.rec)
		die("shots", ENOMEM);
	memcpy(shot.rec, s, r->size);
	t->shots[t->shot_cnt++] = shot;
	return 0;
}

static int on_raw(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct take *t = ctx;

	(void)ev;
	must("raws", LEAT_ARRAY_ROOM(t->raws, t->raw_cap, t->raw_cnt + 1, COPIES_MAX * 2));
	t->raws[t->raw_cnt++] = r->ts_ns;
	return 0;
}

static void open_leat(struct taking *x)
{
	struct leat_env_opts eo = { .self_tgid = (uint32_t)getpid(),
				    .cpus = x->cpus,
				    .cpu_cnt = x->cpu_cnt };
	struct leat_tables_opts to = { .max_frames = LEAT_MAX_UFRAMES };
	struct take *t = x->t;

	must("files", leat_files_new(&x->files));
	eo.files = to.files = x->files;
	must("environment", leat_env_new(&x->env, &eo));
	open_engine(x);
	to.engine = x->engine;
	must("tables", leat_tables_new(&x->tables, &to));
	must("bus", leat_bus_new(&x->bus));
	leat_pump_init(&x->pump, x->bus);
	must("pump", leat_pump_add(&x->pump, leat_env_source(x->env)));
	must("pump", leat_pump_add(&x->pump, leat_engine_source(x->engine)));
	must("sources", leat_pump_open(&x->pump));
	must("tables", leat_tables_attach(x->tables, x->bus));
	must("samples",
	     leat_event_add_callback(leat_bus_at(x->bus, LEAT_REC_SAMPLE), on_sample, t, NULL));
	must("raws", leat_event_add_callback(leat_bus_at(x->bus, LEAT_REC_RAW), on_raw, t, NULL));
	for (size_t i = 0; i < t->pid_cnt; i++) {
		must("process", leat_env_add(x->env, t->pids[i]));
		must("process", leat_engine_set_tgid(x->engine, t->pids[i],
						     LEAT_SET_PROCESS | LEAT_SET_KNOWN));
	}
}

/* ---- the perf event's side ---- */

static void open_ring(struct taking *x, size_t i)
{
	struct perf_event_attr attr = { .size = sizeof(attr),
					.type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.disabled = 1,
					.freq = 1,
					.sample_freq = x->t->hz,
					.sample_type = own.sample_type,
					.sample_regs_user = own.regs_mask,
					.sample_stack_user = STACK_BYTES,
					.use_clockid = 1,
					.clockid = CLOCK_MONOTONIC };
	struct ring *r = &x->rings[i];
	void *m;

	r->fd = (int)syscall(SYS_perf_event_open, &attr, -1, (int)x->cpus[i], -1,
			     PERF_FLAG_FD_CLOEXEC);
	if (r->fd < 0)
		die("perf event", errno);
	m = mmap(NULL, (size_t)(RING_PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		 0);
	if (m == MAP_FAILED)
		die("ring", errno);
	r->head = m;
	r->data = (uint8_t *)m + PAGE;
	if (ioctl(r->fd, PERF_EVENT_IOC_SET_BPF, leat_engine_sample_fd(x->engine)))
		die("BPF program on the event", errno);
}

static void enable(struct taking *x, bool on)
{
	for (size_t i = 0; i < x->cpu_cnt; i++)
		ioctl(x->rings[i].fd, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

static uint64_t word_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The words of a sample; what is beyond its end is 0. */
struct words {
	const uint8_t *p;
	size_t n;
};

static uint64_t next(struct words *w)
{
	uint64_t v = 0;

	if (w->n < sizeof(v))
		return 0;
	v = word_at(w->p);
	w->p += sizeof(v);
	w->n -= sizeof(v);
	return v;
}

/* What stands before the registers; of it pid, tid and time. */
static void add_head(struct copy *c, uint64_t type, struct words *w)
{
	uint64_t both;

	if (type & (PERF_SAMPLE_READ | PERF_SAMPLE_RAW | PERF_SAMPLE_BRANCH_STACK))
		die("samples of this kind", ENOTSUP);
	for (uint64_t i = !!(type & PERF_SAMPLE_IDENTIFIER) + !!(type & PERF_SAMPLE_IP); i; i--)
		next(w);
	both = next(w);
	c->tgid = (uint32_t)both;
	c->tid = (uint32_t)(both >> 32);
	c->ts_ns = next(w);
	type &= PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
		PERF_SAMPLE_PERIOD;
	for (int i = __builtin_popcountll(type); i; i--)
		next(w);
}

static void add_registers(struct copy *c, uint64_t mask, struct words *w)
{
	for (size_t i = 0; i < 64; i++) {
		uint64_t v = mask >> i & 1 ? next(w) : 0;

		if (i < LEAT_ARRAY_SIZE(dwarf_of) && dwarf_of[i] != NO_REG)
			c->regs[dwarf_of[i]] = v;
	}
}

void take_add(struct take *t, const struct copy_format *f, const uint8_t *p, size_t n)
{
	struct words w = { p, n };
	struct copy c = { 0 };
	uint64_t size;

	add_head(&c, f->sample_type, &w);
	if (f->sample_type & PERF_SAMPLE_CALLCHAIN) {
		for (uint64_t i = next(&w); i && w.n; i--)
			next(&w);
	}
	if (next(&w) != PERF_SAMPLE_REGS_ABI_64) {
		t->no_regs++;
		return;
	}
	add_registers(&c, f->regs_mask, &w);
	size = next(&w);
	if (size && size + sizeof(size) <= w.n)
		c.stack_len = word_at(w.p + size);
	if (c.stack_len > size)
		die("a copy", EBADMSG);
	c.stack = malloc(c.stack_len + 1);
	if (!c.stack)
		die("copies", ENOMEM);
	memcpy(c.stack, w.p, c.stack_len);
	must("copies", LEAT_ARRAY_ROOM(t->copies, t->copy_cap, t->copy_cnt + 1, COPIES_MAX));
	t->copies[t->copy_cnt++] = c;
}

static void read_ring(struct taking *x, struct ring *r)
{
	const uint64_t size = (uint64_t)RING_PAGES * PAGE;
	uint64_t head = __atomic_load_n(&r->head->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = r->head->data_tail;

	while (tail < head) {
		struct perf_event_header h;

		for (size_t i = 0; i < sizeof(h); i++)
			((uint8_t *)&h)[i] = r->data[(tail + i) % size];
		for (size_t n, i = 0; i < h.size; i += n) {
			uint64_t at = (tail + i) % size;

			n = h.size - i < size - at ? h.size - i : size - at;
			memcpy(x->record + i, r->data + at, n);
		}
		if (h.type == PERF_RECORD_SAMPLE)
			take_add(x->t, &own, x->record + sizeof(h), h.size - sizeof(h));
		else if (h.type == PERF_RECORD_LOST)
			x->t->lost += word_at(x->record + sizeof(h) + 8);
		tail += h.size;
	}
	__atomic_store_n(&r->head->data_tail, tail, __ATOMIC_RELEASE);
}

/* ---- both ---- */

static void round_of(struct taking *x)
{
	for (size_t i = 0; i < x->cpu_cnt && x->rings[i].head; i++)
		read_ring(x, &x->rings[i]);
	must("records", leat_pump_round(&x->pump, leat_clock_ns()));
	must("tables", leat_tables_round(x->tables));
}

static int by_time(const void *a, const void *b)
{
	const struct leat_rec *x = &((const struct shot *)a)->rec->h;
	const struct leat_rec *y = &((const struct shot *)b)->rec->h;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->ts_ns < y->ts_ns ? -1 : x->ts_ns > y->ts_ns;
}

static void finish(struct taking *x)
{
	struct take *t = x->t;
	uint64_t stat[LEAT_STAT__MAX];

	must("end", leat_pump_stop(&x->pump));
	round_of(x);
	must("records", leat_pump_round(&x->pump, UINT64_MAX));
	must("tables", leat_tables_finish(x->tables));
	must("counters", leat_engine_stats(x->engine, stat));
	t->delivered = stat[LEAT_STAT_STREAMED] + stat[LEAT_STAT_RAW];
	for (size_t i = 0; i < t->shot_cnt; i++) {
		for (size_t k = 0; k < t->raw_cnt; k++)
			t->shots[i].raw |= t->shots[i].rec->h.ts_ns == t->raws[k];
	}
	if (t->shot_cnt)
		qsort(t->shots, t->shot_cnt, sizeof(*t->shots), by_time);
	leat_pump_close(&x->pump);
	leat_tables_free(&x->tables);
	leat_bus_free(&x->bus);
	leat_engine_free(&x->engine);
	leat_env_free(&x->env);
	leat_files_free(&x->files);
}

/* Samples on events of our own. */
static void run_own(struct taking *x)
{
	struct take *t = x->t;
	uint64_t until;

	for (size_t i = 0; i < x->cpu_cnt; i++)
		open_ring(x, i);
	enable(x, true);
	until = leat_clock_ns() + t->seconds * 1000000000ull;
	while (leat_clock_ns() < until && t->copy_cnt < t->max && t->copy_cnt < TAKE_MAX) {
		poll(NULL, 0, POLL_MS);
		round_of(x);
	}
	enable(x, false);
}

/* Samples on those of a perf record, until it ends. */
static void run_shared(struct taking *x)
{
	struct pollfd end = { .fd = perf_share(x->t->perf_tgid, leat_engine_sample_fd(x->engine)),
			      .events = POLLIN };

	printf("shared\n");
	fflush(stdout);
	while (poll(&end, 1, POLL_MS) == 0)
		round_of(x);
	close(end.fd);
}

void take_run(struct take *t)
{
	static struct taking x;

	x = (struct taking){ .t = t };
	find_cpus(&x);
	open_leat(&x);
	must("start", leat_pump_start(&x.pump));
	must("tables", leat_tables_round(x.tables));
	if (t->perf_tgid)
		run_shared(&x);
	else
		run_own(&x);
	finish(&x);
	if (t->perf_tgid)
		perf_read(t);
	for (size_t i = 0; i < x.cpu_cnt && x.rings[i].head; i++) {
		munmap(x.rings[i].head, (size_t)(RING_PAGES + 1) * PAGE);
		close(x.rings[i].fd);
	}
}

void take_fini(struct take *t)
{
	for (size_t i = 0; i < t->copy_cnt; i++)
		free(t->copies[i].stack);
	for (size_t i = 0; i < t->shot_cnt; i++)
		free(t->shots[i].rec);
	free(t->copies);
	free(t->shots);
	free(t->raws);
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a < b ? b - a : a - b;
}

const struct shot *take_find(const struct take *t, const struct copy *c)
{
	const struct shot *best = NULL;
	size_t low = 0, high = t->shot_cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct leat_rec *h = &t->shots[mid].rec->h;

		if (h->tid < c->tid || (h->tid == c->tid && h->ts_ns < c->ts_ns))
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = low ? low - 1 : 0; i <= low && i < t->shot_cnt; i++) {
		const struct leat_rec *h = &t->shots[i].rec->h;

		if (h->tid == c->tid && apart(h->ts_ns, c->ts_ns) < MATCH_NS &&
		    (!best || apart(h->ts_ns, c->ts_ns) < apart(best->rec->h.ts_ns, c->ts_ns)))
			best = &t->shots[i];
	}
	return best;
}
