/* SPDX-License-Identifier: BSD-2-Clause */
/* A capture file as a source: its events, then its records in the order in which they happened. */
#include <errno.h>
#include <leat/data_ref.h>
#include <string.h>

#include "event/capture_read.h"
#include "event/format.h"

#define BATCH 65536 /* records a poll, at most */

/* By the file's id. */
struct mapped {
	uint16_t id; /* on the bus */
	bool known;
};

struct leat_capture {
	struct leat_chunks in;
	bool opened, started, failed;
	int err;   /* sticks */
	bool over; /* nothing comes any more */
	leat_capture_chunk_fn on_chunk;
	void *chunk_ctx;

	/* events that the bus does not have yet */
	struct leat_capture_event *events;
	size_t event_cnt;
	uint32_t events_left, fields_left;
	struct leat_bus *bus; /* NULL before the source is opened */
	struct mapped *map;
	size_t map_cnt;

	/* records at hand */
	const uint8_t *at;
	size_t left;
	uint32_t cnt_left;
	uint64_t chunk_off;
	struct leat_capture_info info;
	uint64_t bytes; /* of records */
};

int leat_capture_new(struct leat_capture **out)
{
	struct leat_capture *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	leat_chunks_init(&c->in);
	c->events_left = LEAT_CAPTURE_MAX_EVENTS;
	c->fields_left = LEAT_CAPTURE_MAX_FIELDS;
	*out = c;
	return 0;
}

static void drop_events(struct leat_capture *c)
{
	for (size_t i = 0; i < c->event_cnt; i++)
		leat_capture_event_fini(&c->events[i]);
	free(c->events);
	c->events = NULL;
	c->event_cnt = 0;
}

void leat_capture_free(struct leat_capture **c)
{
	if (!*c)
		return;
	drop_events(*c);
	leat_chunks_fini(&(*c)->in);
	free((*c)->map);
	free(*c);
	*c = NULL;
}

void leat_capture_set_chunk_fn(struct leat_capture *c, leat_capture_chunk_fn fn, void *ctx)
{
	c->on_chunk = fn;
	c->chunk_ctx = ctx;
}

const char *leat_capture_error(const struct leat_capture *c)
{
	return c->in.text;
}

void leat_capture_info(const struct leat_capture *c, struct leat_capture_info *out)
{
	*out = c->info;
	out->major = c->in.major;
	out->minor = c->in.minor;
	out->chunks = c->in.cnt;
	out->bytes = c->in.off;
	out->cut_bytes = c->over && !c->info.complete ? c->in.off - c->in.whole : 0;
}

static int corrupt(struct leat_capture *c, const char *what, uint64_t off)
{
	return leat_chunks_fail(&c->in, -EBADMSG, "it is corrupt: %s in the chunk at byte %llu",
				what, (unsigned long long)off);
}

/* ---- events ---- */

static int map_event(struct leat_capture *c, uint16_t from, uint16_t to)
{
	if (from >= c->map_cnt) {
		size_t n = (size_t)from + 1;
		struct mapped *map = realloc(c->map, n * sizeof(*map));

		if (!map)
			return -ENOMEM;
		memset(map + c->map_cnt, 0, (n - c->map_cnt) * sizeof(*map));
		c->map = map;
		c->map_cnt = n;
	}
	c->map[from] = (struct mapped){ .id = to, .known = true };
	return 0;
}

static bool is_mapped(const struct leat_capture *c, uint16_t id)
{
	return id < c->map_cnt && c->map[id].known;
}

/* The file's own number where the bus has it free, else the next one. */
static int free_id(const struct leat_bus *bus, uint16_t want, uint16_t *out)
{
	for (uint32_t i = 0; i < UINT16_MAX; i++) {
		uint16_t id = (uint16_t)((want + i) % UINT16_MAX);

		if (!leat_bus_at(bus, id)) {
			*out = id;
			return 0;
		}
	}
	return -EOVERFLOW;
}

/* One event of the file onto the bus; another source may have brought an equal one. */
static int add_event(struct leat_capture *c, struct leat_capture_event *ev)
{
	struct leat_event *have = leat_bus_find(c->bus, ev->name);
	uint16_t id;
	int err;

	if (!ev->format) {
		c->info.skipped_events++;
		return 0;
	}
	if (have && !leat_format_equal(leat_event_format(have), ev->format))
		return leat_chunks_fail(&c->in, -EEXIST,
					"another source has '%.64s' in another format", ev->name);
	if (have)
		return map_event(c, ev->id, leat_event_id(have));
	err = free_id(c->bus, ev->id, &id);
	if (!err)
		err = leat_bus_add_event(c->bus, id, ev->name, ev->format, &have);
	if (err)
		return err;
	ev->format = NULL; /* the bus has it */
	leat_event_set_flags(have, ev->flags);
	return map_event(c, ev->id, id);
}

static int add_events(struct leat_capture *c)
{
	int err = 0;

	for (size_t i = 0; !err && i < c->event_cnt; i++)
		err = add_event(c, &c->events[i]);
	drop_events(c);
	return err;
}

static bool is_told(const struct leat_capture *c, const struct leat_capture_event *ev)
{
	for (size_t i = 0; i < c->event_cnt; i++) {
		if (c->events[i].id == ev->id || strcmp(c->events[i].name, ev->name) == 0)
			return true;
	}
	return is_mapped(c, ev->id);
}

static int keep_event(struct leat_capture *c, struct leat_capture_event *ev)
{
	struct leat_capture_event *all;

	if (is_told(c, ev) || !c->events_left)
		return -EBADMSG;
	all = realloc(c->events, (c->event_cnt + 1) * sizeof(*all));
	if (!all)
		return -ENOMEM;
	c->events = all;
	c->events[c->event_cnt++] = *ev;
	*ev = (struct leat_capture_event){ 0 };
	c->events_left--;
	return 0;
}

static int read_events(struct leat_capture *c, const struct leat_chunk *k)
{
	struct leat_reader r = leat_reader_of(k->data, k->head.raw_bytes);
	int err = 0;

	while (!err && leat_reader_left(&r)) {
		struct leat_capture_event ev = { 0 };

		err = leat_capture_get_event(&r, &ev, &c->fields_left);
		if (!err)
			err = keep_event(c, &ev);
		leat_capture_event_fini(&ev);
	}
	if (err && err != -ENOMEM)
		return corrupt(c, "an event", k->off);
	return err || !c->bus ? err : add_events(c);
}

/* ---- chunks ---- */

static int read_end(struct leat_capture *c, const struct leat_chunk *k, uint64_t chain)
{
	struct leat_capture_end end;
	int more;

	if (k->head.raw_bytes < sizeof(end))
		return corrupt(c, "the end", k->off);
	memcpy(&end, k->data, sizeof(end));
	if (end.chain != chain || end.records != c->info.records + c->info.skipped)
		return corrupt(c, "the end does not count what came before it,", k->off);
	more = leat_chunks_more(&c->in);
	if (more)
		return more < 0 ? more : corrupt(c, "there is something behind the end,", k->off);
	c->info.lost = end.lost;
	c->info.complete = true;
	c->over = true;
	return 0;
}

static int read_other(struct leat_capture *c, const struct leat_chunk *k)
{
	if (k->head.kind >= LEAT_CAPTURE_KIND__MAX || !k->head.kind) {
		if (k->head.flags & LEAT_CAPTURE_REQUIRED)
			return leat_chunks_fail(&c->in, -ENOTSUP,
						"it needs a newer leat (chunk of kind %u)",
						k->head.kind);
		c->info.skipped_chunks++;
	}
	return c->on_chunk ? c->on_chunk(c->chunk_ctx, k->head.kind, k->data, k->head.raw_bytes)
			   : 0;
}

/* Reads on until there are records at hand, or the file is over. */
static int next_records(struct leat_capture *c)
{
	while (!c->cnt_left && !c->over) {
		uint64_t chain = c->in.chain;
		struct leat_chunk k;
		int rc = leat_chunks_next(&c->in, &k);

		if (rc < 0)
			return rc;
		if (!rc) {
			c->over = true; /* whoever wrote it did not finish */
			return 0;
		}
		c->in.chain = leat_capture_chain(chain, k.head.checksum);
		switch (k.head.kind) {
		case LEAT_CAPTURE_RECORDS:
			c->at = k.data;
			c->left = k.head.raw_bytes;
			c->cnt_left = k.head.item_cnt;
			c->chunk_off = k.off;
			rc = c->left && !c->cnt_left ? corrupt(c, "no records", k.off) : 0;
			break;
		case LEAT_CAPTURE_EVENTS:
			rc = read_events(c, &k);
			break;
		case LEAT_CAPTURE_END:
			rc = read_end(c, &k, chain);
			break;
		default:
			rc = read_other(c, &k);
			break;
		}
		if (rc)
			return rc;
	}
	return 0;
}

static int open_input(struct leat_capture *c)
{
	int err = leat_chunks_begin(&c->in);

	c->opened = true;
	if (!err)
		err = next_records(c);
	c->err = err;
	return err;
}

int leat_capture_open_fd(struct leat_capture *c, int fd)
{
	if (c->opened)
		return -EBUSY;
	c->in.fd = fd;
	return open_input(c);
}

int leat_capture_open_bytes(struct leat_capture *c, const void *p, size_t n)
{
	if (c->opened)
		return -EBUSY;
	c->in.mem = p;
	c->in.mem_len = n;
	return open_input(c);
}

/* ---- the source ---- */

static int source_open(void *self, struct leat_bus *bus)
{
	struct leat_capture *c = self;

	if (!c->opened || c->err)
		return c->err ? c->err : -EINVAL;
	c->bus = bus;
	c->err = add_events(c);
	return c->err;
}

static int source_start(void *self)
{
	((struct leat_capture *)self)->started = true;
	return 0;
}

/* 1: a record; 0: an entry that cannot be one; the cursor moves. */
static inline int next_record(struct leat_capture *c, struct leat_record *r)
{
	struct leat_capture_entry e;
	size_t size, room;

	if (c->left < sizeof(e))
		return 0;
	memcpy(&e, c->at, sizeof(e));
	size = e.size & ~LEAT_CAPTURE_APART;
	room = (size + LEAT_CAPTURE_ALIGN - 1) & ~(size_t)(LEAT_CAPTURE_ALIGN - 1);
	if (size < sizeof(e) || room > c->left)
		return 0;
	r->data = c->at;
	r->size = (uint32_t)size;
	if (e.size & LEAT_CAPTURE_APART) {
		r->data = c->at + sizeof(e);
		r->size -= (uint32_t)sizeof(e);
	}
	r->kind = e.kind;
	r->cpu = e.cpu;
	r->tgid = e.tgid;
	r->tid = e.tid;
	r->ts_ns = e.ts_ns;
	return 1;
}

static inline void step_over(struct leat_capture *c, const struct leat_record *r)
{
	size_t size = (size_t)((const uint8_t *)r->data - c->at) + r->size;

	size = (size + LEAT_CAPTURE_ALIGN - 1) & ~(size_t)(LEAT_CAPTURE_ALIGN - 1);
	c->at += size;
	c->left -= size;
	c->cnt_left--;
	if (r->ts_ns > c->info.last_ns)
		c->info.last_ns = r->ts_ns;
}

/* Those of the chunk at hand; returns how many, 0: none any more, or too young. */
static int deliver(struct leat_capture *c, struct leat_bus *bus, uint64_t until_ns, int max)
{
	struct leat_data_ref *header = leat_bus_header(bus);
	bool had_header = false;
	struct leat_record r;
	int n = 0;

	while (c->cnt_left && n < max) {
		bool has_header;

		if (!next_record(c, &r)) {
			c->err = corrupt(c, "a record", c->chunk_off);
			break;
		}
		if (r.ts_ns > until_ns)
			break;
		has_header = r.data == c->at; /* it is the entry */
		step_over(c, &r);
		n++;
		if (!is_mapped(c, r.kind)) {
			c->info.skipped++;
			continue;
		}
		r.kind = c->map[r.kind].id;
		c->info.records++;
		c->bytes += r.size;
		if (has_header != had_header)
			leat_data_ref_move(header, 0,
					   has_header ? sizeof(struct leat_capture_entry) : 0);
		had_header = has_header;
		leat_bus_dispatch(bus, &r);
	}
	leat_data_ref_reset(header);
	if (!c->err && !c->cnt_left && c->left)
		c->err = corrupt(c, "more than its records", c->chunk_off);
	return c->err ? c->err : n;
}

static int source_poll(void *self, struct leat_bus *bus, uint64_t until_ns, bool *more)
{
	struct leat_capture *c = self;
	int sum = 0;

	*more = false;
	if (c->err || !c->started)
		return c->err;
	while (sum < BATCH) {
		int n;

		if (!c->cnt_left)
			c->err = next_records(c);
		if (c->err || c->over)
			return c->err ? c->err : sum;
		n = deliver(c, bus, until_ns, BATCH - sum);
		if (n <= 0)
			return n < 0 ? n : sum;
		sum += n;
	}
	*more = true;
	return sum;
}

static int source_stop(void *self)
{
	(void)self;
	return 0;
}

static void source_close(void *self)
{
	((struct leat_capture *)self)->started = false;
}

static void source_stats(const void *self, struct leat_source_stats *out)
{
	const struct leat_capture *c = self;

	*out = (struct leat_source_stats){
		.records = c->info.records,
		.bytes = c->bytes,
		.lost = c->info.lost,
		.malformed = c->info.skipped,
	};
}

static int source_fd(const void *self)
{
	(void)self;
	return -1;
}

struct leat_source leat_capture_source(struct leat_capture *c)
{
	static const struct leat_source_ops ops = {
		.name = "capture",
		.open = source_open,
		.start = source_start,
		.poll = source_poll,
		.stop = source_stop,
		.close = source_close,
		.stats = source_stats,
		.poll_fd = source_fd,
	};

	return (struct leat_source){ .ops = &ops, .self = c };
}
