/* SPDX-License-Identifier: BSD-2-Clause */
/* Which program runs in which process, where its code lies, and what the kernel side knows of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "event/wire.h"
#include "live/procfs.h"
#include "live/tables_impl.h"

static struct leat_program *newest(struct leat_tables *t, uint32_t tgid)
{
	return tgid < LEAT_TABLES_PIDS && t->by_tgid[tgid] ? &t->programs[t->by_tgid[tgid] - 1]
							   : NULL;
}

struct leat_program *leat_program_at(struct leat_tables *t, uint32_t tgid, uint64_t ns)
{
	struct leat_program *p = newest(t, tgid);

	while (p && p->since_ns > ns && p->older)
		p = &t->programs[p->older - 1];
	return p && p->since_ns <= ns ? p : NULL;
}

static void release(struct leat_tables *t, struct leat_program *p)
{
	leat_slices_put(&t->slices, p->slice, leat_clock_ns());
	p->slice = LEAT_SLICE_NONE;
}

/* It is not what its process runs any more. */
static void retire(struct leat_tables *t, struct leat_program *p)
{
	release(t, p);
	p->gone_ns = leat_clock_ns();
	p->dirty = false;
	p->ended = false;
	t->any_gone = true;
}

static struct leat_program *unused(struct leat_tables *t)
{
	/* Those who have gone are looked through only where there are many. */
	for (size_t i = 0; t->program_cnt >= 64 && i < t->program_cnt; i++)
		if (!t->programs[i].used)
			return &t->programs[i];
	if (LEAT_ARRAY_ROOM(t->programs, t->program_cap, t->program_cnt + 1, LEAT_TABLES_SPACES))
		return NULL;
	return &t->programs[t->program_cnt++];
}

/* A program that begins at @ns in place of what the process ran; NULL: too many. */
static struct leat_program *begin(struct leat_tables *t, uint32_t tgid, uint64_t ns)
{
	struct leat_program *p, *old;
	uint32_t older = 0;

	if (!tgid || tgid >= LEAT_TABLES_PIDS)
		return NULL;
	p = unused(t);
	if (!p) {
		t->stats.refused++;
		return NULL;
	}
	old = newest(t, tgid);
	if (old) {
		if (!old->gone_ns)
			retire(t, old);
		older = t->by_tgid[tgid];
	}
	*p = (struct leat_program){ .tgid = tgid, .since_ns = ns, .older = older, .used = true };
	p->slice = LEAT_SLICE_NONE;
	t->by_tgid[tgid] = (uint32_t)(p - t->programs) + 1;
	return p;
}

static void touch(struct leat_tables *t, struct leat_program *p)
{
	p->dirty = true;
	p->maps_version = 0;
	t->any_dirty = true;
	p->touched = ++t->version;
}

static int on_mmap(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_tables *t = ctx;
	const struct leat_rec_mmap *m = r->data;
	struct leat_program *p = newest(t, r->tgid);
	struct leat_code c;
	uint64_t refused;

	(void)ev;
	if (r->size < sizeof(*m))
		return -EBADMSG;
	if (!p || p->gone_ns)
		p = begin(t, r->tgid, p ? r->ts_ns : 0);
	if (!p)
		return 0;
	c = (struct leat_code){ m->start, m->end, m->pgoff, leat_binary_of(t, m) };
	refused = p->codes.refused;
	if (leat_codes_map(&p->codes, &c))
		touch(t, p);
	t->stats.refused += p->codes.refused - refused;
	return 0;
}

static int on_comm(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_tables *t = ctx;
	const struct leat_rec_comm *c = r->data;

	(void)ev;
	if (r->size < sizeof(*c))
		return -EBADMSG;
	if (c->flags & LEAT_COMM_EXEC)
		(void)begin(t, r->tgid, r->ts_ns); /* too many: counted */
	return 0;
}

/* The kernel side has given the child what its parent had; here it gets what that was meant to be. */
static int on_fork(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_tables *t = ctx;
	const struct leat_rec_task *task = r->data;
	struct leat_program *child;
	uint32_t parent;
	int err;

	(void)ev;
	if (r->size < sizeof(*task))
		return -EBADMSG;
	if (task->ptgid == r->tgid || !newest(t, task->ptgid))
		return 0;
	parent = t->by_tgid[task->ptgid] - 1;
	child = begin(t, r->tgid, r->ts_ns);
	if (!child)
		return 0;
	err = leat_codes_copy(&child->codes, &t->programs[parent].codes);
	touch(t, child);
	return err;
}

static int on_exit_record(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_tables *t = ctx;
	struct leat_program *p = newest(t, r->tgid);

	(void)ev;
	if (p && r->tid == r->tgid && !p->gone_ns) {
		p->ended = true;
		t->any_ended = true;
	}
	return 0;
}

int leat_programs_attach(struct leat_tables *t)
{
	static const struct {
		enum leat_rec_kind kind;
		leat_event_fn fn;
	} callbacks[] = {
		{ LEAT_REC_MMAP, on_mmap },
		{ LEAT_REC_COMM, on_comm },
		{ LEAT_REC_FORK, on_fork },
		{ LEAT_REC_EXIT, on_exit_record },
	};

	for (size_t i = 0; i < LEAT_ARRAY_SIZE(callbacks); i++) {
		struct leat_event *ev = leat_bus_at(t->bus, (uint16_t)callbacks[i].kind);
		int err = ev ? leat_event_add_callback(ev, callbacks[i].fn, t, NULL) : -ENOENT;

		if (err)
			return err;
	}
	return 0;
}

/* ---- to the kernel side ---- */

static bool has_loads(const struct leat_binary *b)
{
	return b->state == LEAT_BINARY_READY || b->state == LEAT_BINARY_BUILT;
}

/*
 * Until the binary's segments are known the bias is that of its file, from which the other one is
 * made in place: nobody uses it before.
 */
static void write_range(const struct leat_tables *t, const struct leat_code *c,
			struct leat_range *r)
{
	const struct leat_binary *b = &t->binaries[c->exe];

	*r = (struct leat_range){
		.start = c->start,
		.end = c->end,
		.bias = c->start - c->pgoff,
		.exe = c->exe,
	};
	if (c->exe < LEAT_EXE__FIRST || !has_loads(b))
		return;
	r->pad = 1;
	if (!leat_binary_bias(b, c, (uint64_t *)&r->bias))
		r->exe = LEAT_EXE_NONE;
}

static void bias_slice(struct leat_tables *t, const struct leat_slice_place *s, uint32_t no)
{
	for (uint32_t i = 0; i < s->cnt; i++) {
		struct leat_range *r = &t->kernel.ranges[s->first + i];
		const struct leat_code c = { r->start, r->end, r->start - r->bias, no };

		if (r->exe != no || r->pad)
			continue;
		r->pad = 1;
		if (!leat_binary_bias(&t->binaries[no], &c, (uint64_t *)&r->bias))
			r->exe = LEAT_EXE_NONE;
	}
}

void leat_programs_bias(struct leat_tables *t, uint32_t no)
{
	for (size_t i = 0; i < t->slices.n; i++)
		if (t->slices.v[i].refs)
			bias_slice(t, &t->slices.v[i], no);
}

/* A process with more mappings than that waits longer: no more than 1/64 of the time for one. */
static uint64_t gap_of(uint64_t took_ns)
{
	return took_ns * 64 > LEAT_TABLES_GAP_NS ? took_ns * 64 : LEAT_TABLES_GAP_NS;
}

static void upload(struct leat_tables *t, struct leat_program *p, uint64_t now_ns)
{
	const size_t n = p->codes.n < LEAT_RANGE_MAX ? p->codes.n : LEAT_RANGE_MAX;
	struct leat_space space = { .tag = leat_codes_hash(&p->codes, n), .cnt = (uint32_t)n };
	const uint32_t old = p->slice;
	bool fresh = false;

	p->dirty = false;
	/* It has ended, or runs another program: the event that says so is on its way. */
	if (old != LEAT_SLICE_NONE && !leat_engine_space_has(t->o.engine, p->tgid))
		return;
	t->stats.refused += p->codes.n - n;
	if (leat_slices_get(&t->slices, space.tag, (uint32_t)n, now_ns, &p->slice, &fresh)) {
		/* What the kernel side has is out of date: without it samples come here. */
		t->stats.refused += n;
		p->slice = LEAT_SLICE_NONE;
		(void)!leat_engine_space_clear(t->o.engine, p->tgid);
		leat_slices_put(&t->slices, old, now_ns);
		return;
	}
	space.first = t->slices.v[p->slice].first;
	for (size_t i = 0; fresh && i < n; i++)
		write_range(t, &p->codes.v[i], &t->kernel.ranges[space.first + i]);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (leat_engine_space_set(t->o.engine, p->tgid, &space)) {
		t->stats.refused++;
		release(t, p);
	}
	leat_slices_put(&t->slices, old, now_ns);
	p->next_ns = now_ns + gap_of(leat_clock_ns() - now_ns);
}

static void upload_dirty(struct leat_tables *t, uint64_t now_ns)
{
	if (!t->any_dirty)
		return;
	t->any_dirty = false;
	for (size_t i = 0; i < t->program_cnt; i++) {
		struct leat_program *p = &t->programs[i];

		if (!p->used || !p->dirty)
			continue;
		if (now_ns >= p->next_ns && p->codes.n)
			upload(t, p, now_ns);
		t->any_dirty |= p->dirty;
	}
}

/* The kernel side knows when the last thread has ended: it has forgotten the process then. */
static void look_at_ended(struct leat_tables *t)
{
	if (!t->any_ended)
		return;
	t->any_ended = false;
	for (size_t i = 0; i < t->program_cnt; i++) {
		struct leat_program *p = &t->programs[i];

		if (!p->used || !p->ended)
			continue;
		if (!leat_procfs_is_over(p->tgid)) {
			t->any_ended = true;
			continue;
		}
		/* An upload that came after its end. */
		(void)!leat_engine_space_clear(t->o.engine, p->tgid);
		retire(t, p);
	}
}

static void forget(struct leat_tables *t, struct leat_program *p)
{
	uint32_t *link = &t->by_tgid[p->tgid];
	const uint32_t no = (uint32_t)(p - t->programs) + 1;

	while (*link && *link != no)
		link = &t->programs[*link - 1].older;
	if (*link)
		*link = p->older;
	leat_codes_fini(&p->codes);
	free(p->maps);
	*p = (struct leat_program){ .slice = LEAT_SLICE_NONE };
}

static void forget_gone(struct leat_tables *t, uint64_t now_ns)
{
	if (!t->any_gone || t->waiting_cnt)
		return;
	t->any_gone = false;
	for (size_t i = 0; i < t->program_cnt; i++) {
		struct leat_program *p = &t->programs[i];

		if (!p->used || !p->gone_ns)
			continue;
		/* It may have gone after @now_ns. */
		if (p->gone_ns + LEAT_TABLES_KEEP_NS < now_ns)
			forget(t, p);
		else
			t->any_gone = true;
	}
}

void leat_programs_round(struct leat_tables *t, uint64_t now_ns)
{
	look_at_ended(t);
	upload_dirty(t, now_ns);
	forget_gone(t, now_ns);
}

void leat_programs_fini(struct leat_tables *t)
{
	for (size_t i = 0; i < t->program_cnt; i++) {
		leat_codes_fini(&t->programs[i].codes);
		free(t->programs[i].maps);
	}
	free(t->programs);
}
