/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/pump.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/array.h"
#include "event/merge.h"

void leat_pump_init(struct leat_pump *p, struct leat_bus *bus)
{
	memset(p, 0, sizeof(*p));
	p->bus = bus;
}

int leat_pump_add(struct leat_pump *p, struct leat_source s)
{
	int err;

	if (p->opened_cnt)
		return -EBUSY;
	err = LEAT_ARRAY_ROOM(p->sources, p->source_cap, p->source_cnt + 1, LEAT_PUMP_MAX_SOURCES);
	if (!err && s.ops->next && !p->merge)
		err = leat_merge_new(&p->merge);
	if (!err && s.ops->next)
		err = leat_merge_add(p->merge, s);
	if (!err)
		p->sources[p->source_cnt++] = s;
	return err;
}

int leat_pump_open(struct leat_pump *p)
{
	while (p->opened_cnt < p->source_cnt) {
		const struct leat_source *s = &p->sources[p->opened_cnt];
		int err = s->ops->open(s->self, p->bus);

		if (err)
			return err;
		p->opened_cnt++;
	}
	return 0;
}

int leat_pump_start(struct leat_pump *p)
{
	while (p->started_cnt < p->opened_cnt) {
		const struct leat_source *s = &p->sources[p->started_cnt];
		int err = s->ops->start(s->self);

		if (err)
			return err;
		p->started_cnt++;
	}
	return 0;
}

/* All that one source has up to @until_ns. A source that says "more" and gives nothing ends it. */
static int drain(struct leat_pump *p, const struct leat_source *s, uint64_t until_ns)
{
	int sum = 0;
	int n;
	bool more;

	do {
		more = false;
		n = s->ops->poll(s->self, p->bus, until_ns, &more);
		if (n < 0)
			return n;
		sum = n > INT_MAX - sum ? INT_MAX : sum + n;
	} while (more && n);
	return sum;
}

/* One source that fails does not stop the others; the first error is returned. */
static int drain_all(struct leat_pump *p, uint64_t until_ns)
{
	bool merged = false;
	int sum = 0;
	int err = 0;

	for (size_t i = 0; i < p->opened_cnt; i++) {
		const struct leat_source *s = &p->sources[i];
		int n;

		if (s->ops->next && merged)
			continue;
		merged |= s->ops->next != NULL;
		n = s->ops->next ? leat_merge_round(p->merge, p->bus, until_ns)
				 : drain(p, s, until_ns);
		if (n < 0)
			err = err ? err : n;
		else
			sum = n > INT_MAX - sum ? INT_MAX : sum + n;
	}
	if (p->bus)
		leat_bus_end_batch(p->bus);
	return err ? err : sum;
}

int leat_pump_round(struct leat_pump *p, uint64_t now_ns)
{
	int sum = 0;
	int n;

	if (now_ns != UINT64_MAX)
		return drain_all(p, now_ns);
	/* What one source delivers may make another one have more. */
	do {
		n = drain_all(p, now_ns);
		if (n < 0)
			return n;
		sum = n > INT_MAX - sum ? INT_MAX : sum + n;
	} while (n);
	return sum;
}

int leat_pump_stop(struct leat_pump *p)
{
	int err = 0;

	/* The environment, first in order, stops last: a sample's process is told before it. */
	while (p->started_cnt) {
		const struct leat_source *s = &p->sources[--p->started_cnt];
		int e = s->ops->stop(s->self);

		err = err ? err : e;
	}
	return err;
}

void leat_pump_stats(const struct leat_pump *p, struct leat_source_stats *out)
{
	*out = (struct leat_source_stats){ 0 };
	for (size_t i = 0; i < p->opened_cnt; i++) {
		const struct leat_source *s = &p->sources[i];
		struct leat_source_stats one = { 0 };

		if (!s->ops->stats)
			continue;
		s->ops->stats(s->self, &one);
		out->records += one.records;
		out->bytes += one.bytes;
		out->lost += one.lost;
		out->malformed += one.malformed;
	}
}

uint64_t leat_pump_late(const struct leat_pump *p)
{
	return p->merge ? leat_merge_late(p->merge) : 0;
}

void leat_pump_close(struct leat_pump *p)
{
	while (p->opened_cnt) {
		const struct leat_source *s = &p->sources[--p->opened_cnt];

		s->ops->close(s->self);
	}
	leat_merge_free(&p->merge);
	free(p->sources);
	p->sources = NULL;
	p->source_cnt = p->source_cap = 0;
}
