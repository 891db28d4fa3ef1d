/* SPDX-License-Identifier: BSD-2-Clause */
#include "live/env.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "event/wire.h"
#include "live/env_impl.h"
#include "live/maps.h"
#include "live/procfs.h"

/* What the rings can hold at once on a large host, and then some. */
#define ARENA_MAX (64u << 20)
/* A loss is asked for this often, and at the end: a CPU on which nothing more happens tells of none. */
#define LOST_GAP_NS 1000000000u
/* Processes whose leader has ended are looked at this often. */
#define LEAVING_GAP_NS 10000000u

int leat_env_new(struct leat_env **out, const struct leat_env_opts *o)
{
	struct leat_env *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->o = *o;
	e->rings.epoll_fd = -1;
	leat_buf_init(&e->arena, ARENA_MAX);
	e->bits = mmap(NULL, LEAT_ENV_PIDS, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (e->bits == MAP_FAILED)
		e->bits = NULL;
	e->text = malloc(LEAT_ENV_TEXT);
	if (!e->bits || !e->text) {
		leat_env_free(&e);
		return -ENOMEM;
	}
	e->mnt_ns = leat_procfs_ns(0, "mnt");
	*out = e;
	return 0;
}

void leat_env_free(struct leat_env **ep)
{
	struct leat_env *e = *ep;

	if (!e)
		return;
	leat_rings_close(&e->rings);
	leat_buf_fini(&e->arena);
	free(e->pending);
	free(e->kept);
	free(e->added);
	free(e->leaving);
	free(e->text);
	if (e->bits)
		munmap(e->bits, LEAT_ENV_PIDS);
	free(e);
	*ep = NULL;
}

static uint8_t *bits_of(const struct leat_env *e, uint32_t tgid)
{
	return tgid && tgid < LEAT_ENV_PIDS ? &e->bits[tgid] : NULL;
}

static bool is_wanted(const struct leat_env *e, uint32_t tgid)
{
	const uint8_t *b = bits_of(e, tgid);

	return b && tgid != e->o.self_tgid && (e->o.all || (*b & LEAT_ENV_FOLLOWED));
}

bool leat_env_follows(const struct leat_env *e, uint32_t tgid)
{
	const uint8_t *b = bits_of(e, tgid);

	return b && (*b & LEAT_ENV_FOLLOWED);
}

size_t leat_env_alive(const struct leat_env *e)
{
	return e->alive;
}

bool leat_env_was_useful(const struct leat_env *e)
{
	return e->useful;
}

const struct leat_diag *leat_env_diag(const struct leat_env *e)
{
	return &e->diag;
}

void leat_env_stats(const struct leat_env *e, struct leat_env_stats *out)
{
	*out = e->stats;
}

void leat_env_emit(struct leat_env *e, const union leat_env_record *r)
{
	struct leat_record rec;

	if (leat_wire_record(r, r->h.size, &rec)) {
		e->stats.malformed++;
		return;
	}
	e->stats.records++;
	leat_wire_dispatch(e->bus, &rec);
}

void leat_env_emit_mmap(struct leat_env *e, union leat_env_record *r)
{
	uint8_t *b = bits_of(e, r->h.tgid);

	if (e->o.files)
		leat_files_identify(e->o.files, &r->mmap);
	if (e->o.files && b && r->mmap.mmap_kind == LEAT_MMAP_ANON && !(*b & LEAT_ENV_JIT)) {
		*b |= LEAT_ENV_JIT;
		leat_files_keep_root(e->o.files, r->h.tgid);
	}
	leat_env_emit(e, r);
}

static void now_known(struct leat_env *e, uint32_t tgid)
{
	if (e->o.on_known)
		e->o.on_known(e->o.ctx, tgid);
}

static void count_alive(struct leat_env *e, uint8_t *b, bool alive)
{
	bool was = *b & LEAT_ENV_COUNTED;

	if (alive == was)
		return;
	*b ^= LEAT_ENV_COUNTED;
	e->alive = alive ? e->alive + 1 : e->alive - 1;
}

/* Reads a process once; what cannot be read is not tried again. */
static int read_once(struct leat_env *e, uint32_t tgid, uint64_t start_ns)
{
	uint8_t *b = bits_of(e, tgid);
	int err;

	if (*b & LEAT_ENV_TRIED)
		return 0;
	*b |= LEAT_ENV_TRIED;
	err = leat_env_read(e, tgid, start_ns);
	if (err)
		return err;
	*b |= LEAT_ENV_KNOWN;
	leat_env_keep(e, tgid);
	return 0;
}

/* Its leader has ended; it has when its last thread has. Records do not tell which one that is. */
static void leave(struct leat_env *e, uint32_t tgid)
{
	if (LEAT_ARRAY_ROOM(e->leaving, e->leaving_cap, e->leaving_cnt + 1, LEAT_ENV_PIDS)) {
		count_alive(e, bits_of(e, tgid), false);
		return;
	}
	e->leaving[e->leaving_cnt++] = tgid;
}

int leat_env_add(struct leat_env *e, uint32_t tgid)
{
	uint8_t *b = bits_of(e, tgid);
	uint32_t via;
	int err;

	if (!b)
		return -EINVAL;
	*b |= LEAT_ENV_FOLLOWED;
	count_alive(e, b, true);
	if (!e->started) {
		if (LEAT_ARRAY_ROOM(e->added, e->added_cap, e->added_cnt + 1, LEAT_ENV_PIDS))
			return -ENOMEM;
		e->added[e->added_cnt++] = tgid;
		return 0;
	}
	err = read_once(e, tgid, 0);
	/* Its end may have been before the side band began: nothing will tell of it. */
	via = leat_procfs_via(tgid);
	if (err == -ESRCH || !via)
		count_alive(e, b, false);
	else if (via != tgid)
		leave(e, tgid);
	if (!err)
		now_known(e, tgid);
	return err;
}

/* ---- records of the side band ---- */

/* A new process: inherits what its parent is, if that is known. */
static bool on_fork(struct leat_env *e, const union leat_env_record *r)
{
	uint8_t *child = bits_of(e, r->h.tgid), *parent = bits_of(e, r->task.ptgid);
	uint8_t inherited = 0;

	if (!child)
		return false;
	if (r->h.tgid == r->task.ptgid)
		return is_wanted(e, r->h.tgid);
	count_alive(e, child, false); /* the number is used again */
	*child = 0;
	if (parent && e->o.children)
		inherited = *parent & LEAT_ENV_FOLLOWED;
	if (!e->o.all && !inherited)
		return false;
	/* Its code is its parent's until it calls exec: read that while it is there. */
	if (parent && !(*parent & LEAT_ENV_KNOWN) && r->task.ptgid != e->o.self_tgid &&
	    read_once(e, r->task.ptgid, 0))
		e->stats.unreadable++;
	if (parent)
		inherited |= *parent & (LEAT_ENV_KNOWN | LEAT_ENV_JIT);
	*child = inherited;
	if (inherited & LEAT_ENV_FOLLOWED)
		count_alive(e, child, true);
	return true;
}

static void look_at_leaving(struct leat_env *e)
{
	uint64_t now = leat_clock_ns();
	size_t i = 0;

	if (!e->leaving_cnt || now < e->leaving_next_ns)
		return;
	e->leaving_next_ns = now + LEAVING_GAP_NS;
	while (i < e->leaving_cnt) {
		uint8_t *b = bits_of(e, e->leaving[i]);

		if ((*b & LEAT_ENV_COUNTED) && !leat_procfs_is_over(e->leaving[i])) {
			i++;
			continue;
		}
		count_alive(e, b, false);
		e->leaving[i] = e->leaving[--e->leaving_cnt];
	}
}

static bool on_exit_record(struct leat_env *e, const union leat_env_record *r)
{
	uint8_t *b = bits_of(e, r->h.tgid);

	if (b && r->h.tid == r->h.tgid && (*b & LEAT_ENV_COUNTED))
		leave(e, r->h.tgid);
	return is_wanted(e, r->h.tgid);
}

static bool on_comm(struct leat_env *e, const union leat_env_record *r)
{
	uint8_t *b = bits_of(e, r->h.tgid);

	if (!is_wanted(e, r->h.tgid))
		return false;
	/* From an exec on, every mapping is announced. */
	if (r->comm.flags & LEAT_COMM_EXEC) {
		*b = (uint8_t)((*b | LEAT_ENV_KNOWN) & ~LEAT_ENV_JIT);
		if (e->o.on_exec)
			e->o.on_exec(e->o.ctx, r->h.tgid);
	}
	return true;
}

static void lost_more(struct leat_env *e, uint64_t cnt, const union leat_env_record *r)
{
	e->stats.lost += cnt;
	leat_env_mark_lost(e);
	e->useful = true;
	leat_env_emit(e, r);
}

/* The records of losses repeat what the kernel's own count says, later. */
static void ask_for_losses(struct leat_env *e, uint64_t now)
{
	uint64_t total = leat_rings_lost(&e->rings);
	union leat_env_record r;

	e->lost_next_ns = now + LOST_GAP_NS;
	if (total <= e->stats.lost)
		return;
	memset(&r.lost, 0, sizeof(r.lost));
	r.h = (struct leat_rec){
		.kind = LEAT_REC_ENV_LOST, .size = sizeof(r.lost), .cpu = UINT16_MAX, .ts_ns = now
	};
	r.lost.lost_cnt = total - e->stats.lost;
	lost_more(e, r.lost.lost_cnt, &r);
}

static void deliver(struct leat_env *e, union leat_env_record *r)
{
	bool wanted;

	switch (r->h.kind) {
	case LEAT_REC_FORK:
		wanted = on_fork(e, r);
		break;
	case LEAT_REC_EXIT:
		wanted = on_exit_record(e, r);
		break;
	case LEAT_REC_COMM:
		wanted = on_comm(e, r);
		break;
	case LEAT_REC_ENV_LOST:
		if (e->rings.reads_lost)
			ask_for_losses(e, leat_clock_ns());
		else
			lost_more(e, r->lost.lost_cnt, r);
		return;
	default:
		wanted = is_wanted(e, r->h.tgid);
		break;
	}
	if (!wanted) {
		e->stats.foreign++;
		return;
	}
	e->useful = true;
	if (r->h.kind == LEAT_REC_MMAP)
		leat_env_emit_mmap(e, r);
	else
		leat_env_emit(e, r);
}

/* Whether a record can be dropped before it takes any memory: when nothing depends on its order. */
static bool is_foreign(const struct leat_env *e, const struct leat_sideband *s)
{
	return !e->o.all && !e->o.children &&
	       (s->kind == LEAT_SIDEBAND_MMAP || s->kind == LEAT_SIDEBAND_COMM) &&
	       !is_wanted(e, s->tgid);
}

static int take_record(void *ctx, const void *p, size_t n)
{
	struct leat_env *e = ctx;
	struct leat_sideband s;
	union leat_env_record r;
	size_t size;

	if (leat_sideband_decode(p, n, &s)) {
		e->stats.malformed++;
		return 0;
	}
	/* -1 and 0: a process that our pid namespace does not have. */
	if (s.kind != LEAT_SIDEBAND_LOST && !bits_of(e, s.tgid))
		return 0;
	if (is_foreign(e, &s)) {
		e->stats.foreign++;
		return 0;
	}
	size = leat_sideband_to_wire(&s, &r);
	if (!size)
		return 0;
	if (LEAT_ARRAY_ROOM(e->pending, e->pending_cap, e->pending_cnt + 1, ARENA_MAX / 32))
		return -ENOMEM;
	e->pending[e->pending_cnt].ts_ns = s.ts_ns;
	e->pending[e->pending_cnt].at = e->arena.len;
	leat_buf_add(&e->arena, &r, size);
	if (e->arena.err)
		return e->arena.err;
	e->pending_cnt++;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct leat_env_pending *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Keeps records from @from on, moved to the front of a new arena. */
static int keep_rest(struct leat_env *e, size_t from)
{
	struct leat_buf rest;
	size_t i;

	if (from == e->pending_cnt) {
		leat_buf_reset(&e->arena);
		e->pending_cnt = 0;
		return 0;
	}
	leat_buf_init(&rest, ARENA_MAX);
	for (i = from; i < e->pending_cnt; i++) {
		const struct leat_rec *h = (const void *)(e->arena.data + e->pending[i].at);
		struct leat_rec head;
		size_t at = rest.len;

		memcpy(&head, h, sizeof(head));
		leat_buf_add(&rest, h, head.size);
		e->pending[i - from] = (struct leat_env_pending){ e->pending[i].ts_ns, at };
	}
	leat_buf_fini(&e->arena);
	e->pending_cnt -= from;
	e->arena = rest;
	return rest.err;
}

static int env_poll(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	struct leat_env *e = self;
	uint64_t before = e->stats.records, begin = leat_clock_ns();
	bool last = until_ns == UINT64_MAX;
	size_t i;
	int err;

	(void)bus;
	/*
	 * The rings are read one after the other: what was written meanwhile may depend on a record
	 * of a ring that was read already, and waits for the next time.
	 */
	if (!last && until_ns > begin)
		until_ns = begin;
	*more = false;
	e->useful = false;
	err = leat_rings_drain(&e->rings, take_record, e, &e->stats.malformed);
	if (err < 0)
		return err;
	if (e->pending_cnt > 1)
		qsort(e->pending, e->pending_cnt, sizeof(*e->pending), by_time);
	for (i = 0; i < e->pending_cnt && e->pending[i].ts_ns <= until_ns; i++) {
		union leat_env_record r;
		struct leat_rec h;

		memcpy(&h, e->arena.data + e->pending[i].at, sizeof(h));
		memcpy(&r, e->arena.data + e->pending[i].at, h.size);
		deliver(e, &r);
	}
	err = keep_rest(e, i);
	if (err)
		return err;
	if (last || begin >= e->lost_next_ns)
		ask_for_losses(e, begin);
	leat_env_reread(e);
	look_at_leaving(e);
	return (int)(e->stats.records - before);
}

/* ---- the source ---- */

static int env_open(void *self, struct leat_bus *bus)
{
	struct leat_env *e = self;
	int kind, err;

	e->bus = bus;
	for (kind = LEAT_REC_PROCESS; kind <= LEAT_REC_ENV_LOST; kind++) {
		err = leat_wire_register(bus, (enum leat_rec_kind)kind, NULL);
		if (err)
			return err;
	}
	return 0;
}

/* The side band first, so that nothing falls between it and the reading of /proc. */
static int env_start(void *self)
{
	struct leat_env *e = self;
	size_t i;
	int err = leat_rings_open(&e->rings, e->o.cpus, e->o.cpu_cnt, &e->diag);

	if (err)
		return err;
	e->started = true;
	for (i = 0; i < e->added_cnt; i++) {
		err = leat_env_add(e, e->added[i]);
		if (err && err != -ESRCH && err != -EACCES && err != -EPERM)
			return err;
	}
	return 0;
}

static int env_stop(void *self)
{
	struct leat_env *e = self;

	leat_rings_stop(&e->rings);
	return 0;
}

static void env_close(void *self)
{
	struct leat_env *e = self;

	leat_rings_close(&e->rings);
}

static void env_stats(const void *self, struct leat_source_stats *out)
{
	const struct leat_env *e = self;

	*out = (struct leat_source_stats){
		.records = e->stats.records,
		.lost = e->stats.lost,
		.malformed = e->stats.malformed,
	};
}

static int env_poll_fd(const void *self)
{
	const struct leat_env *e = self;

	return e->rings.epoll_fd;
}

struct leat_source leat_env_source(struct leat_env *e)
{
	static const struct leat_source_ops ops = {
		.name = "environment",
		.open = env_open,
		.start = env_start,
		.poll = env_poll,
		.stop = env_stop,
		.close = env_close,
		.stats = env_stats,
		.poll_fd = env_poll_fd,
	};

	return (struct leat_source){ .ops = &ops, .self = e };
}

/* A sample fell into a process that the kernel side has not been told about. */
static int on_newproc(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_env *e = ctx;
	uint8_t *b = bits_of(e, r->tgid);
	uint64_t start_ns = 0;
	int err = 0;

	if (!b)
		return 0;
	if (leat_get_u64(leat_event_format(ev), e->newproc_start, r, &start_ns))
		start_ns = 0;
	if (!(*b & LEAT_ENV_FOLLOWED) && !e->o.all) {
		*b |= LEAT_ENV_FOLLOWED;
		count_alive(e, b, true);
	}
	if (!(*b & LEAT_ENV_KNOWN))
		err = read_once(e, r->tgid, start_ns);
	if (err == -ESRCH)
		count_alive(e, b, false);
	/* What cannot be read stays unknown: no more notices of it. */
	now_known(e, r->tgid);
	return 0;
}

int leat_env_attach(struct leat_env *e, struct leat_bus *bus)
{
	struct leat_event *ev = leat_bus_find(bus, leat_wire_event_name(LEAT_REC_NEWPROC));

	int err;

	if (!ev)
		return -ENOENT;
	err = leat_format_ref(leat_event_format(ev), "proc.start_ns", &e->newproc_start);
	return err ? err : leat_event_add_callback(ev, on_newproc, e, NULL);
}
