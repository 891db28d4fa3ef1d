/* SPDX-License-Identifier: BSD-2-Clause */
#include "event/pump.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

void leat_pump_init(struct leat_pump *p, struct leat_bus *bus)
{
	memset(p, 0, sizeof(*p));
	p->bus = bus;
}

int leat_pump_add(struct leat_pump *p, struct leat_source s)
{
	if (p->opened_cnt)
		return -EBUSY;
	if (p->source_cnt == LEAT_PUMP_MAX_SOURCES)
		return -EOVERFLOW;
	p->sources[p->source_cnt++] = s;
	return 0;
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
	int sum = 0;
	int err = 0;

	for (size_t i = 0; i < p->opened_cnt; i++) {
		int n = drain(p, &p->sources[i], until_ns);

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

void leat_pump_close(struct leat_pump *p)
{
	while (p->opened_cnt) {
		const struct leat_source *s = &p->sources[--p->opened_cnt];

		s->ops->close(s->self);
	}
}
