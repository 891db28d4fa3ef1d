/* SPDX-License-Identifier: BSD-2-Clause */
#include "import/chunks.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/array.h"

#define MAX_CHUNKS (64u << 20)

/* One parser, its buffer, and what it saw of each of its chunks. */
struct worker {
	struct reading *r;
	unsigned int index;
	char *buf;
	size_t cap;
	uint64_t *lines; /* of its chunks, in order */
	size_t n, lines_cap;
	int err;
	size_t err_chunk;
};

struct reading {
	const struct leat_chunk_text *t;
	struct worker workers[LEAT_CHUNK_PARSERS];
	unsigned int worker_cnt;
	/* what the reader of the next chunk needs; @lock guards it */
	pthread_mutex_t lock;
	pthread_cond_t turned;
	size_t next;	/* chunk */
	size_t head_at; /* of t->head */
	char *carry;	/* the end of the chunk before, which belongs to the next one */
	size_t carry_n, carry_cap;
	bool over; /* the file, or the import */
};

/* Bytes at most; 0 at the end; or -errno. */
static ssize_t more(struct reading *r, char *p, size_t n)
{
	const struct leat_chunk_text *t = r->t;
	size_t left = t->head_n - r->head_at;

	if (left) {
		n = n < left ? n : left;
		memcpy(p, t->head + r->head_at, n);
		r->head_at += n;
		return (ssize_t)n;
	}
	return t->eof ? 0 : leat_unpack_read(t->from, p, n);
}

/* Full, or to the end of the file: a chunk's size must not depend on what read() gives at once. */
static int fill(struct reading *r, struct worker *w, struct leat_chunk *c)
{
	while (c->n < w->cap) {
		ssize_t got = more(r, w->buf + c->n, w->cap - c->n);

		if (got < 0)
			return (int)got;
		if (!got) {
			c->last = true;
			break;
		}
		c->n += (size_t)got;
	}
	return 0;
}

static int keep_rest(struct reading *r, struct worker *w, struct leat_chunk *c, size_t cut)
{
	size_t rest = c->n - cut;
	int err = LEAT_ARRAY_ROOM(r->carry, r->carry_cap, rest + 1, LEAT_CHUNK_MAX + 1);

	if (err)
		return err;
	memcpy(r->carry, w->buf + cut, rest);
	r->carry_n = rest;
	c->n = cut;
	return 0;
}

/* The next chunk, in the worker's buffer. An empty one is the last. */
static int read_chunk(struct reading *r, struct worker *w, struct leat_chunk *c)
{
	size_t want = LEAT_CHUNK_BYTES, cut = 0;
	int err;

	*c = (struct leat_chunk){ .n = r->carry_n };
	if (want < 2 * r->carry_n)
		want = 2 * r->carry_n;
	for (; !c->last && !cut; want *= 2) {
		want = want < LEAT_CHUNK_MAX ? want : LEAT_CHUNK_MAX;
		if (c->n == LEAT_CHUNK_MAX)
			return -EOVERFLOW;
		err = LEAT_ARRAY_ROOM(w->buf, w->cap, want, LEAT_CHUNK_MAX);
		if (err)
			return err;
		if (c->n == r->carry_n && r->carry_n)
			memcpy(w->buf, r->carry, r->carry_n);
		err = fill(r, w, c);
		if (err)
			return err;
		if (!c->last)
			cut = r->t->cut(w->buf, c->n);
	}
	r->carry_n = 0;
	c->p = w->buf;
	return c->last ? 0 : keep_rest(r, w, c, cut);
}

static void fail(struct worker *w, size_t chunk, int err)
{
	w->err = err;
	w->err_chunk = chunk;
	w->r->over = true;
}

/* Reads when it is this worker's turn. False: there is none for it. */
static bool take_turn(struct reading *r, struct worker *w, struct leat_chunk *c)
{
	int err;

	if (r->over)
		return false;
	err = LEAT_ARRAY_ROOM(w->lines, w->lines_cap, w->n + 1, MAX_CHUNKS);
	if (!err)
		err = read_chunk(r, w, c);
	if (err) {
		fail(w, r->next, err);
		return false;
	}
	r->next++;
	r->over = c->last;
	return true;
}

static void parse(struct reading *r, struct worker *w, struct leat_chunk *c)
{
	size_t chunk = w->n * r->worker_cnt + w->index;
	int err = r->t->parse(r->t->ctx, w->index, c);

	w->lines[w->n++] = c->lines;
	if (err) {
		pthread_mutex_lock(&r->lock);
		fail(w, chunk, err);
		pthread_mutex_unlock(&r->lock);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct reading *r = w->r;
	struct leat_chunk c;
	bool got;

	do {
		pthread_mutex_lock(&r->lock);
		while (!r->over && r->next % r->worker_cnt != w->index)
			pthread_cond_wait(&r->turned, &r->lock);
		got = take_turn(r, w, &c);
		pthread_cond_broadcast(&r->turned);
		pthread_mutex_unlock(&r->lock);
		if (got)
			parse(r, w, &c);
	} while (got && !w->err);
	/* Who waits for a turn must hear of an error. */
	pthread_mutex_lock(&r->lock);
	pthread_cond_broadcast(&r->turned);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* The same turns, with nobody to wait for. */
static void work_alone(struct reading *r)
{
	struct leat_chunk c;

	while (!r->over) {
		struct worker *w = &r->workers[r->next % r->worker_cnt];

		if (take_turn(r, w, &c))
			parse(r, w, &c);
	}
}

static void run(struct reading *r)
{
	pthread_t other;

	if (r->worker_cnt == 1 || pthread_create(&other, NULL, work, &r->workers[1])) {
		work_alone(r);
		return;
	}
	work(&r->workers[0]);
	pthread_join(other, NULL);
}

/* Lines of all chunks before @chunk. */
static uint64_t lines_before(const struct reading *r, size_t chunk)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < chunk; i++) {
		const struct worker *w = &r->workers[i % r->worker_cnt];

		if (i / r->worker_cnt < w->n)
			sum += w->lines[i / r->worker_cnt];
	}
	return sum;
}

static int first_error(const struct reading *r, uint64_t *line)
{
	const struct worker *first = NULL;
	size_t at;

	for (unsigned int i = 0; i < r->worker_cnt; i++) {
		const struct worker *w = &r->workers[i];

		if (w->err && (!first || w->err_chunk < first->err_chunk))
			first = w;
	}
	if (!first)
		return 0;
	at = first->err_chunk / r->worker_cnt;
	*line = lines_before(r, first->err_chunk) + (at < first->n ? first->lines[at] : 1);
	return first->err;
}

int leat_chunks_run(const struct leat_chunk_text *t, uint64_t *line)
{
	struct reading r = {
		.t = t,
		.worker_cnt = t->eof && t->head_n < LEAT_CHUNK_BYTES ? 1 : LEAT_CHUNK_PARSERS,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.turned = PTHREAD_COND_INITIALIZER,
	};
	int err;

	for (unsigned int i = 0; i < r.worker_cnt; i++)
		r.workers[i] = (struct worker){ .r = &r, .index = i };
	run(&r);
	err = first_error(&r, line);
	for (unsigned int i = 0; i < r.worker_cnt; i++) {
		free(r.workers[i].buf);
		free(r.workers[i].lines);
	}
	free(r.carry);
	pthread_mutex_destroy(&r.lock);
	pthread_cond_destroy(&r.turned);
	return err;
}
