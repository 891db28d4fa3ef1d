/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples that came with registers and a copy of their stack: each waits until the tables that its
 * frames need are built, is unwound by them, and is forwarded, with its frames, to the proxy event
 * "leat/sample": what follows cannot tell it from one that the kernel side unwound.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "event/wire.h"
#include "live/procfs.h"
#include "live/tables_impl.h"

/* In place of a table that is not there yet, and of one that never will be: no rules. */
static const struct leat_unwind_table pending_table = { .blocks = NULL };
static const struct leat_unwind_table no_table = { .blocks = NULL };

static int on_raw(void *ctx, const struct leat_event *ev, const struct leat_record *r)
{
	struct leat_tables *t = ctx;
	const struct leat_rec_raw *raw = r->data;
	struct leat_waiting w = { 0 };

	(void)ev;
	if (r->size < sizeof(*raw) || raw->kframe_cnt > LEAT_MAX_KFRAMES ||
	    r->size - sizeof(*raw) < raw->kframe_cnt * 8u + (uint64_t)raw->stack_bytes)
		return -EBADMSG;
	if (t->waiting_bytes + r->size > LEAT_TABLES_RAW_SIZE ||
	    LEAT_ARRAY_ROOM(t->waiting, t->waiting_cap, t->waiting_cnt + 1, LEAT_TABLES_RAW_MAX)) {
		t->stats.raw_lost++;
		return 0;
	}
	w.raw = malloc(r->size);
	if (!w.raw) {
		t->stats.raw_lost++;
		return 0;
	}
	memcpy(w.raw, raw, r->size);
	t->waiting[t->waiting_cnt++] = w;
	t->waiting_bytes += r->size;
	return 0;
}

int leat_raw_attach(struct leat_tables *t)
{
	struct leat_event *ev = leat_bus_at(t->bus, LEAT_REC_RAW);

	t->proxy = leat_bus_at(t->bus, LEAT_REC_SAMPLE);
	return ev && t->proxy ? leat_event_add_callback(ev, on_raw, t, NULL) : -ENOENT;
}

static const struct leat_unwind_table *table_of(struct leat_tables *t, const struct leat_code *c,
						uint64_t *bias)
{
	const struct leat_binary *b = &t->binaries[c->exe];

	if (c->exe == LEAT_EXE_ANON)
		return NULL;
	switch (b->state) {
	case LEAT_BINARY_BUILT:
	case LEAT_BINARY_READY:
		return leat_binary_bias(b, c, bias) ? b->table : &no_table;
	case LEAT_BINARY_FRAMED:
		return NULL;
	case LEAT_BINARY_FAILED:
		return &no_table;
	default:
		return c->exe == LEAT_EXE_NONE ? &no_table : &pending_table;
	}
}

static int make_maps(struct leat_tables *t, struct leat_program *p)
{
	if (p->maps_version == t->version)
		return 0;
	if (LEAT_ARRAY_ROOM(p->maps, p->map_cap, p->codes.n, LEAT_CODE_MAX))
		return -ENOMEM;
	for (size_t i = 0; i < p->codes.n; i++) {
		const struct leat_code *c = &p->codes.v[i];
		struct leat_unwind_map *m = &p->maps[i];

		*m = (struct leat_unwind_map){ .start = c->start, .end = c->end };
		m->table = table_of(t, c, &m->bias);
	}
	p->maps_version = t->version;
	return 0;
}

/* The binary whose table the walk that ended at @pc has to wait for; 0 none. */
static uint32_t blocked_by(struct leat_tables *t, const struct leat_program *p, uint64_t pc)
{
	for (int back = 0; back < 2; back++) {
		const struct leat_code *c = leat_codes_find(&p->codes, pc - (unsigned int)back);
		uint64_t bias;

		if (c && table_of(t, c, &bias) == &pending_table)
			return c->exe;
	}
	return 0;
}

static bool may_wait(const struct leat_tables *t, const struct leat_rec_raw *raw, uint64_t now_ns)
{
	return now_ns < raw->h.ts_ns + LEAT_TABLES_WAIT_NS &&
	       t->waiting_bytes <= LEAT_TABLES_RAW_SIZE / 2 &&
	       t->waiting_left <= LEAT_TABLES_RAW_MAX / 2;
}

/* Whether there is nothing to be tried before the binary that it waits for has become another one. */
static bool still_waits(const struct leat_tables *t, const struct leat_waiting *w, uint64_t now_ns)
{
	switch (t->binaries[w->blocked].state) {
	case LEAT_BINARY_QUEUED:
	case LEAT_BINARY_LEAVING:
		return true;
	case LEAT_BINARY_NO_ROOM:
		return may_wait(t, w->raw, now_ns);
	default:
		return false;
	}
}

static size_t bytes_of(const struct leat_waiting *w)
{
	return w->raw->h.size + w->frame_cnt * sizeof(*w->frames);
}

/* Frames up to where a table is missing. Without memory for them it begins anew. */
static void keep_frames(struct leat_tables *t, struct leat_waiting *w,
			const struct leat_unwind_walk *walk, size_t n, uint64_t touched)
{
	struct leat_unwind_frame *frames;

	if (w->frame_cnt == n && w->touched == touched)
		return;
	t->waiting_bytes -= bytes_of(w);
	w->frame_cnt = 0;
	frames = realloc(w->frames, n * sizeof(*frames));
	if (frames) {
		memcpy(frames, t->frames, n * sizeof(*frames));
		w->frames = frames;
		w->frame_cnt = n;
		w->walk = *walk;
		w->touched = touched;
	}
	t->waiting_bytes += bytes_of(w);
}

/* How many frames are known of it: they are in t->frames then. */
static size_t known_frames(struct leat_tables *t, const struct leat_waiting *w, uint64_t touched,
			   struct leat_unwind_walk *walk)
{
	*walk = (struct leat_unwind_walk){ 0 };
	if (!w->frame_cnt || w->touched != touched)
		return 0;
	memcpy(t->frames, w->frames, w->frame_cnt * sizeof(*w->frames));
	*walk = w->walk;
	return w->frame_cnt;
}

/* The walk needs the table of @no: whether it is worth waiting for. */
static bool wait_for_table(struct leat_tables *t, struct leat_waiting *w, uint32_t no,
			   uint64_t now_ns)
{
	leat_binary_want(t, no);
	t->binaries[no].asked++;
	w->blocked = no;
	return still_waits(t, w, now_ns);
}

/* Code that is in no mapping, or in one that lies there no more. */
static void ask_for_maps(struct leat_tables *t, struct leat_program *p, uint64_t pc)
{
	const uint64_t now = leat_clock_ns();

	if (!t->o.on_unknown || p->gone_ns || now - p->asked_ns < LEAT_TABLES_ASK_NS ||
	    leat_codes_find(&p->codes, pc))
		return;
	p->asked_ns = now;
	t->o.on_unknown(t->o.ctx, p->tgid);
}

/* As the kernel side sends them. */
static void put_frames(const struct leat_tables *t, __u64 *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = t->frames[i].pc | (i && t->frames[i].exact ? LEAT_PC_EXACT : 0);
}

static void forward(struct leat_tables *t, const struct leat_rec_raw *raw, size_t n, uint8_t result)
{
	struct leat_rec_sample *s = t->sample;
	struct leat_record r;

	memset(s, 0, sizeof(*s));
	s->h = raw->h;
	s->h.kind = LEAT_REC_SAMPLE;
	s->h.size = (uint32_t)(sizeof(*s) + (raw->kframe_cnt + n) * sizeof(s->frames[0]));
	s->proc = raw->proc;
	s->count = 1;
	s->kframe_cnt = raw->kframe_cnt;
	s->uframe_cnt = (uint16_t)n;
	s->uresult = result;
	s->kresult = raw->kresult;
	s->user_mode = raw->user_mode;
	memcpy(s->frames, raw->words, raw->kframe_cnt * sizeof(s->frames[0]));
	put_frames(t, s->frames + raw->kframe_cnt, n);
	if (leat_wire_record(s, s->h.size, &r) || leat_wire_forward(t->bus, t->proxy, &r))
		t->stats.raw_lost++;
	else
		t->stats.unwound++;
}

/* How it ends for a stack of which only a part was copied. */
static uint8_t result_of(const struct leat_rec_raw *raw, enum leat_stack_result result)
{
	if (result == LEAT_STACK_BAD_MEMORY && raw->stack_bytes > (LEAT_RAW_PAGES - 1) * 4096u)
		return LEAT_STACK_TRUNCATED;
	return (uint8_t)result;
}

/* True when it is done with. */
static bool try_one(struct leat_tables *t, struct leat_waiting *w, uint64_t now_ns, bool last)
{
	const struct leat_rec_raw *raw = w->raw;
	const struct leat_unwind_piece stack = {
		.data = (const uint8_t *)raw->words + raw->kframe_cnt * 8u,
		.addr = raw->stack_addr,
		.len = raw->stack_bytes,
	};
	struct leat_unwind_space space = { .rules = t->rules };
	struct leat_unwind_sample sample = { .pieces = &stack, .piece_cnt = 1 };
	struct leat_program *p = leat_program_at(t, raw->h.tgid, raw->h.ts_ns);
	enum leat_stack_result result;
	struct leat_unwind_walk walk;
	uint32_t blocked = 0;
	bool waits = false;
	size_t n;

	sample.regs.known = UINT32_MAX;
	memcpy(sample.regs.r, raw->regs, sizeof(sample.regs.r));
	if (p && make_maps(t, p) && !last)
		return false;
	if (p && p->maps_version == t->version) {
		space.maps = p->maps;
		space.map_cnt = p->codes.n;
	}
	n = known_frames(t, w, p ? p->touched : 0, &walk);
	result = leat_unwind_stack_on(&space, &sample, &walk, t->frames, t->o.max_frames, &n);
	if (p && result == LEAT_STACK_NO_UNWIND)
		blocked = blocked_by(t, p, t->frames[n - 1].pc);
	if (blocked)
		waits = wait_for_table(t, w, blocked, now_ns);
	else if (p && result == LEAT_STACK_NO_UNWIND)
		ask_for_maps(t, p, t->frames[n - 1].pc);
	if (waits && !last) {
		keep_frames(t, w, &walk, n, p->touched);
		return false;
	}
	forward(t, raw, n, blocked ? LEAT_STACK_NO_TABLE : result_of(raw, result));
	return true;
}

static void free_one(struct leat_waiting *w)
{
	free(w->raw);
	free(w->frames);
}

static void remove_done(struct leat_tables *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->waiting_cnt; i++) {
		struct leat_waiting w = t->waiting[i];

		if (w.done)
			free_one(&w);
		else
			t->waiting[kept++] = w;
	}
	t->waiting_cnt = kept;
}

int leat_waiting_round(struct leat_tables *t, bool last)
{
	/* What did not go last time goes when something has changed. */
	const size_t from = t->tried_version == t->version ? t->tried_cnt : 0;
	const uint64_t now = leat_clock_ns();

	t->tried_version = t->version;
	t->waiting_left = t->waiting_cnt;
	for (size_t i = 0; i < t->waiting_cnt; i++) {
		struct leat_waiting *w = &t->waiting[i];

		if (!last && (w->blocked ? still_waits(t, w, now) : i < from))
			continue;
		w->done = try_one(t, w, now, last);
		t->waiting_left -= w->done;
		t->waiting_bytes -= w->done ? bytes_of(w) : 0;
	}
	remove_done(t);
	t->tried_cnt = t->waiting_cnt;
	return 0;
}

void leat_waiting_fini(struct leat_tables *t)
{
	for (size_t i = 0; i < t->waiting_cnt; i++)
		free_one(&t->waiting[i]);
	free(t->waiting);
}
